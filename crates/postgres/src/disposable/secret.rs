//! Passwords: made up for one run, never printed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use trueup_model::secret::Secret;

/// A password of 128 random bits as hex, with a head that satisfies servers that demand several kinds of characters.
pub(super) fn random() -> Secret {
    Secret::new(format!("Tu-{}", hex(&random_bytes())))
}

/// Eight hex digits that no other run has, for names.
pub(super) fn random_tag() -> String {
    hex(&random_bytes()[..4])
}

fn random_bytes() -> [u8; 16] {
    rand::random()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SCRAM-SHA-256 verifier of `password`, as `CREATE ROLE … PASSWORD` takes it (RFC 5803).
///
/// One iteration only: iterations slow down the guessing of weak passwords, ours are 128 random bits, and the
/// usual 4096 would cost every connection milliseconds.
pub(super) fn scram_verifier(password: &Secret) -> String {
    verifier(password, &random_bytes())
}

fn verifier(password: &Secret, salt: &[u8]) -> String {
    // RFC 5802 Hi() with one iteration is HMAC(password, salt + INT(1)).
    let salted = hmac(password.expose().as_bytes(), &[salt, &1_u32.to_be_bytes()].concat());
    let stored_key = Sha256::digest(hmac(&salted, b"Client Key"));
    let server_key = hmac(&salted, b"Server Key");
    let (salt, stored, server) = (STANDARD.encode(salt), STANDARD.encode(stored_key), STANDARD.encode(server_key));
    format!("SCRAM-SHA-256$1:{salt}${stored}:{server}")
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    // HMAC takes keys of every length; the error type exists for other MACs.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ() {
        assert_ne!(random(), random());
    }
}
