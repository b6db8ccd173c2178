//! The baseline as a file: read whole, refused when damaged, written in one step.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Baseline, Entry, VERSION};

/// The file as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    findings: Vec<Entry>,
}

/// Why a baseline file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It cannot be read.
    #[error("cannot read the baseline {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not a baseline file.
    #[error("{}:{line}:{column}: this baseline file is damaged: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// 1-based line, 0 when unknown.
        line: usize,
        /// 1-based column, 0 when unknown.
        column: usize,
        /// What the parser said.
        message: String,
    },
    /// It was written by a later trueup.
    #[error("{} is a baseline of version {found}, and this trueup reads version {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// The version it says.
        found: u32,
    },
    /// It cannot be written.
    #[error("cannot write the baseline {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl BaselineError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Read { .. } | Self::Write { .. } => "check the path and its permissions",
            Self::Damaged { .. } => {
                "restore it from version control, or delete it and run `trueup check --write-baseline`"
            }
            Self::Version { .. } => "use the trueup that wrote it, or a later one",
        }
    }
}

impl Baseline {
    /// Reads a baseline file; `None` when there is none.
    pub fn read(path: &Path) -> Result<Option<Self>, BaselineError> {
        match std::fs::read(path) {
            Ok(bytes) => Self::parse(path, &bytes).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(BaselineError::Read { path: path.to_owned(), source }),
        }
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, BaselineError> {
        let damaged = |error: &serde_json::Error| BaselineError::Damaged {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            message: error.to_string(),
        };
        // The version first: a later format need not have the fields of this one.
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let found = serde_json::from_slice::<Version>(bytes).map_err(|error| damaged(&error))?.version;
        if found != VERSION {
            return Err(BaselineError::Version { path: path.to_owned(), found });
        }
        let wire: Wire = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        Ok(Self::new(wire.findings))
    }

    /// The file's text: JSON, one field a line, so that reviews show one entry as one block.
    pub fn render(&self) -> String {
        let wire = Wire { version: VERSION, findings: self.entries.clone() };
        let mut text = serde_json::to_string_pretty(&wire).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Writes the file whole or not at all: a temporary file beside it, then a rename.
    pub fn write(&self, path: &Path) -> Result<(), BaselineError> {
        self.write_beside(path).map_err(|source| BaselineError::Write { path: path.to_owned(), source })
    }

    fn write_beside(&self, path: &Path) -> std::io::Result<()> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut file = readable_by_all(tempfile::Builder::new().prefix(".trueup-baseline")).tempfile_in(folder)?;
        file.write_all(self.render().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Temporary files are private by default; a baseline is committed and read by everyone who checks it out.
#[cfg(unix)]
fn readable_by_all<'a, 'b>(builder: &'a mut tempfile::Builder<'b, 'b>) -> &'a mut tempfile::Builder<'b, 'b> {
    use std::os::unix::fs::PermissionsExt as _;
    builder.permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all<'a, 'b>(builder: &'a mut tempfile::Builder<'b, 'b>) -> &'a mut tempfile::Builder<'b, 'b> {
    builder
}

#[cfg(test)]
mod tests {
    use trueup_model::finding::{Finding, ObjectPath};
    use trueup_model::name::QualifiedName;
    use trueup_model::rule::Rule;

    use super::*;
    use crate::baseline::FILE_NAME;

    fn finding(rule: Rule, service: &str) -> Finding {
        Finding::new(rule, service, ObjectPath::table(&QualifiedName::new("s", "t"))).message("said")
    }

    #[test]
    fn the_file_is_written_for_reviewers() {
        let findings = [finding(Rule::NotUnderstood, "svc-1"), finding(Rule::MissingTable, "svc-0")];
        insta::assert_snapshot!(Baseline::default().accept(&findings, Some("why"), |_| true).0.render());
    }

    #[test]
    fn a_damaged_file_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE_NAME);
        assert!(Baseline::read(&file).unwrap().is_none());
        let cases = [
            ("", "1:0: this baseline file is damaged"),
            ("{\"version\": 1, \"findings\": [", "damaged"),
            ("<<<<<<< ours\n", "1:1: this baseline file is damaged"),
            ("{\"version\": 1, \"findings\": [], \"extra\": 1}", "unknown field `extra`"),
            ("{\"version\": 1, \"findings\": [{\"rule\": \"x\"}]}", "missing field"),
            ("{\"version\": 2}", "is a baseline of version 2, and this trueup reads version 1"),
        ];
        for (text, expected) in cases {
            std::fs::write(&file, text).unwrap();
            let error = Baseline::read(&file).unwrap_err();
            assert!(error.to_string().contains(expected), "{text}: {error}");
            assert!(!error.help().is_empty());
        }
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("none/baseline.json");
        assert!(matches!(Baseline::default().write(&missing), Err(BaselineError::Write { .. })));
        let file = folder.path().join(FILE_NAME);
        Baseline::default().write(&file).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
    }
}
