//! What is said about a thing, one fact after the other: what two states are compared by.

use trueup_intent::written::Written;
use trueup_model::declared::{DeclaredColumn, DeclaredIndex, DeclaredService, DeclaredTable};

use super::Detail;
use crate::facts::{self, Nullability};
use crate::pages::target_text;

/// What is said, and how; nothing is said where the text is empty.
pub(super) type Facts = Vec<(&'static str, String)>;

/// The facts that differ. Both lists name the same facts in the same order.
pub(super) fn differing(before: Facts, after: Facts) -> Vec<Detail> {
    let pairs = before.into_iter().zip(after).filter(|(before, after)| before != after);
    pairs.map(|((what, before), (_, after))| Detail { what, before, after }).collect()
}

/// All facts of something that is new.
pub(super) fn all_new(facts: Facts) -> Vec<Detail> {
    said(facts).map(|(what, after)| Detail { what, before: String::new(), after }).collect()
}

/// All facts of something that is gone.
pub(super) fn all_gone(facts: Facts) -> Vec<Detail> {
    said(facts).map(|(what, before)| Detail { what, before, after: String::new() }).collect()
}

/// What is said about something that is all new or gone, whose name is told anyway.
fn said(facts: Facts) -> impl Iterator<Item = (&'static str, String)> {
    facts.into_iter().filter(|(what, text)| *what != NAME && !text.is_empty())
}

const NAME: &str = "name";

pub(super) fn of_column(column: &DeclaredColumn, written: &Written) -> Facts {
    let entry = written.at(&column.name.at);
    let said = |is: bool, text: &str| if is { text.to_owned() } else { String::new() };
    let null = match facts::nullability(column) {
        Nullability::Required => "NOT NULL",
        Nullability::Optional => "NULL",
        Nullability::Unknown => "?",
    };
    let reference = column.references.as_ref().map_or_else(String::new, |reference| {
        let on_delete = reference.on_delete.as_ref();
        target_text(&reference.target)
            + &on_delete.map_or_else(String::new, |what| format!(" ON DELETE {}", what.value))
    });
    let checks: Vec<String> = column.checks.iter().map(|check| facts::check_text(&check.value)).collect();
    let unclear = entry.filter(|_| !column.not_understood.is_empty());
    vec![
        ("type", facts::type_text(column, entry).unwrap_or_default().to_owned()),
        ("key", said(column.primary_key.is_some(), "PRIMARY KEY")),
        ("nullability", null.to_owned()),
        ("default", facts::default_text(column).unwrap_or_default()),
        ("unique", said(column.unique.is_some(), "UNIQUE")),
        ("reference", reference),
        ("check", checks.join(", ")),
        ("encrypted", said(column.encrypted.is_some(), "ENCRYPTED")),
        ("as written", unclear.map_or_else(String::new, |entry| entry.constraints.trim().to_owned())),
        ("notes", column.notes.join("; ")),
    ]
}

pub(super) fn of_index(index: &DeclaredIndex, written: &Written) -> Facts {
    let as_written = facts::index_as_written(index, written.at(&index.name.at));
    vec![
        ("over", facts::keys_text(index)),
        ("kind", facts::index_words(index).join(" ")),
        ("as written", as_written.unwrap_or_default().to_owned()),
    ]
}

/// Those of the table itself, without its columns and indexes.
pub(super) fn of_table(table: &DeclaredTable) -> Facts {
    let listed = if table.details.is_some() { "columns are declared" } else { "only listed" };
    vec![
        (NAME, facts::table_title(table)),
        ("declared", listed.to_owned()),
        ("description", table.description.clone().unwrap_or_default()),
    ]
}

/// Those of the service itself, without its tables.
pub(super) fn of_service(service: &DeclaredService) -> Facts {
    let extensions: Vec<&str> = service.extensions.iter().map(|name| name.value.as_str()).collect();
    let pool = service.prose.connection_pool.iter().map(|(key, value)| format!("{key}: {value}")).collect::<Vec<_>>();
    let ignored =
        service.ignore.iter().map(|one| format!("{} ({})", one.pattern.value, one.reason)).collect::<Vec<_>>();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    vec![
        (NAME, service.name.value.clone()),
        ("engine", service.engine.text.clone()),
        ("schema", service.schema.as_ref().map_or_else(String::new, |schema| schema.value.as_str().to_owned())),
        ("extensions", extensions.join(", ")),
        ("migrations", text(service.migrations.as_ref().map(|folder| &folder.value))),
        ("owner", text(service.owner.as_ref().map(|owner| &owner.value))),
        ("ignored findings", ignored.join("; ")),
        ("key features", service.prose.features.join("; ")),
        ("volume", text(service.prose.volume.as_ref())),
        ("backup", text(service.prose.backup.as_ref())),
        ("connection pool", pool.join(", ")),
    ]
}
