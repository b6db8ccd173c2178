//! What is on the main branch, and since when.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use crate::{GitError, git, git_with_input};

/// The remote that everybody pushes to.
const REMOTE: &str = "origin";

/// Names that main branches have, where nothing says which it is.
const USUAL: [&str; 2] = ["main", "master"];

/// The branch that counts as merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MainBranch {
    /// Its name without the remote, as pages of a host call it.
    pub name: String,
    /// The commit it is at.
    commit: String,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its full name.
    pub id: String,
    /// The day it was made, where its author's clock was: `2026-11-25`.
    pub day: String,
}

/// A file as it is on a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOnBranch {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// The commit that brought this text to the branch; none where the history is not here to tell.
    pub since: Option<Commit>,
}

/// The main branch: `wanted`, else what the remote `origin` says, else its `main` or `master`; without that remote, the
/// local `main` or `master`. `None` when there is none of them here.
///
/// # Errors
/// `wanted` is not here, or git cannot be run.
pub fn main_branch(root: &Path, wanted: Option<&str>) -> Result<Option<MainBranch>, GitError> {
    if let Some(name) = wanted {
        let candidates = [format!("refs/remotes/{REMOTE}/{name}"), name.to_owned()];
        let found = first(root, &candidates)?;
        let (reference, commit) = found.ok_or_else(|| missing(root, name))?;
        return Ok(Some(MainBranch { name: short(&reference), commit }));
    }
    let head = format!("refs/remotes/{REMOTE}/HEAD");
    let mut candidates: Vec<String> = match asked(root, &["symbolic-ref", "--quiet", &head])? {
        Some(target) => vec![target],
        None => USUAL.iter().map(|name| format!("refs/remotes/{REMOTE}/{name}")).collect(),
    };
    if remote(root)?.is_none() {
        candidates.extend(USUAL.iter().map(|name| format!("refs/heads/{name}")));
    }
    let found = first(root, &candidates)?;
    Ok(found.map(|(reference, commit)| MainBranch { name: short(&reference), commit }))
}

/// The address of the remote `origin`. It may hold a password: give it to what takes that out, and to nobody else.
///
/// # Errors
/// Git cannot be run.
pub fn remote(root: &Path) -> Result<Option<String>, GitError> {
    asked(root, &["config", "--get", &format!("remote.{REMOTE}.url")])
}

/// The files that say which branches and remotes there are, and the folders of such files: what is known of a repository
/// can only change with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryState {
    /// Files, there or not.
    pub files: Vec<PathBuf>,
    /// Folders, there or not.
    pub folders: Vec<PathBuf>,
}

/// Where the branches and remotes of the repository around `root` are written down; nothing outside of one.
pub fn state(root: &Path) -> RepositoryState {
    let Ok(answer) = git(root, ["rev-parse", "--git-common-dir"]) else { return RepositoryState::default() };
    let folder = root.join(String::from_utf8_lossy(&answer).trim_end());
    let all = |names: &[&str]| names.iter().map(|name| folder.join(name)).collect();
    RepositoryState {
        files: all(&["HEAD", "config", "packed-refs", "shallow"]),
        folders: all(&["refs/heads", &format!("refs/remotes/{REMOTE}"), "reftable"]),
    }
}

/// Those of the files that are on the branch, by path. Paths are relative to `root`.
///
/// # Errors
/// Git cannot be run, or the branch cannot be read: then nothing is known about any of them.
pub fn files_on(
    root: &Path,
    branch: &MainBranch,
    paths: &BTreeSet<&str>,
) -> Result<BTreeMap<String, FileOnBranch>, GitError> {
    let tree = git(root, ["ls-tree", "-r", "-z", &branch.commit])?;
    let blobs: Vec<(&str, String)> = tree.split(|byte| *byte == 0).filter_map(|entry| blob(entry, paths)).collect();
    if blobs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut commits = commits(root, branch, blobs.iter().map(|(_, path)| path.as_str()))?;
    let ids: String = blobs.iter().map(|(id, _)| format!("{id}\n")).collect();
    let answers = git_with_input(root, &["cat-file", "--batch"], ids.into_bytes())?;
    let mut rest = answers.as_slice();
    let mut files = BTreeMap::new();
    for (_, path) in blobs {
        let bytes = next_blob(&mut rest).ok_or_else(|| GitError::Refused {
            command: "cat-file".to_owned(),
            message: format!("the text of {path} on {} is not here", branch.name),
        })?;
        let since = commits.remove(&path);
        files.insert(path, FileOnBranch { bytes, since });
    }
    Ok(files)
}

