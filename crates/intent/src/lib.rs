//! The intent: YAML to a spanned document, to declared schemas. Confines YAML.
//!
//! [`read`] takes the bytes of one or several YAML files and gives back everything that can be said about them at
//! once: what they declare, what was not understood in them (findings, which leave the rest usable), and what makes
//! them unreadable (errors). It does no I/O and never panics, whatever the bytes are.

mod builder;
mod check;
mod column;
mod constraint;
mod document;
mod engine;
mod fields;
mod freeze;
mod index;
mod lower;
mod names;
pub mod properties;
mod prose;
mod recovery;
mod report;
mod schema;
mod service;
mod syntax;
mod table;
mod text;
pub mod written;

use std::fmt;

use trueup_model::declared::Declared;
use trueup_model::finding::Finding;
use trueup_model::location::Location;

pub use schema::json_schema;

/// One YAML file of the intent, as it was read from disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Path relative to the project root, with `/` between folders; it stands in every location.
    pub path: String,
    /// The bytes as they are on disk; hostile.
    pub bytes: Vec<u8>,
}

/// What the intent says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What is declared. Without errors it is all of it; with errors it is what could still be read, and must not be
    /// compared with anything.
    pub declared: Declared,
    /// `not-understood` and `unknown-key`, in the order of the files.
    pub findings: Vec<Finding>,
    /// What makes a file unreadable, in the order of the files, with every place at once.
    pub errors: Vec<IntentError>,
    /// What stands in the files where the declared model has no word for it.
    pub written: written::Written,
}

/// Something that makes a YAML file unreadable: its author has to correct it before anything can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntentError {
    /// Where.
    pub at: Location,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl fmt::Display for IntentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.message)
    }
}

impl std::error::Error for IntentError {}

/// Reads the whole intent, which may be spread over several files: their services are put together.
///
/// The files are taken in the given order. A service that stands in two of them is an error that names both places.
/// Foreign keys are resolved against the whole intent.
pub fn read(sources: &[Source]) -> Reading {
    let mut report = report::Report::default();
    let mut services = service::Services::default();
    for source in sources {
        let file: std::sync::Arc<str> = source.path.as_str().into();
        let documents = syntax::documents(&file, &source.bytes, &mut report);
        for document in &documents {
            if report.is_full(&file) {
                break;
            }
            service::read_document(&file, document, &mut services, &mut report);
        }
    }
    let declared = lower::resolve(services, &mut report);
    let written = std::mem::take(&mut report.written);
    let (findings, errors) = report.finish(sources);
    Reading { declared, findings, errors, written }
}
