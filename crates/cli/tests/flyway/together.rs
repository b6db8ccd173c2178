//! Settings that change how a run goes: all in one transaction, rows only, a tablespace for the history.

use serde_json::json;

use crate::scene::{Scene, flyway, server};

#[test]
fn a_group_is_one_transaction() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let files = [
        ("V1__a.sql", "create table a(id int primary key); insert into a values (1);"),
        (
            "V2__b.sql",
            "create table b(id int references a(id) deferrable initially deferred); insert into b values (2);",
        ),
        ("V3__c.sql", "insert into a values (2);\ncreate table c(id int);"),
        ("R__r.sql", "create or replace view r as select * from a;"),
    ];
    let group = [("group", "true")];
    let (first, second) = (Scene::new(server, &files), Scene::new(server, &files));
    assert_eq!(first.theirs(&mut flyway, "migrate", &group), json!({"ok": true, "executed": 4}));
    let (code, ours) = second.ours("migrate", &["--set", "group=true"]);
    assert_eq!((code, &ours["migrationsExecuted"]), (0, &json!(4)), "{ours:#}");
    assert_eq!(second.rows(), first.rows());
    let transactions = "select count(distinct xmin::text) from flyway_schema_history";
    assert_eq!((second.sql(transactions), first.sql(transactions)), ("1".into(), "1".into()));

    for scene in [&first, &second] {
        scene.write("V4__d.sql", "create table d();");
        scene.write("V5__e.sql", "create table e();\nselec 1;");
    }
    assert_eq!(first.theirs(&mut flyway, "migrate", &group)["ok"], false);
    let (code, ours) = second.ours("migrate", &["--set", "group=true"]);
    let error = &ours["error"];
    assert_eq!(
        (code, &error["path"], &error["lineNumber"], &error["left"]),
        (1, &json!("V5__e.sql"), &json!(2), &json!("nothing"))
    );
    assert_eq!(ours["migrationsExecuted"], 0);
    assert_eq!((second.rows(), second.tables()), (first.rows(), first.tables()));

    // What cannot be in one transaction is refused by both, and nothing has run.
    for (bad, ours_only) in [("vacuum;", false), ("create table f(); commit; begin;", true)] {
        for scene in [&first, &second] {
            scene.write("V5__e.sql", bad);
        }
        let (code, ours) = second.ours("migrate", &["--set", "group=true"]);
        assert_eq!((code, &ours["error"]["problems"][0]["path"]), (1, &json!("V5__e.sql")), "{ours:#}");
        if !ours_only {
            assert_eq!(first.theirs(&mut flyway, "migrate", &group)["ok"], false);
            assert_eq!((second.rows(), second.tables()), (first.rows(), first.tables()));
        }
    }
    // With `mixed` the group runs without a transaction around it.
    for scene in [&first, &second] {
        scene.write("V5__e.sql", "vacuum;");
    }
    let mixed = [("group", "true"), ("mixed", "true")];
    assert_eq!(first.theirs(&mut flyway, "migrate", &mixed)["executed"], 2);
    let (code, ours) = second.ours("migrate", &["--set", "group=true", "--set", "mixed=true"]);
    assert_eq!((code, second.rows()), (0, first.rows()), "{ours:#}");
}

#[test]
fn rows_without_running_anything() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let files = [("V1__a.sql", "create table a(id int);"), ("V2__b.sql", "select 1/0;"), ("R__r.sql", "select 1/0;")];
    let (first, second) = (Scene::new(server, &files), Scene::new(server, &files));
    for scene in [&first, &second] {
        scene.sql("create table already(id int)");
    }
    let skip = [("skipExecutingMigrations", "true")];
    assert_eq!(first.theirs(&mut flyway, "migrate", &skip), json!({"ok": true, "executed": 3}));
    let (code, ours) = second.ours("migrate", &["--set", "skipExecutingMigrations=true"]);
    assert_eq!((code, &ours["migrationsExecuted"]), (0, &json!(3)), "{ours:#}");
    assert_eq!((second.rows(), second.tables()), (first.rows(), "already".into()));
}

#[test]
fn a_tablespace_for_the_history() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let files = [("V1__a.sql", "create table a(id int);")];
    let (first, second) = (Scene::new(server, &files), Scene::new(server, &files));
    // It belongs to the whole server, which is the tests' own.
    first.sql("set allow_in_place_tablespaces = on; create tablespace \"sp ace\" location '';");
    assert_eq!(first.theirs(&mut flyway, "migrate", &[("tablespace", "sp ace")])["ok"], true);
    let (code, ours) = second.ours("migrate", &["--set", "tablespace=sp ace"]);
    assert_eq!(code, 0, "{ours:#}");
    let spaces = "select c.relname, t.spcname from pg_class c left join pg_tablespace t on t.oid = c.reltablespace \
                  where c.relname like 'flyway%' order by 1";
    assert_eq!(second.sql(spaces), first.sql(spaces));
    assert_eq!(second.sql(spaces).matches("sp ace").count(), 3);
    assert_eq!(second.sql("\\d flyway_schema_history"), first.sql("\\d flyway_schema_history"));
}
