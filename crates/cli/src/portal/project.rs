//! What the pages are made from, read from disk: the intent, and what is known beyond it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use trueup_intent::{Reading, Source};
use trueup_model::location::{Located, Location};
use trueup_portal::domains::{self, Domains};
use trueup_portal::input::{CheckReport, Input, Known};
use trueup_portal::source::SourceLinks;

use super::environments::{self, Environments};
use super::outdated::Present;
use super::plantuml::{self, Program};
use super::report::{self, Read};
use super::repository::Repository;
use crate::args::{ErdArgs, TruthArgs};
use crate::check::inputs::{self, Inputs};
use crate::check::{CheckError, Place, find_settings, output};
use crate::report::text::{SENTENCE, clean, count, place as shown_place};
use crate::report::{InputError, Report};
use crate::settings::{PortalSettings, Settings};
use crate::suggest::nearest;

/// The file beside the first file of the intent that puts services into domains.
const DOMAINS: &str = "domains.yaml";

/// A project, and everything that its pages are made from. Pages can be made when there are no errors.
#[derive(Default)]
pub(super) struct Project {
    root: PathBuf,
    files: Vec<String>,
    pub(super) reading: Reading,
    pub(super) domains: Domains,
    pub(super) truth: Truth,
    settings: PortalSettings,
    pub(super) errors: Vec<InputError>,
}

/// What is known beyond the intent.
#[derive(Default)]
pub(super) struct Truth {
    report: Option<CheckReport>,
    environments: Environments,
    main: Option<String>,
    source: Option<SourceLinks>,
    pub(super) notes: Vec<String>,
}

impl Project {
    /// Reads everything; what the authors of the files did wrong is in the errors.
    pub(super) fn read(arguments: &TruthArgs, place: &Place) -> Result<Self, CheckError> {
        let (root, settings, broken) = find_settings(&place.folder);
        let mut project = Self::gather(root, &settings, broken);
        if project.errors.is_empty() {
            let report = arguments.report.as_ref().map(|file| report::read(&place.folder.join(file))).transpose()?;
            project.learn(report, arguments, &settings, place);
        }
        project.settings = settings.portal;
        Ok(project)
    }

    /// The folder that all paths are relative to.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The intent and its domains.
    fn gather(root: PathBuf, settings: &Settings, broken: Vec<InputError>) -> Self {
        let mut errors = broken;
        let (files, sources) = inputs::intent_sources(&root, settings, &mut errors);
        let reading = trueup_intent::read(&sources);
        errors.extend(reading.errors.iter().map(|error| InputError::at(error.at.clone(), &error.message, &error.help)));
        let mut domains = read_domains(&root, &files, &mut errors);
        note_strangers(&mut domains, &reading);
        Self { root, files, reading, domains, errors, ..Self::default() }
    }

    /// Joins the report with what git and the records of the environments say of its migrations.
    fn learn(&mut self, report: Option<Read>, arguments: &TruthArgs, all: &Settings, place: &Place) {
        let settings = &all.portal;
        let text = |flag: &Option<String>, file: &Option<Located<String>>| {
            flag.clone().or_else(|| file.as_ref().map(|text| text.value.clone()))
        };
        let root = self.root.clone();
        let mut repository = Repository::open(&root, text(&arguments.main, &settings.main).as_deref());
        let address = text(&arguments.source_url, &settings.source);
        let reference = text(&arguments.source_ref, &settings.source_ref);
        let source = repository.source(address.as_deref(), reference.as_deref(), &mut self.errors);
        let mut truth = Truth { source, ..Truth::default() };
        if let Some(mut read) = report {
            truth.environments = self.environments(&read.report, arguments, settings, place);
            truth.environments.join(&mut read.report);
            repository.join(&mut read.report);
            truth.notes = Present::read(&root, all, &self.reading).judge(&mut read);
            truth.report = Some(read.report);
        } else if !arguments.environment.is_empty() {
            self.errors.push(InputError {
                location: None,
                message: "--environment says where migrations are live, and which there are is not known".to_owned(),
                help: "give --report too: what `trueup check --format json` printed".to_owned(),
            });
        }
        truth.notes.append(&mut truth.environments.notes);
        truth.notes.append(&mut repository.notes);
        truth.main = repository.main.map(|main| main.name);
        self.truth = truth;
    }

    /// The environments of the command line, else those of trueup.toml.
    fn environments(
        &mut self,
        report: &CheckReport,
        arguments: &TruthArgs,
        settings: &PortalSettings,
        place: &Place,
    ) -> Environments {
        let (asked, base) = asked_environments(arguments, settings, &self.root, place);
        let services = &self.reading.declared.services;
        let names: BTreeSet<&str> = services.iter().map(|service| service.name.value.as_str()).collect();
        let has_migrations = |name: &&str| {
            let verdict = report.services.get(*name);
            verdict.and_then(|verdict| verdict.provenance.as_ref()).is_some_and(|known| !known.migrations.is_empty())
        };
        let with_migrations: BTreeSet<&str> = names.iter().copied().filter(has_migrations).collect();
        Environments::read(&asked, base, &names, &with_migrations, &mut self.errors)
    }

