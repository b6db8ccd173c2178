//! One change to a store, and the one finding that it must make.

use fastrand::Rng;

use crate::schema::{Check, Column, Default, Index, Key, Predicate, Store, Table, Type};

/// Which side was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Yaml,
    Sql,
}

/// What a change must be reported as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) rule: &'static str,
    /// `table.member`, or `table`, without the schema; empty for the schema itself.
    pub(crate) object: String,
    /// The same difference where the SQL says it by an index of its own: rule and object.
    pub(crate) or: Option<(&'static str, String)>,
}

impl Expected {
    fn of(rule: &'static str, object: impl Into<String>) -> Self {
        Self { rule, object: object.into(), or: None }
    }
}

/// A kind of change. `None` when this store offers no place for it.
pub(crate) type Mutation = fn(&mut Store, &mut Rng, Side) -> Option<Expected>;

/// Every kind, by its name in the table of the summary.
pub(crate) const KINDS: &[(&str, Mutation)] = &[
    ("drop a table", drop_table),
    ("add a table", add_table),
    ("drop a column", drop_column),
    ("add a column", add_column),
    ("widen a type", widen_type),
    ("change a type", change_type),
    ("flip nullability", flip_nullability),
    ("add a default", add_default),
    ("drop a default", drop_default),
    ("change a default", change_default),
    ("drop UNIQUE", drop_unique),
    ("add UNIQUE", add_unique),
    ("drop a check", drop_check),
    ("add a check", add_check),
    ("change a check", change_check),
    ("drop the primary key", drop_key),
    ("extend the primary key", extend_key),
    ("drop a foreign key", drop_reference),
    ("add a foreign key", add_reference),
    ("retarget a foreign key", retarget_reference),
    ("change ON DELETE", change_on_delete),
    ("drop an index", drop_index),
    ("add an index", add_index),
    ("rename an index", rename_index),
    ("reorder an index", reorder_index),
    ("add an index column", extend_index),
    ("flip an index's order", flip_order),
    ("flip an index's uniqueness", flip_uniqueness),
    ("change an index's predicate", change_predicate),
    ("drop INCLUDE", drop_include),
    ("change an index's method", change_method),
    ("change a generation expression", change_generation),
    ("rename the schema", rename_schema),
];

fn only_on(side: Side, yaml: &'static str, sql: &'static str) -> &'static str {
    // What the YAML lacks, only the SQL has, and the reverse.
    match side {
        Side::Yaml => yaml,
        Side::Sql => sql,
    }
}

fn found(rule: &'static str, table: &Table, member: &str) -> Option<Expected> {
    Some(Expected::of(rule, format!("{}.{member}", table.name)))
}

fn some_table<'a>(store: &'a mut Store, rng: &mut Rng) -> &'a mut Table {
    let position = rng.usize(..store.tables.len());
    &mut store.tables[position]
}

fn pick<T>(items: &[T], rng: &mut Rng, wanted: impl Fn(&T) -> bool) -> Option<usize> {
    let fitting: Vec<_> =
        items.iter().enumerate().filter(|(_, item)| wanted(item)).map(|(position, _)| position).collect();
    (!fitting.is_empty()).then(|| fitting[rng.usize(..fitting.len())])
}

fn drop_table(store: &mut Store, _: &mut Rng, side: Side) -> Option<Expected> {
    // The last one: nothing references it.
    let gone = store.tables.pop().filter(|_| !store.tables.is_empty())?;
    Some(Expected::of(only_on(side, "undeclared-table", "missing-table"), gone.name))
}

fn add_table(store: &mut Store, _: &mut Rng, side: Side) -> Option<Expected> {
    let columns = vec![Column { not_null: true, ..Column::plain("code", Type::Text) }];
    store.tables.push(Table { name: "brand_new".into(), columns, key: vec!["code".into()], indexes: Vec::new() });
    Some(Expected::of(only_on(side, "missing-table", "undeclared-table"), "brand_new"))
}

fn drop_column(store: &mut Store, rng: &mut Rng, side: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let unused: Vec<_> = table.columns.iter().map(|column| !table.uses(&column.name)).collect();
    let names: Vec<_> = table.columns.iter().map(|column| column.name.clone()).collect();
    let position = pick(&names, rng, |name| unused[names.iter().position(|other| other == name).unwrap_or_default()])?;
    let gone = table.columns.remove(position);
    found(only_on(side, "undeclared-column", "missing-column"), table, &gone.name)
}

fn add_column(store: &mut Store, rng: &mut Rng, side: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let not_null = rng.bool();
    table.columns.push(Column { not_null, check: Some(Check::Above(0)), ..Column::plain("added", Type::Integer) });
    found(only_on(side, "missing-column", "undeclared-column"), table, "added")
}

/// A column whose type can change without anything else in the table minding.
fn retypable(table: &Table, rng: &mut Rng) -> Option<usize> {
    let kept = |column: &Column| table.key.contains(&column.name) || column.references.is_some();
    pick(&table.columns, rng, |column| {
        !kept(column) && column.generated.is_none() && column.name != "title" && column.ty.widened().is_some()
    })
}

