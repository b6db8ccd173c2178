//! `baseline`: a history for a database that has something in it, with everything up to a version counted as applied.

use trueup_migrations::history::{AppliedKind, AppliedMigration, NewRow};
use trueup_migrations::version::Version;

use super::Event;
use super::create::Creation;
use super::database::{Database, Look};
use super::inputs::{Command, Inputs};
use super::outcome::RunError;
use super::runner::Runner;
use super::stop::Stop;

/// What a baseline did.
#[derive(Clone, Debug)]
pub struct Baselined {
    /// The version, as it was written.
    pub version: String,
    /// The description.
    pub description: String,
    /// Whether the history had this baseline already.
    pub already: bool,
    /// Schemas that were created.
    pub created_schemas: Vec<String>,
}

impl Database {
    /// Starts a history with a baseline.
    ///
    /// # Errors
    /// The history has migrations, or another baseline; or the server refuses.
    pub async fn baseline(
        &mut self,
        inputs: &Inputs,
        stop: &mut Stop,
        tell: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Baselined, RunError> {
        let look = self.locked(inputs, stop, tell).await?;
        let mut runner = Runner::new(self, inputs, stop, tell);
        runner.command(Command::Baseline, async |runner| runner.baseline(look).await).await
    }
}

impl Runner<'_> {
    async fn baseline(&mut self, look: Look) -> Result<Baselined, RunError> {
        if let Some(creation) = self.baseline_creation(&look)? {
            self.create(&creation).await?;
        }
        Ok(self.baselined(self.baseline_row(), look.rows.is_some()))
    }

    /// What a baseline has to create; nothing where the history has it already.
    ///
    /// # Errors
    /// The history has migrations, or another baseline; or schemas are missing that nobody may create.
    pub(super) fn baseline_creation(&self, look: &Look) -> Result<Option<Creation>, RunError> {
        let row = self.baseline_row();
        if let Some(rows) = &look.rows {
            self.judge_baseline(&row, rows)?;
            if look.schemas.iter().all(|schema| schema.exists) {
                return Ok(None);
            }
        }
        self.creation_of_baseline(look, row).map(Some)
    }

    fn baselined(&self, row: NewRow, already: bool) -> Baselined {
        Baselined {
            version: row.version.unwrap_or_default(),
            description: row.description,
            already,
            created_schemas: self.migrated.created_schemas.clone(),
        }
    }

    /// Refuses a history that has anything but this baseline.
    fn judge_baseline(&self, row: &NewRow, rows: &[AppliedMigration]) -> Result<(), RunError> {
        let table = self.database.table().name().quoted();
        let wanted = row.version.as_deref().and_then(Version::parse);
        let named = |version: &str, description: &str| format!("({version},{description})");
        let version = row.version.as_deref().unwrap_or_default();
        let refuse =
            |why: String| Err(RunError::NoBaseline(format!("Unable to baseline schema history table {table} {why}")));
        let marker = rows.iter().rev().find(|row| row.kind == AppliedKind::Baseline && row.success);
        if let Some(marker) = marker {
            if marker.version == wanted && marker.description == row.description {
                return Ok(());
            }
            let there = marker.version.as_ref().map(Version::text).unwrap_or_default();
            let (ours, theirs) = (named(version, &row.description), named(there, &marker.description));
            return refuse(format!("with {ours} as it has already been baselined with {theirs}"));
        }
        let made_schemas = rows.iter().any(|row| row.kind == AppliedKind::Schema);
        if made_schemas && wanted == Version::parse("0") {
            return refuse("with version 0 as this version was used for schema creation".to_owned());
        }
        if rows.iter().any(|row| !row.kind.is_synthetic()) {
            return refuse("as it already contains migrations".to_owned());
        }
        if rows.is_empty() {
            return refuse(
                "as it already exists, and is empty.\nDelete the schema history table, and run baseline again."
                    .to_owned(),
            );
        }
        refuse(
            "as it already contains migrations.\nDelete the schema history table, and run baseline again.".to_owned(),
        )
    }

    /// The row that `baseline` and `baselineOnMigrate` write.
    pub(super) fn baseline_row(&self) -> NewRow {
        let settings = &self.inputs.settings;
        let description = settings.baseline_description.value.as_str();
        NewRow::new(Some(&settings.baseline_version.value), description, AppliedKind::Baseline, description, None)
    }
}
