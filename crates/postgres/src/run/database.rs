//! A database as a run finds it.

use trueup_migrations::history::AppliedMigration;
use trueup_migrations::placeholders::Placeholders;
use trueup_model::name::{Identifier, QualifiedName};

use crate::history::{self, HistoryTable, Stamp};
use crate::restore::{Restore, literal, search_path};
use crate::session::{Endpoint, Outcome, Session, SessionError};

use super::Event;
use super::guard::Guard;
use super::inputs::Inputs;
use super::lock::{self, Lock};
use super::outcome::RunError;
use super::pooled::{self, Pooled};
use super::progress::ProgressTable;
use super::stop::Stop;

/// A connection, and what it says about itself.
pub struct Database {
    pub(super) session: Session,
    pub(super) endpoint: Endpoint,
    pub(super) guard: Guard,
    /// The schemas of the settings, the history's among them; none when the settings name none.
    schemas: Vec<Identifier>,
    placeholders: Placeholders,
    server_version: String,
    /// Whether a script ran on this connection.
    pub(super) has_run: bool,
}

/// A schema that the settings name, or the connection's.
pub(super) struct SchemaFacts {
    pub(super) name: Identifier,
    pub(super) exists: bool,
    pub(super) empty: bool,
    pub(super) has_history: bool,
    /// Whether migrations outside of a transaction are unfinished.
    pub(super) has_progress: bool,
}

/// What a run finds.
pub(super) struct Look {
    pub(super) schemas: Vec<SchemaFacts>,
    /// The history; none without a table.
    pub(super) rows: Option<Vec<AppliedMigration>>,
}

impl Look {
    /// Whether migrations outside of a transaction are unfinished.
    pub(super) fn has_progress(&self) -> bool {
        self.schemas.iter().any(|schema| schema.has_progress)
    }
}

const NOT_KNOWN: &str = "the connection cannot be asked about itself";

/// Asked first; the columns are read in [`Database::open`].
const WHO: &str = "SELECT session_user,pg_catalog.current_setting('role'),pg_catalog.current_setting('search_path'),\
     pg_catalog.current_schema(),pg_catalog.current_setting('session_replication_role'),pg_catalog.pg_backend_pid(),\
     current_user,pg_catalog.current_database(),pg_catalog.current_setting('TimeZone'),\
     pg_catalog.current_setting('server_version'),\
     pg_catalog.to_char(pg_catalog.now(),'YYYY-MM-DD HH24:MI:SS')";

impl Database {
    /// Connects, and goes on as [`Database::on`] does.
    ///
    /// # Errors
    /// There is no connection, and those of [`Database::on`].
    pub async fn open(endpoint: &Endpoint, inputs: &Inputs) -> Result<Self, RunError> {
        Self::on(Session::connect(endpoint).await?, inputs).await
    }

    /// Runs `initSql`, and looks around; changes nothing.
    ///
    /// # Errors
    /// The lock cannot work on this connection, or it has no schema.
    pub async fn on(mut session: Session, inputs: &Inputs) -> Result<Self, RunError> {
        if let Some(sql) = &inputs.settings.init_sql.value {
            let process = checked(session.query("SELECT pg_catalog.pg_backend_pid()").await?, NOT_KNOWN)?;
            let process = process.rows.into_iter().next().and_then(|row| row.into_iter().next().flatten());
            if process.is_none_or(|process| process != session.pid().to_string()) {
                return Err(RunError::PooledInitSql);
            }
            checked(session.query(sql).await?, "initSql failed")?;
        }
        let outcome = checked(session.query(WHO).await?, NOT_KNOWN)?;
        let row = outcome.rows.first().cloned().unwrap_or_default();
        let text = |column: usize| row.get(column).cloned().flatten();
        let needed = |column: usize| {
            text(column).ok_or_else(|| SessionError::Protocol("no answer about the session's settings".to_owned()))
        };
        let through_pooler = needed(5)? != session.pid().to_string();
        if through_pooler {
            pooled::refuse_lost_parameters(&session.endpoint().options, &needed(2)?)?;
        }
        let named = inputs.settings.history_schema().map(Identifier::new);
        let schema = named.or_else(|| text(3).map(Identifier::new)).ok_or(RunError::NoSchema)?;
        let restore = Restore {
            session_user: needed(0)?,
            role: needed(1)?,
            search_path: search_path(&schema, &needed(2)?),
            replication_role: needed(4)?,
        };
        let table = HistoryTable::new(QualifiedName::new(schema.clone(), inputs.settings.table.value.as_str()))
            .in_tablespace(inputs.tablespace.as_deref().map(Identifier::from));
        let installed_by = inputs.installed_by.clone().map_or_else(|| needed(6), Ok)?;
        let pooled = through_pooler.then_some(Pooled { lock_timeout: inputs.lock_timeout, is_told: false });
        let stamp = Stamp { installed_by, time_zone: needed(8)? };
        let mut placeholders = inputs.settings.replacements();
        placeholders.set_built_in("defaultSchema", schema.as_str());
        placeholders.set_built_in("user", needed(6)?);
        placeholders.set_built_in("database", needed(7)?);
        placeholders.set_built_in("timestamp", needed(10)?);
        placeholders.set_built_in("workingDirectory", &*inputs.working_directory);
        Ok(Self {
            server_version: needed(9)?,
            guard: Guard { table, stamp, restore, pooled },
            schemas: schemas(inputs),
            endpoint: session.endpoint().clone(),
            placeholders,
            session,
            has_run: false,
        })
    }

