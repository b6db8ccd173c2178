//! The folder of the pages. What a build wrote is listed in a file there; nothing that is not listed is ever touched.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trueup_portal::Site;

use crate::check::CheckError;

/// The list of what a build wrote.
pub(super) const MANIFEST: &str = ".trueup-portal.json";

/// The version of the list's format.
const VERSION: u32 = 1;

/// Paths by path, with the BLAKE3 hash of what was written there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    version: u32,
    files: BTreeMap<String, String>,
}

/// A folder that pages may be written to.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    /// What an earlier build wrote.
    known: Manifest,
}

/// What a build did.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// How many files were new or different.
    pub(super) written: usize,
    /// How many files of an earlier build are gone.
    pub(super) removed: usize,
    /// Files of an earlier build that are no longer needed, and that somebody changed since.
    pub(super) kept: Vec<String>,
}

/// Why the pages cannot be written or compared.
#[derive(Debug, thiserror::Error)]
pub(super) enum FolderError {
    /// There are other files in it, and no list of ours.
    #[error("{0} is not empty, and no portal was built there")]
    NotOurs(PathBuf),
    /// A page would replace a file that no build wrote.
    #[error("{} would be replaced, and no build wrote it", .0.display())]
    Foreign(PathBuf),
    /// A part of the path leads elsewhere.
    #[error("{} is not a folder of its own", .0.display())]
    Elsewhere(PathBuf),
    /// The list is damaged.
    #[error("{file} cannot be understood: {why}")]
    Manifest {
        /// The list.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
}

impl FolderError {
    fn help(&self) -> String {
        match self {
            Self::NotOurs(_) => "name an empty or a new folder after --out".to_owned(),
            Self::Foreign(_) => "move that file away, or name another folder after --out".to_owned(),
            Self::Elsewhere(_) => "remove the link or file, or name another folder after --out".to_owned(),
            Self::Manifest { .. } => "remove the folder and build again".to_owned(),
            Self::Io { .. } => String::new(),
        }
    }
}

impl From<FolderError> for CheckError {
    fn from(error: FolderError) -> Self {
        Self::Usage { message: error.to_string(), help: error.help() }
    }
}

impl Folder {
    /// Looks at the folder, which need not exist; nothing is written.
    pub(super) fn open(root: &Path) -> Result<Self, FolderError> {
        let root = root.to_owned();
        let known = read_manifest(&root)?;
        if known.is_none() && has_visible_entries(&root)? {
            return Err(FolderError::NotOurs(root));
        }
        Ok(Self { root, known: known.unwrap_or_default() })
    }

    /// What a build would change: `missing`, `differs` or `left over`, and the path.
    pub(super) fn stale(&self, site: &Site) -> Result<Vec<(&'static str, String)>, FolderError> {
        let mut stale = Vec::new();
        for (path, content) in &site.files {
            match self.read(path)? {
                Some(bytes) if bytes == *content => {}
                Some(_) => stale.push(("differs", path.clone())),
                None => stale.push(("missing", path.clone())),
            }
        }
        for path in self.obsolete(site) {
            if self.read(path)?.is_some() {
                stale.push(("left over", path.clone()));
            }
        }
        if stale.is_empty() && self.known != manifest_of(site) {
            stale.push((if self.known.version == 0 { "missing" } else { "differs" }, MANIFEST.to_owned()));
        }
        Ok(stale)
    }

    /// Makes the folder hold the site. The list is written first, with old and new paths: a build that is cut short
    /// leaves nothing that the next one does not know.
    pub(super) fn write(&self, site: &Site) -> Result<Outcome, FolderError> {
        let changed = self.changed(site)?;
        let target = manifest_of(site);
        if changed.is_empty() && self.known == target {
            return Ok(Outcome::default());
        }
        let mut both = target.clone();
        both.files.extend(self.known.files.clone());
        self.put(MANIFEST, &render(&both))?;
        for path in &changed {
            self.put(path, &site.files[*path])?;
        }
        let mut outcome = Outcome { written: changed.len(), ..Outcome::default() };
        for path in self.obsolete(site) {
            self.remove(path, &mut outcome)?;
        }
        self.put(MANIFEST, &render(&target))?;
        Ok(outcome)
    }

