//! Environments: which records there are, what they say, and where each migration is live because of it.
//!
//! A record is what `trueup info --format json` printed for the database of one service.

mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use trueup_model::location::{Located, Location};
use trueup_portal::input::CheckReport;
use trueup_portal::truth::{Environment, Live};

use crate::report::InputError;
use record::Record;

/// The environments, and the records of the services in each.
#[derive(Default)]
pub(super) struct Environments {
    /// In the order in which changes move.
    pub(super) environments: Vec<Environment>,
    /// By environment, then by service.
    records: Vec<BTreeMap<String, Record>>,
    /// What was set aside, and why.
    pub(super) notes: Vec<String>,
}

/// One `NAME=FILE_OR_DIR`.
struct Asked {
    name: String,
    path: PathBuf,
    /// As its author wrote it.
    shown: String,
    at: Option<Location>,
}

impl Environments {
    /// Reads every record; what is wrong with any of them is added to `errors`.
    pub(super) fn read(
        asked: &[Located<String>],
        base: &Path,
        services: &BTreeSet<&str>,
        with_migrations: &BTreeSet<&str>,
        errors: &mut Vec<InputError>,
    ) -> Self {
        let mut all = Self::default();
        let asked: Vec<Asked> = asked.iter().filter_map(|text| split(text, base, errors)).collect();
        for asked in &asked {
            let position = all.position(&asked.name);
            for (file, service) in files(asked, services, with_migrations, &mut all.notes, errors) {
                let shown = file.display().to_string();
                match record::read(&file) {
                    Ok(_) if all.records[position].contains_key(&service) => {
                        let message = format!("{shown}: `{}` has a record of `{service}` already", asked.name);
                        errors.push(error(asked, message, "give one record for each service and environment"));
                    }
                    Ok(record) => {
                        all.environments[position].as_of.insert(service.clone(), record.timestamp.clone());
                        all.records[position].insert(service, record);
                    }
                    Err(why) => errors.push(error(
                        asked,
                        format!("{shown} is no record of an environment: {why}"),
                        "give what `trueup info --format json` printed",
                    )),
                }
            }
        }
        all
    }

    /// The environment of this name, which is new when nobody named it before.
    fn position(&mut self, name: &str) -> usize {
        self.environments.iter().position(|known| known.name == name).unwrap_or_else(|| {
            self.environments.push(Environment { name: name.to_owned(), as_of: BTreeMap::new() });
            self.records.push(BTreeMap::new());
            self.environments.len() - 1
        })
    }

    /// Notes for every migration of the report where it is live.
    pub(super) fn join(&self, report: &mut CheckReport) {
        for (service, verdict) in &mut report.services {
            for migration in verdict.provenance.iter_mut().flat_map(|known| &mut known.migrations) {
                let live = |records: &BTreeMap<String, Record>| {
                    records.get(service).map_or(Live::NotRecorded, |record| record.live(migration))
                };
                migration.live = self.records.iter().map(live).collect();
            }
        }
    }
}

fn error(asked: &Asked, message: String, help: &str) -> InputError {
    InputError { location: asked.at.clone(), message, help: help.to_owned() }
}

fn split(text: &Located<String>, base: &Path, errors: &mut Vec<InputError>) -> Option<Asked> {
    let at = (text.at.file.as_ref() != FLAG).then(|| text.at.clone());
    let parts = text.value.split_once('=').map(|(name, path)| (name.trim(), path.trim()));
    match parts.filter(|(name, path)| !name.is_empty() && !path.is_empty()) {
        Some((name, path)) => Some(Asked { name: name.to_owned(), path: base.join(path), shown: path.to_owned(), at }),
        None => {
            let message = format!("`{}` names no environment; expected NAME=FILE_OR_DIR", text.value);
            errors.push(InputError { location: at, message, help: "for example prod=records/prod".to_owned() });
            None
        }
    }
}

/// What stands as the file of a place on the command line.
pub(super) const FLAG: &str = "--environment";

/// The files of an environment, each with its service.
fn files(
    asked: &Asked,
    services: &BTreeSet<&str>,
    with_migrations: &BTreeSet<&str>,
    notes: &mut Vec<String>,
    errors: &mut Vec<InputError>,
) -> Vec<(PathBuf, String)> {
    if asked.path.is_dir() {
        return folder(asked, services, notes, errors);
    }
    let stem = asked.path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let only = (with_migrations.len() == 1).then(|| with_migrations.first().copied()).flatten();
    let service = if services.contains(stem.as_str()) { Some(stem.as_str()) } else { only };
    if let Some(service) = service {
        return vec![(asked.path.clone(), service.to_owned())];
    }
    let message = format!("{}: which service of `{}` this is a record of is unknown", asked.shown, asked.name);
    errors.push(error(asked, message, "name the file SERVICE.json, or give the folder of such files"));
    Vec::new()
}

fn folder(
    asked: &Asked,
    services: &BTreeSet<&str>,
    notes: &mut Vec<String>,
    errors: &mut Vec<InputError>,
) -> Vec<(PathBuf, String)> {
    let listed = std::fs::read_dir(&asked.path).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let mut paths: Vec<PathBuf> = match listed {
        Ok(entries) => entries.into_iter().map(|entry| entry.path()).collect(),
        Err(why) => {
            errors.push(error(asked, format!("{} cannot be read: {why}", asked.shown), "make it readable"));
            return Vec::new();
        }
    };
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if services.contains(stem.as_str()) {
            files.push((path, stem));
        } else {
            notes.push(format!(
                "the record `{stem}.json` of `{}` is of no service of the intent, and is not used",
                asked.name
            ));
        }
    }
    if files.is_empty() {
        let message = format!("{} holds no record of a service of the intent", asked.shown);
        errors.push(error(asked, message, "name the files SERVICE.json, like the services in the YAML"));
    }
    files
}
