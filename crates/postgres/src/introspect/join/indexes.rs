//! Indexes and their keys.

use std::collections::HashMap;

use trueup_model::name::QualifiedName;

use super::super::{raw, row};
use super::{Names, collation};

/// Indexes under their tables. Those of TOAST tables, and of whatever else was not read, have no row of their own.
pub(super) fn indexes(
    rows: Vec<raw::Index>,
    classes: &[raw::Class],
    inherits: &[raw::Inherits],
    names: &Names,
) -> HashMap<i64, Vec<row::Index>> {
    let classes: HashMap<_, _> = classes.iter().map(|row| (row.oid, row)).collect();
    let parents: HashMap<_, _> = inherits.iter().map(|row| (row.child, row.parent)).collect();
    let mut indexes: HashMap<i64, Vec<row::Index>> = HashMap::new();
    for row in rows {
        let Some(class) = classes.get(&row.oid) else { continue };
        let parent = parents.get(&row.oid).and_then(|parent| names.relations.get(parent));
        indexes.entry(row.relation).or_default().push(index(row, class, parent.cloned(), names));
    }
    indexes
}

fn index(row: raw::Index, class: &raw::Class, parent: Option<QualifiedName>, names: &Names) -> row::Index {
    row::Index {
        raw: row,
        name: class.name.clone(),
        method: names.methods.get(&class.access_method).cloned().unwrap_or_default(),
        method_oid: class.access_method,
        options: class.options.clone(),
        tablespace: class.tablespace.clone(),
        parent,
        class_xmin: class.xmin,
    }
}

/// The keys of every index, in order.
pub(super) fn keys(
    indexes: &HashMap<i64, Vec<row::Index>>,
    attributes: &[raw::Attribute],
    classes: &[raw::OperatorClass],
) -> HashMap<i64, Vec<row::IndexKey>> {
    let attributes = attributes.iter().map(|row| ((row.relation, row.number), row)).collect();
    let classes = Classes::new(classes);
    let keys = indexes.values().flatten().map(|index| {
        let keys = (0..index.raw.key_count).filter_map(|position| key(index, position, &attributes, &classes));
        (index.raw.oid, keys.collect())
    });
    keys.collect()
}

fn key(
    index: &row::Index,
    position: usize,
    attributes: &HashMap<(i64, i16), &raw::Attribute>,
    classes: &Classes<'_>,
) -> Option<row::IndexKey> {
    let number = *index.raw.columns.get(position)?;
    let own = attributes.get(&(index.raw.oid, i16::try_from(position + 1).ok()?))?;
    // 0 is an expression.
    let column = attributes.get(&(index.raw.relation, number)).filter(|_| number != 0);
    let inherited = column.map_or(own.type_collation, |column| column.collation);
    Some(row::IndexKey {
        position: position + 1,
        expression: index.raw.expressions.iter().flatten().nth(position).cloned().flatten(),
        flags: index.raw.flags.get(position).copied().unwrap_or_default(),
        operator_class: classes.unless_default(index, position, own, column.copied()),
        operator_class_options: own.options.clone(),
        collation: collation(own).filter(|_| own.collation != inherited),
        statistics: own.statistics,
    })
}

/// Operator classes, and the types that have a default one, by access method.
struct Classes<'a> {
    by_oid: HashMap<i64, &'a raw::OperatorClass>,
    defaults: std::collections::HashSet<(i64, i64)>,
}

impl<'a> Classes<'a> {
    fn new(classes: &'a [raw::OperatorClass]) -> Self {
        let defaults = classes.iter().filter(|class| class.default).map(|class| (class.method, class.input));
        Self { defaults: defaults.collect(), by_oid: classes.iter().map(|class| (class.oid, class)).collect() }
    }

    /// The name of a key's operator class, unless it goes without saying.
    fn unless_default(
        &self,
        index: &row::Index,
        position: usize,
        own: &raw::Attribute,
        column: Option<&raw::Attribute>,
    ) -> Option<String> {
        let class = self.by_oid.get(index.raw.classes.get(position)?)?;
        let key_type = column.map_or(own.type_oid, |column| column.type_oid);
        // A default of a type that this one only resembles (name as text) needs saying while it has one of its own.
        let has_own = column.is_some_and(|column| self.defaults.contains(&(index.method_oid, column.type_oid)));
        let implied = class.default && own.options.is_none() && (class.input == key_type || !has_own);
        (!implied).then(|| class.name.clone())
    }
}
