//! Everything a replay must survive: after any failure nothing more runs, and the failure is told where it is.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail by panicking and say what they measured")]
#![allow(clippy::single_range_in_vec_init, reason = "statements are lists of ranges")]

mod support;

use std::ops::Range;
use std::time::{Duration, Instant};

use support::{Database, run, server};
use trueup_migrations::statements::{StatementKind, split};
use trueup_postgres::replay::{
    CopyData, FailureCause, HistoryRow, Mode, ReplayFailure, ReplayOptions, ReplayOutcome, Script, replay,
};
use trueup_postgres::session::Session;

fn script(id: usize, text: &str) -> Script {
    let (mut statements, mut copies) = (Vec::new(), Vec::new());
    for statement in split(text).map(|split| split.statements).unwrap_or_default() {
        if let StatementKind::CopyFromStdin { data } = statement.kind {
            copies.push(CopyData { statement: statements.len(), data });
        }
        statements.push(statement.range);
    }
    Script { id, text: text.to_owned(), statements, mode: Mode::Ahead, copies, history: None }
}

fn scripts(texts: &[&str]) -> Vec<Script> {
    texts.iter().enumerate().map(|(id, text)| script(id, text)).collect()
}

async fn replayed(database: &Database, scripts: &[Script]) -> ReplayOutcome {
    replay_with(database, scripts, &ReplayOptions::default()).await
}

async fn replay_with(database: &Database, scripts: &[Script], options: &ReplayOptions) -> ReplayOutcome {
    replay(&mut database.connect().await, scripts, options).await.expect("surroundings")
}

/// Replays `CREATE TABLE a`, the script, and twenty more tables that must not come to be; gives the failure of the
/// script, and what tables there are.
async fn failing(text: &str) -> (ReplayFailure, String) {
    failing_script(script(1, text)).await
}

async fn failing_script(middle: Script) -> (ReplayFailure, String) {
    let database = server().database().await;
    let mut all = vec![script(0, "CREATE TABLE a (x int primary key);"), middle];
    all.extend((2..22).map(|id| script(id, &format!("CREATE TABLE late{id} ();"))));
    let outcome = replayed(&database, &all).await;
    assert_eq!(outcome.applied.iter().map(|applied| applied.script).collect::<Vec<_>>(), [0]);
    let failure = outcome.failure.expect("a failure");
    assert_eq!(failure.script, 1);
    (failure, database.tables().await)
}

/// Replays `CREATE TABLE a`, the script and `CREATE TABLE z`, all of which succeed; gives the tables there are.
async fn passing(text: &str) -> String {
    let database = server().database().await;
    let outcome =
        replayed(&database, &scripts(&["CREATE TABLE a (x int primary key);", text, "CREATE TABLE z ();"])).await;
    assert_eq!(outcome.failure, None);
    assert_eq!(outcome.applied.len(), 3);
    database.tables().await
}

fn state(failure: &ReplayFailure) -> &str {
    failure.server_error().map_or("none", |error| error.sqlstate.as_str())
}

#[tokio::test]
async fn syntax_error() {
    let text = "CREATE TABLE b ();\nCREATE TABEL c ();\nCREATE TABLE d ();";
    let (failure, tables) = failing(text).await;
    assert_eq!((state(&failure), failure.statement, failure.offset), ("42601", Some(1), text.find("TABEL")));
    assert_eq!(tables, "a");
}

#[tokio::test]
async fn open_comment_quote_and_dollar_quote() {
    for text in [
        "CREATE TABLE b (); /* open",
        "CREATE TABLE b (); SELECT 'open",
        "CREATE TABLE b (); SELECT \"open",
        "CREATE TABLE b (); SELECT $x$ open",
        "CREATE TABLE b (); SELECT E'open\\",
        "CREATE TABLE b (); SELECT (1",
    ] {
        let (failure, tables) = failing(text).await;
        assert_eq!((state(&failure), tables.as_str()), ("42601", "a"), "{text}");
    }
}

