//! What can only be told from the whole intent: what foreign keys point at, and names that must be unique.

use std::collections::{HashMap, HashSet};

use trueup_model::declared::{Aspect, Declared, DeclaredColumn, DeclaredService, DeclaredTable, Reference, Target};
use trueup_model::finding::{Finding, ObjectKind, ObjectPath};
use trueup_model::location::Location;
use trueup_model::name::{Identifier, QualifiedName};
use trueup_model::rule::Rule;

use crate::names;
use crate::report::{Report, quoted, shown};
use crate::service::{Services, schema_of};

/// Resolves the targets of all foreign keys, and refuses index names that PostgreSQL would refuse.
pub(crate) fn resolve(services: Services, report: &mut Report) -> Declared {
    let mut services = services.list;
    let catalog = Catalog::of(&services);
    for (position, service) in services.iter_mut().enumerate() {
        let context = Context { catalog: &catalog, own: position };
        context.references(service, report);
        if service.engine.is_postgres {
            index_names(service, report);
        }
    }
    Declared { services }
}

/// The tables of all services, by name.
struct Catalog {
    services: HashMap<String, usize>,
    schemas: HashMap<Identifier, Vec<usize>>,
    tables: Vec<HashMap<QualifiedName, TableKey>>,
    own_schemas: Vec<Identifier>,
}

/// What a foreign key needs to know of its target.
enum TableKey {
    /// Only listed.
    Unknown,
    /// Detailed: its columns, and how many of them make up its key.
    Known { columns: HashSet<Identifier>, keys: usize },
}

impl Catalog {
    fn of(services: &[DeclaredService]) -> Self {
        let mut schemas: HashMap<Identifier, Vec<usize>> = HashMap::new();
        for (position, service) in services.iter().enumerate() {
            if let Some(schema) = &service.schema {
                schemas.entry(schema.value.clone()).or_default().push(position);
            }
        }
        Self {
            services: services
                .iter()
                .enumerate()
                .map(|(position, service)| (service.name.value.clone(), position))
                .collect(),
            schemas,
            tables: services.iter().map(tables).collect(),
            own_schemas: services.iter().map(schema_of).collect(),
        }
    }

    fn table(&self, service: usize, name: &Identifier) -> Option<&TableKey> {
        self.tables[service].get(&QualifiedName::new(self.own_schemas[service].clone(), name.clone()))
    }
}

fn tables(service: &DeclaredService) -> HashMap<QualifiedName, TableKey> {
    let key = |table: &DeclaredTable| match &table.details {
        None => TableKey::Unknown,
        Some(details) => TableKey::Known {
            columns: details.columns.iter().map(|column| column.name.value.clone()).collect(),
            keys: details.primary_key().count(),
        },
    };
    service.tables.iter().map(|table| (path(table, &schema_of(service)), key(table))).collect()
}

fn path(table: &DeclaredTable, schema: &Identifier) -> QualifiedName {
    QualifiedName::new(table.schema.clone().unwrap_or_else(|| schema.clone()), table.name.value.clone())
}

/// What a target turned out to be.
enum Resolved {
    Target(Target),
    /// The target, and brackets behind it that were a note.
    WithNote(Target, String),
    /// Nothing that can be compared: why, and what to write.
    Refused(String, &'static str),
}

struct Context<'a> {
    catalog: &'a Catalog,
    own: usize,
}

