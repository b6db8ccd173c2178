//! Verbs beside `migrate`: baseline, repair, undo, clean.

use crate::stage::{Party, Stage};

const THREE: &[(&str, &str)] = &[
    ("V1__a.sql", "create table a(id int);"),
    ("V2__b.sql", "create table b(id int);"),
    ("V3__c.sql", "create table c(id int);"),
    ("R__r.sql", "create or replace view r as select 1 as x;"),
];

fn applied(stage: &mut Stage) {
    stage.files(THREE);
    assert_eq!(stage.a("migrate", &[]).ran(), 4);
}

pub(crate) fn baseline_again(stage: &mut Stage) {
    stage.files(THREE);
    stage.sql("create table a(id int)");
    assert!(stage.a("baseline", &[]).ok);
    assert!(stage.b("baseline", &[("baselineVersion", "1.0")]).ok);
    for other in [("baselineVersion", "2"), ("baselineDescription", "as found")] {
        assert!(!stage.b("baseline", &[other]).ok);
        assert!(!stage.a("baseline", &[other]).ok);
    }
    stage.sql("delete from flyway_schema_history");
    assert!(!stage.b("baseline", &[]).ok);
    stage.sql("drop table flyway_schema_history, a");
    assert_eq!(stage.a("migrate", &[]).ran(), 4);
    assert!(!stage.b("baseline", &[]).ok);
}

pub(crate) fn baseline_with_schemas(stage: &mut Stage) {
    stage.files(THREE);
    stage.set("schemas", "app,Other");
    stage.history_in("app", "flyway_schema_history");
    assert!(stage.a("baseline", &[("baselineVersion", "2")]).ok);
    let types = "select installed_rank, type from app.flyway_schema_history order by 1";
    assert_eq!(stage.see(types), "1|BASELINE\n2|SCHEMA");
    assert_eq!(stage.b("migrate", &[]).ran(), 2);
    assert_eq!(stage.a("migrate", &[]).ran(), 0);
}

pub(crate) fn repaired_and_restored(stage: &mut Stage) {
    applied(stage);
    stage.remove("V2__b.sql");
    stage.remove("R__r.sql");
    assert!(stage.b("repair", &[]).ok);
    assert_eq!(stage.see("select count(*) from flyway_schema_history where type = 'DELETE'"), "2");
    assert!(stage.a("validate", &[]).ok);
    assert!(stage.a("repair", &[]).ok);
    stage.sql("drop table b");
    stage.files(&[THREE[1], THREE[3]]);
    assert!(!stage.b("validate", &[]).ok);
    assert_eq!(stage.b("migrate", &[("outOfOrder", "true")]).ran(), 2);
    assert_eq!(stage.a("migrate", &[]).ran(), 0);
}

pub(crate) fn undone(stage: &mut Stage) {
    applied(stage);
    stage.write("U3__c.sql", "drop table c;");
    for _ in 0..2 {
        // Flyway's free edition cannot.
        let outcome = stage.perform(Party::Ours, "undo", &[]);
        assert!(outcome.ok, "{outcome:#?}");
        stage.note("ours undo", Party::Ours, &outcome);
        assert_eq!(stage.see("select to_regclass('c')"), "");
        assert_eq!(stage.b("migrate", &[]).ran(), 1);
        assert!(stage.a("validate", &[]).ok);
    }
    let outcome = stage.perform(Party::Ours, "undo", &[]);
    stage.note("ours undo", Party::Ours, &outcome);
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.see("select count(*) from flyway_schema_history where type = 'DELETE'"), "3");
}

pub(crate) fn mismatches(stage: &mut Stage) {
    applied(stage);
    stage.write("V1__a.sql", "create table a(id bigint);");
    stage.remove("V2__b.sql");
    stage.write("V2__renamed.sql", "create table b(id int);");
    stage.sql("update flyway_schema_history set type = 'JDBC' where version = '3'");
    let outcome = stage.b("validate", &[]);
    assert!(!outcome.ok && outcome.codes.iter().any(|code| code == "CHECKSUM_MISMATCH"), "{outcome:#?}");
    stage.a("migrate", &[]).refused(&["VALIDATE_ERROR"]);
    assert!(stage.b("repair", &[]).ok);
    stage.a("validate", &[]);
    stage.sql("update flyway_schema_history set type = 'JDBC' where description = 'r'");
    stage.b("validate", &[]);
    assert!(stage.a("repair", &[]).ok);
    stage.b("validate", &[]);
}

pub(crate) fn failed_row(stage: &mut Stage) {
    applied(stage);
    stage.sql("update flyway_schema_history set success = false where version = '3' or version is null");
    stage.b("validate", &[]);
    assert!(!stage.b("migrate", &[]).ok);
    assert!(!stage.a("migrate", &[("validateOnMigrate", "false")]).ok);
    stage.sql("drop table c");
    assert!(stage.a("repair", &[]).ok);
    assert_eq!(stage.b("migrate", &[]).ran(), 2);
    assert!(stage.a("validate", &[]).ok);
}

pub(crate) fn rows_without_running(stage: &mut Stage) {
    stage.files(THREE);
    stage.write("V2.5__outside.sql", "vacuum nowhere;");
    // Nothing is looked at: the schema may have something in it.
    stage.sql("create table already()");
    assert_eq!(stage.a("migrate", &[("skipExecutingMigrations", "true")]).ran(), 5);
    assert_eq!(stage.see("select to_regclass('a'), to_regclass('r')"), "|");
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    stage.write("R__r.sql", "create or replace view r as select 2 as x;");
    assert_eq!(stage.b("migrate", &[("skipExecutingMigrations", "true")]).ran(), 1);
    assert!(stage.a("validate", &[]).ok);
}

/// Every kind of object, with names that have to be quoted, and dependencies across two schemas.
const OBJECTS: &str = include_str!("../../data/objects.sql");

const LEFT: &str = "select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace \
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' \
     union all select 'schema ' || nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' \
     union all select 'extension ' || extname from pg_extension where extname <> 'plpgsql' order by 1";

pub(crate) fn cleaned(stage: &mut Stage) {
    const ENABLED: (&str, &str) = ("cleanDisabled", "false");
    stage.write("V1__t.sql", "create table t(id int); create table \"Other\".u(id int)");
    stage.without_looks();
    stage.set("schemas", "app,Other");
    stage.history_in("app", "flyway_schema_history");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    stage.b("clean", &[]).says("cleanDisabled");
    assert!(!stage.a("clean", &[]).ok);
    assert!(stage.b("clean", &[ENABLED]).ok);
    assert_eq!(stage.see(LEFT), "schema public");

    stage.sql(OBJECTS);
    stage.set("schemas", "public,Sch\"ema,nowhere");
    assert!(stage.a("clean", &[ENABLED]).ok);
    let left = "outside.keep\noutside.seen\nschema Sch\"ema\nschema outside\nschema public";
    assert_eq!(stage.see(LEFT), left);
    assert!(stage.b("clean", &[ENABLED]).ok);
}
