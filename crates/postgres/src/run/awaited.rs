//! Scripts in a transaction of their own with every answer awaited: what cannot be sent ahead.

use std::time::Instant;

use trueup_migrations::history::NewRow;

use crate::history::ELAPSED;
use crate::place::{Message, Place};
use crate::session::{Outcome, SessionError};

use super::ahead::QUERY_CANCELED;
use super::database::checked;
use super::outcome::{Cause, Failure, Left, RunError};
use super::pooled;
use super::runner::{Runner, Step};
use super::script::Batch;

/// Bytes of COPY data queued at a time.
pub(super) const COPY_CHUNK: usize = 64 << 10;

impl Runner<'_> {
    /// A script in a transaction of its own.
    pub(super) async fn awaited(&mut self, step: &Step) -> Result<Option<Failure>, RunError> {
        let start = Instant::now();
        let guard = &self.database.guard;
        let begin = if step.row.is_some() { guard.begin_behind(self.last_rank) } else { guard.begin() };
        if self.is_overtaken(&begin).await? {
            return Ok(Some(self.failure(step, Place::NOWHERE, Cause::HistoryChanged, Left::Nothing)));
        }
        if let Some(mut failure) = self.body(step).await? {
            self.rewind().await?;
            failure.left = if step.script.own_transactions { Left::Perhaps } else { Left::Nothing };
            return Ok(Some(failure));
        }
        let sql = format!("SET CONSTRAINTS ALL IMMEDIATE;{}", self.database.guard.settle());
        let outcome = self.ours(&sql).await?;
        if outcome.error.is_some() {
            return self.not_committed(step, outcome).await;
        }
        // A callback has no row, and may run before there is a history.
        let rank = if step.row.is_some() { self.next_rank().await? } else { self.last_rank };
        let insert = step.row.as_ref().map(|row| self.insert(rank, row, ELAPSED, true)).unwrap_or_default();
        let outcome = self.ours(&format!("{insert}{}", self.database.guard.commit())).await?;
        if outcome.error.is_some() {
            return self.not_committed(step, outcome).await;
        }
        self.applied(step, rank, start.elapsed());
        Ok(None)
    }

    /// Begins a transaction; whether somebody else has the lock, or has written to the history, so that there is none.
    pub(super) async fn is_overtaken(&mut self, begin: &str) -> Result<bool, RunError> {
        let outcome = self.ours(begin).await?;
        if self.database.guard.pooled.is_some() && outcome.error.as_ref().is_some_and(pooled::is_overtaken) {
            self.rewind().await?;
            return Ok(true);
        }
        checked(outcome, "a transaction cannot be started")?;
        Ok(false)
    }

    async fn not_committed(&mut self, step: &Step, outcome: Outcome) -> Result<Option<Failure>, RunError> {
        self.rewind().await?;
        let left = if step.script.own_transactions { Left::Perhaps } else { Left::Nothing };
        let error = Box::new(outcome.error.unwrap_or_default());
        Ok(Some(self.failure(step, Place::NOWHERE, Cause::Commit(error), left)))
    }

    pub(super) fn insert(&self, rank: i32, row: &NewRow, milliseconds: &str, success: bool) -> String {
        let guard = &self.database.guard;
        guard.table.insert(rank, row, &guard.stamp, milliseconds, success)
    }

    /// Asked anew: a script that names the history may have removed rows.
    pub(super) async fn next_rank(&mut self) -> Result<i32, RunError> {
        let sql = format!("SELECT {}", self.database.guard.table.last_rank());
        let outcome = checked(self.ours(&sql).await?, "the schema history cannot be read")?;
        let rank = outcome.rows.first().and_then(|row| row.first()?.as_deref()?.parse::<i32>().ok());
        let rank = rank.and_then(|rank| rank.checked_add(1));
        Ok(rank.ok_or_else(|| SessionError::Protocol("no usable rank in the schema history".to_owned()))?)
    }

    /// Takes in the outcome of a message; a failure when it is one.
    pub(super) fn judged(&mut self, step: &Step, batch: &Batch, outcome: &Outcome) -> Option<Failure> {
        self.note(step, outcome);
        let failed = outcome.error.is_some() || outcome.unexpected_copy;
        failed.then(|| self.judge_batch(step, batch, outcome))
    }

    pub(super) fn judge_batch(&self, step: &Step, batch: &Batch, outcome: &Outcome) -> Failure {
        let bytes = self.counts_bytes();
        let (range, first) = (batch.range.clone(), batch.first);
        let (text, statements) = (step.script.text(), step.script.statements.as_slice());
        let message = Message { text, statements, range, first, prefix: 0, lead: 0, bytes };
        let cause = match &outcome.error {
            _ if outcome.unexpected_copy => Cause::CopyWithoutData,
            Some(error) if self.interrupted && error.sqlstate == QUERY_CANCELED => Cause::Interrupted,
            error => Cause::Statement(Box::new(error.clone().unwrap_or_default())),
        };
        self.failure(step, message.place(outcome), cause, Left::Perhaps)
    }

    /// Sends one message, with the data of a COPY when it has one and our `tail`, and waits for its outcome.
    pub(super) async fn exchange(&mut self, step: &Step, batch: &Batch, tail: &str) -> Result<Outcome, SessionError> {
        let text = step.script.text();
        let sql = &text[batch.range.clone()];
        let Some(data) = &batch.copy else {
            self.session().send_joined(&[sql, tail], 0)?;
            return self.outcome().await;
        };
        self.session().send_copy(&[sql, tail])?;
        if let Some(outcome) = self.copy_data(&text.as_bytes()[data.clone()]).await? {
            return Ok(outcome);
        }
        self.session().finish_copy();
        self.outcome().await
    }
}
