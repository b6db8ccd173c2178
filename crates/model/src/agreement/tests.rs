//! Pairing, by hand-made pairs of sides. What each rule says about a pair is tested on a real server, with generated
//! schemas, through the binary.

use super::pair;
use crate::canonical::{Canonical, Column, Schema, Table};
use crate::declared::{DeclaredColumn, DeclaredService, DeclaredTable, Engine, Prose, TableDetails};
use crate::location::{Located, Location};
use crate::name::{Identifier, QualifiedName};

fn here() -> Location {
    Location::new("data-stores.yaml", 1, 1)
}

fn service(schema: Option<&str>, tables: Vec<DeclaredTable>) -> DeclaredService {
    DeclaredService {
        name: Located::new("svc".into(), here()),
        engine: Engine { text: String::new(), at: here(), is_postgres: true, major: None, postgis: false },
        schema: schema.map(|schema| Located::new(schema.into(), here())),
        schema_renamed_from: None,
        renamed_from: None,
        tables,
        extensions: Vec::new(),
        migrations: None,
        owner: None,
        ignore: Vec::new(),
        prose: Prose::default(),
    }
}

fn table(name: &str, renamed_from: Option<&str>, columns: &[(&str, Option<&str>)]) -> DeclaredTable {
    let former = |name: &str| Located::new(Identifier::from(name), here());
    let column = |(name, renamed_from): &(&str, Option<&str>)| DeclaredColumn {
        name: Located::new((*name).into(), here()),
        renamed_from: renamed_from.map(former),
        type_sql: None,
        primary_key: None,
        not_null: false,
        nullability_at: here(),
        default: None,
        generated: None,
        identity: None,
        unique: None,
        checks: Vec::new(),
        references: None,
        encrypted: None,
        notes: Vec::new(),
        not_understood: Vec::new(),
    };
    DeclaredTable {
        name: Located::new(name.into(), here()),
        schema: None,
        renamed_from: renamed_from.map(former),
        description: None,
        details: Some(TableDetails { columns: columns.iter().map(column).collect(), indexes: Vec::new() }),
    }
}

fn replayed(tables: &[(&str, &str, &[&str])]) -> Canonical {
    let mut canonical = Canonical::default();
    canonical.schemas.insert("public".into(), Schema::default());
    for (schema, name, columns) in tables {
        let column = |name: &&str| Column {
            name: (*name).into(),
            type_name: "integer".into(),
            nullable: true,
            default: None,
            serial: false,
            identity: None,
            generated: None,
            collation: None,
            attributes: std::collections::BTreeMap::new(),
            comment: None,
        };
        canonical.schemas.insert((*schema).into(), Schema::default());
        let table = Table { columns: columns.iter().map(column).collect(), ..Table::default() };
        canonical.tables.insert(QualifiedName::new(*schema, *name), table);
    }
    canonical
}

#[test]
fn the_only_schema_in_use_is_the_partner_of_another_name() {
    let pairing = pair(&service(Some("checkin"), vec![table("t", None, &[])]), &replayed(&[("check_in", "t", &[])]));
    assert_eq!(pairing.schema.replayed, "check_in".into());
    assert_eq!(pairing.tables[0].replayed, Some(QualifiedName::new("check_in", "t")));
    assert!(pairing.undeclared.is_empty());
}

#[test]
fn of_two_other_schemas_neither_is_guessed() {
    let sides = replayed(&[("one", "t", &[]), ("two", "u", &[])]);
    let pairing = pair(&service(Some("checkin"), vec![table("t", None, &[])]), &sides);
    assert!(pairing.schema.agrees());
    assert_eq!(pairing.tables[0].replayed, None);
    assert_eq!(pairing.undeclared.len(), 2);
}

#[test]
fn a_silent_yaml_takes_the_only_schema_in_use() {
    let pairing = pair(&service(None, vec![table("t", None, &[])]), &replayed(&[("shop", "t", &[])]));
    assert!(pairing.schema.agrees());
    assert_eq!(pairing.tables[0].declared, QualifiedName::new("shop", "t"));
}

#[test]
fn a_rename_is_owed_only_while_the_former_name_is_there() {
    let declared = || service(Some("s"), vec![table("new", Some("old"), &[("b", Some("a"))])]);
    let owed = pair(&declared(), &replayed(&[("s", "old", &["a"])]));
    assert!(owed.tables[0].renamed && owed.tables[0].columns[0].renamed);
    assert_eq!(owed.tables[0].replayed_column(&"b".into()), "a".into());
    let done = pair(&declared(), &replayed(&[("s", "new", &["b"])]));
    assert!(!done.tables[0].renamed && !done.tables[0].columns[0].renamed);
}

#[test]
fn a_name_that_is_there_outranks_a_former_name() {
    let declared = service(Some("s"), vec![table("new", Some("old"), &[]), table("old", None, &[])]);
    let pairing = pair(&declared, &replayed(&[("s", "old", &[])]));
    assert_eq!(pairing.tables[0].replayed, None);
    assert_eq!(pairing.tables[1].replayed, Some(QualifiedName::new("s", "old")));
}

#[test]
fn columns_that_nobody_claims_are_undeclared() {
    let declared = service(Some("s"), vec![table("t", None, &[("a", None), ("c", Some("b"))])]);
    let pairing = pair(&declared, &replayed(&[("s", "t", &["a", "b", "d"])]));
    assert_eq!(pairing.tables[0].undeclared, ["d".into()]);
}
