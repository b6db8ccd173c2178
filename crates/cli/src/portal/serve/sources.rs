//! The files that the pages are made from, whether they are there or not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::args::TruthArgs;
use crate::check::{Place, find_settings, inputs};
use crate::portal::project::{asked_environments, domains_file};
use crate::settings;

/// What there is to look at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    /// Files that are read, or would be if they were there.
    pub(super) files: BTreeSet<PathBuf>,
    /// Folders of which any file may be read.
    pub(super) folders: BTreeSet<PathBuf>,
}

/// When each file was written, and how long it is; `None` where there is none.
pub(super) type Stamp = BTreeMap<PathBuf, Option<(SystemTime, u64)>>;

impl Sources {
    /// What a build with these arguments reads.
    pub(super) fn of(arguments: &TruthArgs, place: &Place) -> Self {
        let mut sources = Self::default();
        // What is wrong with the settings or the intent is told by the build; here they are only looked at.
        let (root, settings, _) = find_settings(&place.folder);
        sources.files.insert(root.join(settings::FILE_NAME));
        sources.files.insert(place.folder.join(settings::FILE_NAME));
        let intent = inputs::intent_files(&root, &settings, &mut Vec::new());
        if settings.intent.is_empty() {
            sources.files.insert(root.join(inputs::USUAL_INTENT));
        }
        for pattern in &settings.intent {
            sources.pattern(&root, &pattern.value);
        }
        sources.files.extend(intent.iter().map(|file| root.join(file)));
        sources.files.extend(domains_file(&intent).map(|file| root.join(file)));
        if let Some(report) = &arguments.report {
            sources.files.insert(place.folder.join(report));
            sources.migrations(&root, &settings);
        }
        let (asked, base) = asked_environments(arguments, &settings.portal, &root, place);
        for asked in &asked {
            if let Some((_, path)) = asked.value.split_once('=') {
                sources.file_or_folder(base.join(path.trim()));
            }
        }
        let repository = trueup_git::state(&root);
        sources.files.extend(repository.files);
        sources.folders.extend(repository.folders);
        sources
    }

    /// A report is held beside the migrations; without one nobody reads them.
    fn migrations(&mut self, root: &Path, settings: &settings::Settings) {
        for service in inputs::gather(root, settings).services {
            self.files.extend(service.files.iter().map(|file| root.join(file)));
            self.folders.extend(service.folders.iter().map(|folder| root.join(folder)));
            // A name with a path in it leads anywhere.
            if service.folders.is_empty() && !service.name.contains(['/', '\\', '.']) {
                // Its first migration makes the folder: what there is of the way to it is looked at.
                let usual = root.join("services").join(&service.name).join("src/main/resources/db/migration");
                self.folders.extend(usual.ancestors().find(|folder| folder.is_dir()).map(Path::to_owned));
            }
        }
    }

    /// A new file may match a glob too: the folder before the first wildcard is looked at, unless it is the root.
    fn pattern(&mut self, root: &Path, pattern: &str) {
        match pattern.find(['*', '?']) {
            None => drop(self.files.insert(root.join(pattern))),
            Some(end) => {
                let fixed = pattern[..end].rsplit_once('/').map(|(folder, _)| root.join(folder));
                self.folders.extend(fixed);
            }
        }
    }

    fn file_or_folder(&mut self, path: PathBuf) {
        if path.is_dir() {
            self.folders.insert(path)
        } else {
            self.files.insert(path)
        };
    }

    /// The folders in which something may change.
    pub(super) fn places(&self) -> BTreeSet<&Path> {
        let parents = self.files.iter().filter_map(|file| file.parent());
        parents.chain(self.folders.iter().map(PathBuf::as_path)).collect()
    }

    /// How everything is now. Two looks that differ mean that something changed; contents are not read.
    pub(super) fn stamp(&self) -> Stamp {
        let listed = self.folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
        let listed = listed.filter_map(|entry| Some(entry.ok()?.path()));
        self.files
            .iter()
            .cloned()
            .chain(listed)
            .map(|path| (look(&path), path))
            .map(|(look, path)| (path, look))
            .collect()
    }
}

/// A file that cannot be looked at is as good as none: the build says why.
fn look(path: &Path) -> Option<(SystemTime, u64)> {
    let data = path.metadata().ok()?;
    Some((data.modified().ok()?, data.len()))
}
