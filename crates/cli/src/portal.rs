//! `trueup portal`: reads the intent as `check` does, makes the pages, and writes or compares them.

mod environments;
mod folder;
mod own_pages;
mod report;
mod repository;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use trueup_intent::{Reading, Source};
use trueup_model::location::{Located, Location};
use trueup_portal::domains::{self, Domains};
use trueup_portal::input::{CheckReport, Input, Known};
use trueup_portal::markdown::{self, Flavour, Sections};
use trueup_portal::source::SourceLinks;
use trueup_portal::written::Written;
use trueup_portal::{Sink, Stopped, build_into};

use crate::args::{CheckArgs, PortalArgs, PortalCommand, PortalFormat};
use crate::check::inputs::{self, Inputs};
use crate::check::{CheckError, Place, find_settings, output};
use crate::report::text::{SENTENCE, clean, count, place as shown_place};
use crate::report::{InputError, Report};
use crate::settings::{PortalSettings, Settings};
use environments::Environments;
use folder::{Folder, Outcome};
use own_pages::{OwnPage, Pictures};
use repository::Repository;

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
    refuse_options(arguments)?;
    let (root, settings, broken) = find_settings(&place.folder);
    let mut materials = gather(&root, &settings, broken);
    if !materials.errors.is_empty() {
        return refuse(materials, &root, place);
    }
    let report = arguments.report.as_ref().map(|file| report::read(&place.folder.join(file))).transpose()?;
    let truth = truth(&mut materials, report, arguments, &settings.portal, &root, place);
    if !materials.errors.is_empty() {
        return refuse(materials, &root, place);
    }
    let out = place.folder.join(&arguments.out);
    let input = input(&materials, &truth);
    let pages = match pages(&input, arguments, &out, place) {
        Ok(pages) => pages,
        Err(errors) => {
            materials.errors = errors;
            return refuse(materials, &root, place);
        }
    };
    let folder = Folder::open(&out).map_err(CheckError::from)?;
    let make = |sink: &dyn Sink| make(&input, arguments, sink);
    match command {
        PortalCommand::Build(_) => {
            let outcome = folder.write(make).map_err(CheckError::from)?;
            let own = (pages.len(), own_pages::write(&pages)?);
            output::print(&built(&materials, &truth, arguments, &outcome, own))?;
            Ok(CURRENT)
        }
        PortalCommand::Check(_) => {
            let mut stale = folder.stale(make).map_err(CheckError::from)?;
            stale.extend(pages.iter().filter(|page| !page.is_current()).map(|page| ("differs", page.name.clone())));
            output::print(&compared(arguments, &stale))?;
            Ok(if stale.is_empty() { CURRENT } else { STALE })
        }
    }
}

/// Makes the files of the folder, one after the other: all of them need not fit into memory.
fn make(input: &Input<'_>, arguments: &PortalArgs, sink: &dyn Sink) -> Result<(), Stopped> {
    match arguments.format {
        PortalFormat::Html => build_into(input, sink),
        PortalFormat::Mkdocs => markdown::build_into(input, Flavour::Mkdocs, sink),
        PortalFormat::Techdocs => markdown::build_into(input, Flavour::TechDocs, sink),
        PortalFormat::Sections if arguments.page.is_empty() => {
            Sections::of(input).files(arguments.pictures.as_deref().unwrap_or_default(), sink)
        }
        PortalFormat::Sections => Sections::of(input).pictures(sink),
    }
}

/// Pages of somebody else, with their sections, or what is wrong with them.
fn pages(
    input: &Input<'_>,
    arguments: &PortalArgs,
    out: &Path,
    place: &Place,
) -> Result<Vec<OwnPage>, Vec<InputError>> {
    let pictures = Pictures { said: arguments.pictures.as_deref(), folder: out };
    let mut errors = Vec::new();
    let pages = own_pages::read(&arguments.page, &place.folder, pictures, &Sections::of(input), &mut errors);
    if errors.is_empty() { Ok(pages) } else { Err(errors) }
}

/// Options that mean nothing together.
fn refuse_options(arguments: &PortalArgs) -> Result<(), CheckError> {
    let usage =
        |message: &str, help: &str| Err(CheckError::Usage { message: message.to_owned(), help: help.to_owned() });
    let is_sections = arguments.format == PortalFormat::Sections;
    if !is_sections && (!arguments.page.is_empty() || arguments.pictures.is_some()) {
        return usage("--page and --pictures are for sections", "add --format sections");
    }
    match &arguments.pictures {
        Some(address) if !markdown::is_prefix(address) => usage(
            "--pictures is no address of a folder; expected letters, digits and -._/%, with a slash at the end",
            "write it as ../data-stores/",
        ),
        _ => Ok(()),
    }
}