impl Context<'_> {
    fn references(&self, service: &mut DeclaredService, report: &mut Report) {
        let schema = schema_of(service);
        let (name, checked) = (service.name.value.clone(), service.engine.is_postgres);
        for table in &mut service.tables {
            let path = path(table, &schema);
            let Some(details) = &mut table.details else { continue };
            for column in &mut details.columns {
                if let Some(problem) = self.reference(column, &path, &schema, checked) {
                    let object = ObjectPath::member(ObjectKind::Column, &path, &column.name.value);
                    report.finding(not_understood(&name, object, problem));
                }
            }
        }
    }

    fn reference(
        &self,
        column: &mut DeclaredColumn,
        from: &QualifiedName,
        schema: &Identifier,
        checked: bool,
    ) -> Option<Unclear> {
        let Reference { at, target, .. } = column.references.as_mut()?;
        let Target::Missing { text } = &*target else { return None };
        let written = text.clone();
        let resolved = if from.schema == *schema {
            self.target(&written, checked)
        } else {
            Resolved::Refused(
                "stands in a table of another schema than the service's".to_owned(),
                "foreign keys are declared inside the service's schema",
            )
        };
        let problem = match resolved {
            Resolved::Target(resolved) => {
                *target = resolved;
                return None;
            }
            Resolved::WithNote(resolved, note) => {
                *target = resolved;
                column.notes.push(note);
                return None;
            }
            Resolved::Refused(why, help) => Unclear {
                at: at.clone(),
                message: format!("the foreign key to {} {why}", quoted(&written)),
                written,
                help,
            },
        };
        if !checked {
            return None;
        }
        column.references = None;
        column.not_understood.push(Aspect::Reference);
        column.not_understood.sort();
        column.not_understood.dedup();
        Some(problem)
    }

    /// Reads `table`, `table(column)`, `table.column`, `schema.table`, `service`, `service.table`.
    fn target(&self, written: &str, folds: bool) -> Resolved {
        let missing = || Resolved::Target(Target::Missing { text: written.to_owned() });
        let (base, brackets) = split_brackets(written);
        if self.catalog.services.contains_key(base) {
            let own_table = names::name(base, folds).is_ok_and(|name| self.catalog.table(self.own, &name).is_some());
            if !own_table {
                return in_service(base, None, brackets);
            }
        }
        let parts: Option<Vec<Identifier>> =
            names::dotted(base).iter().map(|part| names::name(part, folds).ok()).collect();
        let Some(parts) = parts else { return missing() };
        let found = match parts.as_slice() {
            [table] => self.own_table(table, None, brackets),
            [first, second] => self.two_parts(base, first, second, brackets),
            [schema, table, column] if *schema == self.catalog.own_schemas[self.own] => {
                self.own_table(table, Some(column), brackets)
            }
            _ => None,
        };
        found.unwrap_or_else(missing)
    }

    fn two_parts(
        &self,
        base: &str,
        first: &Identifier,
        second: &Identifier,
        brackets: Option<Brackets<'_>>,
    ) -> Option<Resolved> {
        let own_schema = *first == self.catalog.own_schemas[self.own];
        if let Some(found) = own_schema.then(|| self.own_table(second, None, brackets)).flatten() {
            return Some(found);
        }
        if let Some(found) = self.own_table(first, Some(second), brackets) {
            return Some(found);
        }
        let service = base.split_once('.').map_or(base, |(service, _)| service);
        if let Some(position) = self.catalog.services.get(service) {
            self.catalog.table(*position, second)?;
            return Some(in_service(service, Some(second), brackets));
        }
        // `schema.table` of another service, when only one has such a table.
        let owners = self.catalog.schemas.get(first)?;
        let mut owners = owners.iter().filter(|position| self.catalog.table(**position, second).is_some());
        let (owner, None) = (owners.next()?, owners.next()) else { return None };
        let name = self.catalog.services.iter().find(|(_, position)| *position == owner)?.0;
        Some(in_service(name, Some(second), brackets))
    }

    /// A table of the same service and schema; `None` when there is none, or it has no such column.
    fn own_table(
        &self,
        table: &Identifier,
        column: Option<&Identifier>,
        brackets: Option<Brackets<'_>>,
    ) -> Option<Resolved> {
        let key = self.catalog.table(self.own, table)?;
        let in_brackets = brackets.and_then(|brackets| names::name(brackets.inside, true).ok());
        let column = column.or(in_brackets.as_ref());
        let note = brackets.filter(|brackets| brackets.spaced).map(|brackets| brackets.inside.trim().to_owned());
        let with_note = |target| match note.clone() {
            Some(note) => Resolved::WithNote(target, note),
            None => Resolved::Target(target),
        };
        let TableKey::Known { columns, keys } = key else {
            return Some(with_note(Target::UnknownKey { table: table.clone() }));
        };
        if let Some(column) = column.filter(|column| columns.contains(*column)) {
            return Some(Resolved::Target(Target::Table { table: table.clone(), column: Some(column.clone()) }));
        }
        let misses_column = column.is_some() || brackets.is_some();
        if misses_column && note.is_none() {
            return brackets.filter(|brackets| brackets.inside.contains(',')).map(|_| {
                Resolved::Refused(
                    "has more than one column".to_owned(),
                    "a foreign key over several columns cannot be declared on a column yet",
                )
            });
        }
        Some(match keys {
            0 => with_note(Target::UnknownKey { table: table.clone() }),
            1 => with_note(Target::Table { table: table.clone(), column: None }),
            _ => Resolved::Refused(
                format!("meets a primary key of {keys} columns"),
                "name the one column that is meant: FK -> table(column)",
            ),
        })
    }
}

