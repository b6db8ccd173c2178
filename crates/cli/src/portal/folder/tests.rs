//! The folder of the pages, with files of ours, of others, and of nobody.

use std::collections::BTreeMap;

use super::manifest::{MANIFEST, hash};
use super::*;

/// Paths and texts.
type Files<'a> = &'a [(&'a str, &'a str)];

/// Puts files into a sink, one after the other.
fn made(files: Files<'_>) -> impl FnOnce(&dyn Sink) -> Result<(), Stopped> {
    move |sink| files.iter().try_for_each(|(path, text)| sink.file((*path).to_owned(), text.as_bytes().to_vec()))
}

fn write(root: &Path, files: Files<'_>) -> Result<Outcome, FolderError> {
    Folder::open(root)?.write(made(files))
}

/// What a build of so many files did.
fn outcome(files: usize, written: usize, removed: usize) -> Outcome {
    Outcome { files, written, removed, kept: Vec::new() }
}

/// The names in a folder, dot files included.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_is_unchanged_is_not_rewritten_and_what_is_gone_is_removed() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("deep/portal");
    let first = write(&out, &[("index.html", "a"), ("services/x.html", "x")]).unwrap();
    assert_eq!(first, outcome(2, 2, 0));
    let before = out.join("index.html").metadata().unwrap().modified().unwrap();
    let second = write(&out, &[("index.html", "a"), ("findings.html", "f")]).unwrap();
    assert_eq!(second, outcome(2, 1, 1));
    assert_eq!(out.join("index.html").metadata().unwrap().modified().unwrap(), before);
    assert!(!out.join("services").exists());
    assert_eq!(write(&out, &[("index.html", "a"), ("findings.html", "f")]).unwrap(), outcome(2, 0, 0));
    assert_eq!(names(&out), [MANIFEST, "findings.html", "index.html"]);
}

#[test]
fn files_of_others_are_never_touched() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("mine.txt"), "mine").unwrap();
    assert!(matches!(write(root.path(), &[("index.html", "a")]), Err(FolderError::NotOurs(_))));
    assert!(!root.path().join("index.html").exists());

    let out = root.path().join("portal");
    write(&out, &[("index.html", "a"), ("old.html", "o")]).unwrap();
    std::fs::write(out.join("findings.html"), "mine").unwrap();
    std::fs::write(out.join("old.html"), "changed by hand").unwrap();
    std::fs::write(out.join("map.html"), "mine too").unwrap();
    let refused = write(&out, &[("index.html", "b"), ("map.html", "m"), ("findings.html", "f")]).unwrap_err();
    assert!(matches!(&refused, FolderError::Foreign(files) if files.len() == 2));
    let said = refused.to_string();
    let both = format!("{}, {} would be replaced", out.join("findings.html").display(), out.join("map.html").display());
    assert!(said.contains(&both) && said.ends_with("no build wrote them"), "{said}");
    assert_eq!(names(&out), [MANIFEST, "findings.html", "index.html", "map.html", "old.html"]);
    assert_eq!(std::fs::read_to_string(out.join("index.html")).unwrap(), "a", "nothing is half-written");
    let outcome = write(&out, &[("index.html", "b")]).unwrap();
    assert_eq!(outcome.kept, ["old.html"]);
    assert_eq!(std::fs::read_to_string(out.join("old.html")).unwrap(), "changed by hand");
    assert_eq!(std::fs::read_to_string(out.join("findings.html")).unwrap(), "mine");
}

#[test]
#[cfg(unix)]
fn links_do_not_lead_out() {
    let root = tempfile::tempdir().unwrap();
    let (out, elsewhere) = (root.path().join("portal"), root.path().join("elsewhere"));
    std::fs::create_dir(&elsewhere).unwrap();
    write(&out, &[("index.html", "a")]).unwrap();
    std::os::unix::fs::symlink(&elsewhere, out.join("services")).unwrap();
    let refused = write(&out, &[("index.html", "a"), ("services/x.html", "x")]);
    assert!(matches!(refused, Err(FolderError::Elsewhere(_))));
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn a_forged_list_removes_nothing() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("portal");
    write(&out, &[("index.html", "a")]).unwrap();
    std::fs::write(root.path().join("victim.html"), "v").unwrap();
    let paths = [
        "../victim.html",
        "/etc/x.html",
        "a\\b.html",
        "services/../../victim.html",
        ".git.html",
        "a/b/c/d.html",
        "x.rs",
    ];
    for path in paths {
        let forged = Manifest::of(BTreeMap::from([(path.to_owned(), hash(b"v"))]));
        std::fs::write(out.join(MANIFEST), forged.render()).unwrap();
        assert!(matches!(write(&out, &[("index.html", "a")]), Err(FolderError::Manifest { .. })), "{path}");
    }
    assert!(root.path().join("victim.html").exists());
}

