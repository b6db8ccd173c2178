//! `migrate`: validate, create what is missing, run what is pending, in Flyway's order.

use std::collections::BTreeSet;

use trueup_migrations::history::{IgnorePattern, Reconciliation, State, reconcile, resolve};
use trueup_migrations::migration::{Migration, ScriptError};

use super::database::{Database, Look, checked};
use super::inputs::{AFTER_MIGRATE, BEFORE_MIGRATE, Inputs};
use super::outcome::{Failure, Migrated, Refused, RunError};
use super::runner::{Came, Runner, Step};
use super::stop::Stop;
use super::{Event, lock};

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
        let key = self.table().lock_key();
        let look = match self.lock_and_look().await? {
            Some(look) => look,
            None => {
                lock::take(&mut self.session, key, inputs.lock_seconds, stop, tell).await?;
                self.look_locked().await?
            }
        };
        let mut runner = Runner::new(self, inputs, stop, tell);
        match runner.all(look).await {
            Ok(failure) => runner.migrated.failure = failure,
            Err(RunError::Session(error)) if runner.current.is_some() => runner.lost(&error).await,
            // What was applied must be told, whatever came after it.
            Err(error) if !runner.migrated.applied.is_empty() => runner.stopped(&error),
            Err(error) => return Err(error),
        }
        let mut migrated = runner.migrated;
        migrated.round_trips = self.round_trips();
        Ok(migrated)
    }
}

impl Runner<'_> {
    async fn all(&mut self, look: Look) -> Result<Option<Failure>, RunError> {
        let exists = look.rows.is_some();
        let (facts, mut rows) = (look.schemas, look.rows.unwrap_or_default());
        let inputs = self.inputs;
        let resolved = resolve(&inputs.set, self.database.placeholders()).map_err(unresolved)?;
        let found = reconcile(&resolved, &rows, &inputs.policy)?;
        self.refuse(&found)?;
        self.migrated.version_before = found.current.map(|version| version.text().to_owned());
        let before = self.callbacks(&[BEFORE_MIGRATE])?;
        let after = self.callbacks(&AFTER_MIGRATE)?;
        let mut steps = self.steps(&found)?;
        if self.create_missing(&facts, exists, &rows).await? {
            rows = self.database.rows().await?;
            steps = self.steps(&reconcile(&resolved, &rows, &inputs.policy)?)?;
        }
        if !steps.is_empty() || !before.is_empty() || !after.is_empty() {
            let settle = self.database.guard.settle();
            checked(self.session().query(&settle).await?, "the session cannot be prepared")?;
        }
        if let Came::Failed(failure) = self.run(&before).await? {
            return Ok(Some(failure));
        }
        if before.iter().any(|step| step.script.afterwards.read_history) {
            rows = self.database.rows().await?;
            steps = self.steps(&reconcile(&resolved, &rows, &inputs.policy)?)?;
        }
        let mut seen = BTreeSet::new();
        loop {
            self.last_rank = rows.last().map_or(0, |row| row.rank);
            if let Some(again) = steps.iter().find(|step| seen.contains(&step.path)) {
                return Err(RunError::Again(again.path.clone()));
            }
            let start = self.migrated.applied.len();
            match self.run(&steps).await? {
                Came::Failed(failure) => return Ok(Some(failure)),
                Came::Done => break,
                Came::Reread => {
                    seen.extend(self.migrated.applied[start..].iter().map(|ran| ran.path.clone()));
                    rows = self.database.rows().await?;
                    let found = reconcile(&resolved, &rows, &inputs.policy)?;
                    self.refuse_failed(&found)?;
                    steps = self.steps(&found)?;
                }
            }
        }
        self.afterwards(&after).await
    }

    /// `afterMigrateApplied` when something was applied, then `afterMigrate`.
    async fn afterwards(&mut self, after: &[Step]) -> Result<Option<Failure>, RunError> {
        let applied = self.inputs.set.callbacks_of(AFTER_MIGRATE[0]).len();
        let after = if self.migrated.applied.is_empty() { &after[applied..] } else { after };
        Ok(match self.run(after).await? {
            Came::Failed(failure) => Some(failure),
            Came::Done | Came::Reread => None,
        })
    }

    fn refuse(&self, found: &Reconciliation<'_>) -> Result<(), RunError> {
        if self.inputs.validate_on_migrate {
            let mut ignore = self.inputs.policy.ignore.clone();
            ignore.push(IgnorePattern::PENDING);
            let errors = found.validate(&ignore);
            if !errors.is_empty() {
                return Err(RunError::Invalid(errors));
            }
        }
        self.refuse_failed(found)
    }

    /// Nothing runs on a history with a failed row, except a single one of a version later than any file.
    fn refuse_failed(&self, found: &Reconciliation<'_>) -> Result<(), RunError> {
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

fn unresolved(errors: Vec<(&Migration, ScriptError)>) -> RunError {
    RunError::Refused(errors.into_iter().map(|(migration, error)| Refused::of(migration, error)).collect())
}
