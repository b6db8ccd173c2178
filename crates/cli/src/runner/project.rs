//! Which migrations: Flyway's settings from files, environment and command line, and the files they name.

use std::path::Path;

use trueup_intent::properties::{self, FlatDocument};
use trueup_migrations::discover::{self, DiscoveredService};
use trueup_migrations::load::load;
use trueup_migrations::location::LocationSpec;
use trueup_migrations::migration::MigrationSet;
use trueup_migrations::problem::Problem;
use trueup_migrations::settings::{Setting, Settings, read_variables};
use trueup_model::finding::{Finding, Severity};
use trueup_model::location::{Located, Location};
use trueup_model::rule::Rule;

use super::error::RunnerError;
use crate::args::DatabaseArgs;

/// Settings and files of one service.
#[derive(Debug)]
pub struct Project {
    /// Flyway's settings.
    pub settings: Settings,
    /// The files.
    pub set: MigrationSet,
    /// What changes nothing and should be known.
    pub notices: Vec<String>,
}

/// Files of settings that are looked for when locations are given and nothing is searched for.
const SETTINGS_FILES: &[&str] = &[
    "flyway.toml",
    "flyway.conf",
    "src/main/resources/application.properties",
    "src/main/resources/application.yml",
    "src/main/resources/application.yaml",
];

/// Those that Flyway's command line reads.
const FLYWAYS_FILES: &[&str] = &["flyway.toml", "flyway.conf"];

/// Where Flyway's command line looks when nothing names a location.
const FLYWAYS_LOCATION: &str = "sql";

/// Reads settings (files, then `FLYWAY_*`, then the command line; later ones win) and loads the files they name.
///
/// # Errors
/// Everything that is wrong with either, all at once.
pub fn read(folder: &Path, arguments: &DatabaseArgs, variables: &[(String, String)]) -> Result<Project, RunnerError> {
    let service = service(folder, arguments)?;
    let environment = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let mut problems = Vec::new();
    if folder.join(&service.base).join("flyway.user.toml").is_file() {
        problems.push(Problem::blocking(
            Location::whole("flyway.user.toml"),
            "this file of settings is not read by this version of trueup",
            "give what it says with FLYWAY_* variables or --set, and move it away",
        ));
    }
    let yaml = spring(folder, &service, &mut problems);
    let (mut settings, found) = discover::settings(folder, &service, &yaml, &environment);
    problems.extend(found);
    problems.extend(read_variables(&mut settings, variables));
    problems.extend(from_command_line(&mut settings, arguments));
    let mut notices = Vec::new();
    if arguments.flyway.is_some() && settings.locations.value.is_empty() {
        notices.extend(flyways_location(folder, &mut settings));
    } else if settings.locations.value.is_empty() {
        return Err(RunnerError::usage(
            "no migrations were found, and no location is named",
            "give --location filesystem:FOLDER, or set `locations`",
        ));
    }
    let mut set = load(folder, &service.name, &settings);
    for finding in std::mem::take(&mut set.findings) {
        let at = finding.migration_at.clone().unwrap_or_else(|| Location::whole(service.name.as_str()));
        problems.push(of_finding(finding, at));
    }
    problems.retain(|problem| {
        if !problem.blocking {
            notices.push(format!("{}: {}", problem.at, problem.message));
        }
        problem.blocking
    });
    if problems.is_empty() { Ok(Project { settings, set, notices }) } else { Err(RunnerError::Problems(problems)) }
}

fn of_finding(finding: Finding, at: Location) -> Problem {
    if finding.rule == Rule::JavaMigration {
        // A check may go on without it; a database that lacks what it does must not be called migrated.
        let help = "trueup runs SQL: write it as a .sql file with the same version, or use Flyway for this database";
        return Problem::blocking(at, finding.message, help);
    }
    let blocking = finding.severity == Severity::Error;
    Problem { blocking, ..Problem::notice(at, finding.message, finding.help) }
}

