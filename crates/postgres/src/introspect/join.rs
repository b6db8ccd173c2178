//! Joins the rows of an answer by their oids: what a join on the server would do, without its planning.
//!
//! What is left out on the way: objects outside of the users' schemas (temporary ones among them), members of
//! extensions, and whatever hangs on those.

mod indexes;

use std::collections::{HashMap, HashSet};

use trueup_model::name::QualifiedName;

use super::answer::Answer;
use super::catalog::Catalog;
use super::{raw, row};

/// Oids of catalogs, the same in every major.
mod class {
    pub(super) const TYPE: i64 = 1247;
    pub(super) const RELATION: i64 = 1259;
    pub(super) const NAMESPACE: i64 = 2615;
}

/// The catalog out of an answer.
pub(super) fn join(answer: Answer) -> Catalog {
    let names = Names::new(&answer);
    let mut catalog = Catalog { snapshot_xmax: answer.server.snapshot_xmax, ..Catalog::default() };
    catalog.extensions = answer.extensions;
    catalog.others = answer.others;
    catalog.default_privileges = answer.default_privileges;
    catalog.comments = comments(answer.descriptions);
    catalog.triggers = grouped(answer.triggers, |row| row.relation);
    catalog.policies = grouped(answer.policies, |row| row.relation);
    let foreign: HashMap<_, _> = answer.foreign_tables.into_iter().map(|row| (row.relation, row)).collect();
    catalog.indexes = indexes::indexes(answer.indexes, &answer.classes, &answer.inherits, &names);
    catalog.index_keys = indexes::keys(&catalog.indexes, &answer.attributes, &answer.operator_classes);
    catalog.parents = parents(answer.inherits, &names);
    let constraints = answer.constraints;
    catalog.types = types(answer.types, answer.labels, answer.ranges, &constraints, &names);
    catalog.sequences = sequences(answer.sequences, answer.depends, &answer.attrdefs);
    let odd = odd_not_null(&constraints);
    catalog.columns = columns(answer.attributes, answer.attrdefs, &odd, &answer.classes);
    (catalog.constraints, catalog.domain_checks) = split_constraints(constraints, &catalog, &names);
    catalog.relations = relations(answer.classes, foreign, &answer.rewrites, &names);
    catalog.routines = routines(answer.procedures, answer.aggregates, &names);
    catalog.schemas = schemas(answer.namespaces, answer.init_privs, &names);
    catalog
}

/// What oids stand for, as far as it belongs to users.
struct Names {
    schemas: HashMap<i64, String>,
    relations: HashMap<i64, QualifiedName>,
    methods: HashMap<i64, String>,
    members: HashSet<(i64, i64)>,
}

impl Names {
    fn new(answer: &Answer) -> Self {
        let members: HashSet<_> = answer.members.iter().map(|row| (row.class, row.oid)).collect();
        let schemas: HashMap<_, _> = answer.namespaces.iter().map(|row| (row.oid, row.name.clone())).collect();
        // Members of extensions have names as well: foreign keys and partitions may refer to them.
        let named = |row: &raw::Class| {
            let schema = schemas.get(&row.namespace)?;
            Some((row.oid, QualifiedName::new(schema.as_str(), row.name.as_str())))
        };
        let relations = answer.classes.iter().filter_map(named).collect();
        let methods = answer.access_methods.iter().map(|row| (row.oid, row.name.clone())).collect();
        Self { schemas, relations, methods, members }
    }

    /// The schema of an object, if it is a user's and the object no member of an extension.
    fn schema_of(&self, class: i64, oid: i64, namespace: i64) -> Option<String> {
        self.schemas.get(&namespace).filter(|_| !self.members.contains(&(class, oid))).cloned()
    }
}

/// Rows under what they hang on, in their order.
fn grouped<T>(rows: Vec<T>, on: impl Fn(&T) -> i64) -> HashMap<i64, Vec<T>> {
    let mut groups: HashMap<i64, Vec<T>> = HashMap::new();
    for row in rows {
        groups.entry(on(&row)).or_default().push(row);
    }
    groups
}

fn comments(rows: Vec<raw::Description>) -> HashMap<(String, i64, i16), String> {
    rows.into_iter().map(|row| ((row.class, row.oid, row.number), row.text)).collect()
}

