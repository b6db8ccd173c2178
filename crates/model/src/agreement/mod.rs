//! Whether the intent and the migrations agree: one pure comparison.
//!
//! [`pair`] decides which declared object corresponds to which replayed one, by name and declared renames only.
//! [`compare`] then speaks about each pair, and about what has no partner. It reads nothing but values: the declared
//! service with its places, the same service lowered by PostgreSQL, what the migrations produced, and where each of
//! those objects came from.

mod columns;
mod defaults;
mod indexes;
mod keys;
mod likely;
mod logical;
mod pairing;
mod refusals;
mod tables;
mod uniqueness;

pub use defaults::questions;
pub use logical::{KeyTypes, logical_references};
pub use pairing::{ColumnPair, Pairing, SchemaPair, TablePair, pair};

use crate::canonical::Canonical;
use crate::declared::DeclaredService;
use crate::finding::{Finding, ObjectKind, ObjectPath};
use crate::location::Location;
use crate::lowered::{Evaluated, Lowered};
use crate::name::{Identifier, QualifiedName};

/// Where the migrations made, or last altered, an object (by its name on the replayed side).
pub trait Origins {
    /// The file and line, when known.
    fn origin(&self, object: &ObjectPath) -> Option<Location>;
}

/// Everything one service's comparison reads.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// What the YAML says, with places.
    pub service: &'a DeclaredService,
    /// The same, as PostgreSQL reads it.
    pub lowered: &'a Lowered,
    /// What the migrations produce.
    pub replayed: &'a Canonical,
    /// Which object corresponds to which.
    pub pairing: &'a Pairing,
    /// Constants that PostgreSQL evaluated.
    pub evaluated: &'a Evaluated,
    /// Where replayed objects come from.
    pub origins: &'a dyn Origins,
}

/// How much was compared, so that a report can say what its findings are out of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Compared {
    /// Declared tables.
    pub tables: usize,
    /// Declared columns.
    pub columns: usize,
    /// Declared indexes.
    pub indexes: usize,
}

/// What comes of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// In the order of the YAML, undeclared objects after declared ones.
    pub findings: Vec<Finding>,
    /// Declared tables, columns and indexes that the migrations produce, in the order of the YAML.
    pub produced: Vec<Produced>,
}

/// A declared object that the migrations produce, whether or not the two are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Produced {
    /// Its name in the YAML.
    pub declared: ObjectPath,
    /// What the migrations produce for it: another name where a rename is owed, a constraint where one serves as the
    /// declared index.
    pub replayed: ObjectPath,
}

/// Compares one service.
pub fn compare(sides: Sides<'_>) -> Comparison {
    let mut comparison = Comparison::default();
    tables::schema(&sides, &mut comparison.findings);
    for pair in &sides.pairing.tables {
        tables::declared(&sides, pair, &mut comparison);
    }
    tables::undeclared(&sides, &mut comparison.findings);
    comparison
}

/// Counts what the YAML declares.
pub fn compared(service: &DeclaredService) -> Compared {
    let details = || service.tables.iter().filter_map(|table| table.details.as_ref());
    Compared {
        tables: service.tables.len(),
        columns: details().map(|table| table.columns.len()).sum(),
        indexes: details().map(|table| table.indexes.len()).sum(),
    }
}

impl Sides<'_> {
    /// The name of the service, as reports show it.
    fn name(&self) -> &str {
        &self.service.name.value
    }

    /// Where a replayed table was made or last altered.
    fn table_origin(&self, table: &QualifiedName) -> Option<Location> {
        self.origins.origin(&ObjectPath::table(table))
    }

    /// Where a member of a replayed table comes from; its table's place when the member's is not known.
    fn member_origin(&self, kind: ObjectKind, table: &QualifiedName, member: &Identifier) -> Option<Location> {
        self.origins.origin(&ObjectPath::member(kind, table, member)).or_else(|| self.table_origin(table))
    }
}

#[cfg(test)]
mod tests;
