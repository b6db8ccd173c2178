//! One after the other, in both orders.

use serde_json::json;

use crate::scene::{Scene, flyway, server, strings};

const FILES: &[(&str, &str)] = &[
    ("V1__person.sql", "create table person(id int primary key);\n"),
    (
        "V2__names_of__people.sql",
        "-- é ☃\r\nalter table person add name text;\r\ninsert into person values (1, 'o''b');",
    ),
    ("V10_1__no end.sql", "create table last(id int); -- end"),
    ("R__people.sql", "create or replace view people as select name from person;\n"),
];

#[test]
fn flyway_then_ours_and_ours_then_flyway() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let (first, second) = (Scene::new(server, FILES), Scene::new(server, FILES));
    assert_eq!(first.theirs(&mut flyway, "migrate", &[]), json!({"ok": true, "executed": 4}));
    let before = first.rows();
    assert_eq!(first.migrate(), 0);
    assert_eq!(first.ours("validate", &[]).0, 0);
    assert_eq!(first.rows(), before);

    assert_eq!(second.migrate(), 4);
    assert_eq!(second.rows(), before);
    assert_eq!(second.theirs(&mut flyway, "validate", &[]), json!({"ok": true, "codes": []}));
    assert_eq!(second.theirs(&mut flyway, "migrate", &[]), json!({"ok": true, "executed": 0}));
    let described = "\\d flyway_schema_history";
    assert_eq!(second.sql(described), first.sql(described));
    assert_eq!(second.sql("select * from people"), "o'b");
}

#[test]
fn taking_turns_and_a_changed_repeatable() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let scene = Scene::new(server, &FILES[..1]);
    assert_eq!(scene.theirs(&mut flyway, "migrate", &[])["executed"], 1);
    scene.write(FILES[1].0, FILES[1].1);
    scene.write(FILES[3].0, FILES[3].1);
    assert_eq!(scene.migrate(), 2);
    scene.write(FILES[3].0, "create or replace view people as select name from person where id > 0;\n");
    assert_eq!(scene.theirs(&mut flyway, "migrate", &[])["executed"], 1);
    scene.write(FILES[3].0, "create or replace view people as select name from person where id > ${low};\n");
    assert_eq!(scene.ours("migrate", &["--set", "placeholders.low=-1"]).1["migrationsExecuted"], 1);
    let low = [("placeholders.low", "-1")];
    assert_eq!(scene.theirs(&mut flyway, "validate", &low), json!({"ok": true, "codes": []}));
    assert_eq!(scene.theirs(&mut flyway, "migrate", &low)["executed"], 0);
}

#[test]
fn a_changed_file_is_the_same_error() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let scene = Scene::new(server, FILES);
    assert_eq!(scene.migrate(), 4);
    scene.write("V1__person.sql", "create table person(id bigint primary key);\n");
    let theirs = scene.theirs(&mut flyway, "validate", &[]);
    assert_eq!(strings(&theirs["codes"]), ["CHECKSUM_MISMATCH"]);
    let (code, ours) = scene.ours("validate", &[]);
    assert_eq!((code, &ours["invalidMigrations"][0]["errorDetails"]["errorCode"]), (1, &json!("CHECKSUM_MISMATCH")));
    let (code, ours) = scene.ours("migrate", &[]);
    let theirs = scene.theirs(&mut flyway, "migrate", &[]);
    assert_eq!((code, &ours["error"]["errorCode"]), (1, &theirs["code"]));
}

#[test]
fn a_failing_migration_leaves_the_same_history() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let files = [
        ("V1__a.sql", "create table a(id int);"),
        ("V2__b.sql", "create table b(id int);\n\ninsert into nowhere values (1);\n"),
        ("V3__c.sql", "create table c(id int);"),
        ("R__r.sql", "create view r as select 1 as x;"),
    ];
    let (first, second) = (Scene::new(server, &files), Scene::new(server, &files));
    assert_eq!(first.theirs(&mut flyway, "migrate", &[])["ok"], false);
    let (code, ours) = second.ours("migrate", &[]);
    assert_eq!((code, &ours["migrationsExecuted"]), (1, &json!(1)), "{ours:#}");
    let error = &ours["error"];
    assert_eq!((&error["path"], &error["lineNumber"], &error["column"]), (&json!("V2__b.sql"), &json!(3), &json!(13)));
    assert_eq!((&error["sqlState"], &error["statement"]), (&json!("42P01"), &json!("insert into nowhere values (1)")));
    assert_eq!(second.rows(), first.rows());
    assert_eq!((second.tables(), first.tables()), ("a".into(), "a".into()));
}

