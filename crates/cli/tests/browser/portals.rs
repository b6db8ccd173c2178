//! The portals that are visited: the brownfield example with a report, the reference repository, and a hostile one.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::hostile;
use crate::library::Library;
use crate::web::Web;

/// A portal in a temporary folder.
pub(crate) struct Portal {
    pub(crate) name: &'static str,
    folder: tempfile::TempDir,
    /// Words, and the kind and name of the hit that has to come first.
    searches: Vec<[String; 3]>,
    is_hostile: bool,
    /// The web server that it is visited on; without one it is opened from the disk.
    web: Option<Web>,
    /// The pages of tables that are opened, when there are too many to open all; the others only have to be there.
    pub(crate) tables: Option<Vec<String>>,
    /// Addresses, and where they have to lead.
    pub(crate) forwards: Value,
    /// Whether it is one page, without a search and what else is for the keyboard.
    is_plain: bool,
}

impl Portal {
    pub(crate) fn build(name: &'static str, project: &Path, truth: &[String], searches: &[[&str; 3]]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = trueup(project);
        command.args(["portal", "build", "--out"]).arg(folder.path().join("portal")).args(truth);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let searches = searches.iter().map(|search| search.map(str::to_owned)).collect();
        let forwards = Value::Array(Vec::new());
        Self { name, folder, searches, is_hostile: false, web: None, tables: None, forwards, is_plain: false }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("portal")
    }

    fn address(&self) -> String {
        match &self.web {
            Some(web) => web.address(),
            None => format!("file://{}/", self.root().display()),
        }
    }

    /// What `visit.mjs` is to do with it.
    pub(crate) fn plan(&self) -> Value {
        let searches: Vec<Value> =
            self.searches.iter().map(|[words, kind, hit]| json!({"words": words, "kind": kind, "hit": hit})).collect();
        json!({
            "name": self.name, "address": self.address(), "hostile": self.is_hostile, "searches": searches,
            "tables": self.tables, "forwards": self.forwards, "plain": self.is_plain,
        })
    }

    /// How many pages there are on disk that are opened. To the one for missing pages no link leads.
    pub(crate) fn pages(&self) -> usize {
        self.opened().iter().filter(|page| !page.ends_with("404.html")).count()
    }

    fn opened(&self) -> Vec<PathBuf> {
        let (root, mut all) = (self.root(), html_files(&self.root()));
        let is_opened = |page: &Path, tables: &[String]| {
            let path = page.strip_prefix(&root).unwrap();
            path.components().count() < 3 || tables.iter().any(|table| path == Path::new(table))
        };
        all.retain(|page| self.tables.as_ref().is_none_or(|tables| is_opened(page, tables)));
        all
    }

    /// The address of the page with the most bytes.
    pub(crate) fn largest_page(&self) -> String {
        let all = self.opened();
        let largest = all.iter().max_by_key(|file| file.metadata().unwrap().len()).unwrap();
        format!("{}{}", self.address(), largest.strip_prefix(self.root()).unwrap().display())
    }
}

pub(crate) fn html_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            files.extend(html_files(&entry));
        } else if entry.extension().is_some_and(|end| end == "html") {
            files.push(entry);
        }
    }
    files
}

/// The program under test, in a folder.
pub(crate) fn trueup(project: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    command.current_dir(project).env_remove("NO_COLOR");
    command
}

/// Every portal that can be made here.
pub(crate) fn all() -> Vec<Portal> {
    let mut all = vec![brownfield(), hostile_one(), different(), hostile_difference()];
    all.extend(drawn());
    match trueup_testkit::shared_corpora().map(|corpora| corpora.join("novatrek")) {
        Some(reference) => all.push(novatrek(&reference)),
        None => trueup_testkit::skipped("the reference repository is not beside the clone"),
    }
    all
}

fn brownfield() -> Portal {
    let library = Library::new();
    let searches =
        [["svc-lending", "service", "svc-lending"], ["loans", "table", "loans"], ["due_on", "column", "due_on"]];
    Portal::build("brownfield", &library.root(), &library.truth, &searches)
}