/// Text that the database cannot hold fails as a whole, before its BEGIN; a second look finds the statement.
#[tokio::test]
async fn text_that_the_database_cannot_hold() {
    let database = server().named("latin1", "TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'").await;
    let all = scripts(&["CREATE TABLE a ();", "CREATE TABLE b (); SELECT '☃'; SELECT 1", "CREATE TABLE c ();"]);
    let outcome = replayed(&database, &all).await;
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.script, state(&failure), failure.statement), (1, "22P05", Some(1)));
    assert_eq!(database.tables().await, "a");
}

#[tokio::test]
async fn a_nul_byte() {
    let mut text = "CREATE TABLE b (); SELECT 1".to_owned();
    text.push('\0');
    let (failure, tables) = failing(&text).await;
    assert_eq!((failure.cause, failure.offset, tables.as_str()), (FailureCause::Nul, Some(27), "a"));
}

#[tokio::test]
async fn comment_at_the_end_without_newline() {
    assert_eq!(passing("CREATE TABLE b (); -- end").await, "a b z");
    assert_eq!(passing("CREATE TABLE b () -- end").await, "a b z");
    assert_eq!(passing("-- nothing").await, "a z");
    assert_eq!(passing("").await, "a z");
}

#[tokio::test]
async fn deferred_foreign_key_failing_at_commit() {
    let (failure, tables) =
        failing("CREATE TABLE b (x int REFERENCES a DEFERRABLE INITIALLY DEFERRED); INSERT INTO b VALUES (1);").await;
    assert!(matches!(failure.cause, FailureCause::Commit(_)));
    assert_eq!((state(&failure), failure.statement, tables.as_str()), ("23503", None, "a"));
}

#[tokio::test]
async fn deferred_constraint_trigger_failing_at_commit() {
    let text = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'no'; END$$;
        CREATE CONSTRAINT TRIGGER t AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();
        INSERT INTO a VALUES (1);";
    let (failure, tables) = failing(text).await;
    assert!(matches!(failure.cause, FailureCause::Commit(_)));
    assert_eq!((state(&failure), tables.as_str()), ("P0001", "a"));
}

#[tokio::test]
async fn hidden_commit() {
    assert_eq!(passing("CREATE TABLE b (); COMMIT; CREATE TABLE c ();").await, "a b c z");
    assert_eq!(passing("BEGIN; CREATE TABLE b (); COMMIT;").await, "a b z");
}

#[tokio::test]
async fn hidden_commit_then_error() {
    let text = "CREATE TABLE b (); COMMIT; CREATE TABLE c (); SELECT 1/0; CREATE TABLE d ();";
    let (failure, tables) = failing(text).await;
    assert_eq!((state(&failure), failure.statement, tables.as_str()), ("22012", Some(3), "a b"));
}

#[tokio::test]
async fn hidden_rollback() {
    assert_eq!(passing("CREATE TABLE b (); ROLLBACK; CREATE TABLE c ();").await, "a c z");
    let (failure, tables) = failing("CREATE TABLE b (); ROLLBACK; SELECT 1/0;").await;
    assert_eq!((state(&failure), failure.statement, tables.as_str()), ("22012", Some(2), "a"));
}

#[tokio::test]
async fn commit_and_begin() {
    assert_eq!(passing("CREATE TABLE b (); COMMIT; BEGIN; CREATE TABLE c ();").await, "a b c z");
    let (failure, tables) = failing("CREATE TABLE b (); COMMIT; BEGIN; CREATE TABLE c (); SELECT 1/0").await;
    assert_eq!((state(&failure), failure.statement, tables.as_str()), ("22012", Some(4), "a b"));
}

#[tokio::test]
async fn savepoint_left_open() {
    assert_eq!(passing("CREATE TABLE b (); SAVEPOINT s; CREATE TABLE c ();").await, "a b c z");
}

#[tokio::test]
async fn prepare_transaction() {
    let database = server().database().await;
    let text = "CREATE TABLE b (); PREPARE TRANSACTION 'p1'; COMMIT PREPARED 'p1';";
    let outcome = replayed(&database, &scripts(&["CREATE TABLE a ();", text, "CREATE TABLE z ();"])).await;
    // COMMIT PREPARED cannot run in the block that the rest of the message is; nothing after it runs.
    assert_eq!(outcome.applied.len(), 1);
    assert_eq!((state(&outcome.failure.unwrap()), database.tables().await.as_str()), ("25001", "a"));
    run(&mut Session::connect(&database.admin).await.unwrap(), "ROLLBACK PREPARED 'p1'").await;
}

