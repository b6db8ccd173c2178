//! Schemas and the history's table, created where they are missing.

use trueup_migrations::history::{AppliedKind, AppliedMigration, NewRow};

use super::database::{SchemaFacts, checked};
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
}
