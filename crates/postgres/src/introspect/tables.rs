//! Tables, and what stands in them.

use trueup_model::canonical::{Column, Generated, PartitionOf, Table, TableKind};
use trueup_model::declared::Identity;
use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::name::{Identifier, QualifiedName};

use super::attributes::Collected;
use super::catalog::{Catalog, sorted};
use super::members::{self, Constraints};
use super::row;
use super::written::Written;

/// Builds one table out of its rows.
pub(super) fn table(catalog: &mut Catalog, written: &mut Written, relation: row::Relation) -> Table {
    let name = relation.qualified();
    written.note(|| ObjectPath::table(&name), [relation.raw.xmin]);
    let constraints = members::constraints(catalog, written, &relation);
    let indexes = members::indexes(catalog, written, &relation, &constraints);
    let triggers = members::triggers(catalog, written, &relation);
    let policies = members::policies(catalog, written, &relation);
    let columns = columns(catalog, written, &relation);
    let comment = catalog.comment("pg_class", relation.raw.oid, 0);
    let Constraints { primary_key, unique, foreign_keys, checks, exclusions, .. } = constraints;
    let (partition_of, inherits) = parents(catalog, &relation);
    let (server, server_options) = relation.served.map_or((None, None), |row| (Some(row.server), row.options));
    Table {
        kind: kind(relation.raw.kind),
        columns,
        primary_key,
        unique,
        foreign_keys,
        checks,
        exclusions,
        indexes,
        triggers,
        policies,
        row_security: relation.raw.row_security,
        force_row_security: relation.raw.force_row_security,
        partition_key: relation.raw.partition_key,
        partition_of,
        inherits,
        unlogged: relation.raw.unlogged,
        options: options(relation.raw.options, relation.toast_options),
        attributes: Collected::default()
            .text("tablespace", relation.raw.tablespace)
            .text("access-method", relation.access_method)
            .text("of-type", relation.raw.of_type)
            .text("replica-identity", relation.raw.replica_identity)
            .text("server", server)
            .list("server-options", server_options)
            .done(),
        comment,
    }
}

fn kind(relkind: char) -> TableKind {
    match relkind {
        'p' => TableKind::Partitioned,
        'f' => TableKind::Foreign,
        _ => TableKind::Ordinary,
    }
}

/// Storage parameters; those of the TOAST table as they are set, with `toast.` before them.
pub(super) fn options(own: Option<Vec<String>>, toast: Option<Vec<String>>) -> Vec<String> {
    let toast = toast.unwrap_or_default().into_iter().map(|option| format!("toast.{option}"));
    sorted(Some(own.unwrap_or_default().into_iter().chain(toast).collect()))
}

/// The parent of a partition, or those of an inheriting table, in order.
fn parents(catalog: &mut Catalog, relation: &row::Relation) -> (Option<PartitionOf>, Vec<QualifiedName>) {
    let mut rows = catalog.parents.remove(&relation.raw.oid).unwrap_or_default();
    rows.sort_by_key(|row| row.position);
    let mut names = rows.into_iter().map(|row| row.name);
    match &relation.raw.bound {
        Some(bound) => (names.next().map(|parent| PartitionOf { parent, bound: bound.clone() }), Vec::new()),
        None => (None, names.collect()),
    }
}

fn columns(catalog: &mut Catalog, written: &mut Written, relation: &row::Relation) -> Vec<Column> {
    let mut rows = catalog.columns.remove(&relation.raw.oid).unwrap_or_default();
    rows.sort_by_key(|row| row.raw.number);
    let table = relation.qualified();
    let is_partition = relation.raw.bound.is_some();
    rows.into_iter()
        .map(|row| {
            let name = Identifier::from(row.raw.name.as_str());
            written.note(|| ObjectPath::member(ObjectKind::Column, &table, &name), [row.raw.xmin]);
            let comment = catalog.comment("pg_class", relation.raw.oid, row.raw.number);
            let serial = catalog.serials.contains(&(relation.raw.oid, row.raw.number));
            column(row, serial, is_partition, comment)
        })
        .collect()
}

fn column(row: row::Column, serial: bool, is_partition: bool, comment: Option<String>) -> Column {
    let (default, generated) = match (row.expression, row.raw.generated.as_str()) {
        (default, "") => (default, None),
        (Some(expression), kind) => (None, Some(Generated { expression, stored: kind == "s" })),
        (None, _) => (None, None),
    };
    Column {
        name: row.raw.name.into(),
        type_name: row.raw.type_name,
        nullable: !row.raw.not_null,
        serial: serial && default.is_some(),
        default,
        identity: identity(&row.raw.identity),
        generated,
        collation: row.collation,
        attributes: Collected::default()
            .text("storage", row.raw.storage.as_deref().map(storage))
            .text("compression", row.raw.compression.as_deref().map(compression))
            .text("statistics", row.raw.statistics)
            .list("options", row.raw.options)
            .list("server-options", row.raw.server_options)
            // All columns of a partition are inherited.
            .flag("inherited", row.raw.inherited && !is_partition)
            .text("not-null", row.not_null_state)
            .done(),
        comment,
    }
}

fn identity(attidentity: &str) -> Option<Identity> {
    match attidentity {
        "a" => Some(Identity::Always),
        "d" => Some(Identity::ByDefault),
        _ => None,
    }
}

/// `attstorage` in words.
pub(super) fn storage(attstorage: &str) -> &str {
    match attstorage {
        "p" => "plain",
        "e" => "external",
        "m" => "main",
        "x" => "extended",
        other => other,
    }
}

/// `attcompression` in words.
fn compression(attcompression: &str) -> &str {
    match attcompression {
        "p" => "pglz",
        "l" => "lz4",
        other => other,
    }
}
