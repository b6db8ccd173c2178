//! What people read. Results go to standard output, complaints to standard error.

use std::time::Duration;

use trueup_migrations::history::{Entry, Reconciliation, ValidationError};
use trueup_migrations::migration::MigrationKind;
use trueup_postgres::run::{Failure, Left, Migrated, Ran, RunError};

use super::Server;
use super::error::{RunnerError, counted};
use crate::report::text::{NAME, SENTENCE, clean, clean_lines, pad, place, width};

/// Lines of a statement that are shown.
const STATEMENT_LINES: usize = 12;

#[allow(clippy::print_stdout, reason = "what the command was asked to print")]
fn say(line: &str) {
    println!("{line}");
}

#[allow(clippy::print_stderr, reason = "complaints stay out of what was asked for")]
pub(super) fn complain(line: &str) {
    eprintln!("{line}");
}

/// Another run holds the lock.
pub(super) fn waiting(holder: Option<&str>) {
    let holder = holder.map_or(String::new(), |holder| format!(": {}", clean(holder, SENTENCE)));
    complain(&format!("trueup: waiting for another run that holds the lock on the schema history{holder}"));
}

/// One migration was applied.
pub(super) fn applied(ran: &Ran) {
    say(&format!("  applied {} ({} ms)", clean(&ran.row.script, SENTENCE), ran.elapsed.as_millis()));
}

/// The end of a migrate.
pub(super) fn migrated(migrated: &Migrated, server: &Server, elapsed: Duration, verbose: bool) {
    for (path, notice) in &migrated.notices {
        let severity = notice.severity.to_lowercase();
        complain(&format!("{}: {}: {}", clean(path, NAME), clean(&severity, NAME), clean(&notice.message, SENTENCE)));
    }
    let last = migrated.applied.iter().rev().find_map(|ran| ran.row.version.as_deref());
    let version = last.or(migrated.version_before.as_deref());
    let now = version.map_or("has no version".to_owned(), |version| format!("is at version {}", clean(version, NAME)));
    let schema = clean(&migrated.schema, NAME);
    let place =
        format!("schema {schema} of {} (PostgreSQL {})", clean(&server.database, NAME), clean(&server.version, NAME));
    for created in &migrated.created_schemas {
        say(&format!("  created schema {}", clean(created, NAME)));
    }
    match &migrated.failure {
        None if migrated.applied.is_empty() => say(&format!("nothing to apply: {place} {now}")),
        None => say(&format!(
            "{} applied in {:.2} s: {place} {now}",
            counted(migrated.applied.len(), "migration"),
            elapsed.as_secs_f64()
        )),
        Some(failure) => failed(failure, migrated.applied.len(), &format!("{place} {now}")),
    }
    if verbose {
        say(&format!("round trips after connecting: {}", migrated.round_trips));
    }
}

fn failed(failure: &Failure, applied: usize, now: &str) {
    complain(&format!(
        "trueup: {} failed: {}",
        place(&failure.at, SENTENCE),
        clean(&failure.cause.message(), SENTENCE)
    ));
    if let Some(error) = failure.cause.server_error() {
        complain(&format!("  SQLSTATE   {}", clean(&error.sqlstate, NAME)));
        let more = [("detail", &error.detail), ("hint", &error.hint), ("where", &error.where_)];
        for (what, text) in more.iter().filter_map(|(what, text)| Some((what, text.as_ref()?))) {
            complain(&format!("  {}{}", pad(what, 11), clean(text, SENTENCE)));
        }
    }
    if let Some(statement) = &failure.statement {
        complain("  statement");
        clean_lines(statement, 160, STATEMENT_LINES).iter().for_each(|line| complain(&format!("    {line}")));
    }
    complain(match failure.left {
        Left::Nothing => "  its transaction was rolled back: nothing of it is left, and nothing behind it has run",
        Left::FailedRow => {
            "  it does not run in a transaction: what ran before the failing statement stays, and the history says that \
             it failed; nothing behind it has run. Remove what is left, and run Flyway's repair"
        }
        Left::Perhaps => {
            "  it is not recorded, and what ran before the failure may have stayed; nothing behind it has run"
        }
    });
    complain(&format!("  {} applied before it; {now}", counted(applied, "migration")));
}

