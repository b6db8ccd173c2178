//! `--dry-run` and `dryRunOutput`: the SQL of a command, to standard output or a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use trueup_postgres::run::{Command, Database, Inputs};

use super::Extra;
use super::error::{RunnerError, counted};
use super::out::Out;
use super::record::Record;
use crate::args::RunFormat;

/// Flyway's setting.
const SETTING: &str = "dryRunOutput";

/// What stands for standard output.
const STDOUT: &str = "-";

/// Where the SQL goes, when it is to be written down and not run.
///
/// # Errors
/// It cannot be written down as it was asked for: nothing may run because of that.
pub(super) fn target(extra: &Extra, inputs: &Inputs, out: Out<'_>) -> Result<Option<PathBuf>, RunnerError> {
    let setting = inputs.settings.runner.get(SETTING).map(|value| value.value.trim());
    // In the settings it is as the locations beside it are; on the command line, as the shell has it.
    let in_folder =
        |path: &str| if path == STDOUT { path.into() } else { Path::new(&inputs.working_directory).join(path) };
    let setting = setting.filter(|path| !path.is_empty()).map(in_folder);
    let Some(path) = extra.dry_run.clone().or(setting) else { return Ok(None) };
    if path == Path::new(STDOUT) && out.format == RunFormat::Json {
        let help = "give it a file: --dry-run=FILE; nothing was run";
        return Err(RunnerError::usage("a dry run prints SQL, and --format json asks for a JSON document", help));
    }
    if extra.report.is_some() {
        let help = "leave --report out; nothing was run";
        return Err(RunnerError::usage("a dry run applies nothing that a report could tell of", help));
    }
    Ok(Some(path))
}

/// Writes down what the command would send.
pub(super) async fn run(
    database: &mut Database,
    inputs: &Inputs,
    path: &Path,
    out: Out<'_>,
) -> Result<(), RunnerError> {
    // Opened first: the folder may be missing.
    let record = if path == Path::new(STDOUT) { None } else { Some(Record::at(path)?) };
    let dry = database.dry_run(out.command, inputs).await?;
    let Some(record) = record else {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(dry.sql.as_bytes()).and_then(|()| stdout.flush());
        return written.map_err(|source| RunnerError::Record { path: path.to_owned(), source });
    };
    record.write_text(&dry.sql)?;
    out.notices(&[format!("{} has the SQL of {}; nothing was executed", path.display(), what(out.command, dry.count))]);
    Ok(())
}

fn what(command: Command, count: usize) -> String {
    match command {
        Command::Undo => counted(count, "undo script"),
        Command::Repair => format!("a repair: {}", counted(count, "statement")),
        Command::Clean => format!("a clean: {}", counted(count, "statement")),
        Command::Baseline => format!("a baseline: {}", counted(count, "row")),
        Command::Migrate | Command::Info | Command::Validate => counted(count, "migration"),
    }
}
