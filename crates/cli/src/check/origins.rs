//! From a replayed object to the line that made it: its transaction names the file, the file's own SQL the line.

use std::cell::RefCell;
use std::collections::BTreeMap;

use trueup_migrations::origin::OriginIndex;
use trueup_model::agreement::Origins;
use trueup_model::finding::ObjectPath;
use trueup_model::location::Location;
use trueup_model::provenance::Provenance;
use trueup_postgres::replay::{Applied, Origin};

/// The origins of everything that one replay produced.
pub(super) struct Replayed<'a> {
    provenance: &'a Provenance,
    applied: &'a [Applied],
    /// By script.
    origins: &'a [Origin],
    /// Files are parsed when something of theirs is first asked for.
    indexes: RefCell<BTreeMap<usize, Vec<OriginIndex<'a>>>>,
}

impl<'a> Replayed<'a> {
    /// Joins what the catalog says with what was replayed.
    pub(super) fn new(provenance: &'a Provenance, applied: &'a [Applied], origins: &'a [Origin]) -> Self {
        Self { provenance, applied, origins, indexes: RefCell::default() }
    }
}

impl Origins for Replayed<'_> {
    fn origin(&self, object: &ObjectPath) -> Option<Location> {
        let transaction = self.provenance.written_by.get(object)?;
        let script = self.applied.iter().find(|applied| applied.xids.contains(transaction))?.script;
        let origin = self.origins.get(script)?;
        let mut indexes = self.indexes.borrow_mut();
        let files = indexes.entry(script).or_insert_with(|| origin.sql().map(OriginIndex::new).collect());
        let found = files.iter().find_map(|file| file.find(object));
        found.or_else(|| files.first().map(|file| file.locate(object)))
    }
}
