//! Flyway's verbs: settings, connection, run, report.

mod changing;
pub mod connection;
mod error;
mod human;
mod json;
mod out;
pub mod project;
mod reading;
pub mod schema;

use tokio::sync::watch;
use trueup_postgres::run::{Cause, Command, Database, Inputs, RunError, Stop};

pub use error::RunnerError;
pub(crate) use human::category;

use crate::args::{DatabaseArgs, LockArgs, RunFormat};
use crate::check::Place;
use crate::flyway::Teller;
use out::Out;

/// The exit code of a run that Ctrl-C or SIGTERM ended.
const INTERRUPTED: u8 = 130;

/// Environment variables, as (name, value); those that are no Unicode are left out.
pub fn variables() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Runs a command to its end and prints what came of it; the exit code is Flyway's: 0, or 1 for any failure.
///
/// `stop` becomes true when somebody wants the run to end.
pub async fn run(
    command: Command,
    arguments: &DatabaseArgs,
    locks: LockArgs,
    place: &Place,
    stop: watch::Receiver<bool>,
) -> u8 {
    let out = Out { format: arguments.format, command, verbose: arguments.verbose, flyway: None };
    told(arguments, locks, place, stop, out).await
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
    told(arguments, LockArgs::default(), place, stop, out).await
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
        Err(error) => failed(&error, out),
    }
}

async fn told(
    arguments: &DatabaseArgs,
    locks: LockArgs,
    place: &Place,
    stop: watch::Receiver<bool>,
    out: Out<'_>,
) -> u8 {
    let mut asked = Stop::when(stop.clone());
    let result = match out.command {
        Command::Info | Command::Validate => tokio::select! {
            result = reading::run(arguments, place, out) => result,
            () = asked.asked() => Err(RunError::Interrupted.into()),
        },
        // The others end by themselves when they are asked to: they have something to cancel and to tell.
        _ => changing::run(arguments, locks, place, stop, out).await,
    };
    result.unwrap_or_else(|error| failed(&error, out))
}

fn failed(error: &RunnerError, out: Out<'_>) -> u8 {
    out.error(error);
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

async fn open(arguments: &DatabaseArgs, place: &Place, out: Out<'_>) -> Result<(Inputs, Database), RunnerError> {
    let variables = variables();
    let project = project::read(&place.folder, arguments, &variables)?;
    out.notices(&project.notices);
    let connection = connection::choose(arguments, &variables, &project.settings)?;
    out.notices(&connection.notices);
    let working_directory = place.folder.to_string_lossy().into_owned();
    let inputs = Inputs::new(project.set, project.settings, working_directory).map_err(RunnerError::Problems)?;
    let database = Database::open(&connection.endpoint, &inputs).await?;
    out.connected(&inputs.settings, &Server::of(&database));
    Ok((inputs, database))
}
