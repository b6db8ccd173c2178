//! Why there is no TLS, in words for people.

use std::io;
use std::path::PathBuf;

use rustls::CertificateError;

/// Why a connection could not be protected as asked.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The server has no TLS.
    #[error("the server offers no TLS{}", if *.asked { "" } else { UNASKED })]
    NotOffered {
        /// Whether somebody chose a mode.
        asked: bool,
    },
    /// There is nothing to check the server's certificate with.
    #[error("there are no root certificates to check the server's certificate with: name a file in sslrootcert")]
    NoRoots,
    /// Anybody can get a certificate that the system trusts, for a host of their own.
    #[error("sslrootcert=system needs sslmode=verify-full: anybody can get a certificate that the system trusts")]
    SystemRoots,
    /// A file cannot be read or used.
    #[error("{}: {why}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system tells of no certificates.
    #[error("this system has no root certificates{0}: install them (ca-certificates), or name a file in sslrootcert")]
    NoSystemRoots(
        /// What it said, when it said something.
        String,
    ),
    /// Certificate and key do not go together.
    #[error("{} and {} cannot be shown to the server: {why}", .certificate.display(), .key.display())]
    Pair {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
        /// Why.
        why: rustls::Error,
    },
    /// No certificate can be for such a host.
    #[error("`{0}` is neither a host's name nor an address")]
    Name(String),
    /// The library refuses to work.
    #[error("TLS cannot be used: {0}")]
    Unusable(rustls::Error),
    /// The server's certificate is not to be trusted.
    #[error("the certificate of {host} {why}")]
    Certificate {
        /// Of whom.
        host: String,
        /// What is wrong with it.
        why: String,
    },
    /// The handshake failed otherwise.
    #[error("the TLS handshake failed: {0}")]
    Handshake(io::Error),
    /// The server does not know TLS from the first byte.
    #[error("the server does not speak TLS from the first byte (sslnegotiation=direct needs PostgreSQL 17)")]
    Direct,
}

const UNASKED: &str = ": password and data would go over the network in the clear; sslmode=disable allows it";

impl TlsError {
    pub(super) fn handshake(host: &str, error: io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(why)) => {
                Self::Certificate { host: host.to_owned(), why: in_words(why) }
            }
            _ => Self::Handshake(error),
        }
    }
}

fn in_words(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "is not signed by one that is trusted".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "is not valid yet".to_owned(),
        CertificateError::NotValidForName => "is for another host".to_owned(),
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            "names no host: it needs a subject alternative name".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("is for another host: {}", presented.join(", "))
        }
        other => format!("cannot be used: {other}"),
    }
}