/// What is known beyond the intent.
#[derive(Default)]
struct Truth {
    report: Option<CheckReport>,
    environments: Environments,
    main: Option<String>,
    source: Option<SourceLinks>,
    notes: Vec<String>,
}

/// Joins the report with what git and the records of the environments say of its migrations.
fn truth(
    materials: &mut Materials,
    report: Option<CheckReport>,
    arguments: &PortalArgs,
    settings: &PortalSettings,
    root: &Path,
    place: &Place,
) -> Truth {
    let text = |flag: &Option<String>, file: &Option<Located<String>>| {
        flag.clone().or_else(|| file.as_ref().map(|text| text.value.clone()))
    };
    let mut repository = Repository::open(root, text(&arguments.main, &settings.main).as_deref());
    let address = text(&arguments.source_url, &settings.source);
    let reference = text(&arguments.source_ref, &settings.source_ref);
    let source = repository.source(address.as_deref(), reference.as_deref(), &mut materials.errors);
    let mut truth = Truth { source, ..Truth::default() };
    if let Some(mut report) = report {
        truth.environments = environments(materials, &report, arguments, settings, root, place);
        truth.environments.join(&mut report);
        repository.join(&mut report);
        truth.report = Some(report);
    } else if !arguments.environment.is_empty() {
        materials.errors.push(InputError {
            location: None,
            message: "--environment says where migrations are live, and which there are is not known".to_owned(),
            help: "give --report too: what `trueup check --format json` printed".to_owned(),
        });
    }
    truth.notes = std::mem::take(&mut truth.environments.notes);
    truth.notes.append(&mut repository.notes);
    truth.main = repository.main.map(|main| main.name);
    truth
}

/// The environments of the command line, else those of trueup.toml.
fn environments(
    materials: &mut Materials,
    report: &CheckReport,
    arguments: &PortalArgs,
    settings: &PortalSettings,
    root: &Path,
    place: &Place,
) -> Environments {
    let flags = arguments.environment.iter();
    let flags: Vec<_> = flags.map(|text| Located::new(text.clone(), Location::whole(environments::FLAG))).collect();
    let (asked, base) =
        if flags.is_empty() { (settings.environments.clone(), root) } else { (flags, place.folder.as_path()) };
    let services = &materials.reading.declared.services;
    let names: BTreeSet<&str> = services.iter().map(|service| service.name.value.as_str()).collect();
    let has_migrations = |name: &&str| {
        let verdict = report.services.get(*name);
        verdict.and_then(|verdict| verdict.provenance.as_ref()).is_some_and(|known| !known.migrations.is_empty())
    };
    let with_migrations: BTreeSet<&str> = names.iter().copied().filter(has_migrations).collect();
    Environments::read(&asked, base, &names, &with_migrations, &mut materials.errors)
}

fn gather(root: &Path, settings: &Settings, broken: Vec<InputError>) -> Materials {
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

fn input<'a>(materials: &'a Materials, truth: &'a Truth) -> Input<'a> {
    Input {
        declared: &materials.reading.declared,
        files: &materials.files,
        written: &materials.written,
        reading: &materials.reading.findings,
        domains: &materials.domains,
        report: truth.report.as_ref(),
        known: Known {
            environments: &truth.environments.environments,
            main: truth.main.as_deref(),
            source: truth.source.as_ref(),
            notes: &truth.notes,
        },
    }
}

fn built(
    materials: &Materials,
    truth: &Truth,
    arguments: &PortalArgs,
    outcome: &Outcome,
    (pages, changed): (usize, usize),
) -> String {
    let services = &materials.reading.declared.services;
    let tables = services.iter().map(|service| service.tables.len()).sum();
    let mut text = format!(
        "{} with {} in {}: {} ({} written, {} removed)\n",
        count(services.len(), "service"),
        count(tables, "table"),
        clean(&arguments.out.display().to_string(), SENTENCE),
        count(outcome.files, "file"),
        outcome.written,
        outcome.removed,
    );
    if pages > 0 {
        let _ = writeln!(text, "  {} of your own ({changed} changed)", count(pages, "page"));
    }
    for path in &outcome.kept {
        let _ = writeln!(text, "  left in place, since somebody changed it: {}", clean(path, SENTENCE));
    }
    for note in &materials.domains.notes {
        let _ = writeln!(text, "  {}: {}", shown_place(&note.at, SENTENCE), clean(&note.message, SENTENCE));
    }
    for note in &truth.notes {
        let _ = writeln!(text, "  {}", clean(note, SENTENCE));
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
