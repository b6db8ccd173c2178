//! Flyway's own files of settings: which there are, and which of them count.

use std::path::Path;
use std::sync::Arc;

use trueup_migrations::discover::DiscoveredService;
use trueup_migrations::problem::Problem;
use trueup_migrations::settings::{Chosen, Environment, Overrides, Settings, read_conf, read_toml_files};
use trueup_migrations::source::read_settings_file;
use trueup_model::location::{Located, Location};

const TOML: &str = "flyway.toml";
const USER: &str = "flyway.user.toml";
const CONF: &str = "flyway.conf";

/// Where files of settings are looked for, and which are named.
pub(super) struct Sources<'s> {
    /// The folder that the names of files are relative to.
    pub(super) root: &'s Path,
    /// Folders whose files count less than the service's: the home, the current folder.
    pub(super) before: Vec<&'s Path>,
    /// `configFiles` with its place, in the order in which they are read.
    pub(super) named: Vec<Located<String>>,
    /// What chooses an environment.
    pub(super) chosen: Chosen<'s>,
}

/// A file to read.
struct File {
    /// As it is told to people.
    name: Arc<str>,
    text: String,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whether they are TOML; without any it is TOML's mode, too.
    pub(super) with_toml: bool,
    /// What the chosen environment sets for itself, which is not set yet.
    pub(super) overrides: Overrides,
}

impl Sources<'_> {
    /// Reads them: TOML or else `.conf`, never both.
    pub(super) fn read(
        &self,
        service: &DiscoveredService,
        settings: &mut Settings,
        environment: Environment<'_>,
        problems: &mut Vec<Problem>,
    ) -> Found {
        let is_toml = |file: &Located<String>| has_ending(&file.value, ".toml");
        let (tomls, confs): (Vec<_>, Vec<_>) = self.named.iter().partition(|file| is_toml(file));
        if let (Some(toml), Some(conf)) = (tomls.first(), confs.first()) {
            problems.push(Problem::blocking(
                conf.at.clone(),
                format!(
                    "`configFiles` names {} and {}: Flyway reads TOML or .conf, never both",
                    toml.value, conf.value
                ),
                "name files of one kind",
            ));
            return Found::default();
        }
        let toml = self.usual(service, &[TOML, USER]);
        let conf = self.usual(service, &[CONF]);
        // With nothing there it is TOML's mode, in which an environment can be asked for in vain.
        let with_toml = confs.is_empty() && !(toml.is_empty() && tomls.is_empty() && !conf.is_empty());
        let (usual, unread) = if with_toml { (toml, conf) } else { (conf, toml) };
        for file in unread {
            problems.push(Problem::notice(
                Location::whole(file.as_str()),
                if with_toml {
                    "flyway.conf is not read beside a flyway.toml"
                } else {
                    "it is not read beside .conf files"
                },
                "remove one of the two; Flyway never mixes them",
            ));
        }
        let mut files: Vec<File> = usual.iter().filter_map(|file| self.open(file, None, problems)).collect();
        files.extend(self.named.iter().filter_map(|file| self.open(&file.value, Some(&file.at), problems)));
        if with_toml {
            let files: Vec<_> = files.into_iter().map(|file| (file.text, file.name)).collect();
            let (found, overrides) = read_toml_files(settings, &files, self.chosen, environment);
            problems.extend(found);
            return Found { with_toml, overrides };
        }
        for file in &files {
            problems.extend(read_conf(settings, &file.text, &file.name, environment));
        }
        self.refuse_environment(problems);
        Found::default()
    }

    /// Only TOML has environments.
    fn refuse_environment(&self, problems: &mut Vec<Problem>) {
        // A variable in small letters belongs to TOML, and is not read beside a `.conf`.
        let counts = |name: &&Located<String>| name.value != "default" && &*name.at.file != "flyway_environment";
        let Some(name) = self.chosen.name.filter(|name| !self.chosen.elsewhere && counts(name)) else {
            return;
        };
        problems.push(Problem::blocking(
            name.at.clone(),
            format!("there is no environment `{}`: .conf files have none", name.value),
            "write a flyway.toml with [environments.NAME], or leave `environment` out",
        ));
    }

    /// Files with these names, the one that counts most last.
    fn usual(&self, service: &DiscoveredService, names: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        let mut add = |file: String| {
            if self.root.join(&file).is_file() && !found.contains(&file) {
                found.push(file);
            }
        };
        for folder in &self.before {
            names.iter().for_each(|name| add(folder.join(name).to_string_lossy().into_owned()));
        }
        let base = if service.base.is_empty() { String::new() } else { format!("{}/", service.base) };
        let mut folders = vec![base];
        for file in &service.settings_files {
            let (folder, name) = file.rfind('/').map_or(("", file.as_str()), |at| file.split_at(at + 1));
            if matches!(name, TOML | CONF) && !folders.iter().any(|known| known == folder) {
                folders.push(folder.to_owned());
            }
        }
        for folder in folders {
            names.iter().for_each(|name| add(format!("{folder}{name}")));
        }
        found
    }

    /// Reads a file; whoever named it is told when that cannot be done.
    fn open(&self, file: &str, named_at: Option<&Location>, problems: &mut Vec<Problem>) -> Option<File> {
        match read_settings_file(&self.root.join(file)) {
            Ok(text) => Some(File { name: Arc::from(file), text }),
            Err(error) => {
                let (line, column) = error.line_column();
                let (at, message) = match named_at {
                    Some(at) => (at.clone(), format!("the file of settings {file}: {error}")),
                    None => (Location::new(file, line, column), error.to_string()),
                };
                problems.push(Problem::blocking(at, message, "make it readable, as UTF-8"));
                None
            }
        }
    }
}

