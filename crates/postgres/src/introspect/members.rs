//! Constraints, indexes, triggers and policies: what hangs on a table or a view.

use std::collections::HashSet;

use trueup_model::canonical::{
    Attributes, CheckConstraint, Exclusion, ForeignKey, Index, IndexColumn, Key, Policy, Trigger,
};
use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::name::{Identifier, QualifiedName};

use super::attributes::Collected;
use super::catalog::{Catalog, sorted};
use super::row;
use super::written::Written;

/// `indoption`: DESC.
const INDOPTION_DESC: i16 = 1;
/// `indoption`: NULLS FIRST.
const INDOPTION_NULLS_FIRST: i16 = 2;

/// The constraints of one table, by kind and then by name, and the indexes that stand behind them.
#[derive(Default)]
pub(super) struct Constraints {
    pub primary_key: Option<Key>,
    pub unique: Vec<Key>,
    pub foreign_keys: Vec<ForeignKey>,
    pub checks: Vec<CheckConstraint>,
    pub exclusions: Vec<Exclusion>,
    backing: HashSet<i64>,
}

/// Takes a table's constraints out of the catalog.
pub(super) fn constraints(catalog: &mut Catalog, written: &mut Written, relation: &row::Relation) -> Constraints {
    let mut rows = catalog.constraints.remove(&relation.raw.oid).unwrap_or_default();
    rows.sort_by(|a, b| a.raw.name.cmp(&b.raw.name));
    let table = relation.qualified();
    let mut all = Constraints::default();
    for row in rows {
        let name = Identifier::from(row.raw.name.as_str());
        written.note(|| ObjectPath::member(ObjectKind::Constraint, &table, &name), [row.raw.xmin]);
        let comment = catalog.comment("pg_constraint", row.raw.oid, 0);
        match row.raw.kind {
            'p' => all.primary_key = Some(all.key(catalog, row, comment)),
            'u' => {
                let key = all.key(catalog, row, comment);
                all.unique.push(key);
            }
            'x' => {
                let exclusion = all.exclusion(catalog, row, comment);
                all.exclusions.push(exclusion);
            }
            'f' => all.foreign_keys.extend(foreign_key(catalog, row, comment)),
            _ => all.checks.push(check(catalog, row, comment)),
        }
    }
    all
}

impl Constraints {
    fn key(&mut self, catalog: &Catalog, row: row::Constraint, comment: Option<String>) -> Key {
        let index = self.index_behind(catalog, &row);
        Key {
            name: row.raw.name.into(),
            columns: catalog.column_names(row.raw.relation, &row.raw.columns),
            include: index.map(|index| include(catalog, index)).unwrap_or_default(),
            nulls_not_distinct: index.is_some_and(|index| index.raw.nulls_not_distinct),
            deferrable: row.raw.deferrable,
            deferred: row.raw.deferred,
            without_overlaps: row.raw.period,
            attributes: index.map(backing_attributes).unwrap_or_default(),
            comment,
        }
    }

    fn exclusion(&mut self, catalog: &Catalog, row: row::Constraint, comment: Option<String>) -> Exclusion {
        let index = self.index_behind(catalog, &row);
        Exclusion {
            name: row.raw.name.into(),
            definition: row.raw.definition.unwrap_or_default(),
            attributes: index.map(backing_attributes).unwrap_or_default(),
            comment,
        }
    }

    /// Finds the index behind a key, and remembers that it is none of its own.
    fn index_behind<'a>(&mut self, catalog: &'a Catalog, row: &row::Constraint) -> Option<&'a row::Index> {
        self.backing.insert(row.raw.index);
        catalog.indexes.get(&row.raw.relation)?.iter().find(|index| index.raw.oid == row.raw.index)
    }
}

fn include(catalog: &Catalog, index: &row::Index) -> Vec<Identifier> {
    catalog.column_names(index.raw.relation, index.raw.columns.get(index.raw.key_count..).unwrap_or_default())
}

fn backing_attributes(index: &row::Index) -> Attributes {
    index_attributes(index)
        .list("options", index.options.clone())
        .text("attached-to", index.parent.as_ref())
        .flag("invalid", !index.raw.valid)
        .done()
}

fn index_attributes(index: &row::Index) -> Collected {
    Collected::default()
        .text("tablespace", index.tablespace.as_ref())
        .flag("clustered", index.raw.clustered)
        .flag("replica-identity", index.raw.replica_identity)
}

fn foreign_key(catalog: &Catalog, row: row::Constraint, comment: Option<String>) -> Option<ForeignKey> {
    let target = row.target?;
    let set = catalog.column_names(row.raw.relation, row.raw.set_columns.as_deref().unwrap_or_default());
    Some(ForeignKey {
        columns: catalog.column_names(row.raw.relation, &row.raw.columns),
        name: row.raw.name.into(),
        target,
        target_columns: row.target_columns,
        on_update: action(&row.raw.on_update).to_owned(),
        on_delete: with_columns(action(&row.raw.on_delete), &set),
        match_full: row.raw.match_full,
        deferrable: row.raw.deferrable,
        deferred: row.raw.deferred,
        validated: row.raw.validated,
        enforced: row.raw.enforced,
        period: row.raw.period,
        comment,
    })
}

