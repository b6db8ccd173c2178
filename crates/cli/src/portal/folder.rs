//! The folder of the pages. What a build wrote is listed in a file there; nothing that is not listed is ever touched.

mod compare;
mod fill;
mod manifest;
mod stage;

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use trueup_portal::{Sink, Stopped};

use crate::check::CheckError;
use compare::{Comparison, Stale};
use fill::Filling;
use manifest::Manifest;

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
    /// How many files the pages are.
    pub(super) files: usize,
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
    /// Pages would replace files that no build wrote.
    #[error("{} would be replaced, and no build wrote {}", listed(.0), if .0.len() == 1 { "it" } else { "them" })]
    Foreign(Vec<PathBuf>),
    /// Another build has not ended.
    #[error("another build is at work in {}", .0.display())]
    Busy(PathBuf),
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
            Self::Foreign(files) => {
                let those = if files.len() == 1 { "that file" } else { "those files" };
                format!("move {those} away, or name another folder after --out")
            }
            Self::Busy(_) => "wait until it has ended, or name another folder after --out".to_owned(),
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
        let known = manifest::read(&root)?;
        if known.is_none() && has_visible_entries(&root)? {
            return Err(FolderError::NotOurs(root));
        }
        Ok(Self { root, known: known.unwrap_or_default() })
    }

    /// What a build would change; `make` makes its files.
    pub(super) fn stale(&self, make: impl FnOnce(&dyn Sink) -> Result<(), Stopped>) -> Result<Stale, FolderError> {
        let comparison = Comparison::of(self);
        // Why it stopped is in the comparison.
        let _ = make(&comparison);
        comparison.finish()
    }

    /// Makes the folder hold the files that `make` makes: all of them, or nothing changes.
    pub(super) fn write(&self, make: impl FnOnce(&dyn Sink) -> Result<(), Stopped>) -> Result<Outcome, FolderError> {
        let filling = Filling::of(self);
        // Why it stopped is in the filling.
        let _ = make(&filling);
        filling.finish()
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

    /// Gives a finished file its place.
    fn settle(&self, file: &Path, path: &str) -> Result<(), FolderError> {
        let path = self.root.join(path);
        let failed = |source| FolderError::Io { path: path.clone(), source };
        std::fs::create_dir_all(path.parent().unwrap_or(&self.root)).map_err(failed)?;
        std::fs::rename(file, &path).map_err(failed)
    }

    /// Removes a file of an earlier build, unless somebody changed it; and its folder, once that is empty.
    fn remove(&self, path: &str, outcome: &mut Outcome) -> Result<(), FolderError> {
        self.refuse_detours(path)?;
        let Some(bytes) = self.read(path)? else { return Ok(()) };
        if self.known.files.get(path) != Some(&manifest::hash(&bytes)) {
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

/// How many files a message names.
const NAMED: usize = 10;

fn listed(files: &[PathBuf]) -> String {
    let mut text: Vec<String> = files.iter().take(NAMED).map(|file| file.display().to_string()).collect();
    if files.len() > NAMED {
        text.push(format!("{} more", files.len() - NAMED));
    }
    text.join(", ")
}

#[cfg(test)]
mod tests;
