//! A repository in a temporary folder, and runs of the real binary in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Where the YAML lies by default.
pub(crate) const YAML: &str = "architecture/metadata/data-stores.yaml";

/// The binary under test.
pub(crate) const TRUEUP: &str = env!("CARGO_BIN_EXE_trueup");

/// A repository on disk, removed when dropped.
pub(crate) struct Project {
    root: tempfile::TempDir,
    /// A cache of its own, when answers of other tests must not be seen.
    cache: Option<tempfile::TempDir>,
}

impl Project {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().expect("a temporary folder"), cache: None }
    }

    pub(crate) fn with(files: &[(&str, &str)]) -> Self {
        let project = Self::new();
        files.iter().for_each(|(path, text)| project.write(path, text));
        project
    }

    /// Answers are kept where no other test finds them; the server's template is still the shared one.
    pub(crate) fn with_own_cache(mut self) -> Self {
        let cache = tempfile::Builder::new().prefix("cache").tempdir_in(shared_cache()).expect("a temporary folder");
        std::os::unix::fs::symlink(shared_cache().join("postgres"), cache.path().join("postgres")).expect("a link");
        self.cache = Some(cache);
        self
    }

    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Where answers are kept.
    pub(crate) fn answers(&self) -> PathBuf {
        self.cache.as_ref().expect("a cache of its own").path().join("answers")
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("written");
    }

    pub(crate) fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).expect("readable")
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.path(path)).expect("removed");
    }

    /// Replaces text that must be there.
    pub(crate) fn replace(&self, path: &str, old: &str, new: &str) {
        let text = self.read(path);
        assert!(text.contains(old), "{path} has no {old:?}");
        self.write(path, text.replacen(old, new, 1));
    }

    /// A command in this repository that sees nothing of the environment's settings.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let cache = self.cache.as_ref().map_or_else(shared_cache, |cache| cache.path().to_owned());
        command.current_dir(self.root()).env("TRUEUP_CACHE", cache).stdin(Stdio::null());
        for name in ["TRUEUP_SCRATCH_URL", "TRUEUP_PG_BIN", "NO_COLOR", "GITHUB_ACTIONS"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs trueup with these arguments.
    pub(crate) fn trueup(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(TRUEUP).args(arguments).output().expect("trueup runs"))
    }

    /// `trueup check --no-cache --format json` and more.
    pub(crate) fn check(&self, arguments: &[&str]) -> Run {
        self.trueup(&[&["check", "--no-cache", "--format", "json"], arguments].concat())
    }

    /// `trueup check --format json` and more, with the cache.
    pub(crate) fn check_cached(&self, arguments: &[&str]) -> Run {
        self.trueup(&[&["check", "--format", "json"], arguments].concat())
    }
}

/// Shared by all tests, so that the server's template is made once.
fn shared_cache() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache");
    std::fs::create_dir_all(folder.join("postgres")).expect("made");
    folder
}

/// What a run printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: exit {}, {}{}", self.code, self.stdout, self.stderr))
    }

    /// `rule object`, sorted; the service where there is no object.
    pub(crate) fn findings(&self) -> Vec<String> {
        let report = self.json();
        let mut all: Vec<_> = list(&report, "findings").iter().map(title).collect();
        all.sort();
        all
    }

    /// Names of services whose answer came from the cache.
    pub(crate) fn cached(&self) -> Vec<String> {
        let report = self.json();
        let cached = list(&report, "services").iter().filter(|service| service["cached"] == true);
        cached.map(|service| text(service, "name")).collect()
    }
}

/// `rule object`; the service where there is no object.
pub(crate) fn title(finding: &Value) -> String {
    let object = text(finding, "object");
    let object = if object.is_empty() { text(finding, "service") } else { object };
    format!("{} {object}", text(finding, "rule"))
}

pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

pub(crate) fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}
