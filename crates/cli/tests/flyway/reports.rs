//! What is written to `--report`, and what a person sees at a terminal.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::scene::{Scene, server};

const FILES: &[(&str, &str)] = &[
    ("V1__a.sql", "create table a();"),
    ("V2__b.sql", "do $$ begin raise warning 'look'; end $$; create table b();"),
    ("R__r.sql", "create or replace view r as select 1 as one;"),
];

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Runs with a report, checks it against the published schema, and gives the exit code and the report.
fn reported(scene: &Scene, more: &[&str]) -> (i32, Value) {
    let path = scene.folder.path().join("run.json");
    let (code, printed) = scene.ours("migrate", &[&["--report", path.to_str().unwrap()], more].concat());
    let report = read(&path);
    assert_eq!(report["success"], printed["success"]);
    assert_eq!(report["migrations"], printed["migrations"]);
    assert_eq!(report["error"], printed["error"]);
    let schema = include_str!("../../../../docs/reference/run.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{report:#}");
    (code, report)
}

#[test]
fn every_end_of_a_run_is_reported() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    let (code, report) = reported(&scene, &[]);
    assert_eq!((code, &report["migrationsExecuted"], &report["migrationsPending"]), (0, &json!(3), &json!(0)));
    assert_eq!(report["warnings"][0]["message"], "look");
    let sums = scene.sql("select json_agg(checksum order by installed_rank) from flyway_schema_history");
    let told: Vec<_> = report["migrations"].as_array().unwrap().iter().map(|one| one["checksum"].clone()).collect();
    assert_eq!(serde_json::from_str::<Value>(&sums).unwrap(), Value::from(told));

    scene.write("V3__c.sql", "create table c();\nselec 1;");
    scene.write("V4__d.sql", "create table d();");
    let (code, report) = reported(&scene, &[]);
    assert_eq!((code, &report["migrationsPending"], &report["error"]["lineNumber"]), (1, &json!(2), &json!(2)));
    // Before anything runs, and before there is a connection.
    scene.write("V1__a.sql", "create table other();");
    let (code, report) = reported(&scene, &[]);
    assert_eq!((code, &report["error"]["errorCode"]), (1, &json!("VALIDATE_ERROR")));
    let (code, report) = reported(&scene, &["--set", "nope=1"]);
    assert_eq!((code, &report["error"]["errorCode"]), (1, &json!("CONFIGURATION")));
}

#[test]
fn nothing_runs_when_the_report_cannot_be_written() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    let (code, document) = scene.ours("migrate", &["--report", "/nowhere/at/all/run.json"]);
    let message = document["error"]["message"].as_str().unwrap_or_default();
    assert!(code == 1 && message.contains("/nowhere/at/all/run.json"), "{document:#}");
    assert_eq!(scene.tables(), "");
}

#[test]
fn a_bar_at_a_terminal_and_lines_elsewhere() {
    let Some(server) = server() else { return };
    let files = [FILES[0], ("V2__s.sql", "select pg_sleep(0.7);"), FILES[2]];
    let scene = Scene::new(server, &files);
    let mut command = scene.for_people("migrate", scene.folder.path());
    command.args(["--location", "."]);
    let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_str().unwrap().replace('\'', "'\\''"));
    let line: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted).collect();
    // `script` gives its command a terminal.
    let Ok(output) = Command::new("script").args(["-qec", &line.join(" "), "/dev/null"]).output() else {
        return trueup_testkit::skipped("there is no script(1) to give a command a terminal");
    };
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("1/3 migrations") && shown.contains("V2__s.sql"), "{shown:?}");
    assert!(shown.contains("  applied V2__s.sql ("), "{shown:?}");

    let scene = Scene::new(server, &files);
    let output = scene.for_people("migrate", scene.folder.path()).args(["--location", "."]).output().unwrap();
    let shown = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(!shown.concat().contains('\u{1b}') && shown[1].is_empty(), "{shown:?}");
    assert_eq!(shown[0].lines().count(), 4, "{shown:?}");
}
