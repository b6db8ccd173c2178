//! `trueup portal diff`: what changes in the intent, as pictures and words.

use std::path::Path;

use trueup_git::{Former, GitError};
use trueup_intent::{Reading, Source};
use trueup_portal::Sink;
use trueup_portal::difference::{Comparison, Difference, Side, build_into};
use trueup_portal::markdown;
use trueup_portal::source::SourceLinks;

use super::folder::{Folder, Outcome};
use super::project::Project;
use super::repository::Repository;
use super::{CURRENT, FAILED};
use crate::args::{DiffArgs, TruthArgs};
use crate::check::inputs::USUAL_INTENT;
use crate::check::{CheckError, Place, files, output};
use crate::report::InputError;
use crate::report::text::{SENTENCE, clean, count};
use crate::settings::{self, Settings};

/// How much of a commit's name people are shown.
const SHORT: usize = 9;

/// Runs it.
pub fn diff(arguments: &DiffArgs, place: &Place) -> Result<u8, CheckError> {
    refuse_address(arguments)?;
    let mut project = Project::read(&TruthArgs::default(), place)?;
    if !project.errors.is_empty() {
        project.tell_errors("nothing was drawn", place)?;
        return Ok(FAILED);
    }
    let root = project.root().to_owned();
    let former = Former::of(&root, &arguments.base).map_err(|error| no_base(&error, &arguments.base))?;
    let name = format!("{} ({})", arguments.base, &former.commit()[..SHORT.min(former.commit().len())]);
    let (before, mut errors) = read_former(&root, &former, &name).map_err(|error| no_base(&error, &arguments.base))?;
    let sources = sources(&root, &former, arguments, &mut errors);
    if !errors.is_empty() {
        project.errors = errors;
        project.tell_errors("nothing was drawn", place)?;
        return Ok(FAILED);
    }
    let comparison = Comparison {
        base: &name,
        before: side(&before, sources.0.as_ref()),
        after: side(&project.reading, sources.1.as_ref()),
    };
    let difference = Difference::of(&comparison);
    let folder = Folder::open(&place.folder.join(&arguments.out)).map_err(CheckError::from)?;
    let make = |sink: &dyn Sink| build_into(&comparison, &difference, arguments.pictures.as_deref(), sink);
    let outcome = folder.write(make).map_err(CheckError::from)?;
    output::print(&told(arguments, &name, &difference, &outcome))?;
    Ok(CURRENT)
}

fn side<'a>(reading: &'a Reading, source: Option<&'a SourceLinks>) -> Side<'a> {
    Side { declared: &reading.declared, written: &reading.written, source }
}

fn refuse_address(arguments: &DiffArgs) -> Result<(), CheckError> {
    match &arguments.pictures {
        Some(address) if !markdown::is_prefix(address) => Err(CheckError::Usage {
            message:
                "--pictures is no address of a folder; expected letters, digits and -._/%, with a slash at the end"
                    .to_owned(),
            help: "write it as https://example.org/pr-7/, or as ./".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn no_base(error: &GitError, base: &str) -> CheckError {
    let help = match error {
        GitError::Shallow { .. } => "what it was like then is unknown until that is done".to_owned(),
        _ => format!(
            "`trueup portal diff` needs a git repository that holds `{}`; a branch of the remote has to be fetched first \
             (git fetch origin main; then: origin/main)",
            clean(base, SENTENCE)
        ),
    };
    CheckError::Usage { message: error.to_string(), help }
}

/// The intent as it was, found by the settings as they were. One that was not there declared nothing.
fn read_former(root: &Path, former: &Former, name: &str) -> Result<(Reading, Vec<InputError>), GitError> {
    let all = former.files(root)?;
    let mut errors = Vec::new();
    let settings = former_settings(root, former, &all, &mut errors)?;
    let mut sources: Vec<Source> = Vec::new();
    for path in intent_files(&all, &settings) {
        sources.push(Source { path: path.to_owned(), bytes: former.read(root, path)? });
    }
    let reading = trueup_intent::read(&sources);
    errors.extend(reading.errors.iter().map(|error| InputError::at(error.at.clone(), &error.message, &error.help)));
    for error in &mut errors {
        error.message = format!("as of {}: {}", clean(name, SENTENCE), error.message);
        "compare with a commit in which it can be read".clone_into(&mut error.help);
    }
    Ok((reading, errors))
}

fn former_settings(
    root: &Path,
    former: &Former,
    all: &[String],
    errors: &mut Vec<InputError>,
) -> Result<Settings, GitError> {
    if !all.iter().any(|file| file == settings::FILE_NAME) {
        return Ok(Settings::default());
    }
    let text = former.read(root, settings::FILE_NAME)?;
    Ok(settings::parse(settings::FILE_NAME, &String::from_utf8_lossy(&text)).unwrap_or_else(|wrong| {
        errors.extend(wrong);
        Settings::default()
    }))
}

fn intent_files<'f>(all: &'f [String], settings: &Settings) -> Vec<&'f str> {
    if settings.intent.is_empty() {
        return files::named(all, USUAL_INTENT);
    }
    let mut found: Vec<&str> = settings.intent.iter().flat_map(|pattern| files::named(all, &pattern.value)).collect();
    found.dedup();
    found
}

/// Where lines can be looked at, then and now: by commit, for a branch moves on.
fn sources(
    root: &Path,
    former: &Former,
    arguments: &DiffArgs,
    errors: &mut Vec<InputError>,
) -> (Option<SourceLinks>, Option<SourceLinks>) {
    let repository = Repository::open(root, None);
    let address = arguments.source_url.as_deref();
    let head = Former::of(root, "HEAD").ok().map(|head| head.commit().to_owned());
    let now = arguments.source_ref.clone().or(head);
    let before = repository.source(address, Some(former.commit()), errors);
    let mut again = Vec::new();
    (before, repository.source(address, now.as_deref(), &mut again))
}

fn told(arguments: &DiffArgs, name: &str, difference: &Difference<'_>, outcome: &Outcome) -> String {
    let out = clean(&arguments.out.display().to_string(), SENTENCE);
    let name = clean(name, SENTENCE);
    let mut text = match difference.services.len() {
        0 => format!("nothing is different from {name}\n"),
        services => {
            let summary = difference.summary();
            let summary = if summary.is_empty() { summary } else { format!(": {summary}") };
            format!("{} changed since {name}{summary}\n", count(services, "service"))
        }
    };
    for service in &difference.services {
        let words = service.summary();
        let words = if words.is_empty() { String::new() } else { format!(": {words}") };
        text.push_str(&format!("  {} {}{words}\n", service.sign.glyph(), clean(service.name, SENTENCE)));
    }
    text.push_str(&format!(
        "{} in {out} ({} written, {} removed); open {out}/index.html\n",
        count(outcome.files, "file"),
        outcome.written,
        outcome.removed
    ));
    for path in &outcome.kept {
        text.push_str(&format!("  left in place, since somebody changed it: {}\n", clean(path, SENTENCE)));
    }
    text
}
