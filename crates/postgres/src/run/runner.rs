//! What all commands that run scripts have in common: one session, the scripts in order, and what is told of them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use trueup_migrations::history::{AppliedKind, NewRow, Reconciliation, Resolved};
use trueup_migrations::large::Part;
use trueup_migrations::migration::Migration;

use crate::place::Place;
use crate::session::{self, Outcome, Session, SessionError, TransactionStatus};

use super::database::Database;
use super::events::Callbacks;
use super::guard::Kept;
use super::inputs::Inputs;
use super::outcome::{Cause, Failure, Left, Migrated, Ran, RunError};
use super::pooled;
use super::progress::Progress;
use super::script::{Mode, Script};
use super::stop::Stop;
use super::watch::{self, Watch};
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

impl Step {
    /// Whether it is a repeatable migration.
    pub(super) fn is_repeatable(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.version.is_none())
    }

    /// A part of its script, without a row.
    pub(super) fn part(&self, part: Part) -> Self {
        Self { path: self.path.clone(), row: None, script: self.script.part(part) }
    }

    /// Whether it takes a version back.
    pub(super) fn is_undo(&self) -> bool {
        self.row.as_ref().is_some_and(|row| row.kind == AppliedKind::Delete)
    }
}

/// What is under way.
pub(super) struct Runner<'a> {
    pub(super) database: &'a mut Database,
    pub(super) inputs: &'a Inputs,
    pub(super) stop: &'a mut Stop,
    pub(super) tell: &'a mut (dyn FnMut(Event<'_>) + Send),
    /// Answers that a cancel brought in ahead of their turn.
    drained: VecDeque<Outcome>,
    pub(super) interrupted: bool,
    /// The highest rank in the history.
    pub(super) last_rank: i32,
    /// The file whose answer is awaited.
    pub(super) current: Option<String>,
    /// The callbacks of the command.
    pub(super) callbacks: Callbacks,
    /// Whether a callback may have changed the history since it was read.
    pub(super) stale: bool,
    /// Whether role and search path are as every script finds them.
    pub(super) is_ready: bool,
    pub(super) migrated: Migrated,
    /// Whether the session keeps what stands around scripts that are sent ahead.
    pub(super) kept: Kept,
    /// What earlier runs did not finish.
    pub(super) progress: Progress,
    /// What is heard of the index that is being built.
    pub(super) watch: Option<Watch>,
}

