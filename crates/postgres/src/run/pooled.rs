//! A connection through a pooler, which may give each transaction to another server process.
//!
//! A pooler is noticed by the process that the login announced: another one answers. In which mode it works cannot be
//! asked, so the most careful way holds for all of them: Flyway's key is locked in each transaction, for as long as that
//! lasts; what a script sets ends with it; and nothing runs outside of one.

use trueup_model::location::Location;

use crate::history::HistoryTable;
use crate::restore::{Restore, literal};
use crate::session::{ServerError, Session, SessionError, TransactionStatus};

use super::ahead::DIVISION_BY_ZERO;
use super::outcome::{Refused, RunError};
use super::script::{Mode, Script};

/// What every transaction begins with there.
#[derive(Clone, Debug)]
pub(super) struct Pooled {
    /// In milliseconds.
    pub(super) lock_timeout: Option<u64>,
    /// Whether it is known to allow transactions, and this was told.
    pub(super) is_told: bool,
}

/// Statements that begin a transaction there.
pub(super) const LEAD: usize = 2;

/// Ends a transaction there: whoever gets the server process next finds nothing of ours.
pub(super) const COMMIT: &str = "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;COMMIT";

impl Pooled {
    /// Begins a transaction, which fails with a division by zero when somebody else holds the lock.
    pub(super) fn begin(&self, table: &HistoryTable, restore: &Restore) -> String {
        let mut sql = format!(
            "BEGIN;SELECT 1 OPERATOR(pg_catalog./) pg_catalog.pg_try_advisory_xact_lock({})::pg_catalog.int4",
            table.lock_key()
        );
        let timeout = self.lock_timeout.map(|milliseconds| milliseconds.to_string());
        let settings = [("search_path", restore.search_path.as_deref()), ("lock_timeout", timeout.as_deref())];
        for (name, value) in settings {
            let set = |value: &str| format!(",pg_catalog.set_config('{name}',{},true)", literal(value));
            sql.extend(value.map(set));
        }
        sql.push(';');
        sql
    }
}

/// A statement that fails with a division by zero when the history is there.
pub(super) fn check_missing(table: &HistoryTable) -> String {
    let name = table.name();
    format!(
        "SELECT 1 OPERATOR(pg_catalog./) (NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
         ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE n.nspname OPERATOR(pg_catalog.=) {} \
         AND c.relname OPERATOR(pg_catalog.=) {} AND c.relkind OPERATOR(pg_catalog.=) 'r'))::pg_catalog.int4;",
        literal(name.schema.as_str()),
        literal(name.name.as_str())
    )
}

/// Whether a statement of ours failed because somebody else holds the lock, or wrote to the history.
pub(super) fn is_overtaken(error: &ServerError) -> bool {
    error.sqlstate == DIVISION_BY_ZERO
}

/// Whether transactions can be had at all: in statement mode a pooler ends the connection of who begins one.
pub(super) async fn refuse_statement_mode(session: &mut Session) -> Result<(), RunError> {
    match session.query("BEGIN").await {
        Ok(outcome) if outcome.error.is_none() && session.status() == TransactionStatus::InTransaction => {
            session.query("ROLLBACK").await?;
            Ok(())
        }
        Ok(outcome) => Err(RunError::StatementPooler(outcome.error.map_or_else(String::new, |error| error.message))),
        Err(SessionError::Closed(Some(error))) => Err(RunError::StatementPooler(error.message)),
        Err(error) => Err(error.into()),
    }
}

/// Why a script cannot run there; `None` when it can.
pub(super) fn refusal(path: &str, script: &Script) -> Option<Refused> {
    let why = match script.mode {
        Mode::Autocommit => "it does not run inside a transaction",
        _ if script.own_transactions => "it begins or ends transactions itself",
        _ => return None,
    };
    let message = format!(
        "{why}, and the connection goes through a pooler, which may give what follows to another server process: apply it \
         over a connection to PostgreSQL itself"
    );
    Some(Refused { at: Location::whole(path), message })
}

/// Refuses what a pooler may not have taken over from the connection: it may ignore parameters of the login.
pub(super) fn refuse_lost_parameters(asked: &[(String, String)], search_path: &str) -> Result<(), RunError> {
    let lost = |(name, value): &&(String, String)| match name.as_str() {
        // Nobody can tell whether these have arrived.
        "options" => true,
        "search_path" => value != search_path,
        _ => false,
    };
    match asked.iter().find(lost) {
        Some((name, _)) => Err(RunError::LostParameter(name.clone())),
        None => Ok(()),
    }
}
