//! The portal beside real parts: a git repository, a check on PostgreSQL, and the databases of two environments that
//! `trueup migrate` filled and `trueup info` recorded.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::process::{Command, Stdio};

use tempfile::TempDir;
use trueup_testkit::{Server, postgres, skipped};

const MAJOR: u16 = 15;

const YAML: &str = "\
svc-loans:
  engine: PostgreSQL 15
  schema: public
  tables: [loans, fines]
  table_details:
    loans:
      columns:
      - {name: id, type: UUID, constraints: PK}
      - {name: due, type: DATE, constraints: NOT NULL}
      - {name: note, type: TEXT, constraints: NULL}
    fines:
      columns:
      - {name: id, type: UUID, constraints: PK}
";

const MIGRATIONS: &str = "services/svc-loans/src/main/resources/db/migration";

/// A repository in a folder of its own, removed when dropped.
struct Repository(TempDir);

impl Repository {
    fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.git(&["init", "--quiet", "--initial-branch", "main"]);
        repository.git(&["remote", "add", "origin", "https://bot:secret-token@github.com/team/library.git"]);
        repository.write("architecture/metadata/data-stores.yaml", YAML);
        repository
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn migration(&self, name: &str, text: &str) {
        self.write(&format!("{MIGRATIONS}/{name}"), text);
    }

    fn git(&self, arguments: &[&str]) {
        let identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
        let mut git = Command::new("git");
        git.current_dir(self.0.path()).args(identity).args(arguments).stdout(Stdio::null());
        assert!(git.status().unwrap().success(), "git {arguments:?}");
    }

    /// As after a merge and a fetch: the remote's branch is here.
    fn merge(&self) {
        self.git(&["add", "."]);
        self.git(&["commit", "--quiet", "-m", "A change"]);
        self.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    }

    /// Runs trueup; its exit code and what it printed.
    fn trueup(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLYWAY_")) {
            command.env_remove(name);
        }
        command.current_dir(self.0.path()).env("TRUEUP_CACHE", self.0.path().join(".git/cache"));
        let output = command.args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), text)
    }

    fn check(&self) {
        let bin = postgres(MAJOR).unwrap();
        let bin = bin.to_str().unwrap();
        let (code, said) = self.trueup(&["check", "--format", "json", "--output", "report.json", "--pg-bin", bin]);
        assert!(code <= 1, "{code}: {said}");
    }

    /// Migrates a database and records what is there then.
    fn deploy(&self, url: &str, environment: &str, more: &[&str]) {
        let place = ["--url", url, "--user", "postgres", "--location", MIGRATIONS];
        let (code, said) = self.trueup(&[&["migrate"], &place[..], more].concat());
        assert_eq!(code, 0, "{said}");
        let (code, said) = self.trueup(&[&["info", "--format", "json"], &place[..]].concat());
        assert_eq!(code, 0, "{said}");
        self.write(&format!("records/{environment}/svc-loans.json"), &said);
    }

    fn build(&self) -> String {
        let environments = ["--environment", "dev=records/dev", "--environment", "prod=records/prod"];
        let (code, said) = self.trueup(&[&["portal", "build", "--report", "report.json"], &environments[..]].concat());
        assert_eq!(code, 0, "{said}");
        self.page("services/svc-loans.html")
    }

    fn page(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.path().join("portal").join(path)).unwrap()
    }
}

