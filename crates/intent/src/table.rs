//! The tables of a service: names under `tables`, details under `table_details`.

use std::collections::{HashMap, HashSet};

use trueup_model::declared::{DeclaredColumn, DeclaredIndex, DeclaredTable, IndexTerm, TableDetails};
use trueup_model::finding::ObjectPath;
use trueup_model::location::{Located, Location};
use trueup_model::name::{Identifier, QualifiedName};

use crate::column::{self, Owner};
use crate::document::{Entry, Mark, Node, Text, Value};
use crate::report::{Problem, Scope, nearest, quoted};
use crate::{fields, index, names};

/// The keys of a table in `table_details`.
pub(crate) const KEYS: [&str; 4] = ["description", "columns", "indexes", "renamed_from"];

/// Puts `tables` and `table_details` together, in the order of `tables`, then of `table_details`.
pub(crate) fn read(
    listed: Option<&Node>,
    detailed: Option<&Node>,
    schema: &Identifier,
    scope: &mut Scope<'_>,
) -> Vec<DeclaredTable> {
    let mut tables = Tables { schema, tables: Vec::new(), positions: HashMap::new() };
    let file = scope.file;
    for item in listed.map_or(&[][..], |node| fields::items(node, "`tables`", scope)) {
        match Text::of(item, file) {
            Some(text) => tables.listed(text.text, item.at, scope),
            None => scope.wrong_type(item, "an item of `tables`", "the name of a table"),
        }
    }
    let Some(detailed) = detailed.filter(|node| !node.is_null()) else { return tables.tables };
    match &detailed.value {
        Value::Mapping(entries) => entries.iter().for_each(|entry| tables.detailed(entry, scope)),
        _ => scope.wrong_type(detailed, "`table_details`", "a mapping from table names to their details"),
    }
    tables.tables
}

struct Tables<'a> {
    /// The schema of tables that name none.
    schema: &'a Identifier,
    tables: Vec<DeclaredTable>,
    positions: HashMap<QualifiedName, usize>,
}

impl Tables<'_> {
    fn listed(&mut self, text: &str, at: Mark, scope: &mut Scope<'_>) {
        let Some((path, schema, name)) = self.name(text, at, scope) else { return };
        if !self.positions.contains_key(&path) {
            self.push(path, empty(name, schema));
        }
    }

    fn detailed(&mut self, entry: &Entry, scope: &mut Scope<'_>) {
        if fields::is_private(&entry.key) {
            return;
        }
        let Some((path, schema, name)) = self.name(&entry.key, entry.key_at, scope) else { return };
        let mut scope = scope.about(ObjectPath::table(&path));
        let mut table = empty(name, schema);
        details(&entry.value, &path, &mut table, &mut scope);
        let Some(position) = self.positions.get(&path).copied() else {
            self.push(path, table);
            return;
        };
        let known = &mut self.tables[position];
        if known.details.is_some() || known.description.is_some() {
            let message =
                format!("the table {} is detailed twice; first on line {}", quoted(&entry.key), known.name.at.line);
            let help = "keep one; names are not case sensitive unless they stand in double quotes";
            scope.not_understood(&[Problem::new(table.name.at, &entry.key, message, help)]);
        } else {
            *known = table;
        }
    }

    fn push(&mut self, path: QualifiedName, table: DeclaredTable) {
        self.positions.insert(path, self.tables.len());
        self.tables.push(table);
    }

    /// The table's full name, the schema it was written with, and its own name.
    fn name(
        &self,
        text: &str,
        at: Mark,
        scope: &mut Scope<'_>,
    ) -> Option<(QualifiedName, Option<Identifier>, Located<Identifier>)> {
        let at = scope.at(at);
        let (schema, name) = match names::qualified(text, scope.checked) {
            Ok(parts) => parts,
            Err(refused) => {
                let label = refused.cut.clone().unwrap_or_else(|| names::stand_in(text));
                let path = QualifiedName::new(self.schema.clone(), label);
                let message = format!("the table name {} {}", quoted(text), refused.message);
                let problem = Problem::new(at.clone(), text, message, refused.help);
                scope.about(ObjectPath::table(&path)).not_understood(&[problem]);
                (None, refused.cut?)
            }
        };
        let path = QualifiedName::new(schema.clone().unwrap_or_else(|| self.schema.clone()), name.clone());
        Some((path, schema, Located::new(name, at)))
    }
}

fn empty(name: Located<Identifier>, schema: Option<Identifier>) -> DeclaredTable {
    DeclaredTable { name, schema, renamed_from: None, description: None, details: None }
}

