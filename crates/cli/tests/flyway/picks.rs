//! `cherryPick`: single migrations, in the order in which they are named.

use serde_json::json;

use crate::scene::{Scene, flyway, server};

const FILES: &[(&str, &str)] = &[
    ("V1__one.sql", "create table one ();"),
    ("V2__two.sql", "create table two ();"),
    ("V3__three.sql", "create table three ();"),
    ("V4__four.sql", "create index concurrently four on one ((1));"),
    ("R__sum_up.sql", "create or replace view sums as select 1 as one;"),
];

fn scripts(scene: &Scene) -> String {
    scene.sql("select string_agg(script, ' ' order by installed_rank) from flyway_schema_history")
}

#[test]
fn only_what_is_named_runs_and_in_that_order() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    let (code, document) = scene.ours("migrate", &["--cherry-pick", "sum_up,1", "--cherry-pick", "3"]);
    assert_eq!((code, &document["migrationsExecuted"]), (0, &json!(3)), "{document:#}");
    assert_eq!(scripts(&scene), "R__sum_up.sql V1__one.sql V3__three.sql");
    // Again: nothing to do, but version 2 is left behind, which a validation says. It comes too late.
    assert_eq!(scene.ours("migrate", &["--cherry-pick", "3"]).1["error"]["errorCode"], json!("VALIDATE_ERROR"));
    let again = ["--cherry-pick", "1,3,sum up", "--set", "outOfOrder=true"];
    assert_eq!(scene.ours("migrate", &again).1["migrationsExecuted"], json!(0));
    let (code, document) = scene.ours("migrate", &["--cherry-pick", "2", "--set", "validateOnMigrate=false"]);
    let message = document["error"]["message"].as_str().unwrap();
    assert!(code == 1 && message.contains("version 2 is below 3") && message.contains("outOfOrder=true"), "{message}");
    let late = ["--set", "cherryPick=4,2", "--set", "outOfOrder=true"];
    assert_eq!(scene.ours("migrate", &late).1["migrationsExecuted"], json!(2));
    assert_eq!(scripts(&scene), "R__sum_up.sql V1__one.sql V3__three.sql V4__four.sql V2__two.sql");
    if let Some(mut flyway) = flyway() {
        assert_eq!(scene.theirs(&mut flyway, "validate", &[("outOfOrder", "true")])["ok"], json!(true));
    }
}

#[test]
fn every_pick_that_cannot_run_is_named_and_nothing_runs() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    let (code, document) = scene.ours("migrate", &["--cherry-pick", "3,9,2,nothing_like_it,V1"]);
    let message = document["error"]["message"].as_str().unwrap();
    for part in ["`9`", "version 2 is below 3", "`nothing_like_it`", "`V1`"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!((code, scene.tables().as_str()), (1, ""));
    let (_, document) = scene.ours("migrate", &["--cherry-pick", "3", "--set", "target=2"]);
    assert!(document["error"]["message"].as_str().unwrap().contains("Above Target"), "{document:#}");
}

#[test]
fn plans_and_dry_runs_pick_too() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    let (_, document) = scene.ours("migrate", &["--plan", "--cherry-pick", "2"]);
    assert_eq!(document["migrations"].as_array().map(Vec::len), Some(1), "{document:#}");
    let mut command = scene.for_people("migrate", scene.folder.path());
    let output = command.args(["--location", ".", "--cherry-pick", "2", "--dry-run"]).output().unwrap();
    let sql = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(sql.contains("create table two") && !sql.contains("create table one"), "{sql}");
}

#[test]
fn an_undo_takes_back_what_is_named_and_in_that_order() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    for (version, name) in [(1, "one"), (2, "two"), (3, "three")] {
        scene.write(&format!("U{version}__{name}.sql"), &format!("drop table {name};"));
    }
    assert_eq!(scene.ours("migrate", &["--set", "target=3", "--set", "validateOnMigrate=false"]).0, 0);
    let message = |more: &[&str]| {
        let (code, document) = scene.ours("undo", more);
        assert_eq!((code, scene.tables().as_str()), (1, "one three two"), "{document:#}");
        document["error"].to_string()
    };
    let all = message(&["--cherry-pick", "2,9,sum_up,4"]);
    for part in [
        "version 2 is below 3, which stays applied",
        "`9`",
        "`sum_up` is repeatable",
        "4 cannot be undone: its state is Pending",
    ] {
        assert!(all.contains(part), "{part}: {all}");
    }
    assert!(message(&["--set", "cherryPick=3", "--set", "target=2"]).contains("both say what is undone"));
    let (code, document) = scene.ours("undo", &["--cherry-pick", "2", "--cherry-pick", "3"]);
    let undone: Vec<_> = document["undoneMigrations"].as_array().unwrap().iter().map(|one| &one["version"]).collect();
    assert_eq!((code, undone), (0, vec![&json!("2"), &json!("3")]), "{document:#}");
    assert_eq!((&document["targetSchemaVersion"], scene.tables().as_str()), (&json!("1"), "one"));
    // A second time there is nothing left to do.
    assert_eq!(scene.ours("undo", &["--cherry-pick", "2,3"]).1["migrationsUndone"], json!(0));
    assert_eq!(scene.ours("migrate", &["--set", "target=3"]).1["migrationsExecuted"], json!(2));
    let early = ["--cherry-pick", "1", "--set", "outOfOrder=true"];
    assert_eq!(scene.ours("undo", &early).1["migrationsUndone"], json!(1));
    assert_eq!(scene.tables(), "three two");
    if let Some(mut flyway) = flyway() {
        assert_eq!(
            scene.theirs(&mut flyway, "migrate", &[("outOfOrder", "true"), ("target", "3")])["executed"],
            json!(1)
        );
        assert_eq!(scene.tables(), "one three two");
    }
}

#[test]
fn a_plan_of_an_undo_says_what_is_lost() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    scene.write("U3__three.sql", "drop table three;");
    assert_eq!(scene.ours("migrate", &["--set", "target=3"]).0, 0);
    let (code, document) = scene.ours("undo", &["--plan"]);
    let script = &document["migrations"][0];
    assert_eq!((code, &document["command"], &script["filepath"]), (0, &json!("undo"), &json!("U3__three.sql")));
    let hazard = &script["hazards"][0];
    assert_eq!((&hazard["danger"], &hazard["table"]), (&json!("data"), &json!("three")), "{document:#}");
    assert_eq!(scene.tables(), "one three two");
    let mut command = scene.for_people("undo", scene.folder.path());
    let output = command.args(["--location", ".", "--plan"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("1 undo script would run on schema public"), "{told}");
}
