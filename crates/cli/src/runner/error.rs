//! Why a command of the runner did nothing, or nothing more.

use std::path::PathBuf;

use trueup_migrations::migration::{Migration, ScriptError};
use trueup_migrations::problem::Problem;
use trueup_model::location::Location;
use trueup_postgres::run::{Refused, RunError};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// A command line, or an environment, that does not say enough, or too much.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// Settings and files that cannot be used; nothing was run.
    #[error("{} in settings and files", counted(.0.len(), "problem"))]
    Problems(Vec<Problem>),
    /// The file for what came of the run.
    #[error("{} cannot be written: {source}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        source: std::io::Error,
    },
    /// The run's own reason.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl RunnerError {
    /// Repeatables that cannot be read.
    pub(super) fn unresolved(errors: Vec<(&Migration, ScriptError)>) -> Self {
        let refused = errors.into_iter().map(|(migration, error)| {
            let whole = || Location::whole(std::sync::Arc::clone(&migration.path));
            let at = error.at().cloned().unwrap_or_else(whole);
            Refused { at, message: error.to_string() }
        });
        RunError::Refused(refused.collect()).into()
    }

    pub(super) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: help.into() }
    }

    /// Flyway's error code.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Usage { .. } | Self::Record { .. } => "CONFIGURATION",
            // They come in the order in which Flyway looks: settings, files, files beside each other.
            Self::Problems(problems) => problems.first().map_or("CONFIGURATION", |problem| problem.code),
            Self::Run(error) => error.code(),
        }
    }
}

/// `1 problem`, `2 problems`.
pub(super) fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
