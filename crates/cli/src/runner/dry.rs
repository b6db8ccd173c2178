//! `--dry-run` and `dryRunOutput`: the SQL of a migrate, to standard output or a file.

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
/// The command has no dry run: it must not run because of that.
pub(super) fn target(extra: &Extra, inputs: &Inputs, out: Out<'_>) -> Result<Option<PathBuf>, RunnerError> {
    let setting = inputs.settings.runner.get(SETTING).map(|value| value.value.trim());
    // In the settings it is as the locations beside it are; on the command line, as the shell has it.
    let in_folder =
        |path: &str| if path == STDOUT { path.into() } else { Path::new(&inputs.working_directory).join(path) };
    let setting = setting.filter(|path| !path.is_empty()).map(in_folder);
    let Some(path) = extra.dry_run.clone().or(setting) else { return Ok(None) };
    if out.command != Command::Migrate {
        let message = format!("setting `{SETTING}` asks for a dry run, which `{}` has not", out.command.name());
        return Err(RunnerError::usage(message, "only migrate has dry runs; nothing was run"));
    }
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

/// Writes down what a migrate would send.
pub(super) async fn run(
    database: &mut Database,
    inputs: &Inputs,
    path: &Path,
    out: Out<'_>,
) -> Result<(), RunnerError> {
    // Opened first: the folder may be missing.
    let record = if path == Path::new(STDOUT) { None } else { Some(Record::at(path)?) };
    let dry = database.dry_run(inputs).await?;
    let Some(record) = record else {
        let mut stdout = std::io::stdout().lock();
        let written = stdout.write_all(dry.sql.as_bytes()).and_then(|()| stdout.flush());
        return written.map_err(|source| RunnerError::Record { path: path.to_owned(), source });
    };
    record.write_text(&dry.sql)?;
    let what = counted(dry.migrations, "migration");
    out.notices(&[format!("{} has the SQL of {what}; nothing was executed", path.display())]);
    Ok(())
}
