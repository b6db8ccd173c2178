//! From a replayed object to the line that made it: its transaction names the file, the file's own SQL the line.

use std::cell::RefCell;
use std::collections::BTreeMap;

use trueup_migrations::migration::Migration;
use trueup_migrations::origin::OriginIndex;
use trueup_model::agreement::Origins;
use trueup_model::finding::ObjectPath;
use trueup_model::location::Location;
use trueup_model::provenance::Provenance;
use trueup_postgres::replay::Applied;

/// The origins of everything that one replay produced.
pub struct Replayed<'a> {
    provenance: &'a Provenance,
    applied: &'a [Applied],
    /// By the replay's script number; `None` for SQL that ran before the migrations.
    migrations: &'a [Option<&'a Migration>],
    /// Files are parsed when something of theirs is first asked for.
    indexes: RefCell<BTreeMap<usize, OriginIndex>>,
}

impl<'a> Replayed<'a> {
    /// Joins what the catalog says with what was replayed.
    pub fn new(provenance: &'a Provenance, applied: &'a [Applied], migrations: &'a [Option<&'a Migration>]) -> Self {
        Self { provenance, applied, migrations, indexes: RefCell::default() }
    }
}

impl Origins for Replayed<'_> {
    fn origin(&self, object: &ObjectPath) -> Option<Location> {
        let transaction = self.provenance.written_by.get(object)?;
        let script = self.applied.iter().find(|applied| applied.xids.contains(transaction))?.script;
        let migration = (*self.migrations.get(script)?)?;
        let mut indexes = self.indexes.borrow_mut();
        let index = indexes.entry(script).or_insert_with(|| OriginIndex::new(migration));
        Some(index.locate(object))
    }
}
