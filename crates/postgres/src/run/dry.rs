//! A dry run of migrate: what would be sent, in order, as a script for psql. Nothing of it is executed.
//!
//! The script is what the runner sends, without what only makes sure that a lost connection can be told from a failure:
//! psql waits for each answer and stops at the first error. It begins with the runner's lock, and each script with the
//! check that the history is as it was foreseen, so that it does no harm beside another runner, or when it is run twice.

use trueup_migrations::history::{AppliedMigration, NewRow, reconcile, resolve};
use trueup_migrations::large::Parts;
use trueup_migrations::migration::ScriptError;
use trueup_migrations::version::Version;
use trueup_model::location::Location;

use crate::restore::{literal, set};

use super::Event;
use super::create::Creation;
use super::database::{Database, SchemaFacts, checked};
use super::dry_script::DryScript;
use super::each::Each;
use super::events::{
    self, AFTER_CONNECT, AFTER_MIGRATE_APPLIED, AFTER_VERSIONED, Around, BEFORE_CREATE_SCHEMA, BEFORE_REPEATABLES,
    CREATE_SCHEMA,
};
use super::inputs::{Command, Inputs};
use super::migrate::{refuse_invalid, unresolved};
use super::outcome::{Refused, RunError};
use super::progress::Unfinished;
use super::runner::{Runner, Step};
use super::script::{Mode, Script};
use super::stop::Stop;

/// What a migrate would send.
#[derive(Debug)]
pub struct DryRun {
    /// A script for psql.
    pub sql: String,
    /// How many migrations it applies.
    pub migrations: usize,
}

impl Database {
    /// Writes down what a migrate would send now. Reads the history without the lock, and changes nothing.
    ///
    /// # Errors
    /// All that keeps a migrate from running anything, and scripts that psql cannot be given.
    pub async fn dry_run(&mut self, inputs: &Inputs) -> Result<DryRun, RunError> {
        let facts = self.look().await?;
        let exists = facts.iter().any(|schema| schema.has_history);
        let rows = if exists { self.rows().await? } else { Vec::new() };
        if exists && facts.iter().any(|schema| schema.has_progress) {
            self.refuse_unfinished(&rows).await?;
        }
        let start = self.start_of_session(inputs).await?;
        let (mut stop, mut tell) = (Stop::never(), |_: Event<'_>| {});
        let mut runner = Runner::new(self, inputs, &mut stop, &mut tell);
        runner.last_rank = rows.last().map_or(0, |row| row.rank);
        runner.prepare_callbacks(Command::Migrate)?;
        Foreseen { runner: &runner, script: DryScript::new(&start), rank: runner.last_rank, is_ready: false }
            .all(&facts, exists, rows)
    }

    /// A script that stopped half-way goes on where the database says, which only the run itself finds out.
    async fn refuse_unfinished(&mut self, rows: &[AppliedMigration]) -> Result<(), RunError> {
        let table = self.progress();
        let all = Unfinished::all(self.session.query(&table.read()).await?)?;
        let refuse = |one: Unfinished| Refused {
            at: Location::whole(one.script.as_str()),
            message:
                "an earlier run stopped in this script, and where the next one goes on shows only when it runs: run \
                      `trueup migrate`, or `trueup repair` to begin with its first statement"
                    .to_owned(),
        };
        let refused: Vec<_> = all.into_iter().filter(|one| one.holds(rows)).map(refuse).collect();
        if refused.is_empty() { Ok(()) } else { Err(RunError::Refused(refused)) }
    }

    /// Statements that make another session what this one is, the lock included.
    async fn start_of_session(&mut self, inputs: &Inputs) -> Result<Vec<String>, RunError> {
        let question = "SELECT pg_catalog.current_setting('search_path')";
        let outcome = checked(self.session.query(question).await?, "the connection cannot be asked about itself")?;
        let path = outcome.rows.first().and_then(|row| row.first().cloned().flatten()).unwrap_or_default();
        let zone = &self.guard.stamp.time_zone;
        let mut start: Vec<String> = inputs.settings.init_sql.value.iter().cloned().collect();
        start.push(format!("SELECT {},{}", set("TimeZone", &literal(zone)), set("search_path", &literal(&path))));
        start.push(format!(
            "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.pg_try_advisory_lock({})::pg_catalog.int4",
            self.guard.table.lock_key()
        ));
        Ok(start)
    }
}

/// A migrate as it is foreseen.
struct Foreseen<'r, 'a> {
    runner: &'r Runner<'a>,
    script: DryScript,
    rank: i32,
    is_ready: bool,
}

impl Foreseen<'_, '_> {
    fn all(mut self, facts: &[SchemaFacts], exists: bool, mut rows: Vec<AppliedMigration>) -> Result<DryRun, RunError> {
        let runner = self.runner;
        let inputs = runner.inputs;
        let resolved = resolve(&inputs.set, runner.database.placeholders()).map_err(unresolved)?;
        self.fire(AFTER_CONNECT);
        if facts.iter().all(|schema| schema.exists) && inputs.validate_on_migrate {
            self.around(&events::VALIDATE, |_| {});
            refuse_invalid(&reconcile(&resolved, &rows, &inputs.policy)?, &inputs.policy)?;
        }
        runner.refuse_failed(&reconcile(&resolved, &rows, &inputs.policy)?)?;
        if inputs.settings.create_schemas.value {
            self.fire(CREATE_SCHEMA);
            self.fire(BEFORE_CREATE_SCHEMA);
        }
        if let Some(creation) = runner.creation(facts, exists, &rows)? {
            self.create(&creation);
            rows.extend(creation.rows.iter().map(|(rank, row)| as_applied(*rank, row)));
            rows.sort_by_key(|row| row.rank);
            self.rank = rows.last().map_or(0, |row| row.rank);
        }
        let steps = runner.steps(&reconcile(&resolved, &rows, &inputs.policy)?)?;
        if inputs.settings.group.value {
            runner.refuse_ungroupable(&steps)?;
        }
        if !steps.is_empty() {
            self.ready();
        }
        self.around(&events::MIGRATE, |dry| dry.pending(&steps));
        self.fire(events::MIGRATE.finish);
        let lock = runner.database.table().lock_key();
        self.script.ours(&format!("SELECT pg_catalog.pg_advisory_unlock({lock})"));
        Ok(DryRun { sql: self.script.done()?, migrations: steps.len() })
    }

