//! A plan says what would run, and what of it is a hazard for what the database has. It changes nothing.

use std::process::Stdio;

use serde_json::{Value, json};

use crate::scene::{Scene, server};

const FIRST: (&str, &str) = (
    "V1__first.sql",
    "create table orders (id bigint primary key, note text, total int);\n\
     insert into orders select g, 'x', g from generate_series(1, 5000) g;\nanalyze orders;",
);

const SECOND: (&str, &str) = (
    "V2__second.sql",
    "alter table orders drop column note;\nalter table ${table} alter column total type bigint;\n\
     create index on orders (total);\n\
     create table items (id bigint primary key);\ncreate index on items (id);\nalter table items drop column id;",
);

fn plan(scene: &Scene, more: &[&str]) -> Value {
    let mut all = vec!["--plan", "--set", "placeholders.table=orders"];
    all.extend(more);
    let (code, document) = scene.ours("migrate", &all);
    assert_eq!(code, 0, "{document:#}");
    document
}

/// Danger, rule, line, column, table and rows of each hazard.
fn hazards(planned: &Value) -> Value {
    let hazards = planned["hazards"].as_array().unwrap().iter();
    let line = |hazard: &Value| {
        json!([hazard["danger"], hazard["rule"], hazard["lineNumber"], hazard["table"], hazard["rows"]])
    };
    hazards.map(line).collect()
}

#[test]
fn hazards_are_about_tables_that_are_there() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &[FIRST, SECOND]);
    let whole = plan(&scene, &[]);
    assert_eq!((&whole["createsHistory"], &whole["initialSchemaVersion"]), (&json!(true), &Value::Null), "{whole:#}");
    assert_eq!(hazards(&whole["migrations"][1]), json!([]), "a new database: {whole:#}");
    assert_eq!(scene.tables(), "");
    assert_eq!(scene.ours("migrate", &["--set", "target=1", "--set", "placeholders.table=orders"]).0, 0);

    let files = [
        ("V3__outside.sql", "create index concurrently i on orders (id);"),
        ("V4__unseen.sql", "do $$begin execute 'drop table orders'; end$$;"),
        ("R__view.sql", "create or replace view v as select id from orders;"),
    ];
    files.iter().for_each(|(name, text)| scene.write(name, text));
    let before = scene.rows();
    let rest = plan(&scene, &[]);
    assert_eq!((scene.rows(), scene.tables().as_str()), (before, "orders"));
    let names: Vec<_> = rest["migrations"].as_array().unwrap().iter().map(|one| one["script"].clone()).collect();
    assert_eq!(json!(names), json!(["V2__second.sql", "V3__outside.sql", "V4__unseen.sql", "R__view.sql"]));
    assert_eq!(
        hazards(&rest["migrations"][0]),
        json!([
            ["data", "ban-drop-column", 1, "orders", 5000],
            ["lock", "changing-column-type", 2, "orders", 5000],
            ["lock", "require-concurrent-index-creation", 3, "orders", 5000],
        ])
    );
    let ways: Vec<_> = rest["migrations"].as_array().unwrap().iter().map(|one| one["inTransaction"].clone()).collect();
    assert_eq!(json!(ways), json!([true, false, true, true]));
    assert_eq!(hazards(&rest["migrations"][1]), json!([]));
    assert_eq!(rest["migrations"][2]["unknown"][0]["lineNumber"], json!(1), "{rest:#}");
    // The database, schemas and history, rows, tables.
    assert_eq!(rest["roundTrips"], json!(4));
}

#[test]
fn a_plan_refuses_what_a_migrate_refuses() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &[FIRST]);
    assert_eq!(scene.migrate(), 1);
    scene.write("V1__first.sql", "select 'another';");
    let (code, document) = scene.ours("migrate", &["--plan"]);
    assert_eq!((code, &document["error"]["errorCode"]), (1, &json!("VALIDATE_ERROR")), "{document:#}");
}

#[test]
fn people_read_it_with_places_and_a_summary() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &[FIRST]);
    assert_eq!(scene.migrate(), 1);
    scene.write(SECOND.0, &SECOND.1.replace("${table}", "orders"));
    let mut command = scene.for_people("migrate", scene.folder.path());
    let output = command.args(["--location", ".", "--plan"]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in [
        "  V2__second.sql: 6 statements, in a transaction\n",
        "    data     V2__second.sql:1:20  ban-drop-column  public.orders (about 5000 rows)\n",
        "             The column's data is lost, and programs that use it fail.\n",
        "hazards: 1 for data, 2 by locks; nothing was executed\n",
    ] {
        assert!(told.contains(line), "{line}\nis not in\n{told}");
    }
}

/// A run goes on, whoever listens.
#[test]
fn a_reader_that_goes_away_ends_nothing() {
    let Some(server) = server() else { return };
    let names: Vec<_> = (1..=40).map(|version| format!("V{version}__a_rather_long_description_of_it.sql")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), "select 1;")).collect();
    let scene = Scene::new(server, &files);
    let mut command = scene.for_people("migrate", scene.folder.path());
    let mut child = command.args(["--location", "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert_eq!(scene.sql("select count(*) from flyway_schema_history"), "40");
}
