//! Where a server listens and who connects to it.

use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;

use super::error::SessionError;
use trueup_model::secret::Secret;

/// How to reach a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// The directory that holds the Unix socket `.s.PGSQL.<port>`.
    Socket(PathBuf),
    /// A host name or address.
    Tcp(String),
}

/// Everything needed to open a session, and to cancel what it is doing from a second connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// How to reach the server.
    pub host: Host,
    /// The port, also part of a Unix socket's file name.
    pub port: u16,
    /// The role that logs in.
    pub user: String,
    /// Its password, when the server asks for one.
    pub password: Option<Secret>,
    /// The database.
    pub dbname: String,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
    /// Server settings for the session (`name`, `value`), sent in the startup message.
    pub options: Vec<(String, String)>,
    /// Longest time to connect and log in.
    pub connect_timeout: Duration,
}

impl Endpoint {
    /// A session on a Unix socket, as trueup's disposable servers offer it; 10 s to connect, no password.
    pub fn socket(dir: impl Into<PathBuf>, port: u16, user: impl Into<String>, dbname: impl Into<String>) -> Self {
        Self::new(Host::Socket(dir.into()), port, user, dbname)
    }

    /// A session over TCP; 10 s to connect, no password.
    pub fn tcp(host: impl Into<String>, port: u16, user: impl Into<String>, dbname: impl Into<String>) -> Self {
        Self::new(Host::Tcp(host.into()), port, user, dbname)
    }

    fn new(host: Host, port: u16, user: impl Into<String>, dbname: impl Into<String>) -> Self {
        Self {
            host,
            port,
            user: user.into(),
            password: None,
            dbname: dbname.into(),
            application_name: "trueup".to_owned(),
            options: Vec::new(),
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// Opens the byte stream, before anything of PostgreSQL's protocol is said on it.
    ///
    /// The one place that knows transports: TLS wraps the TCP stream here, for sessions and cancel requests alike.
    pub(super) async fn open(&self, deadline: Instant) -> Result<Box<dyn Stream>, SessionError> {
        let opening = async {
            match &self.host {
                Host::Socket(dir) => {
                    let path = dir.join(format!(".s.PGSQL.{}", self.port));
                    Ok(Box::new(UnixStream::connect(path).await?) as Box<dyn Stream>)
                }
                Host::Tcp(host) => {
                    let stream = TcpStream::connect((host.as_str(), self.port)).await?;
                    stream.set_nodelay(true)?;
                    Ok(Box::new(stream) as Box<dyn Stream>)
                }
            }
        };
        match tokio::time::timeout_at(deadline, opening).await {
            Ok(opened) => opened.map_err(SessionError::Io),
            Err(_) => Err(SessionError::Deadline),
        }
    }
}

/// A byte stream to a server: socket, TCP, or TLS over TCP.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
