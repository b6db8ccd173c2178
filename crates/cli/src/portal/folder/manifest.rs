//! The list of what builds wrote into a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::FolderError;

/// The list of what a build wrote.
pub(super) const MANIFEST: &str = ".trueup-portal.json";

/// The version of the list's format.
const VERSION: u32 = 1;

/// Paths by path, with the BLAKE3 hash of what was written there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    version: u32,
    pub(super) files: BTreeMap<String, String>,
}

impl Manifest {
    pub(super) fn of(files: BTreeMap<String, String>) -> Self {
        Self { version: VERSION, files }
    }

    /// Whether any build wrote it.
    pub(super) fn is_there(&self) -> bool {
        self.version != 0
    }

    /// This one's files, and those of another that are not in it.
    pub(super) fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (path, hash) in &other.files {
            both.files.entry(path.clone()).or_insert_with(|| hash.clone());
        }
        both
    }

    pub(super) fn render(&self) -> Vec<u8> {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text.into_bytes()
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// The list of an earlier build. Whoever can write it could name any file: only paths that a build can have are taken.
pub(super) fn read(root: &Path) -> Result<Option<Manifest>, FolderError> {
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

/// Whether a build can have written this path: slugs, with a file of a kind that we write, at most as deep as the page of a table. Markdown has
/// a folder more.
fn is_a_path_of_ours(path: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let Some((stem, kind)) = path.rsplit_once('.') else { return false };
    let parts: Vec<&str> = stem.split('/').collect();
    let plain = parts.iter().all(|part| !part.is_empty() && part.chars().all(allowed));
    let depth = if parts[0] == "docs" { 4 } else { 3 };
    plain && parts.len() <= depth && matches!(kind, "html" | "css" | "js" | "md" | "svg" | "puml" | "yml")
}
