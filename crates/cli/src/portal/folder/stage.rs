//! Where files wait until all of them are made: until then the folder stays what it was.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::FolderError;

/// The folder of what waits, inside the folder of the pages: moving from one to the other is only a new name.
const STAGE: &str = ".trueup-portal.new";

/// The file in it that one build at a time holds.
const LOCK: &str = "lock";

/// Files that wait, removed when dropped.
#[derive(Debug)]
pub(super) struct Stage {
    root: PathBuf,
    files: AtomicUsize,
    lock: Option<File>,
}

impl Stage {
    /// Makes it, in a folder that may have to be made too. What a killed build left is removed.
    pub(super) fn open(folder: &Path) -> Result<Self, FolderError> {
        let root = folder.join(STAGE);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::Io { path, source }
        };
        std::fs::create_dir_all(&root).map_err(failed(&root))?;
        if !root.symlink_metadata().map_err(failed(&root))?.is_dir() {
            return Err(FolderError::Elsewhere(root));
        }
        let path = root.join(LOCK);
        let lock = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(FolderError::Busy(folder.to_owned())),
            // There are file systems without locks. Two builds at once would get in each other's way there, and say so.
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(failed(&path)(error)),
        }
        let stage = Self { root, files: AtomicUsize::new(0), lock: Some(lock) };
        stage.clear().map_err(failed(&stage.root))?;
        Ok(stage)
    }

    /// Writes a file, under a name that says nothing; where it is.
    pub(super) fn keep(&self, content: &[u8]) -> Result<PathBuf, FolderError> {
        let path = self.root.join(self.files.fetch_add(1, Ordering::Relaxed).to_string());
        std::fs::write(&path, content).map_err(|source| FolderError::Io { path: path.clone(), source })?;
        Ok(path)
    }

    /// Removes the files that wait, and nothing that has another name.
    fn clear(&self) -> std::io::Result<()> {
        for entry in std::fs::read_dir(&self.root)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for Stage {
    /// What cannot be removed is removed by the next build.
    fn drop(&mut self) {
        let _ = self.clear();
        // The name goes while the lock is held, where that is possible: nobody else is to lock what goes.
        let path = self.root.join(LOCK);
        if std::fs::remove_file(&path).is_err() {
            self.lock = None;
            let _ = std::fs::remove_file(&path);
        }
        let _ = std::fs::remove_dir(&self.root);
    }
}
