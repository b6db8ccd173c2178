//! The SQL around each script that is sent ahead, so that nothing runs after a failure.
//!
//! A script goes out as two messages. The first begins the transaction, checks that the history ends with the row of
//! the script before it, and leaves the rank in a setting that lives as long as the transaction. The second checks the
//! setting, puts back what a script may have changed, adds the row and commits. Whatever makes one fail, the next one's
//! check fails too: either the setting is gone with the transaction, or the row is missing.

use crate::history::{ELAPSED, HistoryTable, Stamp, VALUE_TYPES, values};
use crate::restore::Restore;
use trueup_migrations::history::NewRow;

use super::create::Creation;
use super::pooled::{self, Pooled};

/// Statements before the check in the message that ends a script.
pub(super) const FINISH_LEAD: usize = 1;

/// Whether the session keeps prepared statements for what stands around each script. The server plans them once, which takes
/// it a third of the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kept {
    /// Not yet.
    #[default]
    NotYet,
    /// It does, unless a script removed them.
    Yes,
    /// They are not used: a script removes them.
    No,
}

/// Leaves the rank for the message behind the script, in a setting that ends with the transaction.
fn leave_rank(rank: &str) -> String {
    format!("pg_catalog.set_config('trueup.rank',{rank},true)")
}

/// Names of the prepared statements: of the check before a script, of the one behind it, and of the row.
const BEFORE: &str = "\"trueup: before a script\"";
const BEHIND: &str = "\"trueup: behind a script\"";
const ROW: &str = "\"trueup: the row of a script\"";

/// `invalid_sql_statement_name`: a prepared statement is not there.
pub(super) const NOT_PREPARED: &str = "26000";

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
        begin + 1
    }

    /// Fails with a division by zero unless this is the last rank in the history.
    fn check(&self, rank: i32) -> String {
        format!("SELECT {};", self.is_last(&rank.to_string()))
    }

    fn is_last(&self, rank: &str) -> String {
        let last = self.table.last_rank();
        format!("1 OPERATOR(pg_catalog./) ({last} OPERATOR(pg_catalog.=) {rank})::pg_catalog.int4")
    }

    /// The message that prepares the statements around scripts, for as long as the session lasts.
    pub(super) fn keep(&self) -> String {
        format!(
            "PREPARE {BEFORE}(pg_catalog.int4,pg_catalog.text) AS SELECT {},{};PREPARE {BEHIND}(pg_catalog.text) AS {};\
             PREPARE {ROW}({VALUE_TYPES}) AS {}",
            self.is_last("$1"),
            leave_rank("$2"),
            self.settled_behind("$1"),
            self.table.insert_parameters(&self.stamp, ELAPSED)
        )
    }

    /// What stands before a script of this rank, in the same message; ends with a newline.
    pub(super) fn first(&self, rank: i32, kept: Kept) -> String {
        let check = match kept {
            Kept::Yes => format!("EXECUTE {BEFORE}({},'{rank}');", rank - 1),
            Kept::NotYet | Kept::No => {
                format!("SELECT {},{};", self.is_last(&(rank - 1).to_string()), leave_rank(&format!("'{rank}'")))
            }
        };
        format!("{}{check}\n", self.begin())
    }

    /// The message behind it: deferred constraints fire, everything is as before, the row is added.
    pub(super) fn finish(&self, rank: i32, row: &NewRow, kept: Kept) -> String {
        let (settled, insert) = match kept {
            Kept::Yes => (format!("EXECUTE {BEHIND}('{rank}')"), format!("EXECUTE {ROW}({});", values(rank, row))),
            Kept::NotYet | Kept::No => {
                (self.settled_behind(&format!("'{rank}'")), self.table.insert(rank, row, &self.stamp, ELAPSED, true))
            }
        };
        format!("SET CONSTRAINTS ALL IMMEDIATE;{settled};{insert}{}", self.commit())
    }

    /// Fails with a division by zero unless the transaction is that of the script with this rank; puts everything back.
    fn settled_behind(&self, rank: &str) -> String {
        format!(
            "SELECT 1 OPERATOR(pg_catalog./) (COALESCE(pg_catalog.current_setting('trueup.rank',true),'') \
             OPERATOR(pg_catalog.=) {rank})::pg_catalog.int4,{}",
            self.restore.columns()
        )
    }

    /// Puts everything back, in a statement of its own.
    pub(super) fn settle(&self) -> String {
        format!("SELECT {}", self.restore.columns())
    }
}
