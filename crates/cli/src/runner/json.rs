//! What programs read. Fields that Flyway has too are called as there.

use std::time::Duration;

use serde_json::{Value, json};
use trueup_migrations::history::{AppliedMigration, Entry, Reconciliation, Repair, ValidationError};
use trueup_migrations::version::Version;
use trueup_postgres::run::{Baselined, Cleaned, Command, Failure, Left, Migrated, RunError};
use trueup_postgres::session::ServerError;

use super::Server;
use super::error::RunnerError;
use super::human::category;

/// The one document of a run.
pub(super) fn print(value: &Value) {
    crate::stdio::say(&format!("{value:#}"));
}

/// In UTC.
pub(super) fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn migrated(migrated: &Migrated, server: &Server, elapsed: Duration) -> Value {
    let last = migrated.applied.iter().rev().find_map(|ran| ran.row.version.clone());
    let mut value = json!({
        "version": 1,
        "operation": "migrate",
        "timestamp": now(),
        "success": migrated.failure.is_none(),
        "database": server.database,
        "serverVersion": server.version,
        "schemaName": migrated.schema,
        "schemasCreated": migrated.created_schemas,
        "initialSchemaVersion": migrated.version_before,
        "targetSchemaVersion": last.or_else(|| migrated.version_before.clone()),
        "migrationsExecuted": migrated.applied.len(),
        "migrationsPending": migrated.planned.saturating_sub(migrated.applied.len()),
        "migrations": migrated.applied.iter().map(|ran| json!({
            "version": ran.row.version,
            "description": ran.row.description,
            "type": ran.row.kind.as_str(),
            "script": ran.row.script,
            "checksum": ran.row.checksum,
            "filepath": ran.path,
            "executionTime": milliseconds(ran.elapsed),
        })).collect::<Vec<_>>(),
        "warnings": migrated.notices.iter().map(|(path, notice)| json!({
            "filepath": path, "severity": notice.severity, "sqlState": notice.sqlstate, "message": notice.message,
        })).collect::<Vec<_>>(),
        "roundTrips": migrated.round_trips,
        "totalMigrationTime": milliseconds(elapsed),
    });
    if let Some(failure) = &migrated.failure {
        value["error"] = failed(failure);
        value["error"]["callbacks"] = migrated.also.iter().map(failed).collect();
    }
    value
}

fn failed(failure: &Failure) -> Value {
    let server = failure.cause.server_error();
    json!({
        "errorCode": "FAILED_MIGRATION",
        "message": failure.cause.message(),
        "path": failure.at.file,
        "lineNumber": failure.at.line,
        "column": failure.at.column,
        "statement": failure.statement,
        "sqlState": server.map(|error| &error.sqlstate),
        "detail": server.and_then(|error| error.detail.as_ref()),
        "hint": server.and_then(|error| error.hint.as_ref()),
        "where": server.and_then(|error| error.where_.as_ref()),
        "left": match failure.left {
            Left::Nothing => "nothing",
            Left::FailedRow => "failed-row",
            Left::Resumable => "resumable",
            Left::Perhaps => "perhaps",
        },
        "invalidIndexes": failure.invalid,
    })
}

/// What `info` prints: the record of an environment, a contract (`docs/reference/run-report.md`).
pub(super) fn info(found: &Reconciliation<'_>, server: &Server) -> Value {
    json!({
        "version": 1,
        "operation": "info",
        "timestamp": now(),
        "database": server.database,
        "serverVersion": server.version,
        "schemaName": server.schema,
        "schemaVersion": found.current.map(Version::text),
        "migrations": found.entries.iter().map(item).collect::<Vec<_>>(),
    })
}

fn item(entry: &Entry<'_>) -> Value {
    json!({
        "category": category(entry),
        "version": entry.version().map(Version::text),
        "description": entry.description(),
        "script": entry.applied.map(|row| row.script.as_str())
            .or(entry.resolved.map(|file| file.migration.script.as_str())),
        "type": entry.kind().as_str(),
        "state": entry.state.name(),
        "filepath": entry.resolved.map(|file| file.migration.path.as_ref()),
        "installedOn": entry.applied.and_then(|row| row.installed_at.as_ref()),
        "installedBy": entry.applied.map(|row| &row.installed_by),
        "installedRank": entry.applied.map(|row| row.rank),
        "checksum": entry.applied.map_or(entry.resolved.map(|file| file.checksum), |row| row.checksum),
        "executionTime": entry.applied.map(|row| row.execution_time),
    })
}

