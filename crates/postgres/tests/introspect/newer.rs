//! What only newer majors have.

use trueup_model::canonical::{Canonical, Table};
use trueup_model::name::QualifiedName;
use trueup_postgres::introspect::introspect;

use crate::scene::{OWNER, connect, database, options, server};

/// Runs the script in a new database of this major; what is there then.
async fn made(major: u16, script: &str) -> Option<Canonical> {
    let client = connect(&database(server(major)?, OWNER)).await;
    client.batch_execute(script).await.unwrap_or_else(|why| panic!("{script}: {why:?}"));
    Some(introspect(&client, &options()).await.expect("an answer").canonical)
}

fn table<'a>(canonical: &'a Canonical, name: &str) -> &'a Table {
    &canonical.tables[&QualifiedName::new("public", name)]
}

#[tokio::test]
async fn compression_since_14() {
    let script = "CREATE TABLE t (a text COMPRESSION pglz, b text)";
    let Some(canonical) = made(14, script).await else { return };
    let columns = &table(&canonical, "t").columns;
    assert_eq!(columns[0].attributes.get("compression").map(String::as_str), Some("pglz"));
    assert!(columns[1].attributes.is_empty());
}

#[tokio::test]
async fn nulls_not_distinct_and_listed_columns_since_15() {
    let script = "CREATE TABLE t (a int, b int, c int PRIMARY KEY, UNIQUE NULLS NOT DISTINCT (a, b)); \
        CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT; CREATE UNIQUE INDEX j ON t (a); \
        CREATE TABLE u (x int, y int, FOREIGN KEY (x, y) REFERENCES t (a, b) ON DELETE SET NULL (y)); \
        CREATE UNLOGGED SEQUENCE s; CREATE PUBLICATION p FOR TABLE t (a, c) WHERE (c > 0), TABLES IN SCHEMA public";
    for major in [15, 18] {
        // Naming a schema is the superuser's privilege.
        let script = script.replace(", TABLES IN SCHEMA public", "");
        let Some(canonical) = made(major, &script).await else { continue };
        let t = table(&canonical, "t");
        assert!(t.unique[0].nulls_not_distinct);
        assert_eq!(t.indexes.iter().map(|index| index.nulls_not_distinct).collect::<Vec<_>>(), [true, false]);
        assert_eq!(table(&canonical, "u").foreign_keys[0].on_delete, "SET NULL (\"y\")");
        assert!(canonical.sequences[&QualifiedName::new("public", "s")].unlogged);
        let publication = canonical.others.iter().find(|(name, _)| name.kind == "publication").expect("a publication");
        let definition = publication.1.definition.as_deref().unwrap_or_default();
        assert!(definition.ends_with("public.t (a, c) WHERE (c > 0)"), "{definition}");
    }
}

#[tokio::test]
async fn virtual_columns_and_periods_since_18() {
    let script = "CREATE EXTENSION btree_gist; \
        CREATE TABLE t (id int, during daterange, twice int GENERATED ALWAYS AS (id * 2) VIRTUAL, \
            CONSTRAINT t_pk PRIMARY KEY (id, during WITHOUT OVERLAPS), CONSTRAINT t_check CHECK (id > 0) NOT ENFORCED); \
        CREATE TABLE u (id int, during daterange, other int, CONSTRAINT u_fk FOREIGN KEY (id, PERIOD during) REFERENCES t (id, PERIOD during), \
            CONSTRAINT u_soft FOREIGN KEY (other) REFERENCES u2 (id) NOT ENFORCED); \
        ALTER TABLE u ADD CONSTRAINT other_there NOT NULL other NOT VALID";
    let script = script.replace("CREATE TABLE u ", "CREATE TABLE u2 (id int PRIMARY KEY); CREATE TABLE u ");
    let Some(canonical) = made(18, &script).await else { return };
    let (t, u) = (table(&canonical, "t"), table(&canonical, "u"));
    assert!(t.primary_key.as_ref().is_some_and(|key| key.without_overlaps));
    assert!(t.columns[2].generated.as_ref().is_some_and(|generated| !generated.stored));
    assert_eq!(
        t.checks.iter().map(|check| (check.name.as_str(), check.enforced)).collect::<Vec<_>>(),
        [("t_check", false)]
    );
    assert_eq!(
        u.foreign_keys.iter().map(|key| (key.period, key.enforced)).collect::<Vec<_>>(),
        [(true, true), (false, false)]
    );
    assert_eq!(u.columns[2].attributes.get("not-null").map(String::as_str), Some("not valid"));
}
