//! The changes of a service as rows, for the page and for the Markdown.

use trueup_model::location::Location;

use super::words::summary;
use super::{Comparison, Detail, Difference, MemberKind, ServiceChange, Sign, TableChange};
use crate::source::SourceLinks;
use crate::text::count;

/// One thing that changed.
pub(super) struct Row<'a> {
    pub(super) sign: Sign,
    /// `table`, `column`, `index` or `service`.
    pub(super) kind: &'static str,
    /// With its table's.
    pub(super) name: String,
    pub(super) former: Option<String>,
    pub(super) details: &'a [Detail],
    /// What a table that is new or gone has.
    pub(super) has: String,
    /// Where it is declared, and where that can be looked at.
    pub(super) at: Option<(&'a Location, Option<&'a SourceLinks>)>,
}

/// How much changed, as a sentence.
pub(super) fn sentence(difference: &Difference<'_>) -> String {
    if difference.is_empty() {
        return "Nothing is different: the same services, tables, columns and indexes are declared.".to_owned();
    }
    let (services, parts) = (count(difference.services.len(), "service"), summary(difference));
    let verb = if difference.services.len() == 1 { "differs" } else { "differ" };
    if parts.is_empty() { format!("{services} {verb}.") } else { format!("{services} {verb}: {parts}.") }
}

/// The rows of a service. Members of a table that is new or gone have none: it says which they are.
pub(super) fn of<'a>(comparison: &Comparison<'a>, change: &'a ServiceChange<'a>) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    if !change.details.is_empty() || change.tables.is_empty() {
        let at = change.after.or(change.before).map(|service| &service.name.at);
        rows.push(Row {
            sign: change.sign,
            kind: "service",
            name: change.name.to_owned(),
            former: None,
            details: &change.details,
            has: String::new(),
            at: at.map(|at| (at, source(comparison, change.sign))),
        });
    }
    change.tables.iter().for_each(|table| of_table(comparison, table, &mut rows));
    rows
}

fn of_table<'a>(comparison: &Comparison<'a>, table: &'a TableChange<'a>, rows: &mut Vec<Row<'a>>) {
    let is_whole = table.sign != Sign::Changed;
    if is_whole || !table.details.is_empty() {
        rows.push(Row {
            sign: table.sign,
            kind: "table",
            name: table.title.clone(),
            former: None,
            details: if is_whole { &[] } else { &table.details },
            has: if is_whole { has(table) } else { String::new() },
            at: Some((table.at, source(comparison, table.sign))),
        });
    }
    for member in table.members.iter().filter(|_| !is_whole) {
        rows.push(Row {
            sign: member.sign,
            kind: match member.kind {
                MemberKind::Column => "column",
                MemberKind::Index => "index",
            },
            name: format!("{}.{}", table.title, member.name),
            former: member.former.map(str::to_owned),
            details: &member.details,
            has: String::new(),
            at: Some((member.at, source(comparison, member.sign))),
        });
    }
}

/// Lines of what is gone are in the former state.
fn source<'a>(comparison: &Comparison<'a>, sign: Sign) -> Option<&'a SourceLinks> {
    if sign == Sign::Removed { comparison.before.source } else { comparison.after.source }
}

/// `2 columns: id, due; 1 index: i`.
fn has(table: &TableChange<'_>) -> String {
    let names = |kind: MemberKind| {
        table.members.iter().filter(|member| member.kind == kind).map(|member| member.name).collect::<Vec<_>>()
    };
    let kinds = [("column", names(MemberKind::Column)), ("index", names(MemberKind::Index))];
    let some = kinds.iter().filter(|(_, names)| !names.is_empty());
    let parts: Vec<String> =
        some.map(|(noun, names)| format!("{}: {}", count(names.len(), noun), names.join(", "))).collect();
    if parts.is_empty() { "only listed, without columns".to_owned() } else { parts.join("; ") }
}