fn schemas(rows: Vec<raw::Namespace>, init_privs: Vec<raw::InitPrivs>, names: &Names) -> Vec<raw::Namespace> {
    let mut born: HashMap<_, _> = init_privs.into_iter().map(|row| (row.oid, row.acl)).collect();
    let own = rows.into_iter().filter(|row| !names.members.contains(&(class::NAMESPACE, row.oid)));
    own.map(|mut row| {
        if let (Some(acl), Some(_)) = (born.remove(&row.oid), &row.privileges.acl) {
            row.privileges.born_acl = Some(acl);
        }
        row
    })
    .collect()
}

fn parents(rows: Vec<raw::Inherits>, names: &Names) -> HashMap<i64, Vec<row::Inherits>> {
    let mut parents: HashMap<i64, Vec<row::Inherits>> = HashMap::new();
    for row in rows {
        if let Some(name) = names.relations.get(&row.parent) {
            let parent = row::Inherits { position: row.position, name: name.clone() };
            parents.entry(row.child).or_default().push(parent);
        }
    }
    parents
}

/// Tables, views, sequences and composite types; indexes and TOAST tables are only parts of those.
fn relations(
    rows: Vec<raw::Class>,
    mut foreign: HashMap<i64, raw::ForeignTable>,
    rewrites: &[raw::Rewrite],
    names: &Names,
) -> HashMap<i64, row::Relation> {
    let rules: HashMap<_, _> = rewrites.iter().map(|row| (row.relation, row.xmin)).collect();
    let toasts = rows.iter().filter(|row| row.kind == 't');
    let toasts: HashMap<_, _> = toasts.map(|row| (row.oid, row.options.clone())).collect();
    let mut relations = HashMap::new();
    for row in rows.into_iter().filter(|row| "rpfvmSc".contains(row.kind)) {
        let Some(schema) = names.schema_of(class::RELATION, row.oid, row.namespace) else { continue };
        let relation = row::Relation {
            schema,
            toast_options: toasts.get(&row.toast).cloned().flatten(),
            access_method: names.methods.get(&row.access_method).filter(|name| *name != "heap").cloned(),
            served: foreign.remove(&row.oid),
            rule_xmin: rules.get(&row.oid).copied(),
            raw: row,
        };
        relations.insert(relation.raw.oid, relation);
    }
    relations
}

/// NOT NULL constraints of columns that are not the plain, valid, inheritable kind; only PostgreSQL 18 has such.
fn odd_not_null(rows: &[raw::Constraint]) -> HashMap<(i64, i16), String> {
    let odd = rows.iter().filter(|row| row.kind == 'n' && row.domain == 0);
    odd.filter_map(|row| {
        let words = [(!row.validated).then_some("not valid"), row.no_inherit.then_some("no inherit")];
        let state = words.into_iter().flatten().collect::<Vec<_>>().join(", ");
        Some(((row.relation, *row.columns.first()?), state))
    })
    .collect()
}

fn columns(
    rows: Vec<raw::Attribute>,
    attrdefs: Vec<raw::AttrDef>,
    odd: &HashMap<(i64, i16), String>,
    classes: &[raw::Class],
) -> HashMap<i64, Vec<row::Column>> {
    let mut expressions: HashMap<_, _> =
        attrdefs.into_iter().map(|row| ((row.relation, row.number), row.expression)).collect();
    let with_columns = classes.iter().filter(|row| "rpfvmc".contains(row.kind));
    let owners: HashMap<_, _> = with_columns.map(|row| (row.oid, &row.privileges.owner)).collect();
    let mut columns: HashMap<i64, Vec<row::Column>> = HashMap::new();
    for row in rows {
        let Some(owner) = owners.get(&row.relation) else { continue };
        let key = (row.relation, row.number);
        let expression = expressions.remove(&key).flatten();
        let column = row::Column {
            expression,
            collation: collation(&row).filter(|_| row.collation != row.type_collation),
            not_null_state: odd.get(&key).cloned(),
            // Nobody is born with privileges on a column.
            privileges: row::Privileges { acl: row.acl.clone(), born_acl: None, owner: (*owner).clone() },
            raw: row,
        };
        columns.entry(key.0).or_default().push(column);
    }
    columns
}

