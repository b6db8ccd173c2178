//! The JSON Schema of the report.

use serde_json::{Map, Value, json};
use trueup_model::rule::Rule;

/// The published schema (draft 2020-12) of [`super::render`]'s output.
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "trueup report, version 1",
        "description": "What `trueup check --format json` prints. Fields are only added within a version.",
        "$defs": {
            "severity": one_of(&["info", "warning", "error"]),
            "state": one_of(&STATES),
            "count": {"type": "integer", "minimum": 0},
            "location": object(&location(), &[]),
            "finding": object(&finding(), &[]),
            "accepted": object(&accepted(), &[]),
            "service": object(&service(), &["provenance", "inputs"]),
            "migration": object(&migration(), &[]),
            "produced": object(&produced(), &["replayed", "migration", "file", "line", "column"]),
            "entry": object(&entry(), &["reason", "expires"]),
        },
        "type": "object",
        "properties": report(),
        "required": names(&report(), &[]),
        "additionalProperties": false,
    })
}

const STATES: [&str; 6] = ["unmigrated", "pending", "drift", "out-of-band", "unknown", "lint"];
const KINDS: [&str; 14] = [
    "service",
    "migration",
    "schema",
    "extension",
    "table",
    "column",
    "constraint",
    "index",
    "trigger",
    "policy",
    "view",
    "sequence",
    "type",
    "routine",
];

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn described(mut schema: Value, description: &str) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.insert("description".into(), description.into());
    }
    schema
}

fn one_of(values: &[&str]) -> Value {
    json!({"enum": values})
}

