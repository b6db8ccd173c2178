//! Nothing is blind: whatever changes in the schema changes in the canonical. And nothing else does.

use testkit::Psql;
use trueup_model::canonical::Canonical;
use trueup_postgres::introspect::introspect;
use trueup_testkit as testkit;

use crate::flat::differences;
use crate::scene::{OWNER, connect, database, inside, options, server};
use crate::story::STORY;

/// One alteration a line.
const ALTERATIONS: &str = include_str!("alterations.sql");

/// Every alteration is made and looked at in a transaction of its own that is then rolled back.
#[tokio::test]
async fn every_alteration_shows() {
    let Some(server) = server(15) else { return };
    let conninfo = database(server, OWNER);
    Psql::new(&conninfo).run(STORY).expect("the story");
    let client = connect(&conninfo).await;
    let before = introspect(&client, &options()).await.expect("an answer").canonical;
    let alterations: Vec<_> = ALTERATIONS.lines().filter(|line| !line.starts_with("--")).collect();
    assert!(alterations.len() >= 100);
    let (mut blind, mut refused) = (Vec::new(), Vec::new());
    for alteration in &alterations {
        if let Err(why) = client.batch_execute(&format!("BEGIN; {alteration}")).await {
            refused.push(format!(
                "{alteration}: {}",
                why.as_db_error().map_or_else(|| why.to_string(), ToString::to_string)
            ));
        } else if introspect(&client, &options()).await.expect("an answer").canonical == before {
            blind.push(alteration);
        }
        client.batch_execute("ROLLBACK").await.expect("a rollback");
    }
    assert!(refused.is_empty(), "these are not SQL that the owner may run:\n{refused:#?}");
    assert!(blind.is_empty(), "these do not show:\n{blind:#?}");
    assert_eq!(introspect(&client, &options()).await.expect("an answer").canonical, before);
}

/// Pairs of scripts that make the same schema.
const SAME: [(&str, &str); 9] = [
    (
        "CREATE TABLE t (a varchar(20) DEFAULT 'x', b int8, c timestamptz DEFAULT NOW(), d bool, e decimal(5,2), f char)",
        "CREATE TABLE t (a character varying(20) DEFAULT 'x'::varchar, b bigint, c timestamp with time zone DEFAULT now(), \
         d boolean, e numeric(5, 2), f character(1))",
    ),
    (
        "CREATE TABLE t (a int PRIMARY KEY, b int UNIQUE CHECK (b > 0))",
        "CREATE TABLE t (a int NOT NULL, b integer); ALTER TABLE t ADD CONSTRAINT t_b_check CHECK ((b) > 0); \
         ALTER TABLE t ADD CONSTRAINT t_b_key UNIQUE (b); ALTER TABLE t ADD CONSTRAINT t_pkey PRIMARY KEY (a)",
    ),
    (
        "CREATE TABLE t (a serial)",
        "CREATE SEQUENCE t_a_seq AS int; CREATE TABLE t (a int NOT NULL DEFAULT nextval('t_a_seq')); \
         ALTER SEQUENCE t_a_seq OWNED BY t.a",
    ),
    (
        "CREATE TABLE t (a int, b text); CREATE INDEX i ON t (a); CREATE INDEX j ON t USING btree (b text_ops ASC NULLS LAST)",
        "CREATE TABLE t (gone int, a int, b text); ALTER TABLE t DROP gone; CREATE INDEX j ON t (b); CREATE INDEX i ON t (a)",
    ),
    (
        "CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX i ON t (lower(a::text), b DESC) WHERE a > 0 AND b IN (1, 2)",
        "CREATE TABLE t (a int, b int); CREATE UNIQUE INDEX i ON t (LOWER(CAST(a AS text)), b DESC NULLS FIRST) \
         WHERE ((a > 0)) AND b = ANY (ARRAY[1, 2])",
    ),
    (
        "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE INDEX i ON p (a); CREATE TABLE c PARTITION OF p FOR VALUES IN (1)",
        "CREATE TABLE c (a int); CREATE INDEX c_a_idx ON c (a); CREATE TABLE p (a int) PARTITION BY LIST (a); \
         ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1); CREATE INDEX i ON p (a)",
    ),
    (
        "CREATE TYPE e AS ENUM ('a', 'b', 'c')",
        "CREATE TYPE e AS ENUM ('a', 'c'); ALTER TYPE e ADD VALUE 'b' BEFORE 'c'",
    ),
    (
        "CREATE TABLE t (a int); GRANT SELECT, INSERT ON t TO story_reader",
        "CREATE TABLE t (a int); GRANT INSERT ON t TO story_reader; GRANT ALL ON t TO CURRENT_USER; GRANT SELECT ON t TO story_reader",
    ),
    (
        "CREATE TABLE t (a int) WITH (fillfactor = 50, autovacuum_enabled = off); COMMENT ON TABLE t IS 'x'",
        "CREATE TABLE t (a int) WITH (autovacuum_enabled = off, fillfactor = 50); COMMENT ON TABLE t IS 'y'; COMMENT ON TABLE t IS 'x'",
    ),
];

async fn made_by(client: &tokio_postgres::Client, script: &str) -> Canonical {
    let script = format!("BEGIN; CREATE SCHEMA s; SET LOCAL search_path = s; {script}");
    client.batch_execute(&script).await.unwrap_or_else(|why| panic!("{script}: {why:?}"));
    let made = introspect(client, &options()).await.expect("an answer").canonical;
    client.batch_execute("ROLLBACK").await.expect("a rollback");
    made
}

#[tokio::test]
async fn spelling_and_order_do_not_show() {
    let Some(server) = server(15) else { return };
    let client = connect(&database(server, OWNER)).await;
    for (one, other) in SAME {
        let (left, right) = (made_by(&client, one).await, made_by(&client, other).await);
        assert_eq!(differences(&left, &right), Vec::<String>::new(), "{one}");
        assert_eq!(left, right, "{one}");
    }
}

#[tokio::test]
async fn a_second_database_made_alike_is_equal_for_any_owner_and_reader() {
    let Some(server) = server(15) else { return };
    let (one, other) = (database(server, OWNER), database(server, "other_owner"));
    // Objects of before, so that oids and transactions differ.
    Psql::new(&other).run("CREATE TABLE gone (a int); DROP TABLE gone;").expect("a detour");
    for conninfo in [&one, &other] {
        Psql::new(conninfo).run(STORY).expect("the story");
    }
    let (left, right) = (inside(&one).await, inside(&other).await);
    assert_eq!(differences(&left.canonical, &right.canonical), Vec::<String>::new());
    assert!(!format!("{:?}", left.canonical).contains(OWNER), "the owner's name shows");
}
