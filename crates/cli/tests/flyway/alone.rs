//! What the runner must survive: nothing runs after a failure, and what is recorded is what is there.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::scene::{Scene, answer, server};

/// `V1` makes the table `a`, then `bad` comes as `V2`, then thirty more that each make a table.
fn around(bad: &str) -> Vec<(String, String)> {
    let mut files = vec![("V1__a.sql".to_owned(), "create table a();".to_owned()), ("V2__bad.sql".into(), bad.into())];
    files.extend((3..33).map(|n| (format!("V{n}__t.sql"), format!("create table t{n:02}();"))));
    files
}

fn scene(files: &[(String, String)]) -> Option<Scene> {
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    server().map(|server| Scene::new(server, &files))
}

fn versions(scene: &Scene) -> String {
    scene.sql("select string_agg(version, ' ' order by installed_rank) from flyway_schema_history")
}

#[test]
fn nothing_runs_after_a_failure() {
    // The script, what is left besides `a`, SQLSTATE, line, what the document says is left.
    let cases: &[(&str, &str, &str, u64, &str)] = &[
        ("create table b();\nselec 1;", "", "42601", 2, "nothing"),
        ("create table b();\n\nselect nope;", "", "42703", 3, "nothing"),
        ("create table b(); select 1/0;", "", "22012", 1, "nothing"),
        ("select 1/0", "", "22012", 1, "nothing"),
        (
            "do $$ begin create table b(); raise exception 'no' using errcode = 'P0009'; end $$",
            "",
            "P0009",
            1,
            "nothing",
        ),
        (
            "create table b(id int primary key);\ncreate table c(id int references b deferrable initially deferred);\n\
             insert into c values (1);",
            "",
            "23503",
            1,
            "nothing",
        ),
        (
            "create table b();\ncreate function no() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;\n\
             create table c(id int);\ncreate constraint trigger x after insert on c initially deferred for each row \
             execute function no();\ninsert into c values (1);",
            "",
            "P0001",
            1,
            "nothing",
        ),
        ("create table b();\ncommit;\nselect 1/0;", "b", "22012", 3, "perhaps"),
        ("create table b();\nrollback;\nselect 1/0;", "", "22012", 3, "perhaps"),
        ("create table b();\ncommit; begin;\ncreate table c();\nselect 1/0;", "b", "22012", 4, "perhaps"),
        ("set statement_timeout = '50ms';\nselect pg_sleep(10);", "", "57014", 2, "nothing"),
        ("create table b(id int);\ncopy b from stdin;\n1\nx\n\\.\n", "", "22P02", 2, "nothing"),
        ("set transaction isolation level serializable;\ncreate table b();", "", "", 0, ""),
    ];
    for (bad, left, state, line, says) in cases {
        let Some(scene) = scene(&around(bad)) else { return };
        let (code, document) = scene.ours("migrate", &[]);
        if state.is_empty() {
            // Not a failure: beside others, to see that this test can tell.
            assert_eq!(code, 0, "{bad}: {document:#}");
            continue;
        }
        let error = &document["error"];
        assert_eq!((code, versions(&scene).as_str()), (1, "1"), "{bad}: {document:#}");
        assert_eq!(scene.tables(), ["a", left].join(" ").trim(), "{bad}");
        let found = (error["sqlState"].as_str(), error["lineNumber"].as_u64(), error["left"].as_str());
        assert_eq!(found, (Some(*state), Some(*line), Some(*says)), "{bad}: {document:#}");
    }
}

