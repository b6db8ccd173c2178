//! Scripts outside of any transaction: statement by statement, with a note of how far they got.

use std::time::Instant;

use trueup_migrations::rerun::Nature;

use crate::place::Place;
use crate::session::{Outcome, TransactionStatus};

use super::Event;
use super::database::checked;
use super::outcome::{Cause, Failure, Left, RunError};
use super::progress::{Note, Unfinished, identifiers, objects_before};
use super::resume::Start;
use super::runner::{Runner, Step};
use super::script::Batch;

/// `insufficient_privilege`
const NOT_ALLOWED: &str = "42501";

/// `active_sql_transaction`: a statement that we took for one that can run in a transaction cannot.
const NEEDS_NO_TRANSACTION: &str = "25001";

/// How far a script got, as its note says or is to say.
struct Notes {
    /// Whether there is a table for notes.
    kept: bool,
    since: i32,
    /// Rank of the row that says that an earlier run failed.
    failed_rank: Option<i32>,
    /// The statement to go on at after a failure.
    at: usize,
    /// Whether a failure at `at` leaves it open what ran.
    uncertain: bool,
    /// Whether something ran that no note tells of.
    due: bool,
    /// Objects that were there before the statement at `at`.
    objects: Vec<String>,
}

/// Which note to write.
#[derive(Clone, Copy)]
enum Which<'n> {
    /// Everything before this statement ran, and nothing of it.
    Before,
    /// The statement is about to be sent, and its end is to be told apart by what is there.
    Started(&'n Nature),
}

