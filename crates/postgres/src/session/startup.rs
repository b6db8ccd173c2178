//! Logging in: the startup message and trust, clear-text, MD5 and SCRAM-SHA-256 authentication.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::frontend;

use super::Session;
use super::endpoint::Endpoint;
use super::error::SessionError;
use super::outcome::ServerError;
use super::tls::{ChannelBinding, Protection, SslMode, server_end_point};
use super::wire::Frame;

/// How far a login has come.
#[derive(Default)]
struct Login {
    /// From its first message to its last.
    scram: Option<sasl::ScramSha256>,
    /// What the login can be bound to.
    end_point: Option<Vec<u8>>,
    /// Whether it is being bound.
    binding: bool,
    /// Whether it was, and the server has proved that it knows us.
    bound: bool,
}

impl Session {
    /// Says hello, answers what the server asks, and waits until it is ready for queries.
    ///
    /// `certificate` is the server's, in DER, when there is TLS.
    pub(super) async fn log_in(&mut self, certificate: Option<&[u8]>) -> Result<(), SessionError> {
        let endpoint = self.endpoint.clone();
        self.send_startup(&endpoint)?;
        let mut login = Login { end_point: certificate.and_then(server_end_point), ..Login::default() };
        loop {
            let Frame { tag, mut body } = self.next_frame().await?;
            match tag {
                b'R' => self.authenticate(&endpoint, &mut body, &mut login)?,
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

    /// Answers one authentication request.
    fn authenticate(&mut self, endpoint: &Endpoint, body: &mut Bytes, login: &mut Login) -> Result<(), SessionError> {
        if body.len() < 4 {
            return Err(SessionError::Protocol("an authentication request without a kind".to_owned()));
        }
        let request = body.get_u32();
        let required = endpoint.tls.channel_binding == ChannelBinding::Require;
        match request {
            // The server has left out its own proof.
            0 if login.scram.is_some() => Err(unexpected(b'R', "logging in")),
            0 if required && !login.bound => Err(SessionError::Unbound("the server let us in without it")),
            0 => Ok(()),
            3 | 5 if required => Err(SessionError::Unbound("the server asks for a password that cannot be bound")),
            3 => {
                self.refuse_to_tell(endpoint)?;
                let password = password(endpoint)?;
                self.put(|out| frontend::password_message(password, out))
            }
            5 if body.len() >= 4 => {
                let salt = body.get_u32().to_be_bytes();
                let hash = md5_hash(endpoint.user.as_bytes(), password(endpoint)?, salt);
                self.put(|out| frontend::password_message(hash.as_bytes(), out))
            }
            10 => {
                let (mechanism, started) = start_scram(endpoint, body, login)?;
                self.put(|out| frontend::sasl_initial_response(mechanism, started.message(), out))?;
                login.scram = Some(started);
                Ok(())
            }
            11 => {
                let scram = login.scram.as_mut().ok_or_else(|| unexpected(b'R', "logging in"))?;
                scram.update(body)?;
                self.put(|out| frontend::sasl_response(scram.message(), out))
            }
            12 => {
                let mut scram = login.scram.take().ok_or_else(|| unexpected(b'R', "logging in"))?;
                scram.finish(body)?;
                login.bound = login.binding;
                Ok(())
            }
            other => Err(SessionError::Authentication(kind(other))),
        }
    }

    /// A password leaves the machine in the clear only when somebody said `sslmode=disable`.
    fn refuse_to_tell(&self, endpoint: &Endpoint) -> Result<(), SessionError> {
        let said = endpoint.tls.mode == Some(SslMode::Disable);
        let safe = self.protection() != Protection::None || endpoint.host.is_local() || said;
        if safe { Ok(()) } else { Err(SessionError::ClearPassword) }
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

/// Chooses among the mechanisms that the server offers, with the binding that goes with it.
fn start_scram(
    endpoint: &Endpoint,
    mechanisms: &[u8],
    login: &mut Login,
) -> Result<(&'static str, sasl::ScramSha256), SessionError> {
    let offered = |wanted: &str| mechanisms.split(|&byte| byte == 0).any(|name| name == wanted.as_bytes());
    let wanted = endpoint.tls.channel_binding;
    let end_point = login.end_point.take().filter(|_| wanted != ChannelBinding::Disable);
    let (mechanism, binding) = match end_point {
        Some(end_point) if offered(sasl::SCRAM_SHA_256_PLUS) => {
            login.binding = true;
            (sasl::SCRAM_SHA_256_PLUS, sasl::ChannelBinding::tls_server_end_point(end_point))
        }
        _ if wanted == ChannelBinding::Require => {
            return Err(SessionError::Unbound("the server, or the connection, offers none"));
        }
        // Says that we could have: a server that offered it then knows that somebody took the offer away.
        Some(_) => (sasl::SCRAM_SHA_256, sasl::ChannelBinding::unrequested()),
        None => (sasl::SCRAM_SHA_256, sasl::ChannelBinding::unsupported()),
    };
    if mechanism == sasl::SCRAM_SHA_256 && !offered(mechanism) {
        return Err(SessionError::Authentication("an unknown SASL"));
    }
    Ok((mechanism, sasl::ScramSha256::new(password(endpoint)?, binding)))
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