/// The name of an attribute's collation, the default one's too.
fn collation(row: &raw::Attribute) -> Option<QualifiedName> {
    let named = row.collation_names.as_ref().map(|(schema, name)| QualifiedName::new(schema.as_str(), name.as_str()));
    named.or_else(|| (row.collation != 0).then(|| QualifiedName::new("pg_catalog", "default")))
}

type ByOid<T> = HashMap<i64, Vec<T>>;

/// The constraints of tables, and those of domains.
fn split_constraints(
    rows: Vec<raw::Constraint>,
    catalog: &Catalog,
    names: &Names,
) -> (ByOid<row::Constraint>, ByOid<row::DomainCheck>) {
    let (mut of_tables, mut of_domains) = (ByOid::new(), ByOid::new());
    for row in rows.into_iter().filter(|row| row.kind != 'n') {
        if row.domain == 0 {
            of_tables.entry(row.relation).or_default().push(constraint(row, catalog, names));
        } else {
            let check =
                row::DomainCheck { oid: row.oid, name: row.name, definition: row.definition.unwrap_or_default() };
            of_domains.entry(row.domain).or_default().push(check);
        }
    }
    (of_tables, of_domains)
}

fn constraint(row: raw::Constraint, catalog: &Catalog, names: &Names) -> row::Constraint {
    // Unlike `Catalog::column_names`, in the order of the constraint.
    let target_columns = row.target_columns.iter().flatten();
    let target_columns = target_columns.filter_map(|number| catalog.column_name(row.target, *number)).collect();
    row::Constraint { target: names.relations.get(&row.target).cloned(), target_columns, raw: row }
}

fn sequences(rows: Vec<raw::Sequence>, depends: Vec<raw::Depend>, attrdefs: &[raw::AttrDef]) -> Vec<row::Sequence> {
    let mut owners: HashMap<_, _> = depends.into_iter().map(|row| (row.sequence, row)).collect();
    let expressions: HashMap<_, _> =
        attrdefs.iter().map(|row| ((row.relation, row.number), row.expression.as_ref())).collect();
    let sequence = |row: raw::Sequence| {
        let owner = owners.remove(&row.relation);
        let default = owner.as_ref().and_then(|owner| *expressions.get(&(owner.owner, owner.owner_column))?);
        row::Sequence { serial: default.is_some_and(|default| *default == row.next), owner, raw: row }
    };
    rows.into_iter().map(sequence).collect()
}

fn types(
    rows: Vec<raw::Type>,
    mut labels: Vec<raw::Label>,
    ranges: Vec<raw::Range>,
    constraints: &[raw::Constraint],
    names: &Names,
) -> Vec<row::Type> {
    labels.sort_by(|a, b| a.position.total_cmp(&b.position));
    let mut labels = grouped(labels, |row| row.type_oid);
    let mut ranges: HashMap<_, _> = ranges.into_iter().map(|row| (row.type_oid, row.definition)).collect();
    let mut types = Vec::new();
    for row in rows {
        let Some(schema) = names.schema_of(class::TYPE, row.oid, row.namespace) else { continue };
        let labels = labels.remove(&row.oid).unwrap_or_default();
        // ADD VALUE and ADD CONSTRAINT write rows of their own.
        let of_constraints = constraints.iter().filter(|other| other.domain == row.oid).map(|other| other.xmin);
        let xmins = std::iter::once(row.xmin).chain(labels.iter().map(|label| label.xmin)).chain(of_constraints);
        types.push(row::Type {
            xmins: xmins.collect(),
            schema,
            labels: labels.into_iter().map(|label| label.label).collect(),
            range: ranges.remove(&row.oid),
            raw: row,
        });
    }
    types
}

fn routines(rows: Vec<raw::Procedure>, aggregates: Vec<raw::Aggregate>, names: &Names) -> Vec<row::Routine> {
    let mut aggregates: HashMap<_, _> = aggregates.into_iter().map(|row| (row.routine, row.definition)).collect();
    let routine = |mut row: raw::Procedure| {
        // Members of extensions are not even read.
        let schema = names.schemas.get(&row.namespace).cloned()?;
        row.definition = row.definition.or_else(|| aggregates.remove(&row.oid));
        Some(row::Routine { schema, raw: row })
    };
    rows.into_iter().filter_map(routine).collect()
}