/// `100644 blob ID\tPATH` of a file that was asked for.
fn blob<'a>(entry: &'a [u8], paths: &BTreeSet<&str>) -> Option<(&'a str, String)> {
    let (head, path) = std::str::from_utf8(entry).ok()?.split_once('\t')?;
    let mut words = head.split(' ').skip(1);
    (words.next() == Some("blob") && paths.contains(path)).then_some((words.next()?, path.to_owned()))
}

/// Reads `ID blob SIZE\n`, that many bytes, and a line end.
fn next_blob(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let head = std::str::from_utf8(rest.get(..end)?).ok()?;
    let size: usize = head.rsplit(' ').next()?.parse().ok()?;
    let bytes = rest.get(end + 1..end + 1 + size)?;
    *rest = rest.get(end + 2 + size..)?;
    Some(bytes.to_vec())
}

/// The last commit of the branch itself (merges count, what they merged does not) that touched each file.
///
/// A shallow clone ends in a commit that seems to have written everything: it tells nothing.
fn commits<'a>(
    root: &Path,
    branch: &MainBranch,
    paths: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, Commit>, GitError> {
    if git(root, ["rev-parse", "--is-shallow-repository"])?.starts_with(b"true") {
        return Ok(HashMap::new());
    }
    let mut arguments = vec!["--literal-pathspecs", "log", "--first-parent", "-m", "--relative", "--no-renames"];
    arguments.extend(["--format=%x01%H %cs", "--name-only", "-z", &branch.commit, "--"]);
    let folders: BTreeSet<&str> = paths.map(|path| path.rsplit_once('/').map_or(".", |(folder, _)| folder)).collect();
    arguments.extend(folders);
    let answer = git(root, arguments)?;
    let mut commits = HashMap::new();
    let mut current = None;
    for part in answer.split(|byte| *byte == 0) {
        // A commit is followed by a line end and its first file.
        let text = String::from_utf8_lossy(part);
        match text.trim_start_matches('\n').strip_prefix('\u{1}') {
            Some(commit) => {
                let (id, day) = commit.trim_end().split_once(' ').unwrap_or((commit, ""));
                current = Some(Commit { id: id.to_owned(), day: day.to_owned() });
            }
            None => {
                let path = text.trim_start_matches('\n');
                if let Some(commit) = current.as_ref().filter(|_| !path.is_empty()) {
                    commits.entry(path.to_owned()).or_insert_with(|| commit.clone());
                }
            }
        }
    }
    Ok(commits)
}

/// The first of the references that is here, and its commit.
fn first(root: &Path, candidates: &[String]) -> Result<Option<(String, String)>, GitError> {
    for reference in candidates {
        let commit = format!("{reference}^{{commit}}");
        if let Some(id) = asked(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])? {
            return Ok(Some((reference.clone(), id)));
        }
    }
    Ok(None)
}

fn missing(root: &Path, name: &str) -> GitError {
    let refused = GitError::Refused { command: "rev-parse".to_owned(), message: String::new() };
    crate::explain(root, name, refused)
}

fn short(reference: &str) -> String {
    let name = reference.strip_prefix("refs/heads/").unwrap_or(reference);
    let name = name.strip_prefix("refs/remotes/").unwrap_or(name);
    name.strip_prefix("origin/").unwrap_or(name).to_owned()
}

