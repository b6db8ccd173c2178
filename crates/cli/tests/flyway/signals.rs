//! Ctrl-C and SIGTERM: the running statement is cancelled, and what is applied is told.

use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::outside::Other;
use crate::scene::{Scene, answer, server};

fn start(scene: &Scene) -> Child {
    let mut command = scene.command("migrate", scene.folder.path());
    command.args(["--location", "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Sends a signal once a statement like this one runs, and gives what the run said; it must end at once. One that sleeps must
/// have begun to: others may stand before it in the same message.
pub(crate) fn interrupt(scene: &Scene, child: Child, statement: &str, signal: Signal) -> Output {
    let runs = format!(
        "select count(*) from pg_stat_activity where datname = current_database() and state = 'active' \
         and query like '%{statement}%' and pid <> pg_backend_pid() \
         and (query not like '%pg_sleep(%' or wait_event = 'PgSleep')"
    );
    while scene.sql(&runs) == "0" {
        std::thread::sleep(Duration::from_millis(20));
    }
    signalled(child, signal)
}

fn signalled(child: Child, signal: Signal) -> Output {
    let sent = Instant::now();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(sent.elapsed() < Duration::from_secs(5), "{:?}", sent.elapsed());
    output
}

const FILES: [(&str, &str); 4] = [
    ("V1__a.sql", "create table a(id int);"),
    ("V2__b.sql", "create table b();\nselect pg_sleep(60);"),
    ("V3__c.sql", "create table c();"),
    ("V4__d.sql", "create table d();"),
];

#[test]
fn a_statement_is_cancelled_and_rolled_back() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &FILES);
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let (code, document) = answer(&interrupt(&scene, start(&scene), "pg_sleep", signal));
        let error = &document["error"];
        assert_eq!((code, &error["message"], &error["left"]), (130, &json!("interrupted"), &json!("nothing")));
        assert_eq!((&document["migrationsPending"], scene.tables().as_str()), (&json!(3), "a"), "{document:#}");
    }
    let mut command = scene.for_people("migrate", scene.folder.path());
    let child = command.args(["--location", "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let output = interrupt(&scene, child, "pg_sleep", Signal::SIGINT);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(told.contains("trueup: interrupted at V2__b.sql:2:1"), "{told}");
    assert!(told.contains("its transaction was rolled back"), "{told}");
    assert!(told.contains("0 migrations applied, 3 not; schema public of "), "{told}");
}

#[test]
fn an_index_that_is_being_built_is_cancelled_and_built_on_the_next_run() {
    let Some(server) = server() else { return };
    let files = [FILES[0], ("V2__i.sql", "create index concurrently i on a(id);"), FILES[2]];
    let scene = Scene::new(server, &files);
    assert_eq!(scene.ours("migrate", &["--set", "target=1"]).0, 0);
    let writer = Other::in_transaction(&scene, "insert into a values (1)");
    let (code, document) = answer(&interrupt(&scene, start(&scene), "create index concurrently", Signal::SIGTERM));
    let error = &document["error"];
    assert_eq!((code, &error["left"]), (130, &json!("resumable")), "{document:#}");
    assert_eq!(error["invalidIndexes"], json!(["public.i"]), "{document:#}");
    drop(writer);
    assert_eq!((scene.migrate(), scene.tables().as_str()), (2, "a c"));
    assert_eq!(
        scene.sql("select indexrelid::regclass, indisvalid from pg_index where indrelid = 'a'::regclass"),
        "i|t"
    );
}

#[test]
fn data_of_copy_stops_flowing() {
    let Some(server) = server() else { return };
    let copy = format!("copy a from stdin;\n{}\\.\n", "1234567\n".repeat(600_000));
    let files = [FILES[0], ("V2__copy.sql", copy.as_str()), FILES[2]];
    let scene = Scene::new(server, &files);
    assert_eq!(scene.ours("migrate", &["--set", "target=1"]).0, 0);
    let holder = Other::in_transaction(&scene, "lock table a");
    let (code, document) = answer(&interrupt(&scene, start(&scene), "copy a", Signal::SIGINT));
    assert_eq!((code, &document["error"]["left"]), (130, &json!("nothing")), "{document:#}");
    drop(holder);
    assert_eq!(scene.sql("select count(*) from a"), "0");
}

/// The server takes what is sent ahead of the first script as one more message, which a cancel may strike as well: nothing has
/// failed then.
#[test]
fn what_is_prepared_for_scripts_is_cancelled_and_nothing_has_failed() {
    let Some(server) = server() else { return };
    let tables: Vec<_> = (2..9).map(|n| (format!("V{n}__t.sql"), format!("create table t{n}();"))).collect();
    let mut files: Vec<_> = tables.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    files.extend([("V1__gate.sql", "create table gate();"), ("beforeMigrate.sql", "select count(*) from gate;")]);
    let scene = Scene::new(server, &files[..8]);
    assert_eq!(scene.ours("migrate", &["--set", "target=1"]).0, 0);
    scene.write(files[8].0, files[8].1);
    let gate = Other::in_transaction(&scene, "lock table gate");
    let child = start(&scene);
    let waits = "select count(*) from pg_locks where relation = 'gate'::regclass and not granted";
    while scene.sql(waits) == "0" {
        std::thread::sleep(Duration::from_millis(10));
    }
    let history = Other::in_transaction(&scene, "lock table flyway_schema_history");
    drop(gate);
    let (code, document) = answer(&interrupt(&scene, child, "PREPARE", Signal::SIGINT));
    let error = &document["error"];
    assert_eq!((code, &error["message"], &error["left"]), (130, &json!("interrupted"), &json!("nothing")));
    assert_eq!((&document["migrationsPending"], scene.tables().as_str()), (&json!(7), "gate"), "{document:#}");
    drop(history);
    assert_eq!(scene.migrate(), 7);
}

#[test]
fn waiting_for_the_lock_ends() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &FILES);
    let holder = Other::in_transaction(&scene, "select pg_advisory_lock(77433833903597)");
    let child = start(&scene);
    std::thread::sleep(Duration::from_millis(400));
    let (code, document) = answer(&signalled(child, Signal::SIGINT));
    assert_eq!((code, &document["error"]["message"]), (130, &json!("interrupted")), "{document:#}");
    drop(holder);
    assert_eq!(scene.tables(), "");
}
