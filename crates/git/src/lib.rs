//! Changed and merged files, as git tells them. Confines git.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

mod branch;

pub use branch::{Commit, FileOnBranch, MainBranch, RepositoryState, files_on, main_branch, remote, state};

/// Why git could not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No git on this machine.
    #[error("cannot run git: {0}")]
    Run(#[source] std::io::Error),
    /// Git refused, in its own words.
    #[error("git {command}: {message}")]
    Refused {
        /// What was asked.
        command: String,
        /// What it said.
        message: String,
    },
    /// The commit is not here, because the clone is shallow: what changed is unknown.
    #[error("`{reference}` is not in this shallow clone; fetch its history first (actions/checkout: fetch-depth: 0)")]
    Shallow {
        /// The commit or branch that was asked for.
        reference: String,
    },
}

/// The files below `root` that differ between the merge base with `reference` and the working tree, untracked ones
/// included, relative to `root`, with `/` between folders.
///
/// The merge base, not the reference itself: what others merged meanwhile was not touched by this branch.
pub fn changed_since(root: &Path, reference: &str) -> Result<BTreeSet<String>, GitError> {
    let base = merge_base(root, reference)?;
    let changed = git(root, ["diff", "--name-only", "-z", "--relative", "--no-renames", &base, "--"])?;
    let untracked = git(root, ["ls-files", "--others", "--exclude-standard", "-z"])?;
    let names = |bytes: &[u8]| -> Vec<String> {
        let parts = bytes.split(|byte| *byte == 0).filter(|part| !part.is_empty());
        parts.map(|part| String::from_utf8_lossy(part).into_owned()).collect()
    };
    Ok(names(&changed).into_iter().chain(names(&untracked)).collect())
}

/// A file's bytes as they were at the merge base with `reference`; `None` when it was not there.
pub fn file_before(root: &Path, reference: &str, file: &str) -> Result<Option<Vec<u8>>, GitError> {
    let base = merge_base(root, reference)?;
    let listed = git(root, ["ls-tree", "--name-only", &base, "--", file])?;
    if listed.is_empty() {
        return Ok(None);
    }
    git(root, ["cat-file", "blob", &format!("{base}:./{file}")]).map(Some)
}

/// The files as they were where this branch and another parted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    commit: String,
}

impl Former {
    /// Those at the merge base with `reference`.
    ///
    /// # Errors
    /// There is no such commit here, or no repository.
    pub fn of(root: &Path, reference: &str) -> Result<Self, GitError> {
        Ok(Self { commit: merge_base(root, reference)? })
    }

    /// The commit's full name.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// The paths of all files below `root`, relative to it, with `/` between folders; links and submodules are none.
    ///
    /// # Errors
    /// Git cannot list them.
    pub fn files(&self, root: &Path) -> Result<Vec<String>, GitError> {
        let tree = git(root, ["ls-tree", "-r", "-z", &self.commit])?;
        let entries = tree.split(|byte| *byte == 0).filter_map(|entry| {
            let (head, path) = std::str::from_utf8(entry).ok()?.split_once('\t')?;
            (head.starts_with("100") && head.contains(" blob ")).then(|| path.to_owned())
        });
        Ok(entries.collect())
    }

    /// What a file held.
    ///
    /// # Errors
    /// It was not there, or is not here to be read.
    pub fn read(&self, root: &Path, file: &str) -> Result<Vec<u8>, GitError> {
        git(root, ["cat-file", "blob", &format!("{}:./{file}", self.commit)])
    }
}

/// The top of the working tree that holds `folder`; `None` outside of one.
pub fn top(folder: &Path) -> Option<PathBuf> {
    let bytes = git(folder, ["rev-parse", "--show-toplevel"]).ok()?;
    Some(PathBuf::from(String::from_utf8_lossy(&bytes).trim_end()))
}

fn merge_base(root: &Path, reference: &str) -> Result<String, GitError> {
    // `--end-of-options` keeps a reference that starts with `-` from being read as an option.
    let known = git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", &format!("{reference}^{{commit}}")]);
    let commit = known.map_err(|error| explain(root, reference, error))?;
    let commit = String::from_utf8_lossy(&commit).trim().to_owned();
    let base = git(root, ["merge-base", &commit, "HEAD"]).map_err(|error| explain(root, reference, error))?;
    Ok(String::from_utf8_lossy(&base).trim().to_owned())
}

/// In a shallow clone, a missing commit means unknown, not an error of the person who asked.
fn explain(root: &Path, reference: &str, error: GitError) -> GitError {
    let shallow = git(root, ["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer.starts_with(b"true"));
    match error {
        GitError::Refused { .. } if shallow => GitError::Shallow { reference: reference.to_owned() },
        GitError::Refused { command, message } if message.is_empty() => {
            GitError::Refused { command, message: format!("there is no commit or branch `{reference}` here") }
        }
        other => other,
    }
}

fn git<'a>(root: &Path, arguments: impl IntoIterator<Item = &'a str>) -> Result<Vec<u8>, GitError> {
    let arguments: Vec<&str> = arguments.into_iter().collect();
    let output = command(root, &arguments).stdin(Stdio::null()).output().map_err(GitError::Run)?;
    answer(&arguments, output)
}

/// The same, with something to read. It is written beside the reading, so that neither side waits for the other.
fn git_with_input(root: &Path, arguments: &[&str], input: Vec<u8>) -> Result<Vec<u8>, GitError> {
    let mut command = command(root, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(GitError::Run)?;
    let stdin = child.stdin.take();
    let (written, output) = std::thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.map_or(Ok(()), |mut stdin| stdin.write_all(&input)));
        let output = child.wait_with_output();
        let written = writer.join().unwrap_or_else(|_| Err(std::io::Error::other("the writer stopped")));
        (written, output)
    });
    // What git says is the better reason, when it stopped reading.
    let bytes = answer(arguments, output.map_err(GitError::Run)?)?;
    written.map_err(GitError::Run)?;
    Ok(bytes)
}

