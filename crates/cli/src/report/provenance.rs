//! Which migration made what: as the JSON report says it, and as the cache keeps it.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trueup_migrations::migration::{Migration, MigrationKind, MigrationSet};
use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::location::Location;
use trueup_model::name::Identifier;

/// The migrations of one service, and where each declared object comes from that they produce.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// In the order of a fresh database: baselines, versioned, repeatable.
    pub migrations: Vec<MigrationFile>,
    /// In the order of the YAML. What is declared and not here is not produced.
    pub objects: Vec<ProducedObject>,
}

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MigrationFile {
    /// The version; none for repeatable ones.
    pub version: Option<String>,
    /// The description, blanks for `_`.
    pub description: String,
    /// Its name in the history.
    pub script: String,
    /// What kind.
    pub kind: Kind,
    /// The file, relative to the project root.
    pub file: String,
    /// What the history keeps; none when it depends on values that only a run has.
    pub checksum: Option<i32>,
}

/// What kind of migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// `V`.
    Versioned,
    /// `R`.
    Repeatable,
    /// `B`.
    Baseline,
}

/// One declared object that the migrations produce.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProducedObject {
    /// What is declared.
    pub kind: ObjectKind,
    /// Its declared name.
    pub path: Vec<Identifier>,
    /// What the migrations produce for it, when that has another name or is of another kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed: Option<ObjectPath>,
    /// Position in [`Provenance::migrations`] of the one that made it, or last altered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub migration: Option<usize>,
    /// The file of the line, when it is not the migration's own: a callback, or SQL that ran first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

/// Where the replay says that an object comes from.
pub struct Source {
    /// The file of the script that ran.
    pub script: std::sync::Arc<str>,
    /// The line.
    pub at: Location,
}

impl Provenance {
    /// The migrations of a set, and nothing produced yet.
    pub fn of(set: &MigrationSet) -> Self {
        let files = set.baselines.iter().chain(set.in_order()).filter_map(file);
        Self { migrations: files.collect(), objects: Vec::new() }
    }

    /// Adds declared objects, each with what was produced for it and where that comes from.
    pub fn add(&mut self, objects: impl Iterator<Item = (ObjectPath, ObjectPath, Option<Source>)>) {
        let numbers: HashMap<&str, usize> =
            self.migrations.iter().enumerate().map(|(number, one)| (one.file.as_str(), number)).collect();
        let objects = objects.map(|(declared, replayed, source)| {
            let migration = source.as_ref().and_then(|source| numbers.get(source.script.as_ref()).copied());
            let at = source.map(|source| source.at);
            let own = migration.map(|number| self.migrations[number].file.as_str());
            let other = at.as_ref().map(|at| at.file.as_ref()).filter(|file| Some(*file) != own);
            ProducedObject {
                replayed: (replayed != declared).then_some(replayed),
                kind: declared.kind,
                path: declared.path,
                migration,
                file: other.map(str::to_owned),
                line: at.as_ref().map(|at| at.line),
                column: at.as_ref().map(|at| at.column),
            }
        });
        self.objects = objects.collect();
    }

    /// As JSON on one line. Nobody reads it before it is printed, so the cache and the report carry it as text.
    ///
    /// # Errors
    /// None that is known of: everything in it can be JSON.
    pub fn to_raw(&self) -> serde_json::Result<Box<RawValue>> {
        serde_json::value::to_raw_value(self)
    }
}

fn file(migration: &Migration) -> Option<MigrationFile> {
    let kind = match migration.kind {
        MigrationKind::Versioned => Kind::Versioned,
        MigrationKind::Repeatable => Kind::Repeatable,
        MigrationKind::Baseline => Kind::Baseline,
        MigrationKind::Callback(_) | MigrationKind::Undo => return None,
    };
    Some(MigrationFile {
        version: migration.version.as_ref().map(|version| version.text().to_owned()),
        description: migration.description.clone(),
        script: migration.script.clone(),
        kind,
        file: migration.path.to_string(),
        checksum: migration.checksum,
    })
}
