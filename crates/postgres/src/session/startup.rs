//! Logging in: the startup message and trust, clear-text, MD5 and SCRAM-SHA-256 authentication.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::frontend;

use super::Session;
use super::endpoint::Endpoint;
use super::error::SessionError;
use super::outcome::ServerError;
use super::wire::Frame;

impl Session {
    /// Says hello, answers what the server asks, and waits until it is ready for queries.
    pub(super) async fn log_in(&mut self) -> Result<(), SessionError> {
        let endpoint = self.endpoint.clone();
        self.send_startup(&endpoint)?;
        let mut scram = None;
        loop {
            let Frame { tag, mut body } = self.next_frame().await?;
            match tag {
                b'R' => self.authenticate(&endpoint, &mut body, &mut scram)?,
                b'K' if body.len() >= 8 => self.backend_key = (body.get_i32(), body.get_i32()),
                b'E' => return Err(SessionError::Refused(Box::new(ServerError::from_body(&body)))),
                b'Z' => return self.note_status(&body),
                b'S' => self.note_parameter(&body),
                // Notices of the login, and protocol negotiation that asks for nothing.
                b'N' | b'v' => {}
                _ => return Err(unexpected(tag, "logging in")),
            }
        }
    }

    fn send_startup(&mut self, endpoint: &Endpoint) -> Result<(), SessionError> {
        let mut parameters = vec![
            ("client_encoding", "UTF8"),
            ("user", endpoint.user.as_str()),
            ("database", endpoint.dbname.as_str()),
            ("application_name", endpoint.application_name.as_str()),
        ];
        parameters.extend(endpoint.options.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        self.put(|out| frontend::startup_message(parameters, out))
    }

    /// Answers one authentication request; `scram` lives from its first message to its last.
    fn authenticate(
        &mut self,
        endpoint: &Endpoint,
        body: &mut Bytes,
        scram: &mut Option<sasl::ScramSha256>,
    ) -> Result<(), SessionError> {
        if body.len() < 4 {
            return Err(SessionError::Protocol("an authentication request without a kind".to_owned()));
        }
        match body.get_u32() {
            0 => Ok(()),
            3 => {
                let password = password(endpoint)?;
                self.put(|out| frontend::password_message(password, out))
            }
            5 if body.len() >= 4 => {
                let salt = body.get_u32().to_be_bytes();
                let hash = md5_hash(endpoint.user.as_bytes(), password(endpoint)?, salt);
                self.put(|out| frontend::password_message(hash.as_bytes(), out))
            }
            10 => {
                let started = start_scram(endpoint, body)?;
                self.put(|out| frontend::sasl_initial_response(sasl::SCRAM_SHA_256, started.message(), out))?;
                *scram = Some(started);
                Ok(())
            }
            11 => {
                let scram = scram.as_mut().ok_or_else(|| unexpected(b'R', "logging in"))?;
                scram.update(body)?;
                self.put(|out| frontend::sasl_response(scram.message(), out))
            }
            12 => {
                let mut scram = scram.take().ok_or_else(|| unexpected(b'R', "logging in"))?;
                Ok(scram.finish(body)?)
            }
            other => Err(SessionError::Authentication(kind(other))),
        }
    }

    /// Queues one message; a NUL in a parameter is the caller's mistake and leaves nothing queued.
    fn put(&mut self, write: impl FnOnce(&mut BytesMut) -> io::Result<()>) -> Result<(), SessionError> {
        let mut message = BytesMut::new();
        write(&mut message)?;
        self.wire.out.extend_from_slice(&message);
        Ok(())
    }
}

fn password(endpoint: &Endpoint) -> Result<&[u8], SessionError> {
    endpoint.password.as_ref().map(|secret| secret.expose().as_bytes()).ok_or(SessionError::PasswordNeeded)
}

fn start_scram(endpoint: &Endpoint, mechanisms: &[u8]) -> Result<sasl::ScramSha256, SessionError> {
    let offered = mechanisms.split(|&byte| byte == 0).any(|name| name == sasl::SCRAM_SHA_256.as_bytes());
    if !offered {
        return Err(SessionError::Authentication("an unknown SASL"));
    }
    Ok(sasl::ScramSha256::new(password(endpoint)?, sasl::ChannelBinding::unsupported()))
}

/// The name of an authentication request, from the protocol's list.
fn kind(request: u32) -> &'static str {
    match request {
        2 => "Kerberos V5",
        6 => "SCM credential",
        7 | 8 => "GSSAPI",
        9 => "SSPI",
        _ => "an unknown",
    }
}

pub(super) fn unexpected(tag: u8, during: &str) -> SessionError {
    SessionError::Protocol(format!("message '{}' while {during}", tag.escape_ascii()))
}
