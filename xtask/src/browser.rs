//! Gets Debian's Chromium, and with npm what drives it in the tests of the portal.

use std::fs;
use std::path::Path;
use std::process::Command;

use trueup_testkit::SKIPPED;
use trueup_testkit::browser::{LOCK, MANIFEST, modules};

use crate::machine::{has, install, run};

/// Gets browser and modules when they are not there yet. Without npm or a network the tests in the browser are skipped,
/// and say so; nothing else depends on it.
pub(crate) fn fetch() {
    let there = has("chromium") || has("chromium-browser");
    if let Err(why) = install(&[("chromium", there), ("npm", has("npm"))]) {
        eprintln!("{SKIPPED}Chromium is missing: {why}");
        return;
    }
    match one(&modules()) {
        Ok(what) => println!("Playwright and axe: {what}"),
        Err(why) => eprintln!("{SKIPPED}Playwright and axe are missing: {why}"),
    }
}

fn one(place: &Path) -> Result<&'static str, String> {
    if place.is_dir() {
        return Ok("are there");
    }
    let parent = place.parent().ok_or("the cache has no parent directory")?;
    fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    // Installed beside its place and renamed: what is there is complete, also when two runs meet.
    let work = tempfile::tempdir_in(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    for (name, text) in [("package.json", MANIFEST), ("package-lock.json", LOCK)] {
        fs::write(work.path().join(name), text).map_err(|error| format!("{name}: {error}"))?;
    }
    // npm compares every archive with the hash in the lock; nothing of a package is run.
    run(Command::new("npm").current_dir(work.path()).args([
        "ci",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel",
        "error",
    ]))?;
    match fs::rename(work.path(), place) {
        Ok(()) => Ok("fetched"),
        Err(_) if place.is_dir() => Ok("were fetched by another run"),
        Err(error) => Err(format!("{}: {error}", place.display())),
    }
}
