//! The report, in the format and to the place that were asked for.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use super::inputs::Inputs;
use super::{CheckError, Place};
use crate::args::{CheckArgs, Color, Format};
use crate::report::human::{Options, Style};
use crate::report::{Report, github, gitlab, human, json, junit, markdown, sarif};

/// Renders the report and writes it.
pub fn write(report: &Report, inputs: &Inputs, arguments: &CheckArgs, place: &Place) -> Result<(), CheckError> {
    let text = render(report, inputs, arguments, place);
    match &arguments.output {
        Some(file) => write_file(&place.folder.join(file), text.as_bytes()),
        None => print(&text),
    }
}

/// What is wrong with the inputs of another command, for people; `headline` stands for the verdict.
pub fn errors(report: &Report, inputs: &Inputs, headline: String, place: &Place) -> String {
    let sources = |file: &str| read_source(&inputs.root, file);
    let options = human_options(&CheckArgs::default(), place);
    human::render(report, &sources, &Options { headline: Some(headline), ..options })
}

fn render(report: &Report, inputs: &Inputs, arguments: &CheckArgs, place: &Place) -> String {
    match arguments.format {
        Format::Human => {
            let sources = |file: &str| read_source(&inputs.root, file);
            human::render(report, &sources, &human_options(arguments, place))
        }
        Format::Json => json::render(report),
        Format::Sarif => sarif::render(report),
        Format::Github => github::render(report),
        Format::Gitlab => gitlab::render(report),
        Format::Junit => junit::render(report),
        Format::Markdown => markdown::render(report),
    }
}

/// A file to quote lines from; none that is not a plain text of a reasonable size.
fn read_source(root: &Path, file: &str) -> Option<Arc<str>> {
    const LARGEST: u64 = 16 << 20;
    let path = root.join(file);
    let small = path.metadata().is_ok_and(|data| data.is_file() && data.len() <= LARGEST);
    small.then(|| std::fs::read_to_string(path).ok())?.map(Arc::from)
}

fn human_options(arguments: &CheckArgs, place: &Place) -> Options {
    let to_terminal = arguments.output.is_none() && std::io::stdout().is_terminal();
    let width = if to_terminal { terminal_width() } else { 100 };
    let color = match place.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => to_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
    };
    let style = if color { Style::colored(width) } else { Style::plain(width) };
    Options { style, service: arguments.service.first().cloned(), ..Options::default() }
}

/// The terminal's width within what the report is laid out for.
fn terminal_width() -> usize {
    let (_, columns) = console::Term::stdout().size_checked().unwrap_or((40, 100));
    usize::from(columns).clamp(60, 140)
}

/// Prints to standard output; a reader that went away is no error.
pub fn print(text: &str) -> Result<(), CheckError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // The reader has seen enough (`trueup check | head`): the exit code still says it all.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|source| CheckError::Write { what: "standard output".to_owned(), source }),
    }
}

/// Never half a file: written beside it, then renamed.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CheckError> {
    let failed = |source| CheckError::Write { what: path.display().to_string(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
