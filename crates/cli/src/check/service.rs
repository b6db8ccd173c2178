//! One service, from its files to its findings, on a database of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use trueup_model::agreement::{self, Sides};
use trueup_model::declared::DeclaredService;
use trueup_model::finding::{Finding, ObjectKind, ObjectPath, Severity};
use trueup_model::location::Location;
use trueup_model::name::Identifier;
use trueup_model::rule::Rule;
use trueup_postgres::client::{self, Client};
use trueup_postgres::disposable::{Database, DatabaseError, EngineKind, ExtensionError, Scratch, StartError};
use trueup_postgres::introspect::{self, IntrospectError, Introspected};
use trueup_postgres::lower::{self, LowerError};
use trueup_postgres::replay::{
    self, FailureCause, Prepared, Refused, ReplayError, ReplayFailure, ReplayOptions, ReplayOutcome,
};

use trueup_postgres::session::{ServerError, SessionError};

use super::answer::Answer;
use super::extensions;
use super::inputs::ServiceInput;
use super::installed::Installed;
use super::origins::Replayed;

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

/// The disposable server failed; nothing can be said about the service.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A database could not be made or dropped.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// A server for this service alone could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// No connection.
    #[error("cannot connect to the disposable PostgreSQL: {0}")]
    Connect(#[from] client::ConnectError),
    /// The session broke.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The session broke outside of the scripts.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The bundled engine could not write down what the scripts did.
    #[error("the bundled PostgreSQL could not write down what the migrations did: {0}")]
    Unsaved(String),
    /// What the migrations did is not in the database that is to be compared; comparing would be worse than saying so.
    #[error("the disposable PostgreSQL lost what the migrations did")]
    Lost,
    /// The server's answer did not come.
    #[error("the disposable PostgreSQL failed: {0}")]
    Client(#[from] client::Error),
    /// The catalogs could not be read.
    #[error(transparent)]
    Introspect(#[from] IntrospectError),
    /// The declared schema could not be read.
    #[error(transparent)]
    Lower(#[from] LowerError),
}

/// Compares one service, or says why there is nothing to compare.
pub async fn check(scratch: &Scratch, input: &ServiceInput, deadline: Instant) -> Result<Answer, ServiceError> {
    if let Some(answer) = without_server(input) {
        return Ok(answer);
    }
    let Some(declared) = &input.declared else { return Ok(undeclared(input)) };
    let before = replay::scripts_of_texts(&input.before);
    let prepared = prepare(input, "trueup", "trueup");
    if let Some(refused) = before.refused.as_ref().or(prepared.refused.as_ref()) {
        return Ok(unreadable(input, refused));
    }
    // Roles belong to the whole server: who creates some gets a server of its own.
    // Each database of the bundled engine has one anyway.
    let shared = scratch.engine().kind != EngineKind::Bundled;
    let alone = shared && (before.cluster_wide || prepared.cluster_wide);
    let own = if alone { Some(scratch.isolated().await?) } else { None };
    let wanted = extensions::all(declared, &[&before, &prepared]);
    // Before anything is created: who installs one meanwhile makes the answer stale, not wrong for good.
    let installed = Installed::on(scratch, &wanted);
    let database = own.as_ref().unwrap_or(scratch).database_offering(&wanted).await?;
    let forgetful = scratch.engine().kind == EngineKind::Bundled;
    let case = Case {
        input,
        declared,
        database: &database,
        before,
        prepared,
        deadline,
        forgetful,
        major: scratch.engine().major,
        installed: installed.as_ref(),
    };
    let answer = case.answer().await;
    if scratch.engine().kind == EngineKind::Native {
        // Its server is stopped in the end whatever happens; until then nobody has to wait for this.
        drop(database);
    } else {
        database.drop().await?;
    }
    if let Some(own) = own {
        own.stop().await?;
    }
    let answer = answer?;
    Ok(match installed {
        Some(installed) => Answer { installed, ..answer },
        None => Answer { lasting: answer.lasting && scratch.engine().kind != EngineKind::Native, ..answer },
    })
}

/// The names of a service's own schema, as far as the YAML alone tells; silence means `public`.
pub fn own_schema(declared: &DeclaredService) -> Identifier {
    declared.schema.as_ref().map_or_else(|| Identifier::new("public"), |schema| schema.value.clone())
}

/// The scripts, with the names that a session has.
fn prepare(input: &ServiceInput, user: &str, database: &str) -> Prepared {
    let mut placeholders = input.flyway.replacements();
    placeholders.set_built_in("user", user);
    placeholders.set_built_in("database", database);
    placeholders.set_built_in("workingDirectory", ".");
    // A fixed moment: a check has to give the same answer tomorrow.
    placeholders.set_built_in("timestamp", "2000-01-01 00:00:00");
    replay::scripts_from(&input.migrations, &input.flyway, &placeholders)
}

/// Flyway itself would stop here.
fn unreadable(input: &ServiceInput, refused: &Refused) -> Answer {
    let finding = Finding::new(Rule::MigrationFile, &input.name, ObjectPath::service())
        .message(&refused.message)
        .help("correct the file or its settings; until then the service is unknown")
        .sides("", &refused.message)
        .in_migration(Some(&refused.at));
    let mut findings = input.findings.clone();
    findings.push(finding);
    Answer::unknown("a migration cannot be read", findings)
}

/// The answers that need no PostgreSQL.
pub fn without_server(input: &ServiceInput) -> Option<Answer> {
    let Some(declared) = &input.declared else { return Some(undeclared(input)) };
    if !declared.engine.is_postgres {
        let also = if input.has_migrations() { "; it has PostgreSQL migrations all the same" } else { "" };
        return Some(Answer::not_checked(format!("engine {}{also}", declared.engine.text), Vec::new()));
    }
    let blocking = input.findings.iter().filter(|finding| finding.severity == Severity::Error);
    blocking.clone().next().map(|first| Answer::unknown(first.message.clone(), input.findings.clone()))
}

fn undeclared(input: &ServiceInput) -> Answer {
    let folder = input.folders.first().map_or("", String::as_str);
    let finding = Finding::new(Rule::UndeclaredService, &input.name, ObjectPath::service())
        .message(format!("`{folder}` has migrations, and the YAML declares no service `{}`", input.name))
        .help("declare the service in the YAML, so that somebody owns its data")
        .sides("", folder)
        .in_migration(first_migration(input).as_ref());
    Answer::not_checked("the YAML does not declare it", vec![finding])
}

fn first_migration(input: &ServiceInput) -> Option<Location> {
    input.migrations.in_order().next().map(|migration| Location::whole(migration.path.clone()))
}

/// One service on its database.
struct Case<'a> {
    input: &'a ServiceInput,
    declared: &'a DeclaredService,
    database: &'a Database,
    before: Prepared,
    prepared: Prepared,
    deadline: Instant,
    /// The engine keeps, between two connections, only what a checkpoint wrote down.
    forgetful: bool,
    /// The engine's major version.
    major: u16,
    /// The extensions that the answer depends on, where that can be told.
    installed: Option<&'a Installed>,
}

impl Case<'_> {
    async fn answer(mut self) -> Result<Answer, ServiceError> {
        let mut findings = self.input.findings.clone();
        findings.extend(self.prepared.not_run.iter().map(|at| not_run(self.input, at)));
        self.name_session();
        extensions::create_for_scripts(self.database, [&mut self.before, &mut self.prepared]).await?;
        let (lacking, lasting) = self.create_extensions(&mut findings).await?;
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
        findings.extend(agreement::compare(Sides {
            service: declared,
            lowered: &lowered,
            replayed: &canonical,
            pairing: &pairing,
            evaluated: &evaluated,
            origins: &origins,
        }));
        let own = [pairing.schema.declared.clone(), pairing.schema.replayed.clone(), own_schema(declared)];
        findings.iter_mut().for_each(|finding| finding.place_in(&own));
        Ok(Answer::checked(findings, compared).with_types(declared, &lowered))
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

/// A callback that Flyway runs around each statement, and a replay does not.
fn not_run(input: &ServiceInput, at: &Location) -> Finding {
    let script = at.file.rsplit('/').next().unwrap_or_default();
    Finding::new(Rule::JavaMigration, &input.name, ObjectPath::new(ObjectKind::Migration, [script.into()]))
        .message(format!("`{script}` runs around every statement in Flyway; it was not run here"))
        .help("what it does is unknown; if it matters, put it into a migration")
        .in_migration(Some(at))
}

fn no_migrations(input: &ServiceInput, declared: &DeclaredService) -> Finding {
    Finding::new(Rule::NoMigrations, &input.name, ObjectPath::service())
        .message(format!("service `{}` declares {} and has no migrations", input.name, tables(declared)))
        .help(format!(
            "write its first migration under services/{}/src/main/resources/db/migration, or name the folder with `migrations:`",
            input.name
        ))
        .in_intent(Some(&declared.name.at))
}

fn tables(declared: &DeclaredService) -> String {
    match declared.tables.len() {
        1 => "1 table".to_owned(),
        count => format!("{count} tables"),
    }
}

/// `replay-failed`, at the statement that failed, with the server's own words.
fn replay_failed(input: &ServiceInput, prepared: &Prepared, failure: &ReplayFailure) -> Finding {
    let place = prepared.locate(failure).unwrap_or_else(|| Location::whole(input.name.as_str()));
    let script = place.file.rsplit('/').next().unwrap_or_default().to_owned();
    let mut words = describe(&failure.cause);
    if let Some(statement) = statement(prepared, failure) {
        words = format!("{words}; the statement is `{statement}`");
    }
    Finding::new(Rule::ReplayFailed, &input.name, ObjectPath::new(ObjectKind::Migration, [script.as_str().into()]))
        .message(format!("`{script}` fails when it is replayed on an empty database: {words}"))
        .help(what_to_do(&failure.cause))
        .sides("", sqlstate(&failure.cause))
        .in_migration(Some(&place))
}

fn what_to_do(cause: &FailureCause) -> &'static str {
    match cause {
        FailureCause::Statement(error) if lacks_extension(error) => {
            "install the extension where trueup finds PostgreSQL, or point --scratch-url at a server that has it"
        }
        _ => {
            "correct the migration; if it needs what others make (a role, a table of a Java migration), \
             name SQL that stands in for it under `[replay] before` in trueup.toml"
        }
    }
}

/// `undefined_file` before 15, `feature_not_supported` since.
fn lacks_extension(error: &ServerError) -> bool {
    let control_file = error.detail.as_ref().unwrap_or(&error.message).contains("open extension control file");
    control_file && ["58P01", "0A000"].contains(&error.sqlstate.as_str())
}

/// Whether the same inputs would fail again on the same engine.
fn lasts(cause: &FailureCause) -> bool {
    !matches!(cause, FailureCause::Deadline | FailureCause::ConnectionLost(_))
}

/// The first words of the statement that failed.
fn statement(prepared: &Prepared, failure: &ReplayFailure) -> Option<String> {
    const WORDS: usize = 160;
    let script = prepared.scripts.get(failure.script)?;
    let text = &script.text[script.statements.get(failure.statement?)?.clone()];
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(WORDS).collect();
    Some(if cut.len() < line.len() { format!("{cut} …") } else { cut })
}

fn sqlstate(cause: &FailureCause) -> String {
    match cause {
        FailureCause::Statement(error) | FailureCause::Commit(error) => error.sqlstate.clone(),
        _ => String::new(),
    }
}

fn describe(cause: &FailureCause) -> String {
    match cause {
        FailureCause::Statement(error) => said(error),
        FailureCause::Commit(error) => format!("at its commit, {}", said(error)),
        FailureCause::Deadline => "it did not end within the time the run may take".to_owned(),
        FailureCause::ConnectionLost(Some(error)) => format!("the server ended the session: {}", said(error)),
        FailureCause::ConnectionLost(None) => "the server ended the session".to_owned(),
        FailureCause::CopyWithoutData => "COPY … FROM STDIN has no data that ends with `\\.`".to_owned(),
        FailureCause::Nul => "it contains a NUL byte, which PostgreSQL cannot take".to_owned(),
        FailureCause::Tampered => "it changes the setting `trueup.at`, which the replay keeps count with".to_owned(),
    }
}

/// `message (SQLSTATE)`, with detail and hint.
fn said(error: &ServerError) -> String {
    let more =
        |what: &str, text: &Option<String>| text.as_ref().map_or(String::new(), |text| format!("; {what}: {text}"));
    let (detail, hint) = (more("detail", &error.detail), more("hint", &error.hint));
    format!("{} ({}){detail}{hint}", error.message, error.sqlstate)
}

/// Findings by service, for what is compared across services.
pub fn types_of<'a>(answers: impl Iterator<Item = (&'a str, &'a Answer)>) -> agreement::KeyTypes {
    let mut types = BTreeMap::new();
    for (service, answer) in answers {
        answer.add_types(service, &mut types);
    }
    types
}
