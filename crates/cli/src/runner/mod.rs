//! Flyway's verbs: settings, connection, run, report.

mod changing;
pub mod connection;
mod error;
mod human;
mod json;
pub mod project;
mod reading;
pub mod schema;

use tokio::sync::watch;
use trueup_postgres::run::{Cause, Command, Database, Event, Inputs, RunError, Stop};

pub use error::RunnerError;

use crate::args::{DatabaseArgs, LockArgs, RunFormat};
use crate::check::Place;

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
    let out = Out { format: arguments.format, command };
    let mut asked = Stop::when(stop.clone());
    let result = match command {
        Command::Info | Command::Validate => tokio::select! {
            result = reading::run(arguments, place, out) => result,
            () = asked.asked() => Err(RunError::Interrupted.into()),
        },
        // The others end by themselves when they are asked to: they have something to cancel and to tell.
        _ => changing::run(arguments, locks, place, stop, out).await,
    };
    result.unwrap_or_else(|error| {
        out.error(&error);
        match error {
            RunnerError::Run(RunError::Interrupted) => INTERRUPTED,
            RunnerError::Run(RunError::Script(failure)) if matches!(failure.cause, Cause::Interrupted) => INTERRUPTED,
            _ => 1,
        }
    })
}

/// The server that answered.
pub(crate) struct Server {
    database: String,
    version: String,
    /// The schema with the history.
    schema: String,
}

impl Server {
    fn of(database: &Database) -> Self {
        let (name, version) = database.describe();
        let schema = database.table().name().schema.to_string();
        Self { database: name.to_owned(), version: version.to_owned(), schema }
    }
}

async fn open(arguments: &DatabaseArgs, place: &Place, out: Out) -> Result<(Inputs, Database), RunnerError> {
    let variables = variables();
    let project = project::read(&place.folder, arguments, &variables)?;
    out.notices(&project.notices);
    let connection = connection::choose(arguments, &variables, &project.settings)?;
    out.notices(&connection.notices);
    let working_directory = place.folder.to_string_lossy().into_owned();
    let inputs = Inputs::new(project.set, project.settings, working_directory).map_err(RunnerError::Problems)?;
    let database = Database::open(&connection.endpoint, &inputs).await?;
    Ok((inputs, database))
}

/// Where and how things are said.
#[derive(Clone, Copy)]
struct Out {
    format: RunFormat,
    command: Command,
}

impl Out {
    fn event(self, event: &Event<'_>) {
        match event {
            Event::Waiting { holder } => human::waiting(*holder),
            Event::Applied(ran) if self.format == RunFormat::Human => human::applied(ran, self.command),
            Event::Applied(_) => {}
            Event::Said { path, notice } => human::said(path, notice),
            Event::AlsoFailed(failure) => human::also_failed(failure),
            Event::Resumed { path, statement } => human::resumed(path, *statement),
            Event::NoProgress { path, why } => human::no_progress(path, why),
            Event::Forgotten { script } => human::forgotten(script),
            Event::Dropped { index } => human::dropped_index(index),
            Event::Building { path, built } => human::building(path, built),
            Event::Retrying { path, retry, pause } => human::retrying(path, *retry, *pause),
        }
    }

    /// Notices go to standard error, so that standard output stays what was asked for.
    fn notices(self, notices: &[String]) {
        notices.iter().for_each(|notice| human::complain(&format!("trueup: note: {notice}")));
    }

    fn error(self, error: &RunnerError) {
        match self.format {
            RunFormat::Human => human::error(error),
            RunFormat::Json => json::print(&json::error(error, self.command)),
        }
    }
}
