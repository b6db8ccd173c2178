//! The real binary on real projects, as root and as somebody else, and what of its reports may be compared.
#![allow(dead_code, reason = "each test target uses a part of it")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use trueup_testkit::{shared_corpora, skipped};

/// The user and group that stand for a normal user.
const SOMEBODY: u32 = 65534;

/// A binary, who runs it, and a home that nobody has used before.
pub(crate) struct Runner {
    program: PathBuf,
    home: tempfile::TempDir,
    user: Option<u32>,
}

impl Runner {
    /// Runs as ourselves.
    pub(crate) fn new(program: impl Into<PathBuf>) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        Self { program: program.into(), home, user: None }
    }

    /// Runs as a normal user, with a copy of the binary, which may lie where that user cannot go. `None`: we are one
    /// ourselves.
    pub(crate) fn unprivileged(program: &Path) -> Option<Self> {
        if !nix::unistd::geteuid().is_root() {
            return None;
        }
        let mut runner = Self::new(program);
        runner.program = runner.home.path().join("trueup");
        fs::copy(program, &runner.program).expect("copied");
        chown(runner.home.path(), Some(SOMEBODY), Some(SOMEBODY)).expect("given away");
        runner.user = Some(SOMEBODY);
        Some(runner)
    }

    /// Its home, with the cache in it.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The binary in a project, in an environment with nothing but `HOME` and `PATH`.
    pub(crate) fn command(&self, project: &Path) -> Command {
        self.command_within(&[], project)
    }

    /// As [`Runner::command`], started by another program: `wrapper` is its command line.
    pub(crate) fn command_within(&self, wrapper: &[&str], project: &Path) -> Command {
        let mut command = match wrapper {
            [] => Command::new(&self.program),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(&self.program);
                command
            }
        };
        command.arg("-C").arg(project).env_clear();
        command.env("HOME", self.home.path()).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        if let Some(uid) = self.user {
            // Root's other groups are left behind too.
            command.uid(uid).gid(uid);
        }
        command.stdin(Stdio::null());
        command
    }

    /// The report of `trueup check` with these further arguments.
    pub(crate) fn check(&self, project: &Path, arguments: &[&str]) -> Value {
        let mut command = self.command(project);
        let output = command.args(["check", "--format", "json"]).args(arguments).output();
        report(&output.expect("trueup runs"))
    }
}

/// What a run wrote.
pub(crate) fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// A project, readable for everybody.
pub(crate) struct Project {
    pub(crate) name: &'static str,
    root: tempfile::TempDir,
}

impl Project {
    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        self.root.path()
    }

    /// One of the repository's examples.
    pub(crate) fn example(name: &'static str) -> Self {
        Self::copied(name, &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name))
    }

    /// The examples of the repository, and the reference repository if it is there.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::example("small"), Self::example("brownfield")];
        match shared_corpora().map(|corpora| corpora.join("novatrek")).filter(|project| project.is_dir()) {
            Some(project) => all.push(Self::copied("novatrek", &project)),
            None => skipped("the reference repository is not there"),
        }
        all
    }

    /// A service for each pair of name and migration, whose intent has one table.
    pub(crate) fn written(services: &[(&str, &str)]) -> Self {
        let project = Self { name: "written", root: readable() };
        let metadata = project.path().join("architecture/metadata");
        fs::create_dir_all(&metadata).expect("made");
        let intent = |name: &str| {
            format!(
                "{name}:\n  engine: PostgreSQL 15\n  schema: public\n  tables: [t]\n  table_details:\n    t:\n      \
                 columns:\n      - {{name: a, type: INTEGER}}\n"
            )
        };
        let yaml: String = services.iter().map(|(name, _)| intent(name)).collect();
        fs::write(metadata.join("data-stores.yaml"), yaml).expect("written");
        for (name, sql) in services {
            let folder = project.path().join(format!("services/{name}/src/main/resources/db/migration"));
            fs::create_dir_all(&folder).expect("made");
            fs::write(folder.join("V1__t.sql"), sql).expect("written");
        }
        project
    }

    fn copied(name: &'static str, from: &Path) -> Self {
        let project = Self { name, root: readable() };
        copy(from, project.path());
        project
    }
}

fn readable() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o755)).expect("opened");
    root
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("listed").map(|entry| entry.expect("listed")) {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            fs::create_dir_all(&target).expect("made");
            copy(&source, &target);
        } else {
            fs::copy(&source, &target).expect("copied");
        }
    }
}

/// A report without what two runs may differ in: times, what came from the cache, and which PostgreSQL it was. Texts
/// that name the PostgreSQL say `PostgreSQL VERSION` instead.
pub(crate) fn comparable(report: &Value) -> Value {
    let engine = &report["engine"];
    let kind =
        if engine["kind"] == "scratch-url" { "scratch URL" } else { engine["kind"].as_str().unwrap_or_default() };
    let named = format!("PostgreSQL {}, {kind}", engine["version"].as_str().unwrap_or_default());
    let mut report = report.clone();
    for key in ["engine", "elapsed_ms"] {
        report[key] = Value::Null;
    }
    for service in report["services"].as_array_mut().into_iter().flatten() {
        for key in ["elapsed_ms", "cached"] {
            service[key] = Value::Null;
        }
    }
    if let Some(notes) = report["notes"].as_array_mut() {
        notes.retain(|note| !note.as_str().is_some_and(|note| note.contains("this run used")));
    }
    rename(&mut report, &named);
    report
}

fn rename(value: &mut Value, named: &str) {
    match value {
        Value::String(text) => *text = text.replace(named, "PostgreSQL VERSION"),
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, named)),
        Value::Object(entries) => entries.values_mut().for_each(|item| rename(item, named)),
        _ => {}
    }
}

/// What `left` has and `right` has not, and the other way round, one line each; empty when they are equal.
pub(crate) fn differences(left: &Value, right: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let keys = left.as_object().into_iter().flat_map(serde_json::Map::keys);
    for key in keys {
        let (left, right) = (&left[key], &right[key]);
        match (left.as_array(), right.as_array()) {
            (Some(ours), Some(theirs)) => {
                lines.extend(ours.iter().filter(|item| !theirs.contains(item)).map(|item| format!("- {key} {item}")));
                lines.extend(theirs.iter().filter(|item| !ours.contains(item)).map(|item| format!("+ {key} {item}")));
                if ours.len() != theirs.len() {
                    lines.push(format!("{} and {} {key}", ours.len(), theirs.len()));
                }
            }
            _ if left != right => lines.push(format!("- {key} {left}\n+ {key} {right}")),
            _ => {}
        }
    }
    lines
}
