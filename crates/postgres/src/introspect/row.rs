//! The rows of one answer, put together: names instead of oids, and what is no user's object left out.

use serde::Deserialize;
use trueup_model::name::{Identifier, QualifiedName};

/// A schema.
#[derive(Debug)]
pub(super) struct Schema {
    pub oid: i64,
    pub name: String,
    pub xmin: u32,
    pub privileges: Privileges,
}

/// `extension.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Extension {
    pub name: String,
    pub version: String,
    pub schema: String,
}

/// A table, view, sequence or composite type.
#[derive(Debug)]
pub(super) struct Relation {
    pub oid: i64,
    pub schema: String,
    pub name: String,
    pub kind: char,
    pub unlogged: bool,
    pub row_security: bool,
    pub force_row_security: bool,
    pub partition_key: Option<String>,
    pub bound: Option<String>,
    pub definition: Option<String>,
    pub options: Option<Vec<String>>,
    pub toast_options: Option<Vec<String>>,
    pub populated: bool,
    pub replica_identity: Option<String>,
    pub tablespace: Option<String>,
    pub access_method: Option<String>,
    pub of_type: Option<String>,
    pub server: Option<String>,
    pub server_options: Option<Vec<String>>,
    pub xmin: u32,
    pub rule_xmin: Option<u32>,
    pub privileges: Privileges,
}

/// A parent of a table.
#[derive(Debug)]
pub(super) struct Inherits {
    pub position: i32,
    pub name: QualifiedName,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub number: i16,
    pub name: String,
    pub type_name: String,
    pub not_null: bool,
    pub expression: Option<String>,
    pub generated: String,
    pub identity: String,
    pub collation: Option<QualifiedName>,
    pub storage: Option<String>,
    pub compression: Option<String>,
    pub statistics: Option<i32>,
    pub options: Option<Vec<String>>,
    pub server_options: Option<Vec<String>>,
    pub inherited: bool,
    pub not_null_state: Option<String>,
    pub xmin: u32,
    pub privileges: Privileges,
}

/// A constraint of a table.
#[derive(Debug)]
pub(super) struct Constraint {
    pub oid: i64,
    pub relation: i64,
    pub name: String,
    pub kind: char,
    pub columns: Vec<i16>,
    pub index: i64,
    pub deferrable: bool,
    pub deferred: bool,
    pub validated: bool,
    pub no_inherit: bool,
    pub inherited: bool,
    pub enforced: bool,
    pub period: bool,
    pub definition: Option<String>,
    pub target: Option<QualifiedName>,
    pub target_columns: Vec<Identifier>,
    pub on_update: String,
    pub on_delete: String,
    pub set_columns: Option<Vec<i16>>,
    pub match_full: bool,
    pub xmin: u32,
}

/// An index.
#[derive(Debug)]
pub(super) struct Index {
    pub oid: i64,
    pub relation: i64,
    pub name: String,
    pub method: String,
    pub method_oid: i64,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub valid: bool,
    pub clustered: bool,
    pub replica_identity: bool,
    pub columns: Vec<i16>,
    pub key_count: usize,
    pub flags: Vec<i16>,
    pub classes: Vec<i64>,
    pub expressions: Vec<Option<String>>,
    pub predicate: Option<String>,
    pub options: Option<Vec<String>>,
    pub tablespace: Option<String>,
    pub parent: Option<QualifiedName>,
    pub class_xmin: u32,
    pub index_xmin: u32,
}

/// A key of an index.
#[derive(Debug)]
pub(super) struct IndexKey {
    pub position: usize,
    pub expression: Option<String>,
    pub flags: i16,
    pub operator_class: Option<String>,
    pub operator_class_options: Option<Vec<String>>,
    pub collation: Option<QualifiedName>,
    pub statistics: Option<i32>,
}

/// `trigger.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Trigger {
    pub oid: i64,
    pub relation: i64,
    pub name: String,
    pub definition: String,
    pub enabled: char,
    pub xmin: u32,
}

/// `policy.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Policy {
    pub oid: i64,
    pub relation: i64,
    pub name: String,
    pub command: char,
    pub permissive: bool,
    pub roles: Vec<String>,
    pub using: Option<String>,
    pub with_check: Option<String>,
    pub xmin: u32,
}

/// What only a sequence has.
#[derive(Debug)]
pub(super) struct Sequence {
    pub relation: i64,
    pub type_name: String,
    pub start: i64,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cache: i64,
    pub cycle: bool,
    pub owner: Option<i64>,
    pub owner_column: Option<i16>,
    pub identity: bool,
    pub serial: bool,
    pub xmin: u32,
}

/// A type.
#[derive(Debug)]
pub(super) struct Type {
    pub oid: i64,
    pub schema: String,
    pub name: String,
    pub kind: char,
    pub relation: i64,
    pub labels: Vec<String>,
    pub base: Option<String>,
    pub not_null: bool,
    pub default: Option<String>,
    pub collation: Option<QualifiedName>,
    pub range: Option<String>,
    pub xmins: Vec<u32>,
    pub privileges: Privileges,
}

/// A check of a domain.
#[derive(Debug)]
pub(super) struct DomainCheck {
    pub oid: i64,
    pub name: String,
    pub definition: String,
}

/// A function, procedure or aggregate.
#[derive(Debug)]
pub(super) struct Routine {
    pub oid: i64,
    pub schema: String,
    pub name: String,
    pub arguments: Vec<String>,
    pub kind: char,
    pub definition: Option<String>,
    pub xmin: u32,
    pub privileges: Privileges,
}

/// The privileges on an object, in whose row they stand; all `None` when they are as at birth.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Privileges {
    /// `aclitem`s as the server prints them.
    pub acl: Option<Vec<String>>,
    /// Those the object was born with.
    pub born_acl: Option<Vec<String>>,
    /// The owner's name.
    pub owner: Option<String>,
}

/// `other.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Other {
    pub class: String,
    pub oid: i64,
    pub schema: Option<String>,
    pub kind: String,
    pub identity: String,
    pub definition: Option<String>,
}

/// `default_privileges.sql`
#[derive(Debug, Deserialize)]
pub(super) struct DefaultPrivilege {
    pub schema: String,
    pub objects: char,
    pub grantee: String,
    pub privilege: String,
    pub grantable: bool,
}
