//! `repair`: failed rows go, rows without a file are declared to be gone, the others follow their files.

use std::fmt::Write as _;

use trueup_migrations::history::{NewRow, Repair, repair, resolve};

use crate::restore::literal;

use super::Event;
use super::database::Database;
use super::inputs::{Command, Inputs};
use super::migrate::unresolved;
use super::outcome::RunError;
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
        let resolved = resolve(&self.inputs.set, self.database.placeholders()).map_err(unresolved)?;
        let repair = repair(&resolved, &rows, &self.inputs.policy.ignore)?;
        if repair.is_empty() && !self.progress.exists {
            return Ok(Some(repair));
        }
        let last_rank = rows.iter().filter(|row| row.success).map(|row| row.rank).max().unwrap_or_default();
        let sql = self.statements_of(&repair, rows.last().map_or(0, |row| row.rank), last_rank);
        self.execute(&sql, "the schema history cannot be repaired; nothing was changed").await?;
        for one in std::mem::take(&mut self.progress.unfinished) {
            self.emit(Event::Forgotten { script: &one.script });
        }
        Ok(Some(repair))
    }

    /// `ends` is the highest rank, `last_rank` that of the last success.
    fn statements_of(&self, repair: &Repair, ends: i32, last_rank: i32) -> String {
        let guard = &self.database.guard;
        let table = guard.table.name().quoted();
        let mut sql = guard.begin_behind(ends);
        for row in &repair.removed {
            // Writing to a String does not fail.
            let _ = write!(sql, "DELETE FROM {table} WHERE \"installed_rank\"={};", row.rank);
        }
        for (index, row) in repair.deleted.iter().enumerate() {
            let rank = last_rank.saturating_add(i32::try_from(index + 1).unwrap_or(i32::MAX));
            sql.push_str(&guard.table.insert(rank, &NewRow::delete(row), &guard.stamp, "0", true));
        }
        for (row, now) in &repair.aligned {
            let checksum = now.checksum.map_or("NULL".to_owned(), |sum| format!("({sum})"));
            let _ = write!(
                sql,
                "UPDATE {table} SET \"description\"={},\"type\"='{}',\"checksum\"={checksum} \
                 WHERE \"installed_rank\"={};",
                literal(&now.description),
                now.kind.as_str(),
                row.rank
            );
        }
        if self.progress.exists {
            sql.push_str(&self.database.progress().drop());
        }
        sql.push_str("COMMIT");
        sql
    }
}
