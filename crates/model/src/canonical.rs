//! A schema as `pg_catalog` says it: the one form in which schemas are compared.
//!
//! Expressions, types and definitions are text exactly as the server prints them (`format_type`, `pg_get_expr`,
//! `pg_get_constraintdef`, …, with an empty `search_path`, so every name outside `pg_catalog` is qualified). They are
//! comparable only between canonicals of one major.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::declared::Identity;
use crate::finding::ObjectPath;
use crate::name::{Identifier, QualifiedName};

/// What is not the default and has no field of its own, as key and value: `storage` = `external`, `tablespace` = `fast`.
///
/// Keys are stable words of ours, listed where introspection fills them; values are what the catalog says.
pub type Attributes = BTreeMap<String, String>;

/// Everything of one database that belongs to its users. Members of extensions and system schemas are left out;
/// so is the history table, which the caller names when it introspects.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canonical {
    /// Major version of the server that printed it.
    pub major: u16,
    /// Extensions other than `plpgsql`.
    pub extensions: BTreeMap<Identifier, Extension>,
    /// Schemas, `public` included when it exists.
    pub schemas: BTreeMap<Identifier, Schema>,
    /// Ordinary, partitioned and foreign tables, and partitions.
    #[serde(with = "as_pairs")]
    pub tables: BTreeMap<QualifiedName, Table>,
    /// Sequences, those behind serial and identity columns included (see [`Sequence::owned_by`]).
    #[serde(with = "as_pairs")]
    pub sequences: BTreeMap<QualifiedName, Sequence>,
    /// Views and materialised views.
    #[serde(with = "as_pairs")]
    pub views: BTreeMap<QualifiedName, View>,
    /// Enums, domains, composites and ranges made on their own.
    #[serde(with = "as_pairs")]
    pub types: BTreeMap<QualifiedName, UserType>,
    /// Functions, procedures, aggregates; the name is `name(argument types)`.
    #[serde(with = "as_pairs")]
    pub routines: BTreeMap<QualifiedName, Routine>,
    /// Privileges that differ from those an object is born with.
    pub grants: BTreeSet<Grant>,
    /// Objects of the kinds that have no noun here: statistics, rules, operators, casts, publications, ….
    #[serde(with = "as_pairs")]
    pub others: BTreeMap<OtherName, Other>,
    /// What exists and could not be read.
    pub unknowns: Vec<Unknown>,
}

/// A schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// An installed extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// `extversion`.
    pub version: String,
    /// The schema its objects live in.
    pub schema: Identifier,
}

/// An ordinary, partitioned or foreign table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// What kind.
    pub kind: TableKind,
    /// In `attnum` order, dropped ones left out.
    pub columns: Vec<Column>,
    /// The primary key, if any.
    pub primary_key: Option<Key>,
    /// UNIQUE constraints (unique indexes that back none stand in `indexes`).
    pub unique: Vec<Key>,
    /// FOREIGN KEY constraints.
    pub foreign_keys: Vec<ForeignKey>,
    /// CHECK constraints.
    pub checks: Vec<CheckConstraint>,
    /// EXCLUDE constraints.
    pub exclusions: Vec<Exclusion>,
    /// Indexes that back no constraint.
    pub indexes: Vec<Index>,
    /// Triggers that are not internal.
    pub triggers: Vec<Trigger>,
    /// Row-level security policies.
    pub policies: Vec<Policy>,
    /// ENABLE ROW LEVEL SECURITY.
    pub row_security: bool,
    /// FORCE ROW LEVEL SECURITY.
    pub force_row_security: bool,
    /// `pg_get_partkeydef`, for partitioned tables.
    pub partition_key: Option<String>,
    /// Parent and bound, for partitions.
    pub partition_of: Option<PartitionOf>,
    /// INHERITS, for old-style inheritance.
    pub inherits: Vec<QualifiedName>,
    /// UNLOGGED.
    pub unlogged: bool,
    /// Storage parameters, as `key=value`, sorted.
    pub options: Vec<String>,
    /// `tablespace`, `access-method`, `of-type`, `replica-identity`, `server`, `server-options`.
    pub attributes: Attributes,
    /// COMMENT ON.
    pub comment: Option<String>,
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &Identifier) -> Option<&Column> {
        self.columns.iter().find(|column| &column.name == name)
    }
}

/// What kind of table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableKind {
    /// Relkind `r`.
    #[default]
    Ordinary,
    /// Relkind `p`.
    Partitioned,
    /// Relkind `f`.
    Foreign,
}

