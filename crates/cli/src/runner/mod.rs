//! Flyway's verbs: settings, connection, run, report.

mod bar;
mod changing;
pub mod connection;
mod dry;
mod error;
mod human;
mod json;
mod opening;
mod out;
mod plan;
pub mod project;
mod reading;
mod record;
pub mod schema;

use std::path::PathBuf;

use serde_json::Value;
use tokio::sync::watch;
use trueup_postgres::run::{Cause, Command, Database, RunError, Stop};

pub use error::RunnerError;
pub(crate) use human::{POOLED, category};
use record::Record;

use crate::args::{DatabaseArgs, LockArgs, RunFormat};
use crate::check::Place;
use crate::flyway::Teller;
use opening::open;
use out::Out;

/// The exit code of a run that Ctrl-C or SIGTERM ended.
const INTERRUPTED: u8 = 130;

/// Environment variables, as (name, value); those that are no Unicode are left out.
pub fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// What only some commands have.
#[derive(Debug, Default)]
pub struct Extra {
    /// How long statements wait for locks.
    pub locks: LockArgs,
    /// Whether it only says what would run.
    pub plan: bool,
    /// The file for what came of it.
    pub report: Option<PathBuf>,
    /// Where the SQL goes, when nothing is to run; `-` is standard output.
    pub dry_run: Option<PathBuf>,
}

/// Runs a command to its end and prints what came of it; the exit code is Flyway's: 0, or 1 for any failure.
///
/// `stop` becomes true when somebody wants the run to end.
pub async fn run(
    command: Command,
    arguments: &DatabaseArgs,
    extra: &Extra,
    place: &Place,
    stop: watch::Receiver<bool>,
) -> u8 {
    let out = Out { format: arguments.format, command, verbose: arguments.verbose, flyway: None };
    let record = match extra.report.as_deref().map(Record::at).transpose() {
        Ok(record) => record,
        Err(error) => {
            out.error(&error);
            return 1;
        }
    };
    let (code, document) = told(arguments, extra, place, stop, out).await;
    match record.zip(document).map(|(record, document)| record.write(&document)) {
        Some(Err(error)) => {
            out.unrecorded(&error);
            code.max(1)
        }
        Some(Ok(())) | None => code,
    }
}

/// The same, told as Flyway tells it.
pub(crate) async fn run_as_flyway(
    command: Command,
    arguments: &DatabaseArgs,
    place: &Place,
    stop: watch::Receiver<bool>,
    flyway: &Teller,
) -> u8 {
    let out = Out { format: RunFormat::Human, command, verbose: arguments.verbose, flyway: Some(flyway) };
    told(arguments, &Extra::default(), place, stop, out).await.0
}

/// Connects as a command would, and no more.
pub(crate) async fn test_connection(
    arguments: &DatabaseArgs,
    place: &Place,
    stop: watch::Receiver<bool>,
    flyway: &Teller,
) -> u8 {
    let out = Out { format: RunFormat::Human, command: Command::Info, verbose: false, flyway: Some(flyway) };
    let mut asked = Stop::when(stop);
    let opened = tokio::select! {
        opened = open(arguments, place, out) => opened,
        () = asked.asked() => Err(RunError::Interrupted.into()),
    };
    match opened {
        Ok((_, database)) => {
            flyway.tested();
            database.close().await;
            0
        }
        Err(error) => {
            out.error(&error);
            code_of(&error)
        }
    }
}

/// The exit code of a run, and its document when it is one that is kept.
async fn told(
    arguments: &DatabaseArgs,
    extra: &Extra,
    place: &Place,
    stop: watch::Receiver<bool>,
    out: Out<'_>,
) -> (u8, Option<Value>) {
    let mut asked = Stop::when(stop.clone());
    let result = match out.command {
        Command::Info | Command::Validate => tokio::select! {
            result = reading::run(arguments, place, out) => result.map(|code| (code, None)),
            () = asked.asked() => Err(RunError::Interrupted.into()),
        },
        // The others end by themselves when they are asked to: they have something to cancel and to tell.
        _ => changing::run(arguments, extra, place, stop, out).await,
    };
    result.unwrap_or_else(|error| {
        out.error(&error);
        (code_of(&error), Some(json::error(&error, out.command)))
    })
}

fn code_of(error: &RunnerError) -> u8 {
    match error {
        RunnerError::Run(RunError::Interrupted) => INTERRUPTED,
        RunnerError::Run(RunError::Script(failure)) if matches!(failure.cause, Cause::Interrupted) => INTERRUPTED,
        _ => 1,
    }
}

/// The server that answered.
pub(crate) struct Server {
    pub(crate) database: String,
    pub(crate) version: String,
    /// The schema with the history.
    pub(crate) schema: String,
}

impl Server {
    fn of(database: &Database) -> Self {
        let (name, version) = database.describe();
        let schema = database.table().name().schema.to_string();
        Self { database: name.to_owned(), version: version.to_owned(), schema }
    }
}
