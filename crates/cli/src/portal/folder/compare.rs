//! The folder beside what a build would write, file by file.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use trueup_portal::{Sink, Stopped};

use super::manifest::{MANIFEST, Manifest, hash};
use super::{Folder, FolderError};

/// What is stale, and how: `missing`, `differs` or `left over`, and the path.
pub(in crate::portal) type Stale = Vec<(&'static str, String)>;

/// Takes the files of a build and keeps nothing of them but what is stale.
pub(super) struct Comparison<'f> {
    folder: &'f Folder,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    files: BTreeMap<String, String>,
    stale: Stale,
    error: Option<FolderError>,
}

impl Sink for Comparison<'_> {
    fn file(&self, path: String, content: Vec<u8>) -> Result<(), Stopped> {
        let there = self.folder.read(&path);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match there {
            Ok(Some(bytes)) if bytes == content => {}
            Ok(Some(_)) => seen.stale.push(("differs", path.clone())),
            Ok(None) => seen.stale.push(("missing", path.clone())),
            Err(error) => {
                seen.error.get_or_insert(error);
                return Err(Stopped);
            }
        }
        seen.files.insert(path, hash(&content));
        Ok(())
    }
}

impl<'f> Comparison<'f> {
    pub(super) fn of(folder: &'f Folder) -> Self {
        Self { folder, seen: Mutex::default() }
    }

    /// What is stale, by path; what is left over comes last.
    pub(super) fn finish(self) -> Result<Stale, FolderError> {
        let Seen { files, mut stale, error } = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = error {
            return Err(error);
        }
        stale.sort_by(|a, b| a.1.cmp(&b.1));
        let (folder, made) = (self.folder, Manifest::of(files));
        for path in folder.known.files.keys().filter(|path| !made.files.contains_key(*path)) {
            if folder.read(path)?.is_some() {
                stale.push(("left over", path.clone()));
            }
        }
        if stale.is_empty() && folder.known != made {
            stale.push((if folder.known.is_there() { "differs" } else { "missing" }, MANIFEST.to_owned()));
        }
        Ok(stale)
    }
}
