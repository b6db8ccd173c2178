//! What git knows: which migrations are merged, and where lines can be looked at. Without git both are unknown.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use trueup_git::{FileOnBranch, GitError, MainBranch};
use trueup_migrations::checksum;
use trueup_portal::input::CheckReport;
use trueup_portal::source::SourceLinks;
use trueup_portal::truth::{Commit, Merged, Migration};

use crate::report::InputError;

/// What names the current commit where the main branch is not known.
const HEAD: &str = "HEAD";

/// The repository around the project, if there is one.
pub(super) struct Repository<'a> {
    root: &'a Path,
    top: Option<PathBuf>,
    /// The branch that counts as merged.
    pub(super) main: Option<MainBranch>,
    /// What could not be found out, and why.
    pub(super) notes: Vec<String>,
}

impl<'a> Repository<'a> {
    /// Looks around the project root. `wanted` is the branch that somebody says is the main one.
    pub(super) fn open(root: &'a Path, wanted: Option<&str>) -> Self {
        let top = trueup_git::top(root);
        let mut repository = Self { root, top, main: None, notes: Vec::new() };
        if repository.top.is_some() {
            match trueup_git::main_branch(root, wanted) {
                Ok(main) => repository.main = main,
                Err(error) => repository.unknown(&error),
            }
        } else if let Some(name) = wanted {
            repository.notes.push(format!("what is merged to `{name}` is unknown: this is no git repository"));
        }
        repository
    }

    fn unknown(&mut self, error: &GitError) {
        self.notes.push(format!("what is merged is unknown: {error}"));
    }

    /// Notes for every migration of the report whether it is merged.
    pub(super) fn join(&mut self, report: &mut CheckReport) {
        let Some(main) = &self.main else { return };
        let known = || report.services.values().filter_map(|verdict| verdict.provenance.as_ref());
        let files: BTreeSet<String> = known().flat_map(|known| &known.migrations).map(|one| one.file.clone()).collect();
        if files.is_empty() {
            return;
        }
        match trueup_git::files_on(self.root, main, &files.iter().map(String::as_str).collect()) {
            Ok(merged) => {
                for verdict in report.services.values_mut() {
                    for migration in verdict.provenance.iter_mut().flat_map(|known| &mut known.migrations) {
                        migration.merged = judge(migration, &merged);
                    }
                }
            }
            Err(error) => self.unknown(&error),
        }
    }

    /// Where lines can be looked at: what somebody says, else the remote `origin` when its host is known.
    pub(super) fn source(
        &self,
        address: Option<&str>,
        reference: Option<&str>,
        errors: &mut Vec<InputError>,
    ) -> Option<SourceLinks> {
        let reference = reference.or(self.main.as_ref().map(|main| main.name.as_str())).unwrap_or(HEAD);
        let prefix = self.prefix();
        if let Some(address) = address {
            return SourceLinks::parse(address, reference, &prefix)
                .map_err(|error| {
                    // The address itself is not shown: it may hold a password.
                    let message = format!("the source address cannot be used: {error}");
                    let help =
                        "give the https address of a repository on GitHub or GitLab, or one with {path} and {line}";
                    errors.push(InputError { location: None, message, help: help.to_owned() });
                })
                .ok();
        }
        self.top.as_ref()?;
        // A remote on a disk or on a host of another kind is no mistake: then there are no links.
        let remote = trueup_git::remote(self.root).ok().flatten()?;
        SourceLinks::parse(&remote, reference, &prefix).ok()
    }

    /// The project root below the top of the repository.
    fn prefix(&self) -> String {
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let root = canonical(self.root);
        let below = self.top.as_ref().and_then(|top| root.strip_prefix(canonical(top)).ok().map(Path::to_owned));
        let parts = below.unwrap_or_default();
        parts.iter().map(|part| part.to_string_lossy().into_owned()).collect::<Vec<_>>().join("/")
    }
}

/// Merged is a file whose text on the branch is that of the report: by its checksum, so that line ends do not matter.
fn judge(migration: &Migration, merged: &BTreeMap<String, FileOnBranch>) -> Merged {
    let Some(file) = merged.get(&migration.file) else { return Merged::No };
    let text = std::str::from_utf8(&file.bytes).ok();
    match (text.map(checksum::of_text), migration.checksum) {
        (Some(theirs), Some(ours)) if theirs == ours => {
            Merged::Yes(file.since.as_ref().map(|commit| Commit { id: commit.id.clone(), day: commit.day.clone() }))
        }
        (Some(_), Some(_)) => Merged::No,
        // Other encodings, and sums that depend on what only a run has.
        _ => Merged::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use trueup_portal::truth::MigrationKind;

    use super::*;

    #[test]
    fn merged_is_the_same_text_and_nothing_else() {
        let migration = |checksum| Migration {
            version: Some("1".to_owned()),
            description: String::new(),
            script: "V1__x.sql".to_owned(),
            kind: MigrationKind::Versioned,
            file: "db/V1__x.sql".to_owned(),
            checksum,
            merged: Merged::Unknown,
            live: Vec::new(),
        };
        let on = |bytes: &[u8]| {
            BTreeMap::from([("db/V1__x.sql".to_owned(), FileOnBranch { bytes: bytes.to_vec(), since: None })])
        };
        let ours = Some(checksum::of_text("select 1;\n"));
        assert_eq!(judge(&migration(ours), &on(b"select 1;\r\n")), Merged::Yes(None));
        assert_eq!(judge(&migration(ours), &on(b"select 2;\n")), Merged::No);
        assert_eq!(judge(&migration(ours), &BTreeMap::new()), Merged::No);
        assert_eq!(judge(&migration(None), &on(b"select 1;\n")), Merged::Unknown);
        assert_eq!(judge(&migration(ours), &on(b"\xff")), Merged::Unknown);
    }
}