fn widen_type(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = retypable(table, rng)?;
    table.columns[position].ty = table.columns[position].ty.widened()?;
    let name = table.columns[position].name.clone();
    found("column-type", table, &name)
}

fn change_type(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let unused: Vec<_> =
        table.columns.iter().filter(|column| !table.uses(&column.name)).map(|c| c.name.clone()).collect();
    let position = pick(&table.columns, rng, |column| {
        unused.contains(&column.name)
            && column.default.is_none()
            && column.check.is_none()
            && column.references.is_none()
            && column.generated.is_none()
    })?;
    let column = &mut table.columns[position];
    column.ty = if column.ty == Type::Date { Type::Bigint } else { Type::Date };
    let name = column.name.clone();
    found("column-type", table, &name)
}

fn flip_nullability(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let key = table.key.clone();
    let position = pick(&table.columns, rng, |column| !key.contains(&column.name) && column.generated.is_none())?;
    table.columns[position].not_null ^= true;
    let name = table.columns[position].name.clone();
    found("column-nullability", table, &name)
}

fn add_default(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.columns, rng, |column| {
        column.default.is_none() && column.generated.is_none() && column.references.is_none()
    })?;
    table.columns[position].default = Some(Default(0));
    let name = table.columns[position].name.clone();
    found("column-default", table, &name)
}

fn drop_default(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.columns, rng, |column| column.default.is_some())?;
    table.columns[position].default = None;
    let name = table.columns[position].name.clone();
    found("column-default", table, &name)
}

fn change_default(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let choices = |column: &Column| crate::spelling::default_count(column.ty);
    let position = pick(&table.columns, rng, |column| column.default.is_some() && choices(column) > 1)?;
    let column = &mut table.columns[position];
    column.default = column.default.map(|Default(old)| Default((old + 1) % crate::spelling::default_count(column.ty)));
    let name = column.name.clone();
    found("column-default", table, &name)
}

fn drop_unique(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.columns, rng, |column| column.unique)?;
    table.columns[position].unique = false;
    let name = table.columns[position].name.clone();
    uniqueness(table, &name)
}

/// UNIQUE that only the SQL has is a constraint on the column, or an index with a name of its own.
fn uniqueness(table: &Table, column: &str) -> Option<Expected> {
    let index = format!("{0}.{0}_{column}_ux", table.name);
    Some(Expected { or: Some(("undeclared-index", index)), ..found("unique", table, column)? })
}

fn add_unique(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let indexed: Vec<_> = table
        .indexes
        .iter()
        .filter(|index| index.unique)
        .flat_map(|index| &index.keys)
        .map(|key| key.column.clone())
        .collect();
    let key = table.key.clone();
    let position = pick(&table.columns, rng, |column| {
        !column.unique
            && column.ty != Type::Jsonb
            && column.generated.is_none()
            && !key.contains(&column.name)
            && !indexed.contains(&column.name)
    })?;
    table.columns[position].unique = true;
    let name = table.columns[position].name.clone();
    uniqueness(table, &name)
}

fn drop_check(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.columns, rng, |column| column.check.is_some())?;
    table.columns[position].check = None;
    let name = table.columns[position].name.clone();
    found("check-constraint", table, &name)
}

fn add_check(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.columns, rng, |column| column.check.is_none() && column.ty.is_number())?;
    table.columns[position].check = Some(Check::Above(-7));
    let name = table.columns[position].name.clone();
    found("check-constraint", table, &name)
}

fn change_check(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.columns, rng, |column| column.check.is_some())?;
    let check = table.columns[position].check.as_mut()?;
    *check = match check {
        Check::Range(low, high) => Check::Range(*low, *high + 1),
        Check::Above(low) => Check::Above(*low - 1),
    };
    let name = table.columns[position].name.clone();
    found("check-constraint", table, &name)
}

/// Another table's foreign key needs the key: only the last table, which nothing references, can lose it.
fn drop_key(store: &mut Store, _: &mut Rng, _: Side) -> Option<Expected> {
    let table = store.tables.last_mut()?;
    table.key.clear();
    Some(Expected::of("primary-key", table.name.as_str()))
}

fn extend_key(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = store.tables.last_mut()?;
    let position = pick(&table.columns, rng, |column| {
        column.not_null && column.name != "row_id" && column.ty != Type::Jsonb && column.generated.is_none()
    })?;
    table.key.push(table.columns[position].name.clone());
    Some(Expected::of("primary-key", table.name.as_str()))
}

fn referencing<'a>(store: &'a mut Store, rng: &mut Rng) -> Option<(&'a mut Table, usize)> {
    let position = pick(&store.tables, rng, |table| table.columns.iter().any(|column| column.references.is_some()))?;
    let table = &mut store.tables[position];
    let column = table.columns.iter().position(|column| column.references.is_some())?;
    Some((table, column))
}