    /// Paths whose content is not there yet, after making sure that no file of somebody else stands in the way.
    fn changed<'s>(&self, site: &'s Site) -> Result<Vec<&'s String>, FolderError> {
        let mut changed = Vec::new();
        for (path, content) in &site.files {
            self.refuse_detours(path)?;
            match self.read(path)? {
                Some(bytes) if bytes == *content => continue,
                Some(_) if !self.known.files.contains_key(path) => {
                    return Err(FolderError::Foreign(self.root.join(path)));
                }
                _ => changed.push(path),
            }
        }
        Ok(changed)
    }

    fn obsolete<'k>(&'k self, site: &'k Site) -> impl Iterator<Item = &'k String> {
        self.known.files.keys().filter(|path| !site.files.contains_key(*path))
    }

    /// Folders inside ours must be folders: a link would lead the pages out.
    fn refuse_detours(&self, path: &str) -> Result<(), FolderError> {
        let mut folder = self.root.clone();
        let (parents, _) = path.rsplit_once('/').unwrap_or_default();
        for part in parents.split('/').filter(|part| !part.is_empty()) {
            folder.push(part);
            match folder.symlink_metadata() {
                Ok(data) if !data.is_dir() => return Err(FolderError::Elsewhere(folder)),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(source) => return Err(FolderError::Io { path: folder, source }),
            }
        }
        Ok(())
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, FolderError> {
        let path = self.root.join(path);
        match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FolderError::Io { path, source }),
        }
    }

    /// Never half a file: written beside it, then renamed.
    fn put(&self, path: &str, bytes: &[u8]) -> Result<(), FolderError> {
        let path = self.root.join(path);
        let failed = |source| FolderError::Io { path: path.clone(), source };
        let parent = path.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(parent).map_err(failed)?;
        let mut file = temporary(parent).map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Removes a file of an earlier build, unless somebody changed it; and its folder, once that is empty.
    fn remove(&self, path: &str, outcome: &mut Outcome) -> Result<(), FolderError> {
        self.refuse_detours(path)?;
        let Some(bytes) = self.read(path)? else { return Ok(()) };
        if self.known.files.get(path) != Some(&hash(&bytes)) {
            outcome.kept.push(path.to_owned());
            return Ok(());
        }
        let file = self.root.join(path);
        std::fs::remove_file(&file).map_err(|source| FolderError::Io { path: file.clone(), source })?;
        outcome.removed += 1;
        if let Some(folder) = file.parent().filter(|folder| *folder != self.root) {
            // Only an empty folder can be removed this way, and one that is not empty is meant to stay.
            let _ = std::fs::remove_dir(folder);
        }
        Ok(())
    }
}

/// A file that others may read: pages are served by somebody else.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".trueup-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
        builder.tempfile_in(folder)
    }
    #[cfg(not(unix))]
    builder.tempfile_in(folder)
}

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn manifest_of(site: &Site) -> Manifest {
    let files = site.files.iter().map(|(path, content)| (path.clone(), hash(content))).collect();
    Manifest { version: VERSION, files }
}

fn render(manifest: &Manifest) -> Vec<u8> {
    let mut text = serde_json::to_string_pretty(manifest).unwrap_or_default();
    text.push('\n');
    text.into_bytes()
}

/// The list of an earlier build. Whoever can write it could name any file: only paths that a build can have are taken.
fn read_manifest(root: &Path) -> Result<Option<Manifest>, FolderError> {
    let file = root.join(MANIFEST);
    let bytes = match std::fs::read(&file) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(source) => return Err(FolderError::Io { path: file, source }),
    };
    let wrong = |why: String| FolderError::Manifest { file: file.clone(), why };
    let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if manifest.version != VERSION {
        return Err(wrong(format!("its version is {}, expected {VERSION}", manifest.version)));
    }
    let odd: BTreeSet<&String> = manifest.files.keys().filter(|path| !is_a_path_of_ours(path)).collect();
    match odd.first() {
        Some(path) => Err(wrong(format!("`{}` is no path of a page", path.escape_debug()))),
        None => Ok(Some(manifest)),
    }
}

