//! What scripts are cut into, what is put into them, and how they run.

use crate::stage::{Party, Stage};

/// Flyway's lock that lets `CREATE INDEX CONCURRENTLY` through.
const SESSION_LOCK: (&str, &str) = ("postgresql.transactional.lock", "false");

pub(crate) fn failing(stage: &mut Stage) {
    stage.files(&[
        ("V1__a.sql", "create table a(id int);"),
        ("V2__b.sql", "create table b(id int);\n\ninsert into nowhere values (1);\n"),
        ("V3__c.sql", "create table c(id int);"),
        ("R__r.sql", "create view r as select 1 as x;"),
    ]);
    let outcome = stage.a("migrate", &[]);
    outcome.says("relation \"nowhere\" does not exist");
    assert!(!stage.b("migrate", &[]).ok);
    assert_eq!(stage.see("select to_regclass('a'), to_regclass('b'), to_regclass('c')"), "a||");
    stage.write("V2__b.sql", "create table b(id int);");
    stage.write("R__r.sql", "create view r as select nothing;");
    assert!(!stage.b("migrate", &[]).ok);
    stage.write("R__r.sql", "create view r as select 1 as x;");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
}

pub(crate) fn mixed(stage: &mut Stage) {
    stage.sql("create table t(id int)");
    stage.set("baselineOnMigrate", "true");
    stage.set("baselineVersion", "0");
    stage.write("V1__mixed.sql", "create table m();\nvacuum t;\n");
    // Ours refuses before there is a history, Flyway once there is one.
    stage.apart = true;
    assert!(!stage.a("migrate", &[]).ok);
    assert!(!stage.b("migrate", &[]).ok);
    stage.apart = false;
    assert_eq!(stage.see("select to_regclass('m')"), "");
    assert_eq!(stage.b("migrate", &[("mixed", "true")]).ran(), 1);
    stage.write("V2__mixed.sql", "create table n();\nvacuum t;\n");
    stage.write("V2__mixed.sql.conf", "executeInTransaction=false\n");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    stage.write("V3__mixed.sql", "create table o();\nvacuum t;\n");
    assert_eq!(stage.b("migrate", &[("executeInTransaction", "false")]).ran(), 1);
    assert_eq!(stage.see("select to_regclass('m'), to_regclass('n'), to_regclass('o')"), "m|n|o");
}

/// Each must run outside of a transaction.
const OUTSIDE: &[&str] = &[
    "create database ${flyway:database}_x",
    "drop database ${flyway:database}_x",
    "create tablespace ${flyway:database}_s location ''",
    "drop tablespace ${flyway:database}_s",
    "create subscription s connection 'dbname=nowhere' publication p with (connect = false)",
    "alter subscription s disable; alter subscription s set (slot_name = none)",
    "drop subscription s",
    "alter system reset work_mem",
    "create index concurrently i on t(id)",
    "CREATE UNIQUE INDEX CONCURRENTLY \"U\" ON t(id)",
    "create /* why */ index -- how\n concurrently if not exists j on t(id)",
    "drop index concurrently i",
    "reindex schema s",
    "reindex (verbose) schema s",
    "reindex database ${flyway:database}",
    "vacuum",
    "vacuum (analyze) t",
    "vacuum full t",
];

/// Each may run in a transaction, although it looks like one that may not.
const INSIDE: &[&str] = &[
    "create table vacuum_log(id int)",
    "-- vacuum\nselect 'create index concurrently'",
    "do $$ begin perform 1; end $$",
    "create type e as enum ('a'); alter type e add value 'b'",
    "create index plain on t(id)",
    "create function concurrently() returns int language sql as 'select 1'",
    "reindex table t",
    "alter table t add column vacuum int",
];