    fn create(&mut self, creation: &Creation) {
        let write = |dry: &mut Self| {
            dry.script.title("missing schemas and the schema history");
            dry.runner.creation_sql(creation).iter().for_each(|sql| dry.script.ours(sql));
        };
        if creation.is_baseline() { self.around(&events::BASELINE, write) } else { write(self) }
    }

    fn around(&mut self, events: &Around, work: impl FnOnce(&mut Self)) {
        self.fire(events.before);
        work(self);
        self.fire(events.after);
    }

    /// As `pending` and `in_order` of the runner.
    fn pending(&mut self, steps: &[Step]) {
        let settings = &self.runner.inputs.settings;
        let outside = steps.iter().any(|step| step.script.mode == Mode::Autocommit);
        let records = settings.skip_executing_migrations.value;
        let repeatable = steps.iter().position(Step::is_repeatable);
        let (versioned, repeatables) = steps.split_at(repeatable.unwrap_or(steps.len()));
        if settings.group.value && !records && !outside {
            self.group(versioned, repeatables);
        } else {
            self.run(versioned);
            if repeatable.is_some() {
                self.fire(AFTER_VERSIONED);
                self.fire(BEFORE_REPEATABLES);
            }
            self.run(repeatables);
        }
        if repeatable.is_none() {
            self.fire(AFTER_VERSIONED);
        }
        if !steps.is_empty() {
            self.fire(AFTER_MIGRATE_APPLIED);
        }
    }

    fn group(&mut self, versioned: &[Step], repeatables: &[Step]) {
        if versioned.is_empty() && repeatables.is_empty() {
            return;
        }
        self.script.title("all pending migrations, in one transaction");
        self.script.ours("BEGIN");
        versioned.iter().for_each(|step| self.member(step));
        if !repeatables.is_empty() {
            self.within(AFTER_VERSIONED);
            self.within(BEFORE_REPEATABLES);
        }
        repeatables.iter().for_each(|step| self.member(step));
        self.script.ours("COMMIT");
    }

    fn member(&mut self, step: &Step) {
        self.script.title(&step.path);
        self.check(step);
        self.body(step);
        self.settle();
        self.record(step, crate::history::ELAPSED);
    }

    fn run(&mut self, steps: &[Step]) {
        if self.runner.inputs.settings.skip_executing_migrations.value {
            return self.rows_only(steps);
        }
        steps.iter().for_each(|step| self.step(step));
    }

    fn rows_only(&mut self, steps: &[Step]) {
        if steps.is_empty() {
            return;
        }
        self.script.title("rows only: skipExecutingMigrations is set");
        self.script.ours("BEGIN");
        for step in steps {
            self.check(step);
            self.record(step, "0");
        }
        self.script.ours("COMMIT");
    }