#[test]
fn what_cannot_be_cut_or_read_is_refused_before_anything_runs() {
    for bad in [
        "create table b(); /* open",
        "create table b(); select 'open",
        "create table b(); select $x$ open",
        "create table b(id int);\ncopy b from stdin;\n1\n",
        "create table b();\n\\connect other",
        "create table b(); select '${nowhere}'",
        "create table b(); vacuum;",
    ] {
        let Some(scene) = scene(&around(bad)) else { return };
        let (code, document) = scene.ours("migrate", &[]);
        let at = &document["error"]["problems"][0];
        assert_eq!((code, &at["path"]), (1, &json!("V2__bad.sql")), "{bad}: {document:#}");
        assert_eq!(scene.tables(), "", "{bad}");
    }
    let Some(scene) = scene(&around("")) else { return };
    std::fs::write(scene.folder.path().join("V2__bad.sql"), b"create table b(); -- \xff").unwrap();
    assert_eq!((scene.ours("migrate", &[]).0, scene.tables().as_str()), (1, ""));
}

#[test]
fn psqls_commands_are_named_and_those_of_a_dump_are_skipped() {
    for command in ["\\connect other", "\\copy t from 'x'", "\\i more.sql", "\\set x 1", "select 1 \\gexec"] {
        let Some(scene) = scene(&around(&format!("create table b();\n{command}\n"))) else { return };
        let (code, document) = scene.ours("migrate", &[]);
        let problem = &document["error"]["problems"][0];
        let message = problem["message"].as_str().unwrap_or_default();
        let name = command.split_whitespace().find(|word| word.starts_with('\\')).unwrap();
        assert!(code == 1 && message.contains(&format!("`{name}`")), "{document:#}");
        assert_eq!((&problem["lineNumber"], scene.tables().as_str()), (&json!(2), ""), "{document:#}");
    }
    // Two dumps behind each other, as pg_dump writes them since August 2025; together longer than one message may be.
    let dump = |name: &str| {
        let insert = format!("insert into {name} values ('{}');\n", "x".repeat(200_000));
        format!(
            "--\n-- PostgreSQL database dump\n--\n\n\\restrict k3Y\n\n\
             create table {name} (t text);\n{}\\unrestrict k3Y\n",
            insert.repeat(4)
        )
    };
    let Some(scene) = scene(&around(&format!("{}{}", dump("b"), dump("c")))) else { return };
    let mut command = scene.command("migrate", scene.folder.path());
    let output = command.args(["--location", "."]).output().unwrap();
    let (code, document) = answer(&output);
    assert_eq!((code, &document["migrationsExecuted"]), (0, &json!(32)), "{document:#}");
    assert_eq!(scene.sql("select (select count(*) from b), (select count(*) from c)"), "4|4");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(told.lines().count(), 4, "{told}");
    assert!(told.starts_with("V2__bad.sql:5:1: note: `\\restrict` is for psql"), "{told}");
}

#[test]
fn what_a_script_changes_does_not_reach_the_next() {
    let Some(server) = server() else { return };
    let settings = [
        "set role other",
        "set session authorization other",
        "select pg_catalog.set_config('search_path', '', false)",
        "set time zone 'Asia/Tokyo'",
        "set standard_conforming_strings = off; select 'a\\b'",
        "set session_replication_role = replica",
        "set client_encoding = latin1; select 'é'",
        "reset all",
        "discard all",
        "select pg_advisory_unlock_all()",
        "set transaction isolation level serializable; select 1",
        "begin; select 1; commit",
        "commit; begin",
        "savepoint s; select 1; release s",
        "create schema own; create function own.eq(int, int) returns bool language sql as 'select false'; \
         create operator own.= (function = own.eq, leftarg = int, rightarg = int); set search_path = own, public, pg_catalog",
        "select 1 -- end",
        "delete from flyway_schema_history where version = '1'",
    ];
    let probe = "insert into probe select current_user, session_user, current_setting('session_replication_role'), \
                 current_schema(), 'a\\b', case when 1 = 1 then 'equal' end";
    let mut files = vec![(
        "V1__probe.sql".to_owned(),
        "create role other; create table probe(a name, b name, c text, d name, e text, f text); grant all on probe to other"
            .to_owned(),
    )];
    for (index, setting) in settings.iter().enumerate() {
        files.push((format!("V{}__set.sql", 2 * index + 2), (*setting).to_owned()));
        files.push((format!("V{}__probe.sql", 2 * index + 3), probe.to_owned()));
    }
    let names: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let scene = Scene::new(server, &names);
    scene.sql("drop role if exists other");
    assert_eq!(scene.migrate(), files.len() as u64);
    assert_eq!(scene.sql("select distinct * from probe"), "postgres|postgres|origin|public|a\\b|equal");
    assert_eq!(scene.sql("select count(*) from probe").parse(), Ok(settings.len()));
    let history = "select count(*), max(installed_rank), bool_and(abs(extract(epoch from installed_on - localtimestamp)) < 600) \
                   from flyway_schema_history";
    assert_eq!(scene.sql(history), format!("{}|{}|t", files.len() - 1, files.len()));
    scene.sql("drop table probe; drop role other");
}

