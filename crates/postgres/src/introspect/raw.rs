//! The rows as the `.sql` files give them: one struct a section, fields named as the columns. Oids stand for what they
//! refer to; [`super::join`] replaces them.

use serde::Deserialize;

use super::row::Privileges;

/// `server.sql`
#[derive(Debug, Default, Deserialize)]
pub(super) struct Server {
    pub snapshot_xmax: u64,
    pub has_rare: bool,
}

/// `namespace.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Namespace {
    pub oid: i64,
    pub name: String,
    pub xmin: u32,
    #[serde(flatten)]
    pub privileges: Privileges,
}

/// `init_privs.sql`
#[derive(Debug, Deserialize)]
pub(super) struct InitPrivs {
    pub oid: i64,
    pub acl: Vec<String>,
}

/// `member.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Member {
    pub class: i64,
    pub oid: i64,
}

/// `class.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Class {
    pub oid: i64,
    pub namespace: i64,
    pub name: String,
    pub kind: char,
    pub unlogged: bool,
    pub row_security: bool,
    pub force_row_security: bool,
    pub partition_key: Option<String>,
    pub bound: Option<String>,
    pub definition: Option<String>,
    pub options: Option<Vec<String>>,
    /// Its TOAST table, or 0.
    pub toast: i64,
    pub populated: bool,
    pub replica_identity: Option<String>,
    pub tablespace: Option<String>,
    /// 0 where there is none.
    pub access_method: i64,
    pub of_type: Option<String>,
    pub xmin: u32,
    #[serde(flatten)]
    pub privileges: Privileges,
}

/// `am.sql`
#[derive(Debug, Deserialize)]
pub(super) struct AccessMethod {
    pub oid: i64,
    pub name: String,
}

/// `rewrite.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Rewrite {
    pub relation: i64,
    pub xmin: u32,
}

/// `inherits.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Inherits {
    pub child: i64,
    pub position: i32,
    pub parent: i64,
}

/// `attribute.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Attribute {
    pub relation: i64,
    pub number: i16,
    pub name: String,
    #[serde(rename = "type")]
    pub type_oid: i64,
    pub type_name: String,
    pub not_null: bool,
    pub generated: String,
    pub identity: String,
    /// 0 where there is none.
    pub collation: i64,
    pub type_collation: i64,
    /// Schema and name; `None` for the default collation.
    pub collation_names: Option<(String, String)>,
    pub storage: Option<String>,
    #[serde(default)]
    pub compression: Option<String>,
    pub statistics: Option<i32>,
    pub options: Option<Vec<String>>,
    pub server_options: Option<Vec<String>>,
    pub inherited: bool,
    pub acl: Option<Vec<String>>,
    pub xmin: u32,
}

/// `attrdef.sql`
#[derive(Debug, Deserialize)]
pub(super) struct AttrDef {
    pub relation: i64,
    pub number: i16,
    pub expression: Option<String>,
}

/// `constraint.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Constraint {
    pub oid: i64,
    /// Its table, or 0.
    pub relation: i64,
    /// Its domain, or 0.
    pub domain: i64,
    pub name: String,
    pub kind: char,
    pub columns: Vec<i16>,
    pub index: i64,
    pub deferrable: bool,
    pub deferred: bool,
    pub validated: bool,
    pub no_inherit: bool,
    pub inherited: bool,
    #[serde(default = "always")]
    pub enforced: bool,
    #[serde(default)]
    pub period: bool,
    pub definition: Option<String>,
    pub target: i64,
    pub target_columns: Option<Vec<i16>>,
    pub on_update: String,
    pub on_delete: String,
    #[serde(default)]
    pub set_columns: Option<Vec<i16>>,
    pub match_full: bool,
    pub xmin: u32,
}

/// Before 18 every constraint is enforced.
fn always() -> bool {
    true
}

/// `index.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Index {
    pub oid: i64,
    pub relation: i64,
    pub unique: bool,
    #[serde(default)]
    pub nulls_not_distinct: bool,
    pub valid: bool,
    pub clustered: bool,
    pub replica_identity: bool,
    pub columns: Vec<i16>,
    pub key_count: usize,
    pub flags: Vec<i16>,
    pub classes: Vec<i64>,
    pub expressions: Option<Vec<Option<String>>>,
    pub predicate: Option<String>,
    pub xmin: u32,
}

/// `opclass.sql`
#[derive(Debug, Deserialize)]
pub(super) struct OperatorClass {
    pub oid: i64,
    pub method: i64,
    pub default: bool,
    pub input: i64,
    pub name: String,
}

/// `sequence.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Sequence {
    pub relation: i64,
    pub type_name: String,
    pub start: i64,
    pub increment: i64,
    pub min: i64,
    pub max: i64,
    pub cache: i64,
    pub cycle: bool,
    pub next: String,
    pub xmin: u32,
}

/// `depend.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Depend {
    pub sequence: i64,
    pub owner: i64,
    pub owner_column: i16,
    pub identity: bool,
}

/// `type.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Type {
    pub oid: i64,
    pub namespace: i64,
    pub name: String,
    pub kind: char,
    pub relation: i64,
    pub base: Option<String>,
    pub not_null: bool,
    pub default: Option<String>,
    pub collation: Option<(String, String)>,
    pub xmin: u32,
    #[serde(flatten)]
    pub privileges: Privileges,
}

/// `enum.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Label {
    #[serde(rename = "type")]
    pub type_oid: i64,
    pub label: String,
    pub position: f32,
    pub xmin: u32,
}

/// `proc.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Procedure {
    pub oid: i64,
    pub namespace: i64,
    pub name: String,
    pub arguments: Vec<String>,
    pub kind: char,
    pub definition: Option<String>,
    pub xmin: u32,
    #[serde(flatten)]
    pub privileges: Privileges,
}

/// `description.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Description {
    pub class: String,
    pub oid: i64,
    pub number: i16,
    pub text: String,
}

/// `range.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Range {
    #[serde(rename = "type")]
    pub type_oid: i64,
    pub definition: String,
}

/// `aggregate.sql`
#[derive(Debug, Deserialize)]
pub(super) struct Aggregate {
    pub routine: i64,
    pub definition: String,
}

/// `foreign_table.sql`
#[derive(Debug, Deserialize)]
pub(super) struct ForeignTable {
    pub relation: i64,
    pub server: String,
    pub options: Option<Vec<String>>,
}
