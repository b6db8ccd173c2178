//! Scripts outside of a transaction: invalid indexes, waiting for locks, going on where an earlier run stopped.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::scene::{Scene, answer, server};

/// Somebody else's session, which keeps a transaction open until it is dropped.
pub(crate) struct Other(Child);

impl Other {
    /// Begins a transaction, runs SQL in it, and returns once that is done.
    pub(crate) fn in_transaction(scene: &Scene, sql: &str) -> Self {
        let psql = trueup_testkit::client_tool("psql").unwrap();
        let mut child = Command::new(psql)
            .args(["-X", "-q", "-A", "-t", "-d", scene.conninfo()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.as_mut().unwrap(), "begin; {sql}; select 'ready';").unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"));
        Self(child)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

fn start(scene: &Scene, more: &[&str]) -> Child {
    let mut command = scene.command("migrate", scene.folder.path());
    command.args(["--location", "."]).args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn indexes(scene: &Scene) -> String {
    scene.sql(
        "select string_agg(indexrelid::regclass || case when indisvalid then '' else ' invalid' end, ', ' \
         order by indexrelid::regclass::text) from pg_index where indrelid = 't'::regclass",
    )
}

/// What is left of progress: no table of ours beside the history.
fn is_tidy(scene: &Scene) -> bool {
    scene.sql("select to_regclass('flyway_schema_history_progress') is null") == "t"
}

#[test]
fn an_invalid_index_is_named_and_on_the_next_run_dropped_and_built_again() {
    let files = [
        ("V1__t.sql", "create table t(id int); insert into t values (1), (1);"),
        ("V2__u.sql", "create unique index concurrently u on t(id);"),
        ("V3__v.sql", "create table v();"),
    ];
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &files);
    let (code, document) = scene.ours("migrate", &[]);
    assert_eq!((code, &document["error"]["invalidIndexes"]), (1, &json!(["public.u"])), "{document:#}");
    assert_eq!(indexes(&scene), "u invalid");
    // What is not of this statement stays as it is.
    scene.sql(
        "create index other on t(id); update pg_index set indisvalid = false where indexrelid = 'other'::regclass",
    );
    let (code, again) = scene.ours("migrate", &[]);
    assert_eq!((code, &again["error"]["invalidIndexes"]), (1, &json!(["public.u"])), "{again:#}");
    assert_eq!(indexes(&scene), "other invalid, u invalid");
    scene.sql("delete from t where ctid = (select min(ctid) from t)");
    assert_eq!(scene.migrate(), 2);
    assert_eq!((indexes(&scene).as_str(), scene.tables().as_str()), ("other invalid, u", "t v"));
    let history = "select string_agg(installed_rank || ' ' || success, ', ' order by 1) from flyway_schema_history";
    assert_eq!((scene.sql(history).as_str(), is_tidy(&scene)), ("1 true, 2 true, 3 true", true));
}

#[test]
fn an_index_that_was_there_before_is_not_touched() {
    let files = [
        ("V1__t.sql", "create table t(id int); insert into t values (1), (1);"),
        ("V2__u.sql", "create unique index concurrently u on t(id);"),
    ];
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &files);
    assert_eq!(scene.ours("migrate", &["--set", "target=1"]).0, 0);
    scene.sql("create index u on t(id); update pg_index set indisvalid = false where indexrelid = 'u'::regclass");
    for _ in 0..2 {
        let (code, document) = scene.ours("migrate", &[]);
        let error = &document["error"];
        assert_eq!((code, &error["sqlState"], &error["invalidIndexes"]), (1, &json!("42P07"), &json!([])));
        assert_eq!(indexes(&scene), "u invalid");
    }
}

/// An index that waits for an open transaction, a second runner that waits for the lock meanwhile, and what is told.
#[test]
fn a_second_runner_does_not_break_it_and_progress_is_told() {
    let files = [
        ("V1__t.sql", "create table t(id int);"),
        ("V2__i.sql", "create index concurrently i on t(id);"),
        ("V3__i.sql", "create index concurrently j on t(id);"),
    ];
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &files);
    assert_eq!(scene.ours("migrate", &["--set", "target=1"]).0, 0);
    let writer = Other::in_transaction(&scene, "insert into t values (1)");
    let first = start(&scene, &[]);
    scene.wait_for_lock();
    let second = start(&scene, &[]);
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(indexes(&scene), "i invalid");
    drop(writer);
    let mut ran = 0;
    let mut told = Vec::new();
    for child in [first, second] {
        let output = child.wait_with_output().unwrap();
        let (code, document) = answer(&output);
        assert_eq!(code, 0, "{document:#}");
        ran += document["migrationsExecuted"].as_u64().unwrap();
        told.push(String::from_utf8(output.stderr).unwrap());
    }
    assert_eq!((ran, indexes(&scene).as_str()), (2, "i, j"));
    assert!(told[0].contains("V2__i.sql: waiting for writers before build"), "{told:?}");
    assert!(told[0].contains("waits for 1 session (now process "), "{told:?}");
    assert!(told[1].contains("waiting for another run that holds the lock"), "{told:?}");
}

#[test]
fn a_lock_that_is_not_to_be_had_in_time_is_tried_for_again() {
    let files = [
        ("V1__t.sql", "create table t(id int);"),
        ("V2__c.sql", "create table c(); alter table t add column c int;"),
        ("V3__i.sql", "create index concurrently i on t(id);"),
        ("V4__d.sql", "alter table t add column d int;"),
    ];
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &files);
    assert_eq!(scene.ours("migrate", &["--set", "target=1"]).0, 0);
    let holder = Other::in_transaction(&scene, "lock table t");
    let (code, document) = scene.ours("migrate", &["--lock-timeout", "50ms"]);
    let error = &document["error"];
    assert_eq!((code, &error["sqlState"], &error["left"]), (1, &json!("55P03"), &json!("nothing")), "{document:#}");
    let patient = start(&scene, &["--lock-timeout", "100", "--lock-retries", "9"]);
    std::thread::sleep(Duration::from_millis(600));
    drop(holder);
    let output = patient.wait_with_output().unwrap();
    let (code, document) = answer(&output);
    assert_eq!((code, &document["migrationsExecuted"]), (0, &json!(3)), "{document:#}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("V2__c.sql: a lock was not to be had in time: try 1 of 9 follows in 0.2 s"), "{told}");
    // Outside of a transaction it is the statement that is tried again, and what it left is dropped first.
    scene.write("V5__j.sql", "insert into t values (5);\ncreate index concurrently j on t(id);");
    scene.write("V5__j.sql.conf", "executeInTransaction=false");
    let writer = Other::in_transaction(&scene, "insert into t values (1)");
    let patient = start(&scene, &["--lock-timeout", "100ms", "--lock-retries", "9"]);
    std::thread::sleep(Duration::from_millis(600));
    drop(writer);
    let output = patient.wait_with_output().unwrap();
    assert_eq!(answer(&output).0, 0, "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("V5__j.sql: a lock was not to be had in time: try 1 of 9"), "{told}");
    assert!(told.contains("dropped the invalid index public.j"), "{told}");
    assert_eq!((indexes(&scene).as_str(), scene.sql("select count(*) from t where id = 5").as_str()), ("i, j", "1"));
}

#[test]
fn what_flyway_does_not_notice_runs_outside_of_a_transaction_too() {
    let files = [
        (
            "V1__t.sql",
            "create table t(id int primary key) partition by range (id); \
             create table p partition of t for values from (0) to (9); create table q(id int primary key);",
        ),
        ("V2__d.sql", "alter table t detach partition p concurrently;"),
        ("V3__r.sql", "reindex index concurrently q_pkey;"),
        ("V4__r.sql", "reindex (verbose, concurrently) table q;"),
        ("V5__c.sql", "cluster;"),
    ];
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &files);
    assert_eq!(scene.migrate(), 5);
    assert_eq!(scene.sql("select count(*) from pg_inherits"), "0");
    assert!(is_tidy(&scene));
}

/// A script whose fourth statement fails, with everything before it that must not run twice.
const BROKEN: &str = "\
set search_path = app, public;
insert into log values ('one');
begin; insert into log values ('two'); commit;
call three();
create index concurrently on log(what);
do $$ begin insert into app.log values ('five'); end $$;
set role worker;
insert into log values (current_user);
select 1/zero from app.divisor;
insert into log values ('last');
";

#[test]
fn a_script_goes_on_where_it_failed() {
    let first = "create schema app; create table app.log(what text); create table app.divisor as select 0 as zero; \
                 create role worker; grant usage on schema app to worker; grant all on all tables in schema app to worker; \
                 create procedure public.three() language plpgsql as \
                 $$ begin insert into app.log values ('three'); commit; end $$;";
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &[("V1__a.sql", first), ("V2__b.sql", BROKEN), ("V3__c.sql", "create table c();")]);
    scene.write("V2__b.sql.conf", "executeInTransaction=false");
    let (code, document) = scene.ours("migrate", &[]);
    let error = &document["error"];
    assert_eq!((code, &error["left"], &error["lineNumber"]), (1, &json!("resumable"), &json!(9)), "{document:#}");
    let log = "select string_agg(what, ' ' order by ctid) from app.log";
    assert_eq!(scene.sql(log), "one two three five worker");
    assert_eq!(scene.ours("migrate", &[]).0, 1);
    // The failing statement may be corrected; what ran may not change.
    scene.write("V2__b.sql", &BROKEN.replace("'one'", "'ONE'"));
    let (code, document) = scene.ours("migrate", &[]);
    let message = document["error"]["message"].as_str().unwrap_or_default();
    assert!(code == 1 && message.contains("V2__b.sql:9:1") && message.contains("trueup repair"), "{document:#}");
    scene.write("V2__b.sql", &BROKEN.replace("1/zero", "0/1"));
    assert_eq!(scene.migrate(), 2);
    assert_eq!(scene.sql(log), "one two three five worker last");
    assert_eq!(scene.sql("select count(*) from pg_index where indrelid = 'app.log'::regclass and indisvalid"), "1");
    let history = "select string_agg(installed_rank || ' ' || version || ' ' || success || ' ' || installed_by, ', ' \
                   order by 1) from flyway_schema_history";
    assert_eq!(scene.sql(history), "1 1 true postgres, 2 2 true postgres, 3 3 true postgres");
    assert!(is_tidy(&scene));
    scene.sql("drop owned by worker; drop role worker");
}