fn details(node: &Node, path: &QualifiedName, table: &mut DeclaredTable, scope: &mut Scope<'_>) {
    if node.is_null() {
        return;
    }
    let Some(entries) = fields::entries(node) else {
        scope.wrong_type(node, "a table", "a mapping with `columns` and `indexes`");
        return;
    };
    let (mut columns, mut indexes) = (None, None);
    for entry in entries {
        match &*entry.key {
            "description" => table.description = fields::prose(&entry.value, "`description`", scope),
            "columns" => columns = Some(&entry.value),
            "indexes" => indexes = Some(&entry.value),
            "renamed_from" => table.renamed_from = renamed_from(&entry.value, scope),
            key if fields::is_private(key) => {}
            key => scope.unknown_key(key, entry.key_at, &KEYS),
        }
    }
    let columns = columns.filter(|node| !node.is_null());
    let indexes = indexes.filter(|node| !node.is_null());
    if columns.is_none() {
        if let Some(indexes) = indexes {
            let message = "the table has indexes and no columns, so its indexes cannot be compared";
            let help = "list the table's columns, or take its indexes out";
            let problem = Problem::new(scope.at(indexes.at), "indexes", message, help);
            scope.not_understood(&[problem]);
        }
        return;
    }
    table.details = Some(members(columns, indexes, path, scope));
}

/// `renamed_from` of anything that has a name.
pub(crate) fn renamed_from(node: &Node, scope: &mut Scope<'_>) -> Option<Located<Identifier>> {
    let file = scope.file;
    if node.is_null() {
        return None;
    }
    let Some(text) = Text::of(node, file) else {
        scope.wrong_type(node, "`renamed_from`", "text");
        return None;
    };
    let mut problems = Vec::new();
    let name = fields::name(text, "former name", scope.checked, &mut problems);
    scope.not_understood(&problems);
    name
}

fn members(
    columns: Option<&Node>,
    indexes: Option<&Node>,
    path: &QualifiedName,
    scope: &mut Scope<'_>,
) -> TableDetails {
    let column_nodes = columns.map_or(&[][..], |node| list(node, "`columns`", scope));
    let names: HashSet<Identifier> =
        column_nodes.iter().filter_map(|node| column::name_of(node, scope.checked)).collect();
    let all_named = names.len() == column_nodes.len();
    let owner = Owner { table: path, columns: &names };
    let columns = column_nodes.iter().filter_map(|node| column::read(node, &owner, scope)).collect();
    let columns = once(columns, "column", |column: &DeclaredColumn| &column.name, scope);
    let index_nodes = indexes.map_or(&[][..], |node| list(node, "`indexes`", scope));
    let mut indexes: Vec<DeclaredIndex> =
        index_nodes.iter().filter_map(|node| index::read(node, path, scope)).collect();
    if all_named && scope.checked {
        for index in &mut indexes {
            refuse_unknown_columns(index, &names, path, scope);
        }
    }
    TableDetails { columns, indexes: once(indexes, "index", |index| &index.name, scope) }
}

fn list<'a>(node: &'a Node, what: &str, scope: &mut Scope<'_>) -> &'a [Node] {
    match &node.value {
        Value::Sequence(items) => items,
        _ => {
            scope.wrong_type(node, what, "a list");
            &[]
        }
    }
}

/// Leaves out members whose name another one before has, and reports them.
fn once<T>(members: Vec<T>, what: &str, name: impl Fn(&T) -> &Located<Identifier>, scope: &mut Scope<'_>) -> Vec<T> {
    let mut seen: HashMap<Identifier, Location> = HashMap::new();
    let mut kept = Vec::new();
    for member in members {
        let Located { value, at } = name(&member).clone();
        if let Some(first) = seen.get(&value) {
            let message = format!(
                "the {what} {} stands twice in this table; first on line {}",
                quoted(value.as_str()),
                first.line
            );
            let problem = Problem::new(at, value.as_str(), message, "keep one of the two");
            let mut path = scope.object.path.clone();
            path.push(value);
            let kind = if what == "index" {
                trueup_model::finding::ObjectKind::Index
            } else {
                trueup_model::finding::ObjectKind::Column
            };
            scope.about(ObjectPath::new(kind, path)).not_understood(&[problem]);
        } else {
            seen.insert(value, at);
            kept.push(member);
        }
    }
    kept
}

/// An index over a column that its table does not have cannot be built.
fn refuse_unknown_columns(
    index: &mut DeclaredIndex,
    names: &HashSet<Identifier>,
    path: &QualifiedName,
    scope: &mut Scope<'_>,
) {
    let keys = index.keys.iter().filter_map(|key| match &key.term {
        IndexTerm::Column(name) => Some((name, &key.at)),
        IndexTerm::Expression(_) => None,
    });
    let included = index.include.iter().map(|included| (&included.value, &included.at));
    let known: Vec<&str> = names.iter().map(Identifier::as_str).collect();
    let problems: Vec<Problem> = keys
        .chain(included)
        .filter(|(name, _)| !names.contains(*name))
        .map(|(name, at)| {
            let message = format!("the table declares no column {}", quoted(name.as_str()));
            let help = match nearest(name.as_str(), &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "declare the column, or take it out of the index".to_owned(),
            };
            Problem::new(at.clone(), name.as_str(), message, help)
        })
        .collect();
    if !problems.is_empty() && !index.not_understood {
        let object = ObjectPath::member(trueup_model::finding::ObjectKind::Index, path, &index.name.value);
        scope.about(object).not_understood(&problems);
        index.not_understood = true;
    }
}