#[test]
fn stale_pages_are_listed_with_what_is_wrong() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("portal");
    let new = [("index.html", "new"), ("findings.html", "f")];
    write(&out, &[("index.html", "a"), ("old.html", "o")]).unwrap();
    let stale = Folder::open(&out).unwrap().stale(made(&new)).unwrap();
    let expected = [("missing", "findings.html"), ("differs", "index.html"), ("left over", "old.html")];
    assert_eq!(stale, expected.map(|(what, path)| (what, path.to_owned())));
    write(&out, &new).unwrap();
    assert_eq!(Folder::open(&out).unwrap().stale(made(&new)).unwrap(), []);
}

/// A build that ended between its first and its last step.
#[test]
fn an_interrupted_build_is_taken_up() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("portal");
    write(&out, &[("old.html", "o")]).unwrap();
    let mut both = Manifest::of(BTreeMap::from([("index.html".to_owned(), hash(b"n"))]));
    both.files.insert("old.html".to_owned(), hash(b"o"));
    std::fs::write(out.join(MANIFEST), both.render()).unwrap();
    assert_eq!(write(&out, &[("index.html", "n")]).unwrap(), outcome(1, 1, 1));
}

/// Where builds keep what waits.
const STAGE: &str = ".trueup-portal.new";

#[test]
fn what_a_killed_build_left_is_removed_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let stage = root.path().join(STAGE);
    std::fs::create_dir(&stage).unwrap();
    for name in ["0", "17", "lock"] {
        std::fs::write(stage.join(name), "left").unwrap();
    }
    write(root.path(), &[("index.html", "a")]).unwrap();
    assert_eq!(names(root.path()), [MANIFEST, "index.html"]);

    std::fs::create_dir(&stage).unwrap();
    std::fs::write(stage.join("mine"), "mine").unwrap();
    write(root.path(), &[("index.html", "b")]).unwrap();
    assert_eq!(names(&stage), ["mine"]);
}

#[test]
fn two_builds_at_once_do_not_mix() {
    let root = tempfile::tempdir().unwrap();
    let folder = Folder::open(root.path()).unwrap();
    let outcome = folder.write(|sink| {
        sink.file("index.html".to_owned(), b"a".to_vec())?;
        assert!(matches!(write(root.path(), &[("index.html", "b")]), Err(FolderError::Busy(_))));
        sink.file("map.html".to_owned(), b"m".to_vec())
    });
    assert_eq!(outcome.unwrap().written, 2);
    assert_eq!(std::fs::read_to_string(root.path().join("index.html")).unwrap(), "a");
}

#[test]
fn what_the_file_system_refuses_stops_the_build_and_changes_nothing() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("index.html", "a")]).unwrap();
    // A folder where a page has to be cannot be read as a file, whoever asks.
    std::fs::create_dir(root.path().join("map.html")).unwrap();
    let mut asked = Vec::new();
    let folder = Folder::open(root.path()).unwrap();
    let refused = folder.write(|sink| {
        for path in ["index.html", "map.html", "findings.html"] {
            asked.push(path);
            sink.file(path.to_owned(), b"new".to_vec())?;
        }
        Ok(())
    });
    assert!(matches!(&refused, Err(FolderError::Io { path, .. }) if path.ends_with("map.html")), "{refused:?}");
    assert_eq!(asked, ["index.html", "map.html"]);
    assert_eq!(names(root.path()), [MANIFEST, "index.html", "map.html"]);
    assert_eq!(std::fs::read_to_string(root.path().join("index.html")).unwrap(), "a");
    let refused = folder.stale(made(&[("map.html", "m")]));
    assert!(matches!(refused, Err(FolderError::Io { .. })), "{refused:?}");
}
