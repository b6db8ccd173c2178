//! A real MkDocs, with the Material theme and the plugin of Backstage's TechDocs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cache;

/// What pip installs, in exact versions.
pub const REQUIREMENTS: &str = include_str!("../mkdocs/requirements.txt");

/// Where the virtual environment is, or would be.
pub fn environment() -> PathBuf {
    cache::root().join("mkdocs").join(format!("{:016x}", cache::digest(REQUIREMENTS)))
}

/// Builds a folder with `mkdocs.yml` strictly: a warning is an error.
///
/// # Errors
/// Everything that it said, when it failed; `None` when there is no MkDocs: say [`crate::skipped`] then.
pub fn build(project: &Path, site: &Path) -> Option<Result<(), String>> {
    let environment = environment();
    if !environment.is_dir() {
        return None;
    }
    // As a module: the scripts of an environment know only the place where it was made.
    let mut command = Command::new(environment.join("bin/python"));
    command.args(["-m", "mkdocs", "build", "--strict", "--site-dir"]).arg(site).current_dir(project);
    command.env("NO_MKDOCS_2_WARNING", "1").stdin(Stdio::null());
    Some(match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Err(format!("{}: {}", output.status, String::from_utf8_lossy(&said)))
        }
        Err(error) => Err(format!("mkdocs: {error}")),
    })
}
