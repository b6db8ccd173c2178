//! One service on a database of its own: replayed, read, compared.

use std::time::Duration;

use tokio::time::Instant;
use trueup_model::agreement::{self, Produced, Sides};
use trueup_model::declared::DeclaredService;
use trueup_model::finding::Finding;
use trueup_model::name::Identifier;
use trueup_postgres::client::{self, Client};
use trueup_postgres::disposable::{Database, ExtensionError};
use trueup_postgres::introspect::{self, Introspected};
use trueup_postgres::lower;
use trueup_postgres::replay::{self, FailureCause, Prepared, ReplayOptions, ReplayOutcome};

use super::answer::Answer;
use super::extensions;
use super::failed::{lasts, replay_failed, said, sqlstate};
use super::inputs::ServiceInput;
use super::installed::Installed;
use super::origins::Replayed;
use super::service::{ServiceError, no_migrations, not_run, own_schema, prepare};
use crate::report::provenance::Provenance;

/// A single statement that takes longer than this is cancelled.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(300);

/// Migrations may leave settings on their role or database; given at the start of a session, these outrank them. Each
/// with the major that brought it: a server refuses settings that it does not know.
const OWN_SETTINGS: &[(u16, &str)] = &[
    (13, "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0"),
    (13, "-c default_transaction_read_only=off -c default_transaction_isolation=read\\ committed"),
    (14, "-c idle_session_timeout=0"),
    (17, "-c transaction_timeout=0"),
];

fn own_settings(major: u16) -> String {
    let known = OWN_SETTINGS.iter().filter(|(since, _)| *since <= major).map(|(_, settings)| *settings);
    known.collect::<Vec<_>>().join(" ")
}

/// One service on its database.
pub(super) struct Case<'a> {
    pub(super) input: &'a ServiceInput,
    pub(super) declared: &'a DeclaredService,
    pub(super) database: &'a Database,
    pub(super) before: Prepared,
    pub(super) prepared: Prepared,
    pub(super) deadline: Instant,
    /// The engine keeps, between two connections, only what a checkpoint wrote down.
    pub(super) forgetful: bool,
    /// The engine's major version.
    pub(super) major: u16,
    /// The extensions that the answer depends on, where that can be told.
    pub(super) installed: Option<&'a Installed>,
}

