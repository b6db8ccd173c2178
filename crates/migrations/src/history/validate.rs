//! Whether a history and its files fit together, in Flyway's order and with its error codes.

use std::fmt::{self, Display};

use crate::version::Version;

use super::pattern::{IgnorePattern, ignores};
use super::reconcile::{Entry, Reconciliation};
use super::row::{AppliedKind, AppliedMigration, abbreviate_description};
use super::state::State;

/// Flyway's codes for what validation finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorCode {
    /// A versioned migration failed outside a transaction.
    FailedVersionedMigration,
    /// A repeatable migration failed outside a transaction.
    FailedRepeatableMigration,
    /// A version was applied and its file is gone.
    AppliedVersionedMigrationNotResolved,
    /// A repeatable was applied and its file is gone.
    AppliedRepeatableMigrationNotResolved,
    /// A versioned file is not applied.
    ResolvedVersionedMigrationNotApplied,
    /// A repeatable file is not applied.
    ResolvedRepeatableMigrationNotApplied,
    /// A repeatable file changed since it ran.
    OutdatedRepeatableMigration,
    /// File and row are of different types.
    TypeMismatch,
    /// The file changed since it was applied.
    ChecksumMismatch,
    /// The description changed since it was applied.
    DescriptionMismatch,
}

impl ErrorCode {
    /// Flyway's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FailedVersionedMigration => "FAILED_VERSIONED_MIGRATION",
            Self::FailedRepeatableMigration => "FAILED_REPEATABLE_MIGRATION",
            Self::AppliedVersionedMigrationNotResolved => "APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED",
            Self::AppliedRepeatableMigrationNotResolved => "APPLIED_REPEATABLE_MIGRATION_NOT_RESOLVED",
            Self::ResolvedVersionedMigrationNotApplied => "RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED",
            Self::ResolvedRepeatableMigrationNotApplied => "RESOLVED_REPEATABLE_MIGRATION_NOT_APPLIED",
            Self::OutdatedRepeatableMigration => "OUTDATED_REPEATABLE_MIGRATION",
            Self::TypeMismatch => "TYPE_MISMATCH",
            Self::ChecksumMismatch => "CHECKSUM_MISMATCH",
            Self::DescriptionMismatch => "DESCRIPTION_MISMATCH",
        }
    }
}

impl Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One migration that does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidationError {
    /// Which of Flyway's codes.
    pub code: ErrorCode,
    /// The version; none for repeatables.
    pub version: Option<String>,
    /// The description.
    pub description: String,
    /// The file relative to the project root; none when there is none.
    pub path: Option<String>,
    /// What is the case, and what to do.
    pub message: String,
}

impl Reconciliation<'_> {
    /// Everything that does not fit, in the order of [`Reconciliation::entries`]; at most one error for each.
    pub fn validate(&self, ignore: &[IgnorePattern]) -> Vec<ValidationError> {
        let judge = Judge { ignore, baseline: self.applied_baseline };
        self.entries.iter().filter_map(|entry| judge.entry(entry)).collect()
    }
}

struct Judge<'a> {
    ignore: &'a [IgnorePattern],
    baseline: Option<&'a Version>,
}

