//! Several servers, one of which is wanted: tried in order, and again after a while.

use std::time::Duration;

use tokio::time::sleep;

use super::Session;
use super::endpoint::Endpoint;
use super::error::SessionError;
use super::tls::TlsError;

/// What a server must be to be the one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// Whatever answers.
    #[default]
    Any,
    /// One that writes are allowed on.
    ReadWrite,
    /// One that writes are not allowed on.
    ReadOnly,
    /// Not a standby.
    Primary,
    /// A standby.
    Standby,
    /// A standby, or else whatever answers.
    PreferStandby,
    /// One that writes are allowed on, or else whatever answers.
    PreferReadWrite,
    /// One that writes are not allowed on, or else whatever answers.
    PreferReadOnly,
}

impl Target {
    /// The wish with nothing to fall back on, and whether there is a fallback.
    fn strict(self) -> (Self, bool) {
        match self {
            Self::PreferStandby => (Self::Standby, true),
            Self::PreferReadWrite => (Self::ReadWrite, true),
            Self::PreferReadOnly => (Self::ReadOnly, true),
            strict => (strict, false),
        }
    }
}

/// Where a database may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servers {
    /// In the order in which they are tried; at least one.
    pub endpoints: Vec<Endpoint>,
    /// Which of them will do.
    pub target: Target,
    /// How often all are tried again when none answers.
    pub retries: u32,
    /// The longest wait between tries; the first is a second, and each is twice the one before.
    pub longest_wait: Duration,
}

impl From<Endpoint> for Servers {
    fn from(endpoint: Endpoint) -> Self {
        Self { endpoints: vec![endpoint], target: Target::Any, retries: 0, longest_wait: Duration::from_secs(120) }
    }
}

/// Why a server is not the one.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// There is no session with it.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// It is not what is wanted.
    #[error("it is {0}")]
    Is(&'static str),
}

/// No server will do: each that was tried, and why not.
#[derive(Debug)]
pub struct NoServer(pub Vec<(String, Unfit)>);

impl std::error::Error for NoServer {}

impl std::fmt::Display for NoServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let [(server, why)] = self.0.as_slice() {
            return write!(f, "{server}: {why}");
        }
        write!(f, "none of {} servers will do", self.0.len())?;
        self.0.iter().try_for_each(|(server, why)| write!(f, "\n  {server}: {why}"))
    }
}

impl NoServer {
    /// Whether the same may go well in a while.
    fn may_pass(&self) -> bool {
        self.0.iter().any(|(_, why)| match why {
            Unfit::Is(_) => true,
            Unfit::Session(error) => may_pass(error),
        })
    }
}

fn may_pass(error: &SessionError) -> bool {
    match error {
        SessionError::Io(_) | SessionError::Closed(_) | SessionError::Deadline | SessionError::Silent(_) => true,
        SessionError::Tls(TlsError::Handshake(_)) => true,
        // A wrong password is not tried again: servers count, and lock people out.
        SessionError::Refused(error) => error.sqlstate != "28P01",
        _ => false,
    }
}

impl Servers {
    /// The first server that will do; tries again as often as it may, and tells before each wait.
    ///
    /// # Errors
    /// None will do.
    pub async fn connect(&self, tell: &mut (dyn FnMut(&NoServer, Duration) + Send)) -> Result<Session, NoServer> {
        let mut wait = Duration::from_secs(1).min(self.longest_wait);
        for _ in 0..self.retries {
            match self.connect_once().await {
                Err(none) if none.may_pass() => tell(&none, wait),
                ended => return ended,
            }
            sleep(wait).await;
            wait = wait.saturating_mul(2).min(self.longest_wait);
        }
        self.connect_once().await
    }

    async fn connect_once(&self) -> Result<Session, NoServer> {
        let (wanted, or_any) = self.target.strict();
        let mut none = NoServer(Vec::new());
        let mut second_best = None;
        for endpoint in &self.endpoints {
            let why = match session(endpoint, wanted).await {
                Ok((session, None)) => return Ok(session),
                Ok((session, Some(_))) if or_any && second_best.is_none() => {
                    second_best = Some(session);
                    continue;
                }
                Ok((session, Some(is))) => {
                    session.close().await;
                    Unfit::Is(is)
                }
                Err(error) => Unfit::Session(error),
            };
            none.0.push((endpoint.place(), why));
        }
        second_best.ok_or(none)
    }
}

/// A session, and what the server is when it is not what is wanted.
async fn session(endpoint: &Endpoint, wanted: Target) -> Result<(Session, Option<&'static str>), SessionError> {
    let mut session = Session::connect(endpoint).await?;
    if wanted == Target::Any {
        return Ok((session, None));
    }
    let deadline = tokio::time::Instant::now() + endpoint.connect_timeout;
    session.set_deadline(Some(deadline));
    let (standby, read_only) = state(&mut session).await?;
    session.set_deadline(None);
    let is = match wanted {
        Target::ReadWrite if standby => Some("a standby, which nothing can be written to"),
        Target::ReadWrite if read_only => Some("read-only by default"),
        Target::ReadOnly if !standby && !read_only => Some("open for writes"),
        Target::Primary if standby => Some("a standby"),
        Target::Standby if !standby => Some("not a standby"),
        _ => None,
    };
    Ok((session, is))
}

/// Whether it is a standby, and whether transactions are read-only: as it reported with the login (PostgreSQL 14), or
/// asked.
async fn state(session: &mut Session) -> Result<(bool, bool), SessionError> {
    let reported = |name: &str| session.parameter(name).map(|value| value == "on");
    if let (Some(standby), Some(read_only)) = (reported("in_hot_standby"), reported("default_transaction_read_only")) {
        return Ok((standby, read_only));
    }
    let outcome = session
        .query("SELECT pg_catalog.pg_is_in_recovery(),pg_catalog.current_setting('transaction_read_only')")
        .await?;
    if let Some(error) = outcome.error {
        return Err(SessionError::Refused(Box::new(error)));
    }
    match outcome.rows.first().map(Vec::as_slice) {
        Some([Some(standby), Some(read_only)]) => Ok((standby == "t", read_only == "on")),
        _ => Err(SessionError::Protocol("no answer to what the server is".to_owned())),
    }
}