/// A project with a script planted in every text field.
pub(crate) fn project() -> tempfile::TempDir {
    let project = tempfile::tempdir().unwrap();
    let write = |path: &str, text: String| {
        let path = project.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("architecture/metadata/data-stores.yaml", hostile::intent());
    write("architecture/metadata/domains.yaml", hostile::domains());
    write("report.json", hostile::report());
    project
}

fn hostile_one() -> Portal {
    let project = project();
    let truth = ["--report".to_owned(), "report.json".to_owned()];
    let mut portal = Portal::build("hostile", project.path(), &truth, &[]);
    portal.is_hostile = true;
    portal
}

/// What changes in a project whose intent was `before`, and is `after` now.
fn difference(name: &'static str, before: &str, after: &str) -> Portal {
    const FILE: &str = "architecture/metadata/data-stores.yaml";
    let (project, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
        let status = Command::new("git").current_dir(project.path()).args(identity).args(arguments).status().unwrap();
        assert!(status.success(), "git {arguments:?}");
    };
    let write = |text: &str| {
        std::fs::create_dir_all(project.path().join(FILE).parent().unwrap()).unwrap();
        std::fs::write(project.path().join(FILE), text).unwrap();
    };
    write(before);
    git(&["init", "--quiet", "--initial-branch", "main"]);
    git(&["add", "-A"]);
    git(&["commit", "--quiet", "-m", "before"]);
    write(after);
    let out = folder.path().join("portal");
    let output = trueup(project.path()).args(["portal", "diff", "main", "--out"]).arg(out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let forwards = Value::Array(Vec::new());
    Portal { name, folder, searches: Vec::new(), is_hostile: false, web: None, tables: None, forwards, is_plain: true }
}

/// Tables and columns of the example come, go and change.
fn different() -> Portal {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/brownfield");
    let before = std::fs::read_to_string(example.join("architecture/metadata/data-stores.yaml")).unwrap();
    difference("difference", &before, &changed(&before))
}

/// What a branch makes of the example.
fn changed(before: &str) -> String {
    let changes = [
        ("tables: [loans, holds, branches]", "tables: [loans, holds, branches, renewals]"),
        (
            "      - {name: copy_id, type: UUID, constraints: NOT NULL}\n",
            "      - {name: copy_id, type: UUID, constraints: \"NOT NULL, FK -> svc-catalog\"}\n",
        ),
        ("{name: due_on, type: DATE,", "{name: due_on, type: TIMESTAMPTZ,"),
        (
            "      - {name: renewals, type: SMALLINT, constraints: \"NOT NULL, DEFAULT 0, CHECK (0-3)\"}\n",
            "      - {name: note, type: TEXT, constraints: NULL (by the desk)}\n",
        ),
        (
            "      - {name: idx_loans_member, columns: \"member_id, lent_at DESC\"}\n",
            "      - {name: idx_loans_copy, columns: copy_id}\n",
        ),
        (
            "    holds:\n",
            "    renewals:\n      description: Each time a loan was made longer\n      columns:\n\
             \x20     - {name: renewal_id, type: UUID, constraints: PK}\n\
             \x20     - {name: loan_id, type: UUID, constraints: \"NOT NULL, FK -> loans\"}\n\
             \x20     - {name: renewed_at, type: TIMESTAMPTZ, constraints: NOT NULL}\n    holds:\n",
        ),
        ("svc-events:\n  engine: Couchbase 7\n", "svc-events:\n  engine: Couchbase 8\n"),
    ];
    changes.iter().fold(before.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replacen(old, new, 1)
    })
}

fn hostile_difference() -> Portal {
    let after = hostile::intent();
    let before = after.replacen("PostgreSQL 15", "PostgreSQL 14", 1).replacen("\"owner\"", "\"volume_before\"", 2);
    assert_ne!(before, after);
    let mut portal = difference("hostile-difference", &before, &after);
    portal.is_hostile = true;
    portal
}

/// The hostile one with pictures by PlantUML, when there is one.
fn drawn() -> Option<Portal> {
    let project = project();
    let arguments = plantuml()?;
    let mut portal = Portal::build("drawn", project.path(), &arguments, &[]);
    portal.is_hostile = true;
    Some(portal)
}

/// Arguments that ask for pictures by PlantUML; `None` when there is none, which is said.
fn plantuml() -> Option<[String; 2]> {
    match trueup_testkit::plantuml::missing() {
        None => Some(["--erd", "plantuml"].map(str::to_owned)),
        Some(why) => {
            trueup_testkit::skipped(&why);
            None
        }
    }
}

/// On a web server that does what the settings for Azure Static Web Apps say; with pictures in files, if possible.
pub(crate) fn served() -> Portal {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/brownfield");
    let arguments = plantuml().map_or_else(Vec::new, Vec::from);
    let mut portal = Portal::build("served", &example, &arguments, &[["loans", "table", "loans"]]);
    portal.web = Some(Web::serve(&portal.root()));
    portal
}

fn novatrek(project: &Path) -> Portal {
    let searches = [
        ["svc-check-in", "service", "svc-check-in"],
        // Columns and indexes begin with the word; the service is what people mean.
        ["check", "service", "svc-check-in"],
        ["gear_verifications", "table", "gear_verifications"],
        ["wristband_nfc_id", "column", "wristband_nfc_id"],
        ["idx_checkin_reservation", "index", "idx_checkin_reservation"],
    ];
    Portal::build("novatrek", project, &[], &searches)
}

/// The pictures of the guide: all of the example that everybody has.
pub(crate) fn shots(portals: &[Portal]) -> Value {
    let address = portals[0].address();
    let shot = |file: &str, page: &str, scheme: &str, (width, height): (u32, u32), words: &str| {
        json!({
            "file": file, "href": format!("{address}{page}"), "scheme": scheme, "width": width, "height": height,
            "words": words,
        })
    };
    let (desktop, phone) = ((1280, 900), (390, 844));
    let mut shots = vec![
        shot("portal.png", "services/svc-lending.html", "light", desktop, ""),
        shot("portal-dark.png", "services/svc-lending.html", "dark", desktop, ""),
        shot("portal-home.png", "index.html", "light", desktop, ""),
        shot("portal-search.png", "index.html", "dark", desktop, "loan"),
        shot("portal-findings.png", "findings.html", "light", desktop, ""),
        shot("portal-changes.png", "changes.html", "light", desktop, ""),
        shot("portal-migrations.png", "migrations.html", "dark", desktop, ""),
        shot("portal-guide.png", "how-to-read.html", "light", desktop, ""),
        shot("portal-phone.png", "services/svc-lending.html", "light", phone, ""),
    ];
    if let Some(difference) = portals.iter().find(|portal| portal.name == "difference") {
        let shot = |file: &str, scheme: &str, (width, height): (u32, u32)| {
            let href = format!("{}index.html", difference.address());
            json!({"file": file, "href": href, "scheme": scheme, "width": width, "height": height, "words": ""})
        };
        shots.push(shot("portal-diff.png", "light", (1280, 1000)));
        shots.push(shot("portal-diff-dark.png", "dark", (1280, 1000)));
        shots.push(shot("portal-diff-phone.png", "light", phone));
    }
    Value::Array(shots)
}
