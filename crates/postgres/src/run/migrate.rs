//! `migrate`: validate, create what is missing, run what is pending, in Flyway's order.

use std::collections::BTreeSet;

use trueup_migrations::history::{
    AppliedMigration, IgnorePattern, Policy, Reconciliation, Resolved, State, reconcile, resolve,
};
use trueup_migrations::migration::{Migration, ScriptError};

use super::Event;
use super::database::{Database, Look};
use super::events::{
    self, AFTER_CONNECT, AFTER_MIGRATE_APPLIED, AFTER_VERSIONED, BEFORE_CREATE_SCHEMA, BEFORE_REPEATABLES,
    CREATE_SCHEMA,
};
use super::inputs::{Command, Inputs};
use super::outcome::{Migrated, Refused, RunError};
use super::runner::{Came, Runner, Step};
use super::script::Mode;
use super::stop::Stop;

impl Database {
    /// Applies what is pending. A script that fails is in [`Migrated::failure`]; then nothing behind it has run.
    ///
    /// # Errors
    /// What keeps it from running anything, or anything more, apart from a failing script.
    pub async fn migrate(
        &mut self,
        inputs: &Inputs,
        stop: &mut Stop,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Migrated, RunError> {
        let mut migrated = loop {
            let look = self.locked(inputs, stop, tell).await?;
            let mut runner = Runner::new(self, inputs, stop, tell);
            match runner.all(look).await {
                // Through a pooler the lock is not held in between: somebody else made the history.
                Err(RunError::Overtaken) if runner.migrated.applied.is_empty() => {}
                came => break runner.ended(came).await?,
            }
        };
        migrated.round_trips = self.round_trips();
        Ok(migrated)
    }
}

impl Runner<'_> {
    /// What is told of a run, whatever ended it.
    pub(super) async fn ended(mut self, came: Result<(), RunError>) -> Result<Migrated, RunError> {
        match came {
            Ok(()) => {}
            Err(RunError::Script(failure)) => self.migrated.failure = Some(*failure),
            Err(RunError::Session(error)) if self.current.is_some() => self.lost(&error).await,
            // What was applied must be told, whatever came after it.
            Err(error) if !self.migrated.applied.is_empty() => self.stopped(&error),
            Err(error) => return Err(error),
        }
        Ok(self.migrated)
    }

    async fn all(&mut self, look: Look) -> Result<(), RunError> {
        let exists = look.rows.is_some();
        let has_progress = exists && look.has_progress();
        let (facts, mut rows) = (look.schemas, look.rows.unwrap_or_default());
        if has_progress {
            self.take_in_progress(&rows).await?;
        }
        rows = self.as_of_now(rows);
        let inputs = self.inputs;
        let resolved = resolve(&inputs.set, self.database.placeholders()).map_err(unresolved)?;
        self.prepare_callbacks(Command::Migrate)?;
        self.fire(AFTER_CONNECT).await?;
        if facts.iter().all(|schema| schema.exists) {
            self.validated(&resolved, &mut rows).await?;
        }
        let found = reconcile(&resolved, &rows, &inputs.policy)?;
        self.refuse_failed(&found)?;
        self.migrated.version_before = found.current.map(|version| version.text().to_owned());
        let mut steps = self.steps(&found)?;
        if inputs.settings.group.value {
            self.refuse_ungroupable(&steps)?;
        }
        if inputs.settings.create_schemas.value {
            self.fire(CREATE_SCHEMA).await?;
            self.fire(BEFORE_CREATE_SCHEMA).await?;
        }
        let created = self.create_missing(&facts, exists, &rows).await?;
        // A history without rows changes nothing of what is pending.
        if created.is_some_and(|creation| !creation.rows.is_empty()) {
            rows = self.read_rows().await?;
            // Texts may be large: not two of each at once.
            drop(steps);
            steps = self.steps(&reconcile(&resolved, &rows, &inputs.policy)?)?;
        }
        if !steps.is_empty() {
            self.ready().await?;
        }
        (self.tell)(Event::Begins { version: self.migrated.version_before.as_deref() });
        self.around(&events::MIGRATE, async |runner| runner.pending(&resolved, steps).await).await?;
        self.current = None;
        self.finish(&events::MIGRATE).await
    }

