//! From a replayed object to the line that made it: its transaction names the file, the file's own SQL the line.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use trueup_migrations::origin::OriginIndex;
use trueup_model::agreement::Origins;
use trueup_model::finding::ObjectPath;
use trueup_model::location::Location;
use trueup_model::provenance::Provenance;
use trueup_postgres::replay::{Applied, Origin};

use crate::report::provenance::Source;

/// The origins of everything that one service's replays produced.
pub(super) struct Replayed<'a> {
    provenance: &'a Provenance,
    runs: Vec<Run<'a>>,
}

/// One replay: what was applied, and by script where its SQL stands.
struct Run<'a> {
    applied: &'a [Applied],
    origins: &'a [Origin],
    /// Files are parsed when something of theirs is first asked for.
    indexes: RefCell<BTreeMap<usize, Vec<OriginIndex<'a>>>>,
}

impl<'a> Replayed<'a> {
    /// Joins what the catalog says with what was replayed, on one database.
    pub(super) fn new(provenance: &'a Provenance, runs: impl Iterator<Item = (&'a [Applied], &'a [Origin])>) -> Self {
        let runs = runs.map(|(applied, origins)| Run { applied, origins, indexes: RefCell::default() });
        Self { provenance, runs: runs.collect() }
    }
}

impl Replayed<'_> {
    /// The script that wrote the object last, and the line in it.
    pub(super) fn source(&self, object: &ObjectPath) -> Option<Source> {
        let transaction = self.provenance.written_by.get(object)?;
        self.runs.iter().find_map(|run| {
            // Scripts ran one after the other, so their transactions are in order.
            let after = run.applied.partition_point(|applied| applied.xids.end <= *transaction);
            let script = run.applied.get(after).filter(|applied| applied.xids.contains(transaction))?.script;
            let file = Arc::clone(run.origins.get(script)?.file());
            Some(Source { script: file, at: run.locate(script, object)? })
        })
    }
}

impl Origins for Replayed<'_> {
    fn origin(&self, object: &ObjectPath) -> Option<Location> {
        self.source(object).map(|source| source.at)
    }
}

impl Run<'_> {
    fn locate(&self, script: usize, object: &ObjectPath) -> Option<Location> {
        let origin = self.origins.get(script)?;
        let mut indexes = self.indexes.borrow_mut();
        let files = indexes.entry(script).or_insert_with(|| origin.sql().map(OriginIndex::new).collect());
        let found = files.iter().find_map(|file| file.find(object));
        found.or_else(|| files.first().map(|file| file.locate(object)))
    }
}
