//! Finding the services of a repository and where their migrations and settings lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use trueup_model::location::{Located, Location};
use walkdir::WalkDir;

use crate::load::{CODE, relative};
use crate::location::{LocationSpec, Scheme};
use crate::name::{Name, Naming};
use crate::problem::Problem;
use crate::settings::{Environment, Setting, Settings, read_conf, read_spring, read_spring_properties, read_toml};
use crate::source::read_settings_file;

/// A service that is known from elsewhere: from the intent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceHint {
    /// Its declared name.
    pub name: String,
    /// The folder that is declared to hold its migrations, relative to the project root.
    pub migrations: Option<String>,
}

/// A service as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoveredService {
    /// The declared name that matches one of its folders, else the name of its folder.
    pub name: String,
    /// Whether a hint has this name.
    pub declared: bool,
    /// Its folder, relative to the project root, with `/`; empty for the root itself.
    pub base: String,
    /// Folders with migrations, relative to the project root, with `/`; empty when there are none.
    pub folders: Vec<String>,
    /// Files with settings, relative to the project root: `flyway.toml`, `flyway.conf`, `application*.yml|yaml|properties`.
    pub settings_files: Vec<String>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Services by name; those of hints without a folder too.
    pub services: Vec<DiscoveredService>,
    /// Folders that could not be read, or that were too many.
    pub problems: Vec<Problem>,
}

/// Folders that hold no sources: what builds and tools leave behind.
const JUNK: &[&str] = &[
    "target",
    "build",
    "node_modules",
    "out",
    "bin",
    "dist",
    "vendor",
    "venv",
    "__pycache__",
    "coverage",
    "generated",
];
const RESOURCES: &str = "src/main/resources/";
const MAX_DEPTH: usize = 16;
const MAX_ENTRIES: usize = 500_000;
/// Names that folders of migrations have, and services have not.
const CONTAINERS: &[&str] = &[
    "db",
    "migration",
    "migrations",
    "sql",
    "flyway",
    "database",
    "resources",
    "main",
    "src",
    "postgres",
    "postgresql",
    "schema",
];

/// Walks the repository once. Folders are recognised by files that are named like migrations, and by
/// `db/migration`; a service is the folder above `src/…`, or above the folders named like containers of migrations.
pub fn discover(root: &Path, hints: &[ServiceHint]) -> Discovery {
    let mut walk = Walk::default();
    walk.run(root);
    let mut services = group(root, &mut walk, hints);
    attach_declared_folders(root, hints, &mut services);
    for hint in hints {
        if !services.contains_key(&hint.name) {
            services.insert(
                hint.name.clone(),
                DiscoveredService {
                    name: hint.name.clone(),
                    declared: true,
                    base: String::new(),
                    folders: Vec::new(),
                    settings_files: Vec::new(),
                },
            );
        }
    }
    Discovery { services: services.into_values().collect(), problems: walk.problems }
}

#[derive(Default)]
struct Walk {
    /// Folders with migrations, relative to the root.
    folders: BTreeSet<String>,
    /// Files with settings, relative to the root.
    settings: BTreeSet<String>,
    problems: Vec<Problem>,
}

impl Walk {
    fn run(&mut self, root: &Path) {
        let naming = Naming::default();
        let entries = WalkDir::new(root).max_depth(MAX_DEPTH).sort_by_file_name().into_iter();
        for (count, entry) in entries.filter_entry(|entry| entry.depth() == 0 || !is_junk(entry)).enumerate() {
            if count >= MAX_ENTRIES {
                let message =
                    format!("more than {MAX_ENTRIES} files and folders: the rest was not searched for migrations");
                self.problems.push(Problem::blocking(
                    Location::whole("."),
                    message,
                    "run trueup in the folder of the project",
                ));
                break;
            }
            match entry {
                Ok(entry) => self.entry(root, &entry, &naming),
                Err(error) => self.unreadable(root, &error),
            }
        }
    }

    fn entry(&mut self, root: &Path, entry: &walkdir::DirEntry, naming: &Naming) {
        let path = relative(root, entry.path());
        let name = entry.file_name().to_string_lossy();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        if entry.file_type().is_dir() {
            if format!("/{path}").ends_with("/db/migration") && !is_code(&path) {
                self.folders.insert(path);
            }
        } else if is_settings(&name) {
            self.settings.insert(path);
        } else if is_migration(&name, naming) {
            self.folders.insert(parent.to_owned());
        } else if let Some(folder) = resources_beside_code(parent, &name, naming) {
            self.folders.insert(folder);
        }
    }

    fn not_named(&mut self, folder: &str, owner: &str) {
        let message =
            format!("{folder} holds migrations, and the `locations` of {owner} do not name it: they are not read");
        let help = "add it to `locations`, or remove it";
        self.problems.push(Problem::notice(Location::whole(folder), message, help));
    }

    fn unreadable(&mut self, root: &Path, error: &walkdir::Error) {
        let path = error.path().map_or_else(String::new, |path| relative(root, path));
        self.problems.push(Problem::notice(
            Location::whole(path),
            format!("cannot be searched for migrations: {error}"),
            "make it readable, if it belongs to the project",
        ));
    }
}