    /// Flyway's lock, as it is held on this connection.
    pub(super) fn lock(&self) -> Lock {
        Lock { key: self.table().lock_key(), of_transaction: self.guard.pooled.is_some() }
    }

    /// The history's table.
    pub fn table(&self) -> &HistoryTable {
        &self.guard.table
    }

    /// The table of unfinished migrations.
    pub(super) fn progress(&self) -> ProgressTable {
        ProgressTable::of(self.table())
    }

    /// All placeholders of this run, a script's own name aside.
    pub fn placeholders(&self) -> &Placeholders {
        &self.placeholders
    }

    /// The database's name and the server's version, for people.
    pub fn describe(&self) -> (&str, &str) {
        (&self.endpoint.dbname, &self.server_version)
    }

    /// Times this connection waited for the server.
    pub fn round_trips(&self) -> u64 {
        self.session.counters().round_trips
    }

    /// The rows of the history; `None` without a table.
    ///
    /// # Errors
    /// The table cannot be read, or a row not understood.
    pub async fn history(&mut self) -> Result<Option<Vec<AppliedMigration>>, RunError> {
        let exists = self.look().await?.iter().any(|schema| schema.has_history);
        Ok(if exists { Some(self.rows().await?) } else { None })
    }

    /// Schemas that the settings name and the database has not.
    ///
    /// # Errors
    /// The server refuses to say.
    pub async fn missing_schemas(&mut self) -> Result<Vec<String>, RunError> {
        let facts = self.look().await?;
        Ok(facts.into_iter().filter(|schema| !schema.exists).map(|schema| schema.name.to_string()).collect())
    }

    /// Says goodbye. When something ran, the server's process takes milliseconds to end, which nobody has to wait for: only
    /// the lock is given up before, so that a run behind this one finds it free.
    pub async fn close(self) {
        if self.has_run && self.guard.pooled.is_none() {
            let unlock = format!("SELECT pg_catalog.pg_advisory_unlock({})", self.table().lock_key());
            self.session.leave_behind(&unlock).await;
        } else {
            self.session.close().await;
        }
    }

    pub(super) async fn rows(&mut self) -> Result<Vec<AppliedMigration>, RunError> {
        Ok(history::read(&mut self.session, &self.guard.table).await?)
    }

    /// Tries for the lock, and looks at schemas and history behind it, all in one wait. Without the lock, what was seen
    /// may be out of date by the time somebody gives it up.
    async fn lock_and_look(&mut self) -> Result<Option<Look>, RunError> {
        self.session.send_for_rows(&self.lock().attempt())?;
        self.session.send_for_rows(&self.question())?;
        // On a new database this fails, and nobody minds.
        history::ask(&mut self.session, &self.guard.table)?;
        let locked = lock::is_taken(self.session.next_outcome().await?)?;
        let seen = self.session_answer().await?;
        let schemas = self.facts(&seen);
        let rows = self.session.next_outcome().await?;
        if !locked {
            return Ok(None);
        }
        let has_history = schemas.iter().any(|schema| schema.has_history);
        let rows = if has_history { Some(history::answer(rows)?) } else { None };
        Ok(Some(Look { schemas: self.with_contents(schemas).await?, rows }))
    }

