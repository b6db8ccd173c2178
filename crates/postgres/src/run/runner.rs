//! What all commands that run scripts have in common: one session, the scripts in order, and what is told of them.

use std::collections::VecDeque;
use std::time::Duration;

use trueup_migrations::history::{NewRow, Reconciliation, Resolved};
use trueup_migrations::migration::Migration;

use crate::place::Place;
use crate::session::{Outcome, Session, SessionError, TransactionStatus};

use super::database::Database;
use super::inputs::Inputs;
use super::outcome::{Cause, Failure, Left, Migrated, Ran, RunError};
use super::script::{Mode, Script};
use super::stop::Stop;
use super::{Event, lock};

/// Longest time to get a session that is to stop to stop, and to learn what became of a lost one.
pub(super) const CANCEL_TIME: Duration = Duration::from_secs(10);

/// What scripts said is kept this often.
const NOTICES: usize = 100;

/// A script to run, and the row that it gets; callbacks get none.
pub(super) struct Step {
    pub(super) path: String,
    pub(super) row: Option<NewRow>,
    pub(super) script: Script,
}

/// What is under way.
pub(super) struct Runner<'a> {
    pub(super) database: &'a mut Database,
    pub(super) inputs: &'a Inputs,
    pub(super) stop: &'a mut Stop,
    tell: &'a mut (dyn FnMut(Event<'_>) + Send),
    /// Answers that a cancel brought in ahead of their turn.
    drained: VecDeque<Outcome>,
    pub(super) interrupted: bool,
    /// The highest rank in the history.
    pub(super) last_rank: i32,
    /// The file whose answer is awaited.
    pub(super) current: Option<String>,
    pub(super) migrated: Migrated,
}

/// What came of a list of steps.
pub(super) enum Came {
    Done,
    /// The history has to be read again before anything else.
    Reread,
    Failed(Failure),
}

impl<'a> Runner<'a> {
    pub(super) fn new(
        database: &'a mut Database,
        inputs: &'a Inputs,
        stop: &'a mut Stop,
        tell: &'a mut (dyn FnMut(Event<'_>) + Send),
    ) -> Self {
        let schema = database.table().name().schema.to_string();
        Self {
            database,
            inputs,
            stop,
            tell,
            drained: VecDeque::new(),
            interrupted: false,
            last_rank: 0,
            current: None,
            migrated: Migrated { schema, ..Migrated::default() },
        }
    }

    /// Everything that is pending, read and cut before any of it runs.
    pub(super) fn steps(&self, found: &Reconciliation<'_>) -> Result<Vec<Step>, RunError> {
        self.prepare(found.pending().map(|file| (file.migration, Some(Resolved::row(file)))))
    }

    pub(super) fn callbacks(&self, events: &[&str]) -> Result<Vec<Step>, RunError> {
        let files = events.iter().flat_map(|event| self.inputs.set.callbacks_of(event));
        self.prepare(files.map(|file| (file, None)))
    }

    fn prepare<'m>(&self, files: impl Iterator<Item = (&'m Migration, Option<NewRow>)>) -> Result<Vec<Step>, RunError> {
        let (mut steps, mut refused) = (Vec::new(), Vec::new());
        for (migration, row) in files {
            match Script::prepare(migration, &self.inputs.settings, self.database.placeholders()) {
                Ok(script) => steps.push(Step { path: migration.path.to_string(), row, script }),
                Err(why) => refused.push(why),
            }
        }
        if refused.is_empty() { Ok(steps) } else { Err(RunError::Refused(refused)) }
    }

    /// Runs scripts in order, up to the first that fails or after which the history must be read again.
    pub(super) async fn run(&mut self, steps: &[Step]) -> Result<Came, RunError> {
        let mut next = 0;
        while let Some(step) = steps.get(next) {
            if self.interrupted {
                return Ok(Came::Failed(self.failure(step, Place::NOWHERE, Cause::Interrupted, Left::Nothing)));
            }
            self.current = Some(step.path.clone());
            let (end, failure) = match step.script.mode {
                Mode::Ahead if step.row.is_some() => {
                    let ahead = |step: &Step| step.script.mode == Mode::Ahead && step.row.is_some();
                    let end = steps[next..].iter().position(|step| !ahead(step)).map_or(steps.len(), |end| next + end);
                    (end, self.ahead(&steps[next..end]).await?)
                }
                Mode::Ahead | Mode::Awaited => (next + 1, self.awaited(step).await?),
                Mode::Autocommit => (next + 1, self.autocommit(step).await?),
            };
            if let Some(failure) = failure {
                return Ok(Came::Failed(failure));
            }
            if step.script.afterwards.lock {
                let key = self.database.table().lock_key();
                let session = &mut self.database.session;
                lock::take(session, key, self.inputs.lock_seconds, self.stop, self.tell).await?;
            }
            if step.row.is_some() && (step.script.afterwards.lock || step.script.afterwards.read_history) {
                return Ok(Came::Reread);
            }
            next = end;
        }
        self.current = None;
        Ok(Came::Done)
    }

    pub(super) fn session(&mut self) -> &mut Session {
        &mut self.database.session
    }

    /// The next answer. When the run is to end, what is under way is cancelled until all answers are in.
    pub(super) async fn outcome(&mut self) -> Result<Outcome, SessionError> {
        if let Some(outcome) = self.drained.pop_front() {
            return Ok(outcome);
        }
        if !self.interrupted {
            tokio::select! {
                biased;
                outcome = self.database.session.next_outcome() => return outcome,
                () = self.stop.asked() => self.interrupted = true,
            }
            self.drained = self.database.session.cancel(CANCEL_TIME).await?.into();
            return self.drained.pop_front().ok_or(SessionError::NothingInFlight);
        }
        self.database.session.next_outcome().await
    }

    /// Sends one message of ours and waits for its outcome; a run that is to end does not cancel it.
    pub(super) async fn ours(&mut self, sql: &str) -> Result<Outcome, SessionError> {
        self.database.session.query(sql).await
    }

    /// Ends whatever transaction is open without keeping anything of it.
    pub(super) async fn rewind(&mut self) -> Result<(), SessionError> {
        if self.database.session.status() != TransactionStatus::Idle {
            self.ours("ROLLBACK").await?;
        }
        Ok(())
    }

    pub(super) fn note(&mut self, step: &Step, outcome: &Outcome) {
        let kept = &mut self.migrated.notices;
        let room = NOTICES.saturating_sub(kept.len());
        kept.extend(outcome.notices.iter().take(room).map(|notice| (step.path.clone(), notice.clone())));
    }

    pub(super) fn applied(&mut self, step: &Step, rank: i32, elapsed: Duration) {
        self.last_rank = rank;
        let Some(row) = step.row.clone() else { return };
        let ran = Ran { row, path: step.path.clone(), elapsed };
        (self.tell)(Event::Applied(&ran));
        self.migrated.applied.push(ran);
    }

    pub(super) fn failure(&self, step: &Step, place: Place, cause: Cause, left: Left) -> Failure {
        let text = |index: usize| step.script.text()[step.script.statements[index].clone()].to_owned();
        Failure { at: step.script.locate(place.offset), statement: place.statement.map(text), cause, left }
    }
}
