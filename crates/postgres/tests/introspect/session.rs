//! What the caller's session and transactions have to do with it.

use std::collections::BTreeSet;

use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::name::QualifiedName;
use trueup_postgres::introspect::{Introspected, Options, introspect};

use crate::scene::{OWNER, connect, database, options, server};

async fn settings(client: &tokio_postgres::Client) -> Vec<String> {
    let names = [
        "search_path",
        "DateStyle",
        "IntervalStyle",
        "TimeZone",
        "quote_all_identifiers",
        "jit",
        "join_collapse_limit",
    ];
    let mut values = Vec::new();
    for name in names {
        let row = client.query_one("SELECT pg_catalog.current_setting($1)", &[&name]).await.expect("a setting");
        values.push(row.get::<_, String>(0));
    }
    values
}

/// A session as odd as it can be: what is printed does not depend on it, and it is as before afterwards.
#[tokio::test]
async fn session_settings_neither_matter_nor_change() {
    let Some(server) = server(15) else { return };
    let conninfo = database(server, OWNER);
    let plain = connect(&conninfo).await;
    plain
        .batch_execute(
            "CREATE SCHEMA odd; CREATE TABLE odd.t (a timestamptz DEFAULT '2001-02-03 04:05:06+00', b interval DEFAULT '1 day 2h', \
             c bytea DEFAULT '\\x00ff', d float8 DEFAULT 0.1, e text DEFAULT 'a\\b')",
        )
        .await
        .expect("a table");
    let expected = introspect(&plain, &options()).await.expect("an answer").canonical;
    let odd = connect(&conninfo).await;
    odd.batch_execute(
        "SET search_path = odd, pg_catalog; SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'; \
         SET TimeZone = 'Asia/Kathmandu'; SET bytea_output = 'escape'; SET quote_all_identifiers = on; SET extra_float_digits = -15; \
         SET standard_conforming_strings = off; CREATE TEMPORARY TABLE pg_class (oid int)",
    )
    .await
    .expect("odd settings");
    let before = settings(&odd).await;
    assert_eq!(introspect(&odd, &options()).await.expect("an answer").canonical, expected);
    assert_eq!(settings(&odd).await, before);

    odd.batch_execute("BEGIN; SET LOCAL TimeZone = 'America/New_York'; SET jit = off").await.expect("a transaction");
    let before = settings(&odd).await;
    assert_eq!(introspect(&odd, &options()).await.expect("an answer").canonical, expected);
    assert_eq!(settings(&odd).await, before);
    odd.batch_execute("COMMIT").await.expect("the transaction is still good");
}

/// The last of several transactions that wrote an object, each seen also from inside.
#[tokio::test]
async fn provenance_names_the_transaction_that_wrote_last() {
    let Some(server) = server(15) else { return };
    let client = connect(&database(server, OWNER)).await;
    let mut ids = Vec::new();
    for script in [
        "CREATE TABLE t (a int, b int, CONSTRAINT c CHECK (a > 0)); CREATE TYPE e AS ENUM ('x'); CREATE VIEW v AS SELECT 1 AS one",
        "ALTER TABLE t ALTER b SET DEFAULT 1",
        "CREATE INDEX i ON t (a)",
        "ALTER TYPE e ADD VALUE 'y'",
        "CREATE OR REPLACE VIEW v AS SELECT 2 AS one",
    ] {
        client.batch_execute(&format!("BEGIN; {script}")).await.expect("a script");
        let row = client.query_one("SELECT pg_current_xact_id()::text", &[]).await.expect("an id");
        let id: u64 = row.get::<_, String>(0).parse().expect("a number");
        let seen = introspect(&client, &options()).await.expect("an answer");
        assert_eq!(seen.provenance.written_by.values().max(), Some(&id));
        client.batch_execute("COMMIT").await.expect("a commit");
        ids.push(id);
    }
    let Introspected { provenance, .. } = introspect(&client, &options()).await.expect("an answer");
    let t = QualifiedName::new("public", "t");
    let of = |kind, path: &[&str]| provenance.written_by[&ObjectPath::new(kind, path.iter().map(|&part| part.into()))];
    assert_eq!(of(ObjectKind::Table, &["public", "t"]), ids[0]);
    assert_eq!(of(ObjectKind::Constraint, &["public", "t", "c"]), ids[0]);
    assert_eq!(provenance.written_by[&ObjectPath::member(ObjectKind::Column, &t, &"a".into())], ids[0]);
    assert_eq!(provenance.written_by[&ObjectPath::member(ObjectKind::Column, &t, &"b".into())], ids[1]);
    assert_eq!(of(ObjectKind::Index, &["public", "t", "i"]), ids[2]);
    assert_eq!(of(ObjectKind::Type, &["public", "e"]), ids[3]);
    assert_eq!(of(ObjectKind::View, &["public", "v"]), ids[4]);
}

#[tokio::test]
async fn other_schemas_and_provenance_are_left_out_on_request() {
    let Some(server) = server(15) else { return };
    let client = connect(&database(server, OWNER)).await;
    let script = "CREATE SCHEMA one; CREATE TABLE one.t (a serial); CREATE SCHEMA two; CREATE TABLE two.t (a serial)";
    client.batch_execute(script).await.expect("two schemas");
    let only = Options { schemas: Some(BTreeSet::from(["one".into()])), ..Options::default() };
    let seen = introspect(&client, &only).await.expect("an answer");
    let of_one = |name: &QualifiedName| name.schema.as_str() == "one";
    assert_eq!((seen.canonical.tables.len(), seen.canonical.sequences.len(), seen.canonical.schemas.len()), (1, 1, 1));
    assert!(seen.canonical.tables.keys().chain(seen.canonical.sequences.keys()).all(of_one));
    assert!(seen.provenance.written_by.is_empty());
}
