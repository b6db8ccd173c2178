//! Answers of earlier runs, by everything they depend on.
//!
//! The key covers the whole of a service's inputs, the engine, and this very binary, and an answer says which extensions
//! it found installed, so a hit is as good as a run. An
//! entry carries its own hash: a damaged one is no entry, and the next run writes it anew.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use trueup_postgres::disposable::Engine;

use super::answer::Answer;
use super::digest::add;
use super::inputs::ServiceInput;

/// Entries that nobody asked for in this time are removed now and then.
const KEPT: std::time::Duration = std::time::Duration::from_secs(30 * 24 * 3600);

/// The cache's folder.
pub struct Cache {
    folder: PathBuf,
}

/// What an answer depends on, hashed: 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Cache {
    /// The cache below `folder`; nothing is made until something is kept.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.join("answers") }
    }

    /// The key of a service's answer; `None` when one of its files cannot be read.
    pub fn key(&self, engine: &Engine, input: &ServiceInput) -> Option<Key> {
        let mut hash = blake3::Hasher::new();
        add(&mut hash, "binary", binary()?.as_bytes());
        add(&mut hash, "engine", format!("{engine:?}").as_bytes());
        add(&mut hash, "service", input.name.as_bytes());
        add(&mut hash, "declared", &serde_json::to_vec(&input.declared).ok()?);
        add(&mut hash, "settings", format!("{:?}", input.flyway).as_bytes());
        add(&mut hash, "folders", format!("{:?}", input.folders).as_bytes());
        add(&mut hash, "findings", &serde_json::to_vec(&input.findings).ok()?);
        add(&mut hash, "scripts", input.scripts_hash()?.as_bytes());
        Some(Key(hash.finalize().to_hex().to_string()))
    }

    /// The answer of an earlier run, if there is an undamaged one and the extensions it depends on are what they were.
    pub fn get(&self, key: &Key) -> Option<Answer> {
        let bytes = std::fs::read(self.path(key)).ok()?;
        let (head, body) = bytes.split_at_checked(blake3::OUT_LEN * 2 + 1)?;
        let intact = head.strip_suffix(b"\n")? == blake3::hash(body).to_hex().as_bytes();
        let answer: Option<Answer> = if intact { serde_json::from_slice(body).ok() } else { None };
        answer.filter(|answer| answer.installed.is_unchanged())
    }

    /// Keeps an answer: written beside its place, then renamed, so no reader ever sees half of it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn put(&self, key: &Key, answer: &Answer) -> std::io::Result<()> {
        let body = serde_json::to_vec(answer)?;
        let path = self.path(key);
        let folder = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(blake3::hash(&body).to_hex().as_bytes())?;
        file.write_all(b"\n")?;
        file.write_all(&body)?;
        file.persist(&path).map_err(|error| error.error)?;
        remove_stale(folder)
    }

    fn path(&self, key: &Key) -> PathBuf {
        let (head, tail) = key.0.split_at(2);
        self.folder.join(head).join(tail)
    }
}

/// The hash of this program: another build may judge otherwise.
fn binary() -> Option<&'static String> {
    static HASH: OnceLock<Option<String>> = OnceLock::new();
    let hash = || {
        let mut hasher = blake3::Hasher::new();
        let mut file = std::fs::File::open(std::env::current_exe().ok()?).ok()?;
        std::io::copy(&mut file, &mut hasher).ok()?;
        Some(hasher.finalize().to_hex().to_string())
    };
    HASH.get_or_init(hash).as_ref()
}

/// Removes what nobody asked for in a long time from the folder that was just written to.
fn remove_stale(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)?.flatten() {
        let age = entry.metadata().and_then(|data| data.modified()).map(|time| time.elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > KEPT) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests fail by panicking")]
    use super::super::installed::Installed;
    use super::*;

    #[test]
    fn an_answer_counts_while_the_extensions_are_what_they_were() {
        let folder = tempfile::tempdir().expect("a folder");
        let extensions = folder.path().join("extension");
        std::fs::create_dir(&extensions).expect("made");
        let installed = Installed::now(folder.path(), ["postgis"]).expect("told");
        let cache = Cache::new(&folder.path().join("cache"));
        let key = Key("ab".repeat(32));
        cache.put(&key, &Answer { installed, ..Answer::unknown("x", Vec::new()) }).expect("kept");
        assert!(cache.get(&key).is_some());
        std::fs::write(extensions.join("postgis.control"), "default_version = '3.3.2'\n").expect("written");
        assert!(cache.get(&key).is_none(), "somebody installed it");
        std::fs::remove_file(extensions.join("postgis.control")).expect("removed");
        assert!(cache.get(&key).is_some());
    }
}