#[test]
fn what_nobody_can_know_is_refused_until_it_is_repaired() {
    let first = "create table log(what text); create table divisor as select 0 as zero; \
                 create procedure half() language plpgsql as \
                 $$ begin insert into log values ('half'); commit; perform 1/zero from divisor; end $$;";
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &[("V1__a.sql", first), ("V2__b.sql", "select 1;\ncall half();")]);
    scene.write("V2__b.sql.conf", "executeInTransaction=false");
    let (code, document) = scene.ours("migrate", &[]);
    assert_eq!((code, &document["error"]["sqlState"]), (1, &json!("22012")), "{document:#}");
    scene.sql("update divisor set zero = 1");
    let (code, document) = scene.ours("migrate", &[]);
    let message = document["error"]["message"].as_str().unwrap_or_default();
    assert!(code == 1 && message.contains("V2__b.sql:2:1") && message.contains("number 2"), "{document:#}");
    assert_eq!(scene.sql("select count(*) from log"), "1");
    let (code, document) = scene.ours("repair", &[]);
    assert_eq!((code, &document["repairActions"]), (0, &json!(["Removed failed migrations"])), "{document:#}");
    assert!(is_tidy(&scene));
    scene.sql("truncate log");
    assert_eq!((scene.migrate(), scene.sql("select count(*) from log").as_str()), (1, "1"));
}