fn has_ending(file: &str, ending: &str) -> bool {
    file.len() >= ending.len() && file.as_bytes()[file.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The history's table, and what was said: place, whether it blocks.
    fn read(files: &[(&str, &str)], named: &[&str], environment: Option<&str>) -> (String, Vec<(String, bool)>) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let file = root.path().join(name);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        let service = DiscoveredService {
            name: "s".into(),
            declared: false,
            base: String::new(),
            folders: Vec::new(),
            settings_files: Vec::new(),
        };
        let home = root.path().join("home");
        let name = environment.map(|name| Located::new(name.to_owned(), Location::whole("-environment")));
        let named =
            named.iter().map(|file| Located::new((*file).to_owned(), Location::whole("-configFiles"))).collect();
        let chosen = Chosen { name: name.as_ref(), elsewhere: false };
        let sources = Sources { root: root.path(), before: vec![&home], named, chosen };
        let (mut settings, mut problems) = (Settings::default(), Vec::new());
        let found = sources.read(&service, &mut settings, &|_| None, &mut problems);
        found.overrides.into_iter().for_each(|(key, value)| settings.set(&key, value).unwrap());
        let said = problems.iter().map(|problem| (problem.at.file.to_string(), problem.blocking)).collect();
        (settings.table.value, said)
    }

    const TOMLS: [(&str, &str); 4] = [
        ("home/flyway.toml", "[flyway]\ntable = \"home\"\n"),
        ("flyway.toml", "[flyway]\ntable = \"here\"\n"),
        ("flyway.user.toml", "[flyway]\ntable = \"user\"\n[environments.ci.flyway]\ntable = \"ci\"\n"),
        ("more/x.toml", "[flyway]\ntable = \"more\"\n"),
    ];

    #[test]
    fn later_files_win() {
        assert_eq!(read(&TOMLS[..1], &[], None), ("home".into(), vec![]));
        assert_eq!(read(&TOMLS[..2], &[], None), ("here".into(), vec![]));
        assert_eq!(read(&TOMLS, &[], None), ("user".into(), vec![]));
        assert_eq!(read(&TOMLS, &["more/x.toml"], None), ("more".into(), vec![]));
        assert_eq!(read(&TOMLS, &["more/x.toml"], Some("ci")), ("ci".into(), vec![]));
        assert_eq!(read(&TOMLS[2..3], &[], None), ("user".into(), vec![]), "flyway.user.toml alone");
    }

    #[test]
    fn toml_and_conf_are_never_mixed() {
        let conf = ("flyway.conf", "flyway.table=conf\n");
        let named = ("b.conf", "flyway.table=named\n");
        assert_eq!(read(&[conf, named], &["b.conf"], None), ("named".into(), vec![]));
        assert_eq!(read(&[TOMLS[1], conf], &[], None), ("here".into(), vec![("flyway.conf".into(), false)]));
        assert_eq!(
            read(&[TOMLS[1], conf, named], &["b.conf"], None),
            ("named".into(), vec![("flyway.toml".into(), false)])
        );
        let (_, said) = read(&[TOMLS[3], named], &["b.conf", "more/x.toml"], None);
        assert_eq!(said, [("-configFiles".into(), true)]);
    }

    #[test]
    fn a_file_or_an_environment_that_is_not_there_is_an_error() {
        assert_eq!(read(&[], &["nope.toml"], None).1, [("-configFiles".into(), true)]);
        assert_eq!(read(&TOMLS, &[], Some("nope")).1, [("-environment".into(), true)]);
        assert_eq!(read(&[], &[], Some("nope")).1, [("-environment".into(), true)]);
        let (_, said) = read(&[("flyway.conf", "flyway.table=a\n")], &[], Some("nope"));
        assert_eq!(said, [("-environment".into(), true)]);
    }
}
