//! What PostgreSQL refuses as the author wrote it: said once an item, and nothing else about that item.

use super::Sides;
use super::pairing::TablePair;
use crate::declared::{DeclaredTable, TableDetails};
use crate::finding::{Finding, ObjectKind, ObjectPath};
use crate::location::Location;
use crate::lowered::{Item, LoweredTable, Refusal};
use crate::name::Identifier;
use crate::rule::Rule;

/// `not-understood` for each refused item. What only a missing extension explains is left to the service's one
/// `missing-extension`, and what our own reader has already reported is not reported again.
pub(super) fn report(
    sides: &Sides<'_>,
    table: &DeclaredTable,
    details: &TableDetails,
    lowered: &LoweredTable,
    pair: &TablePair,
    findings: &mut Vec<Finding>,
) {
    let own = |refusal: &Refusal| !refusal.missing_extension && !refusal.consequence;
    for (item, refusal) in lowered.refused.iter().filter(|(_, refusal)| own(refusal)) {
        let (object, at, written) = place(table, details, pair, item);
        findings.push(
            Finding::new(Rule::NotUnderstood, sides.name(), object)
                .message(message(&written, refusal))
                .help("write it as PostgreSQL accepts it; until then this item is unknown and is not compared")
                .sides(written, "")
                .in_intent(Some(&at)),
        );
    }
}

fn message(written: &str, refusal: &Refusal) -> String {
    let state = if refusal.sqlstate.is_empty() { String::new() } else { format!(" ({})", refusal.sqlstate) };
    format!("PostgreSQL does not accept {written}: {}{state}", refusal.message)
}

/// The object, the place, and what the author wrote there.
fn place(
    table: &DeclaredTable,
    details: &TableDetails,
    pair: &TablePair,
    item: &Item,
) -> (ObjectPath, Location, String) {
    let column = |name: &Identifier| details.columns.iter().find(|column| &column.name.value == name);
    let member = |kind, name: &Identifier| ObjectPath::member(kind, &pair.declared, name);
    let whole = || (ObjectPath::table(&pair.declared), table.name.at.clone());
    match item {
        Item::Table => (whole().0, whole().1, format!("the table `{}`", table.name.value)),
        Item::PrimaryKey => {
            let at = details.primary_key().next().and_then(|column| column.primary_key.clone());
            (whole().0, at.unwrap_or(whole().1), "the primary key".to_owned())
        }
        Item::Index(name) => {
            let index = details.indexes.iter().find(|index| &index.name.value == name);
            let at = index.map_or_else(|| table.name.at.clone(), |index| index.name.at.clone());
            (member(ObjectKind::Index, name), at, format!("the index `{name}`"))
        }
        Item::Type(name)
        | Item::Default(name)
        | Item::Generated(name)
        | Item::Unique(name)
        | Item::Reference(name)
        | Item::Check(name, _) => {
            let Some(column) = column(name) else { return (whole().0, whole().1, format!("the column `{name}`")) };
            let (what, at) = written(column, item);
            (member(ObjectKind::Column, name), at.unwrap_or_else(|| column.name.at.clone()), what)
        }
    }
}

fn written(column: &crate::declared::DeclaredColumn, item: &Item) -> (String, Option<Location>) {
    let sql = |what: &str, sql: Option<&crate::location::RawSql>| {
        let text = sql.map_or(String::new(), |sql| format!(" `{}`", sql.value));
        (format!("the {what}{text}"), sql.map(|sql| sql.at.clone()))
    };
    match item {
        Item::Type(_) => sql("type", column.type_sql.as_ref()),
        Item::Default(_) => sql("default", column.default.as_ref()),
        Item::Generated(_) => sql("generation expression", column.generated.as_ref()),
        Item::Check(_, position) => {
            ("the check".to_owned(), column.checks.get(*position).map(|check| check.at.clone()))
        }
        Item::Unique(_) => ("UNIQUE here".to_owned(), column.unique.clone()),
        Item::Reference(_) => {
            ("the foreign key".to_owned(), column.references.as_ref().map(|reference| reference.at.clone()))
        }
        Item::Table | Item::PrimaryKey | Item::Index(_) => (format!("the column `{}`", column.name.value), None),
    }
}
