//! What a migrate or an undo would run now, and what of it is a hazard. Nothing is executed.

use trueup_migrations::hazards::{Found, Hazards, Table};
use trueup_migrations::history::{AppliedKind, AppliedMigration, NewRow, reconcile, resolve};
use trueup_migrations::migration::ScriptError;

use crate::session::SessionError;

use super::Event;
use super::database::{Database, SchemaFacts, checked};
use super::dry_migrate::as_applied;
use super::inputs::{Command, Inputs};
use super::migrate::{refuse_invalid, unresolved};
use super::outcome::{Refused, RunError};
use super::progress::Unfinished;
use super::runner::{Runner, Step};
use super::script::Mode;
use super::stop::Stop;

/// What a migrate or an undo would do now.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The highest applied version; none on an empty history.
    pub version_before: Option<String>,
    /// Schemas that would be created.
    pub schemas: Vec<String>,
    /// Whether the table of the history would be created.
    pub creates_history: bool,
    /// Whether the history would begin with a baseline.
    pub baseline: bool,
    /// What would run, in order.
    pub migrations: Vec<Planned>,
    /// Times the plan waited for the server, after connecting.
    pub round_trips: u64,
}

/// One migration that would run.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The file, relative to the project root.
    pub path: String,
    /// The row that it would get.
    pub row: NewRow,
    /// How many statements it has.
    pub statements: usize,
    /// Whether it runs in a transaction of its own, so that a failure leaves nothing of it.
    pub in_transaction: bool,
    /// The number of the statement, from 1, at which it would go on, when an earlier run did not finish it.
    pub goes_on_at: Option<usize>,
    /// Whether only its row would be written.
    pub only_recorded: bool,
    /// What of it is a hazard, and what is not known.
    pub found: Found,
}

/// What is read of the database for a plan.
struct Seen {
    facts: Vec<SchemaFacts>,
    /// The history; none without a table.
    rows: Option<Vec<AppliedMigration>>,
    unfinished: Vec<Unfinished>,
    tables: Vec<Table>,
}

/// Ordinary and partitioned tables, and how many rows they are believed to have.
const TABLES: &str = "SELECT n.nspname,c.relname,CASE WHEN c.reltuples OPERATOR(pg_catalog.>) 0 THEN \
     pg_catalog.floor(c.reltuples)::pg_catalog.int8 END FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n \
     ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE c.relkind IN ('r','p') AND n.nspname NOT IN \
     ('pg_catalog','information_schema','pg_toast') ORDER BY 1,2";

/// More tables than a list here holds.
const MAX_TABLES: usize = 1_000_000;

