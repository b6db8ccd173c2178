//! Notices that something changed: at once where the system tells, and within a second where it does not.
//!
//! The system's word is a hint. Network mounts, some mounts of containers, and a system that is out of watches tell nothing:
//! so everything is looked at once a second, too.

use std::path::PathBuf;
use std::time::Duration;

use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::sources::{Sources, Stamp};
use crate::check::CheckError;
use crate::check::output::print;
use crate::report::text::{SENTENCE, clean};

/// How often everything is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Files are read when nothing changed for so long: whoever writes one may not be done.
const QUIET: Duration = Duration::from_millis(15);

/// But no later than this after the first change.
const PATIENCE: Duration = Duration::from_millis(150);

/// What the system tells of folders.
pub(super) struct Watcher {
    system: Option<RecommendedWatcher>,
    changes: UnboundedReceiver<Vec<PathBuf>>,
    /// How often everything is looked at.
    every: Duration,
    /// Whether it was said that the system tells nothing.
    has_complained: bool,
}

impl Watcher {
    /// Listens to the system, if it can be listened to.
    pub(super) fn new() -> Result<Self, CheckError> {
        let (tell, changes) = unbounded_channel();
        let system = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let paths = match event {
                Ok(event) if is_read(event.kind) => return,
                Ok(event) => event.paths,
                // Something was missed: no path, so that everything is looked at.
                Err(_) => Vec::new(),
            };
            // Whoever listened is gone when the program ends.
            let _ = tell.send(paths);
        });
        let mut watcher = Self { system: None, changes, every: LOOK, has_complained: false };
        match system {
            Ok(system) => watcher.system = Some(system),
            Err(error) => watcher.complain(&error)?,
        }
        Ok(watcher)
    }

    /// Listens for these sources too. What was told until now is forgotten: they are about to be read.
    pub(super) fn look_at(&mut self, sources: &Sources) -> Result<(), CheckError> {
        let mut failed = None;
        for folder in sources.places().into_iter().filter(|folder| folder.is_dir()) {
            // A folder that was made anew has to be named again; naming one twice does no harm.
            if let Some(system) = &mut self.system
                && let Err(error) = system.watch(folder, RecursiveMode::NonRecursive)
            {
                failed = Some(error);
            }
        }
        while self.changes.try_recv().is_ok() {}
        failed.map_or(Ok(()), |error| self.complain(&error))
    }

    fn complain(&mut self, error: &notify::Error) -> Result<(), CheckError> {
        if std::mem::replace(&mut self.has_complained, true) {
            return Ok(());
        }
        let why = clean(&error.to_string(), SENTENCE);
        print(&format!("the system does not tell of changes ({why}): they are looked for once a second\n"))
    }

    /// Returns when one of the sources changed since it was stamped, and whoever changes them seems to be done.
    pub(super) async fn changed(&mut self, sources: &Sources, stamp: &Stamp) {
        loop {
            match timeout(self.every, self.changes.recv()).await {
                // A file that was written is read again, even if it looks as before.
                Ok(Some(paths)) if paths.iter().any(|path| sources.files.contains(path)) => break,
                // Nobody tells any more.
                Ok(None) => sleep(self.every).await,
                Ok(Some(_)) | Err(_) => {}
            }
            if sources.stamp() != *stamp {
                break;
            }
        }
        self.settled().await;
    }

    async fn settled(&mut self) {
        let last = Instant::now() + PATIENCE;
        while Instant::now() < last {
            match timeout_at(last.min(Instant::now() + QUIET), self.changes.recv()).await {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return,
            }
        }
    }
}

/// Reading is no change; the end of writing is.
fn is_read(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path) -> Sources {
        let mut sources = Sources::default();
        sources.files.insert(folder.join("a.yaml"));
        sources.folders.insert(folder.join("records"));
        sources
    }

    async fn is_noticed(watcher: &mut Watcher, sources: &Sources, change: impl FnOnce()) -> bool {
        watcher.look_at(sources).unwrap();
        let stamp = sources.stamp();
        change();
        timeout(Duration::from_secs(5), watcher.changed(sources, &stamp)).await.is_ok()
    }

    #[tokio::test]
    async fn what_is_written_replaced_removed_or_new_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, records) = (folder.path().join("a.yaml"), folder.path().join("records"));
        let sources = sources(folder.path());
        for silent in [false, true] {
            let mut watcher = Watcher::new().unwrap();
            if silent {
                // A system that tells nothing.
                (watcher.system, watcher.every) = (None, Duration::from_millis(50));
            }
            assert!(is_noticed(&mut watcher, &sources, || std::fs::write(&file, "1").unwrap()).await);
            assert!(is_noticed(&mut watcher, &sources, || std::fs::write(&file, "22").unwrap()).await);
            let other = folder.path().join("other");
            std::fs::write(&other, "333").unwrap();
            assert!(is_noticed(&mut watcher, &sources, || std::fs::rename(&other, &file).unwrap()).await);
            assert!(is_noticed(&mut watcher, &sources, || std::fs::remove_file(&file).unwrap()).await);
            assert!(
                is_noticed(&mut watcher, &sources, || {
                    std::fs::create_dir(&records).unwrap();
                    std::fs::write(records.join("svc-a.json"), "{}").unwrap();
                })
                .await
            );
            assert!(is_noticed(&mut watcher, &sources, || std::fs::remove_dir_all(&records).unwrap()).await);
        }
    }

    #[tokio::test]
    async fn reading_and_files_beside_are_no_change() {
        let folder = tempfile::tempdir().unwrap();
        let sources = sources(folder.path());
        std::fs::write(folder.path().join("a.yaml"), "1").unwrap();
        let mut watcher = Watcher::new().unwrap();
        watcher.look_at(&sources).unwrap();
        let stamp = sources.stamp();
        std::fs::read(folder.path().join("a.yaml")).unwrap();
        std::fs::write(folder.path().join("beside.txt"), "1").unwrap();
        let waited = timeout(Duration::from_millis(300), watcher.changed(&sources, &stamp)).await;
        assert!(waited.is_err(), "nothing changed");
    }
}
