//! What a run reads from disk: the intent, each service's settings and migrations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use trueup_intent::properties;
use trueup_intent::{Reading, Source};
use trueup_migrations::discover::{self, DiscoveredService, ServiceHint};
use trueup_migrations::load::load;
use trueup_migrations::location::LocationSpec;
use trueup_migrations::migration::MigrationSet;
use trueup_migrations::settings::{Setting, Settings as FlywaySettings};
use trueup_model::declared::DeclaredService;
use trueup_model::finding::Finding;
use trueup_model::location::{Located, Location};
use trueup_model::rule::Rule;

use super::digest;
use crate::report::InputError;
use crate::settings::Settings;

/// Where the intent lies when nobody says otherwise.
pub const USUAL_INTENT: &str = "architecture/metadata/data-stores.yaml";

/// Everything the run read.
pub struct Inputs {
    /// The project root; all locations are relative to it.
    pub root: PathBuf,
    /// The intent.
    pub reading: Reading,
    /// The files it was read from.
    pub intent_files: Vec<String>,
    /// Declared services in the order of the intent, then folders that no service claims.
    pub services: Vec<Arc<ServiceInput>>,
    /// What is wrong with the run's inputs as a whole.
    pub errors: Vec<InputError>,
}

/// One service, from all of its files.
#[derive(Debug)]
pub struct ServiceInput {
    /// Its name in the intent, or its folder.
    pub name: String,
    /// What the intent says; `None` for a folder that no service claims.
    pub declared: Option<DeclaredService>,
    /// The folders its migrations lie in.
    pub folders: Vec<String>,
    /// Flyway's settings.
    pub flyway: FlywaySettings,
    /// Its migrations.
    pub migrations: MigrationSet,
    /// SQL to run first: path and text.
    pub before: Vec<(String, String)>,
    /// Every file above, for `--changed-since`.
    pub files: Vec<String>,
    /// What reading these files found.
    pub findings: Vec<Finding>,
    /// [`ServiceInput::scripts_hash`], once somebody asked.
    hashed: OnceLock<Option<blake3::Hash>>,
}

impl ServiceInput {
    /// The hash of all scripts, SQL that runs first among them; `None` when one cannot be read. They are read once, for the
    /// key of the cache and for what the report says it was made from.
    pub(super) fn scripts_hash(&self) -> Option<blake3::Hash> {
        *self.hashed.get_or_init(|| digest::of_scripts(self))
    }

    /// Whether there is any migration to replay.
    pub fn has_migrations(&self) -> bool {
        !self.migrations.is_empty()
    }
}

/// Reads everything. Nothing is an error here that can be a finding of one service.
pub fn gather(root: &Path, settings: &Settings) -> Inputs {
    let mut errors = Vec::new();
    let (intent_files, sources) = intent_sources(root, settings, &mut errors);
    let reading = trueup_intent::read(&sources);
    errors.extend(reading.errors.iter().map(|error| InputError::at(error.at.clone(), &error.message, &error.help)));
    let services = if errors.is_empty() { services(root, settings, &reading, &mut errors) } else { Vec::new() };
    Inputs { root: root.to_owned(), reading, intent_files, services, errors }
}

/// The paths and the bytes of the intent's files; what is missing or cannot be read is added to `errors`.
pub fn intent_sources(root: &Path, settings: &Settings, errors: &mut Vec<InputError>) -> (Vec<String>, Vec<Source>) {
    let files = intent_files(root, settings, errors);
    let sources = read_sources(root, &files, errors);
    (files, sources)
}

/// The paths of the files of the intent; what is missing is added to `errors`.
pub fn intent_files(root: &Path, settings: &Settings, errors: &mut Vec<InputError>) -> Vec<String> {
    if settings.intent.is_empty() {
        if !root.join(USUAL_INTENT).is_file() {
            errors.push(InputError {
                location: None,
                message: format!("there is no {USUAL_INTENT} below {}", root.display()),
                help:
                    "run trueup in the root of the repository, or name the file: `intent = [\"path\"]` in trueup.toml"
                        .to_owned(),
            });
            return Vec::new();
        }
        return vec![USUAL_INTENT.to_owned()];
    }
    let mut files = Vec::new();
    for pattern in &settings.intent {
        let found = super::files::matching(root, &pattern.value);
        if found.is_empty() {
            let message = format!("`{}` names no file", pattern.value);
            errors.push(InputError::at(pattern.at.clone(), message, "correct the path; it is relative to trueup.toml"));
        }
        files.extend(found);
    }
    files.dedup();
    files
}

