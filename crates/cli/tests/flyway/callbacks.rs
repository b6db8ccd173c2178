//! The order in which callbacks run, beside Flyway's: each one writes its event down.

use serde_json::json;

use crate::scene::{Scene, flyway, server};

/// Events that a SQL file can have, those that run when something failed among them.
const EVENTS: &[&str] = &[
    "afterConnect",
    "createSchema",
    "beforeCreateSchema",
    "beforeMigrate",
    "beforeEachMigrate",
    "beforeEachMigrateStatement",
    "afterEachMigrateStatement",
    "afterEachMigrate",
    "afterVersioned",
    "beforeRepeatables",
    "afterMigrateApplied",
    "afterMigrate",
    "afterMigrateError",
    "afterMigrateOperationFinish",
    "beforeValidate",
    "afterValidate",
    "afterValidateError",
    "beforeInfo",
    "afterInfo",
    "afterInfoError",
    "afterInfoOperationFinish",
    "beforeBaseline",
    "afterBaseline",
    "afterBaselineError",
    "beforeRepair",
    "afterRepair",
    "afterRepairError",
    "beforeClean",
    "afterClean",
    "afterCleanError",
];

fn scene(files: &[(&str, &str)]) -> Option<Scene> {
    let scene = Scene::new(server()?, files);
    scene.sql("create schema trace; create table trace.of(n int generated always as identity, event text)");
    for event in EVENTS {
        scene.write(&format!("{event}.sql"), &format!("insert into trace.of(event) values ('{event}');"));
    }
    scene.write("beforeMigrate__b.sql", "insert into trace.of(event) values ('beforeMigrate b');");
    scene.write("beforeMigrate__a.sql", "insert into trace.of(event) values ('beforeMigrate a');");
    Some(scene)
}

/// What was written down since the last time.
fn trace(scene: &Scene) -> Vec<String> {
    let written = scene.sql("select event from trace.of order by n");
    scene.sql("truncate trace.of");
    written.lines().map(str::to_owned).collect()
}

type Case<'c> = (&'c str, &'c str, &'c dyn Fn(&Scene), &'c [(&'c str, &'c str)]);

#[test]
fn callbacks_run_in_flyways_order() {
    let files = &[
        ("V1__a.sql", "insert into trace.of(event) values ('V1 a'); insert into trace.of(event) values ('V1 b');"),
        ("V2__b.sql", "insert into trace.of(event) values ('V2');"),
        ("R__r.sql", "insert into trace.of(event) values ('R r');"),
        ("R__s.sql", "insert into trace.of(event) values ('R s');"),
    ];
    let (Some(first), Some(second)) = (scene(files), scene(files)) else { return };
    let Some(mut flyway) = flyway() else { return };
    let done: &dyn Fn(&Scene) = &|_| {};
    let cases: &[Case<'_>] = &[
        ("validate a new database", "validate", done, &[]),
        ("info on a new database", "info", done, &[]),
        ("repair a new database", "repair", done, &[]),
        ("migrate", "migrate", done, &[]),
        ("nothing to do", "migrate", done, &[]),
        (
            "repeatables only",
            "migrate",
            &|s| s.write("R__r.sql", "insert into trace.of(event) values ('R again')"),
            &[],
        ),
        ("a version only", "migrate", &|s| s.write("V3__c.sql", "insert into trace.of(event) values ('V3')"), &[]),
        ("outside of a transaction", "migrate", &|s| s.write("V4__v.sql", "vacuum; vacuum;"), &[]),
        (
            "all in one transaction",
            "migrate",
            &|s| {
                s.write("V5__g.sql", "insert into trace.of(event) values ('V5')");
                s.write("R__g.sql", "insert into trace.of(event) values ('R g')");
            },
            &[("group", "true")],
        ),
        (
            "recorded only",
            "migrate",
            &|s| {
                s.write("V6__h.sql", "insert into trace.of(event) values ('V6')");
                s.write("R__h.sql", "insert into trace.of(event) values ('R h')");
            },
            &[("skipExecutingMigrations", "true")],
        ),
        ("validate", "validate", done, &[]),
        ("info", "info", done, &[]),
        ("repair", "repair", done, &[]),
        ("a baseline that is refused", "baseline", done, &[]),
        (
            "a failing migration",
            "migrate",
            &|s| s.write("V7__x.sql", "insert into trace.of(event) values ('V7'); select 1/0;"),
            &[],
        ),
        ("a failing validation", "validate", done, &[]),
        ("a failing validation before migrating", "migrate", &|s| s.write("V1__a.sql", "select 'changed'"), &[]),
        ("no validation", "migrate", &|s| s.remove("V7__x.sql"), &[("validateOnMigrate", "false")]),
        ("clean", "clean", done, &[("cleanDisabled", "false")]),
        ("baseline", "baseline", done, &[]),
        ("baseline again", "baseline", done, &[]),
        (
            "a baseline while migrating",
            "migrate",
            &|s| drop(s.sql("drop table if exists flyway_schema_history; create table t()")),
            &[("baselineOnMigrate", "true")],
        ),
        ("a new schema", "migrate", done, &[("schemas", "fresh")]),
        ("no schemas are created", "migrate", done, &[("createSchemas", "false"), ("schemas", "fresh")]),
    ];
    let mut differ = Vec::new();
    for (name, verb, before, settings) in cases {
        before(&first);
        before(&second);
        let pairs: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let more: Vec<&str> = pairs.iter().flat_map(|pair| ["--set", pair]).collect();
        let theirs = first.theirs(&mut flyway, verb, settings);
        let (code, ours) = second.ours(verb, &more);
        let (expected, found) = (trace(&first), trace(&second));
        let worked = theirs["ok"] == true;
        if expected != found || worked != (code == 0) {
            differ.push(format!("{name}: {theirs}\n  ours   {code} {found:?}\n  Flyway {expected:?}\n{ours:#}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

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
