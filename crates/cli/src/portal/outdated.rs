//! Whether a report still speaks of what is there: it may be of yesterday, or of another branch.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use trueup_intent::Reading;
use trueup_portal::input::{ServiceVerdict, Status};
use trueup_portal::truth::{Live, Merged, Migration};

use super::report::Read;
use crate::check::digest::{self, InputDigest};
use crate::check::inputs::{self, ServiceInput};
use crate::settings::Settings;

/// What is there now, beside which a report is held.
pub(super) struct Present {
    digests: BTreeMap<String, InputDigest>,
    /// Checksums of migrations, by file; none for what only a run can tell.
    checksums: HashMap<Arc<str>, Option<i32>>,
    /// What could not be read.
    notes: Vec<String>,
}

impl Present {
    /// Reads the migrations of the services, as a check would.
    pub(super) fn read(root: &Path, settings: &Settings, reading: &Reading) -> Self {
        let mut errors = Vec::new();
        let services = inputs::services(root, settings, reading, &mut errors);
        // They would fail a check. The pages can be made: what is not read has another hash, and is unknown.
        let notes = errors.iter().map(|error| format!("the migrations cannot all be read: {}", error.message));
        Self {
            digests: digest::of_all(&services, |_| true),
            checksums: services.iter().flat_map(checksums).collect(),
            notes: notes.collect(),
        }
    }

    /// Marks what the report says of services and migrations that are different by now; returns what to say about it.
    pub(super) fn judge(self, read: &mut Read) -> Vec<String> {
        let mut changed = Vec::new();
        for (name, verdict) in read.report.services.iter_mut().filter(|(_, verdict)| verdict.status == Status::Checked)
        {
            verdict.outdated = why(read.inputs.get(name), self.digests.get(name));
            if verdict.outdated.is_some() {
                changed.push(name.as_str());
                self.doubt_migrations(verdict);
            }
        }
        let mut notes = self.notes;
        notes.extend(summary(&changed, read.inputs.is_empty()));
        notes
    }

    /// A migration with another text is neither merged nor live as it stands here.
    fn doubt_migrations(&self, verdict: &mut ServiceVerdict) {
        let is_other = |one: &&mut Migration| self.checksums.get(one.file.as_str()) != Some(&one.checksum);
        let migrations = verdict.provenance.iter_mut().flat_map(|known| &mut known.migrations);
        for migration in migrations.filter(is_other) {
            migration.merged = Merged::Unknown;
            let recorded = migration.live.iter_mut().filter(|live| **live != Live::NotRecorded);
            recorded.for_each(|live| *live = Live::Unknown("changed since the check".to_owned()));
        }
    }
}

fn checksums(service: &Arc<ServiceInput>) -> Vec<(Arc<str>, Option<i32>)> {
    let set = &service.migrations;
    set.in_order().chain(&set.baselines).map(|one| (one.path.clone(), one.checksum)).collect()
}

/// Why a verdict does not count any more.
fn why(then: Option<&InputDigest>, now: Option<&InputDigest>) -> Option<String> {
    let Some(then) = then else {
        return Some("the report does not say what it compared; an earlier trueup made it".to_owned());
    };
    let Some(now) = now else { return Some("not all of its files can be read now".to_owned()) };
    let what = match (then.declared != now.declared, then.migrations != now.migrations) {
        (false, false) => return None,
        (true, false) => "the YAML",
        (false, true) => "its migrations",
        (true, true) => "the YAML and its migrations",
    };
    Some(format!("{what} changed since the check"))
}

/// How many services are named.
const NAMED: usize = 5;

fn summary(changed: &[&str], says_nothing: bool) -> Option<String> {
    let [first, ..] = changed else { return None };
    let what = "run `trueup check --format json` again";
    if says_nothing {
        return Some(format!("the report is of an earlier trueup and does not say what it compared; {what}"));
    }
    let named = changed[..changed.len().min(NAMED)].join(", ");
    let more = changed.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(match changed.len() {
        1 => format!("`{first}` changed since the check, and counts as unknown; {what}"),
        all => format!("{all} services changed since the check, and count as unknown: {named}{more}; {what}"),
    })
}
