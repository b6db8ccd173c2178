//! The commands that change a database.

use std::time::Instant;

use serde_json::Value;
use tokio::sync::watch;
use trueup_postgres::run::{Command, Event, RunError, Stop};

use super::bar::Bar;
use super::error::RunnerError;
use super::out::Out;
use super::{Extra, Server, dry, json, open, plan};
use crate::args::DatabaseArgs;
use crate::check::Place;

/// Runs one of them to its end, and shows what came of it: the exit code, and the document of a migrate.
pub(super) async fn run(
    arguments: &DatabaseArgs,
    extra: &Extra,
    place: &Place,
    stop: watch::Receiver<bool>,
    out: Out<'_>,
) -> Result<(u8, Option<Value>), RunnerError> {
    let start = Instant::now();
    let mut asked = Stop::when(stop.clone());
    let (mut inputs, mut database) = tokio::select! {
        opened = open(arguments, place, out) => opened?,
        () = asked.asked() => return Err(RunError::Interrupted.into()),
    };
    inputs.lock_timeout = extra.locks.lock_timeout;
    inputs.lock_retries = extra.locks.lock_retries;
    plan::refuse_two_answers(&inputs, out)?;
    if extra.plan {
        let plan = tokio::select! {
            plan = database.plan(out.command, &inputs) => plan?,
            () = asked.asked() => return Err(RunError::Interrupted.into()),
        };
        out.planned(&plan, &Server::of(&database));
        database.close().await;
        return Ok((0, None));
    }
    if let Some(path) = dry::target(extra, &inputs, out)? {
        tokio::select! {
            done = dry::run(&mut database, &inputs, &path, out) => done?,
            () = asked.asked() => return Err(RunError::Interrupted.into()),
        }
        database.close().await;
        return Ok((0, None));
    }
    let bar = Bar::new(out.has_bar());
    let mut tell = |event: Event<'_>| bar.around(&event, || out.event(&event));
    let mut stop = Stop::when(stop);
    let server = Server::of(&database);
    let (mut code, mut document) = (0, None);
    match out.command {
        Command::Baseline => out.baselined(&database.baseline(&inputs, &mut stop, &mut tell).await?, &server),
        Command::Repair => {
            out.repaired(database.repair(&inputs, &mut stop, &mut tell).await?.as_ref(), &server);
        }
        Command::Clean => out.cleaned(&database.clean(&inputs, &mut stop, &mut tell).await?, &server),
        Command::Undo => {
            let undone = database.undo(&inputs, &mut stop, &mut tell).await?;
            bar.finish();
            code = out.undone(&undone, &inputs, &server);
        }
        _ => {
            let migrated = database.migrate(&inputs, &mut stop, &mut tell).await?;
            bar.finish();
            let took = start.elapsed();
            code = out.migrated(&migrated, &inputs, &server, took);
            document = Some(json::migrated(&migrated, &server, took));
        }
    }
    database.close().await;
    Ok((code, document))
}
