//! `tls-server-end-point` (RFC 5929): a hash of the server's certificate that a login can be bound to.

use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::Certificate;
use x509_cert::der::{Decode, oid::ObjectIdentifier};

/// Signature algorithms and the bits of their hash; those with MD5 and SHA-1 count as SHA-256.
const HASHES: &[(&str, u16)] = &[
    ("1.2.840.113549.1.1.4", 256),
    ("1.2.840.113549.1.1.5", 256),
    ("1.2.840.10045.4.1", 256),
    ("1.2.840.113549.1.1.11", 256),
    ("1.2.840.10045.4.3.2", 256),
    ("1.2.840.113549.1.1.12", 384),
    ("1.2.840.10045.4.3.3", 384),
    ("1.2.840.113549.1.1.13", 512),
    ("1.2.840.10045.4.3.4", 512),
];

/// The hash, by the algorithm that signed the certificate; none for algorithms that RFC 5929 gives none (Ed25519).
pub(in crate::session) fn server_end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let parsed = Certificate::from_der(certificate).ok()?;
    let signed_with: ObjectIdentifier = parsed.signature_algorithm.oid;
    let known = HASHES.iter().find(|(oid, _)| ObjectIdentifier::new(oid).is_ok_and(|oid| oid == signed_with));
    Some(match known?.1 {
        256 => Sha256::digest(certificate).to_vec(),
        384 => Sha384::digest(certificate).to_vec(),
        _ => Sha512::digest(certificate).to_vec(),
    })
}
