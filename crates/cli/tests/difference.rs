//! `trueup portal diff` in real git repositories.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const FILE: &str = "architecture/metadata/data-stores.yaml";
const YAML: &str = "\
svc-loans:
  engine: PostgreSQL 15
  tables: [loans]
  table_details:
    loans:
      columns:
      - {name: id, type: UUID, constraints: PK}
      - {name: due, type: DATE, constraints: NOT NULL}
svc-fines:
  engine: PostgreSQL 15
  tables: [fines]
";

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn git(root: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"];
    let mut git = Command::new("git");
    git.current_dir(root).args(identity).args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(git.status().unwrap().success(), "git {arguments:?}");
}

fn commit(root: &Path) {
    git(root, &["add", "-A"]);
    git(root, &["commit", "--quiet", "-m", "a commit"]);
}

/// A repository with the intent on `main`, and the branch `feature` checked out.
fn repository() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    git(root.path(), &["init", "--quiet", "--initial-branch", "main"]);
    git(root.path(), &["remote", "add", "origin", "https://bot:secret-token@github.com/team/library.git"]);
    write(root.path(), FILE, YAML);
    commit(root.path());
    git(root.path(), &["checkout", "--quiet", "-b", "feature"]);
    root
}

/// Exit code, and everything that was said.
fn diff(root: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    let output = command.current_dir(root).args(["portal", "diff"]).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn read(root: &Path, path: &str) -> String {
    std::fs::read_to_string(root.join(path)).unwrap()
}

#[test]
fn what_a_branch_changes_is_drawn_and_listed_committed_or_not() {
    let root = repository();
    let root = root.path();
    write(root, FILE, &YAML.replace("DATE", "TIMESTAMPTZ"));
    commit(root);
    write(root, FILE, &(YAML.replace("DATE", "TIMESTAMPTZ") + "svc-new:\n  engine: PostgreSQL 15\n  tables: [t]\n"));
    // What others merged meanwhile is no change of this branch.
    git(root, &["stash", "--quiet"]);
    git(root, &["checkout", "--quiet", "main"]);
    write(root, FILE, &YAML.replace("svc-fines", "svc-penalties"));
    commit(root);
    git(root, &["checkout", "--quiet", "feature"]);
    git(root, &["stash", "pop", "--quiet"]);

    let (code, said) = diff(root, &["main"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.starts_with("2 services changed since main ("), "{said}");
    assert!(said.contains("  ~ svc-loans: 1 column changed\n  + svc-new: 1 table added\n"), "{said}");
    assert!(said.contains("9 files in portal-diff (9 written, 0 removed); open portal-diff/index.html"), "{said}");
    let page = read(root, "portal-diff/index.html");
    assert!(page.contains("<del>DATE</del>") && page.contains("<ins>TIMESTAMPTZ</ins>"), "{page}");
    assert!(page.contains("https://github.com/team/library/blob/") && !page.contains("secret-token"), "{page}");
    assert!(!page.contains("svc-penalties") && !page.contains("svc-fines"), "{page}");
    let markdown = read(root, "portal-diff/diff.md");
    assert!(
        markdown.contains("column `loans.due` | type `DATE` → `TIMESTAMPTZ` |") && !markdown.contains("!["),
        "{markdown}"
    );
    let (code, said) = diff(root, &["main", "--pictures", "https://example.org/pr-7/"]);
    assert!(code == 0 && said.contains("(1 written, 0 removed)"), "{said}");
    assert!(read(root, "portal-diff/diff.md").contains("](https://example.org/pr-7/svc-loans-after.svg)"));

    // The same again writes nothing, and pictures that are no longer needed go.
    assert!(diff(root, &["main", "--pictures", "https://example.org/pr-7/"]).1.contains("(0 written, 0 removed)"));
    let (code, said) = diff(root, &["HEAD"]);
    assert!(code == 0 && said.contains("1 service changed since HEAD (") && said.contains("4 removed)"), "{said}");
    git(root, &["checkout", "--quiet", FILE]);
    let (code, said) = diff(root, &["HEAD"]);
    assert!(code == 0 && said.starts_with("nothing is different from HEAD ("), "{said}");
    assert!(read(root, "portal-diff/index.html").contains("Nothing is different"));
}

#[test]
fn files_that_moved_are_found_by_the_settings_as_they_were() {
    let root = repository();
    let root = root.path();
    git(root, &["mv", FILE, "stores.yaml"]);
    write(root, "trueup.toml", "intent = [\"stores.yaml\"]\n");
    commit(root);
    let (code, said) = diff(root, &["main"]);
    assert!(code == 0 && said.starts_with("nothing is different"), "{said}");
    write(root, "trueup.toml", "intent = [\"stores/*.yaml\"]\n");
    std::fs::create_dir(root.join("stores")).unwrap();
    git(root, &["mv", "stores.yaml", "stores/one.yaml"]);
    write(root, "stores/two.yaml", "svc-more:\n  engine: PostgreSQL 15\n  tables: [m]\n");
    let (code, said) = diff(root, &["HEAD"]);
    assert!(code == 0 && said.contains("\n  + svc-more: 1 table added\n") && said.starts_with("1 service"), "{said}");
}

#[test]
fn an_intent_that_is_new_is_all_added() {
    let root = tempfile::tempdir().unwrap();
    let root = root.path();
    git(root, &["init", "--quiet", "--initial-branch", "main"]);
    write(root, "README", "nothing yet");
    commit(root);
    write(root, FILE, YAML);
    let (code, said) = diff(root, &["main"]);
    assert!(code == 0 && said.contains("  + svc-loans: 1 table added\n  + svc-fines: 1 table added\n"), "{said}");
}

#[test]
fn what_keeps_it_from_comparing_is_said_and_nothing_is_written() {
    let root = repository();
    let root = root.path();
    let refused = |base: &str, parts: &[&str]| {
        let (code, said) = diff(root, &[base]);
        assert_eq!(code, 2, "{said}");
        assert!(parts.iter().all(|part| said.contains(part)), "{parts:?} in {said}");
        assert!(!root.join("portal-diff").exists(), "{base}");
    };
    refused("nowhere", &["no commit or branch `nowhere` here", "git fetch origin main"]);
    refused("--output=x", &["--output"]);
    write(root, FILE, "svc-a:\n  tables: [\n");
    commit(root);
    refused("main", &[FILE, ":2:11"]);
    write(root, FILE, YAML);
    refused("HEAD", &["as of HEAD (", FILE, "compare with a commit in which it can be read"]);
    let outside = tempfile::tempdir().unwrap();
    write(outside.path(), FILE, YAML);
    let (code, said) = diff(outside.path(), &["main"]);
    assert!(code == 2 && said.contains("not a git repository"), "{said}");
    write(root, "mine/notes.txt", "mine");
    let (code, said) = diff(root, &["main", "--out", "mine"]);
    assert!(code == 2 && said.contains("no portal was built there"), "{said}");
    let (code, said) = diff(root, &["main", "--pictures", "javascript:x"]);
    assert!(code == 2 && said.contains("--pictures is no address of a folder"), "{said}");

    commit(root);
    let clone = tempfile::tempdir().unwrap();
    let url = format!("file://{}", root.display());
    git(clone.path(), &["clone", "--quiet", "--depth", "1", &url, "."]);
    let (code, said) = diff(clone.path(), &["HEAD~1"]);
    assert!(code == 2 && said.contains("fetch-depth: 0"), "{said}");
}