#[tokio::test]
async fn set_transaction_goes_alone_and_is_found_out_when_it_did_not() {
    let text = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE b AS SELECT current_setting('transaction_isolation') i;";
    for mode in [Mode::Alone, Mode::Ahead] {
        let database = server().database().await;
        let mut all = scripts(&["CREATE TABLE a ();", text, "CREATE TABLE z ();"]);
        all[1].mode = mode;
        let outcome = replayed(&database, &all).await;
        assert_eq!((outcome.failure, outcome.applied.len()), (None, 3), "{mode:?}");
        assert_eq!(database.ask("SELECT i FROM b").await, "serializable");
    }
}

#[tokio::test]
async fn first_piece_of_a_big_file_not_parsing() {
    let filler = format!("SELECT '{}';\n", "x".repeat(700_000));
    let text = format!("CREATE TABEL b ();{filler}{filler}CREATE TABLE c ();");
    let (failure, tables) = failing(&text).await;
    assert_eq!((state(&failure), failure.statement, failure.offset), ("42601", Some(0), Some(7)));
    assert_eq!(tables, "a");
    let text = format!("CREATE TABLE b ();{filler}{filler}CREATE TABLE c (); SELECT nope;");
    let (failure, tables) = failing(&text).await;
    assert_eq!((failure.statement, failure.offset, tables.as_str()), (Some(4), text.find("nope"), "a"));
    let text = format!("CREATE TABLE b ();{filler}{filler}CREATE TABLE c ();");
    assert_eq!(passing(&text).await, "a b c z");
}

#[tokio::test]
async fn role_is_restored() {
    let database = server().database().await;
    let mut admin = Session::connect(&database.admin).await.unwrap();
    let (me, other) = (database.owner.user.clone(), format!("other_{}", database.owner.user));
    run(&mut admin, &format!("CREATE ROLE {other}; GRANT {other} TO {me}; GRANT CREATE ON SCHEMA public TO {other}"))
        .await;
    let set = format!("SET ROLE {other}; CREATE TABLE b ();");
    let outcome = replayed(&database, &scripts(&[&set, "CREATE TABLE c ();", "RESET ROLE; CREATE TABLE d ()"])).await;
    assert_eq!(outcome.failure, None);
    let owners = "SELECT tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename";
    assert_eq!(database.ask(owners).await, format!("{other} {me} {me}"));
}

#[tokio::test]
async fn search_path_emptied_as_pg_dump_does() {
    let text = "SELECT pg_catalog.set_config('search_path', '', false); CREATE TABLE public.b ();";
    assert_eq!(passing(text).await, "a b z");
    assert_eq!(passing("CREATE SCHEMA s; SET search_path = s; CREATE TABLE inside ();").await, "a z");
}

#[tokio::test]
async fn operators_of_the_script_do_not_reach_the_checks() {
    let text = "CREATE SCHEMA evil;
        CREATE FUNCTION evil.no(text, text) RETURNS bool LANGUAGE sql AS 'SELECT false';
        CREATE OPERATOR evil.= (LEFTARG = text, RIGHTARG = text, FUNCTION = evil.no);
        CREATE FUNCTION evil.current_setting(text, bool) RETURNS text LANGUAGE sql AS 'SELECT 1::text';
        SET search_path = evil, pg_catalog;";
    assert_eq!(passing(text).await, "a z");
}

#[tokio::test]
async fn search_path_leaks_where_flyway_lets_it() {
    let database = server().database().await;
    let mut owner = database.owner.clone();
    owner.options.push(("search_path".to_owned(), "public".to_owned()));
    let all = scripts(&["CREATE SCHEMA s; SET search_path = s;", "CREATE TABLE t ();"]);
    let mut session = Session::connect(&owner).await.unwrap();
    let outcome = replay(&mut session, &all, &ReplayOptions::default()).await.unwrap();
    assert_eq!((outcome.failure, outcome.search_path), (None, None));
    assert_eq!(database.ask("SELECT relnamespace::regnamespace FROM pg_class WHERE relname = 't'").await, "s");
}