/// `confupdtype` and `confdeltype` in words.
fn action(code: &str) -> &'static str {
    match code {
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        "d" => "SET DEFAULT",
        _ => "NO ACTION",
    }
}

fn with_columns(action: &str, columns: &[Identifier]) -> String {
    if columns.is_empty() {
        return action.to_owned();
    }
    let columns: Vec<_> = columns.iter().map(Identifier::quoted).collect();
    format!("{action} ({})", columns.join(", "))
}

fn check(catalog: &Catalog, mut row: row::Constraint, comment: Option<String>) -> CheckConstraint {
    row.raw.columns.sort_unstable();
    CheckConstraint {
        columns: catalog.column_names(row.raw.relation, &row.raw.columns),
        name: row.raw.name.into(),
        expression: row.raw.definition.unwrap_or_default(),
        no_inherit: row.raw.no_inherit,
        inherited: row.raw.inherited,
        validated: row.raw.validated,
        enforced: row.raw.enforced,
        comment,
    }
}

/// Takes the indexes that stand behind no constraint out of the catalog, by name.
pub(super) fn indexes(
    catalog: &mut Catalog,
    written: &mut Written,
    relation: &row::Relation,
    constraints: &Constraints,
) -> Vec<Index> {
    let mut rows = catalog.indexes.remove(&relation.raw.oid).unwrap_or_default();
    rows.retain(|row| !constraints.backing.contains(&row.raw.oid));
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let table = relation.qualified();
    rows.into_iter()
        .map(|row| {
            let name = Identifier::from(row.name.as_str());
            let xmins = [row.class_xmin, row.raw.xmin];
            written.note(|| ObjectPath::member(ObjectKind::Index, &table, &name), xmins);
            index(catalog, row)
        })
        .collect()
}

fn index(catalog: &mut Catalog, row: row::Index) -> Index {
    let mut keys = catalog.index_keys.remove(&row.raw.oid).unwrap_or_default();
    keys.sort_by_key(|key| key.position);
    let statistics = keys.iter().filter_map(|key| Some(format!("{} {}", key.position, key.statistics?))).collect();
    let attributes = index_attributes(&row).list("statistics", Some(statistics)).done();
    Index {
        include: include(catalog, &row),
        keys: keys.into_iter().filter_map(|key| index_column(catalog, &row, key)).collect(),
        comment: catalog.comment("pg_class", row.raw.oid, 0),
        attached_to: row.parent.clone(),
        name: row.name.into(),
        method: row.method,
        unique: row.raw.unique,
        nulls_not_distinct: row.raw.nulls_not_distinct,
        predicate: row.raw.predicate,
        valid: row.raw.valid,
        options: sorted(row.options),
        attributes,
    }
}

fn index_column(catalog: &Catalog, index: &row::Index, key: row::IndexKey) -> Option<IndexColumn> {
    let number = *index.raw.columns.get(key.position.checked_sub(1)?)?;
    let is_column = key.expression.is_none();
    let term = match key.expression {
        Some(expression) => expression,
        None => catalog.column_name(index.raw.relation, number)?.as_str().to_owned(),
    };
    let options = sorted(key.operator_class_options);
    let class = match (key.operator_class, options.is_empty()) {
        (class, true) => class,
        (class, false) => Some(format!("{} ({})", class.unwrap_or_default(), options.join(", "))),
    };
    Some(IndexColumn {
        term,
        is_column,
        descending: key.flags & INDOPTION_DESC != 0,
        nulls_first: key.flags & INDOPTION_NULLS_FIRST != 0,
        operator_class: class,
        collation: key.collation,
    })
}

/// Takes the triggers of a table or view out of the catalog, by name.
pub(super) fn triggers(catalog: &mut Catalog, written: &mut Written, relation: &row::Relation) -> Vec<Trigger> {
    let mut rows = catalog.triggers.remove(&relation.raw.oid).unwrap_or_default();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let table: QualifiedName = relation.qualified();
    rows.into_iter()
        .map(|row| {
            let name = Identifier::from(row.name);
            written.note(|| ObjectPath::member(ObjectKind::Trigger, &table, &name), [row.xmin]);
            let comment = catalog.comment("pg_trigger", row.oid, 0);
            Trigger { name, definition: row.definition, enabled: row.enabled, comment }
        })
        .collect()
}

/// Takes the policies of a table out of the catalog, by name.
pub(super) fn policies(catalog: &mut Catalog, written: &mut Written, relation: &row::Relation) -> Vec<Policy> {
    let mut rows = catalog.policies.remove(&relation.raw.oid).unwrap_or_default();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let table = relation.qualified();
    rows.into_iter()
        .map(|row| {
            let name = Identifier::from(row.name.as_str());
            written.note(|| ObjectPath::member(ObjectKind::Policy, &table, &name), [row.xmin]);
            let comment = catalog.comment("pg_policy", row.oid, 0);
            policy(row, comment)
        })
        .collect()
}

fn policy(row: row::Policy, comment: Option<String>) -> Policy {
    Policy {
        name: row.name.into(),
        command: row.command,
        permissive: row.permissive,
        roles: sorted(Some(row.roles)).into_iter().map(Identifier::from).collect(),
        using: row.using,
        with_check: row.with_check,
        comment,
    }
}
