//! `clean`: everything in the schemas is dropped, and schemas that the history says were created for it are too.
//!
//! All of it is one transaction, unlike Flyway's: a clean that fails has dropped nothing.

use trueup_migrations::history::{AppliedKind, AppliedMigration};
use trueup_model::name::Identifier;

use crate::restore::literal;
use crate::session::Outcome;

use super::Event;
use super::database::{Database, Look, checked};
use super::inputs::{Command, Inputs};
use super::outcome::RunError;
use super::runner::Runner;
use super::stop::Stop;

/// What a clean did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// Schemas that were emptied.
    pub emptied: Vec<String>,
    /// Schemas that were dropped: the history says that they were created for it.
    pub dropped: Vec<String>,
    /// Schemas that the settings name and the database has not.
    pub missing: Vec<String>,
    /// What was in them.
    pub objects: Vec<Dropped>,
}

/// An object that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// `table`, `materialized view`, ….
    pub kind: String,
    /// The name, qualified and quoted where it has to be.
    pub name: String,
}

/// An object, and the statement that drops it.
struct Doomed {
    object: Dropped,
    sql: String,
}

/// What a clean drops.
#[derive(Default)]
pub(super) struct ToClean {
    doomed: Vec<Doomed>,
    /// Schemas that the history says were created for it.
    created: Vec<Identifier>,
    /// Whether there is a history, which is dropped with the rest.
    pub(super) has_history: bool,
}

/// Bytes of statements in one message.
const MESSAGE: usize = 256 << 10;

/// Times that everything is looked for and dropped; what is still there then cannot be.
const PASSES: usize = 2;

impl Database {
    /// Drops everything in the schemas.
    ///
    /// # Errors
    /// `cleanDisabled` is not false, or the server refuses; then nothing was dropped.
    pub async fn clean(
        &mut self,
        inputs: &Inputs,
        stop: &mut Stop,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Cleaned, RunError> {
        if inputs.clean_disabled {
            return Err(RunError::CleanDisabled);
        }
        let look = self.locked(inputs, stop, tell).await?;
        let mut runner = Runner::new(self, inputs, stop, tell);
        runner.command(Command::Clean, async |runner| runner.clean(look).await).await
    }
}

impl Runner<'_> {
    /// What a clean finds now, for who wants to read it.
    pub(super) async fn what_to_clean(&mut self, look: &Look) -> Result<ToClean, RunError> {
        let there = look.schemas.iter().filter(|schema| schema.exists);
        let names: Vec<Identifier> = there.map(|schema| schema.name.clone()).collect();
        Ok(ToClean {
            doomed: self.doomed(&names).await?,
            created: created_schemas(look.rows.as_deref().unwrap_or_default()),
            has_history: look.rows.is_some(),
        })
    }

    async fn clean(&mut self, look: Look) -> Result<Cleaned, RunError> {
        let created = created_schemas(look.rows.as_deref().unwrap_or_default());
        let (there, missing): (Vec<_>, Vec<_>) = look.schemas.into_iter().partition(|schema| schema.exists);
        let names: Vec<Identifier> = there.into_iter().map(|schema| schema.name).collect();
        let mut cleaned = Cleaned {
            missing: missing.into_iter().map(|schema| schema.name.to_string()).collect(),
            ..Cleaned::default()
        };
        let begin = self.database.guard.begin();
        if self.is_overtaken(&begin).await? {
            return Err(RunError::Overtaken);
        }
        let work = self.drop_all(&names, &created, &mut cleaned).await;
        if work.is_err() {
            self.rewind().await?;
        }
        work?;
        checked(self.outcome_of("COMMIT").await?, NOT_CLEANED)?;
        Ok(cleaned)
    }

    async fn drop_all(
        &mut self,
        schemas: &[Identifier],
        created: &[Identifier],
        cleaned: &mut Cleaned,
    ) -> Result<(), RunError> {
        for pass in 0..=PASSES {
            let doomed = self.doomed(schemas).await?;
            if doomed.is_empty() {
                break;
            }
            if pass == PASSES {
                return Err(RunError::NotCleaned(doomed.into_iter().map(|doomed| doomed.object.name).collect()));
            }
            self.drop_each(&doomed).await?;
            cleaned.objects.extend(doomed.into_iter().map(|doomed| doomed.object));
        }
        for schema in created {
            checked(self.outcome_of(&drop_schema(schema)).await?, NOT_CLEANED)?;
            cleaned.dropped.push(schema.to_string());
        }
        let emptied = schemas.iter().filter(|schema| !created.contains(schema));
        cleaned.emptied = emptied.map(ToString::to_string).collect();
        Ok(())
    }

    async fn doomed(&mut self, schemas: &[Identifier]) -> Result<Vec<Doomed>, RunError> {
        if schemas.is_empty() {
            return Ok(Vec::new());
        }
        self.session().send_joined(&[&objects_of(schemas)], MAX_OBJECTS + 1)?;
        let outcome = checked(self.answer().await?, NOT_CLEANED)?;
        if outcome.rows.len() > MAX_OBJECTS {
            return Err(RunError::TooManyObjects(MAX_OBJECTS));
        }
        let text = |row: &[Option<String>], column: usize| row.get(column).cloned().flatten().unwrap_or_default();
        let doomed = outcome
            .rows
            .iter()
            .map(|row| Doomed { object: Dropped { kind: text(row, 0), name: text(row, 1) }, sql: text(row, 2) });
        Ok(doomed.collect())
    }

    async fn drop_each(&mut self, doomed: &[Doomed]) -> Result<(), RunError> {
        let mut message = String::new();
        for (index, doomed_one) in doomed.iter().enumerate() {
            message.push_str(&doomed_one.sql);
            message.push(';');
            if message.len() >= MESSAGE || index + 1 == doomed.len() {
                checked(self.outcome_of(&message).await?, NOT_CLEANED)?;
                message.clear();
            }
        }
        Ok(())
    }