#[test]
fn data_of_copy_and_long_files() {
    let long: String =
        (0..60_000).map(|n| format!("insert into long values ({n}, 'some more text here');\n")).collect();
    let copy = format!("create table c(id int);\ncopy c from stdin;\n{}\\.\nanalyze c;\n", "7\n".repeat(100_000));
    let bad = format!("create table never();\n{long}selec 1;\n");
    let files = [
        ("V1__copy.sql".to_owned(), copy),
        ("V2__long.sql".to_owned(), format!("create table long(id int, text text);\n{long}")),
        ("V3__bad.sql".to_owned(), bad),
        ("V4__t.sql".to_owned(), "create table t()".to_owned()),
    ];
    let Some(scene) = scene(&files) else { return };
    let (code, document) = scene.ours("migrate", &[]);
    assert_eq!((code, &document["error"]["lineNumber"]), (1, &json!(60_002)), "{document:#}");
    assert_eq!(scene.sql("select (select count(*) from c), (select count(*) from long)"), "100000|60000");
    assert_eq!((versions(&scene).as_str(), scene.tables().as_str()), ("1 2", "c long"));
}

/// Sixty scripts of a table each; the tables must always be those of the history, and a prefix of the list.
fn sixty() -> Option<Scene> {
    let files: Vec<_> =
        (1..61).map(|n| (format!("V{n}__t.sql"), format!("create table t{n:02}(); select pg_sleep(0.002);"))).collect();
    scene(&files)
}

fn assert_prefix(scene: &Scene) -> usize {
    let exists = scene.sql("select to_regclass('flyway_schema_history') is not null") == "t";
    let applied = if exists { versions(scene) } else { String::new() };
    let count = applied.split_whitespace().count();
    let expected: Vec<_> = (1..=count).map(|n| n.to_string()).collect();
    assert_eq!(applied, expected.join(" "));
    let tables: Vec<_> = (1..=count).map(|n| format!("t{n:02}")).collect();
    assert_eq!(scene.tables(), tables.join(" "));
    count
}