/// Where a partition hangs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionOf {
    /// The partitioned table.
    pub parent: QualifiedName,
    /// `FOR VALUES …` or `DEFAULT`.
    pub bound: String,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Name.
    pub name: Identifier,
    /// `format_type(atttypid, atttypmod)`.
    pub type_name: String,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// `pg_get_expr(adbin)` of an ordinary default; `None` for generated columns.
    pub default: Option<String>,
    /// Whether the default takes the next value of a sequence that this column owns (serial).
    pub serial: bool,
    /// Identity.
    pub identity: Option<Identity>,
    /// Generation expression.
    pub generated: Option<Generated>,
    /// Collation, when it is not the type's own.
    pub collation: Option<QualifiedName>,
    /// `storage`, `compression`, `statistics`, `options`, `server-options`, `inherited` (has no definition of its own),
    /// `not-null` (`not valid` or `no inherit`, PostgreSQL 18).
    pub attributes: Attributes,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// A generated column's expression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generated {
    /// `pg_get_expr(adbin)`.
    pub expression: String,
    /// STORED, or VIRTUAL (PostgreSQL 18).
    pub stored: bool,
}

/// A primary key or unique constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Constraint name.
    pub name: Identifier,
    /// Key columns, in order.
    pub columns: Vec<Identifier>,
    /// INCLUDE columns.
    pub include: Vec<Identifier>,
    /// NULLS NOT DISTINCT (PostgreSQL 15).
    pub nulls_not_distinct: bool,
    /// DEFERRABLE.
    pub deferrable: bool,
    /// INITIALLY DEFERRED.
    pub deferred: bool,
    /// WITHOUT OVERLAPS (PostgreSQL 18).
    pub without_overlaps: bool,
    /// Of the index behind it: `options`, `tablespace`, `clustered`, `replica-identity`, `attached-to`, `invalid`.
    pub attributes: Attributes,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// Constraint name.
    pub name: Identifier,
    /// Referencing columns, in order.
    pub columns: Vec<Identifier>,
    /// Referenced table.
    pub target: QualifiedName,
    /// Referenced columns, in the same order.
    pub target_columns: Vec<Identifier>,
    /// `NO ACTION`, `RESTRICT`, `CASCADE`, `SET NULL` or `SET DEFAULT`.
    pub on_update: String,
    /// As `on_update`; with the columns set, when they are listed: `SET NULL (a, b)` (PostgreSQL 15).
    pub on_delete: String,
    /// MATCH FULL.
    pub match_full: bool,
    /// DEFERRABLE.
    pub deferrable: bool,
    /// INITIALLY DEFERRED.
    pub deferred: bool,
    /// False while NOT VALID.
    pub validated: bool,
    /// False when NOT ENFORCED (PostgreSQL 18).
    pub enforced: bool,
    /// Whether the last columns are compared as periods (PostgreSQL 18).
    pub period: bool,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// A CHECK constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckConstraint {
    /// Constraint name.
    pub name: Identifier,
    /// `pg_get_expr(conbin)`.
    pub expression: String,
    /// The columns it reads (`conkey`), in column order.
    pub columns: Vec<Identifier>,
    /// NO INHERIT.
    pub no_inherit: bool,
    /// Whether it has no definition of its own here, only an inherited one.
    pub inherited: bool,
    /// False while NOT VALID.
    pub validated: bool,
    /// False when NOT ENFORCED (PostgreSQL 18).
    pub enforced: bool,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// An EXCLUDE constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Constraint name.
    pub name: Identifier,
    /// `pg_get_constraintdef`.
    pub definition: String,
    /// As for [`Key::attributes`].
    pub attributes: Attributes,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// An index that backs no constraint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Name.
    pub name: Identifier,
    /// Access method: `btree`, `gin`, ….
    pub method: String,
    /// UNIQUE.
    pub unique: bool,
    /// NULLS NOT DISTINCT.
    pub nulls_not_distinct: bool,
    /// Keys in order.
    pub keys: Vec<IndexColumn>,
    /// INCLUDE columns.
    pub include: Vec<Identifier>,
    /// `pg_get_expr(indpred)`.
    pub predicate: Option<String>,
    /// `indisvalid`.
    pub valid: bool,
    /// The index of the partitioned parent that this one is attached to.
    pub attached_to: Option<QualifiedName>,
    /// Storage parameters, as `key=value`, sorted.
    pub options: Vec<String>,
    /// `tablespace`, `clustered`, `replica-identity`, `statistics` (of expressions).
    pub attributes: Attributes,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// One key of an index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexColumn {
    /// The column's name, or the expression as the server prints it.
    pub term: String,
    /// Whether `term` is a plain column.
    pub is_column: bool,
    /// DESC.
    pub descending: bool,
    /// NULLS FIRST (the default for DESC, and made explicit here).
    pub nulls_first: bool,
    /// Operator class, when it is not the type's default for the method or has options (`public.gist_trgm_ops (siglen=32)`).
    pub operator_class: Option<String>,
    /// Collation, when it is not the column's; for expressions, when it is not their type's.
    pub collation: Option<QualifiedName>,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Name.
    pub name: Identifier,
    /// `pg_get_triggerdef`.
    pub definition: String,
    /// `tgenabled`: `O`, `D`, `R` or `A`.
    pub enabled: char,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// A row-level security policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Name.
    pub name: Identifier,
    /// `polcmd`: `r`, `a`, `w`, `d` or `*`.
    pub command: char,
    /// PERMISSIVE rather than RESTRICTIVE.
    pub permissive: bool,
    /// Role names, sorted; `public` for everyone, `<owner>` for the table's owner.
    pub roles: Vec<Identifier>,
    /// USING.
    pub using: Option<String>,
    /// WITH CHECK.
    pub with_check: Option<String>,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// A sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Data type.
    pub type_name: String,
    /// START.
    pub start: i64,
    /// INCREMENT.
    pub increment: i64,
    /// MINVALUE.
    pub min: i64,
    /// MAXVALUE.
    pub max: i64,
    /// CACHE.
    pub cache: i64,
    /// CYCLE.
    pub cycle: bool,
    /// The column that owns it.
    pub owned_by: Option<(QualifiedName, Identifier)>,
    /// Whether it is implicit: behind an identity column.
    pub identity: bool,
    /// UNLOGGED (PostgreSQL 15).
    pub unlogged: bool,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// A view or materialised view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// MATERIALIZED.
    pub materialized: bool,
    /// `pg_get_viewdef`.
    pub definition: String,
    /// Column names and types in order.
    pub columns: Vec<(Identifier, String)>,
    /// Indexes of a materialised view.
    pub indexes: Vec<Index>,
    /// INSTEAD OF triggers.
    pub triggers: Vec<Trigger>,
    /// Options, as `key=value`, sorted.
    pub options: Vec<String>,
    /// `tablespace`, `access-method`, `populated` = `false`, `default NAME`, `storage NAME`, `statistics NAME` (of columns).
    pub attributes: Attributes,
    /// COMMENT ON COLUMN.
    pub column_comments: BTreeMap<Identifier, String>,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// A type that a user made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserType {
    /// What it is.
    pub shape: TypeShape,
    /// COMMENT ON an attribute of a composite, or a constraint of a domain.
    pub member_comments: BTreeMap<Identifier, String>,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// The kinds of user-made types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TypeShape {
    /// Labels in sort order.
    Enum(Vec<String>),
    /// A domain.
    Domain {
        /// Base type.
        base: String,
        /// NOT NULL.
        not_null: bool,
        /// DEFAULT.
        default: Option<String>,
        /// Name and definition of each check, sorted by name.
        checks: Vec<(Identifier, String)>,
        /// Collation, when not the base type's.
        collation: Option<QualifiedName>,
    },
    /// Attribute names and types, with `COLLATE …` where it is not the type's own.
    Composite(Vec<(Identifier, String)>),
    /// What stands in brackets after `AS RANGE`: `subtype = double precision, subtype_diff = float8mi`.
    Range(String),
}

