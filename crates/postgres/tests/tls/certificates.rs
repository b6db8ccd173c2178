//! Certificates of every kind, made once, in a folder.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use pkcs8::PrivateKeyInfo;
use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2::Parameters;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, date_time_ymd,
};
use trueup_postgres::session::{Roots, SslMode, Tls};

pub(crate) struct Certificates {
    folder: tempfile::TempDir,
}

impl Certificates {
    /// Made on first use; gone with the machine's temporary files when the process is killed.
    pub(crate) fn made() -> Option<&'static Self> {
        static MADE: OnceLock<Certificates> = OnceLock::new();
        Some(MADE.get_or_init(make))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// This mode, with our authority for a root.
    pub(crate) fn trusting(&self, mode: SslMode) -> Tls {
        Tls { mode: Some(mode), roots: Some(Roots::File(self.path("root.crt"))), ..Tls::OFF }
    }
}

type Authority = CertifiedIssuer<'static, KeyPair>;

/// Signs with SHA-384, so that a binding's hash is another than the usual one.
fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).unwrap()).unwrap()
}

fn params(name: &str, hosts: &[&str]) -> CertificateParams {
    let mut params = CertificateParams::new(hosts.iter().map(|host| (*host).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn make() -> Certificates {
    let made = Certificates { folder: tempfile::tempdir().unwrap() };
    let folder = made.folder.path();
    let (ours, others) = (authority("ours"), authority("others"));
    fs::write(folder.join("root.crt"), ours.pem()).unwrap();
    let both = ["localhost", "127.0.0.1"];
    let mut expired = params("server", &both);
    (expired.not_before, expired.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    signed(folder, "good", &params("server", &both), &ours);
    signed(folder, "other-host", &params("server", &["db.example", "10.1.2.3"]), &ours);
    signed(folder, "name-only", &params("server", &["localhost"]), &ours);
    signed(folder, "expired", &expired, &ours);
    signed(folder, "stranger", &params("server", &both), &others);
    let key = KeyPair::generate().unwrap();
    // As `openssl req -x509` makes it: an authority, and the server itself.
    let mut itself = params("server", &both);
    itself.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    put(folder, "itself", &itself.self_signed(&key).unwrap().pem(), &key);
    let key = signed(folder, "client", &params("postgres", &[]), &ours);
    keys(folder, &key);
    made
}

fn signed(folder: &Path, name: &str, params: &CertificateParams, by: &Authority) -> KeyPair {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    put(folder, name, &params.signed_by(&key, by).unwrap().pem(), &key);
    key
}

fn put(folder: &Path, name: &str, certificate: &str, key: &KeyPair) {
    fs::write(folder.join(format!("{name}.crt")), certificate).unwrap();
    closed(&folder.join(format!("{name}.key")), key.serialize_pem().as_bytes());
}

fn closed(path: &Path, content: &[u8]) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// The same key in the forms that people keep keys in.
fn keys(folder: &Path, key: &KeyPair) {
    closed(&folder.join("client.pk8"), &key.serialize_der());
    closed(&folder.join("none.key"), &fs::read(folder.join("client.crt")).unwrap());
    fs::write(folder.join("open.key"), key.serialize_pem()).unwrap();
    fs::set_permissions(folder.join("open.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let der = key.serialize_der();
    let parameters = Parameters::pbkdf2_sha256_aes256cbc(2048, b"saltsalt", &[7; 16]).unwrap();
    let encrypted = PrivateKeyInfo::try_from(der.as_slice()).unwrap().encrypt_with_params(parameters, "opensesame");
    let encrypted = encrypted.unwrap();
    closed(&folder.join("encrypted.pk8"), encrypted.as_bytes());
    let pem = encrypted.to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF).unwrap();
    closed(&folder.join("encrypted.key"), pem.as_bytes());
}