impl Case<'_> {
    /// What there is to say about the service.
    pub(super) async fn answer(mut self) -> Result<Answer, ServiceError> {
        let mut findings = self.input.findings.clone();
        findings.extend(self.prepared.not_run.iter().map(|at| not_run(self.input, at)));
        self.name_session();
        extensions::create_for_scripts(self.database, [&mut self.before, &mut self.prepared]).await?;
        let (lacking, lasting) = self.create_extensions(&mut findings).await?;
        self.lay_out_copies()?;
        let outcomes = match self.replay().await? {
            Ok(outcomes) => outcomes,
            Err((finding, fails_again)) => {
                findings.push(*finding);
                let lasting = lasting && fails_again;
                return Ok(Answer { lasting, ..Answer::unknown("a migration fails on replay", findings) });
            }
        };
        let mut config = self.database.owner_config();
        config.options(own_settings(self.major));
        let client = client::connect(&config).await?;
        let answer = self.compare(&client, &outcomes, &lacking, findings).await?;
        Ok(Answer { lasting, ..answer })
    }

    /// Scripts that name their user or database get the real ones.
    fn name_session(&mut self) {
        let config = self.database.owner_config();
        let scripts = self.input.migrations.in_order();
        let mut texts = scripts.filter_map(|migration| migration.text().ok());
        if texts.any(|text| text.contains("flyway:user") || text.contains("flyway:database")) {
            let user = config.get_user().unwrap_or_default();
            self.prepared = prepare(self.input, user, config.get_dbname().unwrap_or_default());
        }
    }

    /// Data of COPY, where the engine takes none over a connection.
    fn lay_out_copies(&mut self) -> Result<(), ServiceError> {
        for (prepared, prefix) in [(&mut self.before, "before"), (&mut self.prepared, "script")] {
            if let Some(folder) = self.database.copy_folder(prefix) {
                prepared.copy_from_files(&folder).map_err(ServiceError::CopyFiles)?;
            }
        }
        Ok(())
    }

    /// Creates what the types need before anything else stands in the database. What the scripts create themselves is
    /// left to them. Returns what the server lacks, and whether it lacks it for as long as [`Self::installed`] is so.
    async fn create_extensions(&self, findings: &mut Vec<Finding>) -> Result<(Vec<Identifier>, bool), ServiceError> {
        let (mut lacking, mut lasting) = (Vec::new(), true);
        for (extension, at) in extensions::needed(self.declared) {
            let name = extension.as_str();
            if self.prepared.extensions.contains(name) || self.before.extensions.contains(name) {
                continue;
            }
            match self.database.create_extension(name).await {
                Ok(()) => {}
                Err(ExtensionError::Database(error)) => return Err(error.into()),
                Err(error) => {
                    let would_fail_again = match &error {
                        ExtensionError::Failed { .. } => self.installed.is_some_and(Installed::lacks_any),
                        _ => self.installed.is_some(),
                    };
                    lasting &= would_fail_again;
                    findings.push(extensions::missing(&self.input.name, &extension, &at, &error.to_string()));
                    lacking.push(extension);
                }
            }
        }
        Ok((lacking, lasting))
    }

    /// Runs what comes first, then the migrations. A failure is a finding, with whether it would fail again.
    async fn replay(&self) -> Result<Result<Vec<ReplayOutcome>, (Box<Finding>, bool)>, ServiceError> {
        let mut session = client::session(&self.database.owner_config()).await?;
        let mut outcomes = Vec::new();
        for prepared in self.scripts() {
            let options = ReplayOptions {
                statement_timeout: Some(STATEMENT_TIMEOUT),
                deadline: Some(self.deadline),
                ..prepared.options.clone()
            };
            let outcome = replay::replay(&mut session, &prepared.scripts, &options).await?;
            if let Some(failure) = &outcome.failure {
                let lasting = lasts(&failure.cause) && self.lacks_again(prepared, &failure.cause);
                return Ok(Err((Box::new(replay_failed(self.input, prepared, failure)), lasting)));
            }
            outcomes.push(outcome);
        }
        if self.forgetful {
            let written = session.query("CHECKPOINT").await?;
            if let Some(error) = written.error {
                return Err(ServiceError::Unsaved(said(&error)));
            }
        }
        session.close().await;
        Ok(Ok(outcomes))
    }

    /// Whether what the scripts want of extensions fails again, as long as [`Self::installed`] is so.
    fn lacks_again(&self, prepared: &Prepared, cause: &FailureCause) -> bool {
        // Class 58: what an extension is made of besides its control file may be lacking as well.
        let of_system = sqlstate(cause).starts_with("58");
        let told = |installed: &Installed| !of_system || installed.lacks_any();
        prepared.extensions.is_empty() || self.installed.is_some_and(told)
    }

    /// What is replayed, in order.
    fn scripts(&self) -> [&Prepared; 2] {
        [&self.before, &self.prepared]
    }

    async fn compare(
        &self,
        client: &Client,
        outcomes: &[ReplayOutcome],
        lacking: &[Identifier],
        mut findings: Vec<Finding>,
    ) -> Result<Answer, ServiceError> {
        let (input, declared) = (self.input, self.declared);
        if !remembers(client, outcomes).await? {
            return Err(ServiceError::Lost);
        }
        let options = introspect::Options {
            history_table: self.prepared.options.history.clone(),
            with_provenance: true,
            ..introspect::Options::default()
        };
        let Introspected { canonical, provenance } = introspect::introspect(client, &options).await?;
        let pairing = agreement::pair(declared, &canonical);
        let lowered = lower::lower(client, declared, &pairing, &canonical, lacking).await?;
        let compared = agreement::compared(declared);
        if !input.has_migrations() {
            findings.push(no_migrations(input, declared));
            return Ok(Answer::checked(findings, compared).with_types(declared, &lowered));
        }
        let questions = agreement::questions(declared, &lowered, &canonical, &pairing);
        let evaluated = lower::evaluate(client, &questions).await?;
        let runs = outcomes.iter().zip(self.scripts());
        let runs = runs.map(|(outcome, prepared)| (outcome.applied.as_slice(), prepared.origins.as_slice()));
        let origins = Replayed::new(&provenance, runs);
        let comparison = agreement::compare(Sides {
            service: declared,
            lowered: &lowered,
            replayed: &canonical,
            pairing: &pairing,
            evaluated: &evaluated,
            origins: &origins,
        });
        findings.extend(comparison.findings);
        let mut made_by = Provenance::of(&input.migrations);
        made_by.add(comparison.produced.into_iter().map(|Produced { declared, replayed }| {
            let source = origins.source(&replayed);
            (declared, replayed, source)
        }));
        let own = [pairing.schema.declared.clone(), pairing.schema.replayed.clone(), own_schema(declared)];
        findings.iter_mut().for_each(|finding| finding.place_in(&own));
        let answer = Answer::checked(findings, compared).with_types(declared, &lowered);
        Ok(Answer { provenance: Some(made_by.to_raw().map_err(ServiceError::Provenance)?), ..answer })
    }
}

/// Whether the database has come at least as far as the last script: its transactions are counted.
async fn remembers(client: &Client, outcomes: &[ReplayOutcome]) -> Result<bool, client::Error> {
    let Some(last) = outcomes.iter().flat_map(|outcome| &outcome.applied).next_back() else { return Ok(true) };
    let sql = "SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text";
    let row = client.query_one(sql, &[]).await?;
    let reached: u64 = row.get::<_, String>(0).parse().unwrap_or_default();
    Ok(reached > last.xids.start)
}
