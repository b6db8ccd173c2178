//! Which extensions were installed when a service was looked at: the one thing that an answer depends on and that is
//! neither an input of the service nor part of the engine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trueup_postgres::disposable::{EngineKind, Scratch};

/// Longest control file; those of PostgreSQL's own extensions have some 200 bytes.
const MAX_BYTES: u64 = 64 * 1024;

/// The control files of extensions, as they were at one moment. Installing, upgrading and removing an extension change
/// them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// The folder they are in.
    folder: PathBuf,
    /// By the extension's name; the hash of the file's content, or `None` where there was no file.
    controls: BTreeMap<String, Option<String>>,
}

impl Installed {
    /// What is there now for these extensions, and for those that they require, below the installation's folder of
    /// shared files. `None` when that cannot be told, or a name is not one that a file may have.
    pub fn now<'n>(share_dir: &Path, names: impl IntoIterator<Item = &'n str>) -> Option<Self> {
        let folder = share_dir.join("extension");
        let mut controls = BTreeMap::new();
        let mut open: Vec<String> = names.into_iter().map(str::to_owned).collect();
        while let Some(name) = open.pop() {
            if controls.contains_key(&name) {
                continue;
            }
            let content = read(&folder, &name)?;
            open.extend(content.iter().flat_map(|content| required(content)));
            controls.insert(name, content.as_deref().map(hash));
        }
        Some(Self { folder, controls })
    }

    /// What a server has of these extensions; `None` where that cannot be told.
    pub fn on(scratch: &Scratch, names: &[String]) -> Option<Self> {
        match scratch.engine().kind {
            EngineKind::Native => Self::now(scratch.share_dir()?, names.iter().map(String::as_str)),
            // It has what it was built with, and an answer is this very binary's anyway.
            EngineKind::Bundled => Some(Self::default()),
            EngineKind::Url => None,
        }
    }

    /// Whether all of it is still so.
    pub fn is_unchanged(&self) -> bool {
        self.controls
            .iter()
            .all(|(name, then)| read(&self.folder, name).is_some_and(|content| content.as_deref().map(hash) == *then))
    }

    /// Whether an extension is lacking, and somebody may install it.
    pub fn lacks_any(&self) -> bool {
        self.controls.values().any(Option::is_none)
    }
}

/// The content of an extension's control file; inside, `None` where there is no such file.
fn read(folder: &Path, name: &str) -> Option<Option<Vec<u8>>> {
    // Names come from SQL and YAML.
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        return None;
    }
    let path = folder.join(format!("{name}.control"));
    match fs::metadata(&path) {
        Ok(data) if data.is_file() && data.len() <= MAX_BYTES => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Some(None),
        _ => return None,
    }
    let mut content = Vec::new();
    fs::File::open(&path).ok()?.take(MAX_BYTES + 1).read_to_end(&mut content).ok()?;
    Some(Some(content))
}

fn hash(content: &[u8]) -> String {
    blake3::hash(content).to_hex().to_string()
}

/// The extensions that a control file requires: `requires = 'cube, plpgsql'`.
fn required(control: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(control);
    let settings = text.lines().filter_map(|line| line.split_once('='));
    let lists = settings.filter(|(key, _)| key.trim() == "requires").filter_map(|(_, value)| value.split('\'').nth(1));
    let names = lists.flat_map(|list| list.split(',')).map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests fail by panicking")]
    use super::*;

    fn share_dir() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("extension")).expect("made");
        folder
    }

    fn control(share_dir: &tempfile::TempDir, name: &str) -> PathBuf {
        share_dir.path().join("extension").join(format!("{name}.control"))
    }

    #[test]
    fn what_is_installed_upgraded_or_removed_counts() {
        let folder = share_dir();
        fs::write(control(&folder, "there"), "default_version = '1.0'\n").expect("written");
        let then = Installed::now(folder.path(), ["there", "lacking"]).expect("told");
        assert!(then.is_unchanged() && then.lacks_any());
        let kept: Installed = serde_json::from_slice(&serde_json::to_vec(&then).expect("JSON")).expect("JSON");
        assert_eq!(kept, then);

        fs::write(control(&folder, "other"), "").expect("written");
        assert!(then.is_unchanged(), "another extension is nobody's business");
        fs::write(control(&folder, "lacking"), "").expect("written");
        assert!(!then.is_unchanged(), "it was installed");
        fs::remove_file(control(&folder, "lacking")).expect("removed");
        assert!(then.is_unchanged());
        fs::write(control(&folder, "there"), "default_version = '1.1'\n").expect("written");
        assert!(!then.is_unchanged(), "it was upgraded");
        fs::remove_file(control(&folder, "there")).expect("removed");
        assert!(!then.is_unchanged(), "it was removed");
        assert!(Installed::default().is_unchanged() && !Installed::default().lacks_any());
    }

    #[test]
    fn what_an_extension_requires_counts_too() {
        let folder = share_dir();
        fs::write(control(&folder, "a"), "# requires = 'no'\nrequires = 'b, c'\n").expect("written");
        fs::write(control(&folder, "b"), "requires='a,d'").expect("written");
        fs::write(control(&folder, "c"), "comment = 'requires nothing'\n").expect("written");
        let then = Installed::now(folder.path(), ["a"]).expect("told");
        assert_eq!(then.controls.keys().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert!(then.lacks_any());
        fs::write(control(&folder, "d"), "").expect("written");
        assert!(!then.is_unchanged());
    }

    #[test]
    fn names_that_are_no_file_names_touch_nothing() {
        let folder = share_dir();
        fs::write(folder.path().join("outside.control"), "").expect("written");
        for name in ["../outside", "a/b", "", ".", "a.b", "/etc/passwd", "é", "a b", "a\0", "..", "a\\b"] {
            assert_eq!(Installed::now(folder.path(), [name]), None, "{name:?}");
        }
        fs::write(control(&folder, "a"), "requires = '../outside'\n").expect("written");
        assert_eq!(Installed::now(folder.path(), ["a"]), None);
        assert!(Installed::now(folder.path(), ["uuid-ossp", "pg_trgm", "H3"]).is_some());
    }

    #[test]
    fn what_is_no_file_or_too_long_cannot_be_told() {
        let folder = share_dir();
        fs::create_dir(control(&folder, "folder")).expect("made");
        fs::write(control(&folder, "long"), vec![b'#'; 65 * 1024]).expect("written");
        assert_eq!(Installed::now(folder.path(), ["folder"]), None);
        assert_eq!(Installed::now(folder.path(), ["long"]), None);
    }
}
