//! The workflows that we offer: nothing in them is refused by GitHub, or invites an attacker.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use trueup_testkit::{linters, skipped};

fn repository() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn linters_have_no_objection() {
    let Some(said) = linters::objections(&repository()) else {
        return skipped("actionlint or zizmor is not there: run `cargo xtask fetch`");
    };
    assert_eq!(said.unwrap(), "");
}

/// That they would see it: an input in a shell, and a key that GitHub does not know.
#[test]
fn linters_object_to_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let workflows = folder.path().join(".github/workflows");
    std::fs::create_dir_all(&workflows).unwrap();
    let text = std::fs::read_to_string(repository().join(".github/workflows/portal.yml")).unwrap();
    let injected = text.replace("case \"$HOST\" in", "case \"${{ inputs.host }}\" in");
    let misspelled = text.replace("timeout-minutes: 45", "timeout-minuts: 45");
    assert!(injected != text && misspelled != text);
    for (text, word) in [(injected, "template-injection"), (misspelled, "timeout-minuts")] {
        std::fs::write(workflows.join("portal.yml"), text).unwrap();
        let Some(said) = linters::objections(folder.path()) else {
            return skipped("actionlint or zizmor is not there: run `cargo xtask fetch`");
        };
        let said = said.unwrap();
        assert!(said.contains(word), "{word} is not in {said}");
    }
}

/// A tag can be moved to another commit: each action is named by its commit, with the tag beside it.
#[test]
fn actions_are_named_by_commit() {
    let mut seen = 0;
    for file in linters::workflows(&repository()) {
        for line in std::fs::read_to_string(&file).unwrap().lines().filter(|line| !line.trim().starts_with('#')) {
            let Some((_, action)) = line.split_once("uses: ") else { continue };
            let (_, version) = action.split_once('@').unwrap();
            let (commit, tag) = version.split_once(" # ").unwrap();
            assert!(commit.len() == 40 && commit.chars().all(|c| c.is_ascii_hexdigit()), "{line}");
            assert!(tag.starts_with('v'), "{line}");
            seen += 1;
        }
    }
    assert!(seen >= 6, "only {seen} actions were seen");
}