/// A function, procedure, aggregate or window function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routine {
    /// `prokind`: `f`, `p`, `a` or `w`.
    pub kind: char,
    /// `pg_get_functiondef`; for aggregates, what stands in brackets after `CREATE AGGREGATE name(…)`.
    pub definition: String,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// The name of an object that has no noun in the model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OtherName {
    /// Kind as `pg_identify_object` names it: `statistics object`, `rule`, `cast`, ….
    pub kind: String,
    /// Identity as `pg_identify_object` prints it, quoted and qualified.
    pub identity: String,
}

/// An object that has no noun in the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Other {
    /// What makes it up, as text; `None` for kinds of which only the existence is read (languages, operator
    /// families, conversions, …).
    pub definition: Option<String>,
    /// COMMENT ON.
    pub comment: Option<String>,
}

/// One privilege, granted or taken away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Grant {
    /// On what.
    pub object: ObjectPath,
    /// To whom; `public` for everyone, `<owner>` for the object's owner.
    pub grantee: Identifier,
    /// `SELECT`, `USAGE`, ….
    pub privilege: String,
    /// WITH GRANT OPTION.
    pub grantable: bool,
    /// Whether the object is born with it, and it was revoked.
    pub revoked: bool,
}

/// Something that exists and could not be read or modelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unknown {
    /// What.
    pub object: ObjectPath,
    /// Why.
    pub reason: String,
}

/// Maps with structured keys as lists of pairs, since JSON has string keys only.
mod as_pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map)
    }

    pub(super) fn deserialize<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
