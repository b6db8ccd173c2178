//! Scripts outside of any transaction: statement by statement, with a note of how far they got.

use std::time::Instant;

use trueup_migrations::migration::ScriptError;
use trueup_migrations::rerun::Nature;

use crate::place::Place;
use crate::session::{Outcome, TransactionStatus};

use super::Event;
use super::database::checked;
use super::notes::{Notes, Which};
use super::outcome::{Cause, Failure, Left, RunError};
use super::runner::{Runner, Step};
use super::script::Batch;
use super::walk::Walk;

/// What the server says of a statement that shares a transaction with our note and cannot: `active_sql_transaction`, and
/// `invalid_transaction_termination` from within a procedure.
const NEEDS_NO_TRANSACTION: [&str; 2] = ["25001", "2D000"];

/// What came of a statement; an error inside is the file's, which cannot be read any more.
type Answer = Result<Result<Outcome, ScriptError>, RunError>;

impl Runner<'_> {
    /// A script outside any transaction. Its failure is recorded, since what ran before it stays.
    pub(super) async fn autocommit(&mut self, step: &Step) -> Result<Option<Failure>, RunError> {
        let start = Instant::now();
        let mut walk = match Walk::of(step) {
            Ok(walk) => walk,
            Err(error) => return Ok(Some(self.unreadable(step, &error))),
        };
        let unfinished = self.start(step, &mut walk).await?;
        if let Some(unfinished) = &unfinished {
            self.emit(Event::Resumed { path: &step.path, statement: unfinished.statement + 1 });
        }
        let mut notes = self.notes(step, &walk, unfinished).await?;
        let mut failure = self.with_callbacks(step, &mut walk, &mut notes).await?;
        if failure.is_none() && self.session().status() != TransactionStatus::Idle {
            failure = self.end_transaction(step, &walk, &notes).await?;
        }
        self.rewind().await?;
        let settle = self.database.guard.settle();
        checked(self.ours(&settle).await?, "the session cannot be put in order")?;
        if let Some(failure) = &mut failure {
            failure.invalid = self.invalid_indexes(&notes).await?;
            if step.is_undo() {
                // There is no row for it: the version stays applied.
                return Ok(Some(failure.clone()));
            }
        }
        let milliseconds = i32::try_from(start.elapsed().as_millis()).unwrap_or(i32::MAX).to_string();
        let Some(rank) = self.record(step, &notes, &milliseconds, failure.is_none()).await? else { return Ok(failure) };
        match &mut failure {
            Some(failure) => failure.left = if notes.kept { Left::Resumable } else { Left::FailedRow },
            None => self.applied(step, rank, start.elapsed()),
        }
        Ok(failure)
    }

    /// Commits a transaction that the script began and did not end.
    async fn end_transaction(
        &mut self,
        step: &Step,
        walk: &Walk<'_>,
        notes: &Notes,
    ) -> Result<Option<Failure>, RunError> {
        if self.session().status() == TransactionStatus::InTransaction {
            self.note_inside(step, notes, walk).await?;
        }
        let outcome = self.ours("COMMIT").await?;
        let cause = |error| Cause::Commit(Box::new(error));
        Ok(outcome.error.map(|error| self.failure(step, Place::AT_COMMIT, cause(error), Left::Perhaps)))
    }

    /// The statements that come, with the callbacks around the script.
    async fn with_callbacks(
        &mut self,
        step: &Step,
        walk: &mut Walk<'_>,
        notes: &mut Notes,
    ) -> Result<Option<Failure>, RunError> {
        let Some(each) = self.each(step) else { return self.all_that_come(step, walk, notes).await };
        if let Some(failure) = self.within(each.before).await? {
            return Ok(Some(failure));
        }
        match self.all_that_come(step, walk, notes).await? {
            None => self.within(each.after).await,
            failed => Ok(failed),
        }
    }

    async fn all_that_come(
        &mut self,
        step: &Step,
        walk: &mut Walk<'_>,
        notes: &mut Notes,
    ) -> Result<Option<Failure>, RunError> {
        let mut tries = 0;
        while let Some(batch) = walk.batch().cloned() {
            if self.interrupted {
                return Ok(Some(self.failure(step, Place::NOWHERE, Cause::Interrupted, Left::Perhaps)));
            }
            if let Some(failure) = self.before_statement(step).await? {
                return Ok(Some(failure));
            }
            let outcome = match self.one(step, walk, &batch, notes).await? {
                Ok(outcome) => outcome,
                Err(error) => return Ok(Some(self.unreadable(step, &error))),
            };
            self.note(step, &outcome);
            if outcome.error.is_none() && !outcome.unexpected_copy {
                tries = 0;
                if self.session().status() == TransactionStatus::Idle {
                    notes.pass(walk.at() + 1, walk.behind());
                }
                if let Some(failure) = self.after_statement(step).await? {
                    return Ok(Some(failure));
                }
                if let Err(error) = walk.advance() {
                    return Ok(Some(self.unreadable(step, &error)));
                }
                continue;
            }
            let failure = self.judge_statement(walk.messages.part(), &batch, outcome);
            let alone = notes.at == walk.at() && self.session().status() == TransactionStatus::Idle;
            let again = alone && !notes.uncertain && !walk.messages.is_read(&batch);
            if !(again && self.wait_for_locks(&failure, &mut tries).await) {
                self.after_statement_failure(step).await?;
                return Ok(Some(failure));
            }
            self.drop_invalid(notes, &mut tries).await?;
        }
        Ok(None)
    }

    /// Runs the statement that comes, with the notes before, in and after it that let a later run go on.
    async fn one(&mut self, step: &Step, walk: &mut Walk<'_>, batch: &Batch, notes: &mut Notes) -> Answer {
        let nature = walk.nature().unwrap_or(Nature::Opaque);
        if self.session().status() != TransactionStatus::Idle {
            return self.inside(step, walk, batch, notes, &nature).await;
        }
        notes.stand(walk);
        match nature {
            Nature::Session => Ok(self.ask(&mut walk.messages, batch, "").await?),
            Nature::Control | Nature::Commit | Nature::Chain => {
                if step.script.chains {
                    notes.uncertain = true;
                    self.write_note(step, notes, Which::Started(&nature)).await?;
                } else if notes.due {
                    self.write_note(step, notes, Which::Before).await?;
                }
                Ok(self.ask(&mut walk.messages, batch, "").await?)
            }
            Nature::Atomic | Nature::Opaque => self.with_note(step, walk, batch, notes, &nature).await,
            nature => self.by_itself(step, walk, batch, notes, &nature).await,
        }
    }

    /// Runs one statement in a transaction that the script has begun; what it did stays with COMMIT, and the note too.
    async fn inside(
        &mut self,
        step: &Step,
        walk: &mut Walk<'_>,
        batch: &Batch,
        notes: &mut Notes,
        nature: &Nature,
    ) -> Answer {
        let commits = *nature == Nature::Commit && self.session().status() == TransactionStatus::InTransaction;
        if commits {
            self.note_inside(step, notes, walk).await?;
        }
        let outcome = self.ask(&mut walk.messages, batch, "").await?;
        if self.session().status() == TransactionStatus::Idle {
            notes.due = !commits;
        }
        Ok(outcome)
    }

    /// Runs a statement in one transaction with the note that it ran, unless the server does not let it.
    async fn with_note(
        &mut self,
        step: &Step,
        walk: &mut Walk<'_>,
        batch: &Batch,
        notes: &mut Notes,
        nature: &Nature,
    ) -> Answer {
        if notes.due {
            self.write_note(step, notes, Which::Before).await?;
        }
        let tail = self.tail(step, notes, walk);
        let outcome = match self.ask(&mut walk.messages, batch, &tail).await? {
            Ok(outcome) => outcome,
            unreadable => return Ok(unreadable),
        };
        let refused = outcome.error.as_ref().is_some_and(|error| NEEDS_NO_TRANSACTION.contains(&&*error.sqlstate));
        if tail.is_empty() || !refused {
            return Ok(Ok(outcome));
        }
        notes.uncertain = *nature == Nature::Opaque;
        let nature = if notes.uncertain { nature } else { &Nature::AllOrNothing };
        self.by_itself(step, walk, batch, notes, nature).await
    }

    /// Runs a statement that cannot share a transaction with a note.
    async fn by_itself(
        &mut self,
        step: &Step,
        walk: &mut Walk<'_>,
        batch: &Batch,
        notes: &mut Notes,
        nature: &Nature,
    ) -> Answer {
        self.write_note(step, notes, Which::Started(nature)).await?;
        if matches!(nature, Nature::CreateIndex { .. } | Nature::Reindex) {
            self.watch_index();
        }
        let outcome = self.ask(&mut walk.messages, batch, "").await;
        self.watch = None;
        notes.due = true;
        Ok(outcome?)
    }

    /// Invalid indexes that the statement that failed left behind.
    async fn invalid_indexes(&mut self, notes: &Notes) -> Result<Vec<String>, RunError> {
        let Some(nature) = notes.nature.clone().filter(|_| notes.kept) else { return Ok(Vec::new()) };
        let left = self.indexes_left(&nature, &notes.objects).await?;
        Ok(left.into_iter().filter(|(_, valid)| !valid).map(|(name, _)| name).collect())
    }

    /// Before a statement is tried again.
    async fn drop_invalid(&mut self, notes: &Notes, tries: &mut u32) -> Result<(), RunError> {
        for name in self.invalid_indexes(notes).await? {
            self.drop_index(&name, tries).await?;
        }
        Ok(())
    }

    fn judge_statement(&self, part: &Step, batch: &Batch, mut outcome: Outcome) -> Failure {
        // Our note may have been what failed; in any case it is about this statement.
        outcome.tags.clear();
        self.judge_batch(part, batch, &outcome)
    }
}
