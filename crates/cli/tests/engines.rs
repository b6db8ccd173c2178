//! `trueup check` says the same on every major, whoever runs it; which major it runs on, and what it says about that.

mod runs;

use std::path::{Path, PathBuf};

use runs::{Project, Runner, comparable, differences};
use serde_json::Value;
use trueup_testkit::{MAJORS, postgres, skipped};

const TRUEUP: &str = env!("CARGO_BIN_EXE_trueup");
/// What the others are compared with.
const REFERENCE: u16 = 15;

/// The majors that are here, with their programs.
fn majors() -> Vec<(u16, PathBuf)> {
    let found: Vec<_> = MAJORS.into_iter().filter_map(|major| Some((major, postgres(major)?))).collect();
    if found.len() < MAJORS.len() {
        skipped("some majors are not here: run `cargo xtask fetch`");
    }
    found
}

fn check_with(runner: &Runner, project: &Path, bin: &Path) -> Value {
    runner.check(project, &["--no-cache", "--pg-bin", &bin.to_string_lossy()])
}

#[test]
fn every_major_finds_the_same() {
    let majors = majors();
    let Some(bin) = postgres(REFERENCE) else { return };
    let runner = Runner::new(TRUEUP);
    for project in Project::all() {
        let reference = check_with(&runner, project.path(), &bin);
        assert_worked(&reference, project.name);
        for (major, bin) in &majors {
            let report = check_with(&runner, project.path(), bin);
            assert_eq!(report["engine"]["major"], *major, "{}", report["errors"]);
            let differ = differences(&comparable(&reference), &comparable(&report));
            assert!(differ.is_empty(), "{}: {REFERENCE} and {major} differ:\n{}", project.name, differ.join("\n"));
        }
    }
}

/// A comparison of two failures would show nothing.
fn assert_worked(report: &Value, project: &str) {
    assert_eq!(report["errors"], serde_json::json!([]), "{project}");
    let checked = report["summary"]["services"]["checked"].as_u64().unwrap_or_default();
    assert!(checked > 0 && report["findings"].as_array().is_some_and(|all| !all.is_empty()), "{project}: {report}");
}

#[test]
fn a_normal_user_finds_the_same_on_every_major() {
    let Some(somebody) = Runner::unprivileged(Path::new(TRUEUP)) else {
        return skipped("not root, so all the other tests have shown it already");
    };
    let root = Runner::new(TRUEUP);
    let projects = Project::all();
    for (major, bin) in majors() {
        // All of the projects on one, and one on each of the others: what differs is the user, not the SQL.
        let wanted = if major == REFERENCE { projects.len() } else { 1 };
        for project in &projects[..wanted] {
            let (ours, theirs) = (check_with(&root, project.path(), &bin), check_with(&somebody, project.path(), &bin));
            assert_eq!(theirs["engine"]["major"], major, "{}", theirs["errors"]);
            assert_worked(&theirs, project.name);
            let differ = differences(&comparable(&ours), &comparable(&theirs));
            assert!(differ.is_empty(), "{} on {major}:\n{}", project.name, differ.join("\n"));
        }
    }
    assert!(somebody.home().join(".cache/trueup/postgres/templates").is_dir(), "it has a cache of its own");
}

/// A project whose two services declare 15, with two majors on `PATH`.
struct Choosing {
    runner: Runner,
    project: Project,
    path: String,
}

impl Choosing {
    fn between(majors: [u16; 2]) -> Option<Self> {
        let bins: Vec<_> = majors.into_iter().filter_map(postgres).collect();
        let [first, second] = bins.as_slice() else {
            skipped("both majors are needed: run `cargo xtask fetch`");
            return None;
        };
        let path = format!("{}:{}:/usr/bin:/bin", first.display(), second.display());
        let table = "CREATE TABLE t (a int);";
        let project = Project::written(&[("svc-a", table), ("svc-b", table)]);
        Some(Self { runner: Runner::new(TRUEUP), project, path })
    }

    fn check(&self, arguments: &[&str]) -> Value {
        let mut command = self.runner.command(self.project.path());
        command.env("PATH", &self.path).args(["check", "--format", "json", "--no-cache"]).args(arguments);
        runs::report(&command.output().expect("trueup runs"))
    }
}

fn notes(report: &Value) -> String {
    report["notes"].to_string()
}

#[test]
fn the_major_asked_for_is_used_and_another_one_than_declared_is_said() {
    let Some(choosing) = Choosing::between([13, 18]) else { return };
    for major in [13, 18] {
        let report = choosing.check(&["--postgres", &major.to_string()]);
        assert_eq!(report["engine"]["major"], major, "{report}");
        let said = format!("2 services declare PostgreSQL 15; this run used {major};");
        assert!(notes(&report).contains(&said), "{}", notes(&report));
    }
    std::fs::write(choosing.project.path().join("trueup.toml"), "[check]\npostgres = 13\n").expect("written");
    assert_eq!(choosing.check(&[])["engine"]["major"], 13);
    assert_eq!(choosing.check(&["--postgres", "18"])["engine"]["major"], 18, "the flag outranks the file");
}

#[test]
fn the_declared_major_is_preferred_and_then_nothing_is_said() {
    let Some(choosing) = Choosing::between([18, 15]) else { return };
    let report = choosing.check(&[]);
    assert_eq!(report["engine"]["major"], 15, "{report}");
    assert!(!notes(&report).contains("this run used"), "{}", notes(&report));
}

#[test]
fn a_major_that_is_not_there_is_said() {
    let Some(choosing) = Choosing::between([13, 18]) else { return };
    let report = choosing.check(&["--postgres", "19"]);
    assert_eq!(report["engine"]["major"], 18, "{report}");
    assert!(notes(&report).contains("PostgreSQL 19 was asked for and is not what was found"), "{}", notes(&report));
}

#[test]
fn a_build_without_the_bundled_engine_says_so() {
    if cfg!(feature = "embedded") {
        return skipped("this build has the bundled engine");
    }
    let project = Project::written(&[("svc-a", "CREATE TABLE t (a int);")]);
    let report = Runner::new(TRUEUP).check(project.path(), &["--bundled"]);
    assert_eq!((&report["summary"]["exit_code"], &report["engine"]), (&Value::from(2), &Value::Null));
    let error = &report["errors"][0];
    assert!(error["message"].to_string().contains("built without the bundled PostgreSQL"), "{error}");
    assert!(error["help"].to_string().contains("--features embedded"), "{error}");
}
