//! `migrate`: validate, create what is missing, run what is pending, in Flyway's order.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use trueup_migrations::history::{
    AppliedKind, AppliedMigration, IgnorePattern, NewRow, Reconciliation, Resolved, State, reconcile, resolve,
};
use trueup_migrations::migration::{Migration, ScriptError};
use trueup_model::location::Location;

use crate::session::{Outcome, Session, SessionError, TransactionStatus};

use super::database::{Database, Look, SchemaFacts, checked};
use super::inputs::{AFTER_MIGRATE, BEFORE_MIGRATE, Inputs};
use super::outcome::{Cause, Failure, Left, Migrated, Ran, Refused, RunError};
use super::script::{Mode, Script};
use super::stop::Stop;
use super::{Event, lock};

/// Longest time to get a session that is to stop to stop, and to learn what became of a lost one.
const CANCEL_TIME: Duration = Duration::from_secs(10);

/// What scripts said is kept this often.
const NOTICES: usize = 100;

/// A script to run, and the row that it gets; callbacks get none.
pub(super) struct Step {
    pub(super) path: String,
    pub(super) row: Option<NewRow>,
    pub(super) script: Script,
}

/// What is under way.
pub(super) struct Runner<'a> {
    pub(super) database: &'a mut Database,
    inputs: &'a Inputs,
    stop: &'a mut Stop,
    tell: &'a mut (dyn FnMut(Event<'_>) + Send),
    /// Answers that a cancel brought in ahead of their turn.
    drained: VecDeque<Outcome>,
    pub(super) interrupted: bool,
    /// The highest rank in the history.
    pub(super) last_rank: i32,
    /// The file whose answer is awaited.
    pub(super) current: Option<String>,
    migrated: Migrated,
}