#[tokio::test]
async fn default_schema_is_created_and_leads_the_path() {
    let database = server().database().await;
    let options = ReplayOptions {
        default_schema: Some("o'brien \"é\"".into()),
        create_schemas: vec!["o'brien \"é\"".into()],
        ..ReplayOptions::default()
    };
    let all = scripts(&["SET search_path = ''; SET standard_conforming_strings = off", "CREATE TABLE t ();"]);
    let outcome = replay_with(&database, &all, &options).await;
    assert_eq!(outcome.failure, None);
    let name = "SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE relname = 't'";
    assert_eq!(database.ask(name).await, "o'brien \"é\"");
}

#[tokio::test]
async fn settings_persist_as_with_flyway_but_for_reading_literals() {
    let text = "CREATE TABLE s AS SELECT current_setting('TimeZone') z, current_setting('standard_conforming_strings') c, '\\n' n";
    let database = server().database().await;
    let outcome = replayed(
        &database,
        &scripts(&[
            "SET TIME ZONE 'Asia/Tokyo'; SET standard_conforming_strings = off; SET client_encoding = LATIN1",
            text,
        ]),
    )
    .await;
    assert_eq!(outcome.failure, None);
    assert_eq!(database.ask("SELECT z || c || n FROM s").await, "Asia/Tokyoon\\n");
}

#[tokio::test]
async fn standard_conforming_strings_off_inside_a_file() {
    let text = "SET standard_conforming_strings = off; CREATE TABLE b AS SELECT 'it\\'s' x;";
    let database = server().database().await;
    let mut all = scripts(&["CREATE TABLE a ();", text, "CREATE TABLE z AS SELECT '\\' x;"]);
    all[1].mode = Mode::Stepwise;
    all[1].statements = vec![0..37, 39..text.len() - 1];
    let outcome = replayed(&database, &all).await;
    assert_eq!(outcome.failure, None);
    assert_eq!(database.ask("SELECT b.x || z.x FROM b, z").await, "it's\\");
}

#[tokio::test]
async fn session_replication_role_does_not_leak() {
    let database = server().database().await;
    let mut session = Session::connect(&database.admin).await.unwrap();
    let all = scripts(&[
        "CREATE TABLE a (x int primary key); CREATE TABLE b (x int REFERENCES a);",
        "SET session_replication_role = replica; INSERT INTO b VALUES (1);",
        "INSERT INTO b VALUES (2);",
    ]);
    let outcome = replay(&mut session, &all, &ReplayOptions::default()).await.unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.script, state(&failure), failure.statement), (2, "23503", Some(0)));
}

#[tokio::test]
async fn reset_all_and_discard_all() {
    assert_eq!(passing("RESET ALL; CREATE TABLE b ();").await, "a b z");
    let mut discard = script(1, "DISCARD ALL; CREATE TABLE b ();");
    discard.mode = Mode::Autocommit;
    let database = server().database().await;
    let outcome =
        replayed(&database, &[script(0, "CREATE TABLE a ();"), discard, script(2, "CREATE TABLE c ();")]).await;
    assert_eq!((outcome.failure, database.tables().await.as_str()), (None, "a b c"));
}

#[tokio::test]
async fn a_script_that_lies_about_how_far_it_came() {
    let (failure, tables) = failing("SET trueup.at = 'done'; SELECT 1/0").await;
    assert_eq!((state(&failure), tables.as_str()), ("22012", "a"));
    let (_, tables) = failing("SET trueup.at = 'done'; COMMIT; CREATE TABLE b (); SELECT 1/0").await;
    assert_eq!(tables, "a");
    let text = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
          $$BEGIN PERFORM set_config('trueup.at', 'x', false); RETURN NULL; END$$;
        CREATE CONSTRAINT TRIGGER t AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();
        INSERT INTO a VALUES (1);";
    let (failure, tables) = failing(text).await;
    assert_eq!((failure.cause, tables.as_str()), (FailureCause::Tampered, "a"));
}

