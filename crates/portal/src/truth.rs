//! What is known beyond the intent: the migrations, what each of them made, and where each is applied.
//!
//! Values only; whoever read the report, git and the records of the environments has put them together.

use std::collections::{BTreeMap, HashMap};

use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::location::Location;

/// The migrations of a service, and what each of them made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// In the order of a fresh database.
    pub migrations: Vec<Migration>,
    made: HashMap<(ObjectKind, String, String), Vec<(String, Made)>>,
}

/// A migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The version; none for a repeatable one.
    pub version: Option<String>,
    /// The description.
    pub description: String,
    /// Its name in the history.
    pub script: String,
    /// Whether it runs once, whenever it changes, or instead of what is below it.
    pub kind: MigrationKind,
    /// The file, relative to the project root.
    pub file: String,
    /// What the history keeps, when the file alone tells.
    pub checksum: Option<i32>,
    /// Whether its present text is on the main branch.
    pub merged: Merged,
    /// Where it is applied: one for each environment, in their order.
    pub live: Vec<Live>,
}

/// What kind of migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationKind {
    /// Once.
    Versioned,
    /// Whenever it changes.
    Repeatable,
    /// Instead of all up to its version.
    Baseline,
}

/// Where a declared object comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Position in [`Provenance::migrations`] of the one that made it, or last altered it.
    pub migration: Option<usize>,
    /// The line.
    pub at: Option<Location>,
    /// Its name in the database, when that is not the declared one.
    pub other_name: Option<String>,
}

/// Whether a file is on the main branch as it stands here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Merged {
    /// Nobody could tell.
    #[default]
    Unknown,
    /// Not there, or there with another text.
    No,
    /// There, since this commit where that is known.
    Yes(Option<Commit>),
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its full name.
    pub id: String,
    /// Its day, `2026-11-25`.
    pub day: String,
}

/// What the record of one environment says of one migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Live {
    /// There is no record of the service there.
    #[default]
    NotRecorded,
    /// The record does not prove either: why, in a few words.
    Unknown(String),
    /// Not applied.
    Pending,
    /// Applied as it stands here, at this time.
    Since(String),
}

/// An environment; the list of them is in the order in which changes move.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// When each service's database was asked, as its record says.
    pub as_of: BTreeMap<String, String>,
}

impl Provenance {
    /// The migrations, and nothing made yet.
    pub fn of(migrations: Vec<Migration>) -> Self {
        Self { migrations, made: HashMap::new() }
    }

    /// Notes where a declared table, column or index comes from.
    pub fn add(&mut self, object: &ObjectPath, made: Made) {
        let [schema, table, rest @ ..] = object.path.as_slice() else { return };
        let member = rest.first().map_or("", |member| member.as_str());
        let key = (object.kind, table.as_str().to_owned(), member.to_owned());
        self.made.entry(key).or_default().push((schema.as_str().to_owned(), made));
    }

    /// Where an object comes from. Without a schema the name has to be the only one.
    pub(crate) fn made(&self, kind: ObjectKind, schema: Option<&str>, table: &str, member: &str) -> Option<&Made> {
        let found = self.made.get(&(kind, table.to_owned(), member.to_owned()))?;
        match (schema, found.as_slice()) {
            (None, [(_, only)]) => Some(only),
            (None, _) => None,
            (Some(schema), all) => all.iter().find(|(own, _)| own == schema).map(|(_, made)| made),
        }
    }

    /// How many tables, columns and indexes a migration made or last altered.
    pub(crate) fn counts(&self) -> Vec<[usize; 3]> {
        let mut counts = vec![[0; 3]; self.migrations.len()];
        for ((kind, ..), all) in &self.made {
            let place = match kind {
                ObjectKind::Table => 0,
                ObjectKind::Column => 1,
                _ => 2,
            };
            for number in all.iter().filter_map(|(_, made)| made.migration) {
                if let Some(count) = counts.get_mut(number) {
                    count[place] += 1;
                }
            }
        }
        counts
    }
}

impl Migration {
    /// `V2`, `R` or `B3`: short enough for a table.
    pub(crate) fn label(&self) -> String {
        let letter = match self.kind {
            MigrationKind::Versioned => 'V',
            MigrationKind::Repeatable => 'R',
            MigrationKind::Baseline => 'B',
        };
        format!("{letter}{}", self.version.as_deref().unwrap_or_default())
    }

    /// Whether it is merged, and live in every one of these environments, of which there has to be one.
    pub(crate) fn is_everywhere(&self, environments: usize) -> bool {
        environments > 0
            && self.live.len() == environments
            && self.live.iter().all(|live| matches!(live, Live::Since(_)))
            && matches!(self.merged, Merged::Yes(_))
    }
}
