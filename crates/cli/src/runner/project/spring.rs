//! Spring's settings: the main files and those of the active profiles, documents in the order in which they win.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use trueup_intent::properties::{self as yaml, FlatDocument};
use trueup_migrations::discover::DiscoveredService;
use trueup_migrations::problem::Problem;
use trueup_migrations::properties;
use trueup_migrations::settings::resolve_spring;
use trueup_migrations::source::read_settings_file;
use trueup_model::location::{Located, Location};

use super::profiles;
use super::spring_outside::{SpringOutside, names};

/// Endings of files of settings; where there are several, the later one wins.
const ENDINGS: [&str; 3] = ["yaml", "yml", "properties"];

/// Where the main files usually are, below the service.
const RESOURCES: &str = "src/main/resources";

/// Whether this is one of Spring's files of settings.
pub(super) fn is_file(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.strip_prefix("application")
        .and_then(|rest| rest.rsplit_once('.'))
        .is_some_and(|(profile, ending)| (profile.is_empty() || profile.starts_with('-')) && ENDINGS.contains(&ending))
}

/// All that holds with the profiles that are active; later entries win.
///
/// `asked` are those that the command line names; they outrank what the environment says, and that the main file.
pub(super) fn entries(
    root: &Path,
    service: &DiscoveredService,
    (asked, said): (&[String], &SpringOutside),
    environment: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<Problem>,
) -> Vec<(String, Located<String>)> {
    let folders = folders(service);
    let mut read = |name: &str| {
        let files =
            ENDINGS.iter().flat_map(|ending| folders.iter().map(move |folder| format!("{folder}{name}.{ending}")));
        files.flat_map(|file| documents(root, &file, problems)).collect::<Vec<_>>()
    };
    let main = read("application");
    let asked = if asked.is_empty() { &said.active[..] } else { asked };
    let lookup = |name: &str| said.get(name).or_else(|| environment(name));
    let accepted = accepted(&main, asked, &said.default, &lookup, problems);
    let mut entries = Vec::new();
    take(main, &accepted, &mut entries, problems);
    for profile in &accepted {
        let found = files_of(root, &folders, profile, problems);
        take(found, &accepted, &mut entries, problems);
    }
    entries
}

/// Folders with main files, and the one where they usually are, each with a `/` at its end.
fn folders(service: &DiscoveredService) -> Vec<String> {
    let base = if service.base.is_empty() { String::new() } else { format!("{}/", service.base) };
    let mut folders = vec![format!("{base}{RESOURCES}/")];
    for file in service.settings_files.iter().filter(|file| is_file(file)) {
        let folder = file.rfind('/').map_or("", |at| &file[..=at]).to_owned();
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// A profile's name becomes part of a file's.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.contains(['/', '\\', '\0']) && name != ".."
}

fn files_of(root: &Path, folders: &[String], profile: &str, problems: &mut Vec<Problem>) -> Vec<FlatDocument> {
    if !is_plain(profile) {
        problems.push(Problem::blocking(
            Location::whole("spring.profiles.active"),
            format!("`{profile}` is no name of a profile"),
            "name profiles, with commas between them",
        ));
        return Vec::new();
    }
    let mut found = Vec::new();
    for ending in ENDINGS {
        for folder in folders {
            found.extend(documents(root, &format!("{folder}application-{profile}.{ending}"), problems));
        }
    }
    found
}

/// The profiles that hold, the last one winning: the active ones, else the default ones; groups opened.
///
/// Those asked for outrank those that the main files name.
fn accepted(
    main: &[FlatDocument],
    asked: &[String],
    default: &[String],
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let always: Vec<_> = main.iter().filter(|document| !profiles::is_conditional(document)).collect();
    for include in always.iter().flat_map(|document| profiles::values(document, "spring.profiles.include")) {
        problems.push(Problem::blocking(
            include.at.clone(),
            "`spring.profiles.include` is not supported by trueup",
            "name those profiles with --spring-profiles or in SPRING_PROFILES_ACTIVE, and use spring.profiles.group",
        ));
    }
    let mut of = |outside: &[String], key: &'static str| {
        if outside.is_empty() { in_files(&always, key, lookup, problems) } else { outside.to_vec() }
    };
    let active = of(asked, "spring.profiles.active");
    if !active.is_empty() {
        return opened(&always, active);
    }
    let default = of(default, "spring.profiles.default");
    opened(&always, if default.is_empty() { vec!["default".to_owned()] } else { default })
}