/// The service in this folder: the only one found, or the folder itself when locations are given.
fn service(folder: &Path, arguments: &DatabaseArgs) -> Result<DiscoveredService, RunnerError> {
    let files = if arguments.flyway.is_some() { FLYWAYS_FILES } else { SETTINGS_FILES };
    if arguments.flyway.is_some() || !arguments.location.is_empty() {
        let there = files.iter().filter(|file| folder.join(file).is_file());
        return Ok(DiscoveredService {
            name: folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
            declared: false,
            base: String::new(),
            folders: Vec::new(),
            settings_files: there.map(|file| (*file).to_owned()).collect(),
        });
    }
    let discovery = discover::discover(folder, &[]);
    let blocking: Vec<_> = discovery.problems.into_iter().filter(|problem| problem.blocking).collect();
    if !blocking.is_empty() {
        return Err(RunnerError::Problems(blocking));
    }
    let mut services = discovery.services;
    match services.len() {
        1 => Ok(services.remove(0)),
        0 => Err(RunnerError::usage(
            format!("no migrations were found below {}", folder.display()),
            "go to their folder with -C, or give --location filesystem:FOLDER",
        )),
        _ => {
            let names: Vec<_> = services.iter().map(|service| service.name.as_str()).collect();
            Err(RunnerError::usage(
                format!("there are migrations of several services here: {}", names.join(", ")),
                "go to the folder of one with -C, or give --location filesystem:FOLDER",
            ))
        }
    }
}

/// Flyway's own default; what to say when it is not there.
fn flyways_location(folder: &Path, settings: &mut Settings) -> Option<String> {
    if folder.join(FLYWAYS_LOCATION).is_dir() {
        settings.locations.value = vec![LocationSpec::found(FLYWAYS_LOCATION)];
        return None;
    }
    Some(format!("No locations configured and default location '{FLYWAYS_LOCATION}' not found."))
}

/// `--location` and `--set`, and what Flyway's own command line has for both.
fn from_command_line(settings: &mut Settings, arguments: &DatabaseArgs) -> Vec<Problem> {
    let mut problems = Vec::new();
    let at = |what: &str| Location::whole(what);
    let mut locations = Vec::new();
    for written in &arguments.location {
        // On a command line a folder is a folder; Flyway's own default, a classpath, needs its prefix.
        let spec = if written.contains(':') {
            LocationSpec::parse(written, Some(at("--location")))
        } else {
            Ok(LocationSpec { at: Some(at("--location")), ..LocationSpec::found(written) })
        };
        match spec {
            Ok(spec) => locations.push(spec),
            Err(error) => problems.push(Problem::blocking(at("--location"), error.to_string(), "name a folder")),
        }
    }
    if !locations.is_empty() {
        settings.locations = Setting::set(locations, at("--location"));
    }
    for (key, value) in arguments.flyway.iter().flatten() {
        let value = Located::new(value.expose().to_owned(), Location::whole(format!("-{key}").as_str()));
        problems.extend(settings.set(key, value).err());
    }
    for pair in &arguments.set {
        let set = match pair.split_once('=') {
            Some((key, value)) => {
                let key = key.strip_prefix("flyway.").unwrap_or(key);
                settings.set(key, Located::new(value.to_owned(), at("--set")))
            }
            None => Err(Problem::blocking(at("--set"), "no `=` in --set", "write --set KEY=VALUE")),
        };
        problems.extend(set.err());
    }
    problems
}

/// `spring.flyway.*` of the main `application.yml`; documents for profiles are left out.
fn spring(folder: &Path, service: &DiscoveredService, problems: &mut Vec<Problem>) -> Vec<(String, Located<String>)> {
    let is_main = |file: &&String| matches!(file.rsplit('/').next(), Some("application.yml" | "application.yaml"));
    let mut entries = Vec::new();
    for file in service.settings_files.iter().filter(is_main) {
        let bytes = std::fs::read(folder.join(file)).map_err(|error| error.to_string());
        let read = bytes.and_then(|bytes| {
            let joined = |errors: Vec<trueup_intent::IntentError>| {
                errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            };
            properties::flatten(file, &bytes).map_err(joined)
        });
        match read {
            Ok(documents) => {
                entries.extend(documents.into_iter().filter(is_unconditional).flat_map(|document| document.values));
            }
            Err(message) => problems.push(Problem::blocking(
                Location::whole(file.as_str()),
                format!("the settings cannot be read: {message}"),
                "correct the file",
            )),
        }
    }
    entries
}

/// Whether a document of `application.yml` holds for every profile.
fn is_unconditional(document: &FlatDocument) -> bool {
    !document.values.keys().any(|key| key.starts_with("spring.config.activate.") || key.starts_with("spring.profiles"))
}
