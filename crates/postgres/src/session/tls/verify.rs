//! Checks of a server's certificate, as much of them as a mode wants.

use std::sync::Arc;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// How much is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checks {
    /// Only that the server has the key of the certificate it shows.
    Nothing,
    /// That one of ours has signed it.
    Authority,
    /// And that it is for this host.
    Host,
}

#[derive(Debug)]
pub(super) struct Verifier {
    checks: Checks,
    store: RootCertStore,
    /// The same, whole: a server may show one of them itself.
    roots: Vec<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub(super) fn new(checks: Checks, roots: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Self {
        let mut store = RootCertStore::empty();
        // Some that systems have are not understood; what they signed is refused then.
        store.add_parsable_certificates(roots.iter().cloned());
        Self { checks, store, roots, provider }
    }

    fn is_signed(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        // A certificate that signed itself, named as its own root: not a chain, yet trusted as it stands.
        if self.roots.iter().any(|root| root.as_ref() == certificate.as_ref()) {
            return in_time(certificate, now);
        }
        // The library calls it an authority that poses as a server, which helps nobody.
        if signed_itself(certificate)? {
            return Err(CertificateError::UnknownIssuer.into());
        }
        let parsed = ParsedCertificate::try_from(certificate)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.store, intermediates, now, algorithms)
    }
}

fn parsed(certificate: &CertificateDer<'_>) -> Result<Certificate, Error> {
    Certificate::from_der(certificate).map_err(|_| CertificateError::BadEncoding.into())
}

fn signed_itself(certificate: &CertificateDer<'_>) -> Result<bool, Error> {
    let names = parsed(certificate)?.tbs_certificate;
    Ok(names.issuer == names.subject)
}

fn in_time(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let parsed = parsed(certificate)?;
    let (validity, now) = (&parsed.tbs_certificate.validity, Duration::from_secs(now.as_secs()));
    if now < validity.not_before.to_unix_duration() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.to_unix_duration() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.checks != Checks::Nothing {
            self.is_signed(end_entity, intermediates, now)?;
        }
        if self.checks == Checks::Host {
            verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
