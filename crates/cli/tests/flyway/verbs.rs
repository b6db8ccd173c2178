//! `baseline`, `repair` and `clean`, beside Flyway's.

use serde_json::{Value, json};

use crate::scene::{Scene, flyway, server};

const FILES: &[(&str, &str)] = &[
    ("V1__a.sql", "create table a(id int);"),
    ("V2__b.sql", "create table b(id int);"),
    ("V3__c.sql", "create table c(id int);"),
    ("R__r.sql", "create or replace view r as select ${n} as x;"),
    ("R__s.sql", "create or replace view s as select 1 as x;"),
];
/// Those without a placeholder.
const PLAIN: &[(&str, &str)] = &[FILES[0], FILES[4]];
const N: &[(&str, &str)] = &[("placeholders.n", "1")];

/// Both with the same settings: whether Flyway did it and what it said; our exit code and what we said.
fn both(first: &Scene, second: &Scene, verb: &str, settings: &[(&str, &str)]) -> (Value, (i32, Value)) {
    let mut flyway = flyway().unwrap();
    let pairs: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let more: Vec<&str> = pairs.iter().flat_map(|pair| ["--set", pair]).collect();
    (first.theirs(&mut flyway, verb, settings), second.ours(verb, &more))
}

fn there() -> Option<&'static trueup_testkit::Server> {
    drop(flyway()?);
    server()
}

type Case<'c> = (&'c str, &'c dyn Fn(&Scene), &'c [(&'c str, &'c str)]);

#[test]
fn baselines_are_flyways() {
    let Some(server) = there() else { return };
    let insert = |scene: &Scene, values: &str| {
        scene.sql(&format!("insert into flyway_schema_history values ({values})"));
    };
    let create = |scene: &Scene| {
        assert_eq!(scene.ours("baseline", &["--set", "baselineVersion=3"]).0, 0);
    };
    let cases: &[Case<'_>] = &[
        ("on an empty database", &|_| {}, &[]),
        (
            "on tables",
            &|s| drop(s.sql("create table t()")),
            &[("baselineVersion", "7.0"), ("baselineDescription", "as \"here\"")],
        ),
        ("the same again", &create, &[("baselineVersion", "3.0")]),
        ("another version", &create, &[("baselineVersion", "4")]),
        ("another description", &create, &[("baselineVersion", "3"), ("baselineDescription", "x")]),
        (
            "an empty history",
            &|s| {
                create(s);
                s.sql("delete from flyway_schema_history");
            },
            &[],
        ),
        (
            "migrations",
            &|s| {
                create(s);
                s.sql("delete from flyway_schema_history");
                insert(s, "1,'1','a','SQL','V1__a.sql',1,'x',now(),0,true");
            },
            &[],
        ),
        (
            "created schemas, version 0",
            &|s| {
                create(s);
                s.sql("delete from flyway_schema_history");
                insert(s, "0,null,'<< Flyway Schema Creation >>','SCHEMA','\"x\"',null,'x',now(),0,true");
            },
            &[("baselineVersion", "0")],
        ),
        (
            "created schemas",
            &|s| {
                create(s);
                s.sql("delete from flyway_schema_history");
                insert(s, "0,null,'<< Flyway Schema Creation >>','SCHEMA','\"x\"',null,'x',now(),0,true");
            },
            &[],
        ),
        ("a tablespace", &|_| {}, &[("tablespace", "pg_default")]),
    ];
    for (name, before, settings) in cases {
        let (first, second) = (Scene::new(server, PLAIN), Scene::new(server, PLAIN));
        before(&first);
        before(&second);
        let (theirs, (code, ours)) = both(&first, &second, "baseline", settings);
        assert_eq!(theirs["ok"] == true, code == 0, "{name}: {theirs} {ours:#}");
        if code != 0 {
            // An advertisement may follow.
            let (ours, theirs) = (ours["error"]["message"].as_str().unwrap(), theirs["message"].as_str().unwrap());
            assert!(theirs.starts_with(ours), "{name}: {theirs:?} {ours:?}");
        }
        assert_eq!(second.rows(), first.rows(), "{name}");
        let described = "\\d flyway_schema_history";
        assert_eq!(second.sql(described), first.sql(described), "{name}");
    }
    let schemas = &[("schemas", "app,Other"), ("baselineVersion", "2")];
    let (first, second) = (Scene::new(server, PLAIN), Scene::new(server, PLAIN));
    let (theirs, (code, ours)) = both(&first, &second, "baseline", schemas);
    assert_eq!((&theirs["ok"], code, &ours["schemasCreated"]), (&json!(true), 0, &json!(["app", "Other"])), "{ours:#}");
    assert_eq!(second.rows_in("app"), first.rows_in("app"));
}