    /// A script with its row, or a callback.
    fn step(&mut self, step: &Step) {
        self.script.title(&step.path);
        let transaction = step.script.mode != Mode::Autocommit;
        if transaction {
            self.script.ours("BEGIN");
        } else {
            self.script.comment("outside of a transaction, statement by statement");
        }
        self.check(step);
        self.body(step);
        if transaction {
            self.script.ours("SET CONSTRAINTS ALL IMMEDIATE");
        } else if step.script.own_transactions {
            self.script.comment("ends what the script may have left open");
            self.script.ours("COMMIT");
        }
        self.settle();
        self.record(step, if transaction { crate::history::ELAPSED } else { "0" });
        if transaction {
            self.script.ours("COMMIT");
        }
        if step.script.afterwards.lock {
            let key = self.runner.database.table().lock_key();
            self.script.comment("the script may have given up the lock");
            self.script.ours(&format!(
                "SELECT 1 OPERATOR(pg_catalog./) pg_catalog.pg_try_advisory_lock({key})::pg_catalog.int4"
            ));
        }
    }

    /// A division by zero when the history is not what it was foreseen to be.
    fn check(&mut self, step: &Step) {
        if step.row.is_some() {
            let last_rank = self.runner.database.guard.table.last_rank();
            self.script.ours(&format!(
                "SELECT 1 OPERATOR(pg_catalog./) ({last_rank} OPERATOR(pg_catalog.=) {})::pg_catalog.int4",
                self.rank
            ));
        }
    }

    fn record(&mut self, step: &Step, milliseconds: &str) {
        if let Some(row) = &step.row {
            self.rank = self.rank.saturating_add(1);
            self.script.ours(&self.runner.insert(self.rank, row, milliseconds, true));
        }
    }

    fn body(&mut self, step: &Step) {
        if step.script.afterwards.read_history {
            self.script.comment("this script names the schema history: what it does to it is not foreseen here");
        }
        let each = self.runner.each(step);
        each.iter().for_each(|each| self.within(each.before));
        self.statements(step, each);
        each.iter().for_each(|each| self.within(each.after));
    }

    /// The callbacks of an event in whatever transaction is open.
    fn within(&mut self, event: &str) {
        for step in self.runner.callbacks.get(event).into_iter().flat_map(|steps| steps.iter()) {
            self.script.comment(&step.path);
            self.statements(step, None);
        }
    }

    /// The statements of a script, with the callbacks around each.
    fn statements(&mut self, step: &Step, each: Option<&Each>) {
        let written = step.script.parts().and_then(|parts| {
            let Some(mut parts) = parts else { return self.statements_of(&step.script, each, None) };
            while let Some(part) = parts.next_part()? {
                self.statements_of(&step.script.part(part), each, Some(&mut parts))?;
            }
            Ok(())
        });
        if let Err(error) = written {
            self.script.refuse(Refused::in_file(step.path.as_str(), &error));
        }
    }

    /// Those that are held; the data of a COPY that is not among them comes from `parts`.
    fn statements_of(
        &mut self,
        script: &Script,
        each: Option<&Each>,
        mut parts: Option<&mut Parts>,
    ) -> Result<(), ScriptError> {
        for batch in script.batches(true) {
            each.iter().for_each(|each| self.within(each.before_statement));
            self.script.statement(script, &batch, parts.as_deref_mut())?;
            each.iter().for_each(|each| self.within(each.after_statement));
        }
        Ok(())
    }

    /// The callbacks of an event, each by itself.
    fn fire(&mut self, event: &str) {
        let Some(steps) = self.runner.callbacks.get(event) else { return };
        self.ready();
        steps.iter().for_each(|step| self.step(step));
    }

    fn ready(&mut self) {
        if !std::mem::replace(&mut self.is_ready, true) {
            self.script.title("the session as every script finds it");
            let timeout = self.runner.inputs.lock_timeout;
            timeout.iter().for_each(|milliseconds| self.script.ours(&format!("SET lock_timeout={milliseconds}")));
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.script.ours(&self.runner.database.guard.settle());
    }
}

/// A row as it will be read once it is written.
pub(super) fn as_applied(rank: i32, row: &NewRow) -> AppliedMigration {
    AppliedMigration {
        rank,
        version: row.version.as_deref().and_then(Version::parse),
        description: row.description.clone(),
        kind: row.kind,
        script: row.script.clone(),
        checksum: row.checksum,
        installed_by: String::new(),
        installed_on: String::new(),
        installed_at: None,
        execution_time: 0,
        success: true,
    }
}