#[tokio::test]
async fn copy_with_data() {
    let text = "CREATE TABLE b (x int, y text);\nCOPY b FROM stdin;\n1\té\n2\t\\N\n\\.\nINSERT INTO b VALUES (3);";
    assert_eq!(passing(text).await, "a b z");
    let bad = "CREATE TABLE b (x int);\nCOPY b FROM stdin;\n1\nnope\n\\.\nINSERT INTO b VALUES (3);";
    let (failure, tables) = failing(bad).await;
    assert_eq!((state(&failure), failure.statement, tables.as_str()), ("22P02", Some(1), "a"));
    assert!(failure.server_error().unwrap().where_.as_ref().unwrap().contains("line 2"));
}

#[tokio::test]
async fn copy_first_in_a_script_and_long() {
    let database = server().database().await;
    let data: String = (0..300_000).map(|n| format!("{n}\n")).collect();
    let text = format!("COPY a FROM stdin;\n{data}\\.\n");
    let outcome = replayed(&database, &scripts(&["CREATE TABLE a (x int);", &text, "CREATE TABLE z ();"])).await;
    assert_eq!(outcome.failure, None);
    assert_eq!(database.ask("SELECT count(*) FROM a").await, "300000");
    assert!(outcome.applied[1].xids.start > outcome.applied[0].xids.start);
}

#[tokio::test]
async fn copy_missed_by_the_splitter() {
    let mut missed = script(1, "CREATE TABLE b (); COPY a FROM STDIN; CREATE TABLE c ();");
    missed.statements = vec![0..17, 19..36, 38..55];
    missed.copies.clear();
    let (failure, tables) = failing_script(missed).await;
    assert_eq!((failure.cause, failure.statement, tables.as_str()), (FailureCause::CopyWithoutData, Some(1), "a"));
}

#[tokio::test]
async fn statement_timeout_in_the_middle() {
    let (failure, tables) = failing("SET statement_timeout = '50ms'; CREATE TABLE b (); SELECT pg_sleep(30);").await;
    assert_eq!((state(&failure), failure.statement, tables.as_str()), ("57014", Some(2), "a"));
}

#[tokio::test]
async fn lock_timeout_in_the_middle() {
    let database = server().database().await;
    let mut admin = Session::connect(&database.admin).await.unwrap();
    run(&mut admin, "CREATE TABLE held ()").await;
    run(&mut admin, "BEGIN; LOCK TABLE held").await;
    let all = scripts(&["CREATE TABLE a ();", "SET lock_timeout = '50ms'; DROP TABLE held;", "CREATE TABLE z ();"]);
    let mut session = Session::connect(&database.admin).await.unwrap();
    let outcome = replay(&mut session, &all, &ReplayOptions::default()).await.unwrap();
    let failure = outcome.failure.unwrap();
    assert_eq!((failure.script, state(&failure), failure.statement), (1, "55P03", Some(1)));
    run(&mut admin, "ROLLBACK").await;
    assert_eq!(database.tables().await, "a held");
}

#[tokio::test]
async fn serialization_failure_at_commit() {
    // A deferred trigger that raises 40001 stands in for a conflict, which needs a second writer at the right moment.
    let text = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'conflict' USING ERRCODE = '40001'; END$$;
        CREATE CONSTRAINT TRIGGER t AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();
        INSERT INTO a VALUES (1);";
    let (failure, tables) = failing(text).await;
    assert_eq!((state(&failure), tables.as_str()), ("40001", "a"));
}

#[tokio::test]
async fn concurrently_runs_outside_a_transaction() {
    let database = server().database().await;
    let mut index = script(1, "CREATE INDEX CONCURRENTLY i ON a (x); CREATE INDEX CONCURRENTLY j ON a (x, y)");
    index.mode = Mode::Autocommit;
    let all = [script(0, "CREATE TABLE a (x int, y int);"), index.clone(), script(2, "CREATE TABLE z ();")];
    let outcome = replayed(&database, &all).await;
    assert_eq!((outcome.failure, outcome.applied.len()), (None, 3));
    let bad = script(1, "CREATE INDEX CONCURRENTLY i ON a (x); CREATE INDEX CONCURRENTLY j ON nope (x)");
    let (failure, tables) = failing_script(Script { mode: Mode::Autocommit, ..bad.clone() }).await;
    let offset = failure.offset.map(|at| &bad.text[at..]);
    let expected = ("42P01", Some(1), Some("CREATE INDEX CONCURRENTLY j ON nope (x)"), "a");
    assert_eq!((state(&failure), failure.statement, offset, tables.as_str()), expected);
    let (failure, _) = failing_script(Script { mode: Mode::Ahead, ..bad }).await;
    assert_eq!((state(&failure), failure.statement), ("25001", Some(0)));
}

