//! What reads GitHub's workflows as GitHub would (actionlint), and as an attacker would (zizmor).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cache;

/// The release of actionlint, a Go module.
pub const ACTIONLINT: &str = "v1.7.7";
/// The release of zizmor, a package of Python with a program inside.
pub const ZIZMOR: &str = "1.32.0";

/// The folder with the program of actionlint, or where it would be.
pub fn actionlint() -> PathBuf {
    cache::root().join("linters").join(format!("actionlint-{ACTIONLINT}"))
}

/// The virtual environment with zizmor, or where it would be.
pub fn zizmor() -> PathBuf {
    cache::root().join("linters").join(format!("zizmor-{ZIZMOR}"))
}

/// What both say about all workflows of a repository; empty when they have no objection. `None` when one of them is not
/// there: say [`crate::skipped`] then.
///
/// # Errors
/// Why one of them could not be started.
pub fn objections(repository: &Path) -> Option<Result<String, String>> {
    let (actionlint, zizmor) = (actionlint().join("actionlint"), zizmor().join("bin/zizmor"));
    if !actionlint.is_file() || !zizmor.is_file() {
        return None;
    }
    // Without the linters of other languages, which are on some machines only; and without a network.
    let mut syntax = Command::new(actionlint);
    syntax.args(["-no-color", "-shellcheck=", "-pyflakes="]);
    syntax.args(workflows(repository));
    let mut security = Command::new(zizmor);
    security.args(["--offline", "--no-progress", "--color=never"]).arg(repository.join(".github/workflows"));
    let said = [syntax, security].into_iter().map(|mut command| {
        let output = command.current_dir(repository).stdin(Stdio::null()).output();
        let output = output.map_err(|error| format!("{command:?}: {error}"))?;
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Ok(if output.status.success() { String::new() } else { format!("{}: {text}", output.status) })
    });
    Some(said.collect())
}

/// All workflows of a repository, by name.
pub fn workflows(repository: &Path) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(repository.join(".github/workflows"));
    let mut files: Vec<PathBuf> = folder.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "yml" || end == "yaml"));
    files.sort();
    files
}