    /// Takes the lock, and looks at schemas and history.
    pub(super) async fn locked(
        &mut self,
        inputs: &Inputs,
        stop: &mut Stop,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Look, RunError> {
        if let Some(pooled) = self.guard.pooled.as_mut().filter(|pooled| !pooled.is_told) {
            pooled::refuse_statement_mode(&mut self.session).await?;
            pooled.is_told = true;
            tell(Event::Pooled);
        }
        if let Some(look) = self.lock_and_look().await? {
            return Ok(look);
        }
        let lock = self.lock();
        lock::take(&mut self.session, lock, inputs.lock_seconds, stop, tell).await?;
        self.look_at_all().await
    }

    /// What there is of schemas and history; only with the lock it stays so.
    pub(super) async fn look_at_all(&mut self) -> Result<Look, RunError> {
        let schemas = self.look().await?;
        let has_history = schemas.iter().any(|schema| schema.has_history);
        let rows = if has_history { Some(self.rows().await?) } else { None };
        Ok(Look { schemas, rows })
    }

    /// What there is of each schema, the history's included.
    pub(super) async fn look(&mut self) -> Result<Vec<SchemaFacts>, RunError> {
        self.session.send_for_rows(&self.question())?;
        let outcome = self.session_answer().await?;
        let facts = self.facts(&outcome);
        self.with_contents(facts).await
    }

    /// Looks closer at schemas that something depends on. Beside a history nobody asks whether they are empty, and in a
    /// new database nothing depends on them: then the server need not plan a question about five catalogs.
    async fn with_contents(&mut self, mut facts: Vec<SchemaFacts>) -> Result<Vec<SchemaFacts>, RunError> {
        let in_doubt: Vec<_> = facts.iter().filter(|schema| !schema.empty).map(|schema| &schema.name).collect();
        if in_doubt.is_empty() || facts.iter().any(|schema| schema.has_history) {
            return Ok(facts);
        }
        self.session.send_for_rows(&about_contents(&literals(in_doubt)))?;
        let outcome = self.session_answer().await?;
        for schema in &mut facts {
            schema.empty = row_of(&outcome, &schema.name).is_none();
        }
        Ok(facts)
    }

    async fn session_answer(&mut self) -> Result<Outcome, RunError> {
        checked(self.session.next_outcome().await?, "the schemas cannot be looked at")
    }

    fn looked_at(&self) -> Vec<Identifier> {
        if self.schemas.is_empty() { vec![self.guard.table.name().schema.clone()] } else { self.schemas.clone() }
    }

    fn question(&self) -> String {
        let (table, progress) = (literal(self.guard.table.name().name.as_str()), literal(self.progress().name()));
        about_schemas(&table, &progress, &literals(&self.looked_at()))
    }

    fn facts(&self, outcome: &Outcome) -> Vec<SchemaFacts> {
        let history = &self.guard.table.name().schema;
        let facts = self.looked_at().into_iter().map(|name| {
            let row = row_of(outcome, &name);
            let is =
                |column: usize| row.and_then(|row| row.get(column)).is_some_and(|text| text.as_deref() == Some("t"));
            SchemaFacts {
                exists: row.is_some(),
                empty: !is(1),
                has_history: is(2) && name == *history,
                has_progress: is(3) && name == *history,
                name,
            }
        });
        facts.collect()
    }

    /// Whether the settings name schemas, which then are created when they are missing.
    pub(super) fn names_schemas(&self) -> bool {
        !self.schemas.is_empty()
    }
}

/// Names as a list of literals.
fn literals<'n>(names: impl IntoIterator<Item = &'n Identifier>) -> String {
    names.into_iter().map(|name| literal(name.as_str())).collect::<Vec<_>>().join(",")
}

/// The row that begins with this name.
fn row_of<'o>(outcome: &'o Outcome, name: &Identifier) -> Option<&'o [Option<String>]> {
    let is_it = |row: &&Vec<Option<String>>| row.first().is_some_and(|first| first.as_deref() == Some(name.as_str()));
    outcome.rows.iter().find(is_it).map(Vec::as_slice)
}

/// The schemas among `names` that exist, each with whether anything depends on it, and whether the two tables are in it.
fn about_schemas(table: &str, progress: &str, names: &str) -> String {
    format!(
        "SELECT n.nspname,\
     EXISTS (SELECT FROM pg_catalog.pg_depend o \
       WHERE o.refclassid='pg_catalog.pg_namespace'::pg_catalog.regclass AND o.refobjid=n.oid),\
     EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace=n.oid AND c.relkind='r' AND c.relname={table}),\
     EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace=n.oid AND c.relkind='r' AND c.relname={progress}) \
     FROM pg_catalog.pg_namespace n WHERE n.nspname IN ({names})"
    )
}

/// The schemas among `names` that are not empty, as Flyway has it: no table, view, sequence, no type of its own, no function;
/// members of extensions aside. What is in a schema depends on it, which an index finds; row types and arrays depend on
/// something else.
fn about_contents(names: &str) -> String {
    format!(
        "SELECT n.nspname FROM pg_catalog.pg_namespace n WHERE n.nspname IN ({names}) AND \
     EXISTS (SELECT FROM pg_catalog.pg_depend o \
       WHERE o.refclassid='pg_catalog.pg_namespace'::pg_catalog.regclass AND o.refobjid=n.oid \
       AND CASE o.classid \
         WHEN 'pg_catalog.pg_class'::pg_catalog.regclass \
           THEN EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid=o.objid AND c.relkind IN ('r','v','S','t')) \
         WHEN 'pg_catalog.pg_type'::pg_catalog.regclass \
           THEN EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.oid=o.objid AND t.typcategory NOT IN ('A','C')) \
         ELSE o.classid='pg_catalog.pg_proc'::pg_catalog.regclass END \
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d \
         WHERE d.classid=o.classid AND d.objid=o.objid AND d.deptype='e'))"
    )
}

fn schemas(inputs: &Inputs) -> Vec<Identifier> {
    let settings = &inputs.settings;
    let mut schemas = settings.schemas.value.clone();
    if let Some(default) = &settings.default_schema.value
        && !schemas.contains(default)
    {
        schemas.insert(0, default.clone());
    }
    schemas.into_iter().map(Identifier::new).collect()
}

/// The outcome, unless the server refused.
pub(super) fn checked(outcome: Outcome, what: &'static str) -> Result<Outcome, RunError> {
    match outcome.error {
        Some(error) => Err(RunError::Server { what, error: Box::new(error) }),
        None => Ok(outcome),
    }
}
