//! `undo`: versions are taken back by their U scripts.
//!
//! What Flyway's paid editions record, `UNDO_SQL`, makes every command of the free one fail. A row of the type DELETE
//! says the same to both: the version is Deleted, and its file pending.

use std::sync::Arc;

use trueup_migrations::history::{AppliedMigration, NewRow, Policy, Reconciliation, Target, reconcile, resolve};
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

/// What an undo takes back.
pub(super) struct Undoing {
    /// The scripts, in the order in which they run.
    pub(super) steps: Vec<Step>,
    /// The highest version before.
    pub(super) before: Option<String>,
    /// The highest version afterwards.
    pub(super) after: Option<String>,
}

impl Database {
    /// Takes back the version that was applied last, with a target all down to it, the target included, or what was picked.
    /// What was taken back is in [`Migrated::applied`], in that order.
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

    fn undo_steps(&mut self, rows: &[AppliedMigration]) -> Result<Vec<Step>, RunError> {
        let Undoing { steps, before, after } = self.undoing(rows)?;
        (self.migrated.version_before, self.migrated.version_after) = (before, after);
        Ok(steps)
    }

    /// What is to be taken back of this history.
    pub(super) fn undoing(&self, rows: &[AppliedMigration]) -> Result<Undoing, RunError> {
        let inputs = self.inputs;
        let resolved = resolve(&inputs.set, self.database.placeholders()).map_err(unresolved)?;
        let policy = Policy { target: Target::Latest, ..inputs.policy.clone() };
        let found = reconcile(&resolved, rows, &policy)?;
        self.refuse_failed(&found)?;
        let chosen = self.chosen(&found)?;
        let kept = found.to_undo().filter(|row| chosen.iter().all(|other| other.rank != row.rank));
        let highest = kept.filter_map(|row| row.version.as_ref()).chain(found.baseline()).max();
        let text = |version: Option<&Version>| version.map(|version| version.text().to_owned());
        let undos = &inputs.set.undos;
        let script = |row: &AppliedMigration| undos.iter().find(|file| file.version == row.version);
        let missing: Vec<_> =
            chosen.iter().filter(|row| script(row).is_none()).map(|row| self.no_script(row)).collect();
        if !missing.is_empty() {
            return Err(RunError::Refused(missing));
        }
        let files = chosen.iter().filter_map(|row| Some((script(row)?, Some(NewRow::delete(row)))));
        Ok(Undoing { steps: self.prepare(files)?, before: text(found.current), after: text(highest) })
    }

    /// The rows to take back: what was picked, else the last one, or all down to the target, the last one first.
    fn chosen<'r>(&self, found: &Reconciliation<'r>) -> Result<Vec<&'r AppliedMigration>, RunError> {
        let (picks, policy) = (&self.inputs.picks, &self.inputs.policy);
        if !picks.is_empty() {
            return picks.choose_undone(found, policy.out_of_order).map_err(RunError::Picks);
        }
        let mut applied: Vec<_> = found.to_undo().collect();
        applied.reverse();
        applied.truncate(wanted(&policy.target, &applied)?);
        Ok(applied)
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