/// Whether a folder holds code rather than resources: `src/main/java/…`, `src/main/kotlin/…`.
fn is_code(path: &str) -> bool {
    path.contains("src/main/") && !path.contains(RESOURCES)
}

fn is_junk(entry: &walkdir::DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let is_test = |path: &Path| path.ends_with("src/test");
    entry.file_type().is_dir() && (name.starts_with('.') || JUNK.contains(&name.as_ref()) || is_test(entry.path()))
}

fn is_settings(name: &str) -> bool {
    let spring = name.strip_prefix("application").and_then(|rest| rest.rsplit_once('.'));
    let spring = spring.is_some_and(|(profile, extension)| {
        (profile.is_empty() || profile.starts_with('-')) && matches!(extension, "yml" | "yaml" | "properties")
    });
    spring || matches!(name, "flyway.conf" | "flyway.toml")
}

/// A file that only a folder of migrations would hold: versioned or repeatable, with a separator.
fn is_migration(name: &str, naming: &Naming) -> bool {
    name.contains("__")
        && matches!(
            naming.parse(name),
            Some(Ok(Name::Versioned { .. } | Name::Repeatable { .. } | Name::Baseline { .. }))
        )
}

/// For a Java migration: the folder in the resources that has the same classpath.
fn resources_beside_code(parent: &str, name: &str, naming: &Naming) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    let code = CODE.contains(&extension) && stem.contains("__") && naming.parse_stem(name, stem, "").is_ok();
    let at = code.then(|| format!("/{parent}").find("/src/main/"))??;
    let (_, package) = parent[at + "src/main/".len()..].split_once('/')?;
    Some(format!("{}{RESOURCES}{package}", &parent[..at]))
}

/// The folder of the service that a folder of migrations belongs to.
fn base_of(folder: &str) -> String {
    if let Some(at) = format!("/{folder}/").find("/src/") {
        return folder[..at.saturating_sub(1).min(folder.len())].to_owned();
    }
    let mut parts: Vec<&str> = folder.split('/').collect();
    while parts.last().is_some_and(|part| CONTAINERS.contains(&part.to_ascii_lowercase().as_str())) {
        parts.pop();
    }
    parts.join("/")
}

fn group(root: &Path, walk: &mut Walk, hints: &[ServiceHint]) -> BTreeMap<String, DiscoveredService> {
    let mut bases = claimed(root, walk);
    let taken: BTreeSet<String> = bases.values().flatten().cloned().collect();
    let owners: BTreeSet<String> = bases.keys().filter(|base| !base.is_empty()).cloned().collect();
    for folder in outermost(&walk.folders) {
        if taken.iter().any(|claimed| inside(&folder, claimed)) {
            continue;
        }
        // Beside the locations that a service names, in its own folder: Flyway does not look there.
        match owners.iter().find(|owner| inside(&folder, owner)) {
            Some(owner) => walk.not_named(&folder, owner),
            None => bases.entry(base_of(&folder)).or_default().push(folder),
        }
    }
    let mut services: BTreeMap<String, DiscoveredService> = BTreeMap::new();
    for (base, folders) in bases {
        let mut name = service_name(root, &base, hints);
        let declared = hints.iter().any(|hint| hint.name == name);
        // Two folders of one name are two services, unless they are parts of one that is declared.
        if !declared && services.contains_key(&name) {
            name.clone_from(&base);
        }
        let settings_files = settings_of(&base, &walk.settings);
        let service = services.entry(name.clone()).or_insert_with(|| DiscoveredService {
            name,
            declared,
            base,
            folders: Vec::new(),
            settings_files: Vec::new(),
        });
        service.folders.extend(folders);
        service.settings_files.extend(settings_files);
    }
    services
}

/// The folders that each `flyway.conf` or `flyway.toml` names as its locations, by the folder of that file.
fn claimed(root: &Path, walk: &Walk) -> BTreeMap<String, Vec<String>> {
    let mut bases: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in walk.settings.iter().filter(|file| is_flyway_file(file)) {
        let base = parent(file).to_owned();
        let mut settings = Settings { base: base.clone(), ..Settings::default() };
        let reader = if file.ends_with(".toml") { read_toml } else { read_conf };
        // What is wrong in the file is said when the settings are read for the service.
        let _ = read_file(root, file, |text, at| reader(&mut settings, text, at, &|_| None));
        for location in &settings.locations.value {
            let folder = location.resolve(root, &root.join(&base)).folder;
            let folders = bases.entry(base.clone()).or_default();
            let path = relative(root, &folder);
            if folder.is_dir() && !folders.contains(&path) {
                folders.push(path);
            }
        }
    }
    bases.retain(|_, folders| !folders.is_empty());
    bases
}

/// Folders that lie in no other one; `db/migration` swallows what is below it.
fn outermost(folders: &BTreeSet<String>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for folder in folders {
        if !kept.iter().rev().any(|outer| inside(folder, outer)) {
            kept.push(folder.clone());
        }
    }
    kept
}

