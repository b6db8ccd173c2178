//! Gets Flyway's engine and its command line with Maven, for the tests that run beside them.

use std::fs;
use std::path::Path;
use std::process::Command;

use trueup_testkit::SKIPPED;
use trueup_testkit::flyway::{COMMAND_LINE_VERSION, DRIVER_VERSION, VERSION, command_line_jars, jars};

use crate::machine::{has, run};

/// Gets the jars when they are not there yet. Without Maven or a network the tests beside Flyway are skipped, and say
/// so; nothing else depends on it. Whether both are there, and a Java to run them.
pub(crate) fn fetch() -> bool {
    let parts = [
        (format!("Flyway {VERSION}"), jars(), engine()),
        (format!("Flyway's command line {COMMAND_LINE_VERSION}"), command_line_jars(), command_line()),
    ];
    let mut there = has("java");
    for (name, place, dependencies) in parts {
        match one(&place, &dependencies) {
            Ok(what) => println!("{name}: {what}"),
            Err(why) => {
                there = false;
                eprintln!("{SKIPPED}{name} is missing: {why}");
            }
        }
    }
    there
}

fn one(place: &Path, dependencies: &str) -> Result<&'static str, String> {
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
    let pom = format!(
        "<project><modelVersion>4.0.0</modelVersion><groupId>trueup</groupId><artifactId>tests</artifactId>\
         <version>1</version><dependencies>{dependencies}</dependencies></project>\n"
    );
    fs::write(&project, pom).map_err(|error| format!("{}: {error}", project.display()))?;
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

fn engine() -> String {
    [
        dependency("org.flywaydb", "flyway-core", VERSION, ""),
        dependency("org.flywaydb", "flyway-database-postgresql", VERSION, ""),
        dependency("org.postgresql", "postgresql", DRIVER_VERSION, ""),
    ]
    .concat()
}

/// Parts of the command line that belong to Flyway and come in its version.
///
/// The verbs are among them because without them the command line does not refuse to work: it falls back to older code
/// that exits with 0 when a migration fails.
const PARTS: [&str; 16] = [
    "core",
    "reports",
    "database-postgresql",
    "command-test-connection",
    "verb-info",
    "verb-migrate",
    "verb-validate",
    "verb-schemas",
    "verb-clean",
    "verb-baseline",
    "verb-repair",
    "verb-testConnection",
    "nc-core",
    "nc-scanners",
    "nc-callbacks",
    "commandline",
];

/// The command line brings 275 jars for other databases and clouds; these are the ones that PostgreSQL needs. What it
/// declares as optional (TOML, colours) it does not start without.
fn command_line() -> String {
    const ALONE: &str =
        "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>";
    let mut all: String = PARTS
        .iter()
        .map(|part| dependency("org.flywaydb", &format!("flyway-{part}"), COMMAND_LINE_VERSION, ALONE))
        .collect();
    for (group, artifact, version) in [
        // Pinned: what Jackson itself asks for is not served everywhere.
        ("com.fasterxml.jackson.core", "jackson-annotations", "2.21"),
        ("tools.jackson.core", "jackson-databind", "3.1.1"),
        ("tools.jackson.dataformat", "jackson-dataformat-toml", "3.1.1"),
        ("tools.jackson.dataformat", "jackson-dataformat-xml", "3.1.1"),
        ("org.apache.commons", "commons-text", "1.10.0"),
        ("org.fusesource.jansi", "jansi", "1.18"),
        ("org.slf4j", "slf4j-nop", "1.7.30"),
        ("org.postgresql", "postgresql", DRIVER_VERSION),
    ] {
        all.push_str(&dependency(group, artifact, version, ""));
    }
    all
}

fn dependency(group: &str, artifact: &str, version: &str, more: &str) -> String {
    format!(
        "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>{more}\
         </dependency>"
    )
}