/// Waits until a killed runner's server process is gone: until then it may still be committing.
fn settle(scene: &Scene) {
    let others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    while scene.sql(others) != "0" {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Signals that can be handled, mostly; `faults` has two hundred kills.
#[test]
fn ended_at_random_moments() {
    let Some(_) = server() else { return };
    let mut stopped = 0;
    for round in 0..24 {
        let Some(scene) = sixty() else { return };
        let signal = [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT][round % 3];
        let mut command = scene.command("migrate", scene.folder.path());
        command.args(["--location", "."]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(fastrand::u64(5..220)));
        kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        settle(&scene);
        let count = assert_prefix(&scene);
        if signal != Signal::SIGKILL && !output.stdout.is_empty() {
            let (code, document) = answer(&output);
            assert!(code == 130 || (code, count) == (0, 60), "{document:#}");
            let told = document["migrationsExecuted"].as_u64().unwrap_or(0);
            assert_eq!(told, count as u64, "{document:#}");
        }
        stopped += usize::from((1..60).contains(&count));
        assert_eq!(scene.migrate(), 60 - count as u64);
        assert_eq!(assert_prefix(&scene), 60);
    }
    println!("{stopped} of 24 were ended between the first and the last migration");
    assert!(stopped >= 3, "{stopped}");
}

#[test]
fn a_held_lock_is_waited_for_and_its_holder_is_named() {
    let Some(scene) = scene(&around("select 1")) else { return };
    let holder = std::thread::spawn({
        let conninfo = scene.conninfo().to_owned();
        move || trueup_testkit::Psql::new(conninfo).run("select pg_advisory_lock(77433833903597), pg_sleep(3)")
    });
    scene.wait_for_lock();
    let (code, document) = scene.ours("migrate", &["--set", "lockRetryCount=1"]);
    let message = document["error"]["message"].as_str().unwrap_or_default();
    assert!(code == 1 && message.contains("psql") && message.contains("postgres"), "{document:#}");
    assert_eq!(scene.tables(), "");
    assert_eq!(scene.migrate(), 32);
    holder.join().unwrap().unwrap();
}

#[test]
fn a_lost_connection_is_looked_up() {
    let Some(scene) = scene(&around("create table b(); select pg_terminate_backend(pg_backend_pid())")) else { return };
    let (code, document) = scene.ours("migrate", &[]);
    assert_eq!((code, &document["migrationsExecuted"]), (1, &json!(1)), "{document:#}");
    let message = document["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("read again"), "{message}");
    assert_eq!((versions(&scene).as_str(), scene.tables().as_str()), ("1", "a"));
}

#[test]
fn what_is_not_supported_is_refused() {
    let Some(server) = server() else { return };
    let file = ("V1__a.sql", "create table a();");
    for (setting, what) in [("nope=1", "nope"), ("workingDirectory=x", "working"), ("reportEnabled=true", "report")] {
        let scene = Scene::new(server, &[file]);
        let (code, document) = scene.ours("migrate", &["--set", setting]);
        let message = document["error"]["problems"][0]["message"].as_str().unwrap_or_default();
        assert!(code == 1 && message.contains(what), "{document:#}");
        assert_eq!(scene.tables(), "");
    }
}

#[test]
fn what_was_applied_is_told_when_the_run_cannot_go_on() {
    let files = [
        ("V1__a.sql".to_owned(), "create table a();".to_owned()),
        (
            "V2__again.sql".into(),
            "create table if not exists b(); delete from flyway_schema_history where version = '1'".into(),
        ),
        ("V3__c.sql".into(), "create table c();".into()),
    ];
    let Some(scene) = scene(&files) else { return };
    // Version 1 is below version 2 once its row is gone: allowed again, it would make its table a second time.
    let (code, document) = scene.ours("migrate", &["--set", "outOfOrder=true"]);
    let message = document["error"]["message"].as_str().unwrap_or_default();
    assert!(code == 1 && message.contains("pending again"), "{document:#}");
    assert_eq!((&document["migrationsExecuted"], scene.tables().as_str()), (&json!(2), "a b"));
}

#[test]
fn an_owner_who_is_no_superuser_can_do_it_all() {
    let files = [
        ("V1__a.sql", "create table a(id int); insert into a values (1), (1);"),
        ("V2__i.sql", "create index concurrently i on a(id);"),
        ("V3__b.sql", "begin; create table b(); commit; create table c();"),
        ("V4__u.sql", "create unique index concurrently u on a(id);"),
        (
            "beforeMigrate.sql",
            "create table if not exists before(); delete from flyway_schema_history where version = 'x'",
        ),
        ("afterMigrate__x.sql", "create or replace view v as select * from a"),
    ];
    let Some(server) = server() else { return };
    let mut scene = Scene::new(server, &files);
    scene.user = "plain";
    scene.sql("create role plain login; alter schema public owner to plain");
    let (code, document) = scene.ours("migrate", &[]);
    assert_eq!((code, &document["error"]["sqlState"], versions(&scene).as_str()), (1, &json!("23505"), "1 2 3 4"));
    let row = "select success, installed_by from flyway_schema_history where version = '4'";
    assert_eq!(scene.sql(row), "f|plain");
    scene.sql("delete from flyway_schema_history where version = '4'; drop index u");
    scene.write("V4__u.sql", "create index concurrently u on a(id);");
    assert_eq!(scene.migrate(), 1);
    assert_eq!(scene.sql("select count(*) from v"), "2");
    scene.sql("drop owned by plain");
    scene.sql("drop role plain");
}

#[test]
fn the_oldest_and_the_newest_major() {
    for major in [13, 18] {
        let Ok(server) = trueup_testkit::Server::start_with_tcp(major) else {
            trueup_testkit::skipped(&format!("there is no PostgreSQL {major} on this machine"));
            continue;
        };
        let files = around("create table b(id int);\n\ninsert into nowhere values (1)");
        let names: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let scene = Scene::new(&server, &names);
        let (code, document) = scene.ours("migrate", &[]);
        assert_eq!((code, &document["error"]["lineNumber"]), (1, &json!(3)), "{major}: {document:#}");
        scene.write("V2__bad.sql", "create table b(id int);");
        scene.write("V40__i.sql", "create index concurrently i on b(id)");
        assert_eq!((scene.migrate(), scene.migrate()), (32, 0), "{major}");
        assert_eq!(scene.ours("validate", &[]).0, 0, "{major}");
    }
}

/// What the session keeps for the checks around scripts is a script's to remove, too.
#[test]
fn prepared_statements_that_a_script_removes_are_done_without() {
    let Some(server) = server() else { return };
    let removing = [
        ("V3__all.sql", "create table c(); deallocate all;"),
        ("V6__hidden.sql", "create table f(); do $$ begin execute 'deallocate' || ' all'; end $$;"),
    ];
    for (name, sql) in removing {
        let plain: Vec<_> = (1..9)
            .map(|n| (format!("V{n}__t.sql"), format!("create table t{n}(); prepare p{n} as select {n};")))
            .collect();
        let mut files: Vec<_> = plain.iter().map(|(name, sql)| (name.as_str(), sql.as_str())).collect();
        files.retain(|(plain, _)| plain[..2] != name[..2]);
        files.push((name, sql));
        let scene = Scene::new(server, &files);
        assert_eq!(scene.migrate(), 8, "{name}");
        assert_eq!(scene.tables().split(' ').count(), 8, "{name}");
        assert_eq!(scene.rows().lines().count(), 8, "{name}");
    }
    let files = [
        ("V1__a.sql", "create table a();"),
        ("V2__b.sql", "create table b();"),
        ("V3__c.sql", "create table c();"),
        ("V4__own.sql", "create table d();\nexecute nobody_prepared_this;"),
        ("V5__e.sql", "create table e();"),
    ];
    let scene = Scene::new(server, &files);
    let (code, document) = scene.ours("migrate", &[]);
    let error = &document["error"];
    assert_eq!((code, &error["sqlState"], &error["lineNumber"]), (1, &json!("26000"), &json!(2)), "{document:#}");
    assert_eq!((&error["left"], scene.tables().as_str()), (&json!("nothing"), "a b c"), "{document:#}");
    assert_eq!(document["migrationsExecuted"], json!(3), "{document:#}");
}

#[test]
fn the_timeout_for_locks_holds_behind_a_reset() {
    let Some(server) = server() else { return };
    let files = [
        ("V1__reset.sql", "create table before_it as select current_setting('lock_timeout') as text;\nreset all;"),
        ("V2__behind.sql", "create table behind_it as select current_setting('lock_timeout') as text;"),
    ];
    let scene = Scene::new(server, &files);
    assert_eq!(scene.ours("migrate", &["--lock-timeout", "7s"]).0, 0);
    assert_eq!(scene.sql("select b.text, a.text from before_it b, behind_it a"), "7s|7s");
}