fn text(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn optional_text(description: &str) -> Value {
    json!({"type": ["string", "null"], "description": description})
}

fn list_of(name: &str, description: &str) -> Value {
    json!({"type": "array", "items": reference(name), "description": description})
}

fn names(properties: &Value, optional: &[&str]) -> Vec<String> {
    let keys = properties.as_object().into_iter().flat_map(Map::keys);
    keys.filter(|key| !optional.contains(&key.as_str())).cloned().collect()
}

/// A closed object; everything not `optional` is required.
fn object(properties: &Value, optional: &[&str]) -> Value {
    let required = names(properties, optional);
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

/// An object from any of `keys` to a count.
fn counts(keys: &Value, description: &str) -> Value {
    json!({
        "type": "object", "description": description,
        "propertyNames": keys, "additionalProperties": reference("count"),
    })
}

fn report() -> Value {
    json!({
        "version": {"const": super::VERSION},
        "engine": {"anyOf": [{"type": "null"}, object(&engine(), &[])],
            "description": "The PostgreSQL that judged; null when none was started."},
        "scope": optional_text("What the run was limited to; null when it looked at everything."),
        "baseline": optional_text("The baseline file compared with; null when there is none."),
        "elapsed_ms": reference("count"),
        "summary": object(&summary(), &[]),
        "services": list_of("service", "Every service, by name."),
        "errors": {"type": "array", "items": object(&error(), &[]),
            "description": "Inputs that could not be read, and what made the run fail."},
        "notes": {"type": "array", "items": {"type": "string"}, "description": "About the run itself."},
        "findings": list_of("finding", "What counts, ordered by service, object and rule."),
        "accepted": list_of("accepted", "What does not count, because the baseline or an ignore says so."),
        "resolved": list_of("entry", "Baseline entries that no longer occur."),
    })
}

fn engine() -> Value {
    json!({
        "kind": text("scratch-url, native or bundled."),
        "version": text("As the server says it."),
        "major": {"type": "integer", "minimum": 1},
        "chosen": text("Why this one."),
    })
}

fn summary() -> Value {
    json!({
        "exit_code": {"enum": [0, 1, 2], "description": "0 agree, 1 findings, 2 unknown or failed."},
        "findings": reference("count"),
        "unknown": described(reference("count"), "Of the findings, how many are unknown."),
        "accepted": reference("count"),
        "accepted_unknown": described(reference("count"), "Of the accepted, how many are unknown."),
        "resolved": reference("count"),
        "errors": reference("count"),
        "switched_off": described(reference("count"), "Findings of rules that the settings switch off."),
        "by_rule": counts(&rule_name(), "Findings by rule."),
        "by_severity": counts(&reference("severity"), "Findings by severity."),
        "by_state": counts(&reference("state"), "Findings by state."),
        "services": counts(&one_of(&["checked", "unknown", "not-checked"]), "Services by status."),
    })
}

fn rule_name() -> Value {
    json!({"enum": Rule::ALL.iter().map(|rule| rule.name()).collect::<Vec<_>>()})
}

fn service() -> Value {
    let compared = json!({"tables": reference("count"), "columns": reference("count"), "indexes": reference("count")});
    json!({
        "name": text("Its name in the intent, or its folder."),
        "status": one_of(&["checked", "unknown", "not-checked"]),
        "engine": text("As declared; may be empty."),
        "reason": optional_text("Why it was not compared."),
        "findings": reference("count"),
        "accepted": reference("count"),
        "compared": object(&compared, &[]),
        "elapsed_ms": reference("count"),
        "cached": {"type": "boolean"},
        "provenance": {"anyOf": [{"type": "null"}, object(&provenance(), &[])],
            "description": "Which migration made what; null unless it was compared."},
        "inputs": {"anyOf": [{"type": "null"}, object(&inputs(), &[])],
            "description": "Hashes of what it was compared from: other ones mean that the report is out of date."},
    })
}

fn inputs() -> Value {
    let hash = |description: &str| json!({"type": "string", "pattern": "^[0-9a-f]{64}$", "description": description});
    json!({
        "declared": hash("What the YAML declares for it, and for the services that it references; no prose, no places."),
        "migrations": hash("Its migrations, SQL that ran first, and Flyway's settings that decide what they do."),
    })
}

fn provenance() -> Value {
    json!({
        "migrations": list_of("migration", "In the order of a fresh database."),
        "objects": list_of("produced",
            "Declared tables, columns and indexes that the migrations produce, in the order of the YAML."),
    })
}

fn migration() -> Value {
    json!({
        "version": optional_text("Null for a repeatable one."),
        "description": text("Blanks for _."),
        "script": text("Its name in the history."),
        "kind": one_of(&["versioned", "repeatable", "baseline"]),
        "file": text("Relative to the project root, with / between folders."),
        "checksum": {"type": ["integer", "null"],
            "description": "What the history keeps; null when only a run can tell."},
    })
}

fn produced() -> Value {
    let path = json!({"type": "array", "items": {"type": "string"}, "description": "The name in parts, raw."});
    json!({
        "kind": one_of(&["table", "column", "index"]),
        "path": path,
        "replayed": described(object(&json!({"kind": one_of(&KINDS), "path": path}), &[]),
            "What the migrations produce for it, where that differs in name or kind."),
        "migration": described(reference("count"),
            "Position in `migrations` of the one that made it, or last altered it; absent when unknown."),
        "file": text("The file of the line, where it is not the migration's own."),
        "line": {"type": "integer", "minimum": 1},
        "column": {"type": "integer", "minimum": 1},
    })
}

fn error() -> Value {
    json!({
        "message": text("What is wrong."),
        "help": text("What to do next; may be empty."),
        "location": {"anyOf": [{"type": "null"}, reference("location")]},
    })
}

fn location() -> Value {
    json!({
        "file": text("Relative to the project root, with / between folders."),
        "line": {"type": "integer", "minimum": 1},
        "column": {"type": "integer", "minimum": 1, "description": "In characters."},
    })
}

fn side() -> Value {
    let mut properties = json!({"side": one_of(&["intent", "migrations"])});
    if let (Some(all), Value::Object(place)) = (properties.as_object_mut(), location()) {
        all.extend(place);
    }
    object(&properties, &[])
}

fn finding() -> Value {
    json!({
        "rule": rule_name(),
        "severity": reference("severity"),
        "service": text("Empty when it concerns a whole file."),
        "object": text("schema.table.member, for reading."),
        "state": reference("state"),
        "kind": one_of(&KINDS),
        "path": {"type": "array", "items": {"type": "string"}, "description": "The object's name in parts, raw."},
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$",
            "description": "Survives moved lines and reworded messages."},
        "message": text("What is the case."),
        "help": text("What to do next."),
        "declared": text("What the YAML says; empty when nothing."),
        "found": text("What the migrations produce; empty when nothing."),
        "locations": {"type": "array", "items": side(), "maxItems": 2},
        "fix": {"anyOf": [{"type": "null"}, object(&json!({"sql": text("SQL that would settle it.")}), &[])]},
    })
}

fn accepted() -> Value {
    let mut properties = finding();
    if let Some(all) = properties.as_object_mut() {
        all.insert("by".into(), one_of(&["baseline", "ignore"]));
        all.insert("reason".into(), optional_text("Why; always there for unknowns."));
    }
    properties
}

fn entry() -> Value {
    json!({
        "service": text("The service."),
        "rule": text("The rule, as named when it was accepted."),
        "object": text("The object."),
        "message": text("What was the case."),
        "fingerprint": {"type": "string"},
        "reason": text("Why it was accepted."),
        "expires": text("The last day on which it is accepted, YYYY-MM-DD."),
    })
}
