//! What came of a run.

use std::time::Duration;

use trueup_migrations::history::{NewRow, PickError, TargetError, ValidationError};
use trueup_model::location::Location;

use crate::history::HistoryError;
use crate::session::{NoServer, ServerError, SessionError};

/// What a migrate did, up to and including the first failure.
#[derive(Clone, Debug, Default)]
pub struct Migrated {
    /// The schema of the history.
    pub schema: String,
    /// The version before; none on an empty history.
    pub version_before: Option<String>,
    /// The version after an undo that came to its end.
    pub version_after: Option<String>,
    /// Schemas that were created.
    pub created_schemas: Vec<String>,
    /// The migrations that were applied, in order.
    pub applied: Vec<Ran>,
    /// How many migrations there were to run, those that were applied included.
    pub planned: usize,
    /// Why it stopped, when it did not come to the end.
    pub failure: Option<Failure>,
    /// Callbacks for the failure that failed themselves.
    pub also: Vec<Failure>,
    /// What scripts said (`RAISE NOTICE`, warnings), with the file; the first hundred.
    pub notices: Vec<(String, ServerError)>,
    /// Times the run waited for the server with nothing else to send.
    pub round_trips: u64,
}

/// One applied migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// What the history says about it.
    pub row: NewRow,
    /// The file, relative to the project root.
    pub path: String,
    /// Time it took, as seen here.
    pub elapsed: Duration,
}

/// The script that failed, and where.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The place in the author's file: where the server pointed, or where the statement starts, or the whole file.
    pub at: Location,
    /// The statement as it was sent, when it is known.
    pub statement: Option<String>,
    /// Where the statement starts.
    pub starts: Option<Location>,
    /// The character of the statement, from 1, at which the server pointed.
    pub position: Option<usize>,
    /// What happened.
    pub cause: Cause,
    /// What is left of the script.
    pub left: Left,
    /// Indexes that the failing statement left invalid.
    pub invalid: Vec<String>,
}

/// What a failed script leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: its transaction was rolled back.
    Nothing,
    /// What ran before the failing statement, and a row that says that it failed.
    FailedRow,
    /// What ran before the failing statement, a row that says that it failed, and a note of how far it got: the next
    /// run goes on there.
    Resumable,
    /// Possibly what ran before the failing statement; no row.
    Perhaps,
}

/// What ended a run.
#[derive(Clone, Debug)]
pub enum Cause {
    /// A statement failed.
    Statement(Box<ServerError>),
    /// Every statement was accepted, and the commit was not: deferred constraints and triggers, mostly.
    Commit(Box<ServerError>),
    /// The server asked for data of a COPY that the file does not hold.
    CopyWithoutData,
    /// The script ended its own transaction in a way that could not be seen beforehand; nothing was recorded.
    EndedItsTransaction,
    /// The history changed although we hold the lock.
    HistoryChanged,
    /// Somebody wanted the run to end.
    Interrupted,
    /// The connection broke; the server's last words, if any.
    ConnectionLost(String),
    /// Something else kept the run from going on.
    Stopped(String),
}

impl Cause {
    /// The server's error, when there is one.
    pub fn server_error(&self) -> Option<&ServerError> {
        match self {
            Self::Statement(error) | Self::Commit(error) => Some(error),
            _ => None,
        }
    }

    /// In a sentence without its end.
    pub fn message(&self) -> String {
        match self {
            Self::Statement(error) => error.message.clone(),
            Self::Commit(error) => format!("it could not be committed: {}", error.message),
            Self::CopyWithoutData => "the server asks for the data of a COPY, and the file has none".to_owned(),
            Self::EndedItsTransaction => {
                "the script ended the transaction it runs in; what it did may be there, and is not recorded".to_owned()
            }
            Self::HistoryChanged => "somebody else wrote to the schema history meanwhile".to_owned(),
            Self::Interrupted => "interrupted".to_owned(),
            Self::ConnectionLost(why) | Self::Stopped(why) => why.clone(),
        }
    }
}

/// A script that cannot be run at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Where.
    pub at: Location,
    /// Why.
    pub message: String,
}