/// The profiles that the main files name under a key; the last document that does counts.
fn in_files(
    always: &[&FlatDocument],
    key: &'static str,
    lookup: &dyn Fn(&str) -> Option<String>,
    problems: &mut Vec<Problem>,
) -> Vec<String> {
    let all: BTreeMap<&str, &str> = always
        .iter()
        .flat_map(|document| &document.values)
        .map(|(key, value)| (key.as_str(), value.value.as_str()))
        .collect();
    let lookup = |name: &str| lookup(name).or_else(|| all.get(name).map(|value| (*value).to_owned()));
    let set = always.iter().rev().map(|document| profiles::values(document, key));
    let mut found = Vec::new();
    for value in set.filter(|values| !values.is_empty()).take(1).flatten() {
        match resolve_spring(&value.value, &lookup) {
            Ok(text) if !text.contains('@') => found.extend(names(&text)),
            _ => problems.push(Problem::blocking(
                value.at.clone(),
                format!("which profiles are active is not known: `{key}` is `{}`", value.value),
                "name them with --spring-profiles, or set SPRING_PROFILES_ACTIVE",
            )),
        }
    }
    found
}

/// Each name followed by the members of its group, and theirs; each name once.
fn opened(always: &[&FlatDocument], names: Vec<String>) -> Vec<String> {
    let mut active: Vec<String> = Vec::new();
    let mut waiting: Vec<String> = names.into_iter().rev().collect();
    while let Some(name) = waiting.pop() {
        if active.contains(&name) {
            continue;
        }
        let group = format!("spring.profiles.group.{name}");
        let members = always.iter().rev().map(|document| members(document, &group)).find(|found| !found.is_empty());
        waiting.extend(members.into_iter().flatten().rev());
        active.push(name);
    }
    active
}

fn members(document: &FlatDocument, group: &str) -> Vec<String> {
    let mut found: Vec<_> = document
        .values
        .iter()
        .filter(|(key, _)| key.strip_prefix(group).is_some_and(|rest| rest.is_empty() || rest.starts_with('[')))
        .collect();
    found.sort_by_key(|(key, _)| (key.len(), key.as_str()));
    found.into_iter().flat_map(|(_, value)| names(&value.value)).collect()
}

/// Adds what holds.
fn take(
    documents: Vec<FlatDocument>,
    active: &[String],
    entries: &mut Vec<(String, Located<String>)>,
    problems: &mut Vec<Problem>,
) {
    for document in documents {
        if !profiles::holds(&document, active, problems) {
            continue;
        }
        for import in profiles::values(&document, "spring.config.import") {
            problems.push(Problem::notice(
                import.at.clone(),
                "`spring.config.import` is not followed: what it imports is not known here",
                "give what Flyway needs of it with FLYWAY_* variables or --set",
            ));
        }
        // In the order of the file, items of a list in theirs.
        let mut values: Vec<_> = document.values.into_iter().collect();
        values.sort_by_key(|(key, value)| (value.at.line, value.at.column, key.len()));
        entries.extend(values);
    }
}

/// The documents of a file; none when it is not there.
fn documents(root: &Path, file: &str, problems: &mut Vec<Problem>) -> Vec<FlatDocument> {
    let path = root.join(file);
    if !path.exists() {
        return Vec::new();
    }
    let text = match read_settings_file(&path) {
        Ok(text) => text,
        Err(error) => {
            let (line, column) = error.line_column();
            let at = Location::new(file, line, column);
            problems.push(Problem::blocking(at, error.to_string(), "make it readable, as UTF-8"));
            return Vec::new();
        }
    };
    if file.ends_with(".properties") {
        return of_properties(&text, &Arc::from(file));
    }
    yaml::flatten(file, text.as_bytes()).unwrap_or_else(|errors| {
        let message = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let message = format!("the settings cannot be read: {message}");
        problems.push(Problem::blocking(Location::whole(file), message, "correct the file"));
        Vec::new()
    })
}

