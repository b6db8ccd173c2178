//! Gets the linters of GitHub's workflows: actionlint with Go, zizmor with pip, into the cache.

use std::fs;
use std::path::Path;
use std::process::Command;

use trueup_testkit::SKIPPED;
use trueup_testkit::linters::{ACTIONLINT, ZIZMOR, actionlint, zizmor};

use crate::machine::{has, install, run};

/// Gets what is not there yet. Without Go, Python or a network the test of the workflows is skipped, and says so.
pub(crate) fn fetch() {
    let said = |name: &str, result: Result<&'static str, String>| match result {
        Ok(what) => println!("{name}: {what}"),
        Err(why) => eprintln!("{SKIPPED}{name} is missing: {why}"),
    };
    said("actionlint", settle(&actionlint(), build_actionlint));
    said("zizmor", settle(&zizmor(), install_zizmor));
}

/// Made beside its place and renamed: what is there is complete, also when two runs meet.
fn settle(place: &Path, make: fn(&Path) -> Result<(), String>) -> Result<&'static str, String> {
    if place.is_dir() {
        return Ok("is there");
    }
    let parent = place.parent().ok_or("the cache has no parent directory")?;
    fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    let work = tempfile::tempdir_in(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    make(work.path())?;
    match fs::rename(work.path(), place) {
        Ok(()) => Ok("fetched"),
        Err(_) if place.is_dir() => Ok("was fetched by another run"),
        Err(error) => Err(format!("{}: {error}", place.display())),
    }
}

/// Go compares the module with its database of checksums.
fn build_actionlint(folder: &Path) -> Result<(), String> {
    install(&[("golang-go", has("go"))])?;
    let module = format!("github.com/rhysd/actionlint/cmd/actionlint@{ACTIONLINT}");
    run(Command::new("go").args(["install", &module]).env("GOBIN", folder))
}

fn install_zizmor(folder: &Path) -> Result<(), String> {
    install(&[(
        "python3-venv",
        has("python3") && run(Command::new("python3").args(["-c", "import ensurepip"])).is_ok(),
    )])?;
    run(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    run(Command::new(folder.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"])
        .arg(format!("zizmor=={ZIZMOR}")))
}
