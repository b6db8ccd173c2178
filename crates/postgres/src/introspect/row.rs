//! The rows of one answer, put together: names instead of oids, and what is no user's object left out.

use serde::Deserialize;
use trueup_model::name::{Identifier, QualifiedName};

use super::raw;

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
    pub raw: raw::Class,
    pub schema: String,
    pub toast_options: Option<Vec<String>>,
    /// Unless it is `heap`.
    pub access_method: Option<String>,
    pub served: Option<raw::ForeignTable>,
    pub rule_xmin: Option<u32>,
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
    pub raw: raw::Attribute,
    pub expression: Option<String>,
    /// Unless it is its type's own.
    pub collation: Option<QualifiedName>,
    pub not_null_state: Option<String>,
    pub privileges: Privileges,
}

/// A constraint of a table.
#[derive(Debug)]
pub(super) struct Constraint {
    pub raw: raw::Constraint,
    pub target: Option<QualifiedName>,
    pub target_columns: Vec<Identifier>,
}

/// An index.
#[derive(Debug)]
pub(super) struct Index {
    pub raw: raw::Index,
    pub name: String,
    pub method: String,
    pub method_oid: i64,
    pub options: Option<Vec<String>>,
    pub tablespace: Option<String>,
    /// The index of the partitioned table that this one is part of.
    pub parent: Option<QualifiedName>,
    pub class_xmin: u32,
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
    pub raw: raw::Sequence,
    pub owner: Option<raw::Depend>,
    /// Whether the default of the column that owns it is exactly its next value.
    pub serial: bool,
}

/// A type.
#[derive(Debug)]
pub(super) struct Type {
    pub raw: raw::Type,
    pub schema: String,
    pub labels: Vec<String>,
    pub range: Option<String>,
    pub xmins: Vec<u32>,
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
    pub raw: raw::Procedure,
    pub schema: String,
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

impl Relation {
    /// Schema and name.
    pub(super) fn qualified(&self) -> QualifiedName {
        QualifiedName::new(self.schema.as_str(), self.raw.name.as_str())
    }
}
