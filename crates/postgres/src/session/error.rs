//! What can go wrong with a session as such; a failing statement is not among it.

use std::io;
use std::time::Duration;

use super::outcome::ServerError;
use super::tls::TlsError;

/// Why a session could not be opened or go on.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The byte stream failed.
    #[error("the connection to PostgreSQL failed: {0}")]
    Io(#[from] io::Error),
    /// The server closed the connection; its last words, when it had any.
    #[error("PostgreSQL closed the connection{}", last_words(.0.as_deref()))]
    Closed(Option<Box<ServerError>>),
    /// The connection cannot be protected as it must be.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server asks for the password itself, and what is said leaves the machine in the clear.
    #[error("PostgreSQL asks for the password in the clear, over a connection without TLS; it was not given")]
    ClearPassword,
    /// Channel binding is required, and the server let us in without, or offers none.
    #[error("channel_binding=require, and {0}")]
    Unbound(&'static str),
    /// Nothing was heard for as long as the endpoint allows.
    #[error("no word from PostgreSQL for {} s (socketTimeout)", .0.as_secs())]
    Silent(Duration),
    /// The server refused the login or the database.
    #[error("PostgreSQL refused the connection: {0}")]
    Refused(Box<ServerError>),
    /// The server asks for a password and there is none.
    #[error("PostgreSQL asks for a password and none was given")]
    PasswordNeeded,
    /// The server asks for an authentication that trueup does not speak.
    #[error("PostgreSQL asks for {0} authentication, which trueup does not speak")]
    Authentication(&'static str),
    /// The server said something the protocol does not allow here.
    #[error("unexpected answer from PostgreSQL: {0}")]
    Protocol(String),
    /// The deadline passed.
    #[error("no answer from PostgreSQL in time")]
    Deadline,
    /// The text holds a NUL byte, at this byte offset; the protocol cannot carry one.
    #[error("the text has a NUL byte at offset {0}, which PostgreSQL cannot receive")]
    Nul(usize),
    /// `send_simple` although the window is full: take outcomes first.
    #[error("too much is in flight already")]
    WindowFull,
    /// An outcome was asked for although nothing is in flight.
    #[error("nothing is in flight")]
    NothingInFlight,
}

fn last_words(error: Option<&ServerError>) -> String {
    error.map(|error| format!(": {error}")).unwrap_or_default()
}
