//! What people read. Results go to standard output, complaints to standard error.

use std::time::Duration;

use trueup_migrations::history::{AppliedMigration, Entry, Reconciliation, Repair, ValidationError};
use trueup_migrations::migration::MigrationKind;
use trueup_model::location::Location;
use trueup_postgres::run::{Baselined, Built, Cause, Cleaned, Command, Failure, Left, Migrated, Ran, RunError};
use trueup_postgres::session::ServerError;

use super::Server;
use super::error::{RunnerError, counted};
use crate::report::text::{NAME, SENTENCE, clean, clean_lines, pad, place, width};
pub(super) use crate::stdio::{complain, say};

/// Lines of a statement that are shown.
const STATEMENT_LINES: usize = 12;

/// Another run holds the lock.
pub(super) fn waiting(holder: Option<&str>) {
    let holder = holder.map_or(String::new(), |holder| format!(": {}", clean(holder, SENTENCE)));
    complain(&format!("trueup: waiting for another run that holds the lock on the schema history{holder}"));
}

/// What is different through a pooler.
pub(crate) const POOLED: &str = "the connection goes through a pooler: each transaction takes the lock for itself, and nothing can \
                                 run outside of one";

/// The connection goes through a pooler.
pub(super) fn pooled() {
    complain(&format!("trueup: {POOLED}"));
}

/// One migration was applied, or undone.
pub(super) fn applied(ran: &Ran, command: Command) {
    let (what, file) = match command {
        Command::Undo => ("undone by", &ran.path),
        _ => ("applied", &ran.row.script),
    };
    say(&format!("  {what} {} ({} ms)", clean(file, SENTENCE), ran.elapsed.as_millis()));
}

/// The end of an undo.
pub(super) fn undone(undone: &Migrated, server: &Server) {
    undone.notices.iter().for_each(|(path, notice)| said(path, notice));
    undone.also.iter().for_each(also_failed);
    let place = format!("schema {} of {}", clean(&undone.schema, NAME), clean(&server.database, NAME));
    let is_at = |version: &Option<String>| {
        version
            .as_ref()
            .map_or("has no version".to_owned(), |version| format!("is at version {}", clean(version, NAME)))
    };
    match &undone.failure {
        None if undone.applied.is_empty() => {
            say(&format!("nothing to undo: {place} {}", is_at(&undone.version_before)));
        }
        None => {
            say(&format!(
                "{} undone: {place} {}",
                counted(undone.applied.len(), "version"),
                is_at(&undone.version_after)
            ));
        }
        Some(failure) => {
            script_failed(failure);
            complain(&format!("  {} undone before it", counted(undone.applied.len(), "version")));
        }
    }
}

/// The end of a migrate.
pub(super) fn migrated(migrated: &Migrated, server: &Server, elapsed: Duration, verbose: bool) {
    migrated.notices.iter().for_each(|(path, notice)| said(path, notice));
    migrated.also.iter().for_each(also_failed);
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
        Some(failure) => failed(failure, migrated, &format!("{place} {now}")),
    }
    if verbose {
        say(&format!("round trips after connecting: {}", migrated.round_trips));
    }
}

/// A script said something.
pub(super) fn said(path: &str, notice: &ServerError) {
    let severity = notice.severity.to_lowercase();
    complain(&format!("{}: {}: {}", clean(path, NAME), clean(&severity, NAME), clean(&notice.message, SENTENCE)));
}

/// A callback for a failure failed itself.
pub(super) fn also_failed(failure: &Failure) {
    complain(&format!("trueup: the callback for the failure below failed too: {}", place(&failure.at, SENTENCE)));
    complain(&format!("  {}", clean(&failure.cause.message(), SENTENCE)));
}

fn failed(failure: &Failure, migrated: &Migrated, now: &str) {
    script_failed(failure);
    let applied = migrated.applied.len();
    let pending = migrated.planned.saturating_sub(applied);
    complain(&format!("  {} applied, {pending} not; {now}", counted(applied, "migration")));
}

