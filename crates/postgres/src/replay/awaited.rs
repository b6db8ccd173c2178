//! Running a script with every answer awaited: what cannot be sent ahead, and a second look at what failed.

use std::ops::Range;
use std::time::Duration;

use crate::session::{Outcome, SessionError, TransactionStatus};

use super::guard::XID;
use super::pipeline::{COPY_CHUNK, QUERY_CANCELED, is_own_check};
use super::script::Piece;
use super::{FailureCause, ReplayError, ReplayFailure, Run};
use crate::place::{Message, Place};

/// Longest time to get a session that is to stop to stop.
pub(super) const CANCEL_TIME: Duration = Duration::from_secs(5);

/// What came of one awaited message.
enum Answer {
    Done(Box<Outcome>),
    Failed(FailureCause, Box<Outcome>),
}

impl Run<'_> {
    /// A script that must be the first thing in its transaction, in one message.
    pub(super) async fn alone(&mut self, script: usize) -> Result<Option<ReplayFailure>, ReplayError> {
        if !self.scripts[script].copies.is_empty() {
            return self.again(script).await;
        }
        let mut elapsed = self.mark(script).await?;
        let given = &self.scripts[script];
        let piece = Piece { range: 0..given.text.len(), statement: 0, copy: None };
        let tail = self.guard.tail(script + 1, 0);
        match self.ask(&[BEGIN, &given.text, &tail], None).await? {
            Answer::Done(outcome) => elapsed += outcome.elapsed,
            Answer::Failed(cause, outcome) => {
                let place = self.place_in(script, &piece, BEGIN.len(), 1, &outcome);
                return Ok(Some(self.failure(script, place, cause)));
            }
        }
        self.finish(script, elapsed).await
    }

    /// A script in a transaction, one statement to a message, as a driver without pipelining sends it.
    pub(super) async fn again(&mut self, script: usize) -> Result<Option<ReplayFailure>, ReplayError> {
        self.rewind().await?;
        // A script that fails to commit has used its settings; put them back before it runs again.
        let mut elapsed = self.mark(script).await?;
        if let Answer::Failed(cause, _) = self.ask(&[BEGIN], None).await? {
            return Ok(Some(self.failure(script, Place::NOWHERE, cause)));
        }
        if let Some(failure) = self.statements(script, &mut elapsed).await? {
            return Ok(Some(failure));
        }
        let tail = self.guard.tail(script + 1, 0);
        if let Answer::Failed(cause, _) = self.ask(&[&tail], None).await? {
            return Ok(Some(self.failure(script, Place::NOWHERE, cause)));
        }
        self.finish(script, elapsed).await
    }

    /// A script outside any transaction.
    pub(super) async fn autocommit(&mut self, script: usize) -> Result<Option<ReplayFailure>, ReplayError> {
        let mut elapsed = self.mark(script).await?;
        if let Some(failure) = self.statements(script, &mut elapsed).await? {
            return Ok(Some(failure));
        }
        // A transaction that the script began and did not end would be ended by whatever came next.
        if self.session.status() != TransactionStatus::Idle
            && let Answer::Failed(cause, _) = self.ask(&["COMMIT"], None).await?
        {
            return Ok(Some(self.failure(script, Place::AT_COMMIT, at_commit(cause))));
        }
        if let Some(error) = self.settle(script + 1).await? {
            return Ok(Some(self.failure(script, Place::AT_COMMIT, FailureCause::Commit(error))));
        }
        self.note_applied(script, elapsed);
        Ok(None)
    }

    async fn statements(&mut self, script: usize, spent: &mut Duration) -> Result<Option<ReplayFailure>, ReplayError> {
        let given = &self.scripts[script];
        for (index, range) in given.statement_ranges().into_iter().enumerate() {
            let copy = given.copies.iter().find(|copy| copy.statement == index).map(|copy| copy.data.clone());
            let sql = &given.text[range.clone()];
            match self.ask(&[sql], copy.map(|data| &given.text.as_bytes()[data])).await? {
                Answer::Done(outcome) => *spent += outcome.elapsed,
                Answer::Failed(FailureCause::Nul, _) => {
                    let offset = sql.find('\0').map(|at| range.start + at);
                    let place = Place { statement: Some(index), offset, certain: true };
                    return Ok(Some(self.failure(script, place, FailureCause::Nul)));
                }
                Answer::Failed(cause, outcome) => {
                    return Ok(Some(self.failed_statement(script, index, range, cause, &outcome)));
                }
            }
        }
        Ok(None)
    }

    fn failed_statement(
        &self,
        script: usize,
        index: usize,
        range: Range<usize>,
        cause: FailureCause,
        outcome: &Outcome,
    ) -> ReplayFailure {
        let start = range.start;
        let piece = Piece { range, statement: index, copy: None };
        let place = self.place_in(script, &piece, 0, 0, outcome);
        let place = Place { statement: Some(index), offset: place.offset.or(Some(start)), certain: true };
        self.failure(script, place, cause)
    }

    fn place_in(&self, script: usize, piece: &Piece, prefix: usize, lead: usize, outcome: &Outcome) -> Place {
        let given = &self.scripts[script];
        let statements = given.statement_ranges();
        let bytes = self.counts_bytes();
        let (range, first) = (piece.range.clone(), piece.statement);
        let message = Message { text: &given.text, statements: &statements, range, first, prefix, lead, bytes };
        message.place(outcome)
    }

    /// Notes the transaction id before a script, outside its transaction.
    async fn mark(&mut self, script: usize) -> Result<Duration, ReplayError> {
        let outcome = self.session.query(&format!("SELECT {XID}")).await?;
        self.note_start(script, &outcome, 0);
        Ok(outcome.elapsed)
    }

    async fn finish(&mut self, script: usize, elapsed: Duration) -> Result<Option<ReplayFailure>, ReplayError> {
        let sql = self.guard.finish(script + 1, 1, &self.history_row(script + 1));
        match self.ask(&[&sql], None).await? {
            Answer::Done(outcome) => {
                self.note_applied(script, elapsed + outcome.elapsed);
                Ok(None)
            }
            Answer::Failed(_, outcome) if is_own_check(&outcome) => {
                Ok(Some(self.failure(script, Place::NOWHERE, FailureCause::Tampered)))
            }
            Answer::Failed(cause, _) => Ok(Some(self.failure(script, Place::AT_COMMIT, at_commit(cause)))),
        }
    }

    /// Sends one message, with the data of a COPY when it has one, and waits for its outcome.
    async fn ask(&mut self, texts: &[&str], copy: Option<&[u8]>) -> Result<Answer, ReplayError> {
        match self.exchange(texts, copy).await {
            Ok(outcome) => {
                self.notices += outcome.notice_count;
                Ok(judge(outcome))
            }
            Err(SessionError::Nul(_)) => Ok(self.fail(FailureCause::Nul)),
            Err(SessionError::Deadline) => self.too_slow().await,
            Err(SessionError::Closed(last)) => Ok(self.fail(FailureCause::ConnectionLost(last))),
            Err(other) => Err(other.into()),
        }
    }

    fn fail(&self, cause: FailureCause) -> Answer {
        Answer::Failed(cause, Box::new(self.session.unfinished().clone()))
    }

    async fn exchange(&mut self, texts: &[&str], copy: Option<&[u8]>) -> Result<Outcome, SessionError> {
        let Some(data) = copy else {
            self.session.send_joined(texts, 0)?;
            return self.session.next_outcome().await;
        };
        self.session.send_copy(texts)?;
        for chunk in data.chunks(COPY_CHUNK) {
            while !self.session.has_room_for_bytes() {
                if let crate::session::Progress::Outcome(outcome) = self.session.progress().await? {
                    return Ok(*outcome);
                }
            }
            self.session.send_copy_data(chunk)?;
        }
        self.session.finish_copy();
        self.session.next_outcome().await
    }

    /// The deadline passed: cancels, and reports the statement, even one that ended by itself just then.
    async fn too_slow(&mut self) -> Result<Answer, ReplayError> {
        let drained = self.session.cancel(CANCEL_TIME).await;
        self.extend_deadline();
        match drained.map(|mut outcomes| outcomes.pop()) {
            Ok(Some(outcome)) => Ok(match judge(outcome) {
                Answer::Failed(FailureCause::Statement(error), outcome) if error.sqlstate != QUERY_CANCELED => {
                    Answer::Failed(FailureCause::Statement(error), outcome)
                }
                Answer::Failed(_, outcome) | Answer::Done(outcome) => Answer::Failed(FailureCause::Deadline, outcome),
            }),
            Ok(None) => Ok(self.fail(FailureCause::Deadline)),
            Err(_) => Ok(self.fail(FailureCause::ConnectionLost(None))),
        }
    }
}

/// Our SQL before a script that nothing else may precede.
const BEGIN: &str = "BEGIN;\n";

fn judge(outcome: Outcome) -> Answer {
    if outcome.unexpected_copy {
        return Answer::Failed(FailureCause::CopyWithoutData, Box::new(outcome));
    }
    match outcome.error.clone() {
        Some(error) => Answer::Failed(FailureCause::Statement(Box::new(error)), Box::new(outcome)),
        None => Answer::Done(Box::new(outcome)),
    }
}

fn at_commit(cause: FailureCause) -> FailureCause {
    match cause {
        FailureCause::Statement(error) => FailureCause::Commit(error),
        other => other,
    }
}