#[tokio::test]
async fn runtime_errors_are_placed_by_counting() {
    let text = "CREATE TABLE b (); -- é\n;; INSERT INTO a VALUES (1);\n/* x */ INSERT INTO a VALUES (1); SELECT 1;";
    let (failure, tables) = failing(text).await;
    assert_eq!((state(&failure), failure.statement, tables.as_str()), ("23505", Some(2), "a"));
    assert_eq!(failure.offset, text.rfind("INSERT"));
}

#[tokio::test]
async fn the_deadline_cancels_an_endless_script() {
    for endless in ["SELECT pg_sleep(1e6)", "DO $$BEGIN LOOP END LOOP; END$$"] {
        for mode in [Mode::Ahead, Mode::Alone, Mode::Autocommit, Mode::Stepwise] {
            let database = server().database().await;
            let middle = Script { mode, ..script(1, &format!("CREATE TABLE b (); {endless};")) };
            let all = [script(0, "CREATE TABLE a ();"), middle, script(2, "CREATE TABLE z ();")];
            let deadline = Some(tokio::time::Instant::now() + Duration::from_millis(300));
            let start = Instant::now();
            let outcome = replay_with(&database, &all, &ReplayOptions { deadline, ..ReplayOptions::default() }).await;
            let failure = outcome.failure.unwrap();
            assert_eq!((failure.script, failure.statement), (1, Some(1)), "{endless} {mode:?}");
            assert_eq!(failure.cause, FailureCause::Deadline);
            assert!(start.elapsed() < Duration::from_secs(5));
            let left = if mode == Mode::Autocommit { "a b" } else { "a" };
            assert_eq!(database.tables().await, left);
        }
    }
}

#[tokio::test]
async fn a_script_that_ends_its_own_session() {
    let (failure, tables) = failing("CREATE TABLE b (); SELECT pg_terminate_backend(pg_backend_pid()); SELECT 1").await;
    assert!(matches!(failure.cause, FailureCause::ConnectionLost(Some(_))));
    assert_eq!((failure.statement, tables.as_str()), (Some(1), "a"));
}

#[tokio::test]
async fn transaction_ids_tell_which_script_wrote_a_row() {
    let database = server().database().await;
    let block =
        "DO $$BEGIN CREATE TABLE b (x int); BEGIN CREATE TABLE c (x int); EXCEPTION WHEN others THEN RAISE; END; END$$";
    let mut index = script(2, "CREATE INDEX CONCURRENTLY d ON a (x)");
    index.mode = Mode::Autocommit;
    let all = [
        script(0, "CREATE TABLE a (x int)"),
        script(1, block),
        index,
        script(3, "CREATE TABLE e (); COMMIT; CREATE TABLE f ()"),
    ];
    let outcome = replayed(&database, &all).await;
    assert_eq!(outcome.failure, None);
    let ranges: Vec<Range<u64>> = outcome.applied.iter().map(|applied| applied.xids.clone()).collect();
    for (name, writer) in [("a", 0), ("b", 1), ("c", 1), ("d", 2), ("e", 3), ("f", 3)] {
        let table = if name == "d" {
            "pg_index WHERE indexrelid = 'd'::regclass"
        } else {
            &format!("pg_attribute WHERE attrelid = '{name}'::regclass LIMIT 1")
        };
        let xmin: u64 = database.ask(&format!("SELECT xmin FROM {table}")).await.parse().unwrap();
        let found = ranges.iter().position(|range| range.contains(&xmin));
        assert_eq!(found, Some(writer), "{name} {xmin} {ranges:?}");
    }
}

