//! The JSON Schemas of what other programs keep: the record of an environment (`info`), and that of a run (`migrate`).

use serde_json::{Map, Value, json};

/// The published schema (draft 2020-12) of what `info --format json` prints.
pub fn info_schema() -> Value {
    let mut schema = closed(&json!({
        "version": {"const": 1, "description": "Of this format; within a version fields are only added"},
        "operation": {"const": "info"},
        "timestamp": moment("When it was asked, in UTC"),
        "database": text("Name of the database"),
        "serverVersion": text("What the server says its version is"),
        "schemaName": text("The schema with the schema history"),
        "schemaVersion": optional_text("The highest applied version; null without one"),
        "migrations": {"type": "array", "items": closed(&migration()), "description": "Files, rows, or both, in Flyway's order"},
    }));
    head(&mut schema, "trueup info, version 1", "What `trueup info --format json` prints.");
    schema
}

fn migration() -> Value {
    json!({
        "category": {"enum": ["", "Versioned", "Repeatable", "Baseline"], "description": "Empty for rows that no file can stand behind"},
        "version": optional_text("The version; null for repeatables"),
        "description": text("The description"),
        "script": text("As the schema history has it: relative to its location"),
        "type": text("The column `type` of the schema history: SQL, BASELINE, …"),
        "state": text("The state, by Flyway's name: Success, Pending, Out of Order, …"),
        "checksum": {"type": ["integer", "null"], "description": "That of the row, else that of the file"},
        "installedRank": {"type": ["integer", "null"], "description": "Null for what is not applied"},
        "installedOn": {"type": ["string", "null"], "pattern": MOMENT, "description": "When it was applied, in UTC; null for what is not applied"},
        "installedBy": optional_text("Who applied it"),
        "executionTime": {"type": ["integer", "null"], "description": "Milliseconds"},
        "filepath": optional_text("The file, relative to the folder of the run; null without one"),
    })
}

const MOMENT: &str = "^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$";

fn head(schema: &mut Value, title: &str, description: &str) {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        fields.insert("title".into(), title.into());
        fields.insert("description".into(), description.into());
    }
}

fn moment(description: &str) -> Value {
    json!({"type": "string", "pattern": MOMENT, "description": description})
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn optional_text(description: &str) -> Value {
    json!({"type": ["string", "null"], "description": description})
}

/// The published schema of what `migrate` prints and keeps.
pub fn run_schema() -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "version": {"const": 1, "description": "Of this format; within a version fields are only added"},
            "operation": {"const": "migrate"},
            "timestamp": moment("When the run ended, in UTC"),
            "success": {"type": "boolean"},
            "database": text("Name of the database"),
            "serverVersion": text("What the server says its version is"),
            "schemaName": text("The schema with the schema history"),
            "schemasCreated": {"type": "array", "items": {"type": "string"}},
            "initialSchemaVersion": optional_text("The version before; null on an empty history"),
            "targetSchemaVersion": optional_text("The version now; null without one"),
            "migrationsExecuted": whole("How many were applied"),
            "migrationsPending": whole("How many of those that were to run were not applied"),
            "migrations": {"type": "array", "items": closed(&applied()), "description": "Those that were applied, in order"},
            "warnings": {"type": "array", "items": {"type": "object"}, "description": "What scripts said; the first hundred"},
            "roundTrips": whole("Times the run waited for the server, after connecting"),
            "totalMigrationTime": whole("Milliseconds"),
            "error": failure(),
        },
        "required": ["version", "operation", "timestamp", "success"],
    });
    head(
        &mut schema,
        "trueup migrate, version 1",
        "What `trueup migrate` writes to --report and prints with --format json.",
    );
    schema
}

fn applied() -> Value {
    json!({
        "version": optional_text("The version; null for repeatables"),
        "description": text("The description"),
        "type": text("The column `type` of the schema history"),
        "script": text("As the schema history has it: relative to its location"),
        "checksum": {"type": ["integer", "null"]},
        "filepath": text("The file, relative to the folder of the run"),
        "executionTime": whole("Milliseconds"),
    })
}

/// Only there when the run failed.
fn failure() -> Value {
    json!({
        "type": "object",
        "properties": {
            "errorCode": text("Flyway's code: FAILED_MIGRATION, VALIDATE_ERROR, …"),
            "message": text("What went wrong, in a sentence"),
            "sqlState": optional_text("The server's code"),
            "path": text("The file"),
            "lineNumber": {"type": ["integer", "null"]},
            "column": {"type": ["integer", "null"]},
            "statement": optional_text("The statement that failed"),
            "left": {"enum": ["nothing", "failed-row", "resumable", "perhaps"], "description": "What is left of the script that failed"},
            "invalidIndexes": {"type": "array", "items": {"type": "string"}, "description": "Indexes that the statement left invalid"},
        },
        "required": ["errorCode", "message"],
        "description": "Only there when the run failed",
    })
}

fn whole(description: &str) -> Value {
    json!({"type": "integer", "minimum": 0, "description": description})
}

/// An object with exactly these fields.
fn closed(properties: &Value) -> Value {
    let required: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schemas_are_current() {
        crate::docs::assert_current("docs/reference/info.schema.json", &(format!("{:#}", info_schema()) + "\n"));
        crate::docs::assert_current("docs/reference/run.schema.json", &(format!("{:#}", run_schema()) + "\n"));
    }
}