/// Documents of a `.properties` file: `#---` or `!---` stands between them.
fn of_properties(text: &str, file: &Arc<str>) -> Vec<FlatDocument> {
    let mut starts = vec![1_u32];
    for (line, number) in text.lines().zip(1..) {
        if matches!(line.trim_end(), "#---" | "!---") {
            starts.push(number);
        }
    }
    let mut documents: Vec<_> = starts
        .iter()
        .map(|line| FlatDocument { at: Location::new(Arc::clone(file), *line, 1), values: BTreeMap::new() })
        .collect();
    for property in properties::parse(text, file) {
        let of = starts.partition_point(|start| *start <= property.value.at.line).saturating_sub(1);
        documents[of].values.insert(property.key, property.value);
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(
        files: &[(&str, &str)],
        asked: &[&str],
        variable: Option<&str>,
    ) -> (BTreeMap<String, String>, Vec<Problem>) {
        let root = tempfile::tempdir().unwrap();
        let resources = root.path().join(RESOURCES);
        std::fs::create_dir_all(&resources).unwrap();
        files.iter().for_each(|(name, text)| std::fs::write(resources.join(name), text).unwrap());
        let service = DiscoveredService {
            name: "s".into(),
            declared: false,
            base: String::new(),
            folders: Vec::new(),
            settings_files: Vec::new(),
        };
        let asked: Vec<_> = asked.iter().map(|name| (*name).to_owned()).collect();
        let mut problems = Vec::new();
        let variables: Vec<_> =
            variable.map(|value| ("SPRING_PROFILES_ACTIVE".to_owned(), value.to_owned())).into_iter().collect();
        let said = SpringOutside::of(&variables, &mut problems);
        let entries = entries(root.path(), &service, (&asked, &said), &|_| None, &mut problems);
        (entries.into_iter().map(|(key, value)| (key, value.value)).collect(), problems)
    }

    const MAIN: &str = "spring:\n  profiles:\n    active: dev\n    group:\n      live: [prod, eu]\na: main\nb: main\n---\nspring.config.activate.on-profile: prod & eu\na: both\n---\nspring.config.activate.on-profile: [dev, test]\na: dev\n---\nspring.config.activate.on-cloud-platform: kubernetes\na: cloud\n";

    #[test]
    fn the_command_line_outranks_the_variable_and_that_the_file() {
        let files =
            [("application.yml", MAIN), ("application-prod.yml", "b: prod\n"), ("application-eu.properties", "b=eu\n")];
        let a_b = |asked: &[&str], variable: Option<&str>| {
            let (entries, problems) = read(&files, asked, variable);
            assert_eq!(problems, []);
            (entries["a"].clone(), entries["b"].clone())
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(a_b(&[], None), pair("dev", "main"));
        assert_eq!(a_b(&[], Some("prod")), pair("main", "prod"));
        assert_eq!(a_b(&[], Some("prod, eu")), pair("both", "eu"));
        assert_eq!(a_b(&["eu", "prod"], Some("dev")), pair("both", "prod"), "the last one wins");
        assert_eq!(a_b(&["live"], None), pair("both", "eu"), "a group stands for its members");
    }

    #[test]
    fn properties_have_documents_too() {
        let text = "a=1\n#---\nspring.config.activate.on-profile=!x\na=2\n!---\nspring.profiles=x\na=3\n";
        let files = [("application.properties", text), ("application-default.yml", "b: d\n")];
        let (entries, problems) = read(&files, &[], None);
        assert_eq!(problems, []);
        assert_eq!((entries["a"].as_str(), entries["b"].as_str()), ("2", "d"));
        let (entries, _) = read(&files, &["x"], None);
        assert_eq!((entries["a"].as_str(), entries.get("b")), ("3", None));
    }

    #[test]
    fn what_is_not_known_is_said_with_its_place() {
        for (text, line, blocking) in [
            ("x: 1\nspring.profiles.active: '@profile@'\n", 2, true),
            ("x: 1\n\nspring.profiles.active: ${NOPE}\n", 3, true),
            ("spring.profiles.include: a\n", 1, true),
            ("a: 1\n---\nspring.config.activate.on-profile: a & b | c\n", 3, true),
            ("spring.config.import: 'configserver:'\n", 1, false),
        ] {
            let (_, problems) = read(&[("application.yml", text)], &[], None);
            let found: Vec<_> = problems.iter().map(|problem| (problem.at.line, problem.blocking)).collect();
            assert_eq!(found, [(line, blocking)], "{text}");
        }
        let (_, problems) = read(&[("application.yml", "a: 1\n")], &["../../secret"], None);
        assert!(problems[0].blocking && problems[0].message.contains("no name of a profile"));
    }

    #[test]
    fn without_an_active_profile_the_default_ones_hold() {
        let main = "a: main\n---\nspring.config.activate.on-profile: default\na: default\n---\n\
                    spring.config.activate.on-profile: local\na: local\n";
        let a = |main: &str, asked: &[&str]| {
            let (entries, problems) = read(&[("application.yml", main)], asked, None);
            assert_eq!(problems, []);
            entries["a"].clone()
        };
        assert_eq!(a(main, &[]), "default");
        assert_eq!(a(main, &["prod"]), "main");
        assert_eq!(a(&format!("spring.profiles.default: local\n{main}"), &[]), "local");
        assert_eq!(a(&format!("spring.profiles.default: local\n{main}"), &["default"]), "default");
        let group = "spring.profiles:\n  default: laptop\n  group.laptop: local\n";
        assert_eq!(a(&format!("{group}{main}"), &[]), "local");
    }
}