pub(super) fn undone(undone: &Migrated, server: &Server) -> Value {
    let after = undone.failure.is_none().then_some(undone.version_after.as_ref()).flatten();
    let mut value = json!({
        "operation": "undo",
        "success": undone.failure.is_none(),
        "database": server.database,
        "serverVersion": server.version,
        "schemaName": undone.schema,
        "initialSchemaVersion": undone.version_before,
        "targetSchemaVersion": after,
        "migrationsUndone": undone.applied.len(),
        "undoneMigrations": undone.applied.iter().map(|ran| json!({
            "version": ran.row.version,
            "description": ran.row.description,
            "filepath": ran.path,
            "executionTime": milliseconds(ran.elapsed),
        })).collect::<Vec<_>>(),
    });
    if let Some(failure) = &undone.failure {
        value["error"] = failed(failure);
        value["error"]["callbacks"] = undone.also.iter().map(failed).collect();
    }
    value
}

pub(super) fn baselined(done: &Baselined, server: &Server) -> Value {
    json!({
        "operation": "baseline",
        "success": true,
        "successfullyBaselined": !done.already,
        "baselineVersion": done.version,
        "baselineDescription": done.description,
        "database": server.database,
        "serverVersion": server.version,
        "schemaName": server.schema,
        "schemasCreated": done.created_schemas,
    })
}

pub(super) fn repaired(done: Option<&Repair>, server: &Server) -> Value {
    let none = Repair::default();
    let done = done.unwrap_or(&none);
    let row = |row: &AppliedMigration| {
        json!({
            "version": row.version.as_ref().map(Version::text),
            "description": row.description,
            "script": row.script,
            "installedRank": row.rank,
        })
    };
    let actions = [
        (!done.removed.is_empty(), "Removed failed migrations"),
        (!done.deleted.is_empty(), "Marked missing migrations as deleted"),
        (!done.aligned.is_empty(), "Aligned applied migration checksums"),
    ];
    json!({
        "operation": "repair",
        "success": true,
        "repairActions": actions.iter().filter(|(taken, _)| *taken).map(|(_, what)| what).collect::<Vec<_>>(),
        "migrationsRemoved": done.removed.iter().map(row).collect::<Vec<_>>(),
        "migrationsDeleted": done.deleted.iter().map(row).collect::<Vec<_>>(),
        "migrationsAligned": done.aligned.iter().map(|(applied, _)| row(applied)).collect::<Vec<_>>(),
        "database": server.database,
        "serverVersion": server.version,
        "schemaName": server.schema,
    })
}

pub(super) fn cleaned(done: &Cleaned, server: &Server) -> Value {
    json!({
        "operation": "clean",
        "success": true,
        "schemasCleaned": done.emptied,
        "schemasDropped": done.dropped,
        "schemasMissing": done.missing,
        "objectsDropped": done.objects.iter().map(|object| json!({"kind": object.kind, "name": object.name})).collect::<Vec<_>>(),
        "database": server.database,
        "serverVersion": server.version,
    })
}

pub(super) fn validated(errors: &[ValidationError], judged: usize, server: &Server) -> Value {
    json!({
        "operation": "validate",
        "database": server.database,
        "serverVersion": server.version,
        "validationSuccessful": errors.is_empty(),
        "validateCount": judged,
        "invalidMigrations": errors.iter().map(invalid).collect::<Vec<_>>(),
    })
}

fn invalid(error: &ValidationError) -> Value {
    json!({
        "version": error.version,
        "description": error.description,
        "filepath": error.path,
        "errorDetails": { "errorCode": error.code.as_str(), "errorMessage": error.message },
    })
}

pub(super) fn error(error: &RunnerError, command: Command) -> Value {
    let server: Option<&ServerError> = match error {
        RunnerError::Run(RunError::Server { error, .. }) => Some(error),
        _ => None,
    };
    let mut value = json!({
        "version": 1,
        "operation": command.name(),
        "timestamp": now(),
        "success": false,
        "error": { "errorCode": error.code(), "message": error.to_string(), "sqlState": server.map(|error| &error.sqlstate) },
    });
    match error {
        RunnerError::Run(RunError::Invalid(errors)) => {
            value["error"]["invalidMigrations"] = errors.iter().map(invalid).collect();
        }
        RunnerError::Run(RunError::Refused(refused)) => {
            let at = refused.iter().map(|why| json!({ "path": why.at.file, "lineNumber": why.at.line, "column": why.at.column, "message": why.message }));
            value["error"]["problems"] = at.collect();
        }
        RunnerError::Problems(problems) => {
            let at = problems.iter().map(|why| json!({ "path": why.at.file, "lineNumber": why.at.line, "column": why.at.column, "message": why.message, "help": why.help }));
            value["error"]["problems"] = at.collect();
        }
        RunnerError::Run(RunError::Script(failure)) => value["error"] = failed(failure),
        RunnerError::Usage { help, .. } => value["error"]["help"] = json!(help),
        RunnerError::Run(_) | RunnerError::Record { .. } => {}
    }
    value
}
