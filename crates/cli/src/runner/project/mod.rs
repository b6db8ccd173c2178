//! Which migrations: Flyway's settings from files, environment and command line, and the files they name.

mod flyway;
mod layers;
mod outside;
mod profiles;
mod spring;
mod spring_outside;
mod spring_variables;

use std::path::{Path, PathBuf};

use trueup_migrations::discover::{self, DiscoveredService};
use trueup_migrations::load::load_for_run;
use trueup_migrations::location::LocationSpec;
use trueup_migrations::migration::{Migration, MigrationSet};
use trueup_migrations::problem::Problem;
use trueup_migrations::settings::{Chosen, Setting, Settings, read_spring};
use trueup_model::finding::{Finding, Severity};
use trueup_model::location::Location;
use trueup_model::rule::Rule;

use self::outside::Outside;
use self::spring_outside::SpringOutside;
use super::error::RunnerError;
use crate::args::DatabaseArgs;

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

/// A service whose settings are known, and whose files are not loaded yet.
#[derive(Debug)]
pub struct Configured {
    /// Flyway's settings.
    pub settings: Settings,
    /// The folder that paths are relative to.
    pub folder: PathBuf,
    service: String,
    problems: Vec<Problem>,
    notices: Vec<String>,
}

/// Reads settings: files, then `FLYWAY_*`, then the command line; later ones win.
///
/// # Errors
/// What keeps the files from being looked for. Everything else that is wrong comes with what is wrong with them.
pub fn configure(
    folder: &Path,
    arguments: &DatabaseArgs,
    variables: &[(String, String)],
) -> Result<Configured, RunnerError> {
    let outside = Outside::of(arguments, variables)?;
    let here = folder;
    let folder = &outside.folder(here)?;
    let service = service(folder, arguments)?;
    let environment = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let mut problems = outside.notices.clone();
    // Flyway's own files, and Spring's, are read below: a check, which is about no environment, reads fewer of them.
    let bare = DiscoveredService { settings_files: Vec::new(), ..service.clone() };
    let (mut settings, found) = discover::settings(folder, &bare, &[], &environment);
    problems.extend(found);
    if arguments.flyway.is_none() {
        let said = SpringOutside::of(variables, &mut problems);
        let asked = &arguments.spring_profiles;
        let mut entries = spring::entries(folder, &service, (asked, &said), &environment, &mut problems);
        entries.extend(spring_variables::entries(variables, &mut problems));
        entries.extend(said.json.iter().cloned());
        // What a placeholder names is looked up in Spring's order, too.
        let lookup = |name: &str| said.get(name).or_else(|| environment(name));
        problems.extend(read_spring(&mut settings, &entries, &lookup));
    }
    let home = environment("HOME").filter(|home| arguments.flyway.is_some() && !home.is_empty()).map(PathBuf::from);
    let before = home.iter().map(PathBuf::as_path).chain((here != folder).then_some(here)).collect();
    let chosen = Chosen { name: outside.environment.as_ref(), elsewhere: outside.has_environment() };
    let found = flyway::Sources { root: folder, before, named: outside.config_files.clone(), chosen }.read(
        &service,
        &mut settings,
        &environment,
        &mut problems,
    );
    let modes = (found.with_toml, arguments.flyway.is_some());
    problems.extend(layers::set(&mut settings, &outside, found.overrides, modes));
    problems.extend(named_locations(&mut settings, arguments));
    let mut notices = Vec::new();
    if arguments.flyway.is_some() && settings.locations.value.is_empty() {
        notices.extend(flyways_location(folder, &mut settings));
    } else if settings.locations.value.is_empty() {
        return Err(RunnerError::usage(
            "no migrations were found, and no location is named",
            "give --location filesystem:FOLDER, or set `locations`",
        ));
    }
    Ok(Configured { settings, service: service.name, folder: folder.clone(), problems, notices })
}

impl Configured {
    /// Whether nothing is wrong with the settings.
    pub fn is_sound(&self) -> bool {
        !self.problems.iter().any(|problem| problem.blocking)
    }

    /// Loads the files that the settings name, and gives what changes nothing and should be known with them.
    ///
    /// # Errors
    /// Everything that is wrong with settings or files, all at once.
    pub fn load(&self) -> Result<(MigrationSet, Vec<String>), RunnerError> {
        let (mut problems, mut notices) = (self.problems.clone(), self.notices.clone());
        let mut set = load_for_run(&self.folder, &self.service, &self.settings);
        for finding in std::mem::take(&mut set.findings) {
            let at = finding.migration_at.clone().unwrap_or_else(|| Location::whole(self.service.as_str()));
            let code = code_of(&finding, &at, &set);
            problems.push(Problem { code, ..of_finding(finding, at) });
        }
        problems.retain(|problem| {
            if !problem.blocking {
                notices.push(format!("{}: {}", problem.at, problem.message));
            }
            problem.blocking
        });
        if problems.is_empty() { Ok((set, notices)) } else { Err(RunnerError::Problems(problems)) }
    }
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

/// What Flyway calls something wrong with a file.
fn code_of(finding: &Finding, at: &Location, set: &MigrationSet) -> &'static str {
    let among = |files: &[Migration]| files.iter().any(|file| file.path == at.file);
    match finding.rule == Rule::VersionCollision {
        true if among(&set.versioned) || among(&set.baselines) => "DUPLICATE_VERSIONED_MIGRATION",
        true if among(&set.repeatables) => "DUPLICATE_REPEATABLE_MIGRATION",
        _ => "ERROR",
    }
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

/// `--location`.
fn named_locations(settings: &mut Settings, arguments: &DatabaseArgs) -> Vec<Problem> {
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
    // `--set locations=…` is the other way to say it, and says it more exactly.
    let set = settings.locations.at.as_ref().is_some_and(|at| &*at.file == "--set");
    if !locations.is_empty() && !set {
        settings.locations = Setting::set(locations, at("--location"));
    }
    problems
}
