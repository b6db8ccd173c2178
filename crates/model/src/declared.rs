//! The intent, lowered to relational nouns but not yet understood by PostgreSQL.
//!
//! Everything keeps the place in the YAML where it was written. SQL fragments stay [`RawSql`]: whoever renders
//! DDL from them must first prove that each is exactly one expression, or one type name.

use serde::{Deserialize, Serialize};

use crate::location::{Located, Location, RawSql};
use crate::name::Identifier;

/// All services of the intent, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// One entry a service.
    pub services: Vec<DeclaredService>,
}

/// One service and the data store it declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredService {
    /// Name and place of the service's key.
    pub name: Located<String>,
    /// What stores its data.
    pub engine: Engine,
    /// The schema its tables live in; `None` when the YAML gives none.
    pub schema: Option<Located<Identifier>>,
    /// A former name of the schema.
    pub schema_renamed_from: Option<Located<Identifier>>,
    /// A former name of the service.
    pub renamed_from: Option<Located<String>>,
    /// Tables, detailed or only listed.
    pub tables: Vec<DeclaredTable>,
    /// Extensions that the author lists.
    pub extensions: Vec<Located<Identifier>>,
    /// The folder of the migrations, relative to the project root, when it is not the usual one.
    pub migrations: Option<Located<String>>,
    /// Person or team who owes migrations.
    pub owner: Option<Located<String>>,
    /// Findings the author wants to leave out.
    pub ignore: Vec<Ignore>,
    /// Prose that declares nothing and belongs in the portal.
    pub prose: Prose,
}

/// Free text about a service; declares nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prose {
    /// `features`, line by line.
    pub features: Vec<String>,
    /// `volume`.
    pub volume: Option<String>,
    /// `backup`.
    pub backup: Option<String>,
    /// `connection_pool`, key and value as written.
    pub connection_pool: Vec<(String, String)>,
}

/// The `engine` of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engine {
    /// The text as written, for example `PostGIS (PostgreSQL 15)`; empty when absent.
    pub text: String,
    /// Where; the service's key when `engine` is absent.
    pub at: Location,
    /// Whether PostgreSQL is named anywhere in the text (or the key is absent): then all of it is checked.
    pub is_postgres: bool,
    /// The major version named after `PostgreSQL`.
    pub major: Option<u16>,
    /// Whether PostGIS is named.
    pub postgis: bool,
}

/// A pattern of findings to leave out, with the author's reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ignore {
    /// A glob over `rule`, `schema.table.member`, or `rule:schema.table.member`.
    pub pattern: Located<String>,
    /// Why; required.
    pub reason: String,
}

/// A table of the intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredTable {
    /// Its name, at its key in `table_details` when detailed, else at its item in `tables`.
    pub name: Located<Identifier>,
    /// Its own schema, when the name was written `schema.table`.
    pub schema: Option<Identifier>,
    /// A former name.
    pub renamed_from: Option<Located<Identifier>>,
    /// Free text.
    pub description: Option<String>,
    /// What is declared beyond existence; `None` when the table is only listed.
    pub details: Option<TableDetails>,
}

/// Columns and indexes of a detailed table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDetails {
    /// In the order of the file.
    pub columns: Vec<DeclaredColumn>,
    /// In the order of the file.
    pub indexes: Vec<DeclaredIndex>,
}

impl TableDetails {
    /// The columns marked `PK`, in order: the declared primary key.
    pub fn primary_key(&self) -> impl Iterator<Item = &DeclaredColumn> {
        self.columns.iter().filter(|column| column.primary_key.is_some())
    }
}

/// A column of the intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredColumn {
    /// Name and place of the column's entry.
    pub name: Located<Identifier>,
    /// A former name.
    pub renamed_from: Option<Located<Identifier>>,
    /// The type as written, for example `VARCHAR(20)`; `None` when missing or not understood.
    pub type_sql: Option<RawSql>,
    /// Place of `PK`.
    pub primary_key: Option<Location>,
    /// `true` when `NOT NULL` is written; PK implies it without setting this.
    pub not_null: bool,
    /// Where nullability is said, or the column's own place when it is silent.
    pub nullability_at: Location,
    /// The expression after `DEFAULT`.
    pub default: Option<RawSql>,
    /// The expression inside `GENERATED ALWAYS AS (…)`; always stored.
    pub generated: Option<RawSql>,
    /// `GENERATED { ALWAYS | BY DEFAULT } AS IDENTITY`.
    pub identity: Option<Located<Identity>>,
    /// Place of `UNIQUE`.
    pub unique: Option<Location>,
    /// `CHECK` in the forms of the dialect.
    pub checks: Vec<Located<Check>>,
    /// `FK -> target`.
    pub references: Option<Reference>,
    /// Place of `ENCRYPTED`.
    pub encrypted: Option<Location>,
    /// Trailing notes in brackets, shown in the portal.
    pub notes: Vec<String>,
    /// Parts of this column that were not understood. What they would have said is unknown: nullability, default
    /// and keys of such a column are still compared only where they were clear.
    pub not_understood: Vec<Aspect>,
}

