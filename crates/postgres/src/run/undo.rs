//! `undo`: versions are taken back by their U scripts.
//!
//! What Flyway's paid editions record, `UNDO_SQL`, makes every command of the free one fail. A row of the type DELETE
//! says the same to both: the version is Deleted, and its file pending.

use std::sync::Arc;

use trueup_migrations::history::{AppliedMigration, NewRow, Policy, Target, reconcile, resolve};
use trueup_migrations::migration::Migration;
use trueup_migrations::version::Version;
use trueup_model::location::Location;

use super::Event;
use super::database::{Database, Look};
use super::events;
use super::inputs::{Command, Inputs};
use super::migrate::unresolved;
use super::outcome::{Migrated, Refused, RunError};
use super::runner::{Came, Runner, Step};
use super::stop::Stop;

impl Database {
    /// Takes back the version that was applied last, or with a target all down to it, the target included. What was
    /// taken back is in [`Migrated::applied`], the last one first.
    ///
    /// # Errors
    /// A version has no U script, or something keeps it from running anything, apart from a failing script.
    pub async fn undo(
        &mut self,
        inputs: &Inputs,
        stop: &mut Stop,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Migrated, RunError> {
        let look = self.locked(inputs, stop, tell).await?;
        let mut runner = Runner::new(self, inputs, stop, tell);
        let came = runner.taken_back(look).await;
        let mut migrated = runner.ended(came).await?;
        migrated.round_trips = self.round_trips();
        Ok(migrated)
    }
}

impl Runner<'_> {
    async fn taken_back(&mut self, look: Look) -> Result<(), RunError> {
        let rows = look.rows.unwrap_or_default();
        self.prepare_callbacks(Command::Undo)?;
        let steps = self.undo_steps(&rows)?;
        self.fire(events::AFTER_CONNECT).await?;
        self.around(&events::UNDO, async |runner| runner.undo_each(rows, steps).await).await?;
        self.current = None;
        self.finish(&events::UNDO).await
    }

    async fn undo_each(&mut self, mut rows: Vec<AppliedMigration>, mut steps: Vec<Step>) -> Result<(), RunError> {
        if std::mem::take(&mut self.stale) {
            rows = self.database.history().await?.unwrap_or_default();
            steps = self.undo_steps(&rows)?;
        }
        self.last_rank = rows.last().map_or(0, |row| row.rank);
        if !steps.is_empty() {
            self.ready().await?;
        }
        self.plan(&steps);
        let mut rest = steps.as_slice();
        // The list stands, whatever a script does to the history; only ranks are read again.
        while !rest.is_empty() {
            let before = self.migrated.applied.len();
            let came = self.run(rest).await?;
            rest = &rest[self.migrated.applied.len() - before..];
            if came == Came::Done {
                break;
            }
            self.last_rank = self.database.rows().await?.last().map_or(0, |row| row.rank);
        }
        Ok(())
    }

    /// The scripts to run, the version that was applied last first.
    fn undo_steps(&mut self, rows: &[AppliedMigration]) -> Result<Vec<Step>, RunError> {
        let inputs = self.inputs;
        let resolved = resolve(&inputs.set, self.database.placeholders()).map_err(unresolved)?;
        let policy = Policy { target: Target::Latest, ..inputs.policy.clone() };
        let found = reconcile(&resolved, rows, &policy)?;
        self.refuse_failed(&found)?;
        self.migrated.version_before = found.current.map(|version| version.text().to_owned());
        let mut applied: Vec<_> = found.to_undo().collect();
        applied.reverse();
        let to = wanted(&inputs.policy.target, &applied)?;
        let (chosen, kept) = applied.split_at(to);
        let mut versions: Vec<_> = kept.iter().filter_map(|row| row.version.as_ref()).collect();
        versions.extend(found.baseline());
        self.migrated.version_after = versions.into_iter().max().map(|version| version.text().to_owned());
        let undos = &inputs.set.undos;
        let script = |row: &AppliedMigration| undos.iter().find(|file| file.version == row.version);
        let missing: Vec<_> =
            chosen.iter().filter(|row| script(row).is_none()).map(|row| self.no_script(row)).collect();
        if !missing.is_empty() {
            return Err(RunError::Refused(missing));
        }
        self.prepare(chosen.iter().filter_map(|row| Some((script(row)?, Some(NewRow::delete(row))))))
    }

    fn no_script(&self, row: &AppliedMigration) -> Refused {
        let version = row.version.as_ref().map(Version::text).unwrap_or_default();
        let file = self.inputs.set.versioned.iter().find(|file| file.version == row.version);
        let path = file.map_or_else(|| Arc::from(row.script.as_str()), |file: &Migration| Arc::clone(&file.path));
        let naming = self.inputs.settings.naming();
        let name = path.rsplit('/').next().unwrap_or_default();
        let own = name.strip_prefix(naming.versioned.as_str()).unwrap_or(name);
        Refused {
            at: Location::whole(Arc::clone(&path)),
            message: format!(
                "version {version} cannot be undone, as there is no script for it: write {}{own}, with SQL that takes \
                 back what this file does, into the same folder",
                naming.undo
            ),
        }
    }
}

/// How many of the applied rows, the last one first, are to be undone.
fn wanted(target: &Target, applied: &[&AppliedMigration]) -> Result<usize, RunError> {
    let Target::Version { version, required } = target else { return Ok(applied.len().min(1)) };
    let there = applied.iter().any(|row| row.version.as_ref() == Some(version));
    if *required && !there {
        return Err(RunError::NotApplied(version.to_string()));
    }
    Ok(applied.iter().take_while(|row| row.version.as_ref() >= Some(version)).count())
}
