//! The runner: applies pending migrations to a database, keeping Flyway's history as Flyway keeps it.
//!
//! Scripts that may run in a transaction are sent ahead of the answers (see `guard`); all others are awaited. One
//! session holds Flyway's lock and does everything.

mod ahead;
mod autocommit;
mod awaited;
mod baseline;
mod broken;
mod clean;
mod create;
mod database;
mod dry;
mod dry_migrate;
mod dry_others;
mod dry_script;
mod each;
mod events;
mod group;
mod guard;
mod inputs;
mod lock;
mod migrate;
mod notes;
mod outcome;
mod parts;
mod patience;
mod plan;
mod pooled;
mod progress;
mod repair;
mod resume;
mod runner;
mod script;
mod stop;
mod undo;
mod walk;
mod watch;

use std::time::Duration;

use trueup_model::location::Location;

pub use baseline::Baselined;
pub use clean::{Cleaned, Dropped};
pub use database::Database;
pub use dry::DryRun;
pub use events::Moment;
pub use inputs::{Command, Inputs};
pub use outcome::{Cause, Failure, Left, Migrated, Ran, Refused, RunError};
pub use plan::{Plan, Planned};
pub use stop::Stop;
pub use watch::Built;

/// What a run tells while it goes on.
#[derive(Debug)]
pub enum Event<'e> {
    /// Another run holds the lock; who, when the server says so.
    Waiting {
        /// A description for people.
        holder: Option<&'e str>,
    },
    /// The connection goes through a pooler: nothing runs outside of a transaction, and each one takes the lock.
    Pooled,
    /// The migrations fit the history.
    Validated {
        /// Files and rows, each pair once.
        migrations: usize,
        /// How long it took to see that.
        elapsed: Duration,
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
    /// How many migrations this run is to run, those that it has run included.
    Planned(usize),
    /// The answer of a migration is awaited.
    Running {
        /// Its file.
        path: &'e str,
    },
    /// A line for psql that means nothing to a server is left out of a script.
    Skipped {
        /// Where it stands.
        at: &'e Location,
        /// Its command.
        command: &'e str,
    },
    /// A migration was applied.
    Applied(&'e Ran),
    /// A script outside of a transaction goes on where an earlier run stopped.
    Resumed {
        /// Its file.
        path: &'e str,
        /// The number of the statement, from 1.
        statement: usize,
    },
    /// How far a script outside of a transaction gets cannot be noted: a failure will need a repair.
    NoProgress {
        /// Its file.
        path: &'e str,
        /// What the server said.
        why: &'e str,
    },
    /// How far a script outside of a transaction got was forgotten: it begins anew.
    Forgotten {
        /// The script, as the history names it.
        script: &'e str,
    },
    /// An invalid index that an earlier try left was dropped.
    Dropped {
        /// The index with its schema.
        index: &'e str,
    },
    /// An index is being built.
    Building {
        /// The file.
        path: &'e str,
        /// How far it is.
        built: &'e Built,
    },
    /// A lock was not to be had in time, and the script is tried again.
    Retrying {
        /// The file.
        path: &'e str,
        /// The try that comes, from 1, of how many.
        retry: (u32, u32),
        /// The pause before it.
        pause: Duration,
    },
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