/// Part of a column that something not understood may have spoken about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// The type.
    Type,
    /// Nullability.
    Nullability,
    /// The default.
    Default,
    /// Generation expression or identity.
    Generated,
    /// A check.
    Check,
    /// Uniqueness.
    Unique,
    /// A foreign key.
    Reference,
}

/// How an identity column is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Identity {
    /// `GENERATED ALWAYS AS IDENTITY`.
    Always,
    /// `GENERATED BY DEFAULT AS IDENTITY`.
    ByDefault,
}

/// The CHECK forms that the dialect gives a meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// `CHECK (1-5)`: between, both ends included. The numbers as written.
    Range {
        /// Lower end.
        low: String,
        /// Upper end.
        high: String,
    },
    /// `CHECK (> 0)`: this column compared with a constant.
    Comparison {
        /// One of `<`, `<=`, `>`, `>=`, `=`, `<>`.
        operator: String,
        /// The right-hand side as written.
        operand: String,
    },
    /// `CHECK (expression)` in full SQL.
    Expression(String),
}

/// `FK -> target`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Where `FK` is written.
    pub at: Location,
    /// What it points at, resolved against the whole intent.
    pub target: Target,
    /// `on_delete`, upper case, one of `NO ACTION`, `RESTRICT`, `CASCADE`, `SET NULL`, `SET DEFAULT`.
    pub on_delete: Option<Located<String>>,
}

/// What a reference points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// A detailed table of the same service, with a declared key: a real foreign key to that key.
    Table {
        /// Table name, in the same schema.
        table: Identifier,
        /// Column, when the author wrote `table(column)` or `table.column`; else the target's primary key.
        column: Option<Identifier>,
    },
    /// A table of the same service that is listed without details, or has no declared key: logical only.
    UnknownKey {
        /// Table name.
        table: Identifier,
    },
    /// Another service, or a table of another service (`svc-x` or `svc-x.table`): logical only.
    Service {
        /// Service name.
        service: String,
        /// Table in that service, when written.
        table: Option<Identifier>,
    },
    /// Names nothing in the intent.
    Missing {
        /// The text as written.
        text: String,
    },
}

/// An index of the intent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeclaredIndex {
    /// Name and place of the index's entry.
    pub name: Located<Identifier>,
    /// A former name.
    pub renamed_from: Option<Located<Identifier>>,
    /// Key columns or expressions.
    pub keys: Vec<IndexKey>,
    /// Whether `UNIQUE` was said.
    pub unique: bool,
    /// Access method, lower case (`btree`, `gin`, `gist`, …); `None` means `btree`.
    pub method: Option<Located<String>>,
    /// Partial predicate, without `WHERE`.
    pub predicate: Option<RawSql>,
    /// `INCLUDE` columns.
    pub include: Vec<Located<Identifier>>,
    /// `NULLS NOT DISTINCT`.
    pub nulls_not_distinct: bool,
    /// Set when the entry was not understood: the index exists by name, and nothing else is known about it.
    pub not_understood: bool,
}

/// One key of a declared index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexKey {
    /// A column name, or an expression in brackets.
    pub term: IndexTerm,
    /// The operator class, when one is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_class: Option<OperatorClass>,
    /// `DESC`.
    pub descending: bool,
    /// `NULLS FIRST` (`Some(true)`), `NULLS LAST` (`Some(false)`), or silent.
    pub nulls_first: Option<bool>,
    /// Where it stands.
    pub at: Location,
}

/// An operator class by name, for example `gin_trgm_ops`; without a schema, PostgreSQL finds it along the search path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorClass {
    /// The schema, when one is written.
    pub schema: Option<Identifier>,
    /// The name.
    pub name: Identifier,
}

impl OperatorClass {
    /// As it may stand in SQL.
    pub fn quoted(&self) -> String {
        let schema = self.schema.as_ref().map_or_else(String::new, |schema| schema.quoted() + ".");
        schema + &self.name.quoted()
    }

    /// The extension that brings it, for classes whose names are known from PostgreSQL's own extensions and the widest
    /// used others.
    pub fn extension(&self) -> Option<&'static str> {
        let name = self.name.as_str();
        match name {
            "gin_trgm_ops" | "gist_trgm_ops" => Some("pg_trgm"),
            "gin_hstore_ops" | "gist_hstore_ops" => Some("hstore"),
            "gist_ltree_ops" | "gist__ltree_ops" => Some("ltree"),
            "gin__int_ops" | "gist__int_ops" | "gist__intbig_ops" => Some("intarray"),
            _ if ["vector_", "halfvec_"].iter().any(|prefix| name.starts_with(prefix)) => Some("vector"),
            _ if ["geometry_ops", "geography_ops"].iter().any(|part| name.contains(part)) => Some("postgis"),
            _ => None,
        }
    }
}

/// What an index key is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndexTerm {
    /// A plain column.
    Column(Identifier),
    /// An expression, as written, for example `lower(email)`.
    Expression(String),
}