/// Why a command did nothing, or nothing more.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no session, or it broke between scripts.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// No server will do.
    #[error(transparent)]
    NoServer(#[from] NoServer),
    /// The history cannot be read; that the session broke is [`RunError::Session`].
    #[error(transparent)]
    History(HistoryError),
    /// The server refused something of ours.
    #[error("{what}: {error}")]
    Server {
        /// What was being done.
        what: &'static str,
        /// What the server said.
        error: Box<ServerError>,
    },
    /// A pooler hands each statement to another server process.
    #[error(
        "the connection goes through a pooler that allows no transactions{}; connect to PostgreSQL itself, or through a \
         pooler in session or transaction mode", said(.0)
    )]
    StatementPooler(String),
    /// A pooler may hand each transaction to another server process, where `initSql` has not run.
    #[error(
        "initSql is set, and the connection goes through a pooler, which may give what follows to another server process; \
         connect to PostgreSQL itself"
    )]
    PooledInitSql,
    /// A pooler ignored, or may have, what the connection asked for.
    #[error(
        "the connection goes through a pooler, and nobody can tell whether the server has got `{0}`; set it for the role or the \
         database instead, name the schema with defaultSchema, or connect to PostgreSQL itself"
    )]
    LostParameter(String),
    /// Through a pooler, the lock was free a moment ago.
    #[error("another run came first; nothing was done since, run this again")]
    Overtaken,
    /// The session has no schema to look for the history in.
    #[error("no schema is named, and the connection's search path has none that exists; set defaultSchema")]
    NoSchema,
    /// Schemas are missing and may not be created.
    #[error("{} not exist, and createSchemas is off", does(.0))]
    MissingSchemas(Vec<String>),
    /// Objects but no history.
    #[error(
        "found non-empty schema {0} but no schema history table; run `trueup baseline`, or set baselineOnMigrate to \
         true, to start one"
    )]
    NotEmpty(String),
    /// Another runner holds the lock.
    #[error("another run holds the lock on the schema history{}; gave up after {seconds} s", held(holder.as_ref()))]
    Locked {
        /// Who holds it, when the server says so.
        holder: Option<String>,
        /// How long we waited.
        seconds: u64,
    },
    /// Validation found something.
    #[error("{} not fit the schema history", count(.0.len()))]
    Invalid(Vec<ValidationError>),
    /// The history has a row that says "failed".
    #[error(
        "schema {schema} contains a failed migration: {name}; run `trueup repair` once its half-completed changes are removed"
    )]
    FailedRow {
        /// The schema.
        schema: String,
        /// Version or description.
        name: String,
    },
    /// Scripts that cannot be run; none of them was.
    #[error("{} cannot be run", scripts(.0.len()))]
    Refused(Vec<Refused>),
    /// A script that an earlier run did not finish, and that nobody can go on with.
    #[error(
        "{}: {}. Look at what the file did so far, undo that by hand, and run `trueup repair`: then it runs from its first \
         statement", .0.at, .0.message
    )]
    NotResumed(Refused),
    /// `target` names nothing.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// What `cherryPick` names cannot run; nothing was.
    #[error("cherryPick: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Picks(Vec<PickError>),
    /// A script failed in a command whose outcome is told otherwise.
    #[error("{} failed: {}", .0.at, .0.cause.message())]
    Script(Box<Failure>),
    /// The target of an undo is no applied version.
    #[error("version {0}, down to which to undo, is not applied: `trueup info` shows what is")]
    NotApplied(String),
    /// The history has what a baseline must not find; Flyway's words.
    #[error("{0}")]
    NoBaseline(String),
    /// `cleanDisabled`; Flyway's words.
    #[error("Unable to execute clean as it has been disabled with the 'flyway.cleanDisabled' property.")]
    CleanDisabled,
    /// Objects that were dropped twice and are still there.
    #[error("{} could not be dropped; nothing was", .0.join(", "))]
    NotCleaned(Vec<String>),
    /// More objects than a list holds.
    #[error("the schemas have more than {0} objects; drop them by hand: nothing was dropped")]
    TooManyObjects(usize),
    /// A migration that ran is pending again: it would run for ever.
    #[error("{0} is pending again after it ran: a script removes its row from the schema history")]
    Again(String),
    /// A message ran although one before it had failed. What the database holds is not what the history says.
    #[error(
        "{0} ran although a script before it had failed: compare the database with the history, and please report this"
    )]
    GuardBroken(String),
    /// Somebody wanted the run to end before a script ran.
    #[error("interrupted")]
    Interrupted,
}

impl RunError {
    /// Flyway's error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Session(_) | Self::NoServer(_) => "DB_CONNECTION",
            Self::MissingSchemas(_) => "SCHEMA_DOES_NOT_EXIST",
            Self::NotEmpty(_) => "NON_EMPTY_SCHEMA_WITHOUT_SCHEMA_HISTORY_TABLE",
            Self::Invalid(_) => "VALIDATE_ERROR",
            _ => "ERROR",
        }
    }
}

/// A session that breaks is a session that breaks, whatever was read at that moment: only then is looked up what is left.
impl From<HistoryError> for RunError {
    fn from(error: HistoryError) -> Self {
        match error {
            HistoryError::Session(error) => Self::Session(error),
            other => Self::History(other),
        }
    }
}

impl From<Failure> for RunError {
    fn from(failure: Failure) -> Self {
        Self::Script(Box::new(failure))
    }
}

fn does(schemas: &[String]) -> String {
    let list = schemas.join(", ");
    if schemas.len() == 1 { format!("schema {list} does") } else { format!("schemas {list} do") }
}

/// What the pooler said, if anything.
fn said(message: &str) -> String {
    if message.is_empty() { String::new() } else { format!(" ({message})") }
}

fn held(holder: Option<&String>) -> String {
    holder.map_or(String::new(), |holder| format!(" ({holder})"))
}

fn count(number: usize) -> String {
    if number == 1 { "1 migration does".to_owned() } else { format!("{number} migrations do") }
}

fn scripts(number: usize) -> String {
    if number == 1 { "1 script".to_owned() } else { format!("{number} scripts") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_breaks_while_the_history_is_read_is_a_lost_connection() {
        let closed = || HistoryError::Session(SessionError::Closed(None));
        assert!(matches!(RunError::from(closed()), RunError::Session(SessionError::Closed(None))));
        assert!(matches!(RunError::from(HistoryError::TooLong), RunError::History(HistoryError::TooLong)));
        assert_eq!(RunError::from(closed()).to_string(), closed().to_string());
    }
}
