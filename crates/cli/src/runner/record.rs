//! The file for what came of a run.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::NamedTempFile;

use super::error::RunnerError;

/// A place that can be written to: opened before the run, so that no run goes without its record for want of a folder.
pub(super) struct Record {
    path: PathBuf,
    file: NamedTempFile,
}

impl Record {
    /// Opens a file beside this one.
    ///
    /// # Errors
    /// The folder is missing or cannot be written to.
    pub(super) fn at(path: &Path) -> Result<Self, RunnerError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let file = NamedTempFile::new_in(folder).map_err(|source| failed(path, source))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Writes the document in place of what was there; never half of it.
    pub(super) fn write(self, document: &Value) -> Result<(), RunnerError> {
        self.write_text(&format!("{document:#}\n"))
    }

    /// The same with any text.
    pub(super) fn write_text(mut self, text: &str) -> Result<(), RunnerError> {
        self.file.write_all(text.as_bytes()).map_err(|source| failed(&self.path, source))?;
        self.file.persist(&self.path).map_err(|error| failed(&self.path, error.error))?;
        Ok(())
    }
}

fn failed(path: &Path, source: std::io::Error) -> RunnerError {
    RunnerError::Record { path: path.to_owned(), source }
}
