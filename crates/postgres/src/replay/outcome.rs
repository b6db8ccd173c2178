//! What came of a replay.

use std::ops::Range;
use std::time::Duration;

use crate::session::{ServerError, SessionError};

/// What a replay did, up to and including the first failure.
#[derive(Clone, Debug, Default)]
pub struct ReplayOutcome {
    /// The scripts that were applied, in order: always the first ones given.
    pub applied: Vec<Applied>,
    /// Why it stopped, when it did not come to the end.
    pub failure: Option<ReplayFailure>,
    /// Notices and warnings that the scripts raised.
    pub notices: u64,
    /// Times the replay waited for the server with nothing else to send.
    pub round_trips: u64,
    /// The search path each script started with, when it is set anew for each.
    pub search_path: Option<String>,
}

/// One applied script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// [`Script::id`](super::Script::id).
    pub script: usize,
    /// Transaction ids (64 bit, of the whole cluster) from the script's first to before its successor's first: every
    /// catalog row of this database that it wrote last has its `xmin` in here, subtransactions included.
    pub xids: Range<u64>,
    /// Time between the end of its predecessor and its own, as seen here.
    pub elapsed: Duration,
}

/// The script that failed, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayFailure {
    /// [`Script::id`](super::Script::id).
    pub script: usize,
    /// Index of the statement that failed; none at the commit, and when it cannot be told.
    pub statement: Option<usize>,
    /// Byte offset in [`Script::text`](super::Script::text): where the server pointed, or where the statement starts.
    pub offset: Option<usize>,
    /// What happened.
    pub cause: FailureCause,
}

/// What ended a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailureCause {
    /// A statement failed.
    Statement(Box<ServerError>),
    /// Every statement was accepted, and the commit was not: deferred constraints and triggers, mostly.
    Commit(Box<ServerError>),
    /// The deadline passed; what ran was cancelled.
    Deadline,
    /// The connection broke while the script ran; the server's last words, if any.
    ConnectionLost(Option<Box<ServerError>>),
    /// The server asked for the data of a `COPY … FROM STDIN` and the script holds none that could be found.
    CopyWithoutData,
    /// The text holds a NUL byte, which PostgreSQL cannot receive.
    Nul,
    /// The script changed `trueup.at`, which the replay needs to know how far it has come.
    Tampered,
}

impl ReplayFailure {
    /// The server's error, when there is one.
    pub fn server_error(&self) -> Option<&ServerError> {
        match &self.cause {
            FailureCause::Statement(error) | FailureCause::Commit(error) => Some(error),
            FailureCause::ConnectionLost(error) => error.as_deref(),
            _ => None,
        }
    }
}

/// Why nothing can be said about the scripts.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The session failed before or between scripts.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The SQL to run first failed.
    #[error("the SQL to run first failed: {0}")]
    InitSql(Box<ServerError>),
    /// Creating schemas or preparing the session failed.
    #[error("the database could not be prepared: {0}")]
    Setup(Box<ServerError>),
    /// A message ran although one before it had failed; what the database holds is not what the scripts say.
    #[error("script {script} ran although an earlier one had failed")]
    GuardBroken {
        /// [`Script::id`](super::Script::id).
        script: usize,
    },
}
