//! `group`: all pending migrations in one transaction; and `skipExecutingMigrations`: rows without running anything.

use std::time::Instant;

use trueup_model::location::Location;

use crate::place::Place;
use crate::session::TransactionStatus;

use super::events::{AFTER_VERSIONED, BEFORE_REPEATABLES};
use super::outcome::{Cause, Failure, Left, Refused, RunError};
use super::runner::{Came, Runner, Step};
use super::script::Mode;

impl Runner<'_> {
    /// Everything in one transaction. `over` tells whether the events between versions and repeatables have come.
    pub(super) async fn grouped(&mut self, steps: &[Step], over: &mut bool) -> Result<Came, RunError> {
        if steps.is_empty() {
            return Ok(Came::Done);
        }
        self.current = Some(steps[0].path.clone());
        let mut rank = self.last_rank;
        let mut took = Vec::with_capacity(steps.len());
        let begin = self.database.guard.begin_behind(self.last_rank);
        if self.is_overtaken(&begin).await? {
            self.wait_for_turn().await?;
            return Ok(Came::Reread);
        }
        let mut failure = None;
        for step in steps {
            self.begin(step);
            let start = Instant::now();
            rank = rank.saturating_add(1);
            failure = self.member(step, rank, over).await?;
            took.push(start.elapsed());
            if failure.is_some() {
                break;
            }
        }
        if failure.is_none() {
            let outcome = self.ours(self.database.guard.commit()).await?;
            let cause = outcome.error.map(|error| Cause::Commit(Box::new(error)));
            failure = cause.map(|cause| self.failure(&steps[steps.len() - 1], Place::NOWHERE, cause, Left::Nothing));
        }
        if let Some(mut failure) = failure {
            self.rewind().await?;
            let ended = matches!(failure.cause, Cause::EndedItsTransaction);
            failure.left = if ended { Left::Perhaps } else { Left::Nothing };
            self.after_each_failure(&steps[took.len() - 1]).await?;
            return Err(failure.into());
        }
        let base = self.last_rank;
        for (index, (step, elapsed)) in steps.iter().zip(took).enumerate() {
            self.applied(step, base.saturating_add(i32::try_from(index + 1).unwrap_or(i32::MAX)), elapsed);
        }
        self.current = None;
        let reread = steps.iter().any(|step| step.script.afterwards.read_history);
        Ok(if reread { Came::Reread } else { Came::Done })
    }

    async fn member(&mut self, step: &Step, rank: i32, over: &mut bool) -> Result<Option<Failure>, RunError> {
        if step.is_repeatable() && !std::mem::replace(over, true) {
            for event in [AFTER_VERSIONED, BEFORE_REPEATABLES] {
                if let Some(failure) = self.within(event).await? {
                    return Ok(Some(failure));
                }
            }
        }
        let start = Instant::now();
        if let Some(failure) = self.body(step).await? {
            return Ok(Some(failure));
        }
        if self.session().status() != TransactionStatus::InTransaction {
            return Ok(Some(self.failure(step, Place::NOWHERE, Cause::EndedItsTransaction, Left::Perhaps)));
        }
        let milliseconds = i32::try_from(start.elapsed().as_millis()).unwrap_or(i32::MAX).to_string();
        let insert = step.row.as_ref().map(|row| self.insert(rank, row, &milliseconds, true)).unwrap_or_default();
        // Deferred constraints wait for the one commit: made immediate here, they would stay so for the next script.
        let sql = format!("{};{insert}", self.database.guard.settle());
        let outcome = self.ours(&sql).await?;
        let cause = outcome.error.map(|error| Cause::Commit(Box::new(error)));
        Ok(cause.map(|cause| self.failure(step, Place::NOWHERE, cause, Left::Nothing)))
    }

    /// Whether these can be one transaction: none runs outside of one, and none ends it.
    pub(super) fn refuse_ungroupable(&self, steps: &[Step]) -> Result<(), RunError> {
        let why = |step: &Step| match step.script.mode {
            // As with Flyway, `mixed` lets the whole group run without a transaction around it.
            Mode::Autocommit if self.inputs.settings.mixed.value => None,
            Mode::Autocommit => Some(
                "it does not run inside a transaction, and `group` puts all pending migrations into one: apply it in a \
                 run of its own without `group`, or set `mixed`",
            ),
            _ if step.script.own_transactions => Some(
                "it begins or ends transactions itself, which would end the one that `group` puts around all pending \
                 migrations: apply it in a run of its own without `group`",
            ),
            _ => None,
        };
        let refuse = |step: &Step| {
            let message = why(step)?.to_owned();
            Some(Refused { at: Location::whole(step.path.as_str()), message })
        };
        let refused: Vec<_> = steps.iter().filter_map(refuse).collect();
        if refused.is_empty() { Ok(()) } else { Err(RunError::Refused(refused)) }
    }

    /// Rows as if the scripts had run, all in one transaction.
    pub(super) async fn recorded(&mut self, steps: &[Step]) -> Result<Came, RunError> {
        if steps.is_empty() {
            return Ok(Came::Done);
        }
        let mut sql = self.database.guard.begin_behind(self.last_rank);
        let base = self.last_rank;
        let rank = |index: usize| base.saturating_add(i32::try_from(index + 1).unwrap_or(i32::MAX));
        for (index, step) in steps.iter().enumerate() {
            sql.extend(step.row.as_ref().map(|row| self.insert(rank(index), row, "0", true)));
        }
        sql.push_str("COMMIT");
        self.execute(&sql, "the schema history cannot be written; nothing was recorded").await?;
        for (index, step) in steps.iter().enumerate() {
            self.applied(step, rank(index), std::time::Duration::ZERO);
        }
        Ok(Came::Done)
    }
}
