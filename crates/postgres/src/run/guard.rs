//! The SQL around each script that is sent ahead, so that nothing runs after a failure.
//!
//! A script goes out as two messages. The first begins the transaction, checks that the history ends with the row of
//! the script before it, and leaves the rank in a setting that lives as long as the transaction. The second checks the
//! setting, puts back what a script may have changed, adds the row and commits. Whatever makes one fail, the next one's
//! check fails too: either the setting is gone with the transaction, or the row is missing.

use crate::history::{ELAPSED, HistoryTable, Stamp, literal};
use trueup_migrations::history::NewRow;

/// Statements before the script in its message.
pub(super) const FIRST_LEAD: usize = 3;

/// Statements before the check in the message that ends a script.
pub(super) const FINISH_LEAD: usize = 1;

/// What must be as it was before each script, read once at the start.
#[derive(Clone, Debug)]
pub(super) struct Restore {
    /// `session_user`
    pub(super) session_user: String,
    /// The setting `role`: `none` or a role.
    pub(super) role: String,
    /// The search path to restore; none when Flyway would let a script's change leak to the next.
    pub(super) search_path: Option<String>,
    /// The setting `session_replication_role`.
    pub(super) replication_role: String,
}

/// The table, and what every row and every script needs.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    pub(super) table: HistoryTable,
    pub(super) stamp: Stamp,
    pub(super) restore: Restore,
}

impl Guard {
    /// What stands before a script of this rank, in the same message; ends with a newline.
    pub(super) fn first(&self, rank: i32) -> String {
        format!(
            "BEGIN;SELECT 1 OPERATOR(pg_catalog./) ({} OPERATOR(pg_catalog.=) {})::pg_catalog.int4;\
             SET LOCAL trueup.rank='{rank}';\n",
            self.table.last_rank(),
            rank - 1
        )
    }

    /// The message behind it: deferred constraints fire, everything is as before, the row is added.
    pub(super) fn finish(&self, rank: i32, row: &NewRow) -> String {
        format!(
            "SET CONSTRAINTS ALL IMMEDIATE;SELECT 1 OPERATOR(pg_catalog./) \
             (COALESCE(pg_catalog.current_setting('trueup.rank',true),'') OPERATOR(pg_catalog.=) '{rank}')\
             ::pg_catalog.int4,{};{}COMMIT",
            self.restore_columns(),
            self.table.insert(rank, row, &self.stamp, ELAPSED, true)
        )
    }

    /// Puts everything back, in a statement of its own.
    pub(super) fn settle(&self) -> String {
        format!("SELECT {}", self.restore_columns())
    }

    /// Columns that put role, search path and reading of literals back. Names and operators are qualified, for a
    /// script may have emptied the search path or put its own operators in it. `session_replication_role` is touched
    /// only when it changed: setting it takes a right that only whoever changed it has.
    fn restore_columns(&self) -> String {
        let Restore { session_user, role, search_path, replication_role } = &self.restore;
        let replication_role = literal(replication_role);
        let mut columns = format!(
            "CASE WHEN pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.<>) \
             {replication_role} THEN {} END",
            set("session_replication_role", &replication_role)
        );
        let mut push = |name: &str, value: &str| {
            columns.push(',');
            columns.push_str(&set(name, &literal(value)));
        };
        push("session_authorization", session_user);
        push("role", role);
        if let Some(path) = search_path {
            push("search_path", path);
        }
        push("client_encoding", "UTF8");
        push("standard_conforming_strings", "on");
        columns
    }
}

fn set(name: &str, value: &str) -> String {
    format!("pg_catalog.set_config('{name}',{value},false)")
}

/// The search path before each script: Flyway puts the default schema before the path the session had, unless that
/// one *is* the schema or begins with it, unquoted; then it sets nothing and a script's change reaches the next.
pub(super) fn search_path(schema: &trueup_model::name::Identifier, original: &str) -> Option<String> {
    let leads = original.strip_prefix(schema.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(','));
    match original {
        _ if leads => None,
        "" => Some(schema.quoted()),
        _ => Some(format!("{}, {original}", schema.quoted())),
    }
}
