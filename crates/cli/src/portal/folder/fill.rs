//! A folder that is being filled: files wait beside it until all are made, then they take their places.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use trueup_portal::{Sink, Stopped};

use super::manifest::{MANIFEST, Manifest, hash};
use super::stage::Stage;
use super::{Folder, FolderError, Outcome};

/// Takes the files of a build. Those that are in the folder already are only noted, the others are put on the stage.
pub(super) struct Filling<'f> {
    folder: &'f Folder,
    stage: OnceLock<Stage>,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    /// Every file of the build, with its hash.
    files: BTreeMap<String, String>,
    /// Those that wait: which path each is for, and where it is.
    waiting: BTreeMap<String, PathBuf>,
    /// Files of somebody else in the way. All of them are told, so they stop nothing before the end.
    foreign: Vec<PathBuf>,
    error: Option<FolderError>,
}

/// What becomes of one file.
enum Fate {
    Unchanged,
    Waits(PathBuf),
    Foreign,
}

impl Sink for Filling<'_> {
    fn file(&self, path: String, content: Vec<u8>) -> Result<(), Stopped> {
        let fate = self.fate(&path, &content);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match fate {
            Ok(Fate::Unchanged) => {}
            Ok(Fate::Waits(file)) => {
                taken.waiting.insert(path.clone(), file);
            }
            Ok(Fate::Foreign) => taken.foreign.push(self.folder.root.join(&path)),
            Err(error) => {
                taken.error.get_or_insert(error);
                return Err(Stopped);
            }
        }
        taken.files.insert(path, hash(&content));
        Ok(())
    }
}

impl<'f> Filling<'f> {
    pub(super) fn of(folder: &'f Folder) -> Self {
        Self { folder, stage: OnceLock::new(), taken: Mutex::default() }
    }

    fn fate(&self, path: &str, content: &[u8]) -> Result<Fate, FolderError> {
        self.folder.refuse_detours(path)?;
        match self.folder.read(path)? {
            Some(bytes) if bytes == content => Ok(Fate::Unchanged),
            Some(_) if !self.folder.known.files.contains_key(path) => Ok(Fate::Foreign),
            _ => Ok(Fate::Waits(self.stage()?.keep(content)?)),
        }
    }

    /// The stage, made when the first file has to wait: a build that changes nothing writes nothing.
    fn stage(&self) -> Result<&Stage, FolderError> {
        if let Some(stage) = self.stage.get() {
            return Ok(stage);
        }
        // One thread makes it, and the others wait for it.
        let _turn = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        match self.stage.get() {
            Some(stage) => Ok(stage),
            None => {
                let stage = Stage::open(&self.folder.root)?;
                Ok(self.stage.get_or_init(|| stage))
            }
        }
    }

    /// Everything is made: moves it into its places, and removes what is no longer needed. The list is written first, with old
    /// and new paths: a build that is cut short leaves nothing that the next one does not know.
    pub(super) fn finish(self) -> Result<Outcome, FolderError> {
        let taken = self.taken.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = taken.error {
            return Err(error);
        }
        if !taken.foreign.is_empty() {
            let mut foreign = taken.foreign;
            foreign.sort();
            return Err(FolderError::Foreign(foreign));
        }
        let (folder, target) = (self.folder, Manifest::of(taken.files));
        let mut outcome = Outcome { files: target.files.len(), written: taken.waiting.len(), ..Outcome::default() };
        if taken.waiting.is_empty() && folder.known == target {
            return Ok(outcome);
        }
        folder.put(MANIFEST, &target.with(&folder.known).render())?;
        for (path, file) in &taken.waiting {
            folder.settle(file, path)?;
        }
        for path in folder.known.files.keys().filter(|path| !target.files.contains_key(*path)) {
            folder.remove(path, &mut outcome)?;
        }
        folder.put(MANIFEST, &target.render())?;
        Ok(outcome)
    }
}
