//! Answers come from the cache, and only while nothing that they depend on has changed.

use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::project::{Project, Run, TRUEUP, YAML};

const INTENT: &str = "\
svc-a:
  engine: PostgreSQL 15
  schema: s
  table_details:
    t:
      columns:
      - {name: a, type: VARCHAR(40)}
svc-b:
  engine: PostgreSQL 15
  tables: [t]
";

/// Two services; the first has one of each kind of input.
fn project() -> Project {
    Project::with(&[
        (YAML, INTENT),
        ("trueup.toml", "[services.svc-a]\nreplay.before = [\"sql/first.sql\"]\n"),
        ("sql/first.sql", "CREATE TYPE public.first AS (a int);\n"),
        ("svc-a/flyway.conf", "flyway.locations=filesystem:sql\nflyway.schemas=s\nflyway.placeholders.size=40\n"),
        ("svc-a/application.yml", "spring:\n  flyway:\n    out-of-order: false\n"),
        ("svc-a/sql/V1__a.sql", "CREATE TABLE s.t (a varchar(${size}));\n"),
        ("svc-a/sql/V2__b.sql", "COMMENT ON TABLE s.t IS 'x';\n"),
        ("svc-a/sql/V2__b.sql.conf", "executeInTransaction=true\n"),
        ("svc-a/sql/afterMigrate.sql", "COMMENT ON TABLE s.t IS 'y';\n"),
        ("svc-b/V1__a.sql", "CREATE TABLE t (a int);\n"),
    ])
    .with_own_cache()
}

