//! Replaying migrations on a disposable database: scripts are sent ahead of the answers, guarded so that nothing runs
//! after a failure, and the first failure comes back with its statement and place in the file.

mod awaited;
mod copy_files;
mod guard;
mod outcome;
mod pipeline;
mod prepared;
mod script;

use trueup_model::name::Identifier;

pub use copy_files::CopyFolder;
pub use outcome::{Applied, FailureCause, ReplayError, ReplayFailure, ReplayOutcome};
pub use prepared::{Origin, Prepared, Refused, scripts_from, scripts_of_texts};
pub use script::{CopyData, HistoryRow, Mode, ReplayOptions, Script};

use crate::history::HistoryTable;
use crate::restore::{Restore, search_path};
use crate::session::{Outcome, Row, ServerError, Session, SessionError, TransactionStatus};
use guard::{Guard, XID};

/// Runs `scripts` in order and stops at the first that fails.
///
/// The session should be fresh and belong to a role that owns the database but is no superuser: scripts are hostile.
/// Afterwards it is idle, or unusable when the outcome says that the connection was lost. Scripts that were not
/// recognised as needing [`Mode::Alone`] are still right or reported: one that fails in a way that may be owed to
/// having been sent ahead is run again, statement by statement.
///
/// # Errors
/// Only what concerns the surroundings; a script that fails is in [`ReplayOutcome::failure`].
pub async fn replay(
    session: &mut Session,
    scripts: &[Script],
    options: &ReplayOptions,
) -> Result<ReplayOutcome, ReplayError> {
    let waits = session.counters().round_trips;
    session.set_deadline(options.deadline);
    let restore = prepare(session, options).await?;
    let mut run = Run::new(session, scripts, options, Guard::new(restore));
    run.settle(0).await?;
    let failure = match run.all().await {
        Err(ReplayError::Session(SessionError::Deadline)) => run.stop().await?,
        other => other?,
    };
    let last_xid = run.leave(failure.as_ref()).await?;
    let mut outcome = run.into_outcome(failure, last_xid);
    session.set_deadline(None);
    outcome.round_trips = session.counters().round_trips - waits;
    Ok(outcome)
}

/// What is under way: the session, what it is given, and how far it has come.
struct Run<'a> {
    session: &'a mut Session,
    scripts: &'a [Script],
    options: &'a ReplayOptions,
    guard: Guard,
    /// The transaction id at the start of each script that started.
    starts: Vec<Option<u64>>,
    applied: Vec<Applied>,
    notices: u64,
}

impl<'a> Run<'a> {
    fn new(session: &'a mut Session, scripts: &'a [Script], options: &'a ReplayOptions, guard: Guard) -> Self {
        let starts = vec![None; scripts.len()];
        Self { session, scripts, options, guard, starts, applied: Vec::new(), notices: 0 }
    }

    /// All scripts: those that may go ahead in one go, the others one by one.
    async fn all(&mut self) -> Result<Option<ReplayFailure>, ReplayError> {
        let mut next = 0;
        while let Some(script) = self.scripts.get(next) {
            let failure = match script.mode {
                Mode::Ahead | Mode::Stepwise => {
                    let end = self.scripts[next..].iter().position(|script| !script.mode.goes_ahead());
                    self.pipeline(next..end.map_or(self.scripts.len(), |end| next + end)).await?
                }
                Mode::Alone => self.alone(next).await?,
                Mode::Autocommit => self.autocommit(next).await?,
            };
            if failure.is_some() {
                return Ok(failure);
            }
            next = self.applied.len();
        }
        Ok(None)
    }

    /// The deadline passed between two scripts: the next one is the one there was no time for.
    async fn stop(&mut self) -> Result<Option<ReplayFailure>, ReplayError> {
        self.session.cancel(awaited::CANCEL_TIME).await?;
        let script = self.applied.len();
        let late = || self.failure(script, crate::place::Place::NOWHERE, FailureCause::Deadline);
        Ok((script < self.scripts.len()).then(late))
    }

    /// Puts role, search path and the rest in place and leaves the token of `rank`, outside a transaction.
    async fn settle(&mut self, rank: usize) -> Result<Option<Box<ServerError>>, ReplayError> {
        let history = self.history_row(rank);
        let outcome = self.session.query(&self.guard.settle(rank, &history)).await?;
        match outcome.error {
            Some(error) if rank == 0 => Err(ReplayError::Setup(Box::new(error))),
            error => Ok(error.map(Box::new)),
        }
    }

    /// The statement that records script `rank` in the stand-in for the history table.
    fn history_row(&self, rank: usize) -> String {
        let row = rank.checked_sub(1).and_then(|index| self.scripts[index].history.as_ref());
        guard::insert_history(self.options.history.as_ref(), rank, row)
    }

