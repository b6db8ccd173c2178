//! `undo`, which Flyway's free edition has not: what it leaves, both read alike.

use serde_json::json;

use crate::scene::{Scene, flyway, server, strings};

const FILES: &[(&str, &str)] = &[
    ("V1__a.sql", "create table a(id int);"),
    ("V2__b.sql", "create table b(id int);"),
    ("V3__c.sql", "create table c(id int);"),
    ("R__r.sql", "select 1;"),
    ("U1__a.sql", "drop table a;"),
    ("U2__b.sql", "drop table b;"),
    ("U3__c.sql", "drop table ${name};"),
];

const NAME: &[&str] = &["--set", "placeholders.name=c"];

#[test]
fn what_is_undone_is_pending_for_both() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let scene = Scene::new(server, FILES);
    assert_eq!(scene.ours("migrate", NAME).1["migrationsExecuted"], 4);
    let (code, ours) = scene.ours("undo", NAME);
    assert_eq!((code, &ours["undoneMigrations"][0]["filepath"]), (0, &json!("U3__c.sql")), "{ours:#}");
    assert_eq!((&ours["initialSchemaVersion"], &ours["targetSchemaVersion"]), (&json!("3"), &json!("2")));
    assert_eq!(scene.tables(), "a b");
    let states = |info: &serde_json::Value| strings(&info["states"]);
    let theirs = scene.theirs(&mut flyway, "info", &[]);
    assert_eq!(states(&theirs), ["1:Success", "2:Success", "3:Deleted", "r:Success", "3:Pending"]);
    let (_, info) = scene.ours("info", NAME);
    let ours: Vec<_> =
        info["migrations"].as_array().unwrap().iter().map(|item| item["state"].as_str().unwrap()).collect();
    assert_eq!(ours, ["Success", "Success", "Deleted", "Success", "Pending"]);

    // Flyway applies it again, we undo that, and both versions below with it.
    assert_eq!(scene.theirs(&mut flyway, "migrate", &[])["executed"], 1);
    let (code, ours) = scene.ours("undo", &["--target", "2", NAME[0], NAME[1]]);
    assert_eq!(
        (code, &ours["migrationsUndone"], &ours["targetSchemaVersion"]),
        (0, &json!(2), &json!("1")),
        "{ours:#}"
    );
    assert_eq!(
        (
            scene.tables().as_str(),
            scene.ours("validate", &["--set", "ignoreMigrationPatterns=*:pending", NAME[0], NAME[1]]).0
        ),
        ("a", 0)
    );
    assert_eq!(scene.theirs(&mut flyway, "migrate", &[])["executed"], 2);
    assert_eq!(scene.theirs(&mut flyway, "validate", &[]), json!({"ok": true, "codes": []}));
    assert_eq!(scene.tables(), "a b c");
}

#[test]
fn a_version_without_a_script_is_refused_by_name() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &FILES[..5]);
    assert_eq!(scene.migrate(), 4);
    let (code, ours) = scene.ours("undo", &["--target", "1"]);
    let problems = ours["error"]["problems"].as_array().unwrap();
    assert_eq!((code, problems.len(), scene.tables().as_str()), (1, 2, "a b c"), "{ours:#}");
    assert_eq!(problems[0]["path"], "V3__c.sql");
    assert!(problems[0]["message"].as_str().unwrap().contains("write U3__c.sql"), "{ours:#}");
    let (code, ours) = scene.ours("undo", &["--target", "9"]);
    assert!(code == 1 && ours["error"]["message"].as_str().unwrap().contains("9"), "{ours:#}");
    assert_eq!((scene.tables().as_str(), scene.rows().lines().count()), ("a b c", 4));
}

#[test]
fn a_failing_undo_takes_nothing_back() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    assert_eq!(scene.ours("migrate", NAME).0, 0);
    scene.write("U2__b.sql", "drop table b;\nselect 1/0;");
    let before = scene.rows();
    let (code, ours) = scene.ours("undo", &["--target", "1", NAME[0], NAME[1]]);
    let error = &ours["error"];
    assert_eq!(
        (code, &error["path"], &error["lineNumber"], &error["left"]),
        (1, &json!("U2__b.sql"), &json!(2), &json!("nothing")),
        "{ours:#}"
    );
    assert_eq!((&ours["migrationsUndone"], scene.tables().as_str()), (&json!(1), "a b"));
    assert_eq!(scene.rows().lines().count(), before.lines().count() + 1);
    // Outside of a transaction there is no row for the failure either: the version is still applied.
    scene.write("U2__b.sql", "vacuum; select 1/0;");
    scene.write("U2__b.sql.conf", "executeInTransaction=false");
    let (code, ours) = scene.ours("undo", NAME);
    assert_eq!((code, &ours["error"]["left"]), (1, &json!("perhaps")), "{ours:#}");
    assert_eq!(scene.rows().lines().count(), before.lines().count() + 1);
    scene.write("U2__b.sql", "drop table b");
    assert_eq!(scene.ours("undo", NAME).0, 0);
    assert_eq!((scene.ours("undo", NAME).0, scene.tables().as_str()), (0, ""));
    let (code, ours) = scene.ours("undo", NAME);
    assert_eq!((code, &ours["migrationsUndone"]), (0, &json!(0)), "{ours:#}");
}

#[test]
fn undo_has_its_own_callbacks() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    scene.sql("create table trace(n int generated always as identity, event text)");
    let events = [
        "afterConnect",
        "beforeUndo",
        "beforeEachUndo",
        "beforeEachUndoStatement",
        "afterEachUndoStatement",
        "afterEachUndo",
        "afterUndo",
        "afterUndoError",
        "beforeMigrate",
        "afterUndoOperationFinish",
    ];
    assert_eq!(
        scene.ours("migrate", &["--set", "baselineOnMigrate=true", "--set", "baselineVersion=0", NAME[0], NAME[1]]).0,
        0
    );
    for event in events {
        scene.write(&format!("{event}.sql"), &format!("insert into trace(event) values ('{event}')"));
    }
    assert_eq!(scene.ours("undo", NAME).0, 0);
    let expected = "afterConnect beforeUndo beforeEachUndo beforeEachUndoStatement afterEachUndoStatement afterEachUndo afterUndo afterUndoOperationFinish";
    assert_eq!(scene.sql("select string_agg(event, ' ' order by n) from trace"), expected);
}

#[test]
fn what_the_paid_editions_recorded_is_read() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let scene = Scene::new(server, &FILES[..3]);
    assert_eq!(scene.migrate(), 3);
    scene.sql(
        "insert into flyway_schema_history values (4,'3','c','UNDO_SQL','U3__c.sql',1,'x',now(),1,true); drop table c",
    );
    assert_eq!(scene.theirs(&mut flyway, "info", &[])["ok"], false);
    assert_eq!(scene.ours("validate", &["--set", "ignoreMigrationPatterns=*:pending"]).0, 0);
    assert_eq!((scene.migrate(), scene.tables().as_str()), (1, "a b c"));
}
