//! What Flyway says on the way and at the end, line by line.

use std::time::Duration;

use trueup_migrations::history::{Entry, Reconciliation, Repair};
use trueup_migrations::migration::Migration;
use trueup_migrations::settings::{ConnectionValue, Settings};
use trueup_migrations::version::Version;
use trueup_postgres::run::{Baselined, Cleaned, Event, Failure, Inputs, Left, Migrated};
use trueup_postgres::session::ServerError;

use super::call::Filter;
use super::table;
use crate::report::text::{NAME, SENTENCE, clean};
use crate::runner::{POOLED, Server, category};

/// What has no version yet.
const EMPTY: &str = "<< Empty Schema >>";

/// `1 migration`, `3 migrations`.
pub(super) fn migrations(number: usize) -> String {
    format!("{number} migration{}", if number == 1 { "" } else { "s" })
}

/// `00:00.053s`
fn took(time: Duration) -> String {
    format!("{:02}:{:02}.{:03}s", time.as_secs() / 60, time.as_secs() % 60, time.subsec_millis())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", clean(name, NAME))
}

/// The address without what may be secret in it: user, password, parameters.
pub(super) fn address(settings: &Settings, server: &Server) -> String {
    let known = settings.connection.get("url").and_then(|set| match &set.value {
        ConnectionValue::Known(url) => Some(url.expose()),
        ConnectionValue::Unresolved(_) => None,
    });
    let bare = known.map(|url| url.split(['?', '#']).next().unwrap_or_default());
    let bare = bare.and_then(|url| {
        let (scheme, rest) = url.split_once("//")?;
        Some(format!("{scheme}//{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)))
    });
    clean(&bare.unwrap_or_else(|| format!("database {}", server.database)), SENTENCE)
}

/// Whether a notice is no warning.
pub(super) fn is_plain(notice: &ServerError) -> bool {
    notice.sqlstate == "00000"
}

/// What a script said.
pub(super) fn notice(notice: &ServerError) -> String {
    let message = clean(&notice.message, SENTENCE);
    match is_plain(notice) {
        true => format!("DB: {message}"),
        false => format!("DB: {message} (SQL State: {} - Error Code: 0)", clean(&notice.sqlstate, NAME)),
    }
}

/// The lines of what happens on the way to the schema with the history; none for what Flyway does not do.
pub(super) fn event(event: &Event<'_>, schema: &str) -> Option<Vec<String>> {
    Some(match event {
        Event::Waiting { holder } => {
            let holder = holder.map_or(String::new(), |holder| format!(": {}", clean(holder, SENTENCE)));
            vec![format!("Waiting for another run that holds the lock on the schema history{holder}")]
        }
        Event::Pooled => vec![POOLED.to_owned()],
        Event::Validated { migrations: judged, elapsed } => {
            vec![format!("Successfully validated {} (execution time {})", migrations(*judged), took(*elapsed))]
        }
        Event::Created { schemas, history } => {
            let mut lines: Vec<_> =
                schemas.iter().map(|schema| format!("Creating schema {} ...", quoted(schema))).collect();
            if let Some((table, baseline)) = history {
                let with = if *baseline { " with baseline" } else { "" };
                lines.push(format!("Creating Schema History table {}{with} ...", clean(table, SENTENCE)));
            }
            lines
        }
        Event::Begins { version } => {
            let version = version.map_or(EMPTY.to_owned(), |version| clean(version, NAME));
            vec![format!("Current version of schema {}: {version}", quoted(schema))]
        }
        Event::Applied(ran) => vec![migrating(schema, ran.row.version.as_deref(), &ran.row.description)],
        Event::Said { notice: said, .. } => vec![notice(said)],
        Event::Planned(_) | Event::Running { .. } => Vec::new(),
        _ => return None,
    })
}

fn migrating(schema: &str, version: Option<&str>, description: &str) -> String {
    let (schema, description) = (quoted(schema), clean(description, SENTENCE));
    match version {
        Some(version) => format!("Migrating schema {schema} to version \"{} - {description}\"", clean(version, NAME)),
        None => format!("Migrating schema {schema} with repeatable migration \"{description}\""),
    }
}

/// The end of a migrate that applied everything.
pub(super) fn migrated(migrated: &Migrated) -> String {
    let schema = quoted(&migrated.schema);
    if migrated.applied.is_empty() {
        return format!("Schema {schema} is up to date. No migration necessary.");
    }
    let last = migrated.applied.iter().rev().find_map(|ran| ran.row.version.as_deref());
    let version = last.or(migrated.version_before.as_deref());
    let now = version.map_or(String::new(), |version| format!(", now at version v{}", clean(version, NAME)));
    let time: Duration = migrated.applied.iter().map(|ran| ran.elapsed).sum();
    let number = migrations(migrated.applied.len());
    format!("Successfully applied {number} to schema {schema}{now} (execution time {})", took(time))
}

/// The file that failed.
pub(super) fn migration_of<'i>(failure: &Failure, inputs: &'i Inputs) -> Option<&'i Migration> {
    let set = &inputs.set;
    let mut all = set.versioned.iter().chain(&set.repeatables).chain(&set.baselines).chain(&set.undos);
    all.find(|file| file.path == failure.at.file)
}