#[test]
fn repairs_are_flyways() {
    let Some(server) = there() else { return };
    let set = |scene: &Scene, what: &str| {
        scene.sql(&format!("update flyway_schema_history set {what}"));
    };
    let insert = |scene: &Scene, values: &str| {
        scene.sql(&format!("insert into flyway_schema_history values ({values})"));
    };
    let cases: &[Case<'_>] = &[
        ("in order", &|_| {}, &[]),
        ("a failed version", &|s| set(s, "success=false where version='2'"), &[]),
        ("a failed repeatable", &|s| set(s, "success=false where description='r'"), &[]),
        ("a changed file", &|s| s.write("V2__b.sql", "create table bb();"), &[]),
        (
            "a renamed file",
            &|s| {
                s.remove("V2__b.sql");
                s.write("V2__new_name.sql", "create table b(id int);");
            },
            &[],
        ),
        ("another type", &|s| set(s, "type='JDBC' where version='2'"), &[]),
        ("another type of repeatable", &|s| set(s, "type='JDBC' where description='s'"), &[]),
        ("no checksums", &|s| set(s, "checksum=null"), &[]),
        ("a missing file", &|s| s.remove("V2__b.sql"), &[]),
        ("a missing file that is ignored", &|s| s.remove("V2__b.sql"), &[("ignoreMigrationPatterns", "*:missing")]),
        ("a future file", &|s| s.remove("V3__c.sql"), &[]),
        ("a future file that counts", &|s| s.remove("V3__c.sql"), &[("ignoreMigrationPatterns", "*:missing")]),
        ("a missing repeatable", &|s| s.remove("R__s.sql"), &[]),
        ("a changed repeatable", &|s| s.write("R__s.sql", "create or replace view s as select 1 as x, 2 as y;"), &[]),
        ("a raw checksum", &|s| set(s, &format!("checksum={RAW} where description='r'")), &[]),
        ("deleted before", &|s| insert(s, "9,'3','c','DELETE','V3__c.sql',1,'x',now(),0,true"), &[]),
        ("out of order", &|s| s.write("V1_5__d.sql", "select 1"), &[]),
        (
            "several at once",
            &|s| {
                set(s, "success=false where version='3'");
                s.remove("V1__a.sql");
                s.remove("R__r.sql");
                s.write("V2__x.sql", "select 1;");
                s.remove("V2__b.sql");
            },
            &[],
        ),
    ];
    let mut differ = Vec::new();
    for (name, change, settings) in cases {
        let (first, second) = (Scene::new(server, FILES), Scene::new(server, FILES));
        let settings: Vec<_> = settings.iter().chain(N).copied().collect();
        for scene in [&first, &second] {
            assert_eq!(scene.ours("migrate", &["--set", "placeholders.n=1"]).0, 0);
            change(scene);
        }
        let (theirs, (code, ours)) = both(&first, &second, "repair", &settings);
        if (theirs["ok"] == true) != (code == 0) || second.rows() != first.rows() {
            differ.push(format!("{name}: {theirs} {ours:#}\n ours\n{}\n Flyway\n{}", second.rows(), first.rows()));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    let scene = Scene::new(server, FILES);
    let (code, ours) = scene.ours("repair", &["--set", "placeholders.n=1"]);
    assert_eq!((code, &ours["repairActions"]), (0, &json!([])), "{ours:#}");
    assert_eq!(scene.sql("select to_regclass('flyway_schema_history') is null"), "t");
}

/// Of the text of `R__r.sql` before its placeholder was replaced.
const RAW: i32 = -432_979_349;

#[test]
fn the_raw_checksum_is_the_one_of_the_file() {
    assert_eq!(trueup_migrations::checksum::of_text(FILES[3].1), RAW);
}

/// Every kind of object, with names that have to be quoted, and dependencies across two schemas.
const EVERYTHING: &str = include_str!("../data/objects.sql");

const LEFT: &str = "select string_agg(x, ' ' order by x) from (\
 select n.nspname || '.' || c.relname as x from pg_class c join pg_namespace n on n.oid = c.relnamespace \
  where n.nspname in ('public', 'Sch\"ema', 'outside') \
 union all select 'type ' || t.typname from pg_type t join pg_namespace n on n.oid = t.typnamespace \
  where n.nspname in ('public', 'Sch\"ema') \
 union all select 'function ' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace \
  where n.nspname in ('public', 'Sch\"ema') \
 union all select 'collation ' || p.collname from pg_collation p join pg_namespace n on n.oid = p.collnamespace \
  where n.nspname in ('public', 'Sch\"ema') \
 union all select 'extension ' || extname from pg_extension where extname <> 'plpgsql' \
 union all select 'schema ' || nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema') o";

#[test]
fn a_clean_leaves_what_flyways_leaves() {
    let Some(server) = there() else { return };
    let (first, second) = (Scene::new(server, PLAIN), Scene::new(server, PLAIN));
    for scene in [&first, &second] {
        scene.sql(EVERYTHING);
    }
    let schemas = ("schemas", "public,Sch\"ema,nowhere");
    let (theirs, (code, ours)) = both(&first, &second, "clean", &[schemas]);
    assert_eq!((theirs["ok"].as_bool(), code), (Some(false), 1), "{ours:#}");
    assert_eq!(ours["error"]["message"], theirs["message"]);
    assert_eq!(second.sql(LEFT), first.sql(LEFT));
    assert!(second.sql(LEFT).contains("parent"));

    let (theirs, (code, ours)) = both(&first, &second, "clean", &[schemas, ("cleanDisabled", "false")]);
    assert_eq!((&theirs["ok"], code), (&json!(true), 0), "{theirs} {ours:#}");
    assert_eq!(second.sql(LEFT), first.sql(LEFT));
    assert_eq!(second.sql(LEFT), "outside.keep outside.seen schema Sch\"ema schema outside schema public");
    assert_eq!(ours["schemasCleaned"], json!(["public", "Sch\"ema"]));
    assert_eq!((&ours["schemasDropped"], &ours["schemasMissing"]), (&json!([]), &json!(["nowhere"])));
    let dropped = ours["objectsDropped"].as_array().unwrap();
    let has = |kind: &str, name: &str| dropped.iter().any(|object| object["kind"] == kind && object["name"] == name);
    assert!(has("table", "\"Sch\"\"ema\".\"ta ble\"") && has("sequence", "public.\"S eq\""), "{dropped:#?}");
    assert!(has("aggregate", "public.agg(integer)") && has("extension", "pg_trgm"), "{dropped:#?}");
}

#[test]
fn a_clean_drops_the_schemas_that_a_migrate_created() {
    let Some(server) = there() else { return };
    let files = [("V1__t.sql", "create table t(id int); create table \"Other\".u(id int)")];
    let (first, second) = (Scene::new(server, &files), Scene::new(server, &files));
    let schemas = ("schemas", "app,Other");
    let (theirs, (code, ours)) = both(&first, &second, "migrate", &[schemas]);
    assert_eq!((&theirs["ok"], code), (&json!(true), 0), "{theirs} {ours:#}");
    let (theirs, (code, ours)) = both(&first, &second, "clean", &[schemas, ("cleanDisabled", "false")]);
    assert_eq!((&theirs["ok"], code), (&json!(true), 0), "{theirs} {ours:#}");
    assert_eq!(ours["schemasDropped"], json!(["app", "Other"]));
    assert_eq!(second.sql(LEFT), first.sql(LEFT));
    assert_eq!(second.sql(LEFT), "schema public");
}

#[test]
fn a_clean_that_fails_has_dropped_nothing() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, PLAIN);
    scene.sql(
        "create domain d as int; create table t(id int); create schema other; create table other.keep(x public.d)",
    );
    let (code, ours) = scene.ours("clean", &["--set", "cleanDisabled=false"]);
    assert_eq!((code, &ours["error"]["sqlState"]), (1, &json!("2BP01")), "{ours:#}");
    assert_eq!(scene.tables(), "t");
}
