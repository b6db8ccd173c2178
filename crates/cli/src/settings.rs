//! `trueup.toml`: found by walking up, read with every mistake reported at once, all of it optional.
//!
//! Command line flags outrank environment variables, which outrank this file; [`CheckSettings::or`] is that order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use trueup_model::finding::Severity;
use trueup_model::location::{Located, Location};
use trueup_model::rule::Rule;
use trueup_model::secret::Secret;

use crate::args::ErdEngine;
use crate::report::InputError;

mod apply;
mod lower;
mod reader;

pub use apply::Applied;

/// The file's name.
pub const FILE_NAME: &str = "trueup.toml";

/// A settings file larger than this, in bytes, is refused.
const LARGEST: u64 = 4 << 20;

/// What the file says. Paths and globs are relative to its folder, the project root.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `intent`: the YAML files, as paths or globs; empty when the usual layout is to be discovered.
    pub intent: Vec<Located<String>>,
    /// `baseline`: the baseline file.
    pub baseline: Option<Located<String>>,
    /// `[check]`.
    pub check: CheckSettings,
    /// `[replay] before`: SQL files to run first, for every service.
    pub before: Vec<Located<String>>,
    /// `[rules]`.
    pub rules: BTreeMap<Rule, Level>,
    /// `[[ignore]]`.
    pub ignore: Vec<Ignore>,
    /// `[portal]`.
    pub portal: PortalSettings,
    /// `[services.NAME]`.
    pub services: BTreeMap<String, ServiceSettings>,
}

/// `[check]`, or the flags and environment variables that outrank it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckSettings {
    /// The PostgreSQL major to check with.
    pub postgres: Option<u16>,
    /// The folder of the PostgreSQL programs.
    pub pg_bin: Option<PathBuf>,
    /// A server to make scratch databases on.
    pub scratch_url: Option<Secret>,
    /// How long the whole run may take.
    pub deadline: Option<Duration>,
    /// How many services replay at a time.
    pub jobs: Option<usize>,
    /// Whether answers may come from the cache.
    pub cache: Option<bool>,
}

/// `[portal]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PortalSettings {
    /// `environments`: `NAME=PATH`, in the order in which changes move.
    pub environments: Vec<Located<String>>,
    /// `main`: the branch that counts as merged.
    pub main: Option<Located<String>>,
    /// `source`: where lines of the files can be looked at.
    pub source: Option<Located<String>>,
    /// `source_ref`: the branch or commit of those lines.
    pub source_ref: Option<Located<String>>,
    /// `title`: what the pages are called.
    pub title: Option<Located<String>>,
    /// `erd`: who draws the diagrams.
    pub erd: Option<ErdEngine>,
    /// `plantuml`: the jar or command.
    pub plantuml: Option<Located<String>>,
}

impl CheckSettings {
    /// These settings, and where they are silent, `other`.
    pub fn or(self, other: Self) -> Self {
        Self {
            postgres: self.postgres.or(other.postgres),
            pg_bin: self.pg_bin.or(other.pg_bin),
            scratch_url: self.scratch_url.or(other.scratch_url),
            deadline: self.deadline.or(other.deadline),
            jobs: self.jobs.or(other.jobs),
            cache: self.cache.or(other.cache),
        }
    }
}

/// `[services.NAME]`.
#[derive(Clone, Debug, Default)]
pub struct ServiceSettings {
    /// Where the service's name stands.
    pub at: Option<Location>,
    /// The folders of its migrations, as paths or globs; empty when they are to be discovered.
    pub migrations: Vec<Located<String>>,
    /// SQL files to run first, after the global ones.
    pub before: Vec<Located<String>>,
    /// Overrides of `[rules]`.
    pub rules: BTreeMap<Rule, Level>,
    /// Further ignores, for this service only.
    pub ignore: Vec<Ignore>,
}

/// What `[rules]` says of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Its findings do not count; how many there were is still said.
    Off,
    /// Its findings have this severity.
    Severity(Severity),
}