fn inside(path: &str, folder: &str) -> bool {
    folder.is_empty() || path == folder || path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn is_flyway_file(path: &str) -> bool {
    matches!(path.rsplit('/').next(), Some("flyway.conf" | "flyway.toml"))
}

/// The innermost folder of the path that a hint names, else the last folder; for the root the only hint, or its name.
fn service_name(root: &Path, base: &str, hints: &[ServiceHint]) -> String {
    let declared = |part: &&str| hints.iter().any(|hint| hint.name == **part);
    if let Some(name) = base.rsplit('/').find(declared) {
        return name.to_owned();
    }
    match (base, hints) {
        ("", [only]) => only.name.clone(),
        ("", _) => root
            .canonicalize()
            .ok()
            .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
            .unwrap_or_else(|| ".".into()),
        _ => base.rsplit('/').next().unwrap_or(base).to_owned(),
    }
}

/// Settings in the service's folder and its resources.
fn settings_of(base: &str, settings: &BTreeSet<String>) -> Vec<String> {
    let join = |folder: &str| match (base, folder) {
        ("", folder) => folder.to_owned(),
        (base, "") => base.to_owned(),
        (base, folder) => format!("{base}/{folder}"),
    };
    let places = ["", "config", "conf", "src/main/resources", "src/main/resources/config"].map(join);
    settings.iter().filter(|file| places.iter().any(|place| place == parent(file))).cloned().collect()
}

/// Folders that the intent names win over those that were found.
fn attach_declared_folders(root: &Path, hints: &[ServiceHint], services: &mut BTreeMap<String, DiscoveredService>) {
    for hint in hints {
        let Some(folder) = &hint.migrations else { continue };
        let folder = folder.trim_matches('/').trim_start_matches("./").to_owned();
        let folders = if root.join(&folder).is_dir() { vec![folder.clone()] } else { Vec::new() };
        services.retain(|_, other| {
            let before = other.folders.len();
            other.folders.retain(|found| other.name == hint.name || !inside(found, &folder));
            before == 0 || !other.folders.is_empty()
        });
        let base = base_of(&folder);
        let service = services.entry(hint.name.clone()).or_insert_with(|| DiscoveredService {
            name: hint.name.clone(),
            declared: true,
            base,
            folders: Vec::new(),
            settings_files: Vec::new(),
        });
        service.folders = folders;
    }
}

/// Settings of a discovered service: the found folders, overruled by `application*.properties` (main file only),
/// `yaml` (flattened by the caller, see [`read_spring`]), and `flyway.toml` or else `flyway.conf`.
///
/// Profile files (`application-dev.yml`) are for environments: they are listed in `settings_files` and not read here.
pub fn settings(
    root: &Path,
    service: &DiscoveredService,
    yaml: &[(String, Located<String>)],
    environment: Environment<'_>,
) -> (Settings, Vec<Problem>) {
    let mut settings = Settings { base: service.base.clone(), ..Settings::default() };
    let mut problems = Vec::new();
    let named =
        |name: &'static str| service.settings_files.iter().filter(move |file| file.rsplit('/').next() == Some(name));
    for file in named("application.properties") {
        problems.extend(read_file(root, file, |text, at| read_spring_properties(&mut settings, text, at, environment)));
    }
    problems.extend(read_spring(&mut settings, yaml, environment));
    let toml: Vec<_> = named("flyway.toml").collect();
    for file in &toml {
        problems.extend(read_file(root, file, |text, at| read_toml(&mut settings, text, at, environment)));
    }
    for file in named("flyway.conf") {
        if toml.is_empty() {
            problems.extend(read_file(root, file, |text, at| read_conf(&mut settings, text, at, environment)));
        } else {
            problems.push(Problem::notice(
                Location::whole(file.as_str()),
                "flyway.conf is not read beside a flyway.toml",
                "remove one of the two; Flyway never mixes them",
            ));
        }
    }
    if !settings.locations.is_set() {
        settings.locations = Setting::default_of(
            service.folders.iter().map(|folder| as_location(root, &service.base, folder)).collect(),
        );
    }
    (settings, problems)
}

/// A found folder as a location: a classpath where it lies in resources, so that Java migrations beside it are seen.
fn as_location(root: &Path, base: &str, folder: &str) -> LocationSpec {
    let below =
        if base.is_empty() { Some(folder) } else { folder.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')) };
    match below.and_then(|below| below.strip_prefix(RESOURCES)) {
        Some(path) => LocationSpec { scheme: Scheme::Classpath, path: path.to_owned(), at: None },
        None => LocationSpec::found(&root.join(folder).to_string_lossy()),
    }
}

fn read_file(root: &Path, file: &str, read: impl FnOnce(&str, &Arc<str>) -> Vec<Problem>) -> Vec<Problem> {
    match read_settings_file(&root.join(file)) {
        Ok(text) => read(&text, &Arc::from(file)),
        Err(error) => {
            let (line, column) = error.line_column();
            vec![Problem::blocking(Location::new(file, line, column), error.to_string(), "make it readable, as UTF-8")]
        }
    }
}
