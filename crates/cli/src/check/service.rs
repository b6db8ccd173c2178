//! One service, from its files to its findings, on a database of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use trueup_migrations::migration::Migration;
use trueup_model::agreement::{self, Sides};
use trueup_model::declared::DeclaredService;
use trueup_model::finding::{Finding, ObjectKind, ObjectPath, Severity};
use trueup_model::location::Location;
use trueup_model::name::{Identifier, QualifiedName};
use trueup_model::rule::Rule;
use trueup_postgres::client::{self, Client};
use trueup_postgres::disposable::{Database, DatabaseError, ExtensionError, Scratch, StartError};
use trueup_postgres::introspect::{self, IntrospectError, Introspected};
use trueup_postgres::lower::{self, LowerError};
use trueup_postgres::replay::{self, FailureCause, Prepared, ReplayError, ReplayFailure, ReplayOptions, ReplayOutcome};

use super::answer::Answer;
use super::extensions;
use super::inputs::ServiceInput;
use super::origins::Replayed;

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
    // Roles belong to the whole server: who creates some gets a server of its own.
    let own = if input.migrations.creates_roles() { Some(scratch.isolated().await?) } else { None };
    let database = own.as_ref().unwrap_or(scratch).database().await?;
    let answer = on_database(&database, input, declared, deadline).await;
    database.drop().await?;
    if let Some(own) = own {
        own.stop().await?;
    }
    answer
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

async fn on_database(
    database: &Database,
    input: &ServiceInput,
    declared: &DeclaredService,
    deadline: Instant,
) -> Result<Answer, ServiceError> {
    let mut findings = input.findings.clone();
    let lacking = create_extensions(database, input, declared, &mut findings).await?;
    let prepared = match replay::prepare_scripts(&input.migrations, &input.flyway, &input.before) {
        Ok(prepared) => prepared,
        Err(problems) => {
            findings.extend(problems.into_iter().map(|problem| problem.finding(&input.name)));
            return Ok(Answer::unknown("its migrations cannot be read", findings));
        }
    };
    findings.extend(prepared.notes.iter().map(|note| note.finding(&input.name)));
    let outcome = run(database, input, &prepared, deadline).await?;
    if let Some(failure) = &outcome.failure {
        findings.push(replay_failed(input, &prepared, failure));
        let lasting = !matches!(failure.cause, FailureCause::Deadline | FailureCause::ConnectionLost(_));
        return Ok(Answer { lasting, ..Answer::unknown("a migration fails on replay", findings) });
    }
    let client = client::connect(&database.owner_config()).await?;
    compare(&client, input, declared, &prepared, &outcome, &lacking, findings).await
}

/// Creates what the types need before anything else stands in the database. What the migrations create themselves is
/// left to them. Returns what the server lacks.
async fn create_extensions(
    database: &Database,
    input: &ServiceInput,
    declared: &DeclaredService,
    findings: &mut Vec<Finding>,
) -> Result<Vec<Identifier>, ServiceError> {
    let own = input.migrations.created_extensions();
    let mut lacking = Vec::new();
    for (extension, at) in extensions::needed(declared) {
        if own.contains(extension.as_str()) {
            continue;
        }
        match database.create_extension(extension.as_str()).await {
            Ok(()) => {}
            Err(ExtensionError::Database(error)) => return Err(error.into()),
            Err(error) => {
                findings.push(extensions::missing(&input.name, &extension, &at, &error.to_string()));
                lacking.push(extension);
            }
        }
    }
    Ok(lacking)
}

async fn run(
    database: &Database,
    input: &ServiceInput,
    prepared: &Prepared,
    deadline: Instant,
) -> Result<ReplayOutcome, ServiceError> {
    let identifiers = |names: &[String]| names.iter().map(|name| Identifier::new(name.as_str())).collect();
    let flyway = &input.flyway;
    let options = ReplayOptions {
        default_schema: flyway.history_schema().map(Identifier::new),
        create_schemas: if flyway.create_schemas.value { identifiers(&flyway.managed_schemas()) } else { Vec::new() },
        init_sql: flyway.init_sql.value.clone(),
        history: history_table(input),
        statement_timeout: Some(Duration::from_secs(120)),
        deadline: Some(deadline),
    };
    let mut session = client::session(&database.owner_config()).await?;
    let outcome = replay::replay(&mut session, &prepared.scripts, &options).await?;
    session.close().await;
    Ok(outcome)
}

/// The stand-in for the schema history that scripts which name it will find.
fn history_table(input: &ServiceInput) -> Option<QualifiedName> {
    let schema = input.flyway.history_schema().unwrap_or("public");
    Some(QualifiedName::new(schema, input.flyway.table.value.as_str()))
}

async fn compare(
    client: &Client,
    input: &ServiceInput,
    declared: &DeclaredService,
    prepared: &Prepared,
    outcome: &ReplayOutcome,
    lacking: &[Identifier],
    mut findings: Vec<Finding>,
) -> Result<Answer, ServiceError> {
    let options =
        introspect::Options { history_table: history_table(input), with_provenance: true, ..Default::default() };
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
    let migrations: Vec<Option<&Migration>> = prepared.migrations(&input.migrations);
    let origins = Replayed::new(&provenance, &outcome.applied, &migrations);
    let sides = Sides {
        service: declared,
        lowered: &lowered,
        replayed: &canonical,
        pairing: &pairing,
        evaluated: &evaluated,
        origins: &origins,
    };
    findings.extend(agreement::compare(sides));
    Ok(Answer::checked(findings, compared).with_types(declared, &lowered))
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
    let place = prepared.locate(failure);
    let script = place.file.rsplit('/').next().unwrap_or_default().to_owned();
    let mut words = describe(&failure.cause);
    if let Some(statement) = prepared.statement(failure) {
        words = format!("{words}; the statement begins `{statement}`");
    }
    Finding::new(Rule::ReplayFailed, &input.name, ObjectPath::new(ObjectKind::Migration, [script.as_str().into()]))
        .message(format!("`{script}` fails when it is replayed on an empty database: {words}"))
        .help(
            "correct the migration; if it needs what others make (a role, a table of a Java migration), \
             name SQL that stands in for it under `[replay] before` in trueup.toml",
        )
        .sides("", sqlstate(&failure.cause))
        .in_migration(Some(&place))
}

fn sqlstate(cause: &FailureCause) -> String {
    match cause {
        FailureCause::Statement(error) | FailureCause::Commit(error) => error.sqlstate.clone(),
        _ => String::new(),
    }
}

fn describe(cause: &FailureCause) -> String {
    match cause {
        FailureCause::Statement(error) => error.to_string(),
        FailureCause::Commit(error) => format!("at its commit, {error}"),
        FailureCause::Deadline => "it did not end within the time the run may take".to_owned(),
        FailureCause::ConnectionLost(Some(error)) => format!("the server ended the session: {error}"),
        FailureCause::ConnectionLost(None) => "the server ended the session".to_owned(),
        FailureCause::CopyWithoutData => "COPY … FROM STDIN has no data that ends with `\\.`".to_owned(),
        FailureCause::Nul => "it contains a NUL byte, which PostgreSQL cannot take".to_owned(),
        FailureCause::Tampered => "it changes the setting `trueup.at`, which the replay keeps count with".to_owned(),
    }
}

/// Findings by service, for what is compared across services.
pub fn types_of<'a>(answers: impl Iterator<Item = (&'a str, &'a Answer)>) -> agreement::KeyTypes {
    let mut types = BTreeMap::new();
    for (service, answer) in answers {
        answer.add_types(service, &mut types);
    }
    types
}
