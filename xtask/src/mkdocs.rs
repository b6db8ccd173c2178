//! Gets MkDocs for the tests of the portal's Markdown, with pip, into a virtual environment in the cache.

use std::fs;
use std::path::Path;
use std::process::Command;

use trueup_testkit::SKIPPED;
use trueup_testkit::mkdocs::{REQUIREMENTS, environment};

use crate::machine::{has, install, run};

/// Gets it when it is not there yet. Without Python or a network the tests with MkDocs are skipped, and say so.
pub(crate) fn fetch() {
    match one(&environment()) {
        Ok(what) => println!("MkDocs: {what}"),
        Err(why) => eprintln!("{SKIPPED}MkDocs is missing: {why}"),
    }
}

fn one(place: &Path) -> Result<&'static str, String> {
    if place.is_dir() {
        return Ok("is there");
    }
    // Debian has a Python without what makes environments.
    install(&[(
        "python3-venv",
        has("python3") && run(Command::new("python3").args(["-c", "import ensurepip"])).is_ok(),
    )])?;
    let parent = place.parent().ok_or("the cache has no parent directory")?;
    fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    // Made beside its place and renamed: what is there is complete, also when two runs meet.
    let work = tempfile::tempdir_in(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    let list = work.path().join("requirements.txt");
    fs::write(&list, REQUIREMENTS).map_err(|error| format!("{}: {error}", list.display()))?;
    run(Command::new("python3").args(["-m", "venv"]).arg(work.path()))?;
    run(Command::new(work.path().join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
        .arg(&list))?;
    match fs::rename(work.path(), place) {
        Ok(()) => Ok("fetched"),
        Err(_) if place.is_dir() => Ok("was fetched by another run"),
        Err(error) => Err(format!("{}: {error}", place.display())),
    }
}
