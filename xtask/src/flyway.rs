//! Gets Flyway's engine with Maven, for the tests that run beside it.

use std::fs;
use std::path::Path;
use std::process::Command;

use trueup_testkit::SKIPPED;
use trueup_testkit::flyway::{DRIVER_VERSION, VERSION, jars};

use crate::machine::{has, run};

/// Gets the jars when they are not there yet. Without Maven or a network the tests beside Flyway are skipped, and say
/// so; nothing else depends on it.
pub(crate) fn fetch() {
    let place = jars();
    match one(&place) {
        Ok(what) => println!("Flyway {VERSION}: {what}"),
        Err(why) => eprintln!("{SKIPPED}Flyway {VERSION} is missing: {why}"),
    }
}

fn one(place: &Path) -> Result<&'static str, String> {
    if place.is_dir() {
        return Ok("is there");
    }
    if !has("mvn") || !has("java") {
        return Err("it takes mvn and java to get and run it".to_owned());
    }
    let parent = place.parent().ok_or("the cache has no parent directory")?;
    fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    // Fetched beside its place and renamed: what is there is complete, also when two runs meet.
    let work = tempfile::tempdir_in(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
    let project = work.path().join("pom.xml");
    fs::write(&project, pom()).map_err(|error| format!("{}: {error}", project.display()))?;
    let fetched = work.path().join("jars");
    run(Command::new("mvn")
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(&project)
        .arg("dependency:copy-dependencies")
        .arg(format!("-DoutputDirectory={}", fetched.display())))?;
    match fs::rename(&fetched, place) {
        Ok(()) => Ok("fetched"),
        Err(_) if place.is_dir() => Ok("was fetched by another run"),
        Err(error) => Err(format!("{}: {error}", place.display())),
    }
}

fn pom() -> String {
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>\
             </dependency>"
        )
    };
    let dependencies = [
        dependency("org.flywaydb", "flyway-core", VERSION),
        dependency("org.flywaydb", "flyway-database-postgresql", VERSION),
        dependency("org.postgresql", "postgresql", DRIVER_VERSION),
    ];
    format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>trueup</groupId><artifactId>tests</artifactId>\
         <version>1</version><dependencies>{}</dependencies></project>\n",
        dependencies.concat()
    )
}
