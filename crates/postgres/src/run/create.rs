//! Schemas and the history's table, created where they are missing.

use trueup_migrations::history::{AppliedKind, AppliedMigration, NewRow};
use trueup_model::name::Identifier;

use super::Event;
use super::database::{Look, SchemaFacts};
use super::events;
use super::outcome::RunError;
use super::runner::Runner;

/// What is missing, and the rows that tell of it.
#[derive(Debug)]
pub(super) struct Creation {
    /// Whether the history's table is there.
    pub(super) exists: bool,
    pub(super) missing: Vec<Identifier>,
    pub(super) rows: Vec<(i32, NewRow)>,
}

impl Creation {
    /// The rank of the first row that it writes.
    pub(super) fn first_rank(&self) -> Option<i32> {
        self.rows.iter().map(|(rank, _)| *rank).min()
    }

    /// Whether a baseline is among it.
    pub(super) fn is_baseline(&self) -> bool {
        self.rows.iter().any(|(_, row)| row.kind == AppliedKind::Baseline)
    }
}

impl Runner<'_> {
    /// Creates missing schemas and the table, all in one transaction; what of it there was to create.
    pub(super) async fn create_missing(
        &mut self,
        facts: &[SchemaFacts],
        exists: bool,
        rows: &[AppliedMigration],
    ) -> Result<Option<Creation>, RunError> {
        let Some(creation) = self.creation(facts, exists, rows)? else { return Ok(None) };
        // Flyway makes this a baseline with all that belongs to one.
        let create = async |runner: &mut Self| runner.create(&creation).await;
        if creation.is_baseline() {
            self.around(&events::BASELINE, create).await?;
        } else {
            create(self).await?;
        }
        Ok(Some(creation))
    }

    /// What a migrate has to create before anything runs.
    pub(super) fn creation(
        &self,
        facts: &[SchemaFacts],
        exists: bool,
        rows: &[AppliedMigration],
    ) -> Result<Option<Creation>, RunError> {
        let missing: Vec<_> = facts.iter().filter(|schema| !schema.exists).map(|schema| &schema.name).collect();
        let may_create = self.inputs.settings.create_schemas.value && self.database.names_schemas();
        if !missing.is_empty() && !may_create {
            return Err(RunError::MissingSchemas(missing.iter().map(ToString::to_string).collect()));
        }
        if exists && missing.is_empty() {
            return Ok(None);
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
        Ok(Some(Creation { exists, missing: missing.into_iter().cloned().collect(), rows: new_rows }))
    }

    /// Missing schemas, and the table with a baseline in it unless it is there: baseline 1, schemas 2.
    pub(super) fn creation_of_baseline(&self, look: &Look, baseline: NewRow) -> Result<Creation, RunError> {
        let missing: Vec<_> =
            look.schemas.iter().filter(|schema| !schema.exists).map(|schema| schema.name.clone()).collect();
        let may_create = self.inputs.settings.create_schemas.value && self.database.names_schemas();
        if !missing.is_empty() && !may_create {
            return Err(RunError::MissingSchemas(missing.iter().map(ToString::to_string).collect()));
        }
        let mut rows = Vec::new();
        let last_rank = look.rows.as_ref().map(|rows| rows.last().map_or(0, |row| row.rank));
        if last_rank.is_none() {
            rows.push((1, baseline));
        }
        if !missing.is_empty() {
            let rank = last_rank.unwrap_or(1).saturating_add(1);
            rows.push((rank, NewRow::schemas(missing.iter().map(Identifier::as_str))));
        }
        Ok(Creation { exists: last_rank.is_some(), missing, rows })
    }

    /// The statements that create it, transaction included.
    pub(super) fn creation_sql(&self, creation: &Creation) -> Vec<String> {
        let guard = &self.database.guard;
        let mut sql = vec![guard.begin_to_create(creation)];
        sql.extend(creation.missing.iter().map(|schema| format!("CREATE SCHEMA {};", schema.quoted())));
        if creation.exists {
            let insert = |(rank, row): &(i32, NewRow)| guard.table.insert(*rank, row, &guard.stamp, "0", true);
            sql.extend(creation.rows.iter().map(insert));
        } else {
            sql.push(guard.table.create(&creation.rows, &guard.stamp));
        }
        sql.push("COMMIT".to_owned());
        sql
    }

    pub(super) async fn create(&mut self, creation: &Creation) -> Result<(), RunError> {
        let sql = self.creation_sql(creation).concat();
        let Creation { exists, missing, .. } = creation;
        self.execute_first(&sql, "the schema history cannot be created").await?;
        self.migrated.created_schemas = missing.iter().map(ToString::to_string).collect();
        let table = self.database.table().name().quoted();
        let history = (!*exists).then_some((table.as_str(), creation.is_baseline()));
        (self.tell)(Event::Created { schemas: &self.migrated.created_schemas, history });
        Ok(())
    }
}