    /// Runs what is pending, reading the history again wherever something may have changed it.
    async fn pending(&mut self, resolved: &[Resolved<'_>], mut steps: Vec<Step>) -> Result<(), RunError> {
        let policy = &self.inputs.policy;
        if std::mem::take(&mut self.stale) {
            let rows = self.read_rows().await?;
            drop(steps);
            steps = self.steps(&reconcile(resolved, &rows, policy)?)?;
        }
        let mut seen = BTreeSet::new();
        let mut over = false;
        loop {
            if let Some(again) = steps.iter().find(|step| seen.contains(&step.path)) {
                return Err(RunError::Again(again.path.clone()));
            }
            self.plan(&steps);
            let start = self.migrated.applied.len();
            if self.in_order(&steps, &mut over).await? == Came::Done {
                break;
            }
            seen.extend(self.migrated.applied[start..].iter().map(|ran| ran.path.clone()));
            let rows = self.read_rows().await?;
            let found = reconcile(resolved, &rows, policy)?;
            self.refuse_failed(&found)?;
            drop(steps);
            steps = self.steps(&found)?;
        }
        if !over {
            self.fire(AFTER_VERSIONED).await?;
        }
        if !self.migrated.applied.is_empty() {
            self.fire(AFTER_MIGRATE_APPLIED).await?;
        }
        Ok(())
    }

    /// One pass over what is pending. `over` tells whether the events between versions and repeatables have come.
    async fn in_order(&mut self, steps: &[Step], over: &mut bool) -> Result<Came, RunError> {
        let settings = &self.inputs.settings;
        let outside = steps.iter().any(|step| step.script.mode == Mode::Autocommit);
        if settings.group.value && !settings.skip_executing_migrations.value && !outside {
            return self.grouped(steps, over).await;
        }
        let between = self.has(AFTER_VERSIONED) || self.has(BEFORE_REPEATABLES);
        let first = steps.iter().position(Step::is_repeatable).filter(|_| between && !*over);
        let (versioned, rest) = steps.split_at(first.unwrap_or(0));
        if self.run_or_record(versioned).await? == Came::Reread {
            return Ok(Came::Reread);
        }
        if first.is_some() {
            *over = true;
            self.fire(AFTER_VERSIONED).await?;
            self.fire(BEFORE_REPEATABLES).await?;
            if std::mem::take(&mut self.stale) {
                return Ok(Came::Reread);
            }
        }
        self.run_or_record(rest).await
    }

    /// The history as far as it decides what is pending.
    async fn read_rows(&mut self) -> Result<Vec<AppliedMigration>, RunError> {
        let rows = self.database.rows().await?;
        Ok(self.as_of_now(rows))
    }

    /// Keeps the highest rank, and gives the rows without those of failures that this run goes on from.
    pub(super) fn as_of_now(&mut self, rows: Vec<AppliedMigration>) -> Vec<AppliedMigration> {
        self.last_rank = rows.last().map_or(0, |row| row.rank);
        self.without_resumable(rows)
    }

    async fn run_or_record(&mut self, steps: &[Step]) -> Result<Came, RunError> {
        match self.inputs.settings.skip_executing_migrations.value {
            true => self.recorded(steps).await,
            false => self.run(steps).await,
        }
    }

    /// Validates, with the callbacks around it, one of which may change the history.
    async fn validated(&mut self, resolved: &[Resolved<'_>], rows: &mut Vec<AppliedMigration>) -> Result<(), RunError> {
        if !self.inputs.validate_on_migrate {
            return Ok(());
        }
        let policy = &self.inputs.policy;
        let start = std::time::Instant::now();
        let judge = async |runner: &mut Self| {
            if std::mem::take(&mut runner.stale) {
                let read = runner.database.history().await?.unwrap_or_default();
                *rows = runner.as_of_now(read);
            }
            let found = reconcile(resolved, rows, policy)?;
            refuse_invalid(&found, policy)?;
            let migrations = found.entries.len();
            (runner.tell)(Event::Validated { migrations, elapsed: start.elapsed() });
            Ok(())
        };
        self.around(&events::VALIDATE, judge).await
    }

    /// Nothing runs on a history with a failed row, except a single one of a version later than any file.
    pub(super) fn refuse_failed(&self, found: &Reconciliation<'_>) -> Result<(), RunError> {
        let failed: Vec<_> = found.failed().collect();
        let Some(first) = failed.first() else { return Ok(()) };
        let future = first.state == State::FutureFailed && self.inputs.policy.ignore.contains(&IgnorePattern::FUTURE);
        if failed.len() == 1 && future {
            return Ok(());
        }
        let name = first.version().map_or_else(|| first.description().to_owned(), ToString::to_string);
        Err(RunError::FailedRow { schema: self.migrated.schema.clone(), name })
    }
}

/// What does not fit keeps a migrate from running; what is pending does not.
pub(super) fn refuse_invalid(found: &Reconciliation<'_>, policy: &Policy) -> Result<(), RunError> {
    let ignore: Vec<_> = policy.ignore.iter().copied().chain([IgnorePattern::PENDING]).collect();
    let errors = found.validate(&ignore);
    if errors.is_empty() { Ok(()) } else { Err(RunError::Invalid(errors)) }
}

pub(super) fn unresolved(errors: Vec<(&Migration, ScriptError)>) -> RunError {
    RunError::Refused(errors.into_iter().map(|(migration, error)| Refused::of(migration, &error)).collect())
}
