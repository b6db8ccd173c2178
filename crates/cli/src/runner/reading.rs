//! `info` and `validate`: what is there, and whether it fits.

use trueup_migrations::history::{Entry, Reconciliation, reconcile, resolve};
use trueup_postgres::run::{Command, Database, Event, Inputs, Moment, RunError, Stop};

use super::error::RunnerError;
use super::{Out, Server, human, json, open};
use crate::args::{DatabaseArgs, RunFormat};
use crate::check::Place;

/// Reads files and history, puts them together, and shows them.
pub(super) async fn run(arguments: &DatabaseArgs, place: &Place, out: Out) -> Result<u8, RunnerError> {
    let (inputs, mut database) = open(arguments, place, out).await?;
    fire(&mut database, Moment::Connected, &inputs, out).await?;
    let missing = database.missing_schemas().await?;
    if out.command == Command::Validate && !missing.is_empty() && !inputs.set.is_empty() {
        return Err(RunError::MissingSchemas(missing).into());
    }
    fire(&mut database, Moment::Before, &inputs, out).await?;
    let rows = database.history().await?.unwrap_or_default();
    let server = Server::of(&database);
    let resolved = resolve(&inputs.set, database.placeholders()).map_err(RunnerError::unresolved)?;
    let found = reconcile(&resolved, &rows, &inputs.policy).map_err(RunError::from)?;
    let (code, moment) = match out.command {
        Command::Validate if validate(&inputs, &found, &server, out) => (0, Moment::After),
        Command::Validate => (1, Moment::Failed),
        _ => {
            info(&found, &server, out);
            (0, Moment::After)
        }
    };
    fire(&mut database, moment, &inputs, out).await?;
    database.close().await;
    Ok(code)
}

async fn fire(database: &mut Database, moment: Moment, inputs: &Inputs, out: Out) -> Result<(), RunnerError> {
    let mut tell = |event: Event<'_>| out.event(&event);
    Ok(database.callbacks(out.command, moment, inputs, &mut Stop::never(), &mut tell).await?)
}

fn info(found: &Reconciliation<'_>, server: &Server, out: Out) {
    match out.format {
        RunFormat::Human => human::info(found, server),
        RunFormat::Json => json::print(&json::info(found, server)),
    }
}

/// Whether all is well.
fn validate(inputs: &Inputs, found: &Reconciliation<'_>, server: &Server, out: Out) -> bool {
    let errors = found.validate(&inputs.policy.ignore);
    let judged = found.entries.iter().filter(|entry| entry.resolved.is_some() || is_row(entry)).count();
    match out.format {
        RunFormat::Human => human::validated(&errors, judged),
        RunFormat::Json => json::print(&json::validated(&errors, judged, server)),
    }
    errors.is_empty()
}

fn is_row(entry: &Entry<'_>) -> bool {
    entry.applied.is_some_and(|row| !row.kind.is_synthetic())
}