impl Database {
    /// What a migrate would run now, or an undo if that is the command. Reads the history without the lock, and changes
    /// nothing.
    ///
    /// # Errors
    /// All that keeps the command from running anything.
    pub async fn plan(&mut self, command: Command, inputs: &Inputs) -> Result<Plan, RunError> {
        let seen = self.seen().await?;
        let round_trips = self.round_trips();
        let (mut stop, mut tell) = (Stop::never(), |_: Event<'_>| {});
        let mut runner = Runner::new(self, inputs, &mut stop, &mut tell);
        let plan = if command == Command::Undo { runner.foresee_undo(seen)? } else { runner.foresee(seen)? };
        Ok(Plan { round_trips, ..plan })
    }

    async fn seen(&mut self) -> Result<Seen, RunError> {
        let facts = self.look().await?;
        let exists = facts.iter().any(|schema| schema.has_history);
        let rows = if exists { Some(self.rows().await?) } else { None };
        let mut unfinished = Vec::new();
        if let Some(rows) = rows.as_ref().filter(|_| facts.iter().any(|schema| schema.has_progress)) {
            let table = self.progress();
            unfinished = Unfinished::all(self.session.query(&table.read()).await?)?;
            unfinished.retain(|one| one.holds(rows));
        }
        self.session.send_joined(&[TABLES], MAX_TABLES)?;
        let tables = checked(self.session.next_outcome().await?, "the tables cannot be listed")?;
        if tables.rows.len() >= MAX_TABLES {
            return Err(SessionError::Protocol(format!("the database has {MAX_TABLES} tables or more")).into());
        }
        let tables = tables.rows.into_iter().map(table).collect();
        Ok(Seen { facts, rows, unfinished, tables })
    }

    /// The server's major version; 0 where it does not say one.
    fn major(&self) -> u32 {
        let digits: String = self.describe().1.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_default()
    }
}

fn table(row: Vec<Option<String>>) -> Table {
    let mut columns = row.into_iter();
    let mut next = || columns.next().flatten();
    let (schema, name) = (next().unwrap_or_default(), next().unwrap_or_default());
    Table { schema, name, rows: next().and_then(|rows| rows.parse().ok()) }
}

impl Runner<'_> {
    /// As `all` of a migrate, with everything left out that changes something.
    fn foresee(&mut self, seen: Seen) -> Result<Plan, RunError> {
        let inputs = self.inputs;
        let exists = seen.rows.is_some();
        self.progress.unfinished = seen.unfinished;
        let mut rows = self.as_of_now(seen.rows.unwrap_or_default());
        let resolved = resolve(&inputs.set, self.database.placeholders()).map_err(unresolved)?;
        let found = reconcile(&resolved, &rows, &inputs.policy)?;
        if seen.facts.iter().all(|schema| schema.exists) && inputs.validate_on_migrate {
            refuse_invalid(&found, &inputs.policy)?;
        }
        self.refuse_failed(&found)?;
        let version_before = found.current.map(|version| version.text().to_owned());
        let creation = self.creation(&seen.facts, exists, &rows)?;
        if let Some(creation) = &creation {
            rows.extend(creation.rows.iter().map(|(rank, row)| as_applied(*rank, row)));
            rows.sort_by_key(|row| row.rank);
        }
        let steps = self.steps(&reconcile(&resolved, &rows, &inputs.policy)?)?;
        if inputs.settings.group.value {
            self.refuse_ungroupable(&steps)?;
        }
        Ok(Plan {
            version_before,
            schemas: creation.iter().flat_map(|creation| &creation.missing).map(ToString::to_string).collect(),
            creates_history: creation.as_ref().is_some_and(|creation| !creation.exists),
            baseline: creation.as_ref().is_some_and(super::create::Creation::is_baseline),
            migrations: self.all_planned(steps, seen.tables)?,
            round_trips: 0,
        })
    }

    /// As `taken_back` of an undo.
    fn foresee_undo(&self, seen: Seen) -> Result<Plan, RunError> {
        let undoing = self.undoing(&seen.rows.unwrap_or_default())?;
        Ok(Plan {
            version_before: undoing.before,
            schemas: Vec::new(),
            creates_history: false,
            baseline: false,
            migrations: self.all_planned(undoing.steps, seen.tables)?,
            round_trips: 0,
        })
    }

    fn all_planned(&self, steps: Vec<Step>, tables: Vec<Table>) -> Result<Vec<Planned>, RunError> {
        let schema = self.database.table().name().schema.to_string();
        let mut hazards = Hazards::new(self.database.major(), &schema, tables);
        let (mut planned, mut refused) = (Vec::with_capacity(steps.len()), Vec::new());
        for mut step in steps {
            let Some(row) = step.row.take() else { continue };
            let path = step.path.clone();
            match self.planned(step, row, &mut hazards) {
                Ok(one) => planned.push(one),
                Err(error) => refused.push(Refused::in_file(path, &error)),
            }
        }
        if refused.is_empty() { Ok(planned) } else { Err(RunError::Refused(refused)) }
    }

    fn planned(&self, step: Step, row: NewRow, hazards: &mut Hazards) -> Result<Planned, ScriptError> {
        // An undo runs its scripts all the same.
        let only_recorded = self.inputs.settings.skip_executing_migrations.value && row.kind != AppliedKind::Delete;
        let unfinished = self.progress.unfinished.iter().find(|one| one.script == row.script);
        let first = unfinished.map_or(0, |one| one.statement);
        Ok(Planned {
            statements: step.script.count,
            in_transaction: step.script.mode != Mode::Autocommit && !step.script.own_transactions,
            goes_on_at: unfinished.map(|one| one.statement + 1),
            found: if only_recorded { Found::default() } else { step.script.hazards(first, hazards)? },
            only_recorded,
            path: step.path,
            row,
        })
    }
}
