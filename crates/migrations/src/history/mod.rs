//! The schema history: what was applied, and what comes of it together with the files.
//!
//! Pure: rows come from whoever can read a database. States, their names, the order in which a migration is judged and
//! the error codes are Flyway's, so that the two can take turns on one database.

mod pattern;
mod pick;
mod reconcile;
mod repair;
mod row;
mod state;
mod target;
#[cfg(test)]
mod tests;
mod validate;

pub use pattern::{IgnorePattern, PatternError};
pub use pick::{PickError, Picks};
pub use reconcile::{Entry, Policy, Reconciliation, Resolved, reconcile, resolve};
pub use repair::{Repair, repair};
pub use row::{AppliedKind, AppliedMigration, NewRow, RowError, abbreviate_description, abbreviate_script};
pub use state::State;
pub use target::{Target, TargetError};
pub use validate::{ErrorCode, ValidationError};
