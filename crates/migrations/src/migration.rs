//! A migration, and the set of them that a service has.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use trueup_model::finding::Finding;
use trueup_model::location::Location;

use crate::checksum;
use crate::large::{Parts, Places};
use crate::lines::LineIndex;
use crate::placeholders::{PlaceholderError, Placeholders, Replaced};
use crate::settings::ScriptConfig;
use crate::source::{Source, SourceError};
use crate::version::Version;

/// What kind of script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationKind {
    /// `V`: once.
    Versioned,
    /// `R`: whenever its checksum changes.
    Repeatable,
    /// `B`: instead of all versioned ones up to its version, on an empty history.
    Baseline,
    /// `U`: takes a version back, when somebody asks for it.
    Undo,
    /// A callback, with its event.
    Callback(&'static str),
}

/// A SQL script of a service.
#[derive(Clone, Debug)]
pub struct Migration {
    /// What kind.
    pub kind: MigrationKind,
    /// The version, for versioned, baseline and undo ones.
    pub version: Option<Version>,
    /// The description, blanks for `_`.
    pub description: String,
    /// Path relative to its location, with `/`: what the history keeps.
    pub script: String,
    /// Path relative to the project root, with `/`: what people are shown.
    pub path: Arc<str>,
    /// The checksum that the history keeps. `None` when it depends on values that only a run has (a repeatable one
    /// with `${flyway:timestamp}`), or on a placeholder without a value: then see [`Migration::checksum_with`].
    pub checksum: Option<i32>,
    /// What `<script>.conf` says.
    pub config: ScriptConfig,
    /// Whether placeholders are replaced in it.
    pub replaces_placeholders: bool,
    /// The file.
    pub source: Source,
}

/// Why the SQL of a script cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Placeholders without a value, each with its place.
    #[error("{}", .0.first().map_or("a placeholder has no value", |(_, error)| error.message.as_str()))]
    Placeholders(Vec<(Location, PlaceholderError)>),
    /// A part of it cannot be taken apart.
    #[error("{message}")]
    Split {
        /// Where the trouble begins.
        at: Location,
        /// What is wrong, and what to do.
        message: String,
    },
}

impl ScriptError {
    /// The place of what is wrong, when it is known more exactly than by its file.
    pub fn at(&self) -> Option<&Location> {
        match self {
            Self::Placeholders(errors) => errors.first().map(|(at, _)| at),
            Self::Split { at, .. } => Some(at),
            Self::Source(_) => None,
        }
    }
}

impl Migration {
    /// The decoded text as its author wrote it, byte-order mark removed.
    ///
    /// # Errors
    /// A large file cannot be read again, or changed.
    pub fn text(&self) -> Result<Cow<'_, str>, SourceError> {
        self.source.text()
    }

    /// The checksum of the text as it stands, placeholders and all.
    pub fn raw_checksum(&self) -> i32 {
        self.source.checksum()
    }

    /// The checksum that the history keeps, given all values of a run: for repeatable scripts that of the replaced
    /// text, else that of the text as it stands.
    ///
    /// # Errors
    /// As [`Migration::script_with`].
    pub fn checksum_with(&self, placeholders: &Placeholders) -> Result<i32, ScriptError> {
        if self.kind != MigrationKind::Repeatable || !self.replaces_placeholders {
            return Ok(self.raw_checksum());
        }
        if !self.source.is_held() {
            return Parts::of(self, placeholders)?.checksum();
        }
        Ok(checksum::of_text(&self.script_with(placeholders)?.sql.text))
    }

    /// The placeholders that are replaced in it, with its own name among them; none when they are taken as they are.
    pub(crate) fn own_placeholders(&self, placeholders: &Placeholders) -> Option<Placeholders> {
        let mut own = self.replaces_placeholders.then(|| placeholders.clone())?;
        own.set_built_in("filename", self.script.rsplit('/').next().unwrap_or(&self.script));
        Some(own)
    }

    /// The SQL to run, with the way back to the file.
    ///
    /// # Errors
    /// The file cannot be read, or placeholders have no value.
    pub fn script_with(&self, placeholders: &Placeholders) -> Result<Script, ScriptError> {
        let text = self.text()?;
        let lines = LineIndex::new(&text);
        let replaced = match self.own_placeholders(placeholders) {
            Some(own) => own.replace(&text),
            None => Ok(Replaced::unchanged(text.clone().into_owned())),
        };
        match replaced {
            Ok(sql) => Ok(Script { file: Arc::clone(&self.path), sql, back: Back::File { lines, text: text.into() } }),
            Err(errors) => {
                let at = |error: &PlaceholderError| lines.locate(&text, &self.path, error.offset);
                Err(ScriptError::Placeholders(errors.into_iter().map(|error| (at(&error), error)).collect()))
            }
        }
    }
}

/// The SQL of a migration, ready to be cut and run.
#[derive(Clone, Debug)]
pub struct Script {
    /// The file, relative to the project root.
    pub file: Arc<str>,
    /// The SQL with placeholders replaced, and the way back.
    pub sql: Replaced,
    back: Back,
}

/// The way from the SQL back to the file.
#[derive(Clone, Debug)]
enum Back {
    /// The whole file is there.
    File { text: Arc<str>, lines: LineIndex },
    /// Only the places are, of a part of it.
    Part(Places),
}

impl Script {
    /// A script that is not in a file of its own: placeholders are taken as they are.
    pub fn of_text(file: impl Into<Arc<str>>, text: &str) -> Self {
        Self {
            file: file.into(),
            sql: Replaced::unchanged(text.to_owned()),
            back: Back::File { text: text.into(), lines: LineIndex::new(text) },
        }
    }

    /// A part of a file, its placeholders replaced.
    pub(crate) fn part(file: Arc<str>, sql: String, places: Places) -> Self {
        Self { file, sql: Replaced::unchanged(sql), back: Back::Part(places) }
    }

    /// The place in the author's file of a byte of the SQL.
    pub fn locate(&self, offset: usize) -> Location {
        match &self.back {
            Back::File { text, lines } => lines.locate(text, &self.file, self.sql.map.source(offset)),
            Back::Part(places) => places.at(&self.sql.text, offset).in_file(&self.file),
        }
    }
}

/// All scripts of a service, in the order Flyway takes them.
#[derive(Clone, Debug, Default)]
pub struct MigrationSet {
    /// By version, ascending. Two of one version both stand here, and in a finding.
    pub versioned: Vec<Migration>,
    /// By description, in the order of UTF-16 code units.
    pub repeatables: Vec<Migration>,
    /// By version, ascending.
    pub baselines: Vec<Migration>,
    /// By version, ascending.
    pub undos: Vec<Migration>,
    /// By event, then description; those without one first.
    pub callbacks: BTreeMap<&'static str, Vec<Migration>>,
    /// What is wrong. While one of them is an error, what the service's migrations do is not known.
    pub findings: Vec<Finding>,
}

impl MigrationSet {
    /// Versioned ones, then repeatable ones: a fresh database's order, callbacks and baselines aside.
    pub fn in_order(&self) -> impl Iterator<Item = &Migration> {
        self.versioned.iter().chain(&self.repeatables)
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.versioned.is_empty() && self.repeatables.is_empty() && self.baselines.is_empty()
    }

    /// The callbacks of an event, in order.
    pub fn callbacks_of(&self, event: &str) -> &[Migration] {
        self.callbacks.get(event).map_or(&[], Vec::as_slice)
    }
}
