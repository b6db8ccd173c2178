//! Connections to a scratch database: the driver's client for catalogs, our own session for scripts.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};
use trueup_model::secret::Secret;

use crate::session::{Endpoint, Session, SessionError};

pub use tokio_postgres::{Client, Error};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The driver's reason.
    #[error(transparent)]
    Driver(#[from] tokio_postgres::Error),
    /// The session's reason.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// A configuration that names no host: a defect of trueup.
    #[error("the configuration of the scratch database names no host")]
    NoHost,
}

/// Connects the driver's client; its connection is served by a task of its own until the client is dropped.
pub async fn connect(config: &Config) -> Result<Client, ConnectError> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(async move {
        // What breaks the connection is reported to whoever waits for an answer on it.
        let _ = connection.await;
    });
    Ok(client)
}

/// Opens a session for scripts as the same role on the same database.
pub async fn session(config: &Config) -> Result<Session, ConnectError> {
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let user = config.get_user().unwrap_or_default();
    let database = config.get_dbname().unwrap_or(user);
    let mut endpoint = match config.get_hosts().first().ok_or(ConnectError::NoHost)? {
        Host::Tcp(host) => Endpoint::tcp(host.clone(), port, user, database),
        Host::Unix(directory) => Endpoint::socket(PathBuf::from(directory), port, user, database),
    };
    endpoint.password = config.get_password().map(|password| Secret::new(String::from_utf8_lossy(password)));
    endpoint.connect_timeout = Duration::from_secs(30);
    Ok(Session::connect(&endpoint).await?)
}
