//! Each rare kind of object on its own: the first question must notice it, or it is never read.

use trueup_postgres::introspect::introspect;

use testkit::Psql;
use trueup_testkit as testkit;

use crate::scene::{connect, database, options, server};

/// One object of a rare kind each, in a database with nothing else.
const ALONE: [&str; 19] = [
    "CREATE TABLE t (a int, b int); CREATE STATISTICS s ON a, b FROM t",
    "CREATE COLLATION c (locale = 'C')",
    "CREATE OPERATOR |+| (leftarg = int, rightarg = int, function = int4pl)",
    "CREATE OPERATOR FAMILY f USING btree",
    "CREATE OPERATOR CLASS c FOR TYPE int USING btree AS STORAGE int",
    "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple)",
    "CREATE TEXT SEARCH CONFIGURATION c (COPY = simple)",
    "CREATE TEXT SEARCH TEMPLATE t (lexize = dsimple_lexize)",
    "CREATE TEXT SEARCH PARSER p (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype)",
    "CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM utf8_to_iso8859_1",
    "CREATE CAST (varchar AS bytea) WITHOUT FUNCTION",
    "CREATE PUBLICATION p",
    "CREATE FOREIGN DATA WRAPPER w",
    "CREATE LANGUAGE l HANDLER plpgsql_call_handler",
    "CREATE ACCESS METHOD m TYPE TABLE HANDLER heap_tableam_handler",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO story_reader",
    "CREATE TABLE t (a int); CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING",
    "CREATE TYPE shell",
    "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()",
];

#[tokio::test]
async fn every_rare_kind_is_noticed_alone() {
    for major in [13, 15, 18] {
        let Some(server) = server(major) else { continue };
        let template = database(server, "postgres");
        let client = connect(&template).await;
        let nothing = introspect(&client, &options()).await.expect("an answer").canonical;
        assert!(nothing.others.is_empty());
        for script in ALONE {
            client.batch_execute(&format!("BEGIN; {script}")).await.unwrap_or_else(|why| panic!("{script}: {why:?}"));
            let seen = introspect(&client, &options()).await.expect("an answer").canonical;
            assert!(!seen.others.is_empty(), "{script}");
            client.batch_execute("ROLLBACK").await.expect("a rollback");
        }
        Psql::new(&template).run("SELECT 1").expect("the server is well");
    }
}
