//! What the environment can do wrong, per operation.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why no disposable PostgreSQL could be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing to start: no URL, no binaries, no bundled engine.
    #[error("no PostgreSQL found: looked for `initdb` and `postgres` in {}", list(.searched))]
    NoEngine {
        /// The directories looked into.
        searched: Vec<PathBuf>,
    },
    /// Only the bundled engine will do, and this build has none.
    #[error("this trueup was built without the bundled PostgreSQL")]
    NotBuiltIn,
    /// Binaries are there but do not run.
    #[error("cannot use {}: {reason}", .path.display())]
    Binary {
        /// The binary.
        path: PathBuf,
        /// What happened.
        reason: String,
    },
    /// A major that is too old or too new to have been tried.
    #[error("{} is PostgreSQL {major}; 13 or newer is needed", .path.display())]
    TooOld {
        /// The binary.
        path: PathBuf,
        /// Its major version.
        major: u16,
    },
    /// We are root, PostgreSQL refuses root, and the user database lists nobody to lend it.
    #[error("PostgreSQL does not run as root, and there is no user `nobody` to run it as")]
    NoUnprivilegedUser,
    /// No directory can hold the server.
    #[error("no directory for a server: none of {} is writable, within reach of the server's user and short enough for a socket", list(.tried))]
    NoPlace {
        /// The directories tried.
        tried: Vec<PathBuf>,
    },
    /// A file operation failed.
    #[error("{what} {}: {source}", .path.display())]
    Io {
        /// What we were doing, up to the path.
        what: &'static str,
        /// The path.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// `initdb`, or the statements that finish the template, failed.
    #[error("`{program}` failed: {output}")]
    Initdb {
        /// The program.
        program: String,
        /// The end of what it wrote.
        output: String,
    },
    /// Something took longer than the deadline.
    #[error("{what} took longer than {} s", .deadline.as_secs_f32())]
    Deadline {
        /// What took so long.
        what: String,
        /// How long it may take.
        deadline: Duration,
    },
    /// The server ended while it started.
    #[error("the server did not start: {log}")]
    ServerDied {
        /// The end of its log.
        log: String,
    },
    /// The server answered with an error, or not at all.
    #[error("cannot {what}: {}", describe(.source))]
    Sql {
        /// What we were doing.
        what: &'static str,
        /// The driver's error.
        source: tokio_postgres::Error,
    },
    /// The scratch URL cannot be understood or used. The text never holds the URL.
    #[error("cannot use the scratch URL: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// The bundled engine ended while it started.
    #[error("the bundled engine did not start: {reason}")]
    Bundled {
        /// What it said.
        reason: String,
    },
    /// A server of its own was asked for where we cannot start one.
    #[error(
        "a server of its own is needed (the migrations create roles, which all databases of a server share), but {reason}"
    )]
    CannotIsolate {
        /// Why not.
        reason: &'static str,
    },
}

impl StartError {
    /// For `map_err`: an I/O error at `path`.
    pub(super) fn io(what: &'static str, path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { what, path: path.clone(), source }
    }
}

/// Why a database could not be handed out or dropped.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The server refused.
    #[error("cannot {what}: {}", describe(.source))]
    Sql {
        /// What we were doing.
        what: &'static str,
        /// The driver's error.
        source: tokio_postgres::Error,
    },
    /// The server is gone.
    #[error("the disposable server is gone: {reason}")]
    ServerGone {
        /// Why, or the end of its log.
        reason: String,
    },
    /// It took longer than the deadline.
    #[error("could not {what} within {} s", .deadline.as_secs_f32())]
    Deadline {
        /// What took so long.
        what: &'static str,
        /// How long it may take.
        deadline: Duration,
    },
    /// The bundled engine could not be started for this database.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Why an extension could not be created.
#[derive(Debug, thiserror::Error)]
pub enum ExtensionError {
    /// The server does not have it.
    #[error("the server ({engine}) has no extension `{name}`")]
    ExtensionMissing {
        /// The extension's name.
        name: String,
        /// Engine and version.
        engine: String,
    },
    /// Not one that we let the superuser create.
    #[error("extension `{name}` is not among those that trueup creates as superuser")]
    NotAllowed {
        /// The extension's name.
        name: String,
    },
    /// The database has objects of its owner's already, which an extension's script might run as superuser.
    #[error("extension `{name}` has to be created before anything else in the database")]
    NotEmpty {
        /// The extension's name.
        name: String,
    },
    /// It is there, but could not be created (it must be preloaded, another is missing, …).
    #[error("cannot create extension `{name}`: {}", describe(.source))]
    Failed {
        /// The extension's name.
        name: String,
        /// The server's error.
        source: tokio_postgres::Error,
    },
    /// Could not ask the server.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// The server's own words where there are some: the driver prints `db error` and no more.
fn describe(error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(db) => format!("{} (SQLSTATE {})", db.message(), db.code().code()),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
