//! The runner: applies pending migrations to a database, keeping Flyway's history as Flyway keeps it.
//!
//! Scripts that may run in a transaction are sent ahead of the answers (see `guard`); all others are awaited. One
//! session holds Flyway's lock and does everything.

mod ahead;
mod awaited;
mod broken;
mod create;
mod database;
mod guard;
mod inputs;
mod lock;
mod migrate;
mod outcome;
mod runner;
mod script;
mod stop;

pub use database::Database;
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
    /// A migration was applied.
    Applied(&'e Ran),
}