/// What was begun, and how it failed.
pub(super) fn failed(failure: &Failure, migrated: &Migrated, inputs: &Inputs) -> (String, String) {
    let schema = quoted(&migrated.schema);
    let file = migration_of(failure, inputs);
    let version = file.and_then(|file| file.version.as_ref()).map(Version::text);
    let description = file.map_or(failure.at.file.as_ref(), |file| &file.description);
    let begun = migrating(&migrated.schema, version, description);
    let what = begun.strip_prefix("Migrating schema ").and_then(|rest| rest.strip_prefix(schema.as_str()));
    let left = match failure.left {
        Left::Nothing => "Changes successfully rolled back.",
        Left::Resumable => "What ran before the failing statement stays; run again to go on there.",
        Left::FailedRow | Left::Perhaps => "Please restore backups and roll back database and code!",
    };
    let failed = format!("Migration of schema {schema}{} failed! {left}", what.unwrap_or_default());
    (begun, failed)
}

pub(super) fn undone(undone: &Migrated) -> String {
    let schema = quoted(&undone.schema);
    if undone.applied.is_empty() {
        return format!("Schema {schema} has no version to undo.");
    }
    let now = undone.version_after.as_ref().map_or(EMPTY.to_owned(), |version| format!("v{}", clean(version, NAME)));
    format!("Successfully undid {} to schema {schema}, now at version {now}", migrations(undone.applied.len()))
}

pub(super) fn baselined(done: &Baselined, server: &Server) -> String {
    let version = clean(&done.version, NAME);
    match done.already {
        false => format!("Successfully baselined schema with version: {version}"),
        true => format!(
            "Schema history table in {} already initialized with ({version},{}). Skipping.",
            quoted(&server.schema),
            clean(&done.description, NAME)
        ),
    }
}

pub(super) fn repaired(done: Option<&Repair>, server: &Server) -> Vec<String> {
    let schema = quoted(&server.schema);
    let Some(done) = done else {
        return vec![format!("Repair of failed migration in schema {schema} not necessary: it has no history.")];
    };
    let mut lines = Vec::new();
    match done.removed.len() {
        0 => lines.push(format!(
            "Repair of failed migration in the schema history of {schema} not necessary. No failed migration detected."
        )),
        number => lines.push(format!("Removed {number} failed from the schema history of {schema}.")),
    }
    let name = |version: Option<&Version>, description: &str| match version {
        Some(version) => format!("version {}", clean(version.text(), NAME)),
        None => format!("description {}", clean(description, SENTENCE)),
    };
    for row in &done.deleted {
        lines.push(format!("Marked {} as deleted ...", name(row.version.as_ref(), &row.description)));
    }
    for (row, now) in &done.aligned {
        let checksum = now.checksum.map_or("null".to_owned(), |sum| sum.to_string());
        lines.push(format!(
            "Repairing the schema history for {} (Description: {}, Type: {}, Checksum: {checksum})  ...",
            name(row.version.as_ref(), &row.description),
            clean(&now.description, SENTENCE),
            now.kind.as_str(),
        ));
    }
    lines.push(format!("Successfully repaired the schema history of {schema}."));
    lines
}

pub(super) fn cleaned(done: &Cleaned) -> Vec<String> {
    let cleaned = done.emptied.iter().map(|schema| format!("Successfully cleaned schema {}", quoted(schema)));
    let dropped = done.dropped.iter().map(|schema| format!("Successfully dropped schema {}", quoted(schema)));
    let missing =
        done.missing.iter().map(|schema| format!("Schema {} does not exist, nothing to clean", quoted(schema)));
    cleaned.chain(dropped).chain(missing).collect()
}

/// The entries that a filter lets through.
pub(super) fn shown<'f, 'e>(found: &'f Reconciliation<'e>, filter: &Filter) -> Vec<&'f Entry<'e>> {
    let bound = |text: &Option<String>| text.as_deref().and_then(Version::parse);
    let (since, until) = (bound(&filter.since), bound(&filter.until));
    let flat = |state: &str| state.replace([' ', '_'], "").to_lowercase();
    let wanted: Vec<_> = filter.states.iter().map(|state| flat(state)).collect();
    let is_shown = |entry: &&Entry<'_>| {
        let version = entry.version();
        let after = since.as_ref().is_none_or(|since| version.is_none_or(|own| own >= since));
        let before = until.as_ref().is_none_or(|until| version.is_none_or(|own| own <= until));
        after && before && (wanted.is_empty() || wanted.contains(&flat(entry.state.name())))
    };
    found.entries.iter().filter(is_shown).collect()
}

/// `No`, or nothing for what has no version.
pub(super) fn undoable(entry: &Entry<'_>) -> &'static str {
    if entry.version().is_some() { "No" } else { "" }
}

/// The table of migrations.
pub(super) fn info(found: &Reconciliation<'_>, shown: &[&Entry<'_>]) -> String {
    let head = ["Category", "Version", "Description", "Type", "Installed On", "State", "Undoable"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(shown.iter().map(|entry| {
        let on = entry.applied.map_or("", |row| row.installed_on.get(..19).unwrap_or(&row.installed_on));
        let version = entry.version().map(Version::text).unwrap_or_default();
        let cells = [
            category(entry),
            version,
            entry.description(),
            entry.kind().as_str(),
            on,
            entry.state.name(),
            undoable(entry),
        ];
        cells.map(str::to_owned)
    }));
    let version = found.current.map_or(EMPTY.to_owned(), |version| clean(version.text(), NAME));
    format!("Schema version: {version}\n\n{}\n", table::draw(&rows, "No migrations found"))
}
