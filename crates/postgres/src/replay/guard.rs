//! The SQL that trueup puts around each script, so that nothing runs after a failure.
//!
//! See `docs/decisions/replay-guards.md` for why it looks as it does. In short: the session setting `trueup.at` holds
//! a token that says how far the replay has come. Each message first checks the token its predecessor left and ends
//! by leaving its own; settings roll back with their transaction, so a message that failed in any way leaves the old
//! token, and every later message stops at its first statement.

use std::hash::{BuildHasher, RandomState};

use trueup_model::name::QualifiedName;

use super::script::HistoryRow;
use crate::restore::{Restore, literal, set};

/// Statements before the script in its first message: `BEGIN` and the check.
pub(super) const FIRST_LEAD: usize = 2;

/// Statements before the script in its later messages: the check.
pub(super) const LATER_LEAD: usize = 1;

/// Statements before the check in the message that ends a script.
pub(super) const FINISH_LEAD: usize = 1;

/// Unguessable words for "script R is done" and "piece K of script R is done".
pub(super) struct Guard {
    keys: RandomState,
    pub(super) restore: Restore,
}

impl Guard {
    pub(super) fn new(restore: Restore) -> Self {
        Self { keys: RandomState::new(), restore }
    }

    /// The token after script `rank` is committed; ranks start at 1, 0 is the beginning.
    fn done(&self, rank: usize) -> String {
        self.token(rank, usize::MAX)
    }

    /// The token after piece `piece` (from 1) of script `rank`.
    fn step(&self, rank: usize, piece: usize) -> String {
        self.token(rank, piece)
    }

    /// Letters and digits only: a bare word in `SET`, so that no quote that a script left open can end inside it.
    fn token(&self, rank: usize, piece: usize) -> String {
        format!("t{:016x}", self.keys.hash_one((rank, piece)))
    }

    /// Before the first piece of a script. Gives one row whose second column is the transaction id.
    pub(super) fn first(&self, rank: usize) -> String {
        format!("BEGIN;SELECT {},{XID};\n", check(&self.done(rank - 1)))
    }

    /// Before piece `piece` (from 1: the second piece) of a script.
    pub(super) fn later(&self, rank: usize, piece: usize) -> String {
        format!("SELECT {};\n", check(&self.step(rank, piece)))
    }

    /// Behind piece `piece` (from 0), in the same message. Starts on a new line for a script that ends in a comment,
    /// and has no quote and no comment of its own: a script that leaves anything open is a syntax error.
    pub(super) fn tail(&self, rank: usize, piece: usize) -> String {
        format!("\n;SET trueup.at={}", self.step(rank, piece + 1))
    }

    /// The message that ends a script of `pieces` pieces: deferred constraints fire, everything is as before, the
    /// token says "done", and the transaction commits.
    pub(super) fn finish(&self, rank: usize, pieces: usize, history: &str) -> String {
        let check = check(&self.step(rank, pieces));
        let restore = self.restore_columns(rank);
        format!("SET CONSTRAINTS ALL IMMEDIATE;SELECT {check},{restore};{history}COMMIT")
    }

    /// The same without a transaction, after what ran outside one, and at the start with rank 0.
    pub(super) fn settle(&self, rank: usize, history: &str) -> String {
        format!("SELECT {};{history}", self.restore_columns(rank))
    }

    /// Columns that put everything back, and leave the token of `rank`.
    fn restore_columns(&self, rank: usize) -> String {
        format!("{},{}", self.restore.columns(), set("trueup.at", &literal(&self.done(rank))))
    }
}

/// The transaction id, in 64 bits; asking for it gives the transaction one.
pub(super) const XID: &str = "pg_catalog.pg_current_xact_id()";

/// An expression that fails (SQLSTATE 22012) unless the token is `token`. Names and operators are qualified, for a
/// script may have emptied the search path or put its own operators in it.
fn check(token: &str) -> String {
    format!(
        "1 OPERATOR(pg_catalog./) (COALESCE(pg_catalog.current_setting('trueup.at',true),'') \
         OPERATOR(pg_catalog.=) '{token}')::pg_catalog.int4"
    )
}

/// The row for one script, or nothing without a table or a row.
pub(super) fn insert_history(table: Option<&QualifiedName>, rank: usize, row: Option<&HistoryRow>) -> String {
    let (Some(table), Some(row)) = (table, row) else { return String::new() };
    let version = row.version.as_deref().map_or("NULL".to_owned(), literal);
    let checksum = row.checksum.map_or("NULL".to_owned(), |sum| format!("({sum})"));
    format!(
        "INSERT INTO {} VALUES ({rank},{version},{},{},{},{checksum},session_user,\
         pg_catalog.now(),0,true);",
        table.quoted(),
        literal(&row.description),
        literal(&row.kind),
        literal(&row.script)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_the_tail_has_nothing_to_close_a_quote_with() {
        let restore = Restore {
            session_user: "u".into(),
            role: "none".into(),
            search_path: None,
            replication_role: "origin".into(),
        };
        let guard = Guard::new(restore);
        assert_ne!(guard.done(1), guard.done(2));
        assert_ne!(guard.step(1, 1), guard.done(1));
        assert!(!guard.tail(3, 0).contains(['\'', '"', '$', '*', '-']));
    }
}
