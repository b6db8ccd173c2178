//! `info` and `validate`: what is there, and whether it fits.

use trueup_migrations::history::{Entry, reconcile, resolve};
use trueup_postgres::run::{Command, Database, Event, Inputs, Moment, RunError, Stop};

use super::error::RunnerError;
use super::out::Out;
use super::{Server, open};
use crate::args::DatabaseArgs;
use crate::check::Place;

/// Reads files and history, puts them together, and shows them.
pub(super) async fn run(arguments: &DatabaseArgs, place: &Place, out: Out<'_>) -> Result<u8, RunnerError> {
    let (inputs, mut database) = open(arguments, place, out).await?;
    fire(&mut database, Moment::Connected, &inputs, out).await?;
    let missing = database.missing_schemas().await?;
    if out.command == Command::Validate && !missing.is_empty() && !inputs.set.is_empty() {
        return match out.flyway {
            Some(flyway) => Ok(flyway.schema_missing(&missing[0], &Server::of(&database))),
            None => Err(RunError::MissingSchemas(missing).into()),
        };
    }
    fire(&mut database, Moment::Before, &inputs, out).await?;
    let rows = database.history().await?;
    let has_history = rows.is_some();
    if !has_history {
        out.without_history(&database.table().name().quoted());
    }
    let rows = rows.unwrap_or_default();
    let server = Server::of(&database);
    let resolved = resolve(&inputs.set, database.placeholders()).map_err(RunnerError::unresolved)?;
    let found = reconcile(&resolved, &rows, &inputs.policy).map_err(RunError::from)?;
    let (code, moment) = match out.command {
        Command::Validate => {
            let errors = found.validate(&inputs.policy.ignore);
            let judged = found.entries.iter().filter(|entry| entry.resolved.is_some() || is_row(entry)).count();
            let code = out.validated(&errors, judged, found.entries.len(), &server);
            (code, if errors.is_empty() { Moment::After } else { Moment::Failed })
        }
        _ => {
            out.info(&found, &server, has_history);
            (0, Moment::After)
        }
    };
    fire(&mut database, moment, &inputs, out).await?;
    database.close().await;
    Ok(code)
}

async fn fire(database: &mut Database, moment: Moment, inputs: &Inputs, out: Out<'_>) -> Result<(), RunnerError> {
    let mut tell = |event: Event<'_>| out.event(&event);
    Ok(database.callbacks(out.command, moment, inputs, &mut Stop::never(), &mut tell).await?)
}

fn is_row(entry: &Entry<'_>) -> bool {
    entry.applied.is_some_and(|row| !row.kind.is_synthetic())
}
