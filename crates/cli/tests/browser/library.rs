//! The brownfield example as a repository of its own, with a check, and with two environments that `trueup migrate` filled
//! and `trueup info` recorded.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use trueup_testkit::{Server, skipped};

use crate::portals::trueup;

/// The major that the example says it is on.
const MAJOR: u16 = 15;

const SERVICES: [&str; 3] = ["svc-lending", "svc-members", "svc-fines"];

/// A copy of the example, removed when dropped, and what is known about it.
pub(crate) struct Library {
    folder: tempfile::TempDir,
    /// Arguments of `portal build` that say what is true.
    pub(crate) truth: Vec<String>,
}

impl Library {
    pub(crate) fn new() -> Self {
        let mut library = Self { folder: tempfile::tempdir().unwrap(), truth: Vec::new() };
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/brownfield");
        copy(&example, &library.root());
        for arguments in [
            &["init", "--quiet", "--initial-branch", "main"][..],
            &["remote", "add", "origin", "https://github.com/acme/library.git"],
            &["add", "."],
            &["commit", "--quiet", "-m", "The library"],
            &["update-ref", "refs/remotes/origin/main", "HEAD"],
        ] {
            library.git(arguments);
        }
        match Server::start_with_tcp(MAJOR) {
            Ok(server) => library.learn(&server),
            Err(_) => skipped("the pages are without a report: there is no PostgreSQL 15 on this machine"),
        }
        library
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("library")
    }

    /// Deploys the first migrations to production and all of them to dev, adds one that is merged nowhere, and checks.
    fn learn(&mut self, server: &Server) {
        for (environment, versions) in [("dev", 9), ("prod", 1)] {
            for service in SERVICES {
                // Its second migration runs on no database that has nothing else in it.
                let versions = if service == "svc-fines" { 1 } else { versions };
                self.deploy(server, environment, service, versions);
            }
        }
        let folder = self.root().join(migrations("svc-members"));
        let text = "alter table members.cards add column blocked boolean not null default false;\n";
        std::fs::write(folder.join("V3__blocked_cards.sql"), text).unwrap();
        let code = self.trueup(&["check", "--format", "json", "--output", "report.json"], None);
        assert_eq!(code, 1, "the example is known to differ");
        let truth =
            ["--report", "report.json", "--environment", "dev=records/dev", "--environment", "prod=records/prod"];
        self.truth = truth.map(str::to_owned).to_vec();
    }

    fn deploy(&self, server: &Server, environment: &str, service: &str, versions: usize) {
        let conninfo = server.database().unwrap();
        let database = conninfo.rsplit("dbname=").next().unwrap();
        let url = format!("jdbc:postgresql://127.0.0.1:{}/{database}", server.port());
        let location = self.folder.path().join(environment).join(service);
        std::fs::create_dir_all(&location).unwrap();
        let mut files: Vec<_> = std::fs::read_dir(self.root().join(migrations(service)))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for file in files.iter().take(versions) {
            std::fs::copy(file, location.join(file.file_name().unwrap())).unwrap();
        }
        let place = ["--url", &url, "--user", "postgres", "--location", location.to_str().unwrap()];
        assert_eq!(self.trueup(&[&["migrate"], &place[..]].concat(), None), 0, "{service} in {environment}");
        let record = self.root().join("records").join(environment).join(format!("{service}.json"));
        std::fs::create_dir_all(record.parent().unwrap()).unwrap();
        assert_eq!(self.trueup(&[&["info", "--format", "json"], &place[..]].concat(), Some(&record)), 0);
    }

    /// Runs trueup; its exit code. What it printed goes into a file.
    fn trueup(&self, arguments: &[&str], into: Option<&Path>) -> i32 {
        let mut command = trueup(&self.root());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLYWAY_")) {
            command.env_remove(name);
        }
        let output = command.env("TRUEUP_CACHE", self.folder.path().join("cache")).args(arguments).output().unwrap();
        if let Some(file) = into {
            std::fs::write(file, &output.stdout).unwrap();
        }
        let code = output.status.code().unwrap();
        assert!(code < 2, "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        code
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
        let mut git = Command::new("git");
        // Always the same day, so that pictures of the pages stay the same.
        git.env("GIT_COMMITTER_DATE", "2026-11-20T09:00:00Z").env("GIT_AUTHOR_DATE", "2026-11-20T09:00:00Z");
        git.current_dir(self.root()).args(identity).args(arguments).stdout(Stdio::null());
        assert!(git.status().unwrap().success(), "git {arguments:?}");
    }
}

fn migrations(service: &str) -> String {
    format!("services/{service}/src/main/resources/db/migration")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap().path()) {
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            copy(&entry, &target);
        } else {
            std::fs::copy(&entry, &target).unwrap();
        }
    }
}
