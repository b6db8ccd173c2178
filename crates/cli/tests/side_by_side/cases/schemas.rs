//! Schemas that are missing, empty, or not, and baselines.

use crate::stage::Stage;

const TWO: &[(&str, &str)] = &[("V1__t.sql", "create table t(id int);"), ("V2__u.sql", "create table u(id int);")];

pub(crate) fn created(stage: &mut Stage) {
    stage.files(&[("V1__t.sql", "create table t(id int);"), ("V2__u.sql", "create table \"Other\".u(id int);")]);
    stage.set("schemas", "app,Other,public");
    stage.history_in("app", "flyway_schema_history");
    stage.b("info", &[]);
    assert_eq!(stage.a("migrate", &[]).ran(), 2);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    let row = stage.see("select installed_rank, script from app.flyway_schema_history where type = 'SCHEMA'");
    assert_eq!(row, "0|\"app\",\"Other\"");
}

pub(crate) fn another_later(stage: &mut Stage) {
    stage.files(TWO);
    stage.set("schemas", "app");
    stage.history_in("app", "flyway_schema_history");
    assert_eq!(stage.a("migrate", &[]).ran(), 2);
    stage.set("schemas", "app,third");
    assert!(stage.b("migrate", &[]).ok);
    stage.write("V3__v.sql", "create table third.v();");
    stage.set("defaultSchema", "app");
    stage.set("schemas", "fourth,third");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    let rows =
        stage.see("select installed_rank, script from app.flyway_schema_history where type = 'SCHEMA' order by 1");
    assert_eq!(rows, "0|\"app\"\n3|\"third\"\n4|\"fourth\"");
}

pub(crate) fn not_created(stage: &mut Stage) {
    stage.files(TWO);
    stage.set("schemas", "app");
    stage.set("createSchemas", "false");
    stage.history_in("app", "flyway_schema_history");
    stage.apart = true;
    assert!(!stage.a("migrate", &[]).ok);
    stage.apart = false;
    stage.sql("create schema app");
    assert_eq!(stage.a("migrate", &[]).ran(), 2);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
}

/// What makes a schema count as not empty, and what does not.
const OBJECTS: &[(&str, bool)] = &[
    ("create table public.o()", false),
    ("create view public.o as select 1", false),
    ("create sequence public.o", false),
    ("create type public.o as enum ('a')", false),
    ("create domain public.o as int", false),
    ("create function public.o() returns int language sql as 'select 1'", false),
    ("create table public.o(id int) partition by list (id)", true),
    ("create materialized view public.o as select 1", true),
    ("create type public.o as (a int)", true),
    ("create collation public.o from \"C\"", true),
    ("create extension citext", true),
];

pub(crate) fn not_empty(stage: &mut Stage) {
    stage.files(TWO);
    for (index, (object, counts_as_empty)) in OBJECTS.iter().enumerate() {
        let schema = format!("s{index}");
        stage.sql(&format!("create schema {schema}; set search_path = {schema}; {}", object.replace("public.", "")));
        stage.set("defaultSchema", &schema);
        stage.history_in(&schema, "flyway_schema_history");
        let outcome = stage.a("migrate", &[]);
        if *counts_as_empty {
            assert_eq!(outcome.ran(), 2, "{object}");
            assert_eq!(stage.b("migrate", &[]).ran(), 0);
        } else {
            outcome.refused(&["NON_EMPTY_SCHEMA_WITHOUT_SCHEMA_HISTORY_TABLE"]);
        }
    }
}

pub(crate) fn baseline_on_migrate(stage: &mut Stage) {
    stage.files(TWO);
    stage.set("baselineOnMigrate", "true");
    stage.sql("create schema full_one; create table full_one.t(id int); create schema empty_one");
    for (schema, ran) in [("full_one", 1), ("empty_one", 2), ("missing_one", 2)] {
        stage.set("defaultSchema", schema);
        stage.history_in(schema, "flyway_schema_history");
        assert_eq!(stage.a("migrate", &[]).ran(), ran);
        assert_eq!(stage.b("migrate", &[]).ran(), 0);
    }
    stage.sql("create schema other_one; create table other_one.u(id int)");
    stage.set("defaultSchema", "other_one");
    stage.set("baselineVersion", "1.5");
    stage.set("baselineDescription", "as found");
    stage.history_in("other_one", "flyway_schema_history");
    stage.remove("V2__u.sql");
    stage.write("V3__v.sql", "create table v();");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    assert_eq!(stage.see("select version, description from other_one.flyway_schema_history"), "1.5|as found\n3|v");
}

pub(crate) fn baseline_file_on_nothing(stage: &mut Stage) {
    stage.files(TWO);
    stage.files(&[("B1__less.sql", "select 1;"), ("B2__all.sql", "create table t(id int); create table u(id int);")]);
    stage.write("V3__v.sql", "create table v();");
    stage.write("R__r.sql", "select 1;");
    stage.b("info", &[]);
    assert_eq!(stage.a("migrate", &[]).ran(), 3);
    assert!(stage.b("validate", &[]).ok);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
}

pub(crate) fn baseline_file_too_late(stage: &mut Stage) {
    stage.files(TWO);
    assert_eq!(stage.a("migrate", &[]).ran(), 2);
    stage.files(&[("B2__all.sql", "create table never();"), ("B9__later.sql", "create table never();")]);
    assert!(stage.b("validate", &[]).ok);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    stage.write("V3__v.sql", "create table v();");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
}

pub(crate) fn tablespace(stage: &mut Stage) {
    stage.files(TWO);
    // One for both orders, or their dumps would differ.
    stage.sql(
        "set allow_in_place_tablespaces = on;\n\
         select 'create tablespace side_by_side location ''''' \
         where not exists (select from pg_tablespace where spcname = 'side_by_side') \\gexec",
    );
    stage.set("tablespace", "side_by_side");
    assert_eq!(stage.a("migrate", &[]).ran(), 2);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    stage.see("\\d flyway_schema_history");
    let there = "select string_agg(relname, ' ' order by relname) from pg_class c \
                 join pg_tablespace t on t.oid = c.reltablespace where spcname = 'side_by_side' \
                 and relname ~ '^flyway'";
    let expected = "flyway_schema_history flyway_schema_history_pk flyway_schema_history_s_idx";
    assert_eq!(stage.see(there), expected);
    assert!(!stage.a("migrate", &[("tablespace", "nowhere"), ("table", "other")]).ok);
}