/// What came of a list of steps that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Came {
    Done,
    /// The history has to be read again before anything else.
    Reread,
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
            callbacks: BTreeMap::new(),
            stale: false,
            is_ready: false,
            migrated: Migrated { schema, ..Migrated::default() },
            kept: Kept::default(),
            progress: Progress::default(),
            watch: None,
        }
    }

    /// Everything that is pending, or what was picked of it, read and cut before any of it runs.
    pub(super) fn steps(&self, found: &Reconciliation<'_>) -> Result<Vec<Step>, RunError> {
        let chosen = self.inputs.picks.choose(found, self.inputs.policy.out_of_order).map_err(RunError::Picks)?;
        self.prepare(chosen.into_iter().map(|file| (file.migration, Some(Resolved::row(file)))))
    }

    pub(super) fn prepare<'m>(
        &self,
        files: impl Iterator<Item = (&'m Migration, Option<NewRow>)>,
    ) -> Result<Vec<Step>, RunError> {
        let (mut steps, mut refused) = (Vec::new(), Vec::new());
        let runs = !self.inputs.settings.skip_executing_migrations.value;
        let through_pooler = runs && self.database.guard.pooled.is_some();
        for (migration, row) in files {
            match Script::prepare(migration, &self.inputs.settings, self.database.placeholders()) {
                Ok(script) if through_pooler && let Some(why) = pooled::refusal(&migration.path, &script) => {
                    refused.push(why);
                }
                Ok(script) => steps.push(Step { path: migration.path.to_string(), row, script }),
                Err(why) => refused.push(why),
            }
        }
        if refused.is_empty() { Ok(steps) } else { Err(RunError::Refused(refused)) }
    }

    /// Runs scripts in order, up to the first that fails or after which the history must be read again.
    pub(super) async fn run(&mut self, steps: &[Step]) -> Result<Came, RunError> {
        let (mut next, mut tries) = (0, 0);
        while let Some(step) = steps.get(next) {
            if self.interrupted {
                return Err(self.failure(step, Place::NOWHERE, Cause::Interrupted, Left::Nothing).into());
            }
            self.begin(step);
            let applied = self.migrated.applied.len();
            let (end, failure) = match step.script.mode {
                Mode::Ahead if step.row.is_some() && !self.has_each() => {
                    let ahead = |step: &Step| step.script.mode == Mode::Ahead && step.row.is_some();
                    let end = steps[next..].iter().position(|step| !ahead(step)).map_or(steps.len(), |end| next + end);
                    (end, self.ahead(&steps[next..end]).await?)
                }
                Mode::Ahead | Mode::Awaited => (next + 1, self.awaited(step).await?),
                Mode::Autocommit => (next + 1, self.autocommit(step).await?),
            };
            if let Some(failure) = failure {
                let more = self.migrated.applied.len() - applied;
                tries = if more > 0 { 0 } else { tries };
                if self.is_out_of_turn(step, &failure) {
                    self.wait_for_turn().await?;
                    if step.row.is_some() {
                        return Ok(Came::Reread);
                    }
                    continue;
                }
                // A run that is to end has it from the cancel, and ends above.
                if self.is_unkept(&failure) {
                    next += more;
                    continue;
                }
                if failure.left == Left::Nothing && self.wait_for_locks(&failure, &mut tries).await {
                    next += more;
                    continue;
                }
                self.after_each_failure(step).await?;
                return Err(failure.into());
            }
            // The lock of a transaction cannot be given up.
            if step.script.afterwards.lock && self.database.guard.pooled.is_none() {
                self.wait_for_turn().await?;
                // What was asked for this run goes on holding behind a `RESET ALL`.
                if self.inputs.lock_timeout.is_some() {
                    self.is_ready = false;
                    self.ready().await?;
                }
            }
            let changed = step.script.afterwards.lock || step.script.afterwards.read_history;
            if step.row.is_some() && (changed || std::mem::take(&mut self.stale)) {
                return Ok(Came::Reread);
            }
            next = end;
        }
        self.current = None;
        Ok(Came::Done)
    }

    /// Whether somebody else came first, through a pooler, and this run goes on behind them. What is to be undone was decided
    /// once and for all.
    fn is_out_of_turn(&self, step: &Step, failure: &Failure) -> bool {
        let overtaken = matches!(failure.cause, Cause::HistoryChanged) && failure.left == Left::Nothing;
        self.database.guard.pooled.is_some() && overtaken && !step.is_undo() && !self.interrupted
    }

    /// Takes the lock; through a pooler it only waits until it could be taken.
    pub(super) async fn wait_for_turn(&mut self) -> Result<(), RunError> {
        let lock = self.database.lock();
        lock::take(&mut self.database.session, lock, self.inputs.lock_seconds, self.stop, self.tell).await
    }

    /// What is pending is known, perhaps anew.
    pub(super) fn plan(&mut self, steps: &[Step]) {
        let planned = self.migrated.applied.len() + steps.len();
        if planned != std::mem::replace(&mut self.migrated.planned, planned) {
            self.emit(Event::Planned(planned));
        }
    }

    /// The answer of a script is awaited.
    pub(super) fn begin(&mut self, step: &Step) {
        if self.current.as_ref() == Some(&step.path) {
            return;
        }
        self.current = Some(step.path.clone());
        for (at, command) in &step.script.skipped {
            self.emit(Event::Skipped { at, command });
        }
        if step.row.is_some() {
            self.emit(Event::Running { path: &step.path });
        }
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
            loop {
                tokio::select! {
                    biased;
                    outcome = self.database.session.next_outcome() => return outcome,
                    () = self.stop.asked() => break,
                    built = watch::heard(self.watch.as_mut()) => {
                        let file = self.current.as_deref().unwrap_or_default();
                        (self.tell)(Event::Building { path: file, built: &built });
                    }
                }
            }
            self.interrupted = true;
            self.drained = self.database.session.cancel(CANCEL_TIME).await?.into();
            return self.drained.pop_front().ok_or(SessionError::NothingInFlight);
        }
        self.database.session.next_outcome().await
    }

    /// Waits until there is room for more data of a COPY; its outcome, when that comes first, as it does when the run is to
    /// end.
    pub(super) async fn copying(&mut self) -> Result<Option<Outcome>, SessionError> {
        tokio::select! {
            biased;
            progress = self.database.session.progress() => Ok(match progress? {
                session::Progress::Outcome(outcome) => Some(*outcome),
                session::Progress::Room => None,
            }),
            () = self.stop.asked() => {
                self.interrupted = true;
                self.drained = self.database.session.cancel(CANCEL_TIME).await?.into();
                self.drained.pop_front().ok_or(SessionError::NothingInFlight).map(Some)
            }
        }
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

    pub(super) fn emit(&mut self, event: Event<'_>) {
        (self.tell)(event);
    }

    pub(super) fn note(&mut self, step: &Step, outcome: &Outcome) {
        let kept = &mut self.migrated.notices;
        let room = NOTICES.saturating_sub(kept.len());
        kept.extend(outcome.notices.iter().take(room).map(|notice| (step.path.clone(), notice.clone())));
    }

    pub(super) fn applied(&mut self, step: &Step, rank: i32, elapsed: Duration) {
        let Some(row) = step.row.clone() else { return };
        self.last_rank = rank;
        self.database.has_run = true;
        let ran = Ran { row, path: step.path.clone(), elapsed };
        (self.tell)(Event::Applied(&ran));
        self.migrated.applied.push(ran);
    }

    pub(super) fn failure(&self, step: &Step, place: Place, cause: Cause, left: Left) -> Failure {
        let is_pointed = cause.server_error().is_some_and(|error| error.position.is_some());
        let range = place.statement.map(|index| step.script.statements[index].clone());
        let text = |range: std::ops::Range<usize>| step.script.text()[range].to_owned();
        let before = |start: usize| step.script.text().get(start..place.offset?);
        let pointed = range.as_ref().and_then(|range| before(range.start)).filter(|_| place.certain && is_pointed);
        Failure {
            at: step.script.locate(place.offset),
            starts: range.as_ref().map(|range| step.script.locate(Some(range.start))),
            position: pointed.map(|before| before.chars().count() + 1),
            statement: range.map(text),
            cause,
            left,
            invalid: Vec::new(),
        }
    }
}
