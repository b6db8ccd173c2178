//! Scripts sent ahead of the answers.

use std::collections::VecDeque;
use std::time::Duration;

use crate::place::{Message, Place};
use crate::session::{Outcome, SessionError};

use super::guard::{FINISH_LEAD, Kept, NOT_PREPARED};
use super::outcome::{Cause, Failure, Left, RunError};
use super::runner::{Runner, Step};

/// A message in flight: of which step, and the length of our SQL before the script; none for the one that ends it.
type Part = (usize, Option<usize>);

/// Preparing takes the time that it saves for two or three scripts.
const WORTH_KEEPING: usize = 4;

/// `division_by_zero`, which our checks raise.
pub(super) const DIVISION_BY_ZERO: &str = "22012";

/// `query_canceled`
pub(super) const QUERY_CANCELED: &str = "57014";

impl Runner<'_> {
    /// Runs scripts without waiting for each other's answers. After the first failure, everything that was sent behind
    /// it must have failed too.
    pub(super) async fn ahead(&mut self, steps: &[Step]) -> Result<Option<Failure>, RunError> {
        let base = self.last_rank;
        let mut keeps = self.keep(steps.len())?;
        let mut parts: VecDeque<Part> = VecDeque::new();
        let (mut queued, mut done) = (0, 0);
        let mut failure = None;
        let mut elapsed = Duration::ZERO;
        loop {
            while failure.is_none() && !self.interrupted && queued < 2 * steps.len() && self.session().has_room() {
                parts.push_back(self.queue(steps, queued, base)?);
                queued += 1;
            }
            if std::mem::take(&mut keeps) {
                // When the server refuses, all that was sent behind it fails for want of it.
                self.outcome().await?;
            }
            let Some((index, prefix)) = parts.pop_front() else { break };
            let step = &steps[index];
            if failure.is_none() {
                self.begin(step);
            }
            let outcome = self.outcome().await?;
            if failure.is_some() {
                if outcome.error.is_none() {
                    return Err(RunError::GuardBroken(step.path.clone()));
                }
                continue;
            }
            self.note(step, &outcome);
            elapsed += outcome.elapsed;
            if outcome.error.is_some() || outcome.unexpected_copy {
                failure = Some(self.judge(step, prefix, &outcome));
            } else if prefix.is_none() {
                done = index + 1;
                self.applied(step, base.saturating_add(rank_offset(done)), std::mem::take(&mut elapsed));
            }
        }
        self.rewind().await?;
        if failure.is_none() && done < steps.len() {
            failure = Some(self.failure(&steps[done], Place::NOWHERE, Cause::Interrupted, Left::Nothing));
        }
        Ok(failure)
    }

    /// Has the session keep what stands around scripts, when they are worth it; whether an answer comes of it.
    fn keep(&mut self, steps: usize) -> Result<bool, SessionError> {
        let worth = steps >= WORTH_KEEPING && self.database.guard.pooled.is_none();
        if self.kept != Kept::NotYet || !worth {
            return Ok(false);
        }
        self.kept = Kept::Yes;
        self.database.session.send_simple(&self.database.guard.keep())?;
        Ok(true)
    }

    /// Whether a script failed that may only have removed what the session keeps, such as by `DEALLOCATE ALL`. It runs once more
    /// without; one that failed for a prepared statement of its own fails again.
    pub(super) fn is_unkept(&mut self, failure: &Failure) -> bool {
        let missing = failure.cause.server_error().is_some_and(|error| error.sqlstate == NOT_PREPARED);
        let unkept = self.kept == Kept::Yes && missing && failure.left == Left::Nothing;
        if unkept {
            self.kept = Kept::No;
        }
        unkept
    }

    /// Queues message number `number`: two for each step.
    fn queue(&mut self, steps: &[Step], number: usize, base: i32) -> Result<Part, SessionError> {
        let index = number / 2;
        let step = &steps[index];
        let rank = base.saturating_add(rank_offset(index + 1));
        let guard = &self.database.guard;
        if number.is_multiple_of(2) {
            let prefix = guard.first(rank, self.kept);
            self.database.session.send_joined(&[&prefix, step.script.text()], 0)?;
            return Ok((index, Some(prefix.len())));
        }
        // Steps without a row are never sent ahead.
        let finish = step.row.as_ref().map(|row| guard.finish(rank, row, self.kept)).unwrap_or_default();
        self.database.session.send_simple(&finish)?;
        Ok((index, None))
    }

    fn judge(&self, step: &Step, prefix: Option<usize>, outcome: &Outcome) -> Failure {
        let error = Box::new(outcome.error.clone().unwrap_or_default());
        let ours = |lead: usize| error.sqlstate == DIVISION_BY_ZERO && outcome.tags.len() == lead;
        let canceled = self.interrupted && error.sqlstate == QUERY_CANCELED;
        let Some(prefix) = prefix else {
            let (cause, left) = match () {
                () if ours(FINISH_LEAD) => (Cause::EndedItsTransaction, Left::Perhaps),
                () if canceled => (Cause::Interrupted, Left::Nothing),
                () => (Cause::Commit(error), Left::Nothing),
            };
            return self.failure(step, Place::NOWHERE, cause, left);
        };
        let range = 0..step.script.text().len();
        let bytes = self.counts_bytes();
        let (text, statements) = (step.script.text(), step.script.statements.as_slice());
        let lead = self.database.guard.first_lead();
        let message = Message { text, statements, range, first: 0, prefix, lead, bytes };
        let place = message.place(outcome);
        match () {
            () if outcome.unexpected_copy => self.failure(step, place, Cause::CopyWithoutData, Left::Nothing),
            // BEGIN is done, and a check behind it is what failed: of the lock, or of the history.
            () if (1..lead).any(ours) => self.failure(step, Place::NOWHERE, Cause::HistoryChanged, Left::Nothing),
            () if canceled => self.failure(step, place, Cause::Interrupted, Left::Nothing),
            () => self.failure(step, place, Cause::Statement(error), Left::Nothing),
        }
    }

    /// Whether error positions count bytes: databases in `SQL_ASCII` do not know characters.
    pub(super) fn counts_bytes(&self) -> bool {
        self.database.session.parameter("server_encoding") == Some("SQL_ASCII")
    }
}

/// A number of steps as a difference of ranks; a list of more than two thousand million files cannot be loaded.
fn rank_offset(steps: usize) -> i32 {
    i32::try_from(steps).unwrap_or(i32::MAX)
}