impl Runner<'_> {
    /// A script outside any transaction. Its failure is recorded, since what ran before it stays.
    pub(super) async fn autocommit(&mut self, step: &Step) -> Result<Option<Failure>, RunError> {
        let start = Instant::now();
        let Start { at, unfinished } = self.start(step).await?;
        if let Some(unfinished) = &unfinished {
            self.emit(Event::Resumed { path: &step.path, statement: unfinished.statement + 1 });
        }
        let mut notes = self.notes(step, at, unfinished).await?;
        let mut failure = self.each(step, at, &mut notes).await?;
        if failure.is_none() && self.session().status() != TransactionStatus::Idle {
            // A transaction that the script began and did not end.
            let outcome = self.ours("COMMIT").await?;
            let cause = |error| Cause::Commit(Box::new(error));
            failure = outcome.error.map(|error| self.failure(step, Place::AT_COMMIT, cause(error), Left::Perhaps));
        }
        self.rewind().await?;
        let settle = self.database.guard.settle();
        checked(self.ours(&settle).await?, "the session cannot be put in order")?;
        if let Some(failure) = &mut failure {
            failure.invalid = self.invalid_indexes(step, &notes).await?;
        }
        let milliseconds = i32::try_from(start.elapsed().as_millis()).unwrap_or(i32::MAX).to_string();
        let Some(rank) = self.record(step, &notes, &milliseconds, failure.is_none()).await? else { return Ok(failure) };
        match &mut failure {
            Some(failure) => failure.left = if notes.kept { Left::Resumable } else { Left::FailedRow },
            None => self.applied(step, rank, start.elapsed()),
        }
        Ok(failure)
    }

    /// Makes the table for notes when there is none. A role that may not is told, and goes on without.
    async fn notes(&mut self, step: &Step, at: usize, unfinished: Option<Unfinished>) -> Result<Notes, RunError> {
        let mut notes = Notes {
            kept: step.row.is_some(),
            since: unfinished.as_ref().map_or(self.last_rank, |one| one.since),
            failed_rank: unfinished.as_ref().and_then(|one| one.failed_rank),
            at,
            uncertain: false,
            due: unfinished.as_ref().is_some_and(|one| one.statement < at),
            objects: unfinished.map(|one| one.objects).unwrap_or_default(),
        };
        if notes.kept && !self.progress.exists {
            let outcome = self.ours(&self.database.progress().create()).await?;
            match outcome.error {
                Some(error) if error.sqlstate == NOT_ALLOWED => {
                    notes.kept = false;
                    self.emit(Event::NoProgress { path: &step.path, why: &error.message });
                }
                _ => {
                    checked(outcome, "a table for the progress of migrations cannot be created")?;
                    self.progress.exists = true;
                }
            }
        }
        Ok(notes)
    }

    /// Runs the statements from `first` on.
    async fn each(&mut self, step: &Step, first: usize, notes: &mut Notes) -> Result<Option<Failure>, RunError> {
        let batches = step.script.batches();
        let (mut index, mut tries) = (first, 0);
        while let Some(batch) = batches.get(index) {
            if self.interrupted {
                return Ok(Some(self.failure(step, Place::NOWHERE, Cause::Interrupted, Left::Perhaps)));
            }
            let outcome = self.one(step, batch, notes).await?;
            self.note(step, &outcome);
            if outcome.error.is_none() && !outcome.unexpected_copy {
                (index, tries) = (index + 1, 0);
                continue;
            }
            let failure = self.judge_statement(step, batch, outcome);
            let alone = notes.at == index && self.session().status() == TransactionStatus::Idle;
            if !(alone && self.wait_for_locks(&failure, &mut tries).await) {
                return Ok(Some(failure));
            }
            self.drop_invalid(step, notes).await?;
        }
        let interrupted = self.interrupted && index < batches.len();
        Ok(interrupted.then(|| self.failure(step, Place::NOWHERE, Cause::Interrupted, Left::Perhaps)))
    }

    /// Runs one statement, with the notes before, in and after it that let a later run go on.
    async fn one(&mut self, step: &Step, batch: &Batch, notes: &mut Notes) -> Result<Outcome, RunError> {
        let index = batch.first;
        let nature = step.script.nature(index).unwrap_or(Nature::Opaque);
        let alone = self.session().status() == TransactionStatus::Idle;
        if !alone {
            notes.uncertain |= nature == Nature::Control { chains: true };
            let outcome = self.exchange(step, batch, "").await?;
            notes.due |= self.session().status() == TransactionStatus::Idle;
            return Ok(outcome);
        }
        (notes.at, notes.uncertain) = (index, nature == Nature::Opaque);
        match nature {
            Nature::Session => Ok(self.exchange(step, batch, "").await?),
            Nature::Atomic => {
                if notes.due {
                    self.write_note(step, notes, Which::Before).await?;
                }
                let tail = self.tail(step, notes, index + 1);
                let outcome = self.exchange(step, batch, &tail).await?;
                let refused = outcome.error.as_ref().is_some_and(|error| error.sqlstate == NEEDS_NO_TRANSACTION);
                if !refused || tail.is_empty() {
                    return Ok(outcome);
                }
                self.by_itself(step, batch, notes, &Nature::AllOrNothing).await
            }
            nature => self.by_itself(step, batch, notes, &nature).await,
        }
    }

    /// Runs a statement that cannot share a transaction with a note.
    async fn by_itself(
        &mut self,
        step: &Step,
        batch: &Batch,
        notes: &mut Notes,
        nature: &Nature,
    ) -> Result<Outcome, RunError> {
        self.write_note(step, notes, Which::Started(nature)).await?;
        if matches!(nature, Nature::CreateIndex { .. } | Nature::Reindex) {
            self.watch_index();
        }
        let outcome = self.exchange(step, batch, "").await;
        self.watch = None;
        notes.due = true;
        Ok(outcome?)
    }

    /// SQL that goes behind a statement, in one transaction with it.
    fn tail(&self, step: &Step, notes: &Notes, next: usize) -> String {
        let Some(row) = step.row.as_ref().filter(|_| notes.kept) else { return String::new() };
        let before = step.script.digest_before(next).unwrap_or_default();
        let failed_rank = notes.failed_rank();
        let note = Note {
            script: &row.script,
            since: notes.since,
            statement: next,
            started: false,
            before: &before,
            text: &step.script.digest(next),
            objects: Some("''".to_owned()),
            failed_rank: &failed_rank,
        };
        format!(";\n{}", self.database.progress().write(&note))
    }

    async fn write_note(&mut self, step: &Step, notes: &mut Notes, which: Which<'_>) -> Result<(), RunError> {
        let Some(row) = step.row.as_ref().filter(|_| notes.kept) else { return Ok(()) };
        let (started, objects) = match which {
            Which::Before => (false, "''".to_owned()),
            Which::Started(nature) => (true, objects_before(nature)),
        };
        let before = step.script.digest_before(notes.at).unwrap_or_default();
        let failed_rank = notes.failed_rank();
        let note = Note {
            script: &row.script,
            since: notes.since,
            statement: notes.at,
            started,
            before: &before,
            text: &step.script.digest(notes.at),
            objects: Some(objects),
            failed_rank: &failed_rank,
        };
        let outcome = checked(self.ours(&self.database.progress().write(&note)).await?, NOT_NOTED)?;
        let objects = outcome.rows.first().and_then(|row| row.first()?.as_deref());
        notes.objects = identifiers(objects.unwrap_or_default());
        notes.due = false;
        Ok(())
    }

    /// Writes what came of a script: its row, and its note or that there is none any more, all in one transaction.
    /// The row's rank; none for a script without a row.
    async fn record(
        &mut self,
        step: &Step,
        notes: &Notes,
        milliseconds: &str,
        success: bool,
    ) -> Result<Option<i32>, RunError> {
        let Some(row) = &step.row else { return Ok(None) };
        let failed = notes.failed_rank.map(|rank| self.database.guard.table.forget_failed(rank)).unwrap_or_default();
        checked(self.ours(&format!("BEGIN;{failed}")).await?, NOT_WRITTEN)?;
        let rank = self.next_rank().await?;
        let insert = self.insert(rank, row, milliseconds, success);
        let note = match () {
            () if !notes.kept => String::new(),
            () if success => self.database.progress().forget(&row.script, self.progress.is_last(&row.script)),
            () => self.database.progress().write(&Note {
                script: &row.script,
                since: notes.since,
                statement: notes.at,
                started: notes.uncertain,
                before: &step.script.digest_before(notes.at).unwrap_or_default(),
                text: &step.script.digest(notes.at),
                objects: None,
                failed_rank: &rank.to_string(),
            }),
        };
        checked(self.ours(&format!("{insert}{note}COMMIT")).await?, NOT_WRITTEN)?;
        if success && notes.kept {
            self.progress.done(&row.script);
        }
        Ok(Some(rank))
    }

    /// Invalid indexes that the statement that failed left behind.
    async fn invalid_indexes(&mut self, step: &Step, notes: &Notes) -> Result<Vec<String>, RunError> {
        let Some(nature) = step.script.nature(notes.at).filter(|_| notes.kept) else { return Ok(Vec::new()) };
        let left = self.indexes_left(&nature, &notes.objects).await?;
        Ok(left.into_iter().filter(|(_, valid)| !valid).map(|(name, _)| name).collect())
    }

    /// Before a statement is tried again.
    async fn drop_invalid(&mut self, step: &Step, notes: &Notes) -> Result<(), RunError> {
        for name in self.invalid_indexes(step, notes).await? {
            self.drop_index(&name).await?;
        }
        Ok(())
    }

    fn judge_statement(&self, step: &Step, batch: &Batch, mut outcome: Outcome) -> Failure {
        // Our note may have been what failed; in any case it is about this statement.
        outcome.tags.clear();
        self.judge_batch(step, batch, &outcome)
    }
}

impl Notes {
    fn failed_rank(&self) -> String {
        self.failed_rank.map_or("NULL".to_owned(), |rank| rank.to_string())
    }
}

const NOT_NOTED: &str = "the progress of a migration cannot be written";
const NOT_WRITTEN: &str = "the schema history cannot be written";