#[tokio::test]
async fn history_stands_in_for_scripts_that_name_it() {
    let database = server().database().await;
    let mut all =
        scripts(&["CREATE TABLE a ();", "DELETE FROM flyway_schema_history WHERE version IS NULL", "SELECT 1"]);
    for (n, script) in all.iter_mut().enumerate() {
        script.history = Some(HistoryRow {
            version: (n > 0).then(|| n.to_string()),
            description: "it's".to_owned(),
            kind: "SQL".to_owned(),
            script: format!("V{n}__it's.sql"),
            checksum: Some(-1),
        });
    }
    let history = Some(trueup_model::name::QualifiedName::new("public", "flyway_schema_history"));
    let outcome = replay_with(&database, &all, &ReplayOptions { history, ..ReplayOptions::default() }).await;
    assert_eq!(outcome.failure, None);
    assert_eq!(database.ask("SELECT version FROM flyway_schema_history ORDER BY installed_rank").await, "1 2");
}

#[tokio::test]
async fn few_round_trips() {
    let database = server().database().await;
    let all: Vec<Script> = (0..200).map(|n| script(n, &format!("CREATE TABLE t{n} (x int);"))).collect();
    let outcome = replayed(&database, &all).await;
    assert_eq!((outcome.failure, outcome.applied.len()), (None, 200));
    assert_eq!(outcome.round_trips, 4);
}

/// Cancels at random moments: what is reported as applied is what the database holds, and both are a prefix.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_cancels_leave_a_prefix() {
    const ROUNDS: u64 = 300;
    let database = server().database().await;
    let all: Vec<Script> = (0..40)
        .map(|n| script(n, &format!("CREATE TABLE t{n:02} (x int primary key); INSERT INTO t{n:02} VALUES (1)")))
        .collect();
    // How long it takes undisturbed: on a fast machine the moments lie closer together.
    let start = std::time::Instant::now();
    assert_eq!(replayed(&database, &all).await.failure, None);
    let took = start.elapsed();
    let clear = async || {
        let mut admin = Session::connect(&database.admin).await.unwrap();
        let sql = format!("DROP OWNED BY {} CASCADE; GRANT ALL ON SCHEMA public TO PUBLIC", database.owner.user);
        run(&mut admin, &sql).await;
    };
    clear().await;
    let mut stopped = 0;
    for round in 0..ROUNDS {
        let mut session = database.connect().await;
        let handle = session.cancel_handle();
        let moments = u32::try_from(round * 1000 / ROUNDS + round * 7919 % 97).unwrap();
        let pause = took * moments / 1000;
        let canceller = tokio::spawn(async move {
            tokio::time::sleep(pause).await;
            handle.cancel().await
        });
        let outcome = replay(&mut session, &all, &ReplayOptions::default()).await;
        canceller.await.unwrap().unwrap();
        let (applied, failed) = match &outcome {
            Ok(outcome) => (outcome.applied.len(), outcome.failure.is_some()),
            // Before the first script.
            Err(error) => {
                assert!(error.to_string().contains("57014"), "{error}");
                (0, true)
            }
        };
        stopped += u32::from(failed);
        let tables: Vec<String> = (0..applied).map(|n| format!("t{n:02}")).collect();
        assert_eq!(database.tables().await, tables.join(" "), "round {round}");
        assert_eq!(failed, applied < all.len());
        drop(session);
        clear().await;
    }
    println!("{stopped} of {ROUNDS} replays were stopped by their cancel");
    assert!(stopped > 60, "only {stopped} cancels hit");
}

/// A client that is killed with a full window: what the database holds is a prefix.
#[tokio::test]
async fn a_client_that_goes_away_leaves_a_prefix() {
    for round in 0..20u64 {
        let database = server().database().await;
        let all: Vec<Script> = (0..60).map(|n| script(n, &format!("CREATE TABLE t{n:02} (x int);"))).collect();
        let mut session = database.connect().await;
        let options = ReplayOptions::default();
        let running = replay(&mut session, &all, &options);
        let stopped = tokio::time::timeout(Duration::from_micros(500 + round * 1500), running).await;
        drop(stopped);
        drop(session);
        while database
            .ask(&format!("SELECT count(*) FROM pg_stat_activity WHERE usename = '{}'", database.owner.user))
            .await
            != "0"
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let tables = database.tables().await;
        let count = tables.split_whitespace().count();
        assert_eq!(tables, (0..count).map(|n| format!("t{n:02}")).collect::<Vec<_>>().join(" "));
    }
}
