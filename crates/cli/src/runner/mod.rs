//! `trueup migrate`, `info` and `validate`: settings, connection, run, report.

pub mod connection;
mod error;
mod human;
mod json;
pub mod project;
pub mod schema;

use std::time::Instant;

use tokio::sync::watch;
use trueup_migrations::history::{Entry, Reconciliation, reconcile, resolve};
use trueup_postgres::run::{Cause, Command, Database, Event, Inputs, Migrated, RunError, Stop};

pub use error::RunnerError;

use crate::args::{DatabaseArgs, RunFormat};
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
pub async fn run(command: Command, arguments: &DatabaseArgs, place: &Place, stop: watch::Receiver<bool>) -> u8 {
    let out = Out { format: arguments.format, command };
    let mut asked = Stop::when(stop.clone());
    let work = async {
        match command {
            Command::Migrate => migrate(arguments, place, stop, out).await,
            Command::Info => info(arguments, place, out).await,
            Command::Validate => validate(arguments, place, out).await,
        }
    };
    // Migrate ends by itself when it is asked to: it has something to cancel and to tell.
    let result = match command {
        Command::Migrate => work.await,
        Command::Info | Command::Validate => tokio::select! {
            result = work => result,
            () = asked.asked() => Err(RunnerError::Run(RunError::Interrupted)),
        },
    };
    result.unwrap_or_else(|error| {
        out.error(&error);
        if matches!(error, RunnerError::Run(RunError::Interrupted)) { INTERRUPTED } else { 1 }
    })
}

async fn migrate(
    arguments: &DatabaseArgs,
    place: &Place,
    stop: watch::Receiver<bool>,
    out: Out,
) -> Result<u8, RunnerError> {
    let start = Instant::now();
    let mut asked = Stop::when(stop.clone());
    let (inputs, mut database) = tokio::select! {
        opened = open(arguments, place, out) => opened?,
        () = asked.asked() => return Err(RunError::Interrupted.into()),
    };
    let mut tell = |event: Event<'_>| out.event(&event);
    let result = database.migrate(&inputs, &mut Stop::when(stop), &mut tell).await;
    let server = Server::of(&database);
    database.close().await;
    let migrated = result?;
    match out.format {
        RunFormat::Human => human::migrated(&migrated, &server, start.elapsed(), arguments.verbose),
        RunFormat::Json => json::print(&json::migrated(&migrated, &server, start.elapsed())),
    }
    Ok(code(&migrated))
}

fn code(migrated: &Migrated) -> u8 {
    match &migrated.failure {
        None => 0,
        Some(failure) if matches!(failure.cause, Cause::Interrupted) => INTERRUPTED,
        Some(_) => 1,
    }
}

async fn info(arguments: &DatabaseArgs, place: &Place, out: Out) -> Result<u8, RunnerError> {
    look(arguments, place, out, |_, found, server| {
        match out.format {
            RunFormat::Human => human::info(found, server),
            RunFormat::Json => json::print(&json::info(found, server)),
        }
        Ok(0)
    })
    .await
}

async fn validate(arguments: &DatabaseArgs, place: &Place, out: Out) -> Result<u8, RunnerError> {
    look(arguments, place, out, |inputs, found, server| {
        let errors = found.validate(&inputs.policy.ignore);
        let judged = found.entries.iter().filter(|entry| entry.resolved.is_some() || is_row(entry)).count();
        match out.format {
            RunFormat::Human => human::validated(&errors, judged),
            RunFormat::Json => json::print(&json::validated(&errors, judged, server)),
        }
        Ok(u8::from(!errors.is_empty()))
    })
    .await
}

fn is_row(entry: &Entry<'_>) -> bool {
    entry.applied.is_some_and(|row| !row.kind.is_synthetic())
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

/// Reads files and history, puts them together, and hands them over.
async fn look(
    arguments: &DatabaseArgs,
    place: &Place,
    out: Out,
    show: impl FnOnce(&Inputs, &Reconciliation<'_>, &Server) -> Result<u8, RunnerError>,
) -> Result<u8, RunnerError> {
    let (inputs, mut database) = open(arguments, place, out).await?;
    let missing = database.missing_schemas().await?;
    if out.command == Command::Validate && !missing.is_empty() && !inputs.set.is_empty() {
        return Err(RunError::MissingSchemas(missing).into());
    }
    let rows = database.history().await?.unwrap_or_default();
    let server = Server::of(&database);
    let placeholders = database.placeholders().clone();
    database.close().await;
    let resolved = resolve(&inputs.set, &placeholders).map_err(RunnerError::unresolved)?;
    let found = reconcile(&resolved, &rows, &inputs.policy).map_err(RunError::from)?;
    show(&inputs, &found, &server)
}

async fn open(arguments: &DatabaseArgs, place: &Place, out: Out) -> Result<(Inputs, Database), RunnerError> {
    let variables = variables();
    let project = project::read(&place.folder, arguments, &variables)?;
    out.notices(&project.notices);
    let connection = connection::choose(arguments, &variables, &project.settings)?;
    out.notices(&connection.notices);
    let working_directory = place.folder.to_string_lossy().into_owned();
    let inputs =
        Inputs::new(project.set, project.settings, working_directory, out.command).map_err(RunnerError::Problems)?;
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
            Event::Applied(ran) if self.format == RunFormat::Human => human::applied(ran),
            Event::Applied(_) => {}
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
