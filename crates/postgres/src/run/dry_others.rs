//! Dry runs of the other commands that change something.

use trueup_migrations::history::AppliedMigration;

use super::clean::ToClean;
use super::database::Look;
use super::dry::{DryRun, Foreseen};
use super::events::{AFTER_CONNECT, BEFORE_CREATE_SCHEMA, CREATE_SCHEMA};
use super::inputs::Command;
use super::outcome::RunError;

impl Foreseen<'_, '_> {
    /// An undo.
    pub(super) fn undo(self, rows: &[AppliedMigration]) -> Result<DryRun, RunError> {
        let steps = self.runner.undoing(rows)?.steps;
        self.surrounded(Command::Undo, |dry| {
            if !steps.is_empty() {
                dry.ready();
            }
            steps.iter().for_each(|step| dry.step(step));
            Ok(steps.len())
        })
    }

    /// A baseline.
    pub(super) fn baseline(self, look: &Look) -> Result<DryRun, RunError> {
        self.surrounded(Command::Baseline, |dry| {
            let Some(creation) = dry.runner.baseline_creation(look)? else {
                dry.script.comment("the history has this baseline already");
                return Ok(0);
            };
            dry.create(&creation);
            Ok(creation.rows.len())
        })
    }

    /// A repair.
    pub(super) fn repair(self, rows: Option<&[AppliedMigration]>) -> Result<DryRun, RunError> {
        self.surrounded(Command::Repair, |dry| {
            let Some(rows) = rows else {
                dry.script.comment("there is no schema history to repair");
                return Ok(0);
            };
            let statements = dry.runner.repair_sql(&dry.runner.repairs(rows)?, rows);
            if statements.is_empty() {
                dry.script.comment("the schema history needs no repair");
            } else {
                dry.script.title("the schema history");
                dry.at_once(true, &statements);
            }
            Ok(statements.len())
        })
    }

    /// A clean. What is created meanwhile stays: only what is named here is dropped.
    pub(super) fn clean(self, found: &ToClean) -> Result<DryRun, RunError> {
        self.surrounded(Command::Clean, |dry| {
            let statements = found.statements();
            if statements.is_empty() {
                dry.script.comment("there is nothing to drop");
            } else {
                dry.script.title("everything in the schemas");
                dry.at_once(found.has_history, &statements);
            }
            Ok(statements.len())
        })
    }

    /// As `command` of the runner.
    fn surrounded(
        mut self,
        command: Command,
        work: impl FnOnce(&mut Self) -> Result<usize, RunError>,
    ) -> Result<DryRun, RunError> {
        self.fire(AFTER_CONNECT);
        if command == Command::Baseline && self.runner.inputs.settings.create_schemas.value {
            self.fire(CREATE_SCHEMA);
            self.fire(BEFORE_CREATE_SCHEMA);
        }
        let count = self.around(command.around(), work)?;
        self.fire(command.around().finish);
        self.done(count)
    }

    /// Statements of ours in one transaction, when the history is as it was foreseen.
    fn at_once(&mut self, has_history: bool, statements: &[String]) {
        self.script.ours("BEGIN");
        if has_history {
            self.check_history();
        }
        statements.iter().for_each(|sql| self.script.ours(sql));
        self.script.ours("COMMIT");
    }
}