#[test]
fn create_index_concurrently() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let files = [
        ("V1__t.sql", "create table t(id int); insert into t values (1), (1);"),
        ("V2__i.sql", "create index concurrently i on t(id);\ncreate index concurrently j on t(id);"),
        ("V3__u.sql", "create index concurrently k on t(id);\ncreate unique index concurrently u on t(id);\n"),
        ("V4__never.sql", "create table never();"),
    ];
    let (first, second) = (Scene::new(server, &files), Scene::new(server, &files));
    assert_eq!(first.theirs(&mut flyway, "migrate", &[])["ok"], false);
    let (code, ours) = second.ours("migrate", &[]);
    assert_eq!((code, &ours["migrationsExecuted"]), (1, &json!(2)), "{ours:#}");
    assert_eq!((&ours["error"]["sqlState"], &ours["error"]["left"]), (&json!("23505"), &json!("resumable")));
    assert_eq!(ours["error"]["lineNumber"], 2);
    assert_eq!(second.rows(), first.rows());
    let indexes = "select indexrelid::regclass, indisvalid from pg_index where indrelid='t'::regclass order by 1";
    assert_eq!(second.sql(indexes), first.sql(indexes));
    // Both call it failed; Flyway does not go on.
    let codes = |value: &serde_json::Value| strings(&value["codes"]);
    let theirs = codes(&second.theirs(&mut flyway, "validate", &[("ignoreMigrationPatterns", "*:pending")]));
    let (_, ours) = second.ours("validate", &["--set", "ignoreMigrationPatterns=*:pending"]);
    assert_eq!(ours["invalidMigrations"][0]["errorDetails"]["errorCode"].as_str(), theirs.first().map(String::as_str));
    assert_eq!(second.theirs(&mut flyway, "migrate", &[])["ok"], false);
    // Ours goes on at the statement that failed, which fails again.
    assert_eq!((second.ours("migrate", &[]).0, second.rows()), (1, first.rows()));
    assert_eq!(second.theirs(&mut flyway, "repair", &[])["ok"], true);
    second.sql("drop index u; drop index k; delete from t where ctid = (select min(ctid) from t)");
    assert_eq!(second.migrate(), 2);
    assert_eq!(second.theirs(&mut flyway, "migrate", &[])["executed"], 0);
    assert_eq!(second.tables(), "never t");
}

#[test]
fn schemas_are_created_and_recorded_alike() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let files = [("V1__t.sql", "create table t(id int);"), ("V2__u.sql", "create table \"Other\".u(id int);")];
    let (first, second) = (Scene::new(server, &files), Scene::new(server, &files));
    assert_eq!(first.theirs(&mut flyway, "migrate", &[("schemas", "app,Other")])["executed"], 2);
    let (code, ours) = second.ours("migrate", &["--set", "schemas=app,Other"]);
    assert_eq!((code, &ours["schemasCreated"]), (0, &json!(["app", "Other"])), "{ours:#}");
    assert_eq!(second.rows_in("app"), first.rows_in("app"));
    assert_eq!(second.sql("select count(*) from app.t"), "0");
    assert_eq!(second.theirs(&mut flyway, "migrate", &[("schemas", "app,Other,third")])["ok"], true);
    assert_eq!(first.ours("migrate", &["--set", "schemas=app,Other,third"]).0, 0);
    assert_eq!(second.rows_in("app"), first.rows_in("app"));
}

#[test]
fn a_database_with_tables_and_no_history() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let files = [("V1__t.sql", "create table t(id int);"), ("V2__u.sql", "create table u(id int);")];
    let (first, second) = (Scene::new(server, &files), Scene::new(server, &files));
    for scene in [&first, &second] {
        scene.sql("create table t(id int)");
    }
    let theirs = first.theirs(&mut flyway, "migrate", &[]);
    let (code, ours) = second.ours("migrate", &[]);
    assert_eq!((code, &ours["error"]["errorCode"]), (1, &theirs["code"]));
    assert_eq!(theirs["code"], "NON_EMPTY_SCHEMA_WITHOUT_SCHEMA_HISTORY_TABLE");
    assert_eq!(first.theirs(&mut flyway, "migrate", &[("baselineOnMigrate", "true")])["executed"], 1);
    assert_eq!(second.ours("migrate", &["--set", "baselineOnMigrate=true"]).1["migrationsExecuted"], 1);
    assert_eq!(second.rows(), first.rows());
}

#[test]
fn flyway_waits_for_our_lock_and_we_for_flyways() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let slow = [("V1__a.sql", "create table a(); select pg_sleep(1.5);"), ("V2__b.sql", "create table b();")];
    for theirs_lock in ["true", "false"] {
        let scene = Scene::new(server, &slow);
        let ran = std::thread::scope(|scope| {
            let ours = scope.spawn(|| scene.migrate());
            scene.wait_for_lock();
            let theirs = scene.theirs(&mut flyway, "migrate", &[("postgresql.transactional.lock", theirs_lock)]);
            (ours.join().unwrap(), theirs)
        });
        assert_eq!(ran, (2, json!({"ok": true, "executed": 0})), "{theirs_lock}");

        let scene = Scene::new(server, &slow);
        let ran = std::thread::scope(|scope| {
            let ours = scope.spawn(|| {
                scene.wait_for_lock();
                scene.migrate()
            });
            let theirs = scene.theirs(&mut flyway, "migrate", &[("postgresql.transactional.lock", theirs_lock)]);
            (ours.join().unwrap(), theirs)
        });
        // Flyway's default takes the lock anew for each migration: we may come in between.
        assert_eq!(ran.0 + ran.1["executed"].as_u64().unwrap(), 2, "{theirs_lock}: {ran:?}");
        assert_eq!(scene.rows().lines().count(), 2);
    }
}
