//! SQL callbacks: which events there are, and the files that run at each.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Event;
use super::database::{Database, checked};
use super::inputs::{Command, Inputs};
use super::outcome::RunError;
use super::pooled;
use super::runner::{Came, Runner, Step};
use super::stop::Stop;
use crate::session::Outcome;

const NOT_PREPARED: &str = "the session cannot be prepared";

/// Callbacks by event, ready to be sent.
pub(super) type Callbacks = BTreeMap<&'static str, Arc<[Step]>>;

pub(super) const AFTER_CONNECT: &str = "afterConnect";
pub(super) const CREATE_SCHEMA: &str = "createSchema";
pub(super) const BEFORE_CREATE_SCHEMA: &str = "beforeCreateSchema";
pub(super) const AFTER_VERSIONED: &str = "afterVersioned";
pub(super) const BEFORE_REPEATABLES: &str = "beforeRepeatables";
pub(super) const AFTER_MIGRATE_APPLIED: &str = "afterMigrateApplied";

/// The events around a piece of work.
pub(super) struct Around {
    pub(super) before: &'static str,
    pub(super) after: &'static str,
    error: &'static str,
    pub(super) finish: &'static str,
}

pub(super) const MIGRATE: Around = Around {
    before: "beforeMigrate",
    after: "afterMigrate",
    error: "afterMigrateError",
    finish: "afterMigrateOperationFinish",
};
pub(super) const VALIDATE: Around = Around {
    before: "beforeValidate",
    after: "afterValidate",
    error: "afterValidateError",
    finish: "afterValidateOperationFinish",
};
pub(super) const BASELINE: Around = Around {
    before: "beforeBaseline",
    after: "afterBaseline",
    error: "afterBaselineError",
    finish: "afterBaselineOperationFinish",
};
pub(super) const REPAIR: Around = Around {
    before: "beforeRepair",
    after: "afterRepair",
    error: "afterRepairError",
    finish: "afterRepairOperationFinish",
};
pub(super) const CLEAN: Around = Around {
    before: "beforeClean",
    after: "afterClean",
    error: "afterCleanError",
    finish: "afterCleanOperationFinish",
};
pub(super) const UNDO: Around =
    Around { before: "beforeUndo", after: "afterUndo", error: "afterUndoError", finish: "afterUndoOperationFinish" };
const INFO: Around =
    Around { before: "beforeInfo", after: "afterInfo", error: "afterInfoError", finish: "afterInfoOperationFinish" };

impl Command {
    pub(super) fn around(self) -> &'static Around {
        match self {
            Self::Migrate => &MIGRATE,
            Self::Info => &INFO,
            Self::Validate => &VALIDATE,
            Self::Baseline => &BASELINE,
            Self::Repair => &REPAIR,
            Self::Clean => &CLEAN,
            Self::Undo => &UNDO,
        }
    }

    /// Whether callbacks of an event run in this command.
    fn has(self, event: &str) -> bool {
        let around = self.around();
        let migrates = self == Self::Migrate;
        match event {
            AFTER_CONNECT => true,
            _ if [around.before, around.after, around.error, around.finish].contains(&event) => true,
            CREATE_SCHEMA | BEFORE_CREATE_SCHEMA => migrates || self == Self::Baseline,
            _ if migrates => {
                [AFTER_VERSIONED, BEFORE_REPEATABLES, AFTER_MIGRATE_APPLIED].contains(&event)
                    || event.contains("EachMigrate")
                    || event.contains("Validate")
                    || event.contains("Baseline")
            }
            _ => self == Self::Undo && event.contains("EachUndo"),
        }
    }
}

