//! The end of a run that something other than a script ended: what was applied is told all the same.

use std::time::Duration;

use trueup_migrations::history::{AppliedMigration, NewRow};
use trueup_model::location::Location;

use crate::session::SessionError;

use super::database::Database;
use super::lock;
use super::outcome::{Cause, Failure, Left, Ran, RunError};
use super::runner::{CANCEL_TIME, Runner};

impl Runner<'_> {
    /// Something other than a script ended the run after scripts had run.
    pub(super) fn stopped(&mut self, error: &RunError) {
        let file = self.current.take().unwrap_or_else(|| self.migrated.schema.clone());
        let (at, cause) = match error {
            RunError::Interrupted => (None, Cause::Interrupted),
            RunError::Refused(refused) => {
                let all: Vec<_> = refused.iter().map(|why| format!("{}: {}", why.at, why.message)).collect();
                (refused.first().map(|why| why.at.clone()), Cause::Stopped(all.join("; ")))
            }
            other => (None, Cause::Stopped(other.to_string())),
        };
        let at = at.unwrap_or_else(|| Location::whole(file));
        self.migrated.failure = Some(Failure {
            at,
            statement: None,
            starts: None,
            position: None,
            cause,
            left: Left::Perhaps,
            invalid: Vec::new(),
        });
    }

    /// The connection broke: acknowledgements are not trusted. A new session takes the lock, which the old one gives up
    /// only with its life, and reads what is there.
    pub(super) async fn lost(&mut self, error: &SessionError) {
        let file = self.current.take().unwrap_or_default();
        let found = self.read_anew().await;
        let known = match &found {
            Ok(rows) => {
                self.take_in(rows);
                "the schema history was read again: it has the migrations listed here".to_owned()
            }
            Err(why) => {
                format!("what is applied beyond the migrations listed here is not known ({why}): run `trueup info`")
            }
        };
        let cause = Cause::ConnectionLost(format!("{error}; {known}"));
        let failure = Failure {
            at: Location::whole(file),
            statement: None,
            starts: None,
            position: None,
            cause,
            left: Left::Perhaps,
            invalid: Vec::new(),
        };
        self.migrated.failure = Some(failure);
    }

    async fn read_anew(&mut self) -> Result<Vec<AppliedMigration>, RunError> {
        let mut anew = Database::open(&self.database.endpoint, self.inputs).await?;
        let lock = anew.lock();
        lock::take(&mut anew.session, lock, Some(CANCEL_TIME.as_secs()), self.stop, &mut |_| {}).await?;
        let rows = anew.rows().await?;
        anew.close().await;
        Ok(rows)
    }

    /// Rows that were written without our hearing of it are taken in; what we heard of and a server lost in a crash (as it
    /// may with `synchronous_commit = off`) is not applied.
    fn take_in(&mut self, rows: &[AppliedMigration]) {
        let is = |row: &AppliedMigration, ran: &Ran| row.script == ran.row.script && row.checksum == ran.row.checksum;
        self.migrated.applied.retain(|ran| rows.iter().any(|row| row.success && is(row, ran)));
        for row in rows.iter().filter(|row| row.rank > self.last_rank && row.success) {
            let version = row.version.as_ref().map(trueup_migrations::version::Version::text);
            let row = NewRow::new(version, &row.description, row.kind, &row.script, row.checksum);
            let path = row.script.clone();
            self.migrated.applied.push(Ran { row, path, elapsed: Duration::ZERO });
        }
    }
}