impl Judge<'_> {
    fn entry(&self, entry: &Entry<'_>) -> Option<ValidationError> {
        if matches!(entry.state, State::AboveTarget | State::Deleted | State::Undone) {
            return None;
        }
        let (code, message) = self.state(entry).or_else(|| self.mismatch(entry))?;
        Some(ValidationError {
            code,
            version: entry.version().map(|version| version.text().to_owned()),
            description: entry.description().to_owned(),
            path: entry.resolved.map(|file| file.migration.path.to_string()),
            message,
        })
    }

    /// What is wrong with the state as such.
    fn state(&self, entry: &Entry<'_>) -> Option<(ErrorCode, String)> {
        let version = entry.version();
        let name = version.map_or_else(|| entry.description().to_owned(), ToString::to_string);
        let ignored = ignores(self.ignore, version.is_some(), entry.state);
        let either = |versioned, repeatable| if version.is_some() { versioned } else { repeatable };
        let kind = if version.is_some() { "" } else { "repeatable " };
        match entry.state {
            state if state.is_failed() && !(state.is_future() && ignored) => Some((
                either(ErrorCode::FailedVersionedMigration, ErrorCode::FailedRepeatableMigration),
                format!(
                    "Detected failed {kind}migration: {name}. Please remove any half-completed changes, then run \
                     repair to fix the schema history."
                ),
            )),
            state if !ignored && state != State::Superseded && is_orphan(entry) => Some((
                either(
                    ErrorCode::AppliedVersionedMigrationNotResolved,
                    ErrorCode::AppliedRepeatableMigrationNotResolved,
                ),
                format!(
                    "Detected applied {kind}migration not resolved locally: {name}. If it was removed on purpose, run \
                     repair to mark it as deleted."
                ),
            )),
            // A B file that came too late is nothing to worry about.
            State::Ignored if entry.kind() == AppliedKind::SqlBaseline => None,
            State::Ignored | State::Pending if !ignored => {
                let way_out = match entry.state {
                    State::Ignored => "set outOfOrder=true to run it, or ignoreMigrationPatterns='*:ignored'",
                    _ => "run migrate, or set ignoreMigrationPatterns='*:pending'",
                };
                Some((
                    either(
                        ErrorCode::ResolvedVersionedMigrationNotApplied,
                        ErrorCode::ResolvedRepeatableMigrationNotApplied,
                    ),
                    format!(
                        "Detected resolved {kind}migration not applied to database: {name}. To fix this: {way_out}."
                    ),
                ))
            }
            State::Outdated if !ignored => Some((
                ErrorCode::OutdatedRepeatableMigration,
                format!(
                    "Detected outdated resolved repeatable migration that should be re-applied to database: {name}. \
                     Run migrate to run it."
                ),
            )),
            _ => None,
        }
    }

    /// How a file differs from its row; not asked at or below the baseline.
    fn mismatch(&self, entry: &Entry<'_>) -> Option<(ErrorCode, String)> {
        let (file, row) = entry.resolved.zip(entry.applied)?;
        if row.version.is_some() && row.version.as_ref() <= self.baseline {
            return None;
        }
        let of_repeatable =
            ignores(self.ignore, false, State::Pending) && !matches!(entry.state, State::Outdated | State::Superseded);
        if row.kind != file.kind() {
            let sides = (row.kind.as_str(), file.kind().as_str());
            return Some((ErrorCode::TypeMismatch, differs("type", row, sides.0, sides.1)));
        }
        if (row.version.is_some() || of_repeatable) && !file.matches(row.checksum) {
            let applied = row.checksum.map_or("NULL".to_owned(), |sum| sum.to_string());
            return Some((ErrorCode::ChecksumMismatch, differs("checksum", row, &applied, file.checksum)));
        }
        let description = abbreviate_description(&file.migration.description);
        if row.description != description && !(row.description == NO_DESCRIPTION && description.is_empty()) {
            return Some((ErrorCode::DescriptionMismatch, differs("description", row, &row.description, description)));
        }
        None
    }
}

/// What stands for an empty description where a database cannot keep one.
const NO_DESCRIPTION: &str = "<< no description >>";

/// A row that a file should stand behind and none does.
fn is_orphan(entry: &Entry<'_>) -> bool {
    entry.resolved.is_none() && entry.applied.is_some_and(|row| !row.kind.is_synthetic())
}

fn differs(what: &str, row: &AppliedMigration, applied: impl Display, resolved: impl Display) -> String {
    let name = match &row.version {
        Some(version) => format!("version {version}"),
        None => row.script.clone(),
    };
    debug_assert_ne!(row.kind, AppliedKind::Delete);
    format!(
        "Migration {what} mismatch for migration {name}\n-> Applied to database : {applied}\n-> Resolved locally    : \
         {resolved}\nEither revert the changes to the migration, or run repair to update the schema history."
    )
}
