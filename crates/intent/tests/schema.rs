//! The published JSON Schema against the reference, and against files that are wrong.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use serde_json::{Value, json};
use trueup_intent::json_schema;

use common::reference_bytes;

fn validator() -> jsonschema::Validator {
    jsonschema::draft202012::new(&json_schema()).unwrap()
}

/// Enough YAML to JSON for the reference file: saphyr's events are not part of this crate's interface.
fn reference_as_json() -> Option<Value> {
    let bytes = reference_bytes()?;
    let documents = trueup_intent::properties::flatten("data-stores.yaml", &bytes).unwrap();
    let mut root = json!({});
    for (key, value) in &documents[0].values {
        put(&mut root, key, &value.value);
    }
    Some(root)
}

/// Puts a value at a flattened key: `a.b[0].c`.
fn put(root: &mut Value, key: &str, value: &str) {
    let mut place = root;
    for part in key.replace('[', ".[").split('.') {
        place = match part.strip_prefix('[').and_then(|part| part.strip_suffix(']')) {
            Some(position) => {
                let position: usize = position.parse().unwrap();
                if place.is_null() {
                    *place = json!([]);
                }
                let items = place.as_array_mut().unwrap();
                if items.len() <= position {
                    items.resize(position + 1, Value::Null);
                }
                &mut items[position]
            }
            None => {
                if place.is_null() {
                    *place = json!({});
                }
                &mut place[part]
            }
        };
    }
    *place = Value::String(value.to_owned());
}

#[test]
fn it_is_a_schema() {
    assert!(jsonschema::meta::is_valid(&json_schema()));
}

#[test]
fn the_reference_is_valid() {
    let Some(reference) = reference_as_json() else { return };
    assert_eq!(reference.as_object().unwrap().len(), 22);
    let errors: Vec<String> =
        validator().iter_errors(&reference).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn both_forms_and_all_keys_of_ours_are_valid() {
    let intent = json!({
        "x-shared": {"anything": 1},
        "svc-a": {
            "engine": "PostgreSQL 15", "schema": {"name": "a", "renamed_from": "b"}, "renamed_from": "svc-b", "owner": "team", "migrations": "db/a",
            "extensions": ["postgis"], "ignore": [{"pattern": "undeclared-index:*", "reason": "legacy"}], "volume": 5, "features": ["x", {"a": "b"}],
            "tables": ["t", true],
            "table_details": {"t": {
                "renamed_from": "old",
                "columns": [
                    ["id", "UUID", "PK"], ["n", "DECIMAL(10", "2)", null], {"name": "c", "type": "TEXT", "constraints": null, "renamed_from": "d", "on_delete": "set null"}
                ],
                "indexes": [
                    ["i", "id"], ["j", ["id", "n DESC"], "UNIQUE"],
                    {"name": "k", "columns": "id", "method": "gin", "where": "n > 0", "include": ["n"], "unique": true, "nulls_not_distinct": false, "renamed_from": "l"}
                ]
            }}
        },
        "svc-b": null
    });
    let errors: Vec<String> =
        validator().iter_errors(&intent).map(|error| format!("{} at {}", error, error.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
}

#[test]
fn wrong_files_are_not_valid() {
    let column = |column: Value| json!({"svc-a": {"table_details": {"t": {"columns": [column]}}}});
    let index = |index: Value| json!({"svc-a": {"table_details": {"t": {"columns": [], "indexes": [index]}}}});
    let wrong = [
        json!([]),
        json!({"a b": {}}),
        json!({"../x": {}}),
        json!({"svc-a": 5}),
        json!({"svc-a": {"engin": "x"}}),
        json!({"svc-a": {"engine": ["x"]}}),
        json!({"svc-a": {"tables": {"a": "b"}}}),
        json!({"svc-a": {"table_details": []}}),
        json!({"svc-a": {"table_details": {"t": {"colums": []}}}}),
        json!({"svc-a": {"ignore": [{"pattern": "x"}]}}),
        json!({"svc-a": {"connection_pool": 5}}),
        column(json!("id UUID")),
        column(json!({"type": "UUID"})),
        column(json!({"name": "", "type": "UUID"})),
        column(json!({"name": "a", "typ": "UUID"})),
        column(json!({"name": "a", "type": {}})),
        column(json!({"name": "a", "on_delete": "explode"})),
        column(json!(["id"])),
        index(json!({"name": "i"})),
        index(json!({"name": "i", "columns": "a", "unique": "yes"})),
        index(json!(["i", "a", "UNIQUE", "more"])),
        index(json!("i")),
    ];
    let validator = validator();
    for intent in wrong {
        assert!(!validator.is_valid(&intent), "{intent}");
    }
}
