//! A server that speaks TLS.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use trueup_postgres::session::{Endpoint, Tls};
use trueup_testkit::{Psql, Server, skipped};

use super::certificates::Certificates;

pub(crate) struct Secure(Server);

impl Secure {
    /// Of the newest major that is certain to be there, with one of the certificates.
    pub(crate) fn start(certificates: &Certificates, name: &str, hba: &str) -> Option<Self> {
        Self::start_major(15, certificates, name, hba)
    }

    pub(crate) fn start_major(major: u16, certificates: &Certificates, name: &str, hba: &str) -> Option<Self> {
        let server = Self::of(major)?;
        let data = server.configure(hba);
        for (from, to) in [
            (format!("{name}.crt"), "server.crt"),
            (format!("{name}.key"), "server.key"),
            ("root.crt".to_owned(), "root.crt"),
        ] {
            give(&certificates.path(&from), &data.join(to));
        }
        server.psql("ALTER SYSTEM SET ssl_ca_file = 'root.crt';");
        server.psql("ALTER SYSTEM SET ssl = on;");
        server.psql("SELECT pg_reload_conf();");
        server.wait_for("SHOW ssl", "on");
        Some(server)
    }

    /// Without TLS.
    pub(crate) fn plain(hba: &str) -> Option<Self> {
        let server = Self::of(15)?;
        server.configure(hba);
        server.psql("SELECT pg_reload_conf();");
        server.wait_for("SELECT count(*) FROM pg_hba_file_rules", &(hba.lines().count() + 1).to_string());
        Some(server)
    }

    fn of(major: u16) -> Option<Self> {
        match Server::start_with_tcp(major) {
            Ok(server) => Some(Self(server)),
            Err(error) => {
                skipped(&error.to_string());
                None
            }
        }
    }

    /// Writes `pg_hba.conf`; gives the data directory.
    fn configure(&self, hba: &str) -> PathBuf {
        let file = PathBuf::from(self.psql("SHOW hba_file"));
        fs::write(&file, format!("local all all trust\n{hba}\n")).unwrap();
        file.parent().unwrap().to_owned()
    }

    /// The postmaster takes new settings when it gets to it.
    fn wait_for(&self, question: &str, answer: &str) {
        for _ in 0..500 {
            if self.psql(question) == answer {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        panic!("{question} never became {answer}");
    }

    pub(crate) fn psql(&self, sql: &str) -> String {
        Psql::new(self.0.conninfo("postgres")).run(sql).unwrap()
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }

    /// Over TCP, as the superuser.
    pub(crate) fn endpoint(&self, tls: Tls) -> Endpoint {
        Endpoint { tls, ..Endpoint::tcp("127.0.0.1", self.port(), "postgres", "postgres") }
    }
}

/// Copies a file to whom the folder belongs, closed to others.
fn give(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
    fs::set_permissions(to, fs::Permissions::from_mode(0o600)).unwrap();
    let owner = fs::metadata(to.parent().unwrap()).unwrap();
    chown(to, Some(owner.uid()), Some(owner.gid())).unwrap();
}
