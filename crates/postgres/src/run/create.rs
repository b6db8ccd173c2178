//! Schemas and the history's table, created where they are missing.

use trueup_migrations::history::{AppliedKind, AppliedMigration, NewRow};
use trueup_model::name::Identifier;

use super::Event;
use super::database::{Look, SchemaFacts};
use super::events;
use super::outcome::RunError;
use super::runner::Runner;

impl Runner<'_> {
    /// Creates missing schemas and the table, all in one transaction; whether there was anything to create.
    pub(super) async fn create_missing(
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
            let rank = rows.last().map_or(0, |row| row.rank.max(self.last_rank).saturating_add(1));
            new_rows.push((rank, NewRow::schemas(missing.iter().map(|schema| schema.as_str()))));
        }
        let records = self.inputs.settings.skip_executing_migrations.value;
        let full = facts.iter().find(|schema| !schema.empty).filter(|_| !exists && !records);
        let baseline = full.is_some() && self.inputs.settings.baseline_on_migrate.value;
        if let Some(full) = full.filter(|_| !baseline) {
            return Err(RunError::NotEmpty(full.name.to_string()));
        }
        if baseline {
            new_rows.push((1, self.baseline_row()));
        }
        let missing: Vec<_> = missing.into_iter().cloned().collect();
        // Flyway makes this a baseline with all that belongs to one.
        let create = async |runner: &mut Self| runner.create(exists, &missing, &new_rows).await;
        if baseline {
            self.around(&events::BASELINE, create).await?;
        } else {
            create(self).await?;
        }
        Ok(true)
    }

    /// Creates missing schemas, and the table with a baseline in it unless it is there: baseline 1, schemas 2.
    pub(super) async fn create_baseline(&mut self, look: &Look, baseline: &NewRow) -> Result<(), RunError> {
        let missing: Vec<_> =
            look.schemas.iter().filter(|schema| !schema.exists).map(|schema| schema.name.clone()).collect();
        let may_create = self.inputs.settings.create_schemas.value && self.database.names_schemas();
        if !missing.is_empty() && !may_create {
            return Err(RunError::MissingSchemas(missing.iter().map(ToString::to_string).collect()));
        }
        let mut rows = Vec::new();
        let last_rank = look.rows.as_ref().map(|rows| rows.last().map_or(0, |row| row.rank));
        if last_rank.is_none() {
            rows.push((1, baseline.clone()));
        }
        if !missing.is_empty() {
            let rank = last_rank.unwrap_or(1).saturating_add(1);
            rows.push((rank, NewRow::schemas(missing.iter().map(Identifier::as_str))));
        }
        self.create(last_rank.is_some(), &missing, &rows).await
    }

    async fn create(
        &mut self,
        exists: bool,
        missing: &[Identifier],
        new_rows: &[(i32, NewRow)],
    ) -> Result<(), RunError> {
        let guard = &self.database.guard;
        let mut sql = String::from("BEGIN;");
        for schema in missing {
            sql.push_str(&format!("CREATE SCHEMA {};", schema.quoted()));
        }
        if exists {
            let inserts = new_rows.iter().map(|(rank, row)| guard.table.insert(*rank, row, &guard.stamp, "0", true));
            sql.extend(inserts);
        } else {
            sql.push_str(&guard.table.create(new_rows, &guard.stamp));
        }
        sql.push_str("COMMIT");
        self.execute(&sql, "the schema history cannot be created").await?;
        self.migrated.created_schemas = missing.iter().map(ToString::to_string).collect();
        let table = self.database.table().name().quoted();
        let baseline = new_rows.iter().any(|(_, row)| row.kind == AppliedKind::Baseline);
        let history = (!exists).then_some((table.as_str(), baseline));
        (self.tell)(Event::Created { schemas: &self.migrated.created_schemas, history });
        Ok(())
    }
}