#[test]
fn who_may_not_make_a_table_for_progress_is_told() {
    let files = [("V1__t.sql", "create table t(id int);"), ("V2__v.sql", "vacuum t;")];
    let Some(server) = server() else { return };
    let mut scene = Scene::new(server, &files);
    assert_eq!(scene.ours("migrate", &["--set", "target=1"]).0, 0);
    scene.sql(
        "create role narrow login; revoke create on schema public from public; \
         grant select, insert, update, delete on flyway_schema_history to narrow; alter table t owner to narrow",
    );
    scene.user = "narrow";
    let mut output = Vec::new();
    let mut child = start(&scene, &[]);
    child.stderr.take().unwrap().read_to_end(&mut output).unwrap();
    let (code, document) = answer(&child.wait_with_output().unwrap());
    assert_eq!((code, &document["migrationsExecuted"]), (0, &json!(1)), "{document:#}");
    let told = String::from_utf8(output).unwrap();
    assert!(told.contains("V2__v.sql: note: how far it gets cannot be noted (permission denied"), "{told}");
    scene.write("V3__w.sql", "vacuum nowhere;");
    let (code, document) = scene.ours("migrate", &[]);
    assert_eq!((code, &document["error"]["left"]), (1, &Value::from("failed-row")), "{document:#}");
    scene.sql("drop owned by narrow; drop role narrow");
}
