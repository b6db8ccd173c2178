//! Logical references: documented, never a database constraint, and still expected to hold.

use std::collections::BTreeMap;

use crate::declared::{Declared, DeclaredColumn, DeclaredService, DeclaredTable, Reference, Target};
use crate::finding::{Finding, ObjectKind, ObjectPath};
use crate::name::{Identifier, QualifiedName};
use crate::rule::Rule;

/// The types of declared columns as PostgreSQL prints them: service, table, column to type. Columns whose type is not
/// known are left out.
pub type KeyTypes = BTreeMap<(String, Identifier, Identifier), String>;

/// `logical-reference`, over all services: the target exists, and its type matches where its key is known.
pub fn logical_references(declared: &Declared, types: &KeyTypes) -> Vec<Finding> {
    let mut findings = Vec::new();
    for service in declared.services.iter().filter(|service| service.engine.is_postgres) {
        for table in &service.tables {
            let columns = table.details.iter().flat_map(|details| &details.columns);
            for (column, reference) in columns.filter_map(|column| Some((column, column.references.as_ref()?))) {
                let here = Here { declared, types, service, table, column, reference };
                findings.extend(check(&here));
            }
        }
    }
    findings
}

struct Here<'a> {
    declared: &'a Declared,
    types: &'a KeyTypes,
    service: &'a DeclaredService,
    table: &'a DeclaredTable,
    column: &'a DeclaredColumn,
    reference: &'a Reference,
}

fn check(here: &Here<'_>) -> Option<Finding> {
    match &here.reference.target {
        Target::Missing { text } => Some(
            finding(here)
                .message(format!(
                    "`{}` references `{text}`, which is neither a table of the service nor a service",
                    path(here)
                ))
                .help("name a table that `tables` or `table_details` lists, or a service of the intent")
                .sides(text.as_str(), ""),
        ),
        Target::Service { service, table } => {
            let target = here.declared.services.iter().find(|other| &other.name.value == service);
            match target {
                None => Some(
                    finding(here)
                        .message(format!(
                            "`{}` references service `{service}`, which the intent does not have",
                            path(here)
                        ))
                        .help("correct the name of the service, or add the service to the intent")
                        .sides(service.as_str(), ""),
                ),
                Some(target) => in_service(here, target, table.as_ref()),
            }
        }
        Target::Table { .. } | Target::UnknownKey { .. } => None,
    }
}

fn in_service(here: &Here<'_>, target: &DeclaredService, table: Option<&Identifier>) -> Option<Finding> {
    if let Some(table) = table.filter(|table| target.tables.iter().all(|other| &other.name.value != *table)) {
        return Some(
            finding(here)
                .message(format!(
                    "`{}` references `{}.{table}`, and that service declares no such table",
                    path(here),
                    target.name.value
                ))
                .help("correct the name of the table, or declare it in the other service")
                .sides(format!("{}.{table}", target.name.value), ""),
        );
    }
    let (table, key) = key_of(target, table, &here.column.name.value)?;
    let own = here.types.get(&(
        here.service.name.value.clone(),
        here.table.name.value.clone(),
        here.column.name.value.clone(),
    ))?;
    let other = here.types.get(&(target.name.value.clone(), table.clone(), key.clone()))?;
    (own != other).then(|| {
        finding(here)
            .message(format!(
                "`{}` is {own}, but `{key}` of `{}.{table}`, which it references, is {other}",
                path(here),
                target.name.value
            ))
            .help("give both the same type, so that the values can correspond")
            .sides(own, other)
    })
}

/// The referenced key, where it is known: the named table's single key; else the one table whose single key has the
/// referencing column's name. The dialect names a service only, so nothing more can be inferred without guessing.
fn key_of<'a>(
    target: &'a DeclaredService,
    table: Option<&Identifier>,
    column: &Identifier,
) -> Option<(&'a Identifier, &'a Identifier)> {
    let keys = target.tables.iter().filter_map(|candidate| {
        let mut key = candidate.details.as_ref()?.primary_key();
        let first = key.next()?;
        key.next().is_none().then_some((&candidate.name.value, &first.name.value))
    });
    let mut fitting = keys.filter(|(candidate, key)| match table {
        Some(table) => *candidate == table,
        None => *key == column,
    });
    let found = fitting.next()?;
    fitting.next().is_none().then_some(found)
}

fn finding(here: &Here<'_>) -> Finding {
    Finding::new(Rule::LogicalReference, &here.service.name.value, path(here)).in_intent(Some(&here.reference.at))
}

fn path(here: &Here<'_>) -> ObjectPath {
    let own = here.table.schema.clone();
    let schema = own.or_else(|| here.service.schema.as_ref().map(|schema| schema.value.clone()));
    let table =
        QualifiedName { schema: schema.unwrap_or_else(|| "public".into()), name: here.table.name.value.clone() };
    ObjectPath::member(ObjectKind::Column, &table, &here.column.name.value)
}
