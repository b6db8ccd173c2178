//! Through a real PgBouncer: the lock is taken in each transaction, and nothing of ours stays in its pool.

use std::process::Stdio;

use nix::sys::signal::Signal;
use serde_json::json;
use trueup_testkit::pgbouncer::{self, PgBouncer};
use trueup_testkit::{Psql, Server, skipped};

use crate::scene::{Scene, answer, flyway, server};
use crate::signals::interrupt;

/// A pooler that gives each transaction the server process that was idle the longest, so that none keeps its own.
const ROUND_ROBIN: &str = "server_round_robin = 1\nmin_pool_size = 3\ndefault_pool_size = 6\nmax_client_conn = 100\n\
                           ignore_startup_parameters = options,search_path";

fn pooler(server: &Server, mode: &str) -> Option<PgBouncer> {
    if pgbouncer::program().is_none() {
        skipped("there is no PgBouncer on this machine");
        return None;
    }
    Some(PgBouncer::start(server, mode, ROUND_ROBIN).unwrap())
}

/// What a client that comes to the pooler finds in a server process.
fn leftovers(scene: &Scene, pooler: &PgBouncer) -> String {
    let database = scene.conninfo().rsplit("dbname=").next().unwrap();
    let psql = Psql::new(format!("host=127.0.0.1 port={} user=postgres dbname={database}", pooler.port()));
    let sql = "select current_user, current_setting('search_path'), current_setting('lock_timeout'), \
               current_setting('work_mem'), (select count(*) from pg_locks l join pg_database d on d.oid = l.database \
               where l.locktype = 'advisory' and d.datname = current_database());\n";
    let found = psql.run(&sql.repeat(8)).unwrap();
    let mut lines: Vec<_> = found.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    lines.join("\n")
}

const FILES: [(&str, &str); 8] = [
    ("V1__a.sql", "create table a(id int primary key);\nset work_mem = '77MB';"),
    ("V2__path.sql", "create schema elsewhere;\nset search_path = elsewhere;\ncreate table there();"),
    ("V3__b.sql", "create table b(id int references a deferrable initially deferred);"),
    ("V4__copy.sql", "copy a from stdin;\n1\n2\n\\.\n"),
    ("V5__role.sql", "create role pooled_one;\nset role pooled_one;\nset role none;\ndrop role pooled_one;"),
    ("V6__c.sql", "create table c();"),
    ("V7__names_it.sql", "select count(*) from flyway_schema_history;"),
    ("R__r.sql", "create or replace view r as select * from a;"),
];

#[test]
fn in_transaction_mode_the_history_is_flyways() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let Some(pooler) = pooler(server, "transaction") else { return };
    let (first, second) = (Scene::new(server, &FILES), Scene::new(server, &FILES).reached_on(pooler.port()));
    assert_eq!(first.theirs(&mut flyway, "migrate", &[])["ok"], true);
    let before = leftovers(&second, &pooler);
    let (code, ours) = second.ours("migrate", &["--lock-timeout", "5s"]);
    assert_eq!((code, &ours["migrationsExecuted"]), (0, &json!(FILES.len())), "{ours:#}");
    assert_eq!((second.rows(), second.tables()), (first.rows(), first.tables()));
    assert_eq!(second.sql("select count(*) from a"), "2");
    assert_eq!(leftovers(&second, &pooler), before);
    assert!(before.lines().count() == 1 && before.ends_with("|0"), "{before}");

    assert_eq!(second.migrate(), 0);
    for verb in ["info", "validate"] {
        assert_eq!(second.ours(verb, &[]).0, 0, "{verb}");
    }
    second.write("V1__a.sql", "create table a(id int primary key); -- changed");
    assert_eq!(second.ours("validate", &[]).0, 1);
    assert_eq!(second.ours("repair", &[]).0, 0);
    assert_eq!(second.ours("validate", &[]).0, 0);
    assert_eq!(second.ours("clean", &["--set", "cleanDisabled=false"]).0, 0);
    assert_eq!(second.ours("baseline", &[]).0, 0);
    assert_eq!(leftovers(&second, &pooler), before);
}

#[test]
fn other_modes_are_used_as_carefully_or_refused() {
    let Some(server) = server() else { return };
    let Some(pooler) = pooler(server, "session") else { return };
    let scene = Scene::new(server, &FILES).reached_on(pooler.port());
    assert_eq!(scene.migrate(), u64::try_from(FILES.len()).unwrap());
    let Some(pooler) = self::pooler(server, "statement") else { return };
    let scene = Scene::new(server, &FILES).reached_on(pooler.port());
    let (code, ours) = scene.ours("migrate", &[]);
    let told = ours["error"]["message"].as_str().unwrap();
    assert!(code == 1 && told.contains("allows no transactions"), "{told}");
    assert_eq!(scene.tables(), "");
}

