//! A dry run: what would be sent, in order, as a script for psql. Nothing of it is executed.
//!
//! The script is what the runner sends, without what only makes sure that a lost connection can be told from a failure:
//! psql waits for each answer and stops at the first error. It begins with the runner's lock, and each script with the
//! check that the history is as it was foreseen, so that it does no harm beside another runner, or when it is run twice.

use trueup_migrations::history::AppliedMigration;
use trueup_migrations::large::Parts;
use trueup_migrations::migration::ScriptError;
use trueup_model::location::Location;

use crate::restore::{literal, set};

use super::Event;
use super::clean::ToClean;
use super::database::{Database, checked};
use super::dry_script::DryScript;
use super::each::Each;
use super::events::Around;
use super::inputs::{Command, Inputs};
use super::outcome::{Refused, RunError};
use super::progress::Unfinished;
use super::runner::{Runner, Step};
use super::script::{Mode, Script};
use super::stop::Stop;

/// What a command would send.
#[derive(Debug)]
pub struct DryRun {
    /// A script for psql.
    pub sql: String,
    /// How much it does: migrations that are applied or taken back, rows of a baseline, or statements of a repair or a clean.
    pub count: usize,
}

impl Database {
    /// Writes down what a command would send now. Reads the history without the lock, and changes nothing; so does a command
    /// that only reads, of which there is nothing to write down.
    ///
    /// # Errors
    /// All that keeps the command from running anything, and scripts that psql cannot be given.
    pub async fn dry_run(&mut self, command: Command, inputs: &Inputs) -> Result<DryRun, RunError> {
        if command == Command::Clean && inputs.clean_disabled {
            return Err(RunError::CleanDisabled);
        }
        let look = self.look_at_all().await?;
        let rows = look.rows.as_deref().unwrap_or_default();
        if command == Command::Migrate && look.rows.is_some() && look.has_progress() {
            self.refuse_unfinished(rows).await?;
        }
        let start = self.start_of_session(inputs).await?;
        let (mut stop, mut tell) = (Stop::never(), |_: Event<'_>| {});
        let mut runner = Runner::new(self, inputs, &mut stop, &mut tell);
        runner.last_rank = rows.last().map_or(0, |row| row.rank);
        runner.prepare_callbacks(command)?;
        let doomed = if command == Command::Clean { runner.what_to_clean(&look).await? } else { ToClean::default() };
        if command == Command::Repair && look.has_progress() {
            runner.see_progress(rows).await?;
        }
        let script = DryScript::new(command, &start);
        let mut dry = Foreseen { runner: &runner, script, rank: runner.last_rank, is_ready: false };
        dry.check_start(look.rows.is_some());
        match command {
            Command::Migrate => dry.migrate(look),
            Command::Undo => dry.undo(rows),
            Command::Baseline => dry.baseline(&look),
            Command::Repair => dry.repair(look.rows.as_deref()),
            Command::Clean => dry.clean(&doomed),
            Command::Info | Command::Validate => dry.done(0),
        }
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

/// A command as it is foreseen.
pub(super) struct Foreseen<'r, 'a> {
    pub(super) runner: &'r Runner<'a>,
    pub(super) script: DryScript,
    /// The highest rank of the history as far as the script has come.
    pub(super) rank: i32,
    is_ready: bool,
}

impl Foreseen<'_, '_> {
    /// The script, when nothing follows.
    pub(super) fn done(mut self, count: usize) -> Result<DryRun, RunError> {
        let lock = self.runner.database.table().lock_key();
        self.script.ours(&format!("SELECT pg_catalog.pg_advisory_unlock({lock})"));
        Ok(DryRun { sql: self.script.done()?, count })
    }

    pub(super) fn around<T>(&mut self, events: &Around, work: impl FnOnce(&mut Self) -> T) -> T {
        self.fire(events.before);
        let done = work(self);
        self.fire(events.after);
        done
    }

    /// A script with its row, or a callback.
    pub(super) fn step(&mut self, step: &Step) {
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

    pub(super) fn check(&mut self, step: &Step) {
        if step.row.is_some() {
            self.check_history();
        }
    }

    /// The same before anything else, so that not even a callback runs.
    fn check_start(&mut self, has_history: bool) {
        if has_history {
            return self.check_history();
        }
        let table = literal(&self.runner.database.table().name().quoted());
        self.script.ours(&format!(
            "SELECT 1 OPERATOR(pg_catalog./) (pg_catalog.to_regclass({table}) IS NULL)::pg_catalog.int4"
        ));
    }

    /// A division by zero when the history is not what it was foreseen to be.
    pub(super) fn check_history(&mut self) {
        let last_rank = self.runner.database.guard.table.last_rank();
        self.script.ours(&format!(
            "SELECT 1 OPERATOR(pg_catalog./) ({last_rank} OPERATOR(pg_catalog.=) {})::pg_catalog.int4",
            self.rank
        ));
    }

    pub(super) fn record(&mut self, step: &Step, milliseconds: &str) {
        if let Some(row) = &step.row {
            self.rank = self.rank.saturating_add(1);
            self.script.ours(&self.runner.insert(self.rank, row, milliseconds, true));
        }
    }

    pub(super) fn body(&mut self, step: &Step) {
        if step.script.afterwards.read_history {
            self.script.comment("this script names the schema history: what it does to it is not foreseen here");
        }
        let each = self.runner.each(step);
        each.iter().for_each(|each| self.within(each.before));
        self.statements(step, each);
        each.iter().for_each(|each| self.within(each.after));
    }

    /// The callbacks of an event in whatever transaction is open.
    pub(super) fn within(&mut self, event: &str) {
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
    pub(super) fn fire(&mut self, event: &str) {
        let Some(steps) = self.runner.callbacks.get(event) else { return };
        self.ready();
        steps.iter().for_each(|step| self.step(step));
    }

    pub(super) fn ready(&mut self) {
        if !std::mem::replace(&mut self.is_ready, true) {
            self.script.title("the session as every script finds it");
            let timeout = self.runner.inputs.lock_timeout;
            timeout.iter().for_each(|milliseconds| self.script.ours(&format!("SET lock_timeout={milliseconds}")));
            self.settle();
        }
    }

    pub(super) fn settle(&mut self) {
        self.script.ours(&self.runner.database.guard.settle());
    }
}