    /// What the pages are made from.
    pub(super) fn input(&self) -> Input<'_> {
        Input {
            declared: &self.reading.declared,
            files: &self.files,
            written: &self.reading.written,
            reading: &self.reading.findings,
            domains: &self.domains,
            report: self.truth.report.as_ref(),
            drawings: None,
            known: Known {
                environments: &self.truth.environments.environments,
                main: self.truth.main.as_deref(),
                source: self.truth.source.as_ref(),
                notes: &self.truth.notes,
                title: self.settings.title.as_ref().map(|title| title.value.as_str()),
            },
        }
    }

    /// The PlantUML that draws the diagrams, when one does.
    pub(super) fn plantuml(&self, arguments: &ErdArgs, place: &Place) -> Result<Option<Program>, CheckError> {
        plantuml::wanted(arguments, &self.settings, &self.root, place)
    }

    /// `4 services with 8 tables`.
    pub(super) fn size(&self) -> String {
        let services = &self.reading.declared.services;
        let tables = services.iter().map(|service| service.tables.len()).sum();
        format!("{} with {}", count(services.len(), "service"), count(tables, "table"))
    }

    /// What was set aside, and that nothing is verified when that is so; a line each.
    pub(super) fn notes(&self) -> String {
        let mut text = String::new();
        if self.reading.declared.services.is_empty() {
            let files = self.files.iter().map(|file| clean(file, SENTENCE)).collect::<Vec<_>>().join(", ");
            let _ = writeln!(
                text,
                "  no service is declared: expected the name of each as a key at the left margin of {files}"
            );
        }
        for note in &self.domains.notes {
            let _ = writeln!(text, "  {}: {}", shown_place(&note.at, SENTENCE), clean(&note.message, SENTENCE));
        }
        for note in &self.truth.notes {
            let _ = writeln!(text, "  {}", clean(note, SENTENCE));
        }
        if self.truth.report.is_none() && !self.reading.findings.is_empty() {
            let found = count(self.reading.findings.len(), "finding");
            let _ = writeln!(text, "  {found} in the YAML alone: see the page of findings, or run `trueup check`");
        }
        if self.truth.report.is_none() {
            text.push_str("  not verified: give --report to show what a check found\n");
        }
        text
    }

    /// Prints the errors as `check` does; `lack` is what there is not because of them.
    pub(super) fn tell_errors(self, lack: &str, place: &Place) -> Result<(), CheckError> {
        let report = Report { errors: self.errors, ..Report::default() };
        let inputs = Inputs {
            root: self.root,
            reading: self.reading,
            intent_files: self.files,
            services: Vec::new(),
            errors: Vec::new(),
        };
        let headline = format!("{}: {lack}", count(report.errors.len(), "input error"));
        output::print(&output::errors(&report, &inputs, headline, place))
    }
}

/// The environments that somebody asked for, and the folder that their paths are relative to.
pub(super) fn asked_environments<'a>(
    arguments: &TruthArgs,
    settings: &PortalSettings,
    root: &'a Path,
    place: &'a Place,
) -> (Vec<Located<String>>, &'a Path) {
    let flags = arguments.environment.iter();
    let flags: Vec<_> = flags.map(|text| Located::new(text.clone(), Location::whole(environments::FLAG))).collect();
    if flags.is_empty() { (settings.environments.clone(), root) } else { (flags, place.folder.as_path()) }
}

/// Where the domains of an intent stand, relative to the root; none without an intent.
pub(super) fn domains_file(files: &[String]) -> Option<String> {
    let first = files.first()?;
    let beside = first.rsplit_once('/').map(|(folder, _)| format!("{folder}/{DOMAINS}"));
    Some(beside.unwrap_or_else(|| DOMAINS.to_owned()))
}

/// Services of domains that are none of the intent: a misspelt name leaves its service without a domain.
fn note_strangers(domains: &mut Domains, reading: &Reading) {
    let known: BTreeSet<&str> = reading.declared.services.iter().map(|service| service.name.value.as_str()).collect();
    let named: Vec<_> = domains.domains.iter().flat_map(|domain| &domain.services).cloned().collect();
    for service in named.into_iter().filter(|service| !known.contains(service.value.as_str())) {
        let meant = nearest(&service.value, known.iter().copied());
        let meant = meant.map_or_else(String::new, |meant| format!("; did you mean `{meant}`?"));
        domains.note(service.at, format!("`{}` is no service of the intent, and is not shown{meant}", service.value));
    }
}

/// `domains.yaml` beside the first file of the intent; none is no domains.
fn read_domains(root: &Path, files: &[String], errors: &mut Vec<InputError>) -> Domains {
    let Some(path) = domains_file(files) else { return Domains::default() };
    let bytes = match std::fs::read(root.join(&path)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Domains::default(),
        Err(error) => {
            let at = Location::whole(path.as_str());
            errors.push(InputError::at(at, format!("cannot be read: {error}"), "make it readable, or remove it"));
            return Domains::default();
        }
    };
    domains::read(&Source { path, bytes }).unwrap_or_else(|wrong| {
        errors.extend(wrong.into_iter().map(|error| InputError::at(error.at, error.message, error.help)));
        Domains::default()
    })
}