/// What git answers on one line; `None` when it says no.
fn asked(root: &Path, arguments: &[&str]) -> Result<Option<String>, GitError> {
    match git(root, arguments.iter().copied()) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim_end().to_owned()).filter(|text| !text.is_empty())),
        Err(GitError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{commit, repository};

    fn on_main(root: &Path, paths: &[&str]) -> BTreeMap<String, FileOnBranch> {
        let branch = main_branch(root, None).unwrap().unwrap();
        files_on(root, &branch, &paths.iter().copied().collect()).unwrap()
    }

    #[test]
    fn files_of_the_branch_have_their_text_and_the_commit_that_brought_it() {
        let repository = repository();
        let root = repository.path();
        git(root, ["checkout", "-q", "-b", "branch"]).unwrap();
        std::fs::create_dir(root.join("a b")).unwrap();
        std::fs::write(root.join("a b/[x]*.sql"), "1\n2\n").unwrap();
        commit(root);
        std::fs::write(root.join("here only.sql"), "3").unwrap();
        let paths = ["kept.sql", "a b/[x]*.sql", "here only.sql"];
        assert_eq!(on_main(root, &paths).keys().collect::<Vec<_>>(), ["kept.sql"]);

        git(root, ["checkout", "-q", "main"]).unwrap();
        git(root, ["merge", "-q", "--no-ff", "-m", "merged", "branch"]).unwrap();
        let merge = String::from_utf8(git(root, ["rev-parse", "HEAD"]).unwrap()).unwrap();
        let files = on_main(root, &paths);
        assert_eq!(files.len(), 2);
        let file = &files["a b/[x]*.sql"];
        assert_eq!(file.bytes, b"1\n2\n");
        // The day it came to the branch is the merge's, not that of the branch's own commit.
        let since = file.since.as_ref().unwrap();
        assert_eq!(since.id, merge.trim());
        assert_eq!((since.day.len(), since.day.matches('-').count()), (10, 2));
        assert_ne!(files["kept.sql"].since.as_ref().unwrap().id, since.id);
    }

    #[test]
    fn paths_are_relative_to_the_folder_that_is_asked_from() {
        let repository = repository();
        let folder = repository.path().join("deep");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("x.sql"), "x").unwrap();
        commit(repository.path());
        let files = on_main(&folder, &["x.sql", "kept.sql"]);
        assert_eq!(files.keys().collect::<Vec<_>>(), ["x.sql"]);
        assert!(files["x.sql"].since.is_some());
    }

    #[test]
    fn a_shallow_clone_knows_what_is_merged_and_not_since_when() {
        let repository = repository();
        std::fs::write(repository.path().join("edited.sql"), "2").unwrap();
        commit(repository.path());
        let clone = tempfile::tempdir().unwrap();
        let url = format!("file://{}", repository.path().display());
        git(clone.path(), ["clone", "-q", "--depth", "1", &url, "."]).unwrap();
        let files = on_main(clone.path(), &["kept.sql"]);
        assert_eq!(files["kept.sql"], FileOnBranch { bytes: b"1".to_vec(), since: None });
    }

    #[test]
    fn the_remote_says_which_branch_is_the_main_one() {
        let repository = repository();
        git(repository.path(), ["branch", "-q", "-m", "main", "trunk"]).unwrap();
        assert_eq!(main_branch(repository.path(), None).unwrap(), None);
        let clone = tempfile::tempdir().unwrap();
        let url = format!("file://{}", repository.path().display());
        git(clone.path(), ["clone", "-q", &url, "."]).unwrap();
        git(clone.path(), ["checkout", "-q", "-b", "main"]).unwrap();
        let name = |wanted| main_branch(clone.path(), wanted).map(|found| found.map(|branch| branch.name));
        assert_eq!(name(None).unwrap().as_deref(), Some("trunk"));
        assert_eq!(name(Some("main")).unwrap().as_deref(), Some("main"));
        assert!(name(Some("nowhere")).unwrap_err().to_string().contains("no commit or branch `nowhere`"));
        assert!(name(Some("--output=x")).is_err());
        assert_eq!(remote(clone.path()).unwrap(), Some(url));
        assert_eq!(remote(repository.path()).unwrap(), None);
    }
}
