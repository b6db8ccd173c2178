//! What `repair` does to a history, in Flyway's order: failed rows go, rows without a file are declared to be gone, and
//! the others are made to say what their files say.

use super::pattern::{IgnorePattern, ignores};
use super::reconcile::{Entry, Policy, Resolved, reconcile};
use super::row::{AppliedKind, AppliedMigration, NewRow};
use super::state::State;
use super::target::{Target, TargetError};
use crate::version::Version;

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repair {
    /// Rows that say that they failed: to be removed.
    pub removed: Vec<AppliedMigration>,
    /// Rows that no file stands behind: each gets a row of the type DELETE.
    pub deleted: Vec<AppliedMigration>,
    /// Rows that differ from their files, and what they are to say.
    pub aligned: Vec<(AppliedMigration, NewRow)>,
}

impl Repair {
    /// Whether the history is in order already.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.deleted.is_empty() && self.aligned.is_empty()
    }
}

/// Works out what a history needs. Rows that `ignore` passes over as missing or future stay as they are.
///
/// # Errors
/// None with the target this uses; the type is that of [`reconcile`].
pub fn repair(
    resolved: &[Resolved<'_>],
    rows: &[AppliedMigration],
    ignore: &[IgnorePattern],
) -> Result<Repair, TargetError> {
    let (kept, removed): (Vec<_>, Vec<_>) = rows.iter().cloned().partition(|row| row.success);
    let policy = Policy { target: Target::Latest, ..Policy::default() };
    let found = reconcile(resolved, &kept, &policy)?;
    let deleted = found.entries.iter().filter(|entry| is_gone(entry, ignore)).filter_map(|entry| entry.applied);
    let aligned = found.entries.iter().filter_map(aligned);
    Ok(Repair { deleted: deleted.cloned().collect(), aligned: aligned.collect(), removed })
}

fn is_gone(entry: &Entry<'_>, ignore: &[IgnorePattern]) -> bool {
    let gone = matches!(entry.state, State::MissingSuccess | State::FutureSuccess);
    let versioned = entry.version().is_some();
    gone && !entry.kind().is_synthetic() && !ignores(ignore, versioned, entry.state)
}

/// A versioned row follows its file in everything; of a repeatable one only a checksum of the text before its
/// placeholders were replaced is replaced, as any other difference makes it run again.
fn aligned(entry: &Entry<'_>) -> Option<(AppliedMigration, NewRow)> {
    let (file, row) = entry.resolved.zip(entry.applied)?;
    if matches!(entry.state, State::Ignored | State::Undone) {
        return None;
    }
    let now = file.row();
    let differs = match &row.version {
        Some(_) => row.checksum != now.checksum || row.description != now.description || row.kind != now.kind,
        None => row.checksum != now.checksum && file.matches(row.checksum),
    };
    differs.then(|| (row.clone(), now))
}

impl NewRow {
    /// The row that declares an earlier one to be gone.
    pub fn delete(row: &AppliedMigration) -> Self {
        let version = row.version.as_ref().map(Version::text);
        Self::new(version, &row.description, AppliedKind::Delete, &row.script, row.checksum)
    }
}