impl Runner<'_> {
    /// Reads and cuts the callbacks of a command, so that what cannot be run is refused before anything is.
    pub(super) fn prepare_callbacks(&mut self, command: Command) -> Result<(), RunError> {
        let concern = |event: &&'static str| command.has(event);
        for event in self.inputs.set.callbacks.keys().copied().filter(concern) {
            let files = self.inputs.set.callbacks_of(event);
            let steps = self.prepare(files.iter().map(|file| (file, None)))?;
            self.callbacks.insert(event, steps.into());
        }
        Ok(())
    }

    pub(super) fn has(&self, event: &str) -> bool {
        self.callbacks.contains_key(event)
    }

    /// Runs the callbacks of an event, each in a transaction of its own when it may run in one.
    pub(super) async fn fire(&mut self, event: &str) -> Result<(), RunError> {
        let Some(steps) = self.callbacks.get(event).cloned() else { return Ok(()) };
        self.ready().await?;
        for step in steps.iter() {
            match self.run(std::slice::from_ref(step)).await? {
                Came::Done | Came::Reread => self.stale |= step.script.afterwards.read_history,
            }
        }
        Ok(())
    }

    /// Puts the session in the order that every script finds, once.
    pub(super) async fn ready(&mut self) -> Result<(), RunError> {
        let Some(settle) = self.unready() else { return Ok(()) };
        self.execute(&settle, NOT_PREPARED).await?;
        self.is_ready = true;
        Ok(())
    }

    /// What puts the session in order, unless it is.
    fn unready(&self) -> Option<String> {
        // Through a pooler, every transaction does that for itself.
        if self.is_ready || self.database.guard.pooled.is_some() {
            return None;
        }
        let timeout = self.inputs.lock_timeout.map(|milliseconds| format!("SET lock_timeout={milliseconds};"));
        Some(format!("{}{}", timeout.unwrap_or_default(), self.database.guard.settle()))
    }

    /// A whole command but migrate. What its callbacks said is told at the end, whatever that is.
    pub(super) async fn command<T>(
        &mut self,
        command: Command,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        let done = self.surrounded(command, work).await;
        self.tell_rest();
        done
    }

    fn tell_rest(&mut self) {
        for (path, notice) in std::mem::take(&mut self.migrated.notices) {
            (self.tell)(Event::Said { path: &path, notice: &notice });
        }
        for also in std::mem::take(&mut self.migrated.also) {
            (self.tell)(Event::AlsoFailed(&also));
        }
    }

    async fn surrounded<T>(
        &mut self,
        command: Command,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        self.prepare_callbacks(command)?;
        self.fire(AFTER_CONNECT).await?;
        if command == Command::Baseline && self.inputs.settings.create_schemas.value {
            self.fire(CREATE_SCHEMA).await?;
            self.fire(BEFORE_CREATE_SCHEMA).await?;
        }
        let done = self.around(command.around(), work).await?;
        self.finish(command.around()).await?;
        Ok(done)
    }

    /// Work with its callbacks around it. After a failure those for failures run, unless nothing can run any more.
    pub(super) async fn around<T>(
        &mut self,
        events: &Around,
        work: impl AsyncFnOnce(&mut Self) -> Result<T, RunError>,
    ) -> Result<T, RunError> {
        self.fire(events.before).await?;
        match work(self).await {
            Ok(done) => {
                self.fire(events.after).await?;
                Ok(done)
            }
            Err(error) => {
                self.after_failure(events.error, &error).await?;
                Err(error)
            }
        }
    }

    /// The callbacks for a failure. What they do wrong is told beside the failure, and does not take its place.
    pub(super) async fn after_failure(&mut self, event: &str, error: &RunError) -> Result<(), RunError> {
        if self.interrupted || matches!(error, RunError::Session(_) | RunError::Interrupted | RunError::GuardBroken(_))
        {
            return Ok(());
        }
        match self.fire(event).await {
            Err(RunError::Script(also)) => self.migrated.also.push(*also),
            other => other?,
        }
        Ok(())
    }

    /// The end of an operation that did not fail.
    pub(super) async fn finish(&mut self, events: &Around) -> Result<(), RunError> {
        self.fire(events.finish).await
    }

    /// Sends something of ours.
    pub(super) async fn execute(&mut self, sql: &str, what: &'static str) -> Result<(), RunError> {
        let outcome = self.session().query(sql).await?;
        self.came(outcome, what).await
    }

    /// The same, and puts the session in order for what comes behind it, in one wait. After a failure nothing does come.
    pub(super) async fn execute_first(&mut self, sql: &str, what: &'static str) -> Result<(), RunError> {
        let settle = self.unready();
        let session = self.session();
        session.send_simple(sql)?;
        settle.iter().try_for_each(|settle| session.send_simple(settle))?;
        let outcome = session.next_outcome().await?;
        let settled = if settle.is_some() { Some(session.next_outcome().await?) } else { None };
        self.came(outcome, what).await?;
        if let Some(settled) = settled {
            self.came(settled, NOT_PREPARED).await?;
            self.is_ready = true;
        }
        Ok(())
    }

    async fn came(&mut self, outcome: Outcome, what: &'static str) -> Result<(), RunError> {
        if let Some(error) = &outcome.error {
            self.rewind().await?;
            if self.database.guard.pooled.is_some() && pooled::is_overtaken(error) {
                return Err(RunError::Overtaken);
            }
        }
        checked(outcome, what)?;
        Ok(())
    }
}

/// When a command that only reads runs callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After connecting.
    Connected,
    /// Before it reads.
    Before,
    /// When all is well.
    After,
    /// When it is not.
    Failed,
}

impl Database {
    /// Runs the callbacks that a command which only reads has at this moment.
    ///
    /// # Errors
    /// One cannot be run, or fails.
    pub async fn callbacks(
        &mut self,
        command: Command,
        moment: Moment,
        inputs: &Inputs,
        stop: &mut Stop,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<(), RunError> {
        let around = command.around();
        let mut runner = Runner::new(self, inputs, stop, tell);
        runner.prepare_callbacks(command)?;
        let came = runner.at(moment, around).await;
        runner.tell_rest();
        came
    }
}

impl Runner<'_> {
    async fn at(&mut self, moment: Moment, around: &Around) -> Result<(), RunError> {
        match moment {
            Moment::Connected => self.fire(AFTER_CONNECT).await,
            Moment::Before => self.fire(around.before).await,
            Moment::After => {
                self.fire(around.after).await?;
                self.finish(around).await
            }
            Moment::Failed => self.fire(around.error).await,
        }
    }
}
