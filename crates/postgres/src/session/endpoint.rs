//! Where a server listens and who connects to it.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;

use super::error::SessionError;
use super::tls::{self, Negotiated, Protection, Tls, TlsError, Way};
use trueup_model::secret::Secret;

/// How to reach a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// The directory that holds the Unix socket `.s.PGSQL.<port>`.
    Socket(PathBuf),
    /// A host name or address.
    Tcp(String),
}

impl Host {
    /// Whether nothing that is said to it leaves this machine.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Socket(_) => true,
            Self::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
        }
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Socket(directory) => write!(f, "{}", directory.display()),
            Self::Tcp(name) => f.write_str(name),
        }
    }
}

/// How a TCP connection notices that the other side is gone; `None` is what the operating system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tcp {
    /// Whether it asks the other side now and then whether it is there.
    pub keepalive: bool,
    /// After how long without traffic.
    pub idle: Option<Duration>,
    /// How long between questions.
    pub interval: Option<Duration>,
    /// How many questions without an answer.
    pub retries: Option<u32>,
    /// How long what was sent may stay unacknowledged.
    pub user_timeout: Option<Duration>,
}

impl Default for Tcp {
    fn default() -> Self {
        Self { keepalive: true, idle: None, interval: None, retries: None, user_timeout: None }
    }
}

impl Tcp {
    fn apply(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let socket = SockRef::from(stream);
        socket.set_keepalive(self.keepalive)?;
        let mut times = TcpKeepalive::new();
        times = self.idle.map_or(times.clone(), |idle| times.with_time(idle));
        times = self.interval.map_or(times.clone(), |interval| times.with_interval(interval));
        times = self.retries.map_or(times.clone(), |retries| times.with_retries(retries));
        if self.keepalive && (self.idle, self.interval, self.retries) != (None, None, None) {
            socket.set_tcp_keepalive(&times)?;
        }
        #[cfg(target_os = "linux")]
        socket.set_tcp_user_timeout(self.user_timeout)?;
        Ok(())
    }
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
    /// Longest time without a word from the server while an answer is awaited; a long statement says none.
    pub silence: Option<Duration>,
    /// What protects a TCP connection; sockets need nothing.
    pub tls: Tls,
    /// How a TCP connection is kept alive.
    pub tcp: Tcp,
}

impl Endpoint {
    /// A session on a Unix socket, as trueup's disposable servers offer it; 10 s to connect, no password.
    pub fn socket(dir: impl Into<PathBuf>, port: u16, user: impl Into<String>, dbname: impl Into<String>) -> Self {
        Self::new(Host::Socket(dir.into()), port, user, dbname)
    }

    /// A session over TCP, in the clear; 10 s to connect, no password.
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
            silence: None,
            tls: Tls::OFF,
            tcp: Tcp::default(),
        }
    }

    /// Host and port, for people.
    pub fn place(&self) -> String {
        match &self.host {
            Host::Tcp(name) if name.contains(':') => format!("[{name}]:{}", self.port),
            host => format!("{host}:{}", self.port),
        }
    }

    /// What to try, in order.
    pub(super) fn ways(&self) -> &'static [Way] {
        match self.host {
            Host::Socket(_) => &[Way::Plain],
            Host::Tcp(_) => self.tls.ways(self.host.is_local()),
        }
    }

    /// Opens the byte stream, before anything of PostgreSQL's protocol is said on it.
    ///
    /// The one place that knows transports: TLS wraps the TCP stream here, for sessions and cancel requests alike.
    pub(super) async fn open(&self, way: Way, deadline: Instant) -> Result<Opened, SessionError> {
        match tokio::time::timeout_at(deadline, self.transport(way)).await {
            Ok(opened) => opened,
            Err(_) => Err(SessionError::Deadline),
        }
    }

    async fn transport(&self, way: Way) -> Result<Opened, SessionError> {
        let host = match &self.host {
            Host::Socket(dir) => {
                let path = dir.join(format!(".s.PGSQL.{}", self.port));
                return Ok(Opened::plain(UnixStream::connect(path).await?));
            }
            Host::Tcp(host) => host.as_str(),
        };
        let stream = TcpStream::connect((host, self.port)).await?;
        self.tcp.apply(&stream)?;
        if way == Way::Plain {
            return Ok(Opened::plain(stream));
        }
        match tls::negotiate(&self.tls, host, stream).await? {
            Negotiated::Tls(stream, protection) => {
                Ok(Opened { certificate: tls::server_certificate(&stream), stream: Box::new(stream), protection })
            }
            Negotiated::Plain(stream) if way == Way::TlsOrPlain => Ok(Opened::plain(stream)),
            Negotiated::Plain(_) => Err(TlsError::NotOffered { asked: self.tls.mode.is_some() }.into()),
        }
    }
}

/// An open stream, and what is known about it.
pub(super) struct Opened {
    pub(super) stream: Box<dyn Stream>,
    pub(super) protection: Protection,
    /// The server's certificate, in DER.
    pub(super) certificate: Option<Vec<u8>>,
}

impl Opened {
    fn plain(stream: impl Stream + 'static) -> Self {
        Self { stream: Box::new(stream), protection: Protection::None, certificate: None }
    }
}

/// A byte stream to a server: socket, TCP, or TLS over TCP.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}
