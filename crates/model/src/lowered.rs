//! The declared schema after PostgreSQL has read it.
//!
//! Each detailed table is created on the server that replayed the migrations and introspected by the same code. So
//! `VARCHAR(20)` becomes `character varying(20)` without any normaliser of ours. What the server refuses is kept as a
//! [`Refusal`], item by item.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical::Table;
use crate::name::Identifier;

/// The lowered tables of one service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lowered {
    /// By position in the service's tables; only detailed ones have an entry.
    pub tables: BTreeMap<usize, LoweredTable>,
}

/// One detailed table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoweredTable {
    /// With the declared names and types.
    pub declared: Table,
    /// With the declared expressions on the *replayed* side's column names and types, when the two sides pair up with
    /// any difference there. Only its expressions are meant to be read: a default that differs by nothing but the cast
    /// of a differing type is the type's difference, not its own.
    pub paired: Option<Table>,
    /// What the server refused as written, in the words it used.
    pub refused: Vec<(Item, Refusal)>,
    /// What the server refused only on the replayed side's types.
    pub refused_paired: Vec<Item>,
}

impl LoweredTable {
    /// Why the server refused an item, if it did.
    pub fn refusal(&self, item: &Item) -> Option<&Refusal> {
        self.refused.iter().find(|(refused, _)| refused == item).map(|(_, refusal)| refusal)
    }
}

/// One thing that an author can write about a table, as the server accepts or refuses it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Item {
    /// The table itself.
    Table,
    /// A column's type; the column then stands with a substitute type.
    Type(Identifier),
    /// A column's default.
    Default(Identifier),
    /// A column's generation expression or identity.
    Generated(Identifier),
    /// The primary key.
    PrimaryKey,
    /// UNIQUE of a column.
    Unique(Identifier),
    /// The n-th CHECK of a column.
    Check(Identifier, usize),
    /// The foreign key of a column.
    Reference(Identifier),
    /// An index.
    Index(Identifier),
}

impl Item {
    /// The name under which the item's constraint is created on the scratch server; `None` for what has no name there.
    ///
    /// Hashed, because constraint names live beside index names in one schema and may not exceed 63 bytes.
    pub fn constraint_name(&self, table: &Identifier) -> Option<Identifier> {
        let (kind, column, position) = match self {
            Self::PrimaryKey => ("p", "", 0),
            Self::Unique(column) => ("u", column.as_str(), 0),
            Self::Check(column, position) => ("c", column.as_str(), *position),
            Self::Reference(column) => ("f", column.as_str(), 0),
            Self::Table | Self::Type(_) | Self::Default(_) | Self::Generated(_) | Self::Index(_) => return None,
        };
        let hash = fnv64(&[table.as_str(), column, &position.to_string()]);
        Some(format!("trueup_{kind}_{hash:016x}").into())
    }
}

/// FNV-1a, 64 bits: enough to tell the columns of one schema apart.
fn fnv64(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// The server's own words for refusing an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Five characters, or empty when the text was refused before it reached the server.
    pub sqlstate: String,
    /// The message.
    pub message: String,
    /// An extension that the service needs and the server lacks explains it: unknown, not a mistake.
    pub missing_extension: bool,
    /// It only follows from another refusal (an index on a column whose type was refused): unknown, and said there.
    pub consequence: bool,
}

/// Constants that PostgreSQL evaluated, so that `0` and `'0'` on a bigint are known to be the same default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluated {
    values: Vec<(Constant, Option<String>)>,
}

/// A constant expression, to be cast to a type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Constant {
    /// As the server printed it.
    pub expression: String,
    /// The type to cast to, as the server printed it.
    pub type_name: String,
}

impl Evaluated {
    /// Records a value as text; `None` when it is NULL.
    pub fn insert(&mut self, constant: Constant, value: Option<String>) {
        self.values.push((constant, value));
    }

    /// Whether both expressions were evaluated as `type_name`, to the same value.
    pub fn same(&self, one: &str, other: &str, type_name: &str) -> bool {
        match (self.value(one, type_name), self.value(other, type_name)) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        }
    }

    fn value(&self, expression: &str, type_name: &str) -> Option<&Option<String>> {
        let found =
            self.values.iter().find(|(known, _)| known.expression == expression && known.type_name == type_name);
        found.map(|(_, value)| value)
    }
}