/// The table of migrations.
pub(super) fn info(found: &Reconciliation<'_>, server: &Server) {
    let head = ["Category", "Version", "Description", "Type", "Installed On", "State"].map(str::to_owned);
    let mut rows = vec![head];
    rows.extend(found.entries.iter().map(cells));
    let columns: Vec<usize> =
        (0..6).map(|column| rows.iter().map(|row| width(&row[column])).max().unwrap_or_default()).collect();
    let line = |row: &[String; 6]| {
        let cells = row.iter().zip(&columns).map(|(cell, columns)| pad(cell, *columns));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let version = found.current.map_or("none".to_owned(), |version| clean(version.text(), NAME));
    say(&format!(
        "database {} (PostgreSQL {}), schema version {version}\n",
        clean(&server.database, NAME),
        clean(&server.version, NAME)
    ));
    rows.iter().for_each(|row| say(&line(row)));
    if found.entries.is_empty() {
        say("no migrations, and no history");
    }
}

/// `Versioned`, `Repeatable`, `Baseline`, or nothing for rows without a file.
pub(super) fn category(entry: &Entry<'_>) -> &'static str {
    let kind = entry.resolved.map(|file| file.migration.kind);
    match (kind, entry.version()) {
        _ if entry.kind().is_synthetic() => "",
        (Some(MigrationKind::Baseline), _) => "Baseline",
        _ if entry.kind().is_baseline() => "Baseline",
        (_, Some(_)) => "Versioned",
        (_, None) => "Repeatable",
    }
}

fn cells(entry: &Entry<'_>) -> [String; 6] {
    let version = entry.version().map_or(String::new(), |version| clean(version.text(), 50));
    let on =
        entry.applied.map_or(String::new(), |row| clean(row.installed_on.get(..19).unwrap_or(&row.installed_on), 30));
    [
        category(entry).to_owned(),
        version,
        clean(entry.description(), 60),
        entry.kind().as_str().to_owned(),
        on,
        entry.state.name().to_owned(),
    ]
}

/// The end of a validate.
pub(super) fn validated(errors: &[ValidationError], judged: usize) {
    if errors.is_empty() {
        return say(&format!("{} fit the schema history", counted(judged, "migration")));
    }
    complain(&format!("trueup: {} of {judged} migrations do not fit the schema history", errors.len()));
    errors.iter().for_each(invalid);
}

fn invalid(error: &ValidationError) {
    complain(&format!("  {}", error.code));
    clean_lines(&error.message, SENTENCE, 6).iter().for_each(|line| complain(&format!("    {line}")));
    if let Some(path) = &error.path {
        complain(&format!("    file: {}", clean(path, SENTENCE)));
    }
}

/// Why there is no result.
pub(super) fn error(error: &RunnerError) {
    complain(&format!("trueup: {}", clean(&error.to_string(), SENTENCE)));
    match error {
        RunnerError::Usage { help, .. } => complain(&format!("  {}", clean(help, SENTENCE))),
        RunnerError::Problems(problems) => problems.iter().for_each(|problem| {
            complain(&format!("  {}: {}", place(&problem.at, SENTENCE), clean(&problem.message, SENTENCE)));
            complain(&format!("    {}", clean(&problem.help, SENTENCE)));
        }),
        RunnerError::Run(RunError::Invalid(errors)) => errors.iter().for_each(invalid),
        RunnerError::Run(RunError::Refused(refused)) => {
            for refused in refused {
                complain(&format!("  {}: {}", place(&refused.at, SENTENCE), clean(&refused.message, SENTENCE)));
            }
            complain("  nothing was run");
        }
        RunnerError::Run(_) => {}
    }
}