fn command(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(arguments.iter().map(OsStr::new));
    // Nothing is fetched to answer: what is not here is unknown.
    command.env("LC_ALL", "C").env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
    command
}

fn answer(arguments: &[&str], output: Output) -> Result<Vec<u8>, GitError> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    let verb = arguments.iter().find(|argument| !argument.starts_with('-'));
    Err(GitError::Refused { command: verb.unwrap_or(&"").to_string(), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn repository() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for arguments in [
            &["init", "-q", "-b", "main"][..],
            &["config", "user.email", "test@example.org"],
            &["config", "user.name", "Test"],
        ] {
            git(root.path(), arguments.iter().copied()).unwrap();
        }
        std::fs::write(root.path().join("kept.sql"), "1").unwrap();
        std::fs::write(root.path().join("edited.sql"), "1").unwrap();
        commit(root.path());
        root
    }

    pub(crate) fn commit(root: &Path) {
        git(root, ["add", "-A"]).unwrap();
        git(root, ["commit", "-q", "-m", "a commit"]).unwrap();
    }

    #[test]
    fn edited_and_untracked_files_are_changed_and_others_are_not() {
        let root = repository();
        git(root.path(), ["checkout", "-q", "-b", "branch"]).unwrap();
        std::fs::write(root.path().join("edited.sql"), "2").unwrap();
        commit(root.path());
        std::fs::write(root.path().join("new file.sql"), "3").unwrap();
        let changed = changed_since(root.path(), "main").unwrap();
        assert_eq!(changed.into_iter().collect::<Vec<_>>(), ["edited.sql", "new file.sql"]);
    }

    #[test]
    fn what_others_merged_meanwhile_was_not_touched_here() {
        let root = repository();
        git(root.path(), ["checkout", "-q", "-b", "branch"]).unwrap();
        git(root.path(), ["checkout", "-q", "main"]).unwrap();
        std::fs::write(root.path().join("kept.sql"), "other").unwrap();
        commit(root.path());
        git(root.path(), ["checkout", "-q", "branch"]).unwrap();
        assert_eq!(changed_since(root.path(), "main").unwrap(), BTreeSet::new());
    }

    #[test]
    fn the_former_text_of_a_file_can_be_read() {
        let root = repository();
        std::fs::write(root.path().join("edited.sql"), "2").unwrap();
        assert_eq!(file_before(root.path(), "main", "edited.sql").unwrap(), Some(b"1".to_vec()));
        assert_eq!(file_before(root.path(), "main", "never.sql").unwrap(), None);
    }

    #[test]
    fn the_files_where_two_branches_parted_can_be_listed_and_read() {
        let root = repository();
        std::fs::create_dir(root.path().join("below")).unwrap();
        std::fs::write(root.path().join("below/a b.yaml"), "1").unwrap();
        std::os::unix::fs::symlink("kept.sql", root.path().join("link.sql")).unwrap();
        commit(root.path());
        git(root.path(), ["checkout", "-q", "-b", "branch"]).unwrap();
        std::fs::write(root.path().join("below/a b.yaml"), "2").unwrap();
        std::fs::remove_file(root.path().join("kept.sql")).unwrap();
        commit(root.path());
        let former = Former::of(root.path(), "main").unwrap();
        assert_eq!(former.files(root.path()).unwrap(), ["below/a b.yaml", "edited.sql", "kept.sql"]);
        assert_eq!(former.files(&root.path().join("below")).unwrap(), ["a b.yaml"]);
        assert_eq!(former.read(root.path(), "below/a b.yaml").unwrap(), b"1");
        assert_eq!(former.read(&root.path().join("below"), "a b.yaml").unwrap(), b"1");
        assert!(former.read(root.path(), "never").is_err());
        assert_eq!(former.commit().len(), 40);
    }

    #[test]
    fn an_unknown_reference_is_named() {
        let root = repository();
        let error = changed_since(root.path(), "nowhere").unwrap_err().to_string();
        assert!(error.contains("no commit or branch `nowhere`"), "{error}");
        assert!(changed_since(root.path(), "--output=/tmp/x").is_err());
    }

    #[test]
    fn a_shallow_clone_gives_unknown() {
        let root = repository();
        std::fs::write(root.path().join("edited.sql"), "2").unwrap();
        commit(root.path());
        let clone = tempfile::tempdir().unwrap();
        let url = format!("file://{}", root.path().display());
        git(clone.path(), ["clone", "-q", "--depth", "1", &url, "."]).unwrap();
        assert!(matches!(changed_since(clone.path(), "HEAD~1"), Err(GitError::Shallow { .. })));
    }
}
