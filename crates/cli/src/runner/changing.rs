//! The commands that change a database.

use std::time::Instant;

use tokio::sync::watch;
use trueup_postgres::run::{Cause, Command, Event, Migrated, RunError, Stop};

use super::error::RunnerError;
use super::{INTERRUPTED, Out, Server, human, json, open};
use crate::args::{DatabaseArgs, LockArgs, RunFormat};
use crate::check::Place;

/// Runs one of them to its end, and shows what came of it.
pub(super) async fn run(
    arguments: &DatabaseArgs,
    locks: LockArgs,
    place: &Place,
    stop: watch::Receiver<bool>,
    out: Out,
) -> Result<u8, RunnerError> {
    let start = Instant::now();
    let mut asked = Stop::when(stop.clone());
    let (mut inputs, mut database) = tokio::select! {
        opened = open(arguments, place, out) => opened?,
        () = asked.asked() => return Err(RunError::Interrupted.into()),
    };
    inputs.lock_timeout = locks.lock_timeout;
    inputs.lock_retries = locks.lock_retries;
    let mut tell = |event: Event<'_>| out.event(&event);
    let mut stop = Stop::when(stop);
    let server = Server::of(&database);
    let mut code = 0;
    match out.command {
        Command::Baseline => {
            let done = database.baseline(&inputs, &mut stop, &mut tell).await?;
            show(out, || json::baselined(&done, &server), || human::baselined(&done, &server));
        }
        Command::Repair => {
            let done = database.repair(&inputs, &mut stop, &mut tell).await?;
            show(out, || json::repaired(done.as_ref(), &server), || human::repaired(done.as_ref(), &server));
        }
        Command::Clean => {
            let done = database.clean(&inputs, &mut stop, &mut tell).await?;
            show(out, || json::cleaned(&done, &server), || human::cleaned(&done, arguments.verbose));
        }
        Command::Undo => {
            let undone = database.undo(&inputs, &mut stop, &mut tell).await?;
            show(out, || json::undone(&undone, &server), || human::undone(&undone, &server));
            code = code_of(&undone);
        }
        _ => {
            let migrated = database.migrate(&inputs, &mut stop, &mut tell).await?;
            let took = start.elapsed();
            show(
                out,
                || json::migrated(&migrated, &server, took),
                || human::migrated(&migrated, &server, took, arguments.verbose),
            );
            code = code_of(&migrated);
        }
    }
    database.close().await;
    Ok(code)
}

fn show(out: Out, document: impl FnOnce() -> serde_json::Value, people: impl FnOnce()) {
    match out.format {
        RunFormat::Human => people(),
        RunFormat::Json => json::print(&document()),
    }
}

fn code_of(migrated: &Migrated) -> u8 {
    match &migrated.failure {
        None => 0,
        Some(failure) if matches!(failure.cause, Cause::Interrupted) => INTERRUPTED,
        Some(_) => 1,
    }
}
