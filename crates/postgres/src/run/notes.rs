//! The notes about one script outside of a transaction, while it runs.

use trueup_migrations::rerun::Nature;

use crate::restore::literal;

use super::Event;
use super::database::checked;
use super::outcome::RunError;
use super::progress::{Note, Unfinished, identifiers, objects_before};
use super::runner::{Runner, Step};
use super::walk::Walk;

/// `insufficient_privilege`
const NOT_ALLOWED: &str = "42501";

/// How far a script got, as its note says or is to say.
pub(super) struct Notes {
    /// Whether there is a table for notes.
    pub(super) kept: bool,
    since: i32,
    /// Rank of the row that says that an earlier run failed.
    failed_rank: Option<i32>,
    /// The statement to go on at after a failure.
    pub(super) at: usize,
    /// What all statements before it were.
    before: String,
    /// What it is itself, and what it means to run it again; nothing as long as it is not about to be sent.
    text: String,
    pub(super) nature: Option<Nature>,
    /// Whether a failure at `at` leaves it open what ran.
    pub(super) uncertain: bool,
    /// Whether something ran that no note tells of.
    pub(super) due: bool,
    /// Objects that were there before the statement at `at`.
    pub(super) objects: Vec<String>,
    /// SQL before a note, for scripts that change who the session is.
    lead: String,
}

/// Which note to write.
#[derive(Clone, Copy)]
pub(super) enum Which<'n> {
    /// Everything before this statement ran, and nothing of it.
    Before,
    /// The statement is about to be sent, and its end is to be told apart by what is there.
    Started(&'n Nature),
}

impl Notes {
    /// Everything before this statement ran; `before` is what that was.
    pub(super) fn pass(&mut self, next: usize, before: String) {
        (self.at, self.before) = (next, before);
        (self.text, self.nature) = (String::new(), None);
        self.uncertain = false;
        self.objects.clear();
    }

    /// The statement that comes is the one to go on at after a failure.
    pub(super) fn stand(&mut self, walk: &Walk<'_>) {
        (self.at, self.before) = (walk.at(), walk.before());
        (self.text, self.nature) = (walk.digest(), walk.nature());
        self.uncertain = false;
    }

    fn failed_rank(&self) -> String {
        self.failed_rank.map_or("NULL".to_owned(), |rank| rank.to_string())
    }
}

impl Runner<'_> {
    /// Makes the table for notes when there is none. A role that may not is told, and goes on without.
    pub(super) async fn notes(
        &mut self,
        step: &Step,
        walk: &Walk<'_>,
        unfinished: Option<Unfinished>,
    ) -> Result<Notes, RunError> {
        let at = walk.at();
        let here = unfinished.as_ref().filter(|one| one.statement == at);
        let mut notes = Notes {
            kept: step.row.is_some() && !step.is_undo(),
            since: unfinished.as_ref().map_or(self.last_rank, |one| one.since),
            failed_rank: unfinished.as_ref().and_then(|one| one.failed_rank),
            at,
            before: walk.before(),
            text: walk.digest(),
            nature: walk.nature(),
            uncertain: false,
            due: unfinished.as_ref().is_some_and(|one| one.statement < at),
            objects: here.map(|one| one.objects.clone()).unwrap_or_default(),
            lead: self.database.guard.restore.for_a_note(step.script.identity),
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

    /// SQL that goes behind the statement that comes, in one transaction with it: it ran, and everything before it.
    pub(super) fn tail(&self, step: &Step, notes: &Notes, walk: &Walk<'_>) -> String {
        let note = self.sql(step, notes, (walk.at() + 1, &walk.behind()), None);
        note.map_or_else(String::new, |note| format!("\n;SET CONSTRAINTS ALL IMMEDIATE;{}{note}", notes.lead))
    }

    /// The same, in the transaction that the script has begun and is about to commit. At the end there is no such statement.
    pub(super) async fn note_inside(&mut self, step: &Step, notes: &Notes, walk: &Walk<'_>) -> Result<(), RunError> {
        let next = walk.at() + usize::from(walk.batch().is_some());
        if let Some(note) = self.sql(step, notes, (next, &walk.behind()), None) {
            checked(self.ours(&format!("{}{note}", notes.lead)).await?, NOT_NOTED)?;
        }
        Ok(())
    }

    /// A note in a transaction of its own.
    pub(super) async fn write_note(
        &mut self,
        step: &Step,
        notes: &mut Notes,
        which: Which<'_>,
    ) -> Result<(), RunError> {
        let objects = match which {
            Which::Before => None,
            Which::Started(nature) => Some(objects_before(nature)),
        };
        let started = objects.as_deref().map(|objects| (notes.text.as_str(), objects));
        let Some(note) = self.sql(step, notes, (notes.at, &notes.before), started) else { return Ok(()) };
        let outcome = checked(self.ours(&format!("{}{note}", notes.lead)).await?, NOT_NOTED)?;
        let objects = outcome.rows.first().and_then(|row| row.first()?.as_deref());
        notes.objects = identifiers(objects.unwrap_or_default());
        notes.due = false;
        Ok(())
    }

    /// A note that everything before a statement ran, with what that was; and, when it is about to be sent, what it is and what is
    /// there before it.
    fn sql(
        &self,
        step: &Step,
        notes: &Notes,
        (statement, before): (usize, &str),
        started: Option<(&str, &str)>,
    ) -> Option<String> {
        let row = step.row.as_ref().filter(|_| notes.kept)?;
        let (text, objects) = started.unwrap_or(("", "''"));
        let note = Note {
            script: &row.script,
            since: notes.since,
            statement,
            started: started.is_some(),
            before,
            text,
            objects,
            failed_rank: &notes.failed_rank(),
        };
        Some(self.database.progress().write(&note))
    }

    /// Writes what came of a script: its row, and its note or that there is none any more, all in one transaction.
    /// The row's rank; none for a script without a row.
    pub(super) async fn record(
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
                before: &notes.before,
                text: &notes.text,
                objects: &literal(&notes.objects.join(",")),
                failed_rank: &rank.to_string(),
            }),
        };
        checked(self.ours(&format!("{insert}{note}COMMIT")).await?, NOT_WRITTEN)?;
        if success && notes.kept {
            self.progress.done(&row.script);
        }
        Ok(Some(rank))
    }
}

const NOT_NOTED: &str = "the progress of a migration cannot be written";
const NOT_WRITTEN: &str = "the schema history cannot be written";
