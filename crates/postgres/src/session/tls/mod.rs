//! TLS on a connection to a server, with libpq's modes and their meaning.

mod binding;
mod error;
mod files;
mod verify;

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use trueup_model::secret::Secret;

pub(super) use binding::server_end_point;
pub use error::TlsError;
use verify::{Checks, Verifier};

/// What protects a connection, as libpq's `sslmode` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SslMode {
    /// No TLS.
    Disable,
    /// TLS only where the server refuses to do without.
    Allow,
    /// TLS where the server has it.
    Prefer,
    /// TLS. Who answers is checked only when there are root certificates.
    Require,
    /// TLS, and the server's certificate is signed by one of the root certificates.
    VerifyCa,
    /// As [`SslMode::VerifyCa`], and the certificate is for this host.
    VerifyFull,
}

impl SslMode {
    /// All, as libpq and the Java driver write them.
    pub const NAMES: [(&str, Self); 6] = [
        ("disable", Self::Disable),
        ("allow", Self::Allow),
        ("prefer", Self::Prefer),
        ("require", Self::Require),
        ("verify-ca", Self::VerifyCa),
        ("verify-full", Self::VerifyFull),
    ];

    /// Reads a mode.
    pub fn parse(text: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode)
    }
}

/// Which certificates may sign a server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Roots {
    /// Those in a PEM file.
    File(PathBuf),
    /// Those that the operating system trusts.
    System,
}

/// A certificate to show the server, and the key that belongs to it: PEM files, or DER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, with those between it and its root behind it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// What an encrypted key (PKCS #8) opens with.
    pub password: Option<Secret>,
}

/// Whether a login must be bound to the TLS connection that it goes over, so that nobody can pass it on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelBinding {
    /// Never.
    Disable,
    /// Where the server offers it.
    #[default]
    Prefer,
    /// Always: any other login is refused.
    Require,
}

impl ChannelBinding {
    /// Reads what libpq and the Java driver write.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "disable" => Some(Self::Disable),
            "prefer" => Some(Self::Prefer),
            "require" => Some(Self::Require),
            _ => None,
        }
    }
}

/// How a connection is to be protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The mode; `None` when nobody chose one. Then a server on another machine must have TLS, and one on this machine
    /// is asked for it.
    pub mode: Option<SslMode>,
    /// What may sign the server's certificate. Without any, [`SslMode::VerifyFull`] trusts what the system trusts.
    pub roots: Option<Roots>,
    /// What we show the server.
    pub client: Option<ClientCertificate>,
    /// Whether logins are bound to the connection.
    pub channel_binding: ChannelBinding,
    /// TLS from the first byte, without asking for it (PostgreSQL 17).
    pub direct: bool,
}

impl Tls {
    /// No TLS at all.
    pub const OFF: Self = Self {
        mode: Some(SslMode::Disable),
        roots: None,
        client: None,
        channel_binding: ChannelBinding::Prefer,
        direct: false,
    };
}

/// What protects an open connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Nothing: a socket of this machine, or the network in the clear.
    None,
    /// Encrypted; who answers was not checked.
    Encrypted,
    /// Encrypted, and the server's certificate is signed by one that is trusted.
    Authority,
    /// Encrypted, and the server's certificate is signed by one that is trusted, for this host.
    Host,
}

/// How one attempt to connect deals with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Plain,
    Tls,
    /// Whichever the server has.
    TlsOrPlain,
}

impl Tls {
    /// What to try, in order. `local`: the server is on this machine.
    pub(super) fn ways(&self, local: bool) -> &'static [Way] {
        match self.mode {
            Some(SslMode::Disable) => &[Way::Plain],
            Some(SslMode::Allow) => &[Way::Plain, Way::Tls],
            Some(SslMode::Prefer) => &[Way::TlsOrPlain, Way::Plain],
            None if local => &[Way::TlsOrPlain, Way::Plain],
            None | Some(_) => &[Way::Tls],
        }
    }

    fn checks(&self) -> (Checks, Protection) {
        let mode = self.mode.unwrap_or(SslMode::Prefer);
        match mode {
            SslMode::VerifyFull => (Checks::Host, Protection::Host),
            SslMode::VerifyCa => (Checks::Authority, Protection::Authority),
            // With root certificates at hand, libpq uses them.
            SslMode::Require if self.roots.is_some() => (Checks::Authority, Protection::Authority),
            _ => (Checks::Nothing, Protection::Encrypted),
        }
    }

    fn config(&self, checks: Checks) -> Result<ClientConfig, TlsError> {
        // Named here and never taken from the process, where two libraries may have put two.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier = self.verifier(checks, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match &self.client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let (chain, key) = files::client(client)?;
                let refused =
                    |why| TlsError::Pair { certificate: client.certificate.clone(), key: client.key.clone(), why };
                builder.with_client_auth_cert(chain, key).map_err(refused)?
            }
        };
        if self.direct {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
        Ok(config)
    }

    fn verifier(&self, checks: Checks, provider: &Arc<CryptoProvider>) -> Result<Verifier, TlsError> {
        let roots = match (checks, &self.roots) {
            (Checks::Nothing, _) => Vec::new(),
            (_, Some(Roots::File(path))) => files::certificates(path)?,
            (Checks::Authority, None) => return Err(TlsError::NoRoots),
            (Checks::Authority, Some(Roots::System)) => return Err(TlsError::SystemRoots),
            (Checks::Host, Some(Roots::System) | None) => files::system()?,
        };
        Ok(Verifier::new(checks, roots, Arc::clone(provider)))
    }
}

/// What came of asking a server for TLS.
pub(super) enum Negotiated {
    Tls(Box<TlsStream<TcpStream>>, Protection),
    /// The server has none.
    Plain(TcpStream),
}

/// The request for TLS, as the protocol has it.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Asks for TLS and shakes hands.
pub(super) async fn negotiate(tls: &Tls, host: &str, mut stream: TcpStream) -> Result<Negotiated, super::SessionError> {
    let (checks, protection) = tls.checks();
    let config = tls.config(checks)?;
    let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Name(host.to_owned()))?;
    if !tls.direct {
        stream.write_all(&SSL_REQUEST).await?;
        // One byte and no more: whatever follows an `S` in the clear would be somebody else's.
        match stream.read_u8().await? {
            b'S' => {}
            b'N' => return Ok(Negotiated::Plain(stream)),
            other => return Err(super::startup::unexpected(other, "asking for TLS")),
        }
    }
    let connector = TlsConnector::from(Arc::new(config));
    let stream = connector.connect(name, stream).await.map_err(|error| TlsError::handshake(host, error))?;
    let agreed = stream.get_ref().1.alpn_protocol();
    if tls.direct && agreed != Some(b"postgresql") {
        return Err(TlsError::Direct.into());
    }
    Ok(Negotiated::Tls(Box::new(stream), protection))
}

/// The server's own certificate, in DER.
pub(super) fn server_certificate(stream: &TlsStream<TcpStream>) -> Option<Vec<u8>> {
    let certificates = stream.get_ref().1.peer_certificates()?;
    certificates.first().map(|certificate| certificate.to_vec())
}
