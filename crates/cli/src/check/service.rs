//! One service, from its files to its findings.

use std::collections::BTreeMap;

use tokio::time::Instant;
use trueup_model::agreement;
use trueup_model::declared::DeclaredService;
use trueup_model::finding::{Finding, ObjectKind, ObjectPath, Severity};
use trueup_model::location::Location;
use trueup_model::name::Identifier;
use trueup_model::rule::Rule;
use trueup_postgres::client;
use trueup_postgres::disposable::{DatabaseError, EngineKind, Scratch, StartError};
use trueup_postgres::introspect::IntrospectError;
use trueup_postgres::lower::LowerError;
use trueup_postgres::replay::{self, Prepared, Refused, ReplayError};
use trueup_postgres::session::SessionError;

use super::answer::Answer;
use super::case::Case;
use super::extensions;
use super::inputs::ServiceInput;
use super::installed::Installed;

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
    /// The data of a COPY could not be written where the bundled engine reads it.
    #[error("the data of a COPY could not be written for the bundled PostgreSQL: {0}")]
    CopyFiles(#[source] std::io::Error),
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
    /// Where everything comes from could not be written down.
    #[error("where the objects come from cannot be written down: {0}")]
    Provenance(#[source] serde_json::Error),
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
pub(super) fn prepare(input: &ServiceInput, user: &str, database: &str) -> Prepared {
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

/// A callback that Flyway runs around each statement, and a replay does not.
pub(super) fn not_run(input: &ServiceInput, at: &Location) -> Finding {
    let script = at.file.rsplit('/').next().unwrap_or_default();
    Finding::new(Rule::JavaMigration, &input.name, ObjectPath::new(ObjectKind::Migration, [script.into()]))
        .message(format!("`{script}` runs around every statement in Flyway; it was not run here"))
        .help("what it does is unknown; if it matters, put it into a migration")
        .in_migration(Some(at))
}

pub(super) fn no_migrations(input: &ServiceInput, declared: &DeclaredService) -> Finding {
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

/// Findings by service, for what is compared across services.
pub fn types_of<'a>(answers: impl Iterator<Item = (&'a str, &'a Answer)>) -> agreement::KeyTypes {
    let mut types = BTreeMap::new();
    for (service, answer) in answers {
        answer.add_types(service, &mut types);
    }
    types
}