/// What came of a list of steps.
enum Came {
    Done,
    /// The history has to be read again before anything else.
    Reread,
    Failed(Failure),
}

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
        let schema = self.table().name().schema.to_string();
        let mut runner = Runner {
            database: self,
            inputs,
            stop,
            tell,
            drained: VecDeque::new(),
            interrupted: false,
            last_rank: 0,
            current: None,
            migrated: Migrated { schema, ..Migrated::default() },
        };
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

    /// Everything that is pending, read and cut before any of it runs.
    fn steps(&self, found: &Reconciliation<'_>) -> Result<Vec<Step>, RunError> {
        self.prepare(found.pending().map(|file| (file.migration, Some(Resolved::row(file)))))
    }

    fn callbacks(&self, events: &[&str]) -> Result<Vec<Step>, RunError> {
        let files = events.iter().flat_map(|event| self.inputs.set.callbacks_of(event));
        self.prepare(files.map(|file| (file, None)))
    }

    fn prepare<'m>(&self, files: impl Iterator<Item = (&'m Migration, Option<NewRow>)>) -> Result<Vec<Step>, RunError> {
        let (mut steps, mut refused) = (Vec::new(), Vec::new());
        for (migration, row) in files {
            match Script::prepare(migration, &self.inputs.settings, self.database.placeholders()) {
                Ok(script) => steps.push(Step { path: migration.path.to_string(), row, script }),
                Err(why) => refused.push(why),
            }
        }
        if refused.is_empty() { Ok(steps) } else { Err(RunError::Refused(refused)) }
    }

    /// Creates missing schemas and the table, all in one transaction; whether there was anything to create.
    async fn create_missing(
        &mut self,
        facts: &[SchemaFacts],
        exists: bool,
        rows: &[AppliedMigration],
    ) -> Result<bool, RunError> {
        let missing: Vec<_> = facts.iter().filter(|schema| !schema.exists).map(|schema| &schema.name).collect();
        let may_create = self.inputs.settings.create_schemas.value && self.database.names_schemas();
        if !missing.is_empty() && !may_create {
            return Err(RunError::MissingSchemas(missing.iter().map(ToString::to_string).collect()));
        }
        if exists && missing.is_empty() {
            return Ok(false);
        }
        let mut new_rows = Vec::new();
        if !missing.is_empty() {
            let rank = rows.last().map_or(0, |row| row.rank.saturating_add(1));
            new_rows.push((rank, NewRow::schemas(missing.iter().map(|schema| schema.as_str()))));
        }
        let full = facts.iter().find(|schema| !schema.empty).filter(|_| !exists);
        if let Some(full) = full {
            if !self.inputs.settings.baseline_on_migrate.value {
                return Err(RunError::NotEmpty(full.name.to_string()));
            }
            new_rows.push((1, self.baseline()));
        }
        let guard = &self.database.guard;
        let mut sql = String::from("BEGIN;");
        for schema in &missing {
            sql.push_str(&format!("CREATE SCHEMA {};", schema.quoted()));
        }
        if exists {
            let inserts = new_rows.iter().map(|(rank, row)| guard.table.insert(*rank, row, &guard.stamp, "0", true));
            sql.extend(inserts);
        } else {
            sql.push_str(&guard.table.create(&new_rows, &guard.stamp));
        }
        sql.push_str("COMMIT");
        let outcome = self.session().query(&sql).await?;
        if outcome.error.is_some() {
            self.rewind().await?;
        }
        checked(outcome, "the schema history cannot be created")?;
        self.migrated.created_schemas = missing.iter().map(ToString::to_string).collect();
        Ok(true)
    }

    fn baseline(&self) -> NewRow {
        let settings = &self.inputs.settings;
        let description = settings.baseline_description.value.as_str();
        NewRow::new(Some(&settings.baseline_version.value), description, AppliedKind::Baseline, description, None)
    }

    /// Runs scripts in order, up to the first that fails or after which the history must be read again.
    async fn run(&mut self, steps: &[Step]) -> Result<Came, RunError> {
        let mut next = 0;
        while let Some(step) = steps.get(next) {
            if self.interrupted {
                return Ok(Came::Failed(self.failure(step, (None, None), Cause::Interrupted, Left::Nothing)));
            }
            self.current = Some(step.path.clone());
            let (end, failure) = match step.script.mode {
                Mode::Ahead if step.row.is_some() => {
                    let ahead = |step: &Step| step.script.mode == Mode::Ahead && step.row.is_some();
                    let end = steps[next..].iter().position(|step| !ahead(step)).map_or(steps.len(), |end| next + end);
                    (end, self.ahead(&steps[next..end]).await?)
                }
                Mode::Ahead | Mode::Awaited => (next + 1, self.awaited(step).await?),
                Mode::Autocommit => (next + 1, self.autocommit(step).await?),
            };
            if let Some(failure) = failure {
                return Ok(Came::Failed(failure));
            }
            if step.script.afterwards.lock {
                let key = self.database.table().lock_key();
                let session = &mut self.database.session;
                lock::take(session, key, self.inputs.lock_seconds, self.stop, self.tell).await?;
            }
            if step.row.is_some() && (step.script.afterwards.lock || step.script.afterwards.read_history) {
                return Ok(Came::Reread);
            }
            next = end;
        }
        self.current = None;
        Ok(Came::Done)
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
            tokio::select! {
                biased;
                outcome = self.database.session.next_outcome() => return outcome,
                () = self.stop.asked() => self.interrupted = true,
            }
            self.drained = self.database.session.cancel(CANCEL_TIME).await?.into();
            return self.drained.pop_front().ok_or(SessionError::NothingInFlight);
        }
        self.database.session.next_outcome().await
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

    pub(super) fn note(&mut self, step: &Step, outcome: &Outcome) {
        let kept = &mut self.migrated.notices;
        let room = NOTICES.saturating_sub(kept.len());
        kept.extend(outcome.notices.iter().take(room).map(|notice| (step.path.clone(), notice.clone())));
    }

    pub(super) fn applied(&mut self, step: &Step, rank: i32, elapsed: Duration) {
        self.last_rank = rank;
        let Some(row) = step.row.clone() else { return };
        let ran = Ran { row, path: step.path.clone(), elapsed };
        (self.tell)(Event::Applied(&ran));
        self.migrated.applied.push(ran);
    }

    /// A failure at a statement and byte of a script, each when it is known.
    pub(super) fn failure(
        &self,
        step: &Step,
        (statement, offset): (Option<usize>, Option<usize>),
        cause: Cause,
        left: Left,
    ) -> Failure {
        let text = |index: usize| step.script.text()[step.script.statements[index].clone()].to_owned();
        Failure { at: step.script.locate(offset), statement: statement.map(text), cause, left }
    }

    /// Something other than a script ended the run after scripts had run.
    fn stopped(&mut self, error: &RunError) {
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
        self.migrated.failure = Some(Failure { at, statement: None, cause, left: Left::Perhaps });
    }

    /// The connection broke: acknowledgements are not trusted. A new session takes the lock, which the old one gives up
    /// only with its life, and reads what is there.
    async fn lost(&mut self, error: &SessionError) {
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
        let failure = Failure { at: Location::whole(file), statement: None, cause, left: Left::Perhaps };
        self.migrated.failure = Some(failure);
    }

    async fn read_anew(&mut self) -> Result<Vec<AppliedMigration>, RunError> {
        let mut anew = Database::open(&self.database.endpoint, self.inputs).await?;
        let key = anew.table().lock_key();
        lock::take(&mut anew.session, key, Some(CANCEL_TIME.as_secs()), self.stop, &mut |_| {}).await?;
        let rows = anew.rows().await?;
        anew.close().await;
        Ok(rows)
    }

    /// Rows that were written without our hearing of it.
    fn take_in(&mut self, rows: &[AppliedMigration]) {
        for row in rows.iter().filter(|row| row.rank > self.last_rank && row.success) {
            let version = row.version.as_ref().map(trueup_migrations::version::Version::text);
            let row = NewRow::new(version, &row.description, row.kind, &row.script, row.checksum);
            let path = row.script.clone();
            self.migrated.applied.push(Ran { row, path, elapsed: Duration::ZERO });
        }
    }
}

fn unresolved(errors: Vec<(&Migration, ScriptError)>) -> RunError {
    RunError::Refused(errors.into_iter().map(|(migration, error)| Refused::of(migration, error)).collect())
}
