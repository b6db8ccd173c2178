//! What the tests of this crate share.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail by panicking, and say what they skip")]

use std::path::PathBuf;

use trueup_intent::{Reading, Source, read};
use trueup_model::declared::{Declared, DeclaredColumn, DeclaredIndex, DeclaredService, DeclaredTable};

/// Reads one file from text.
pub fn read_text(text: &str) -> Reading {
    read_bytes(text.as_bytes())
}

/// Reads one file from bytes.
pub fn read_bytes(bytes: &[u8]) -> Reading {
    read(&[Source { path: "intent.yaml".to_owned(), bytes: bytes.to_vec() }])
}

/// The bytes of the reference repository's intent; `None`, and a word about it, when the corpora are not there.
pub fn reference_bytes() -> Option<Vec<u8>> {
    let shared = std::env::var_os("TRUEUP_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let from_worktree = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../../shared");
    let file = "corpora/novatrek/architecture/metadata/data-stores.yaml";
    let found = [shared, from_worktree].iter().find_map(|folder| std::fs::read(folder.join(file)).ok());
    if found.is_none() {
        println!("SKIPPED: the reference repository is not there; set TRUEUP_SHARED to the folder with `corpora`");
    }
    found
}

/// [`reference_bytes`], read.
pub fn reference() -> Option<Reading> {
    reference_bytes().map(|bytes| read_bytes(&bytes))
}

/// A service by name.
pub fn service<'a>(declared: &'a Declared, name: &str) -> &'a DeclaredService {
    declared.services.iter().find(|service| service.name.value == name).unwrap()
}

/// A table by its service's name and its own.
pub fn table<'a>(declared: &'a Declared, service_name: &str, name: &str) -> &'a DeclaredTable {
    service(declared, service_name).tables.iter().find(|table| table.name.value.as_str() == name).unwrap()
}

/// A column by name.
pub fn column<'a>(table: &'a DeclaredTable, name: &str) -> &'a DeclaredColumn {
    table.details.as_ref().unwrap().columns.iter().find(|column| column.name.value.as_str() == name).unwrap()
}

/// An index by name.
pub fn index<'a>(table: &'a DeclaredTable, name: &str) -> &'a DeclaredIndex {
    table.details.as_ref().unwrap().indexes.iter().find(|index| index.name.value.as_str() == name).unwrap()
}

/// Reads one column of a PostgreSQL table, written as a flow mapping's inside, for example `type: UUID, constraints: PK`.
pub fn one_column(members: &str) -> (DeclaredColumn, Vec<String>) {
    let text = format!(
        "svc-a:\n  engine: PostgreSQL 15\n  schema: a\n  table_details:\n    t:\n      columns:\n      - {{name: id, type: UUID, \
         constraints: PK}}\n      - {{name: other, type: INTEGER}}\n      - name: c\n{members}\n    u:\n      columns:\n      - {{name: id, type: \
         UUID, constraints: PK}}\n"
    );
    let reading = read_text(&text);
    assert_eq!(reading.errors, [], "{text}");
    let messages = reading.findings.iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect();
    (column(table(&reading.declared, "svc-a", "t"), "c").clone(), messages)
}

/// [`one_column`] with this type and these constraints, which are put in YAML quotes.
pub fn constrained(type_name: &str, constraints: &str) -> (DeclaredColumn, Vec<String>) {
    let quoted = constraints.replace('\'', "''");
    one_column(&format!("        type: {type_name}\n        constraints: '{quoted}'"))
}

/// Reads one index of a PostgreSQL table with columns a, b and c, written as the members of a flow mapping.
pub fn one_index(members: &str) -> (DeclaredIndex, Vec<String>) {
    let text = format!(
        "svc-a:\n  engine: PostgreSQL 15\n  schema: a\n  table_details:\n    t:\n      columns:\n      - [a, UUID]\n      - [b, TEXT]\n      \
         - [c, TEXT]\n      indexes:\n      - {{name: i, {members}}}\n"
    );
    let reading = read_text(&text);
    assert_eq!(reading.errors, [], "{text}");
    let messages = reading.findings.iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect();
    (index(table(&reading.declared, "svc-a", "t"), "i").clone(), messages)
}