fn script_failed(failure: &Failure) {
    complain(&match failure.cause {
        Cause::Interrupted => format!("trueup: interrupted at {}", place(&failure.at, SENTENCE)),
        _ => format!("trueup: {} failed: {}", place(&failure.at, SENTENCE), clean(&failure.cause.message(), SENTENCE)),
    });
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
    for index in &failure.invalid {
        complain(&format!(
            "  the invalid index {} is left: the next run drops it and builds it anew",
            clean(index, NAME)
        ));
    }
    complain(match failure.left {
        Left::Nothing => "  its transaction was rolled back: nothing of it is left, and nothing behind it has run",
        Left::FailedRow => {
            "  it does not run in a transaction: what ran before the failing statement stays, and the history says that \
             it failed; nothing behind it has run. Remove what is left, and run `trueup repair`"
        }
        Left::Resumable => {
            "  it does not run in a transaction: what ran before the failing statement stays, and the history says that \
             it failed; nothing behind it has run. Correct what made it fail and run migrate again: it goes on at this \
             statement"
        }
        Left::Perhaps => {
            "  it is not recorded, and what ran before the failure may have stayed; nothing behind it has run"
        }
    });
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
pub(crate) fn category(entry: &Entry<'_>) -> &'static str {
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

/// The end of a baseline.
pub(super) fn baselined(done: &Baselined, server: &Server) {
    let what = format!("({},{})", clean(&done.version, NAME), clean(&done.description, NAME));
    let place = format!("schema {} of {}", clean(&server.schema, NAME), clean(&server.database, NAME));
    for created in &done.created_schemas {
        say(&format!("  created schema {}", clean(created, NAME)));
    }
    match done.already {
        true => say(&format!("the schema history of {place} is initialized with {what} already: nothing was done")),
        false => say(&format!("baselined {place} with {what}")),
    }
}

/// A script outside of a transaction goes on where an earlier run stopped.
pub(super) fn resumed(path: &str, statement: usize) {
    complain(&format!(
        "{}: an earlier run did not come to its end: going on at statement {statement}",
        clean(path, NAME)
    ));
}

/// A line for psql was left out.
pub(super) fn skipped(at: &Location, command: &str) {
    let command = clean(command, NAME);
    complain(&format!(
        "{}: note: `{command}` is for psql, means nothing to a server, and is skipped",
        place(at, SENTENCE)
    ));
}

/// How far a script gets cannot be noted.
pub(super) fn no_progress(path: &str, why: &str) {
    complain(&format!(
        "{}: note: how far it gets cannot be noted ({}): if it fails, take back by hand what it did, and run `trueup repair`",
        clean(path, NAME),
        clean(why, SENTENCE)
    ));
}

/// How far a script got was forgotten.
pub(super) fn forgotten(script: &str) {
    complain(&format!(
        "trueup: note: forgot how far {} got: it runs from its first statement",
        clean(script, SENTENCE)
    ));
}

/// An invalid index of an earlier try was dropped.
pub(super) fn dropped_index(index: &str) {
    complain(&format!("trueup: dropped the invalid index {} that an earlier try left", clean(index, NAME)));
}

/// How far an index is.
pub(super) fn building(path: &str, built: &Built) {
    complain(&format!("{}: {}", clean(path, NAME), stage(built)));
}

/// The same without the file.
pub(super) fn stage(built: &Built) -> String {
    let percent = built.percent.map_or(String::new(), |percent| format!(", {percent} %"));
    let waits = built.waits_for.map_or(String::new(), |(sessions, process)| {
        format!(
            ", waits for {} (now process {process})",
            counted(usize::try_from(sessions).unwrap_or(usize::MAX), "session")
        )
    });
    format!("{}{percent}{waits}", clean(&built.phase, NAME))
}

/// A lock was not to be had in time.
pub(super) fn retrying(path: &str, (retry, of): (u32, u32), pause: Duration) {
    complain(&format!(
        "{}: a lock was not to be had in time: try {retry} of {of} follows in {:.1} s",
        clean(path, NAME),
        pause.as_secs_f64()
    ));
}

/// The end of a repair.
pub(super) fn repaired(done: Option<&Repair>, server: &Server) {
    let place = format!("schema {} of {}", clean(&server.schema, NAME), clean(&server.database, NAME));
    let Some(done) = done else {
        return say(&format!("{place} has no schema history: nothing to repair"));
    };
    if done.is_empty() {
        return say(&format!("the schema history of {place} is in order: nothing was changed"));
    }
    let name = |row: &AppliedMigration| {
        let version = row.version.as_ref().map_or(String::new(), |version| format!(" (version {version})"));
        format!("{}{}", clean(&row.script, SENTENCE), clean(&version, NAME))
    };
    done.removed.iter().for_each(|row| say(&format!("  removed the failed row of {}", name(row))));
    done.deleted.iter().for_each(|row| say(&format!("  marked as deleted, as its file is gone: {}", name(row))));
    for (row, now) in &done.aligned {
        let mut changes = Vec::new();
        let sum = |sum: Option<i32>| sum.map_or("NULL".to_owned(), |sum| sum.to_string());
        if row.checksum != now.checksum {
            changes.push(format!("checksum {} is now {}", sum(row.checksum), sum(now.checksum)));
        }
        if row.description != now.description {
            changes.push(format!("description is now {}", clean(&now.description, NAME)));
        }
        if row.kind != now.kind {
            changes.push(format!("type {} is now {}", row.kind.as_str(), now.kind.as_str()));
        }
        say(&format!("  aligned {}: {}", name(row), changes.join(", ")));
    }
    let rows = done.removed.len() + done.deleted.len() + done.aligned.len();
    say(&format!("repaired the schema history of {place}: {}", counted(rows, "change")));
}

/// The end of a clean.
pub(super) fn cleaned(done: &Cleaned, verbose: bool) {
    for missing in &done.missing {
        complain(&format!("trueup: note: schema {} does not exist: nothing to clean", clean(missing, NAME)));
    }
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for object in &done.objects {
        if verbose {
            say(&format!("  dropped {} {}", object.kind, clean(&object.name, SENTENCE)));
        }
        match kinds.iter_mut().find(|(kind, _)| *kind == object.kind) {
            Some((_, number)) => *number += 1,
            None => kinds.push((&object.kind, 1)),
        }
    }
    let kinds: Vec<_> = kinds.into_iter().map(|(kind, number)| counted(number, kind)).collect();
    let what = if kinds.is_empty() { "they were empty".to_owned() } else { format!("dropped {}", kinds.join(", ")) };
    for schema in &done.emptied {
        say(&format!("  cleaned schema {}", clean(schema, NAME)));
    }
    for schema in &done.dropped {
        say(&format!("  dropped schema {}, which the schema history says was created for it", clean(schema, NAME)));
    }
    say(&format!("{} cleaned: {what}", counted(done.emptied.len() + done.dropped.len(), "schema")));
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
    if let RunnerError::Run(RunError::Script(failure)) = error {
        return script_failed(failure);
    }
    complain(&format!("trueup: {}", clean(&error.to_string(), SENTENCE)));
    match error {
        RunnerError::Usage { help, .. } => complain(&format!("  {}", clean(help, SENTENCE))),
        RunnerError::Problems(problems) => problems.iter().for_each(|problem| {
            complain(&format!("  {}: {}", place(&problem.at, SENTENCE), clean(&problem.message, SENTENCE)));
            complain(&format!("    {}", clean(&problem.help, SENTENCE)));
        }),
        RunnerError::Run(RunError::CleanDisabled) => {
            complain("  it drops everything: give --set cleanDisabled=false where that is what you want");
        }
        RunnerError::Run(RunError::Invalid(errors)) => errors.iter().for_each(invalid),
        RunnerError::Run(RunError::Refused(refused)) => {
            for refused in refused {
                complain(&format!("  {}: {}", place(&refused.at, SENTENCE), clean(&refused.message, SENTENCE)));
            }
            complain("  nothing was run");
        }
        RunnerError::Run(_) | RunnerError::Record { .. } => {}
    }
}
