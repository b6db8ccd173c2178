//! Flyway's result objects, field by field. Texts that Flyway leaves empty are empty here, not null.

use std::path::Path;

use serde_json::{Value, json};
use trueup_migrations::history::{AppliedMigration, Entry, Reconciliation, Repair, ValidationError};
use trueup_migrations::version::Version;
use trueup_postgres::run::{Baselined, Cleaned, Inputs, Migrated, Ran};

use super::{errors, lines, usage};
use crate::runner::{Server, category};

/// `2026-11-26T02:03:34.583165`: the time of day here, as Flyway writes it.
fn timestamp() -> String {
    jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

fn file(folder: &Path, path: &str) -> String {
    folder.join(path).to_string_lossy().into_owned()
}

fn milliseconds(ran: &Ran) -> u64 {
    u64::try_from(ran.elapsed.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn migrated(migrated: &Migrated, inputs: &Inputs, server: &Server, schemas: &str, folder: &Path) -> Value {
    let target = migrated.applied.iter().rev().find_map(|ran| ran.row.version.clone());
    let warnings = migrated.notices.iter().map(|(_, notice)| notice).filter(|notice| !lines::is_plain(notice));
    let mut value = json!({
        "database": server.database,
        "databaseType": "PostgreSQL",
        "exception": null,
        "flywayVersion": usage::FOLLOWS,
        "initialSchemaVersion": migrated.version_before,
        "licenseFailed": false,
        "migrations": migrated.applied.iter().map(|ran| ran_item(ran, inputs, folder)).collect::<Vec<_>>(),
        "migrationsExecuted": migrated.applied.len(),
        "operation": "migrate",
        "schemaName": schemas,
        "success": migrated.failure.is_none(),
        "targetSchemaVersion": target,
        "timestamp": timestamp(),
        "totalMigrationTime": migrated.applied.iter().map(milliseconds).sum::<u64>(),
        "warnings": warnings.map(lines::notice).collect::<Vec<_>>(),
    });
    if let Some(failure) = &migrated.failure {
        let repeatable = lines::migration_of(failure, inputs).is_some_and(|file| file.version.is_none());
        let code = if repeatable { "FAILED_REPEATABLE_MIGRATION" } else { "FAILED_VERSIONED_MIGRATION" };
        let error = errors::failed(code, failure, folder, false);
        value["exception"] = error["message"].clone();
        value["error"] = error;
    }
    value
}

fn ran_item(ran: &Ran, inputs: &Inputs, folder: &Path) -> Value {
    let baseline = inputs.set.baselines.iter().any(|file| file.path.as_ref() == ran.path);
    let category = match (&ran.row.version, baseline) {
        (_, true) => "Baseline",
        (Some(_), _) => "Versioned",
        (None, _) => "Repeatable",
    };
    json!({
        "category": category,
        "description": ran.row.description,
        "executionTime": milliseconds(ran),
        "filepath": file(folder, &ran.path),
        "type": ran.row.kind.as_str(),
        "version": ran.row.version.as_deref().unwrap_or_default(),
    })
}

pub(super) fn undone(undone: &Migrated, inputs: &Inputs, server: &Server, schemas: &str, folder: &Path) -> Value {
    let mut value = json!({
        "database": server.database,
        "exception": null,
        "flywayVersion": usage::FOLLOWS,
        "initialSchemaVersion": undone.version_before,
        "licenseFailed": false,
        "migrationsUndone": undone.applied.len(),
        "operation": "undo",
        "schemaName": schemas,
        "success": undone.failure.is_none(),
        "targetSchemaVersion": undone.version_after,
        "timestamp": timestamp(),
        "undoneMigrations": undone.applied.iter().map(|ran| ran_item(ran, inputs, folder)).collect::<Vec<_>>(),
        "warnings": [],
    });
    if let Some(failure) = &undone.failure {
        let error = errors::failed("FAILED_UNDO_MIGRATION", failure, folder, false);
        value["exception"] = error["message"].clone();
        value["error"] = error;
    }
    value
}

pub(super) fn info(
    found: &Reconciliation<'_>,
    shown: &[&Entry<'_>],
    server: &Server,
    schemas: &str,
    folder: &Path,
    empty: bool,
) -> Value {
    json!({
        "allSchemasEmpty": empty,
        "database": server.database,
        "exception": null,
        "flywayVersion": usage::FOLLOWS,
        "licenseFailed": false,
        "migrations": shown.iter().map(|entry| info_item(entry, folder)).collect::<Vec<_>>(),
        "operation": "info",
        "schemaName": schemas,
        "schemaVersion": found.current.map(Version::text),
        "timestamp": timestamp(),
    })
}

fn info_item(entry: &Entry<'_>, folder: &Path) -> Value {
    let version = entry.version().map(Version::text).unwrap_or_default();
    let row = entry.applied;
    json!({
        "category": category(entry),
        "description": entry.description(),
        "executionTime": row.map_or(0, |row| row.execution_time),
        "filepath": entry.resolved.map_or(String::new(), |own| file(folder, &own.migration.path)),
        "installedBy": row.map_or("", |row| row.installed_by.as_str()),
        "installedOnUTC": row.map_or(String::new(), moment),
        "rawVersion": version,
        "shouldExecuteExpression": null,
        "state": entry.state.name(),
        "type": entry.kind().as_str(),
        "undoFilepath": "",
        "undoable": lines::undoable(entry),
        "version": version,
    })
}

/// `installed_on` in UTC, to the microsecond where it has any.
fn moment(row: &AppliedMigration) -> String {
    let Some(at) = &row.installed_at else { return String::new() };
    let whole = at.split_once('.').map_or(at.as_str(), |(whole, _)| whole);
    // A time zone changes no part of a second.
    let part = row.installed_on.split_once('.').map_or("", |(_, part)| part);
    match part.len() {
        0 => format!("{whole}Z"),
        1..=3 => format!("{whole}.{part:0<3}Z"),
        _ => format!("{whole}.{part:0<6}Z"),
    }
}

pub(super) fn validated(errors: &[ValidationError], judged: usize, server: &Server, folder: &Path) -> Value {
    let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    let invalid = |error: &ValidationError| {
        json!({
            "description": error.description,
            "errorDetails": {"errorCode": error.code.as_str(), "errorMessage": error.message},
            "filepath": error.path.as_ref().map_or(String::new(), |path| file(folder, path)),
            "version": error.version.as_deref().unwrap_or_default(),
        })
    };
    let mut value = not_validated("VALIDATE_ERROR", "Migrations have failed validation", server);
    value["allErrorMessages"] = json!(messages.join("\n"));
    value["invalidMigrations"] = errors.iter().map(invalid).collect();
    if errors.is_empty() {
        value["errorDetails"] = Value::Null;
        value["validateCount"] = json!(judged);
        value["validationSuccessful"] = json!(true);
    }
    value
}

pub(super) fn not_validated(code: &str, message: &str, server: &Server) -> Value {
    json!({
        "allErrorMessages": "",
        "database": server.database,
        "errorDetails": {"errorCode": code, "errorMessage": message},
        "flywayVersion": usage::FOLLOWS,
        "invalidMigrations": [],
        "operation": "validate",
        "validateCount": 0,
        "validationSuccessful": false,
        "warnings": [],
    })
}

pub(super) fn baselined(done: &Baselined, server: &Server) -> Value {
    json!({
        "baselineVersion": done.version,
        "database": server.database,
        "flywayVersion": usage::FOLLOWS,
        "operation": "baseline",
        "successfullyBaselined": true,
        "warnings": [],
    })
}

pub(super) fn repaired(done: Option<&Repair>, server: &Server, folder: &Path) -> Value {
    let none = Repair::default();
    let done = done.unwrap_or(&none);
    let row = |row: &AppliedMigration| {
        json!({
            "description": row.description,
            "filepath": file(folder, &row.script),
            "version": row.version.as_ref().map(Version::text).unwrap_or_default(),
        })
    };
    let actions = [
        (!done.removed.is_empty(), "Removed failed migrations"),
        (!done.deleted.is_empty(), "Marked missing migrations as deleted"),
        (!done.aligned.is_empty(), "Aligned applied migration checksums"),
    ];
    json!({
        "database": server.database,
        "flywayVersion": usage::FOLLOWS,
        "migrationsAligned": done.aligned.iter().map(|(applied, _)| row(applied)).collect::<Vec<_>>(),
        "migrationsDeleted": done.deleted.iter().map(row).collect::<Vec<_>>(),
        "migrationsRemoved": done.removed.iter().map(row).collect::<Vec<_>>(),
        "operation": "repair",
        "repairActions": actions.iter().filter(|(taken, _)| *taken).map(|(_, what)| what).collect::<Vec<_>>(),
        "warnings": [],
    })
}

pub(super) fn cleaned(done: &Cleaned, server: &Server) -> Value {
    json!({
        "database": server.database,
        "flywayVersion": usage::FOLLOWS,
        "operation": "clean",
        "schemasCleaned": done.emptied,
        "schemasDropped": done.dropped,
        "warnings": [],
    })
}
