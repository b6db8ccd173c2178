//! `trueup portal`: reads the intent as `check` does, makes the pages, and writes or compares them.

mod diff;
mod environments;
mod folder;
mod outdated;
mod own_pages;
mod plantuml;
mod project;
mod report;
mod repository;
mod serve;

pub use diff::diff;
pub use serve::serve;

use std::fmt::Write as _;
use std::path::Path;

use clap::ValueEnum as _;
use trueup_portal::input::Input;
use trueup_portal::markdown::{self, Flavour, Sections};
use trueup_portal::{Sink, Stopped, build_into};

use crate::args::{ErdArgs, PortalArgs, PortalFormat, TruthArgs, USUAL_OUT};
use crate::check::{CheckError, Place, output};
use crate::report::InputError;
use crate::report::text::{SENTENCE, clean, count};
use folder::{Folder, Outcome};
use own_pages::{OwnPage, Pictures};
use plantuml::{Album, Drawn, Program, Which};
use project::Project;

/// Exit codes.
const CURRENT: u8 = 0;
const STALE: u8 = 1;
const FAILED: u8 = 2;

/// What is done with the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// They are written.
    Build,
    /// They are compared with those on disk.
    Check,
}

/// Runs `trueup portal build` or `trueup portal check`.
pub fn run(task: Task, arguments: &PortalArgs, place: &Place) -> Result<u8, CheckError> {
    refuse_options(arguments)?;
    let mut project = Project::read(&arguments.truth, place)?;
    if !project.errors.is_empty() {
        return refuse(project, task, place);
    }
    let program = project.plantuml(&arguments.erd, place)?;
    let out = place.folder.join(&arguments.out);
    let folder = Folder::open(&out).map_err(CheckError::from)?;
    let drawings = match program.map(|program| draw(&program, &project, arguments)).transpose()? {
        None => None,
        Some(Ok(drawings)) => Some(drawings),
        Some(Err(errors)) => {
            project.errors = errors;
            return refuse(project, task, place);
        }
    };
    let input = Input { drawings: drawings.as_ref(), ..project.input() };
    let pages = match pages(&input, arguments, &out, place) {
        Ok(pages) => pages,
        Err(errors) => {
            project.errors = errors;
            return refuse(project, task, place);
        }
    };
    let make = |sink: &dyn Sink| make(&input, arguments, sink);
    match task {
        Task::Build => {
            let outcome = folder.write(make).map_err(CheckError::from)?;
            let own = (pages.len(), own_pages::write(&pages)?);
            output::print(&built(&project, arguments, &outcome, own))?;
            Ok(CURRENT)
        }
        Task::Check => {
            let mut stale = folder.stale(make).map_err(CheckError::from)?;
            stale.extend(pages.iter().filter(|page| !page.is_current()).map(|page| ("differs", page.name.clone())));
            output::print(&compared(arguments, &stale))?;
            Ok(if stale.is_empty() { CURRENT } else { STALE })
        }
    }
}

/// The diagrams that the output has, by PlantUML.
fn draw(program: &Program, project: &Project, arguments: &PortalArgs) -> Result<Drawn, CheckError> {
    let which = if arguments.format == PortalFormat::Html { Which::All } else { Which::Services };
    Album::default().draw(program, &project.input(), which)
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

/// Nothing is written.
fn refuse(project: Project, task: Task, place: &Place) -> Result<u8, CheckError> {
    let lack = match task {
        Task::Build => "no page was written",
        Task::Check => "no page was compared",
    };
    project.tell_errors(lack, place)?;
    Ok(FAILED)
}

fn built(project: &Project, arguments: &PortalArgs, outcome: &Outcome, (pages, changed): (usize, usize)) -> String {
    let mut text = format!(
        "{} in {}: {} ({} written, {} removed)\n",
        project.size(),
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
    text.push_str(&project.notes());
    text
}

/// The command that brings the pages up to date. What may hold a password, such as an address, is not repeated.
fn rebuild(arguments: &PortalArgs) -> String {
    let mut command = "`trueup portal build".to_owned();
    let mut add = |option: &str, value: &str| command.push_str(&format!(" {option} {}", clean(value, SENTENCE)));
    if arguments.out != Path::new(USUAL_OUT) {
        add("--out", &arguments.out.display().to_string());
    }
    if let Some(format) = arguments.format.to_possible_value().filter(|_| arguments.format != PortalFormat::default()) {
        add("--format", format.get_name());
    }
    arguments.page.iter().for_each(|page| add("--page", &page.display().to_string()));
    command.push('`');
    let has_more =
        arguments.truth != TruthArgs::default() || arguments.pictures.is_some() || arguments.erd != ErdArgs::default();
    if has_more { command + " with the other options that were given here" } else { command }
}

fn compared(arguments: &PortalArgs, stale: &[(&'static str, String)]) -> String {
    let out = clean(&arguments.out.display().to_string(), SENTENCE);
    if stale.is_empty() {
        return format!("the pages in {out} are current\n");
    }
    let mut text = format!("the pages in {out} are stale; run {}\n", rebuild(arguments));
    for (what, path) in stale {
        let _ = writeln!(text, "  {what:<9} {}", clean(path, SENTENCE));
    }
    text
}
