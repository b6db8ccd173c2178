//! Certificates and keys from files and from the system.

use std::fs;
use std::path::Path;

use pkcs8::EncryptedPrivateKeyInfo;
use pkcs8::der::pem::PemLabel;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use trueup_model::secret::Secret;

use super::{ClientCertificate, TlsError};

fn wrong(path: &Path, why: &dyn std::fmt::Display) -> TlsError {
    TlsError::File { path: path.to_owned(), why: why.to_string() }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| wrong(path, &error))
}

/// All certificates of a PEM file, or the one of a DER file.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(path)?;
    if is_der(&bytes) {
        return Ok(vec![CertificateDer::from(bytes)]);
    }
    let all: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&bytes).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(wrong(path, &"no certificate is in it")),
        Err(error) => Err(wrong(path, &error)),
    }
}

/// What the operating system trusts.
pub(super) fn system() -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let said = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
        return Err(TlsError::NoSystemRoots(said));
    }
    Ok(found.certs)
}

/// A certificate to show, and its key.
pub(super) fn client(
    client: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    refuse_open(&client.key)?;
    let chain = certificates(&client.certificate)?;
    let bytes = read(&client.key)?;
    let key = if is_der(&bytes) {
        der_key(&bytes, client)?
    } else if let Some(encrypted) = encrypted(&client.key, &bytes)? {
        decrypted(&encrypted, client)?
    } else {
        PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| match error {
            pem::Error::NoItemsFound => wrong(&client.key, &"no private key that trueup can read is in it"),
            error => wrong(&client.key, &error),
        })?
    };
    Ok((chain, key))
}

/// A key that others can read is no secret; libpq refuses it too.
#[cfg(unix)]
fn refuse_open(key: &Path) -> Result<(), TlsError> {
    use std::os::unix::fs::MetadataExt;
    let about = fs::metadata(key).map_err(|error| wrong(key, &error))?;
    // Root may share a key with a group, as Debian's ssl-cert does.
    let closed = if about.uid() == 0 { 0o027 } else { 0o077 };
    match about.mode() & closed {
        0 => Ok(()),
        _ => Err(wrong(key, &"others can read this private key: chmod 0600 it, or 0640 when root owns it")),
    }
}

#[cfg(not(unix))]
fn refuse_open(_: &Path) -> Result<(), TlsError> {
    Ok(())
}

/// DER begins with a long SEQUENCE; PEM is text.
fn is_der(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x30, 0x82]) || bytes.starts_with(&[0x30, 0x81])
}

/// PKCS #8 in DER, as the Java driver uses it, encrypted or not.
fn der_key(bytes: &[u8], client: &ClientCertificate) -> Result<PrivateKeyDer<'static>, TlsError> {
    if EncryptedPrivateKeyInfo::try_from(bytes).is_ok() {
        return decrypted(bytes, client);
    }
    PrivateKeyDer::try_from(bytes.to_vec()).map_err(|error| wrong(&client.key, &error))
}

/// The body of an `ENCRYPTED PRIVATE KEY`. OpenSSL's older form of encryption is named.
fn encrypted(path: &Path, bytes: &[u8]) -> Result<Option<Vec<u8>>, TlsError> {
    let text = String::from_utf8_lossy(bytes);
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(wrong(
            path,
            &"this key is encrypted in an old form that trueup cannot read: convert it with openssl pkcs8 -topk8",
        ));
    }
    if !text.contains(EncryptedPrivateKeyInfo::PEM_LABEL) {
        return Ok(None);
    }
    let from = text.find("-----BEGIN ENCRYPTED").unwrap_or(0);
    let (_, document) = pkcs8::der::Document::from_pem(text[from..].trim_end()).map_err(|error| wrong(path, &error))?;
    Ok(Some(document.as_bytes().to_vec()))
}

fn decrypted(bytes: &[u8], client: &ClientCertificate) -> Result<PrivateKeyDer<'static>, TlsError> {
    let password = client.password.as_ref().map(Secret::expose);
    let password = password.ok_or_else(|| wrong(&client.key, &"this key is encrypted: give sslpassword"))?;
    let info = EncryptedPrivateKeyInfo::try_from(bytes).map_err(|error| wrong(&client.key, &error))?;
    let why = "cannot be decrypted: the password is wrong, or its encryption is too old (PBES2 is known)";
    let plain = info.decrypt(password).map_err(|_| wrong(&client.key, &why))?;
    Ok(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(plain.as_bytes().to_vec())))
}
