//! Asking the server, on a second connection, to stop what a session is doing.

use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use super::endpoint::Endpoint;
use super::error::SessionError;
use super::tls::Way;

/// Cancels the statement a session is running; may be used while the session is busy elsewhere.
#[derive(Clone, Debug)]
pub struct CancelHandle {
    pub(super) endpoint: Endpoint,
    pub(super) backend_key: (i32, i32),
    /// How the session was reached.
    pub(super) way: Way,
}

/// Longest time one cancel request may take.
const CANCEL_TIME: Duration = Duration::from_secs(5);

impl CancelHandle {
    /// Sends one cancel request and waits until the server has taken it.
    ///
    /// One that arrives between two messages does nothing, so whoever must stop a session repeats it until the
    /// session has nothing in flight.
    pub async fn cancel(&self) -> Result<(), SessionError> {
        let deadline = Instant::now() + CANCEL_TIME;
        let mut stream = self.endpoint.open(self.way, deadline).await?.stream;
        let mut request = BytesMut::new();
        frontend::cancel_request(self.backend_key.0, self.backend_key.1, &mut request);
        let asking = async {
            stream.write_all(request.chunk()).await?;
            stream.flush().await?;
            // The server answers by closing, once the signal is sent; over TLS without a goodbye.
            match stream.read(&mut [0; 16]).await {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            }
        };
        match tokio::time::timeout_at(deadline, asking).await {
            Ok(closed) => Ok(closed.map(drop)?),
            Err(_) => Err(SessionError::Deadline),
        }
    }
}
