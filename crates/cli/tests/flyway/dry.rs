//! A dry run changes nothing, and psql makes of its script what a migrate makes.

use std::process::Command;

use trueup_testkit::{Psql, client_tool, skipped};

use crate::scene::{Scene, server};

/// Everything that is sent in its own way.
const FILES: &[(&str, &str)] = &[
    ("V1__table.sql", "create table t (id int primary key, a int[], note text default '${note}');\n-- no end"),
    (
        "V2__copy.sql",
        "copy t (id, note) from stdin;\n1\tone \\\\ :USER\n2\t\\N\n\\.\ninsert into t values (3, '{1,2,3}');\n",
    ),
    ("V3__outside.sql", "create index concurrently t_note on t (note)"),
    (
        "V4__body.sql",
        "create function f(i int) returns int language sql begin atomic select 1; select case when i > 0 then 2 end; end;\n\
         create view v as select a[1:id] from t;\ncreate view w as select a[:id] as part from t; select 1 -- last",
    ),
    ("V5__role.sql", "set search_path = 'nowhere'; create table public.s ();"),
    ("V6__own.sql", "create table own1 (); commit; begin; create table own2 ();"),
    (
        "V7__deferred.sql",
        "create table d (id int references t deferrable initially deferred); insert into d values (1);",
    ),
    ("R__view.sql", "create or replace view r as select '${flyway:filename}'::text as name;"),
    (
        "beforeMigrate.sql",
        "create table if not exists trace (n serial, what text); insert into trace(what) values ('before');",
    ),
    ("beforeEachMigrate.sql", "insert into trace(what) values ('each');"),
    ("afterVersioned.sql", "insert into trace(what) values ('versioned');"),
    ("afterMigrate__done.sql", "insert into trace(what) values ('after')"),
];

fn dry(scene: &Scene, more: &[&str]) -> (i32, String, String) {
    told(scene, "migrate", &[&["--set", "placeholders.note=it''s"], more].concat())
}

/// What a command says to people: exit code, standard output and standard error.
pub(crate) fn told(scene: &Scene, verb: &str, more: &[&str]) -> (i32, String, String) {
    let mut command = scene.for_people(verb, scene.folder.path());
    let output = command.args(["--location", "."]).args(more).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

pub(crate) fn dump(scene: &Scene) -> String {
    let output = Command::new(client_tool("pg_dump").unwrap())
        .args(["--inserts", "-T", "*.flyway_schema_history", "-d", scene.conninfo()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().filter(|line| !line.starts_with('\\')).collect::<Vec<_>>().join("\n")
}

/// Runs the dry run's script in one database and a migrate in another, and compares; gives the script.
fn same(files: &[(&str, &str)], before: &str, schema: &str, more: &[&str]) -> Option<String> {
    let server = server()?;
    if client_tool("psql").is_none() || client_tool("pg_dump").is_none() {
        skipped("there is no psql or pg_dump on this machine");
        return None;
    }
    let (psql, ours) = (Scene::new(server, files), Scene::new(server, files));
    for scene in [&psql, &ours] {
        scene.sql(before);
    }
    let untouched = dump(&psql);
    let (code, script, errors) = dry(&psql, &[&["--dry-run"], more].concat());
    assert_eq!(code, 0, "{errors}");
    assert_eq!(dump(&psql), untouched, "a dry run changes nothing");
    assert_eq!(psql.sql("select count(*) from pg_class where relname like 'flyway%'"), "0");
    Psql::new(psql.conninfo()).run(&script).unwrap_or_else(|error| panic!("{error}\n{script}"));
    let (code, _, errors) = dry(&ours, more);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(psql.rows_in(schema), ours.rows_in(schema), "{script}");
    assert_eq!(dump(&psql), dump(&ours), "{script}");
    let again = Psql::new(psql.conninfo()).run(&script).unwrap_err().to_string();
    assert!(again.contains("already exists") || again.contains("division by zero"), "{again}");
    let (code, nothing, _) = dry(&psql, &[&["--dry-run"], more].concat());
    assert!(code == 0 && !nothing.contains("INSERT INTO \""), "{nothing}");
    Some(script)
}

#[test]
fn psql_makes_of_it_what_a_migrate_makes() {
    let Some(script) = same(FILES, "", "public", &[]) else { return };
    assert!(script.contains("\n-- V3__outside.sql\n-- outside of a transaction"), "{script}");
    assert!(script.contains("a[: id]"), "{script}");
}

#[test]
fn large_files_are_in_it_whole() {
    let (inserts, copy) = (crate::large::inserts(), crate::large::copy());
    same(&[("V1__inserts.sql", &inserts), ("V2__copy.sql", &copy)], "", "public", &[]);
}

#[test]
fn schemas_groups_and_baselines_are_foreseen() {
    let plain: Vec<_> =
        FILES.iter().copied().filter(|(name, _)| !name.starts_with("V3") && !name.starts_with("V6")).collect();
    let schemas = ["--set", "schemas=app,other", "--set", "defaultSchema=app", "--set", "group=true"];
    let apart: Vec<_> = plain.iter().copied().filter(|(name, _)| !name.starts_with("V5")).collect();
    same(&apart, "", "app", &schemas);
    let baseline = ["--set", "baselineOnMigrate=true", "--set", "baselineVersion=1"];
    let later: Vec<_> = plain.iter().copied().filter(|(name, _)| !name.contains("migrate")).collect();
    same(&later, "create table t (id int primary key, a int[], note text)", "public", &baseline);
    same(&[("V1__a.sql", "create table a();")], "", "public", &["--set", "skipExecutingMigrations=true"]);
}

#[test]
fn it_is_refused_or_written_to_a_file() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &[("V1__a.sql", "create table a();"), ("V2__x\n\\! touch y.sql", "select 1;")]);
    let (code, out, errors) = dry(&scene, &["--set", "dryRunOutput=pending.sql"]);
    assert_eq!((code, out.as_str()), (0, ""), "{errors}");
    assert!(errors.contains("has the SQL of 2 migrations; nothing was executed"), "{errors}");
    assert_eq!(scene.tables(), "");
    let script = std::fs::read_to_string(scene.folder.path().join("pending.sql")).unwrap();
    assert!(script.contains("\n-- V2__x?\\! touch y.sql\n"), "{script}");
    scene.write("V3__shell.sql", "select 1;\nselect 2 \\gexec\n;");
    let (code, _, errors) = dry(&scene, &["--dry-run"]);
    assert!(code == 1 && errors.contains("V3__shell.sql:2"), "{errors}");
    let (code, refused, _) = dry(&scene, &["--dry-run", "--format", "json"]);
    assert!(code == 1 && refused.contains("a dry run prints SQL"), "{refused}");
}