type Change = (&'static str, fn(&Project));

/// One input of the first service after the other.
const CHANGES: &[Change] = &[
    ("a migration's bytes", |project| project.replace("svc-a/sql/V1__a.sql", "CREATE", "CREATE ")),
    ("a migration's name", |project| rename(project, "svc-a/sql/V2__b.sql.conf", "svc-a/sql/V2__c.sql.conf", true)),
    ("a new migration", |project| project.write("svc-a/sql/V3__d.sql", "SELECT 1;\n")),
    ("a script's own settings", |project| project.replace("svc-a/sql/V2__c.sql.conf", "true", "false")),
    ("a migration that went", |project| project.remove("svc-a/sql/V2__c.sql")),
    ("a callback", |project| project.replace("svc-a/sql/afterMigrate.sql", "'y'", "'z'")),
    ("a setting of Flyway", |project| project.replace("svc-a/flyway.conf", "schemas=s", "schemas=s,more")),
    ("a setting of Spring", |project| project.replace("svc-a/application.yml", "false", "true")),
    ("a placeholder", |project| project.replace("svc-a/flyway.conf", "size=40", "size=41")),
    ("the service's entry in the YAML", |project| project.replace(YAML, "VARCHAR(40)", "VARCHAR(41)")),
    ("what runs before", |project| project.replace("sql/first.sql", "a int", "a text")),
];

fn rename(project: &Project, from: &str, to: &str, sql_too: bool) {
    std::fs::rename(project.path(from), project.path(to)).expect("renamed");
    if sql_too {
        rename(project, from.trim_end_matches(".conf"), to.trim_end_matches(".conf"), false);
    }
}

#[test]
fn every_input_that_changes_misses() {
    let project = project();
    let first = project.check_cached(&[]);
    assert_eq!((first.code, first.cached()), (0, vec![]), "{first:?}");
    assert_eq!(project.check_cached(&[]).cached(), ["svc-a", "svc-b"]);
    for (what, change) in CHANGES {
        change(&project);
        let run = project.check_cached(&[]);
        assert_eq!(run.cached(), ["svc-b"], "{what} changed: {run:?}");
        // What differs on purpose is seen, not remembered.
        let expected = if *what == "a placeholder" { vec!["column-type s.t.a".to_owned()] } else { Vec::new() };
        assert_eq!(run.findings(), expected, "{what}");
    }
    assert_eq!(project.check_cached(&[]).cached(), ["svc-a", "svc-b"]);
    project.replace("svc-b/V1__a.sql", "a int", "b int");
    assert_eq!(project.check_cached(&[]).cached(), ["svc-a"], "another service changed");
    assert_eq!(project.check_cached(&["--no-cache"]).cached(), Vec::<String>::new());
}

#[test]
fn another_engine_and_another_binary_miss() {
    let Some(installed) = trueup_testkit::postgres(15) else {
        return trueup_testkit::skipped("PostgreSQL 15 is not installed");
    };
    let project = project();
    open_to_all(project.root());
    project.check_cached(&[]);
    assert_eq!(project.check_cached(&[]).cached(), ["svc-a", "svc-b"]);
    let other = project.path("other-engine");
    std::fs::create_dir(&other).expect("made");
    for program in std::fs::read_dir(&installed).expect("programs") {
        let program = program.expect("a program");
        symlink(program.path(), other.join(program.file_name())).expect("a link");
    }
    let other_engine = ["--pg-bin", other.to_str().expect("UTF-8")];
    let run = project.check_cached(&other_engine);
    assert_eq!((run.code, run.cached()), (0, vec![]), "{run:?}");
    assert_eq!(project.check_cached(&other_engine).cached(), ["svc-a", "svc-b"]);
    let binary = another_binary(&project);
    let run = |binary: &Path| {
        let mut command = project.command(binary);
        Run::of(command.args(["check", "--format", "json"]).output().expect("trueup runs"))
    };
    let first = run(&binary);
    assert_eq!((first.code, first.cached()), (0, vec![]), "{first:?}");
    assert_eq!(run(&binary).cached(), ["svc-a", "svc-b"]);
}

/// The server runs as another user when we are root, and has to get through to what lies in here.
fn open_to_all(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("opened");
}

/// This binary with one byte more.
fn another_binary(project: &Project) -> PathBuf {
    let copy = project.path("trueup");
    std::fs::copy(TRUEUP, &copy).expect("copied");
    let mut file = std::fs::OpenOptions::new().append(true).open(&copy).expect("opened");
    file.write_all(b"\0").expect("written");
    copy
}

/// What becomes of an entry's bytes.
type Damage = fn(&[u8]) -> Vec<u8>;

#[test]
fn damaged_answers_are_made_anew() {
    let project = project();
    let sound = project.check_cached(&[]);
    let damages: [Damage; 4] = [
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |_| Vec::new(),
        |bytes| bytes.iter().rev().copied().collect(),
        |bytes| {
            let mut changed = bytes.to_vec();
            *changed.last_mut().expect("bytes") ^= 1;
            changed
        },
    ];
    for damage in damages {
        let entries = entries(&project.answers());
        assert_eq!(entries.len(), 2);
        for entry in entries {
            std::fs::write(&entry, damage(&std::fs::read(&entry).expect("read"))).expect("damaged");
        }
        let run = project.check_cached(&[]);
        assert_eq!((run.code, run.cached(), run.findings()), (sound.code, vec![], sound.findings()), "{run:?}");
        assert_eq!(project.check_cached(&[]).cached(), ["svc-a", "svc-b"]);
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { all.extend(entries(&path)) } else { all.push(path) }
    }
    all
}

#[test]
fn what_a_deadline_cut_short_is_not_kept() {
    let project = Project::with(&[
        (YAML, "svc-a:\n  engine: PostgreSQL 15\n  tables: [t]\n"),
        ("svc-a/V1__a.sql", "CREATE TABLE t (a int);\nSELECT pg_sleep(6);\n"),
    ])
    .with_own_cache();
    let cut = project.check_cached(&["--deadline", "2"]);
    assert_eq!((cut.code, cut.findings()), (2, vec!["replay-failed V1__a.sql".to_owned()]), "{cut:?}");
    let whole = project.check_cached(&[]);
    assert_eq!((whole.code, whole.cached()), (0, vec![]), "{whole:?}");
    assert_eq!(project.check_cached(&["--deadline", "2"]).cached(), ["svc-a"]);
}

/// Which extensions there are is looked up where the server says they are; the answer says what was found there.
#[test]
fn what_lacks_an_extension_is_kept() {
    let intent = "svc-a:\n  engine: PostgreSQL 15\n  extensions: [no_such_extension]\n  tables: [t]\n";
    let project = Project::with(&[(YAML, intent), ("svc-a/V1__a.sql", "CREATE TABLE t (a int);\n")]).with_own_cache();
    assert_eq!(project.check_cached(&[]).findings(), ["missing-extension no_such_extension"]);
    let again = project.check_cached(&[]);
    assert_eq!(
        (again.cached(), again.findings()),
        (vec!["svc-a".to_owned()], vec!["missing-extension no_such_extension".to_owned()])
    );
}

#[test]
fn what_needs_postgis_is_kept_with_it_and_without_it() {
    let intent = "svc-a:\n  engine: PostGIS (PostgreSQL 15)\n  tables: [t]\n  table_details:\n    u:\n      columns:\n      - {name: p, type: \"GEOMETRY(Point, 4326)\"}\n";
    let project = Project::with(&[(YAML, intent), ("svc-a/V1__a.sql", "CREATE TABLE t (a int);\n")]).with_own_cache();
    let first = project.check_cached(&[]);
    let again = project.check_cached(&[]);
    assert_eq!((first.cached(), again.cached()), (vec![], vec!["svc-a".to_owned()]), "{again:?}");
    assert_eq!((again.code, again.findings()), (first.code, first.findings()));
}

#[test]
fn a_replay_that_lacks_an_extension_is_kept_unless_its_name_is_no_file_name() {
    let intent = "svc-a:\n  engine: PostgreSQL 15\n  tables: [t]\n";
    for (extension, cached) in [("no_such_extension", vec!["svc-a"]), ("../../no_such", vec![])] {
        let migration = format!("CREATE EXTENSION \"{extension}\";\n");
        let project = Project::with(&[(YAML, intent), ("svc-a/V1__a.sql", &migration)]).with_own_cache();
        let first = project.check_cached(&[]);
        assert_eq!(first.findings(), ["replay-failed V1__a.sql"], "{first:?}");
        assert_eq!(project.check_cached(&[]).cached(), cached, "{extension}");
    }
}
