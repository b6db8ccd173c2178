//! The SQL around each script that is sent ahead, so that nothing runs after a failure.
//!
//! A script goes out as two messages. The first begins the transaction, checks that the history ends with the row of
//! the script before it, and leaves the rank in a setting that lives as long as the transaction. The second checks the
//! setting, puts back what a script may have changed, adds the row and commits. Whatever makes one fail, the next one's
//! check fails too: either the setting is gone with the transaction, or the row is missing.

use crate::history::{ELAPSED, HistoryTable, Stamp};
use crate::restore::Restore;
use trueup_migrations::history::NewRow;

use super::create::Creation;
use super::pooled::{self, Pooled};

/// Statements before the check in the message that ends a script.
pub(super) const FINISH_LEAD: usize = 1;

/// The table, and what every row and every script needs.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) table: HistoryTable,
    pub(super) stamp: Stamp,
    pub(super) restore: Restore,
    /// Through a pooler.
    pub(super) pooled: Option<Pooled>,
}

impl Guard {
    /// Begins a transaction of ours; ends with a `;`.
    pub(super) fn begin(&self) -> String {
        self.pooled.as_ref().map_or_else(|| "BEGIN;".to_owned(), |pooled| pooled.begin(&self.table, &self.restore))
    }

    /// The same for a script that is awaited. Through a pooler somebody else may have written to the history since it was
    /// read; elsewhere the lock has been held all the time.
    pub(super) fn begin_behind(&self, last_rank: i32) -> String {
        let check = self.pooled.as_ref().map(|_| self.check(last_rank)).unwrap_or_default();
        self.begin() + &check
    }

    /// The same for what makes a history, or adds the first row of a run to it.
    pub(super) fn begin_to_create(&self, creation: &Creation) -> String {
        let begin = self.begin();
        match (&self.pooled, creation.first_rank()) {
            (None, _) => begin,
            (Some(_), Some(rank)) if creation.exists => begin + &self.check(rank.saturating_sub(1)),
            (Some(_), _) => begin + &pooled::check_missing(&self.table),
        }
    }

    /// Ends one.
    pub(super) fn commit(&self) -> &'static str {
        if self.pooled.is_some() { pooled::COMMIT } else { "COMMIT" }
    }

    /// Statements before the script in its message.
    pub(super) fn first_lead(&self) -> usize {
        let begin = if self.pooled.is_some() { pooled::LEAD } else { 1 };
        begin + 2
    }

    /// Fails with a division by zero unless this is the last rank in the history.
    fn check(&self, rank: i32) -> String {
        format!(
            "SELECT 1 OPERATOR(pg_catalog./) ({} OPERATOR(pg_catalog.=) {rank})::pg_catalog.int4;",
            self.table.last_rank()
        )
    }

    /// What stands before a script of this rank, in the same message; ends with a newline.
    pub(super) fn first(&self, rank: i32) -> String {
        format!("{}{}SET LOCAL trueup.rank='{rank}';\n", self.begin(), self.check(rank - 1))
    }

    /// The message behind it: deferred constraints fire, everything is as before, the row is added.
    pub(super) fn finish(&self, rank: i32, row: &NewRow) -> String {
        format!(
            "SET CONSTRAINTS ALL IMMEDIATE;SELECT 1 OPERATOR(pg_catalog./) \
             (COALESCE(pg_catalog.current_setting('trueup.rank',true),'') OPERATOR(pg_catalog.=) '{rank}')\
             ::pg_catalog.int4,{};{}{}",
            self.restore.columns(),
            self.table.insert(rank, row, &self.stamp, ELAPSED, true),
            self.commit()
        )
    }

    /// Puts everything back, in a statement of its own.
    pub(super) fn settle(&self) -> String {
        format!("SELECT {}", self.restore.columns())
    }
}