    /// Sends a message that a run which is to end cancels.
    async fn outcome_of(&mut self, sql: &str) -> Result<Outcome, RunError> {
        self.session().send_simple(sql)?;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<Outcome, RunError> {
        let outcome = self.outcome().await?;
        if self.interrupted { Err(RunError::Interrupted) } else { Ok(outcome) }
    }
}

impl ToClean {
    /// The statements, in order.
    pub(super) fn statements(&self) -> Vec<String> {
        let objects = self.doomed.iter().map(|doomed| doomed.sql.clone());
        objects.chain(self.created.iter().map(drop_schema)).collect()
    }
}

fn drop_schema(schema: &Identifier) -> String {
    format!("DROP SCHEMA IF EXISTS {} CASCADE", schema.quoted())
}

const NOT_CLEANED: &str = "the schemas cannot be cleaned; nothing was dropped";

/// Objects that are dropped at most; a list that is cut would leave some.
const MAX_OBJECTS: usize = 200_000;

/// Schemas that rows of the type SCHEMA name, in the spelling that Flyway writes: quoted, with commas between.
fn created_schemas(rows: &[AppliedMigration]) -> Vec<Identifier> {
    let mut created = Vec::new();
    for row in rows.iter().filter(|row| row.kind == AppliedKind::Schema && row.success) {
        let inner = row.script.strip_prefix('"').and_then(|script| script.strip_suffix('"'));
        created.extend(inner.into_iter().flat_map(|inner| inner.split("\",\"")).map(Identifier::from));
    }
    created
}

/// Everything in schemas that is no part of an extension, in the order in which it is dropped: kind, name, statement.
/// What goes with its owner (a table's own sequences, types and arrays) is left out.
fn objects_of(schemas: &[Identifier]) -> String {
    let names: Vec<_> = schemas.iter().map(|schema| literal(schema.as_str())).collect();
    OBJECTS.replace("{names}", &names.join(","))
}

const OBJECTS: &str = "\
WITH s AS (SELECT oid, nspname FROM pg_catalog.pg_namespace WHERE nspname IN ({names})), \
found AS ( \
 SELECT CASE c.relkind WHEN 'm' THEN 1 WHEN 'v' THEN 2 WHEN 'S' THEN 8 ELSE 3 END AS step, c.oid, c.tableoid, \
  CASE c.relkind WHEN 'm' THEN 'materialized view' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' \
   WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind, \
  pg_catalog.format('%I.%I', s.nspname, c.relname) AS name, \
  CASE WHEN c.relkind = 'S' THEN '' ELSE ' CASCADE' END AS how \
 FROM pg_catalog.pg_class c JOIN s ON s.oid = c.relnamespace \
 WHERE c.relkind IN ('m','v','r','p','f','S') AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend d \
  JOIN pg_catalog.pg_class t ON t.oid = d.refobjid WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass \
  AND d.objid = c.oid AND d.deptype IN ('a','i') AND t.relnamespace IN (SELECT oid FROM s))) \
 UNION ALL \
 SELECT 5, p.oid, p.tableoid, CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END, \
  pg_catalog.format('%I.%I(%s)', s.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)), ' CASCADE' \
 FROM pg_catalog.pg_proc p JOIN s ON s.oid = p.pronamespace \
 UNION ALL \
 SELECT CASE t.typtype WHEN 'd' THEN 7 ELSE 4 END, t.oid, t.tableoid, CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, \
  pg_catalog.format('%I.%I', s.nspname, t.typname), CASE t.typtype WHEN 'd' THEN '' ELSE ' CASCADE' END \
 FROM pg_catalog.pg_type t JOIN s ON s.oid = t.typnamespace \
 WHERE (t.typrelid = 0 OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')) \
  AND t.typtype <> 'm' AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.typarray = t.oid) \
 UNION ALL \
 SELECT 9, c.oid, c.tableoid, 'collation', pg_catalog.format('%I.%I', s.nspname, c.collname), '' \
 FROM pg_catalog.pg_collation c JOIN s ON s.oid = c.collnamespace \
) \
SELECT kind, name, sql FROM ( \
 SELECT step, kind, name, 'DROP ' || pg_catalog.upper(kind) || ' IF EXISTS ' || name || how AS sql FROM found f \
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = f.tableoid AND d.objid = f.oid AND d.deptype = 'e') \
 UNION ALL \
 SELECT 10, 'extension', pg_catalog.quote_ident(e.extname), \
  'DROP EXTENSION IF EXISTS ' || pg_catalog.quote_ident(e.extname) || ' CASCADE' \
 FROM pg_catalog.pg_extension e JOIN s ON s.oid = e.extnamespace JOIN pg_catalog.pg_roles r ON r.oid = e.extowner \
 WHERE r.rolname = current_user \
) everything ORDER BY step, name";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_are_read_from_the_history_as_flyway_writes_them() {
        let row = |kind: &str, script: &str, success: &str| {
            let columns = ["0", "", "d", kind, script, "", "u", "2026-01-01", "0", success];
            let columns: Vec<_> =
                columns.iter().enumerate().map(|(i, text)| (!matches!(i, 1 | 5)).then(|| (*text).to_owned())).collect();
            AppliedMigration::from_texts(&columns).unwrap()
        };
        let rows =
            [row("SCHEMA", "\"app\",\"Other, one\"", "t"), row("SQL", "\"no\"", "t"), row("SCHEMA", "\"no\"", "f")];
        assert_eq!(created_schemas(&rows), [Identifier::from("app"), Identifier::from("Other, one")]);
    }
}
