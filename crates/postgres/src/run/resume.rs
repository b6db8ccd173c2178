//! Going on where a script outside of a transaction stopped.

use trueup_migrations::history::AppliedMigration;
use trueup_migrations::migration::ScriptError;
use trueup_migrations::rerun::Nature;

use crate::restore::literal;

use super::Event;
use super::database::checked;
use super::outcome::{Refused, RunError};
use super::progress::{Unfinished, indexes_left};
use super::runner::{Runner, Step};
use super::walk::Walk;

impl Runner<'_> {
    /// Takes in what earlier runs left unfinished, and forgets what does not hold any more.
    pub(super) async fn take_in_progress(&mut self, rows: &[AppliedMigration]) -> Result<(), RunError> {
        let stale = self.see_progress(rows).await?;
        for (index, one) in stale.iter().enumerate() {
            let last = self.progress.unfinished.is_empty() && index + 1 == stale.len();
            self.forget(&one.script, last).await?;
        }
        Ok(())
    }

    /// Takes in what earlier runs left unfinished; gives what does not hold any more.
    pub(super) async fn see_progress(&mut self, rows: &[AppliedMigration]) -> Result<Vec<Unfinished>, RunError> {
        let table = self.database.progress();
        let all = Unfinished::all(self.ours(&table.read()).await?)?;
        let (holds, stale) = all.into_iter().partition(|one| one.holds(rows));
        self.progress.exists = true;
        self.progress.unfinished = holds;
        Ok(stale)
    }

    async fn forget(&mut self, script: &str, last: bool) -> Result<(), RunError> {
        let sql = self.database.progress().forget(script, last);
        checked(self.ours(&sql).await?, "the progress of a migration cannot be forgotten")?;
        self.progress.exists = !last;
        Ok(())
    }

    /// The history without the rows of failures that this run goes on from; their files are pending again.
    pub(super) fn without_resumable(&self, mut rows: Vec<AppliedMigration>) -> Vec<AppliedMigration> {
        let here = |script: &str| self.inputs.set.in_order().any(|migration| migration.script == script);
        let unfinished = &self.progress.unfinished;
        let resumable = |row: &AppliedMigration| {
            let noted = |one: &Unfinished| one.failed_rank == Some(row.rank) && one.script == row.script;
            !row.success && here(&row.script) && unfinished.iter().any(noted)
        };
        rows.retain(|row| !resumable(row));
        rows
    }

    /// Goes to where to begin with a script: its first statement, unless an earlier run got further. Gives the note of that one.
    ///
    /// # Errors
    /// It is not known how far that one got, or the file does not begin any more with what it ran.
    pub(super) async fn start(&mut self, step: &Step, walk: &mut Walk<'_>) -> Result<Option<Unfinished>, RunError> {
        let own = |one: &&Unfinished| step.row.as_ref().is_some_and(|row| row.script == one.script);
        let Some(unfinished) = self.progress.unfinished.iter().find(own).cloned() else { return Ok(None) };
        let unreadable = |error: ScriptError| RunError::Refused(vec![Refused::in_file(step.path.as_str(), &error)]);
        let mut session = Vec::new();
        while walk.at() < unfinished.statement && walk.batch().is_some() {
            if walk.nature() == Some(Nature::Session) {
                session.extend(walk.sql().map(str::to_owned));
            }
            walk.advance().map_err(unreadable)?;
        }
        if walk.at() < unfinished.statement || walk.before() != unfinished.before {
            return Err(cannot(walk, unfinished.statement, CHANGED_BEFORE));
        }
        if unfinished.started && walk.digest() != unfinished.text {
            return Err(cannot(walk, unfinished.statement, CHANGED));
        }
        // What the statements before said about the session is said again.
        for sql in session {
            checked(self.ours(&sql).await?, "a setting of a script that is gone on with cannot be set again")?;
        }
        if let Some(nature) = walk.nature()
            && self.has_run(walk, &nature, &unfinished).await?
        {
            walk.advance().map_err(unreadable)?;
        }
        Ok(Some(unfinished))
    }

    /// Looks whether the statement that comes ran, and removes what it left half-done.
    async fn has_run(&mut self, walk: &Walk<'_>, nature: &Nature, unfinished: &Unfinished) -> Result<bool, RunError> {
        let known = &unfinished.objects;
        match nature {
            Nature::CreateIndex { .. } | Nature::Reindex => {
                let left = self.indexes_left(nature, known).await?;
                for (name, _) in left.iter().filter(|(_, valid)| !valid) {
                    self.drop_index(name, &mut 0).await?;
                }
                let built = unfinished.started && matches!(nature, Nature::CreateIndex { .. });
                Ok(built && left.iter().any(|(_, valid)| *valid))
            }
            Nature::DropIndex(index) if unfinished.started && !known.is_empty() => {
                let sql = format!("SELECT pg_catalog.to_regclass({}) IS NULL", literal(index));
                self.is_true(&sql).await
            }
            Nature::Detach { table, partition } if !known.is_empty() => self.finish_detaching(table, partition).await,
            Nature::Control | Nature::Chain | Nature::Opaque | Nature::AllOrNothing if unfinished.started => {
                Err(cannot(walk, walk.at(), UNKNOWN))
            }
            _ => Ok(false),
        }
    }

    pub(super) async fn drop_index(&mut self, name: &str, tries: &mut u32) -> Result<(), RunError> {
        let sql = format!("DROP INDEX CONCURRENTLY IF EXISTS {name}");
        checked(self.patiently(&sql, tries).await?, "the invalid index of an earlier try cannot be dropped")?;
        self.emit(Event::Dropped { index: name });
        Ok(())
    }

    async fn finish_detaching(&mut self, table: &str, partition: &str) -> Result<bool, RunError> {
        let row = format!(
            "FROM pg_catalog.pg_inherits i WHERE i.inhrelid=pg_catalog.to_regclass({}) \
             AND i.inhparent=pg_catalog.to_regclass({})",
            literal(partition),
            literal(table)
        );
        if self.is_true(&format!("SELECT NOT EXISTS (SELECT {row})")).await? {
            return Ok(true);
        }
        if self.is_true(&format!("SELECT EXISTS (SELECT {row} AND i.inhdetachpending)")).await? {
            let sql = format!("ALTER TABLE {table} DETACH PARTITION {partition} FINALIZE");
            checked(
                self.patiently(&sql, &mut 0).await?,
                "the partition that an earlier run began to detach cannot be detached",
            )?;
            return Ok(true);
        }
        Ok(false)
    }

    async fn is_true(&mut self, sql: &str) -> Result<bool, RunError> {
        let outcome = checked(self.ours(sql).await?, LOOK)?;
        Ok(outcome.rows.first().and_then(|row| row.first()?.as_deref()) == Some("t"))
    }

    /// Indexes that a statement left: names to be put into SQL, and whether each is valid.
    pub(super) async fn indexes_left(
        &mut self,
        nature: &Nature,
        known: &[String],
    ) -> Result<Vec<(String, bool)>, RunError> {
        let Some(sql) = indexes_left(nature, known) else { return Ok(Vec::new()) };
        let outcome = checked(self.ours(&sql).await?, LOOK)?;
        let read = |row: Vec<Option<String>>| {
            let mut row = row.into_iter();
            Some((row.next()??, row.next()?? == "t"))
        };
        Ok(outcome.rows.into_iter().filter_map(read).collect())
    }
}

const CHANGED_BEFORE: &str = "statements before it, which ran, are not in the file any more as they were";
const CHANGED: &str = "whether it ran is not known, and the file has something else in its place now";
const UNKNOWN: &str = "whether it ran is not known, nothing in the database tells, and running it twice may be wrong";

/// Why a script is not gone on with.
fn cannot(walk: &Walk<'_>, at: usize, why: &str) -> RunError {
    RunError::NotResumed(Refused {
        at: walk.locate(),
        message: format!("an earlier run ended at this statement, number {} of the file; {why}", at + 1),
    })
}

const LOOK: &str = "what an earlier run did cannot be looked at";
