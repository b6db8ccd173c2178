//! `repair`: failed rows go, rows without a file are declared to be gone, the others follow their files.

use trueup_migrations::history::{AppliedMigration, NewRow, Repair, repair, resolve};

use crate::restore::literal;

use super::Event;
use super::database::Database;
use super::inputs::{Command, Inputs};
use super::migrate::unresolved;
use super::outcome::RunError;
use super::progress::Unfinished;
use super::runner::Runner;
use super::stop::Stop;

impl Database {
    /// Repairs the history, all in one transaction; `None` without one.
    ///
    /// # Errors
    /// The server refuses; then nothing was changed.
    pub async fn repair(
        &mut self,
        inputs: &Inputs,
        stop: &mut Stop,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Option<Repair>, RunError> {
        let look = self.locked(inputs, stop, tell).await?;
        let mut runner = Runner::new(self, inputs, stop, tell);
        if look.has_progress() {
            runner.take_in_progress(&look.rows.unwrap_or_default()).await?;
        }
        runner.command(Command::Repair, async |runner| runner.repair().await).await
    }
}

impl Runner<'_> {
    async fn repair(&mut self) -> Result<Option<Repair>, RunError> {
        // Read behind the callbacks, which may have written to it.
        let Some(rows) = self.database.history().await? else { return Ok(None) };
        let repair = self.repairs(&rows)?;
        let statements = self.repair_sql(&repair, &rows);
        if statements.is_empty() {
            return Ok(Some(repair));
        }
        let begin = self.database.guard.begin_behind(rows.last().map_or(0, |row| row.rank));
        let sql = format!("{begin}{}COMMIT", statements.concat());
        self.execute(&sql, "the schema history cannot be repaired; nothing was changed").await?;
        for one in self.forgotten() {
            self.emit(Event::Forgotten { script: &one.script });
        }
        Ok(Some(repair))
    }

    /// What a history needs, as far as it was picked.
    pub(super) fn repairs(&self, rows: &[AppliedMigration]) -> Result<Repair, RunError> {
        let resolved = resolve(&self.inputs.set, self.database.placeholders()).map_err(unresolved)?;
        let repair = repair(&resolved, rows, &self.inputs.policy.ignore)?;
        self.inputs.picks.choose_repaired(repair, rows, &resolved).map_err(RunError::Picks)
    }

    /// The statements of a repair, each with its `;`; none when there is nothing to do.
    pub(super) fn repair_sql(&self, repair: &Repair, rows: &[AppliedMigration]) -> Vec<String> {
        let guard = &self.database.guard;
        let table = guard.table.name().quoted();
        // Ranks of rows that go are free again.
        let goes = |row: &&AppliedMigration| repair.removed.iter().any(|removed| removed.rank == row.rank);
        let last_rank = rows.iter().rfind(|row| !goes(row)).map_or(0, |row| row.rank);
        let remove = |row: &AppliedMigration| format!("DELETE FROM {table} WHERE \"installed_rank\"={};", row.rank);
        let mut sql: Vec<_> = repair.removed.iter().map(remove).collect();
        sql.extend(repair.deleted.iter().zip(1..).map(|(row, more)| {
            let rank = last_rank.saturating_add(more);
            guard.table.insert(rank, &NewRow::delete(row), &guard.stamp, "0", true)
        }));
        sql.extend(repair.aligned.iter().map(|(row, now)| {
            let checksum = now.checksum.map_or("NULL".to_owned(), |sum| format!("({sum})"));
            format!(
                "UPDATE {table} SET \"description\"={},\"type\"='{}',\"checksum\"={checksum} \
                 WHERE \"installed_rank\"={};",
                literal(&now.description),
                now.kind.as_str(),
                row.rank
            )
        }));
        sql.extend(self.forgetting());
        sql
    }

    /// Statements that forget how far scripts got which then begin anew: with the last one the table goes.
    fn forgetting(&self) -> Vec<String> {
        let (progress, forgotten) = (self.database.progress(), self.forgotten());
        if self.progress.exists && forgotten.len() == self.progress.unfinished.len() {
            return vec![progress.drop()];
        }
        forgotten.iter().map(|one| progress.forget(&one.script, false)).collect()
    }

    /// The unfinished scripts that are picked.
    fn forgotten(&self) -> Vec<Unfinished> {
        let (set, picks) = (&self.inputs.set, &self.inputs.picks);
        let picked = |one: &&Unfinished| {
            picks.is_empty() || set.in_order().any(|file| file.script == one.script && picks.has(file))
        };
        self.progress.unfinished.iter().filter(picked).cloned().collect()
    }
}
