//! The JSON Schema of the intent, for editors.

use serde_json::{Value, json};

use crate::constraint::DELETE_ACTIONS;
use crate::{column, index, service, table};

/// The JSON Schema (draft 2020-12) of one file of the intent.
///
/// It is as strict as [`crate::read`] about types and keys; what SQL means is beyond it.
pub fn json_schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:trueup:intent",
        "title": "Data stores of all services",
        "description": "What the architect intends: one key for each service, with its engine, schema, tables, columns and indexes.",
        "type": ["object", "null"],
        "patternProperties": {
            "^x-": true,
            "^(?!x-)[A-Za-z0-9][A-Za-z0-9._-]{0,99}$": { "$ref": "#/$defs/service" }
        },
        "additionalProperties": false,
        "$defs": definitions()
    })
}

fn definitions() -> Value {
    json!({
        "service": service_schema(),
        "schemaName": schema_name(),
        "ignore": ignore(),
        "table": table_schema(),
        "column": column_schema(),
        "positionalColumn": positional_column(),
        "index": index_schema(),
        "positionalIndex": positional_index(),
        "name": {
            "title": "Name",
            "description": "A name as in SQL: folded to lower case unless it stands in double quotes. At most 63 bytes.",
            "type": ["string", "number", "boolean"],
            "pattern": "^(?!\\s*$)"
        },
        "word": { "description": "Text. Numbers and booleans are taken as they are written.", "type": ["string", "number", "boolean", "null"] },
        "text": {
            "description": "Free text; declares nothing.",
            "type": ["string", "number", "boolean", "null"]
        },
        "words": {
            "description": "One text, or a list of texts.",
            "anyOf": [{ "$ref": "#/$defs/word" }, { "type": "array", "items": { "$ref": "#/$defs/word" } }]
        },
        "flag": { "type": ["boolean", "null"] }
    })
}

/// An object with these properties, with private keys beside them and nothing else.
fn object(title: &str, description: &str, keys: &[&str], properties: &Value) -> Value {
    debug_assert!(keys.iter().all(|key| properties.get(key).is_some()), "{title}: a key has no schema");
    json!({
        "title": title,
        "description": description,
        "type": ["object", "null"],
        "properties": properties,
        "patternProperties": { "^x-": true },
        "additionalProperties": false
    })
}

fn described(reference: &str, description: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{reference}"), "description": description })
}

fn service_schema() -> Value {
    let properties = json!({
        "engine": described("word", "What stores the data, for example `PostgreSQL 15`. All is checked when PostgreSQL is named anywhere in it; without it the service is only documented. Absent means PostgreSQL."),
        "schema": {
            "description": "The schema of its tables; `public` when absent.",
            "anyOf": [{ "$ref": "#/$defs/word" }, { "$ref": "#/$defs/schemaName" }]
        },
        "schema_renamed_from": described("word", "A former name of the schema whose rename is still owed."),
        "tables": described("words", "Names of tables, as `table` or `schema.table`. One that is not detailed below is declared to exist, and no more."),
        "table_details": {
            "description": "Columns and indexes, by the name of the table.",
            "type": ["object", "null"],
            "additionalProperties": { "$ref": "#/$defs/table" },
            "patternProperties": { "^x-": true }
        },
        "features": {
            "description": "Free text, line by line; declares nothing.",
            "anyOf": [{ "$ref": "#/$defs/text" }, { "type": "array", "items": {
                "anyOf": [{ "$ref": "#/$defs/text" }, { "type": "object", "maxProperties": 1, "additionalProperties": { "$ref": "#/$defs/text" } }]
            } }]
        },
        "volume": described("text", "How much data, in words."),
        "connection_pool": {
            "description": "Settings of the connection pool, for the portal.",
            "type": ["object", "null"],
            "additionalProperties": { "$ref": "#/$defs/text" }
        },
        "backup": described("text", "How it is backed up, in words."),
        "description": described("text", "Free text."),
        "renamed_from": described("word", "A former name of the service."),
        "owner": described("word", "Person or team who owes the migrations; CODEOWNERS otherwise."),
        "migrations": described("word", "The folder with its migrations, relative to the project root, when it is not the usual one."),
        "extensions": described("words", "Extensions that its tables need."),
        "ignore": {
            "description": "Findings to leave out, each with a reason.",
            "anyOf": [
                { "type": "array", "items": { "$ref": "#/$defs/ignore" } },
                { "type": "object", "additionalProperties": { "type": "string", "minLength": 1 } },
                { "type": "null" }
            ]
        }
    });
    object("Service", "A service and the data store it owns.", &service::KEYS, &properties)
}

fn schema_name() -> Value {
    let properties = json!({
        "name": described("word", "The name."),
        "renamed_from": described("word", "A former name whose rename is still owed.")
    });
    object("Schema", "A schema with a former name.", &["name", "renamed_from"], &properties)
}

