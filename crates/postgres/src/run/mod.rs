//! The runner: applies pending migrations to a database, keeping Flyway's history as Flyway keeps it.
//!
//! Scripts that may run in a transaction are sent ahead of the answers (see `guard`); all others are awaited. One
//! session holds Flyway's lock and does everything.

mod ahead;
mod awaited;
mod baseline;
mod broken;
mod clean;
mod create;
mod database;
mod each;
mod events;
mod group;
mod guard;
mod inputs;
mod lock;
mod migrate;
mod outcome;
mod repair;
mod runner;
mod script;
mod stop;
mod undo;

pub use baseline::Baselined;
pub use clean::{Cleaned, Dropped};
pub use database::Database;
pub use events::Moment;
pub use inputs::{Command, Inputs};
pub use outcome::{Cause, Failure, Left, Migrated, Ran, Refused, RunError};
pub use stop::Stop;

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum Event<'e> {
    /// Another run holds the lock; who, when the server says so.
    Waiting {
        /// A description for people.
        holder: Option<&'e str>,
    },
    /// The migrations fit the history.
    Validated {
        /// Files and rows, each pair once.
        migrations: usize,
        /// How long it took to see that.
        elapsed: std::time::Duration,
    },
    /// Schemas and the history were created.
    Created {
        /// The schemas.
        schemas: &'e [String],
        /// The history's table, and whether it begins with a baseline; none when it was there.
        history: Option<(&'e str, bool)>,
    },
    /// What is pending is run now.
    Begins {
        /// The version before; none on an empty history.
        version: Option<&'e str>,
    },
    /// A migration was applied.
    Applied(&'e Ran),
    /// A callback said something (`RAISE NOTICE`, a warning).
    Said {
        /// The file.
        path: &'e str,
        /// What it said.
        notice: &'e crate::session::ServerError,
    },
    /// A callback for a failure failed itself.
    AlsoFailed(&'e Failure),
}