fn read_sources(root: &Path, files: &[String], errors: &mut Vec<InputError>) -> Vec<Source> {
    let mut sources = Vec::new();
    for path in files {
        match std::fs::read(root.join(path)) {
            Ok(bytes) => sources.push(Source { path: path.clone(), bytes }),
            Err(error) => errors.push(InputError::at(
                Location::whole(path.as_str()),
                format!("cannot be read: {error}"),
                "make it readable; it is part of the intent",
            )),
        }
    }
    sources
}

/// Reads the files of every declared service, and of the folders that no service claims.
pub fn services(
    root: &Path,
    settings: &Settings,
    reading: &Reading,
    errors: &mut Vec<InputError>,
) -> Vec<Arc<ServiceInput>> {
    let declared = &reading.declared.services;
    let hints: Vec<_> = declared.iter().map(|service| hint(service, settings)).collect();
    let discovery = discover::discover(root, &hints);
    let blocking = discovery.problems.iter().filter(|problem| problem.blocking);
    errors.extend(blocking.map(|problem| InputError::at(problem.at.clone(), &problem.message, &problem.help)));
    let mut found: BTreeMap<String, DiscoveredService> =
        discovery.services.into_iter().map(|service| (service.name.clone(), service)).collect();
    let mut services = Vec::new();
    for service in declared {
        let discovered = found.remove(&service.name.value);
        services.extend(
            discovered.map(|discovered| Arc::new(read_service(root, settings, Some(service), &discovered, errors))),
        );
    }
    let strays = found.into_values().filter(|discovered| !is_named(settings, discovered));
    let strays = strays.map(|discovered| read_service(root, settings, None, &discovered, errors));
    services.extend(strays.filter(|stray| !runs_before(settings, stray)).map(Arc::new));
    services
}

/// Whether all that a stray folder holds is named under `[replay] before`: stand-ins, and nobody's migrations.
fn runs_before(settings: &Settings, stray: &ServiceInput) -> bool {
    let own = settings.services.values().flat_map(|own| &own.before);
    let named: BTreeSet<&str> = settings.before.iter().chain(own).map(|file| file.value.as_str()).collect();
    stray.has_migrations() && scripts(&stray.migrations).all(|path| named.contains(path.as_ref()))
}

/// Whether trueup.toml gives all of these folders to some service: then they are nobody else's.
fn is_named(settings: &Settings, discovered: &DiscoveredService) -> bool {
    let named = || settings.services.values().flat_map(|own| &own.migrations).map(|folder| Path::new(&folder.value));
    let given = |folder: &String| named().any(|named| Path::new(folder).starts_with(named));
    !discovered.folders.is_empty() && discovered.folders.iter().all(given)
}

/// The folder of a service's migrations: trueup.toml outranks the YAML.
fn hint(service: &DeclaredService, settings: &Settings) -> ServiceHint {
    let own = settings.services.get(&service.name.value).and_then(|own| own.migrations.first());
    let named = own.or(service.migrations.as_ref());
    ServiceHint { name: service.name.value.clone(), migrations: named.map(|folder| folder.value.clone()) }
}

