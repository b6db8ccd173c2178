//! The bundled engine through the real binary: `TRUEUP_BUNDLED_BIN` names one that has it (`cargo xtask test` builds it in
//! release), or this very build has it.

mod runs;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use runs::{Project, Runner, comparable, differences};
use serde_json::Value;
use trueup_testkit::{postgres, skipped};

/// The major of the bundled engine.
const MAJOR: u16 = 18;
/// The extensions that it is built with and that an owner may create; `earthdistance` takes a superuser everywhere.
const EXTENSIONS: [&str; 14] = [
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "tablefunc",
    "unaccent",
    "uuid-ossp",
];

/// The binary with the engine.
fn bundled() -> Option<PathBuf> {
    let named = std::env::var_os("TRUEUP_BUNDLED_BIN").map(PathBuf::from);
    let ours = cfg!(feature = "embedded").then(|| PathBuf::from(env!("CARGO_BIN_EXE_trueup")));
    let found = named.or(ours);
    if found.is_none() {
        skipped("TRUEUP_BUNDLED_BIN names no binary with the bundled engine");
    }
    found
}

fn assert_bundled(report: &Value) {
    assert_eq!(report["errors"], serde_json::json!([]));
    let engine = &report["engine"];
    assert_eq!((&engine["kind"], &engine["major"]), (&Value::from("bundled"), &Value::from(MAJOR)), "{engine}");
}

#[test]
fn it_finds_what_a_native_server_of_its_major_finds() {
    let Some(program) = bundled() else { return };
    let Some(bin) = postgres(MAJOR) else { return skipped("PostgreSQL 18 is not here: run `cargo xtask fetch`") };
    let runner = Runner::new(program);
    for project in Project::all() {
        let native = runner.check(project.path(), &["--no-cache", "--pg-bin", &bin.to_string_lossy()]);
        let report = runner.check(project.path(), &["--no-cache", "--bundled"]);
        assert_bundled(&report);
        let differ = differences(&comparable(&native), &comparable(&report));
        assert!(differ.is_empty(), "{}:\n{}", project.name, differ.join("\n"));
    }
}

#[test]
fn a_normal_user_can_use_it() {
    let Some(program) = bundled() else { return };
    let Some(somebody) = Runner::unprivileged(&program) else {
        return skipped("not root, so all the other tests have shown it already");
    };
    let project = &Project::example("small");
    let report = somebody.check(project.path(), &["--bundled"]);
    assert_bundled(&report);
    assert_eq!(report["summary"]["findings"], 1, "{report}");
}

/// A shell in which no PostgreSQL is installed; `None` when this machine does not let us hide one.
fn nothing_installed() -> Option<Vec<&'static str>> {
    let installed = Path::new("/usr/lib/postgresql");
    if !installed.exists() {
        return Some(vec!["env"]);
    }
    const HIDDEN: [&str; 6] = ["unshare", "--mount", "--map-root-user", "sh", "-c", HIDE];
    const HIDE: &str = "mount -t tmpfs none /usr/lib/postgresql && exec \"$0\" \"$@\"";
    let mut trial = Command::new(HIDDEN[0]);
    trial.args(&HIDDEN[1..]).args(["test", "!", "-e", "/usr/lib/postgresql/15"]);
    if trial.status().is_ok_and(|status| status.success()) {
        return Some(HIDDEN.to_vec());
    }
    skipped("the PostgreSQL that is installed cannot be hidden: unshare --mount is not allowed");
    None
}

fn check_with_nothing_installed(runner: &Runner, project: &Project) -> Option<Value> {
    let shell = nothing_installed()?;
    let mut command = runner.command_within(&shell, project.path());
    Some(runs::report(&command.args(["check", "--format", "json", "--no-cache"]).output().expect("trueup runs")))
}

#[test]
fn it_is_chosen_where_nothing_is_installed() {
    let Some(program) = bundled() else { return };
    let Some(report) = check_with_nothing_installed(&Runner::new(program), &Project::example("brownfield")) else {
        return;
    };
    assert_bundled(&report);
    assert_eq!(report["engine"]["chosen"], "no PostgreSQL is installed");
    assert_eq!(report["summary"]["exit_code"], 1);
}

#[test]
fn without_it_and_with_nothing_installed_the_error_says_what_to_do() {
    if cfg!(feature = "embedded") {
        return skipped("this build has the bundled engine");
    }
    let runner = Runner::new(env!("CARGO_BIN_EXE_trueup"));
    let Some(report) = check_with_nothing_installed(&runner, &Project::example("small")) else { return };
    assert_eq!(report["summary"]["exit_code"], 2);
    let error = &report["errors"][0];
    assert!(error["message"].to_string().contains("no PostgreSQL found"), "{error}");
    for way in ["install PostgreSQL", "--pg-bin", "--scratch-url", "--features embedded"] {
        assert!(error["help"].to_string().contains(way), "{error}");
    }
}

#[test]
fn it_takes_what_migrations_do() {
    let Some(program) = bundled() else { return };
    let extensions: String = EXTENSIONS.iter().map(|name| format!("CREATE EXTENSION \"{name}\" CASCADE;\n")).collect();
    let extensions = extensions + "CREATE TABLE t (a int);";
    let caught = "CREATE TABLE t (a int);\nDO $$ BEGIN PERFORM 1/0; EXCEPTION WHEN division_by_zero THEN NULL; END $$;";
    let copied = "CREATE TABLE t (a int, b text);\nCOPY t (b, a) FROM STDIN;\none\t1\n\\N\t2\n\\.\n\
                  COPY t FROM STDIN WITH (FORMAT csv, HEADER);\na,b\n3,\"x, y\"\n\\.\n\
                  DO $$ BEGIN ASSERT (SELECT sum(a) = 6 AND max(b) = 'x, y' FROM t), 'not copied'; END $$;";
    let services = [
        ("svc-copy", copied),
        ("svc-exception", caught),
        ("svc-extension", extensions.as_str()),
        ("svc-role", "CREATE ROLE reader;\nCREATE TABLE t (a int);\nGRANT SELECT ON t TO reader;"),
    ];
    let report = Runner::new(program).check(Project::written(&services).path(), &["--bundled", "--no-cache"]);
    assert_bundled(&report);
    assert_eq!(report["summary"]["services"]["checked"], services.len(), "{:#}", report["findings"]);
    assert!(!report["findings"].to_string().contains("replay-failed"), "{:#}", report["findings"]);
}

#[test]
fn a_deadline_ends_what_the_engine_itself_never_would() {
    let Some(program) = bundled() else { return };
    let project = Project::written(&[
        ("svc-well", "CREATE TABLE t (a int);"),
        ("svc-endless", "DO $$ BEGIN LOOP END LOOP; END $$;"),
    ]);
    let runner = Runner::new(program);
    drop(runner.check(project.path(), &["--bundled", "--service", "svc-well"])); // the template is made
    let start = Instant::now();
    let report = runner.check(project.path(), &["--bundled", "--no-cache", "--deadline", "10"]);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    let status = |name: &str| {
        let services = report["services"].as_array().into_iter().flatten();
        services.filter(|service| service["name"] == name).map(|service| service["status"].clone()).next()
    };
    assert_eq!(status("svc-endless"), Some("unknown".into()), "{report:#}");
    assert_eq!(status("svc-well"), Some("checked".into()), "{report:#}");
    // The engine cannot be interrupted: what the session sees at the deadline is its end.
    let findings = report["findings"].to_string();
    assert!(findings.contains("replay-failed") && findings.contains("svc-endless"), "{findings}");
}
