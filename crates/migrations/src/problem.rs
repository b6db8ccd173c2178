//! What an author of settings got wrong, with its place.

use trueup_model::finding::{Finding, ObjectPath, Severity};
use trueup_model::location::Location;
use trueup_model::rule::Rule;

/// Something in a file of settings that does not work, or that trueup does not support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The place.
    pub at: Location,
    /// What is the case, in one sentence.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// Whether the set of migrations, or what they do, may be other than what was read.
    pub blocking: bool,
    /// Flyway's error code for it.
    pub code: &'static str,
}

/// What Flyway calls settings that do not work.
const CONFIGURATION: &str = "CONFIGURATION";

impl Problem {
    /// A problem that leaves the service unknown.
    pub fn blocking(at: Location, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: help.into(), blocking: true, code: CONFIGURATION }
    }

    /// A problem that changes nothing about the migrations.
    pub fn notice(at: Location, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: help.into(), blocking: false, code: CONFIGURATION }
    }

    /// The finding for a service: an error when blocking, else a warning that changes no result.
    pub fn finding(&self, service: &str) -> Finding {
        let mut finding = Finding::new(Rule::MigrationFile, service, ObjectPath::service())
            .message(&self.message)
            .help(&self.help)
            .sides("", &self.message)
            .in_migration(Some(&self.at));
        if !self.blocking {
            finding.severity = Severity::Warning;
        }
        finding
    }
}
