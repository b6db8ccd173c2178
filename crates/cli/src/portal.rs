//! `trueup portal`: reads the intent as `check` does, makes the pages, and writes or compares them.

mod environments;
mod folder;
mod own_pages;
mod project;
mod report;
mod repository;
mod serve;

pub use serve::serve;

use std::fmt::Write as _;
use std::path::Path;

use trueup_portal::input::Input;
use trueup_portal::markdown::{self, Flavour, Sections};
use trueup_portal::{Site, build};

use crate::args::{PortalArgs, PortalFormat};
use crate::check::{CheckError, Place, output};
use crate::report::InputError;
use crate::report::text::{SENTENCE, clean, count};
use folder::{Folder, Outcome};
use own_pages::{OwnPage, Pictures};
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
        return refuse(project, place);
    }
    let out = place.folder.join(&arguments.out);
    let made = match made(&project, arguments, &out, place) {
        Ok(made) => made,
        Err(errors) => {
            project.errors = errors;
            return refuse(project, place);
        }
    };
    let folder = Folder::open(&out).map_err(CheckError::from)?;
    match task {
        Task::Build => {
            let outcome = folder.write(&made.site).map_err(CheckError::from)?;
            let changed = own_pages::write(&made.pages)?;
            output::print(&built(&project, arguments, &made, &outcome, changed))?;
            Ok(CURRENT)
        }
        Task::Check => {
            let mut stale = folder.stale(&made.site).map_err(CheckError::from)?;
            let pages = made.pages.iter().filter(|page| !page.is_current());
            stale.extend(pages.map(|page| ("differs", page.name.clone())));
            output::print(&compared(arguments, &stale))?;
            Ok(if stale.is_empty() { CURRENT } else { STALE })
        }
    }
}

/// What a build would write.
struct Made {
    /// The files of the folder.
    site: Site,
    /// Pages of somebody else, with their sections.
    pages: Vec<OwnPage>,
}

/// Makes everything, in memory.
fn made(project: &Project, arguments: &PortalArgs, out: &Path, place: &Place) -> Result<Made, Vec<InputError>> {
    let input = project.input();
    let whole = |site: Site| Ok(Made { site, pages: Vec::new() });
    match arguments.format {
        PortalFormat::Html => whole(build(&input)),
        PortalFormat::Mkdocs => whole(markdown::build(&input, Flavour::Mkdocs)),
        PortalFormat::Techdocs => whole(markdown::build(&input, Flavour::TechDocs)),
        PortalFormat::Sections => sections(&input, arguments, out, place),
    }
}

fn sections(input: &Input<'_>, arguments: &PortalArgs, out: &Path, place: &Place) -> Result<Made, Vec<InputError>> {
    let sections = Sections::of(input);
    let pictures = arguments.pictures.as_deref();
    if arguments.page.is_empty() {
        return Ok(Made { site: sections.files(pictures.unwrap_or_default()), pages: Vec::new() });
    }
    let mut errors = Vec::new();
    let pictures = Pictures { said: pictures, folder: out };
    let pages = own_pages::read(&arguments.page, &place.folder, pictures, &sections, &mut errors);
    if errors.is_empty() { Ok(Made { site: sections.pictures(), pages }) } else { Err(errors) }
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
fn refuse(project: Project, place: &Place) -> Result<u8, CheckError> {
    project.tell_errors(place)?;
    Ok(FAILED)
}

fn built(project: &Project, arguments: &PortalArgs, made: &Made, outcome: &Outcome, changed: usize) -> String {
    let mut text = format!(
        "{} in {}: {} ({} written, {} removed)\n",
        project.size(),
        clean(&arguments.out.display().to_string(), SENTENCE),
        count(made.site.files.len(), "file"),
        outcome.written,
        outcome.removed,
    );
    if !made.pages.is_empty() {
        let _ = writeln!(text, "  {} of your own ({changed} changed)", count(made.pages.len(), "page"));
    }
    for path in &outcome.kept {
        let _ = writeln!(text, "  left in place, since somebody changed it: {}", clean(path, SENTENCE));
    }
    text.push_str(&project.notes());
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