fn ignore() -> Value {
    json!({
        "title": "Ignored finding",
        "type": "object",
        "properties": {
            "pattern": { "description": "A glob over `rule`, `schema.table.member`, or `rule:schema.table.member`.", "type": "string", "minLength": 1 },
            "reason": { "description": "Why.", "type": "string", "minLength": 1 }
        },
        "required": ["pattern", "reason"],
        "patternProperties": { "^x-": true },
        "additionalProperties": false
    })
}

fn table_schema() -> Value {
    let properties = json!({
        "description": described("text", "What the table is for."),
        "columns": {
            "description": "Every column of the table.",
            "type": ["array", "null"],
            "items": { "anyOf": [{ "$ref": "#/$defs/column" }, { "$ref": "#/$defs/positionalColumn" }] }
        },
        "indexes": {
            "description": "Every index of the table, but for those behind its keys.",
            "type": ["array", "null"],
            "items": { "anyOf": [{ "$ref": "#/$defs/index" }, { "$ref": "#/$defs/positionalIndex" }] }
        },
        "renamed_from": described("word", "A former name of the table whose rename is still owed.")
    });
    object("Table", "What is declared about a table beyond that it exists.", &table::KEYS, &properties)
}

const CONSTRAINTS: &str = "Separated by commas: PK, NOT NULL, NULL, UNIQUE, DEFAULT expression, CHECK (1-5), CHECK (> 0), CHECK (expression), FK -> table, FK -> table(column), FK -> svc-service, GENERATED ALWAYS AS (expression), ENCRYPTED. A note in brackets may stand behind each.";
const TYPE: &str = "A type of PostgreSQL, for example VARCHAR(20).";

fn column_schema() -> Value {
    let properties = json!({
        "name": described("name", "Name of the column."),
        "type": described("word", TYPE),
        "constraints": described("words", CONSTRAINTS),
        "renamed_from": described("word", "A former name of the column whose rename is still owed."),
        "on_delete": {
            "description": "What happens when the row that the foreign key points at is deleted.",
            "type": ["string", "null"],
            "pattern": actions_pattern(),
            "examples": ["CASCADE", "SET NULL", "RESTRICT", "NO ACTION", "SET DEFAULT"]
        },
        "description": described("text", "What the column holds.")
    });
    required(object("Column", "A column.", &column::KEYS, &properties), &["name"])
}

/// The actions in any case; the pattern flags of other dialects are unknown to JavaScript's editors.
fn actions_pattern() -> String {
    let letter = |c: char| match c {
        ' ' => "\\s+".to_owned(),
        _ => format!("[{c}{}]", c.to_ascii_lowercase()),
    };
    let actions: Vec<String> = DELETE_ACTIONS.iter().map(|action| action.chars().map(letter).collect()).collect();
    format!("^\\s*({})\\s*$", actions.join("|"))
}

fn positional_column() -> Value {
    json!({
        "title": "Column, short form",
        "description": "[name, type, constraints]. Commas inside a type or between constraints may stay unquoted.",
        "type": "array",
        "minItems": 2,
        "prefixItems": [described("name", "Name of the column."), described("word", TYPE), described("words", CONSTRAINTS)],
        "items": { "$ref": "#/$defs/word" }
    })
}

const KEYS: &str = "Columns, or expressions in brackets, each with an operator class, ASC or DESC, and NULLS FIRST or NULLS LAST as needed: `guest_id, checked_in_at DESC`, `title gin_trgm_ops`.";
const INDEX_TYPE: &str = "UNIQUE, a method (BTREE, HASH, GIN, GIST, SPGIST, BRIN), WHERE predicate, or a combination. A note in brackets changes nothing.";

fn index_schema() -> Value {
    let properties = json!({
        "name": described("name", "Name of the index."),
        "columns": described("words", KEYS),
        "type": described("word", INDEX_TYPE),
        "renamed_from": described("word", "A former name of the index."),
        "method": described("word", "The access method, for example gin."),
        "where": described("word", "The predicate of a partial index."),
        "include": described("words", "Columns that the index carries along without ordering by them."),
        "unique": described("flag", "Whether the index is unique."),
        "nulls_not_distinct": described("flag", "Whether the unique index takes two nulls as equal."),
        "description": described("text", "What the index is for.")
    });
    required(object("Index", "An index.", &index::KEYS, &properties), &["name", "columns"])
}

fn positional_index() -> Value {
    json!({
        "title": "Index, short form",
        "description": "[name, columns, type], with the columns as one text or as a list.",
        "type": "array",
        "minItems": 2,
        "maxItems": 3,
        "prefixItems": [described("name", "Name of the index."), described("words", KEYS), described("word", INDEX_TYPE)]
    })
}

fn required(mut schema: Value, keys: &[&str]) -> Value {
    schema["type"] = json!("object");
    schema["required"] = json!(keys);
    schema
}