fn texts(page: &str, selector: &str) -> Vec<String> {
    let page = scraper::Html::parse_document(&page.replace("<wbr>", ""));
    let selector = scraper::Selector::parse(selector).unwrap();
    let texts = page.select(&selector).map(|element| element.text().collect::<Vec<_>>().join(" "));
    texts.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// The badges of the tables, in their order.
fn badges(page: &str) -> Vec<String> {
    texts(page, ".flow .stage")
}

/// The titles of the cards, by lane.
fn board(page: &str) -> Vec<(String, Vec<String>)> {
    let page = scraper::Html::parse_document(&page.replace("<wbr>", ""));
    let [lane, title, card] = [".lane", "h2", "h3"].map(|text| scraper::Selector::parse(text).unwrap());
    let words = |element: scraper::ElementRef<'_>| {
        element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let lanes = page
        .select(&lane)
        .map(|lane| (lane.select(&title).map(words).collect(), lane.select(&card).map(words).collect()));
    lanes.collect()
}

#[test]
fn a_change_moves_from_the_yaml_to_production() {
    let Ok(server) = Server::start_with_tcp(MAJOR) else {
        skipped("there is no PostgreSQL 15 on this machine");
        return;
    };
    let database = || {
        let conninfo = server.database().unwrap();
        format!("jdbc:postgresql://127.0.0.1:{}/{}", server.port(), conninfo.rsplit("dbname=").next().unwrap())
    };
    let (dev, prod) = (database(), database());
    let repository = Repository::new();
    repository.migration("V1__loans.sql", "create table loans (\n  id uuid primary key,\n  due date not null\n);\n");
    repository.merge();
    repository.deploy(&dev, "dev", &[]);
    repository.deploy(&prod, "prod", &[]);
    repository.check();

    // The column `note` is designed, the table is there without it; the table `fines` is designed.
    let page = repository.build();
    assert_eq!(badges(&page), ["◕ live in prod, in part", "◇ designed, no migration makes it"]);
    assert!(
        texts(&page, "#t-loans .flow")[0].contains("1 of its columns and indexes owed"),
        "{:?}",
        texts(&page, "#t-loans .flow")
    );
    let steps = texts(&page, "#t-loans .step .sr");
    assert_eq!(steps[..3], ["live in prod", "live in prod", "designed, no migration makes it"], "{steps:?}");
    let lanes = board(&repository.page("changes.html"));
    assert_eq!(lanes[0], ("Designed 2".to_owned(), vec!["fines".to_owned(), "loans".to_owned()]), "{lanes:?}");

    // Written on a branch, and tried in dev before it is merged.
    repository.git(&["checkout", "--quiet", "-b", "note"]);
    repository.migration(
        "V2__note_and_fines.sql",
        "alter table loans add note text;\ncreate table fines (id uuid primary key);\n",
    );
    repository.check();
    let page = repository.build();
    assert_eq!(badges(&page), ["◔ written", "◔ written"]);
    repository.deploy(&dev, "dev", &[]);
    let page = repository.build();
    assert_eq!(badges(&page), ["◕ live in dev", "◕ live in dev"]);
    assert!(texts(&page, "#t-fines .flow")[0].contains("not merged"), "{:?}", texts(&page, "#t-fines .flow"));

    // Merged, and then in production: only now is anything green.
    repository.merge();
    let page = repository.build();
    assert_eq!(badges(&page), ["◕ live in dev", "◕ live in dev"]);
    assert!(texts(&page, "#t-fines .flow")[0].contains("prod: pending"));
    assert_eq!(texts(&page, "#t-fines .agrees"), Vec::<String>::new());
    let lanes = board(&repository.page("changes.html"));
    assert!(lanes.contains(&("Live in dev 1".to_owned(), vec!["V2 note and fines".to_owned()])), "{lanes:?}");
    repository.deploy(&prod, "prod", &[]);
    let page = repository.build();
    assert_eq!(badges(&page), ["✓ live in prod", "✓ live in prod"]);
    let changes = repository.page("changes.html");
    assert!(texts(&changes, ".banner")[0].contains("Merged, and live in every environment: 2 migrations."));
    assert_eq!(texts(&repository.page("migrations.html"), ".arrivals li").len(), 4);

    // Lines are linked on the host, with the branch that is merged to, and nothing of the remote's password.
    let line = format!("https://github.com/team/library/blob/main/{MIGRATIONS}/V2__note_and_fines.sql#L2");
    assert!(page.contains(&line), "{page}");
    assert!(page.contains("https://github.com/team/library/blob/main/architecture/metadata/data-stores.yaml#L"));
    assert!(!page.contains("secret-token") && !changes.contains("secret-token"));

    // A report speaks of what was compared. A comment is not compared; whatever else changes since is unknown.
    repository.write("architecture/metadata/data-stores.yaml", &format!("# ours\n{YAML}"));
    assert_eq!(badges(&repository.build()), ["✓ live in prod", "✓ live in prod"]);
    repository.write("architecture/metadata/data-stores.yaml", &YAML.replace("due, type: DATE", "due, type: TEXT"));
    assert_eq!(badges(&repository.build()), ["? unknown: the YAML changed since the check"; 2]);
    assert_eq!(texts(&repository.page("index.html"), ".card .badge"), ["? unknown"]);
    let (_, said) = repository.trueup(&["portal", "build", "--report", "report.json"]);
    assert!(said.contains("`svc-loans` changed since the check, and counts as unknown; run `trueup check"), "{said}");
    repository.write("architecture/metadata/data-stores.yaml", YAML);
    assert_eq!(badges(&repository.build()), ["✓ live in prod", "✓ live in prod"]);

    // A file that is changed after it was applied is not what is live, and proves nothing.
    repository.migration(
        "V2__note_and_fines.sql",
        "alter table loans add note text;\ncreate table fines (id uuid primary key);\n-- later\n",
    );
    assert_eq!(badges(&repository.build()), ["? unknown: its migrations changed since the check"; 2]);
    let moves = texts(&repository.page("migrations.html"), ".arrivals li");
    assert!(moves.iter().all(|arrival| !arrival.contains("V2")), "{moves:?}");
    repository.check();
    let page = repository.build();
    assert_eq!(badges(&page)[1], "? unknown: applied with another text");
    assert_eq!(texts(&page, "#t-fines .agrees"), Vec::<String>::new());
}

#[test]
fn what_is_no_record_is_named() {
    let repository = Repository::new();
    if postgres(MAJOR).is_none() {
        skipped("there is no PostgreSQL 15 on this machine");
        return;
    }
    repository.check();
    repository.write("records/dev/svc-loans.json", "{\"version\": 1, \"operation\": \"migrate\"}");
    let arguments =
        ["portal", "build", "--report", "report.json", "--environment", "dev=records/dev", "--environment", "prod"];
    let (code, said) = repository.trueup(&arguments);
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("svc-loans.json is no record of an environment: it is the answer of"), "{said}");
    assert!(said.contains("`prod` names no environment; expected NAME=FILE_OR_DIR"), "{said}");
    assert!(!repository.0.path().join("portal").exists());
}