pub(crate) fn detected(stage: &mut Stage) {
    stage.sql(
        "do $$ begin execute format('alter database %I set allow_in_place_tablespaces = on', current_database()); end $$",
    );
    stage.set(SESSION_LOCK.0, SESSION_LOCK.1);
    stage.write("V1__t.sql", "create table t(id int); create schema s; create table s.t(id int primary key);");
    for (index, sql) in OUTSIDE.iter().chain(INSIDE).enumerate() {
        stage.write(&format!("V2.{index}__x.sql"), format!("{sql};\n"));
    }
    assert_eq!(stage.a("migrate", &[]).ran(), (OUTSIDE.len() + INSIDE.len()) as u64 + 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    // Those inside are undone when what follows fails, so they were in a transaction.
    for (index, sql) in INSIDE.iter().enumerate() {
        let failing = format!("create table gone{index}();\n{sql};\nselect 1/0;\n");
        stage.write(&format!("V3.{index}__x.sql"), failing.replace("create ", "create /* */ "));
        let outcome = if index % 2 == 0 { stage.a("migrate", &[]) } else { stage.b("migrate", &[]) };
        assert!(!outcome.ok, "{sql}");
        assert_eq!(stage.see(&format!("select to_regclass('gone{index}')")), "");
        stage.remove(&format!("V3.{index}__x.sql"));
    }
    missed_by_flyway(stage);
}

/// What Flyway does not detect and ours does: it fails there and runs here.
fn missed_by_flyway(stage: &mut Stage) {
    stage.write(
        "V4__p.sql",
        "create table p(id int) partition by list (id); create table p1 partition of p for values in (1); \
         create index k on t(id);",
    );
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    stage.apart = true;
    for (index, sql) in [
        "reindex table concurrently t",
        "reindex index concurrently k",
        "alter table p detach partition p1 concurrently",
    ]
    .iter()
    .enumerate()
    {
        let name = format!("V5.{index}__x.sql");
        stage.write(&name, format!("{sql};\n"));
        let outcome = stage.a("migrate", &[]);
        match stage.a {
            Party::Ours => assert_eq!(outcome.ran(), 1, "{sql}"),
            Party::Flyway => {
                assert!(!outcome.ok, "{sql}");
                outcome.says("cannot");
                // As a user of Flyway has to: say it in a file beside the script.
                stage.write(&format!("{name}.conf"), "executeInTransaction=false\n");
                assert_eq!(stage.perform(Party::Flyway, "migrate", &[]).ran(), 1, "{sql}");
            }
        }
    }
    stage.apart = false;
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
}

pub(crate) fn index_concurrently(stage: &mut Stage) {
    stage.set(SESSION_LOCK.0, SESSION_LOCK.1);
    stage.files(&[
        ("V1__t.sql", "create table t(id int); insert into t values (1), (1);"),
        ("V2__i.sql", "create index concurrently i on t(id);\ncreate index concurrently j on t(id);"),
        ("V3__k.sql", "create index concurrently k on t(id);"),
    ]);
    assert_eq!(stage.a("migrate", &[]).ran(), 3);
    stage.write("V4__l.sql", "create index concurrently l on t(id);");
    assert_eq!(stage.b("migrate", &[]).ran(), 1);
    stage.see("select indexrelid::regclass, indisvalid from pg_index where indrelid = 't'::regclass order by 1");
}

pub(crate) fn settings_that_stay(stage: &mut Stage) {
    stage.sql("create schema app; create schema other; do $$ begin if not exists (select from pg_roles where rolname = 'side_by_side') \
               then create role side_by_side; end if; end $$; grant all on schema app, other, public to side_by_side");
    let probe = "insert into probe select current_user, session_user, current_setting('search_path'), \
                 current_setting('statement_timeout'), current_setting('work_mem'), current_schema();\n";
    for (number, change) in [
        "create table app.probe(a text, b text, c text, d text, e text, f text); grant all on app.probe to public; grant usage on schema app to public",
        "set role side_by_side",
        "set search_path = other, app",
        "set statement_timeout = '55s'; set work_mem = '5MB'",
        "set local work_mem = '6MB'",
        "reset all",
    ]
    .iter()
    .enumerate()
    {
        stage.write(&format!("V{}__change.sql", 2 * number + 1), format!("{change};\n"));
        stage.write(&format!("V{}__probe.sql", 2 * number + 2), probe.replace("into probe", "into app.probe"));
    }
    for (schema, parameter) in
        [("app", ""), ("app", "currentSchema=app"), ("app", "currentSchema=app,other"), ("app", "currentSchema=other")]
    {
        stage.parameters(parameter);
        stage.set("defaultSchema", schema);
        stage.history_in(schema, "flyway_schema_history");
        assert_eq!(stage.a("migrate", &[]).ran(), 12);
        assert_eq!(stage.b("migrate", &[]).ran(), 0);
        // Where they join the path's parts, the one puts a space and the other does not.
        stage.see("select a, b, replace(c, ' ', ''), d, e, f from app.probe");
        stage.sql("drop table app.probe, app.flyway_schema_history");
    }
}

pub(crate) fn failing_outside(stage: &mut Stage) {
    stage.write("V1__t.sql", "create table t(id int);");
    stage.write("V2__v.sql", "vacuum t;\nvacuum nowhere;\n");
    stage.set(SESSION_LOCK.0, SESSION_LOCK.1);
    stage.a("migrate", &[]).says("relation \"nowhere\" does not exist");
    assert_eq!(stage.see("select count(*) from flyway_schema_history where not success"), "1");
    stage.b("migrate", &[]);
    assert!(stage.a("repair", &[]).ok);
    stage.write("V2__v.sql", "vacuum t;\n");
    assert_eq!(stage.b("migrate", &[]).ran(), 1);

    stage.set(SESSION_LOCK.0, "true");
    stage.write("V3__v.sql", "vacuum t;\nvacuum nowhere;\n");
    stage.apart = true;
    assert!(!stage.a("migrate", &[]).ok);
    let failed = stage.sql("select count(*) from flyway_schema_history where not success");
    // Flyway's row is rolled back with the transaction that holds its lock.
    assert_eq!(failed, if stage.a == Party::Flyway { "0" } else { "1" });
    stage.apart = false;
    stage.write("V3__v.sql", "vacuum t;\n");
    assert!(stage.a("repair", &[]).ok);
    assert_eq!(stage.b("migrate", &[]).ran(), 1);
    assert!(stage.a("validate", &[]).ok);
}