fn drop_reference(store: &mut Store, rng: &mut Rng, side: Side) -> Option<Expected> {
    let (table, position) = referencing(store, rng)?;
    table.columns[position].references = None;
    found(only_on(side, "foreign-key", "missing-foreign-key"), table, "parent_id")
}

fn add_reference(store: &mut Store, rng: &mut Rng, side: Side) -> Option<Expected> {
    let target = store.tables.first()?.name.clone();
    let table = some_table(store, rng);
    let key = table.key.clone();
    let position = pick(&table.columns, rng, |column| {
        column.ty == Type::Uuid && column.references.is_none() && !key.contains(&column.name)
    })?;
    table.columns[position].references = Some(crate::schema::Reference { table: target, on_delete: None });
    let name = table.columns[position].name.clone();
    found(only_on(side, "missing-foreign-key", "foreign-key"), table, &name)
}

fn retarget_reference(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let (table, position) = referencing(store, rng)?;
    let own = table.name.clone();
    let reference = table.columns[position].references.as_mut()?;
    // To itself: always there, and never what it was.
    reference.table = own;
    found("foreign-key", table, "parent_id")
}

fn change_on_delete(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let (table, position) = referencing(store, rng)?;
    let reference = table.columns[position].references.as_mut()?;
    reference.on_delete = if reference.on_delete == Some("CASCADE") { None } else { Some("CASCADE") };
    found("foreign-key", table, "parent_id")
}

fn drop_index(store: &mut Store, rng: &mut Rng, side: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.indexes, rng, |_| true)?;
    let gone = table.indexes.remove(position);
    found(only_on(side, "undeclared-index", "missing-index"), table, &gone.name)
}

fn add_index(store: &mut Store, rng: &mut Rng, side: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let key = |column: &str| Key { column: column.into(), descending: false, nulls_last: false };
    table.indexes.push(Index {
        name: "idx_added".into(),
        keys: vec![key("title"), key("rating"), key("spare_note")],
        unique: rng.bool(),
        method: None,
        predicate: None,
        include: Vec::new(),
    });
    found(only_on(side, "missing-index", "undeclared-index"), table, "idx_added")
}

fn rename_index(store: &mut Store, rng: &mut Rng, side: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    // A unique index under another name is told by its columns, like a constraint.
    let position = pick(&table.indexes, rng, |index| !index.unique)?;
    let former = std::mem::replace(&mut table.indexes[position].name, "idx_renamed".into());
    let declared = if side == Side::Yaml { "idx_renamed".to_owned() } else { former };
    found("index-name", table, &declared)
}

fn definition(table: &Table, position: usize) -> Option<Expected> {
    found("index-definition", table, &table.indexes[position].name)
}

fn reorder_index(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.indexes, rng, |index| index.keys.len() > 1)?;
    table.indexes[position].keys.reverse();
    definition(table, position)
}

fn extend_index(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.indexes, rng, |index| index.method.is_none())?;
    table.indexes[position].keys.push(Key { column: "row_id".into(), descending: false, nulls_last: false });
    definition(table, position)
}

fn flip_order(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.indexes, rng, |index| index.method.is_none())?;
    let key = table.indexes[position].keys.first_mut()?;
    *key = Key { descending: !key.descending, nulls_last: false, ..key.clone() };
    definition(table, position)
}

fn flip_uniqueness(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.indexes, rng, |index| index.method.is_none() && index.predicate.is_none())?;
    table.indexes[position].unique ^= true;
    definition(table, position)
}

fn change_predicate(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.indexes, rng, |index| index.predicate.is_some())?;
    let index = &mut table.indexes[position];
    index.predicate = match (&index.predicate, rng.bool()) {
        (_, true) => None,
        (Some(Predicate::IsNull(_)), _) => Some(Predicate::Equals("title".into(), "closed")),
        _ => Some(Predicate::IsNull("spare_note".into())),
    };
    definition(table, position)
}

fn drop_include(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let position = pick(&table.indexes, rng, |index| !index.include.is_empty())?;
    table.indexes[position].include.clear();
    definition(table, position)
}

fn change_method(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let table = some_table(store, rng);
    let plain = |index: &Index| {
        let keys = index.keys.len() == 1 && !index.keys[0].descending;
        keys && !index.unique && index.method.is_none() && index.predicate.is_none() && index.include.is_empty()
    };
    let position = pick(&table.indexes, rng, plain)?;
    table.indexes[position].method = Some("HASH");
    definition(table, position)
}

fn change_generation(store: &mut Store, rng: &mut Rng, _: Side) -> Option<Expected> {
    let position = pick(&store.tables, rng, |table| table.columns.iter().any(|column| column.generated.is_some()))?;
    let table = &mut store.tables[position];
    let column = table.columns.iter_mut().find(|column| column.generated.is_some())?;
    column.generated = if rng.bool() { None } else { Some("spare_note".into()) };
    found("generated-column", table, "title_lower")
}

fn rename_schema(store: &mut Store, _: &mut Rng, _: Side) -> Option<Expected> {
    store.schema.push_str("_v2");
    Some(Expected::of("schema-name", ""))
}
