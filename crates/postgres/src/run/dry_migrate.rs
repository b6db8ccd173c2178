//! A dry run of migrate.

use trueup_migrations::history::{AppliedMigration, NewRow, reconcile, resolve};
use trueup_migrations::version::Version;

use super::create::Creation;
use super::database::Look;
use super::dry::{DryRun, Foreseen};
use super::events::{
    self, AFTER_CONNECT, AFTER_MIGRATE_APPLIED, AFTER_VERSIONED, BEFORE_CREATE_SCHEMA, BEFORE_REPEATABLES,
    CREATE_SCHEMA,
};
use super::migrate::{refuse_invalid, unresolved};
use super::outcome::RunError;
use super::runner::Step;
use super::script::Mode;

impl Foreseen<'_, '_> {
    /// A migrate.
    pub(super) fn migrate(mut self, look: Look) -> Result<DryRun, RunError> {
        let (facts, exists) = (look.schemas, look.rows.is_some());
        let mut rows = look.rows.unwrap_or_default();
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
        if let Some(creation) = runner.creation(&facts, exists, &rows)? {
            if creation.is_baseline() {
                self.around(&events::BASELINE, |dry| dry.create(&creation));
            } else {
                self.create(&creation);
            }
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
        self.done(steps.len())
    }

    pub(super) fn create(&mut self, creation: &Creation) {
        self.script.title("missing schemas and the schema history");
        self.runner.creation_sql(creation).iter().for_each(|sql| self.script.ours(sql));
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
