//! Names as PostgreSQL stores them, quoted only where they are rendered.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One SQL identifier, raw: exactly the bytes of `pg_class.relname` and its kin, never quoted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Identifier(String);

impl Identifier {
    /// Takes the name as it is stored; nothing is folded or trimmed.
    pub fn new(raw: impl Into<String>) -> Self {
        Self(raw.into())
    }

    /// The raw name, for comparing and for showing to people; not safe inside SQL.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it must stand in SQL text: always in double quotes, inner quotes doubled.
    ///
    /// Always quoting means no list of reserved words to keep in step with the server.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl From<&str> for Identifier {
    fn from(raw: &str) -> Self {
        Self(raw.to_owned())
    }
}

impl From<String> for Identifier {
    fn from(raw: String) -> Self {
        Self(raw)
    }
}

/// A schema-qualified name: `schema.name`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QualifiedName {
    /// The schema.
    pub schema: Identifier,
    /// The name inside the schema.
    pub name: Identifier,
}

impl QualifiedName {
    /// Joins a schema and a name.
    pub fn new(schema: impl Into<Identifier>, name: impl Into<Identifier>) -> Self {
        Self { schema: schema.into(), name: name.into() }
    }

    /// Both parts quoted, for SQL text.
    pub fn quoted(&self) -> String {
        format!("{}.{}", self.schema.quoted(), self.name.quoted())
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

impl fmt::Debug for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_doubles_inner_quotes() {
        assert_eq!(Identifier::new("a\"b").quoted(), "\"a\"\"b\"");
        assert_eq!(QualifiedName::new("S", "t.x").quoted(), "\"S\".\"t.x\"");
    }
}