fn read_service(
    root: &Path,
    settings: &Settings,
    declared: Option<&DeclaredService>,
    discovered: &DiscoveredService,
    errors: &mut Vec<InputError>,
) -> ServiceInput {
    let name = discovered.name.clone();
    let mut findings = Vec::new();
    let yaml = spring_yaml(root, discovered, &name, &mut findings);
    // A run must not depend on the environment of whoever started it: two people would see two results.
    let (mut flyway, problems) = discover::settings(root, discovered, &yaml, &|_| None);
    findings.extend(problems.iter().map(|problem| problem.finding(&name)));
    add_folders(root, settings, &name, &mut flyway);
    let mut migrations = load(root, &name, &flyway);
    findings.append(&mut migrations.findings);
    let before = before(root, settings, &name, errors);
    findings.retain(|finding| !has_stand_in(finding, &before));
    let mut files = discovered.settings_files.clone();
    files.extend(scripts(&migrations).map(ToString::to_string));
    files.extend(before.iter().map(|(path, _)| path.clone()));
    ServiceInput {
        name,
        declared: declared.cloned(),
        folders: discovered.folders.clone(),
        flyway,
        migrations,
        before,
        files,
        findings,
        hashed: OnceLock::new(),
    }
}

/// Whether SQL of the same name (`V2__Fill.sql` for `V2__Fill.java`) does what a migration that is not SQL would do.
fn has_stand_in(finding: &Finding, before: &[(String, String)]) -> bool {
    let stem = |path: &str| Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let missing = finding.migration_at.as_ref().filter(|_| finding.rule == Rule::JavaMigration);
    missing.is_some_and(|at| before.iter().any(|(path, _)| stem(path) == stem(&at.file)))
}

/// The paths of every script of a set.
fn scripts(set: &MigrationSet) -> impl Iterator<Item = &std::sync::Arc<str>> {
    let callbacks = set.callbacks.values().flatten();
    set.in_order().chain(&set.baselines).chain(callbacks).map(|migration| &migration.path)
}

/// Folders of trueup.toml beyond the first, which discovery was given already.
fn add_folders(root: &Path, settings: &Settings, name: &str, flyway: &mut FlywaySettings) {
    let Some(own) = settings.services.get(name) else { return };
    for folder in own.migrations.iter().skip(1) {
        let mut locations = flyway.locations.value.clone();
        locations.push(LocationSpec::found(&root.join(&folder.value).to_string_lossy()));
        flyway.locations = Setting::set(locations, folder.at.clone());
    }
}

/// `spring.flyway.*` of the service's `application.yml`, main file only; profiles are for environments.
fn spring_yaml(
    root: &Path,
    discovered: &DiscoveredService,
    name: &str,
    findings: &mut Vec<Finding>,
) -> Vec<(String, Located<String>)> {
    let is_main = |file: &&String| matches!(file.rsplit('/').next(), Some("application.yml" | "application.yaml"));
    let mut entries = Vec::new();
    for file in discovered.settings_files.iter().filter(is_main) {
        let flattened = std::fs::read(root.join(file)).map_err(|error| error.to_string()).and_then(|bytes| {
            properties::flatten(file, &bytes)
                .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
        });
        match flattened {
            Ok(documents) => {
                let active = documents.into_iter().filter(is_unconditional);
                entries.extend(active.flat_map(|document| document.values));
            }
            Err(message) => findings.push(
                trueup_migrations::problem::Problem::blocking(
                    Location::whole(file.as_str()),
                    format!("the settings cannot be read: {message}"),
                    "correct the file; until then nobody knows where the migrations lie",
                )
                .finding(name),
            ),
        }
    }
    entries
}

/// Whether a document of `application.yml` holds for every profile.
fn is_unconditional(document: &properties::FlatDocument) -> bool {
    !document.values.keys().any(|key| key.starts_with("spring.config.activate.") || key.starts_with("spring.profiles"))
}

/// SQL that must run before a service's migrations: for all services, then for this one.
fn before(root: &Path, settings: &Settings, name: &str, errors: &mut Vec<InputError>) -> Vec<(String, String)> {
    let own = settings.services.get(name).map(|own| own.before.as_slice()).unwrap_or_default();
    let mut read = Vec::new();
    for path in settings.before.iter().chain(own) {
        match std::fs::read_to_string(root.join(&path.value)) {
            Ok(text) => read.push((path.value.clone(), text)),
            Err(error) => errors.push(InputError::at(
                path.at.clone(),
                format!("`{}` cannot be read: {error}", path.value),
                "correct the path; it is relative to trueup.toml",
            )),
        }
    }
    read
}