/// Whether a build can have written this path: slugs, with a file of a kind that we write.
fn is_a_path_of_ours(path: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let Some((stem, kind)) = path.rsplit_once('.') else { return false };
    let parts: Vec<&str> = stem.split('/').collect();
    let plain = parts.iter().all(|part| !part.is_empty() && part.chars().all(allowed));
    plain && parts.len() <= 2 && matches!(kind, "html" | "css" | "js" | "svg" | "puml")
}

/// Whether anything but dot files (a `.git`, a `.nojekyll`) is in the folder.
fn has_visible_entries(root: &Path) -> Result<bool, FolderError> {
    let failed = |source| FolderError::Io { path: root.to_owned(), source };
    let entries = match std::fs::read_dir(root) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(source) => return Err(failed(source)),
    };
    for entry in entries {
        if !entry.map_err(failed)?.file_name().to_string_lossy().starts_with('.') {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> Site {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        Site { files: files.collect() }
    }

    fn write(root: &Path, files: &[(&str, &str)]) -> Result<Outcome, FolderError> {
        Folder::open(root)?.write(&site(files))
    }

    #[test]
    fn what_is_unchanged_is_not_rewritten_and_what_is_gone_is_removed() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("deep/portal");
        let first = write(&out, &[("index.html", "a"), ("services/x.html", "x")]).unwrap();
        assert_eq!(first, Outcome { written: 2, ..Outcome::default() });
        let before = out.join("index.html").metadata().unwrap().modified().unwrap();
        let second = write(&out, &[("index.html", "a"), ("findings.html", "f")]).unwrap();
        assert_eq!(second, Outcome { written: 1, removed: 1, ..Outcome::default() });
        assert_eq!(out.join("index.html").metadata().unwrap().modified().unwrap(), before);
        assert!(!out.join("services").exists());
        assert_eq!(write(&out, &[("index.html", "a"), ("findings.html", "f")]).unwrap(), Outcome::default());
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
        let refused = write(&out, &[("index.html", "b"), ("findings.html", "f")]);
        assert!(matches!(refused, Err(FolderError::Foreign(_))));
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
            "a/b/c.html",
            "x.rs",
        ];
        for path in paths {
            let forged = Manifest { version: 1, files: BTreeMap::from([(path.to_owned(), hash(b"v"))]) };
            std::fs::write(out.join(MANIFEST), render(&forged)).unwrap();
            assert!(matches!(write(&out, &[("index.html", "a")]), Err(FolderError::Manifest { .. })), "{path}");
        }
        assert!(root.path().join("victim.html").exists());
    }

    #[test]
    fn stale_pages_are_listed_with_what_is_wrong() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("portal");
        let new = site(&[("index.html", "new"), ("findings.html", "f")]);
        write(&out, &[("index.html", "a"), ("old.html", "o")]).unwrap();
        let stale = Folder::open(&out).unwrap().stale(&new).unwrap();
        let expected = [("missing", "findings.html"), ("differs", "index.html"), ("left over", "old.html")];
        assert_eq!(stale, expected.map(|(what, path)| (what, path.to_owned())));
        Folder::open(&out).unwrap().write(&new).unwrap();
        assert_eq!(Folder::open(&out).unwrap().stale(&new).unwrap(), []);
    }

    /// A build that ended between its first and its last step.
    #[test]
    fn an_interrupted_build_is_taken_up() {
        let root = tempfile::tempdir().unwrap();
        let out = root.path().join("portal");
        write(&out, &[("old.html", "o")]).unwrap();
        let new = site(&[("index.html", "n")]);
        let mut both = manifest_of(&new);
        both.files.insert("old.html".to_owned(), hash(b"o"));
        std::fs::write(out.join(MANIFEST), render(&both)).unwrap();
        let outcome = Folder::open(&out).unwrap().write(&new).unwrap();
        assert_eq!(outcome, Outcome { written: 1, removed: 1, ..Outcome::default() });
    }
}
