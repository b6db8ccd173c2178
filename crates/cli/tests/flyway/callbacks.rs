//! Callbacks that fail, and those that cannot run. Their order is case 55 of those side by side.

use serde_json::json;

use crate::scene::{Scene, server};

#[test]
fn a_failing_callback_ends_the_run_and_one_for_failures_is_told_beside_it() {
    let Some(server) = server() else { return };
    let files = &[
        ("V1__a.sql", "create table a();"),
        ("beforeEachMigrate.sql", "create table if not exists each();"),
        ("afterEachMigrate.sql", "select 1/(2 - (select count(*) from flyway_schema_history));"),
        ("V2__b.sql", "create table b();"),
        ("V3__c.sql", "create table c();"),
        ("afterEachMigrateError.sql", "create table noted();"),
        ("afterMigrateError.sql", "select 'also' / 0;"),
    ];
    let scene = Scene::new(server, files);
    let (code, ours) = scene.ours("migrate", &[]);
    let error = &ours["error"];
    assert_eq!(
        (code, &error["path"], &error["sqlState"]),
        (1, &json!("afterEachMigrate.sql"), &json!("22012")),
        "{ours:#}"
    );
    assert_eq!((&ours["migrationsExecuted"], scene.tables().as_str()), (&json!(2), "a b each noted"));
    assert_eq!(error["callbacks"][0]["path"], "afterMigrateError.sql");
}

#[test]
fn callbacks_that_are_no_sql_are_named() {
    let Some(server) = server() else { return };
    for name in ["afterMigrate.sh", "beforeMigrate__x.py", "V2__x.sh", "V2__java.java", "R__r.ps1"] {
        let scene = Scene::new(server, &[("V1__a.sql", "create table a();"), (name, "true")]);
        let (code, ours) = scene.ours("migrate", &[]);
        let problem = &ours["error"]["problems"][0];
        assert_eq!((code, &problem["path"]), (1, &json!(name)), "{ours:#}");
        assert_eq!(scene.tables(), "");
    }
}

#[test]
fn what_cannot_be_run_is_refused_before_anything_runs() {
    let Some(server) = server() else { return };
    for event in ["afterConnect", "afterMigrate", "afterEachMigrateStatement", "beforeRepeatables"] {
        let name = format!("{event}.sql");
        let scene = Scene::new(server, &[("V1__a.sql", "create table a();"), (&name, "select '${nowhere}'")]);
        let (code, ours) = scene.ours("migrate", &[]);
        assert_eq!((code, &ours["error"]["problems"][0]["path"]), (1, &json!(name)), "{ours:#}");
        assert_eq!(scene.tables(), "");
    }
    // One that concerns another command is not asked for.
    let scene = Scene::new(server, &[("V1__a.sql", "create table a();"), ("beforeClean.sql", "select 1/0")]);
    assert_eq!(scene.migrate(), 1);
}