/// A logical reference; what stands in brackets behind it is a note.
fn in_service(service: &str, table: Option<&Identifier>, brackets: Option<Brackets<'_>>) -> Resolved {
    let target = Target::Service { service: service.to_owned(), table: table.cloned() };
    match brackets {
        Some(brackets) => Resolved::WithNote(target, brackets.inside.trim().to_owned()),
        None => Resolved::Target(target),
    }
}

/// Brackets behind a target.
#[derive(Clone, Copy)]
struct Brackets<'t> {
    inside: &'t str,
    /// They stand apart, and may as well be a note.
    spaced: bool,
}

fn split_brackets(written: &str) -> (&str, Option<Brackets<'_>>) {
    let tokens = crate::prose::lex(written);
    let Some(group) = tokens.last().filter(|token| token.kind == crate::prose::Kind::Group && tokens.len() > 1) else {
        return (written.trim(), None);
    };
    let inside = &written[group.range.start + 1..group.range.end - 1];
    (written[..group.range.start].trim(), Some(Brackets { inside, spaced: group.spaced }))
}

struct Unclear {
    at: Location,
    written: String,
    message: String,
    help: &'static str,
}

fn not_understood(service: &str, object: ObjectPath, unclear: Unclear) -> Finding {
    Finding::new(Rule::NotUnderstood, service, object)
        .message(unclear.message)
        .help(unclear.help)
        .sides(shown(&unclear.written), "")
        .in_intent(Some(&unclear.at))
}

/// Index names are unique in a schema, not only in a table.
fn index_names(service: &mut DeclaredService, report: &mut Report) {
    let schema = schema_of(service);
    let name = service.name.value.clone();
    let mut seen: HashMap<QualifiedName, u32> = HashMap::new();
    for table in &mut service.tables {
        let table_path = path(table, &schema);
        for index in table.details.iter_mut().flat_map(|details| &mut details.indexes) {
            let index_path = QualifiedName::new(table_path.schema.clone(), index.name.value.clone());
            let Some(first) = seen.get(&index_path).copied() else {
                seen.insert(index_path, index.name.at.line);
                continue;
            };
            if !index.not_understood {
                index.not_understood = true;
                let object = ObjectPath::member(ObjectKind::Index, &table_path, &index.name.value);
                let written = index.name.value.as_str().to_owned();
                let message = format!(
                    "another index of this schema has the name {} too; first on line {first}",
                    quoted(&written)
                );
                let help = "give each index of a schema a name of its own";
                report.finding(not_understood(
                    &name,
                    object,
                    Unclear { at: index.name.at.clone(), written, message, help },
                ));
            }
        }
    }
}