#[test]
fn what_needs_a_session_is_refused_before_anything_runs() {
    let Some(server) = server() else { return };
    let Some(pooler) = pooler(server, "transaction") else { return };
    let scene = Scene::new(server, &FILES[..1]).reached_on(pooler.port());
    scene.write("V2__index.sql", "create index concurrently i on a(id);");
    scene.write("V3__own.sql", "begin; create table d(); commit;");
    let (code, ours) = scene.ours("migrate", &[]);
    let problems = ours["error"]["problems"].as_array().unwrap();
    let told: Vec<String> =
        problems.iter().map(|problem| format!("{} {}", problem["path"], problem["message"])).collect();
    assert_eq!((code, told.len(), scene.tables().as_str()), (1, 2, ""), "{ours:#}");
    assert!(told[0].contains("V2__index.sql") && told[0].contains("does not run inside a transaction"), "{told:?}");
    assert!(told.iter().all(|told| told.contains("pooler")), "{told:?}");
    let (code, ours) = scene.ours("migrate", &["--set", "initSql=select 1"]);
    assert!(code == 1 && ours["error"]["message"].as_str().unwrap().contains("initSql"), "{ours:#}");
    // The pooler is told to ignore these, and does: nobody would notice.
    for (name, asked) in [("search_path", "currentSchema=app"), ("options", "options=-c%20work_mem=1MB")] {
        let scene = Scene::new(server, &FILES[..1]).reached_on(pooler.port()).with_parameter(asked);
        let (code, ours) = scene.ours("migrate", &[]);
        let told = ours["error"]["message"].as_str().unwrap();
        assert!(code == 1 && told.contains(name) && told.contains("pooler"), "{told}");
        assert_eq!(scene.tables(), "");
    }
}

#[test]
fn a_failure_leaves_what_ran_before_it() {
    let Some(server) = server() else { return };
    let Some(pooler) = pooler(server, "transaction") else { return };
    for bad in ["selec 1;", "create table x(;", "insert into b values (9);", "/* open", "select 1/0;"] {
        let scene = Scene::new(server, &FILES[..3]).reached_on(pooler.port());
        scene.write("V4__bad.sql", bad);
        scene.write("V5__d.sql", "create table d();");
        let (code, ours) = scene.ours("migrate", &[]);
        assert_eq!(code, 1, "{bad}: {ours:#}");
        let has_run = if ["/* open", "create table x(;"].contains(&bad) { "" } else { "a b" };
        assert_eq!(scene.tables(), has_run, "{bad}");
        scene.write("V4__bad.sql", "create table c();");
        scene.migrate();
        assert_eq!(scene.tables(), "a b c d", "{bad}");
    }
}

#[test]
fn ctrl_c_cancels_through_the_pooler() {
    let Some(server) = server() else { return };
    let Some(pooler) = pooler(server, "transaction") else { return };
    let files = [("V1__a.sql", "create table a();"), ("V2__b.sql", "create table b();\nselect pg_sleep(60);")];
    let scene = Scene::new(server, &files).reached_on(pooler.port());
    let mut command = scene.command("migrate", scene.folder.path());
    let child = command.args(["--location", "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (code, document) = answer(&interrupt(&scene, child, "pg_sleep", Signal::SIGINT));
    let error = &document["error"];
    assert_eq!((code, &error["message"], &error["left"]), (130, &json!("interrupted"), &json!("nothing")));
    assert_eq!(scene.tables(), "a");
}

/// Runs of which some come through the pooler and some do not, all at once.
#[test]
fn every_migration_runs_once_whoever_runs_it() {
    let Some(server) = server() else { return };
    let Some(pooler) = pooler(server, "transaction") else { return };
    let files: Vec<(String, String)> = (1..=20)
        .map(|version| (format!("V{version}__t.sql"), format!("create table t{version}();\nselect pg_sleep(0.002);")))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    for _ in 0..8 {
        let direct = Scene::new(server, &files);
        let start = |port: u16| {
            let mut command = direct.on_port(port, "migrate");
            command.args(["--location", "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let runs = [pooler.port(), server.port(), pooler.port(), pooler.port(), server.port()].map(start);
        let mut executed = 0;
        for run in runs {
            let (code, document) = answer(&run.wait_with_output().unwrap());
            assert_eq!(code, 0, "{document:#}");
            executed += document["migrationsExecuted"].as_u64().unwrap();
        }
        assert_eq!(
            (executed, direct.sql("select count(*), max(installed_rank) from flyway_schema_history")),
            (20, "20|20".into())
        );
    }
}

#[test]
fn people_are_told_once() {
    let Some(server) = server() else { return };
    let Some(pooler) = pooler(server, "transaction") else { return };
    let scene = Scene::new(server, &FILES[..1]).reached_on(pooler.port());
    let output = scene.for_people("migrate", scene.folder.path()).args(["--location", "."]).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), told.matches("goes through a pooler").count()), (Some(0), 1), "{told}");
}
