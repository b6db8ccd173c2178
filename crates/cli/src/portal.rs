//! `trueup portal`: reads the intent as `check` does, makes the pages, and writes or compares them.

mod folder;
mod report;

use std::fmt::Write as _;
use std::path::Path;

use trueup_intent::{Reading, Source};
use trueup_portal::domains::{self, Domains};
use trueup_portal::input::{CheckReport, Input};
use trueup_portal::written::Written;
use trueup_portal::{Site, build};

use crate::args::{CheckArgs, PortalArgs, PortalCommand};
use crate::check::inputs::{self, Inputs};
use crate::check::{CheckError, Place, find_settings, output};
use crate::report::text::{SENTENCE, clean, count, place as shown_place};
use crate::report::{InputError, Report};
use folder::{Folder, Outcome};

/// The file beside the first file of the intent that puts services into domains.
const DOMAINS: &str = "domains.yaml";

/// Exit codes.
const CURRENT: u8 = 0;
const STALE: u8 = 1;
const FAILED: u8 = 2;

/// What the pages are made from, read from disk.
#[derive(Default)]
struct Materials {
    files: Vec<String>,
    reading: Reading,
    written: Written,
    domains: Domains,
    errors: Vec<InputError>,
}

/// Runs `trueup portal build` or `trueup portal check`.
pub fn run(command: &PortalCommand, place: &Place) -> Result<u8, CheckError> {
    let (PortalCommand::Build(arguments) | PortalCommand::Check(arguments)) = command;
    let (root, settings, broken) = find_settings(&place.folder);
    let materials = gather(&root, &settings, broken);
    if !materials.errors.is_empty() {
        return refuse(materials, &root, place);
    }
    let report = arguments.report.as_ref().map(|file| report::read(&place.folder.join(file))).transpose()?;
    let site = site(&materials, report.as_ref());
    let out = place.folder.join(&arguments.out);
    let folder = Folder::open(&out).map_err(CheckError::from)?;
    match command {
        PortalCommand::Build(_) => {
            let outcome = folder.write(&site).map_err(CheckError::from)?;
            output::print(&built(&materials, arguments, &site, &outcome))?;
            Ok(CURRENT)
        }
        PortalCommand::Check(_) => {
            let stale = folder.stale(&site).map_err(CheckError::from)?;
            output::print(&compared(arguments, &stale))?;
            Ok(if stale.is_empty() { CURRENT } else { STALE })
        }
    }
}

fn gather(root: &Path, settings: &crate::settings::Settings, broken: Vec<InputError>) -> Materials {
    let mut errors = broken;
    let (files, sources) = inputs::intent_sources(root, settings, &mut errors);
    let reading = trueup_intent::read(&sources);
    errors.extend(reading.errors.iter().map(|error| InputError::at(error.at.clone(), &error.message, &error.help)));
    let domains = read_domains(root, &files, &mut errors);
    if !errors.is_empty() {
        return Materials { files, reading, errors, ..Materials::default() };
    }
    Materials { files, reading, written: Written::of(&sources), domains, errors }
}

/// `domains.yaml` beside the first file of the intent; none is no domains.
fn read_domains(root: &Path, files: &[String], errors: &mut Vec<InputError>) -> Domains {
    let Some(first) = files.first() else { return Domains::default() };
    let path = first.rsplit_once('/').map_or_else(|| DOMAINS.to_owned(), |(folder, _)| format!("{folder}/{DOMAINS}"));
    let bytes = match std::fs::read(root.join(&path)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Domains::default(),
        Err(error) => {
            let at = trueup_model::location::Location::whole(path.as_str());
            errors.push(InputError::at(at, format!("cannot be read: {error}"), "make it readable, or remove it"));
            return Domains::default();
        }
    };
    domains::read(&Source { path, bytes }).unwrap_or_else(|wrong| {
        errors.extend(wrong.into_iter().map(|error| InputError::at(error.at, error.message, error.help)));
        Domains::default()
    })
}

/// What `check` would print about the same errors. Nothing is written.
fn refuse(materials: Materials, root: &Path, place: &Place) -> Result<u8, CheckError> {
    let report = Report { errors: materials.errors, ..Report::default() };
    let inputs = Inputs {
        root: root.to_owned(),
        reading: materials.reading,
        intent_files: materials.files,
        services: Vec::new(),
        errors: Vec::new(),
    };
    output::write(&report, &inputs, &CheckArgs::default(), place)?;
    Ok(FAILED)
}

fn site(materials: &Materials, report: Option<&CheckReport>) -> Site {
    build(&Input {
        declared: &materials.reading.declared,
        files: &materials.files,
        written: &materials.written,
        reading: &materials.reading.findings,
        domains: &materials.domains,
        report,
    })
}

fn built(materials: &Materials, arguments: &PortalArgs, site: &Site, outcome: &Outcome) -> String {
    let services = &materials.reading.declared.services;
    let tables = services.iter().map(|service| service.tables.len()).sum();
    let mut text = format!(
        "{} with {} in {}: {} ({} written, {} removed)\n",
        count(services.len(), "service"),
        count(tables, "table"),
        clean(&arguments.out.display().to_string(), SENTENCE),
        count(site.files.len(), "file"),
        outcome.written,
        outcome.removed,
    );
    for path in &outcome.kept {
        let _ = writeln!(text, "  left in place, since somebody changed it: {}", clean(path, SENTENCE));
    }
    for note in &materials.domains.notes {
        let _ = writeln!(text, "  {}: {}", shown_place(&note.at, SENTENCE), clean(&note.message, SENTENCE));
    }
    if arguments.report.is_none() {
        text.push_str("  not verified: give --report to show what a check found\n");
    }
    text
}

fn compared(arguments: &PortalArgs, stale: &[(&'static str, String)]) -> String {
    let out = clean(&arguments.out.display().to_string(), SENTENCE);
    if stale.is_empty() {
        return format!("the pages in {out} are current\n");
    }
    let mut text = format!("the pages in {out} are stale; run `trueup portal build`\n");
    for (what, path) in stale {
        let _ = writeln!(text, "  {what:<9} {}", clean(path, SENTENCE));
    }
    text
}