    /// Leaves the session idle, and gives the first transaction id that belongs to no script.
    async fn leave(&mut self, failure: Option<&ReplayFailure>) -> Result<u64, ReplayError> {
        if matches!(failure, Some(ReplayFailure { cause: FailureCause::ConnectionLost(_), .. })) {
            return Ok(u64::MAX);
        }
        self.extend_deadline();
        let left = self.rewind().await;
        let asked = match left {
            Ok(()) => self.session.query(&format!("SELECT {XID}")).await,
            Err(error) => Err(error),
        };
        match asked {
            Ok(outcome) => Ok(number(&outcome, 0).unwrap_or(u64::MAX)),
            // With a failure to report, that is what is reported.
            Err(_) if failure.is_some() => Ok(u64::MAX),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends whatever transaction is open without keeping anything of it.
    async fn rewind(&mut self) -> Result<(), SessionError> {
        if self.session.status() != TransactionStatus::Idle {
            self.session.query("ROLLBACK").await?;
        }
        Ok(())
    }

    /// What is left to do after the deadline is little; it gets a little time of its own.
    fn extend_deadline(&mut self) {
        if let Some(deadline) = self.options.deadline {
            let soon = tokio::time::Instant::now() + awaited::CANCEL_TIME;
            self.session.set_deadline(Some(deadline.max(soon)));
        }
    }

    fn note_start(&mut self, script: usize, outcome: &Outcome, column: usize) {
        if self.starts[script].is_none() {
            self.starts[script] = number(outcome, column);
        }
    }

    fn note_applied(&mut self, script: usize, elapsed: std::time::Duration) {
        self.applied.push(Applied { script: self.scripts[script].id, xids: 0..0, elapsed });
    }

    fn into_outcome(mut self, failure: Option<ReplayFailure>, last_xid: u64) -> ReplayOutcome {
        let mut end = last_xid;
        for (index, start) in self.starts.iter().enumerate().rev() {
            let start = start.unwrap_or(end);
            if let Some(applied) = self.applied.get_mut(index) {
                applied.xids = start..end;
            }
            end = start;
        }
        ReplayOutcome {
            applied: self.applied,
            failure,
            notices: self.notices,
            round_trips: 0,
            search_path: self.guard.restore.search_path,
        }
    }
}

impl Mode {
    /// Whether the answers to earlier scripts need not be awaited.
    fn goes_ahead(self) -> bool {
        matches!(self, Self::Ahead | Self::Stepwise)
    }
}

/// Runs the initial SQL, creates what has to exist, and reads what has to be restored before each script.
async fn prepare(session: &mut Session, options: &ReplayOptions) -> Result<Restore, ReplayError> {
    if let Some(sql) = &options.init_sql
        && let Some(error) = session.query(sql).await?.error
    {
        return Err(ReplayError::InitSql(Box::new(error)));
    }
    let outcome = session.query(&preparation(options)).await?;
    if let Some(error) = outcome.error {
        return Err(ReplayError::Setup(Box::new(error)));
    }
    let row = outcome.rows.first().cloned().unwrap_or_default();
    let text = |column: usize| row.get(column).cloned().flatten();
    let missing = || SessionError::Protocol("no answer about the session's settings".to_owned());
    let default_schema = options.default_schema.clone().or_else(|| text(3).map(Identifier::new));
    Ok(Restore {
        session_user: text(0).ok_or_else(missing)?,
        role: text(1).ok_or_else(missing)?,
        search_path: match &default_schema {
            Some(schema) => search_path(schema, &text(2).ok_or_else(missing)?),
            None => Some(text(2).ok_or_else(missing)?),
        },
        replication_role: text(4).ok_or_else(missing)?,
    })
}

fn preparation(options: &ReplayOptions) -> String {
    let mut sql = String::new();
    for schema in &options.create_schemas {
        sql.push_str(&format!("CREATE SCHEMA IF NOT EXISTS {};", schema.quoted()));
    }
    if let Some(table) = &options.history {
        sql.push_str(&HistoryTable::new(table.clone()).create_around(""));
    }
    if let Some(timeout) = options.statement_timeout {
        sql.push_str(&format!("SET statement_timeout={};", timeout.as_millis()));
    }
    sql.push_str(
        "SELECT session_user,pg_catalog.current_setting('role'),pg_catalog.current_setting('search_path'),\
         pg_catalog.current_schema(),pg_catalog.current_setting('session_replication_role')",
    );
    sql
}

/// A number in the first row of an outcome.
fn number(outcome: &Outcome, column: usize) -> Option<u64> {
    outcome.rows.first().and_then(|row: &Row| row.get(column)?.as_deref()?.parse().ok())
}