/// One `[[ignore]]`: findings that match every pattern given are accepted.
///
/// In a pattern `*` stands for any characters, dots included, and `?` for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// Where the entry starts.
    pub at: Location,
    /// Over the rule's name.
    pub rule: Option<String>,
    /// Over the service's name.
    pub service: Option<String>,
    /// Over `schema.table.member`.
    pub object: Option<String>,
    /// Why; never blank.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Option<Date>,
}

/// The nearest `trueup.toml` at or above `start`.
pub fn find(start: &Path) -> Option<PathBuf> {
    start.ancestors().map(|folder| folder.join(FILE_NAME)).find(|file| file.is_file())
}

/// Reads a settings file; all of its mistakes, or none.
pub fn load(path: &Path) -> Result<Settings, Vec<InputError>> {
    let name = path.file_name().map_or_else(|| FILE_NAME.into(), |name| name.to_string_lossy().into_owned());
    let broken = |message: String, help: &str| vec![InputError::at(Location::whole(name.clone()), message, help)];
    let size = std::fs::metadata(path).map_err(|error| broken(format!("cannot be read: {error}"), ""))?.len();
    if size > LARGEST {
        return Err(broken(format!("is {size} bytes long; {LARGEST} are the most"), "is this the right file?"));
    }
    let bytes = std::fs::read(path).map_err(|error| broken(format!("cannot be read: {error}"), ""))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        broken(format!("is not UTF-8 from byte {} on", at + 1), "save it as UTF-8")
    })?;
    parse(&name, &text)
}

/// Reads the text of a settings file; `name` is what locations call it.
pub fn parse(name: &str, text: &str) -> Result<Settings, Vec<InputError>> {
    lower::settings(name, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_outrank_the_file() {
        let flags = CheckSettings { jobs: Some(2), ..CheckSettings::default() };
        let file = CheckSettings { jobs: Some(8), cache: Some(false), ..CheckSettings::default() };
        let settings = flags.or(file);
        assert_eq!((settings.jobs, settings.cache), (Some(2), Some(false)));
    }

    #[test]
    fn the_example_in_the_documentation_is_understood() {
        let page = include_str!("../../../docs/reference/settings.md");
        let example = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let settings = parse(FILE_NAME, example).unwrap();
        assert_eq!((settings.ignore.len(), settings.services.len(), settings.check.jobs), (1, 1, Some(2)));
        let keys = [
            "intent",
            "baseline",
            "postgres",
            "pg_bin",
            "scratch_url",
            "deadline",
            "jobs",
            "cache",
            "before",
            "expires",
            "environments",
            "main",
            "source",
            "source_ref",
            "title",
            "erd",
            "plantuml",
        ];
        keys.iter().for_each(|key| assert!(example.contains(key), "{key} is not documented"));
    }

    #[test]
    fn the_nearest_file_above_is_found() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join("a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(root.path().join(FILE_NAME), "intent = 'x.yaml'").unwrap();
        assert_eq!(find(&deep), Some(root.path().join(FILE_NAME)));
        std::fs::write(root.path().join("a").join(FILE_NAME), "").unwrap();
        assert_eq!(find(&deep), Some(root.path().join("a").join(FILE_NAME)));
        assert_eq!(load(&root.path().join(FILE_NAME)).unwrap().intent[0].value, "x.yaml");
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join(FILE_NAME);
        std::fs::write(&file, b"a = '\xff'").unwrap();
        assert!(load(&file).unwrap_err()[0].message.contains("not UTF-8 from byte 6"));
        assert!(load(&root.path().join("none.toml")).unwrap_err()[0].message.starts_with("cannot be read"));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let settings = parse(FILE_NAME, "[check]\nscratch_url = 'postgres://u:hunter2@h/'").unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(settings.check.scratch_url.unwrap().expose(), "postgres://u:hunter2@h/");
    }
}
