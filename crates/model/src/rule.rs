//! The rules: one declaration each. `--explain`, the documentation, SARIF and the settings all read this list.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::finding::{Severity, State};

/// What is known about a rule besides its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Kebab-case, as in settings and reports.
    pub name: &'static str,
    /// How much it matters unless settings say otherwise.
    pub severity: Severity,
    /// Which side stands apart when only the YAML and the migrations are compared.
    pub state: State,
    /// One line, without a full stop.
    pub summary: &'static str,
    /// When it speaks, and what to do, in a few sentences of plain text.
    pub explanation: &'static str,
}

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $severity:ident, $state:ident, $summary:literal, $explanation:literal;)+) => {
        /// A rule of trueup.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $(#[doc = $summary] $variant,)+
        }

        impl Rule {
            /// Every rule, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The rule's declaration.
            pub const fn info(self) -> RuleInfo {
                match self {
                    $(Self::$variant => RuleInfo {
                        name: $name,
                        severity: Severity::$severity,
                        state: State::$state,
                        summary: $summary,
                        explanation: $explanation,
                    },)+
                }
            }
        }
    };
}

rules! {
    SchemaName = "schema-name", Warning, Unmigrated,
        "The migrations create one schema, the YAML names another",
        "The service's migrations create exactly one schema and the YAML gives it another name. trueup says so once and compares everything inside the pair. Settle it by correcting `schema:` in the YAML, or by a migration with ALTER SCHEMA … RENAME TO. `renamed_from` on the schema says that the rename is meant and still owed.";
    MissingTable = "missing-table", Error, Unmigrated,
        "The YAML declares a table that no migration creates",
        "A table is declared and the migrations do not produce it. Its members are not reported one by one. Write a migration that creates it, or take it out of the YAML. If it exists under another name, say so with `renamed_from`.";
    UndeclaredTable = "undeclared-table", Warning, Unmigrated,
        "A migration creates a table that the YAML does not declare",
        "The migrations produce a table that the YAML does not mention. Declare it, or drop it in a later migration when nobody uses it any more. `ignore` with a reason leaves a technical table out.";
    TableName = "table-name", Warning, Unmigrated,
        "A rename of a table is declared and not yet migrated",
        "`renamed_from` names a table that still has its former name. Write a migration with ALTER TABLE … RENAME TO; once it is there the key means nothing and can go.";
    MissingColumn = "missing-column", Error, Unmigrated,
        "The YAML declares a column that no migration creates",
        "A column is declared and the migrations do not produce it. What is written on it (its foreign key, check, uniqueness) is part of this finding. Write a migration that adds it, or take it out of the YAML.";
    UndeclaredColumn = "undeclared-column", Warning, Unmigrated,
        "A migration creates a column that the YAML does not declare",
        "The migrations produce a column that the detailed table in the YAML does not list. Declare it, or plan its removal.";
    ColumnName = "column-name", Warning, Unmigrated,
        "A rename of a column is declared and not yet migrated",
        "`renamed_from` names a column that still has its former name. Write a migration with ALTER TABLE … RENAME COLUMN; once it is there the key means nothing and can go.";
    ColumnType = "column-type", Error, Unmigrated,
        "A column has another type than declared",
        "Both sides are compared as PostgreSQL stores them, so VARCHAR(20) equals character varying(20), and serial equals its integer type.";
    ColumnNullability = "column-nullability", Error, Unmigrated,
        "A column's nullability differs from what is declared",
        "In the YAML, silence and `NULL` mean nullable; PK means NOT NULL and brings no finding of its own.";
    ColumnDefault = "column-default", Warning, Unmigrated,
        "A column's default differs from what is declared",
        "Silence in the YAML means no default. Constants are equal when PostgreSQL evaluates both to the same value; now() equals CURRENT_TIMESTAMP; any sequence default of a serial equals any other.";
    GeneratedColumn = "generated-column", Error, Unmigrated,
        "A generated or identity column differs from what is declared",
        "The generation expression, or whether the column is an identity column, differs.";
    PrimaryKey = "primary-key", Error, Unmigrated,
        "A table's primary key differs from what is declared",
        "Once a table, whatever the key's name: the columns or their order differ, or one side has no primary key.";
    MissingForeignKey = "missing-foreign-key", Warning, Unmigrated,
        "A declared foreign key is not created by the migrations",
        "`FK -> table` inside the service means a database constraint to that table's declared key. Write ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY, first NOT VALID, then VALIDATE CONSTRAINT.";
    ForeignKey = "foreign-key", Warning, Unmigrated,
        "A foreign key differs from what is declared, or is not declared",
        "It points at another table or key, acts differently on delete, or the YAML does not mention it.";
    LogicalReference = "logical-reference", Warning, Lint,
        "A reference to another service or to an undetailed table does not hold",
        "A reference that is documented and never becomes a constraint still has to name something that exists, with a type that matches where the target's key is known.";
    Unique = "unique", Warning, Unmigrated,
        "A column's uniqueness differs from what is declared",
        "UNIQUE is declared and the migrations create neither a unique constraint nor a unique index on the column, or the reverse. A UNIQUE index in the YAML on the same column is the same thing said twice, and is reported under the index.";
    CheckConstraint = "check-constraint", Warning, Unmigrated,
        "A check constraint differs from what is declared",
        "CHECK (1-5) means between 1 and 5, CHECK (> 0) compares this column. Both sides are compared as PostgreSQL prints them.";
    MissingIndex = "missing-index", Warning, Unmigrated,
        "The YAML declares an index that no migration creates",
        "No index of the table has these columns, in this order, and none has this name. Write CREATE INDEX CONCURRENTLY in a migration of its own.";
    UndeclaredIndex = "undeclared-index", Warning, Unmigrated,
        "A migration creates an index that the YAML does not declare",
        "Indexes behind a primary key or a unique constraint are never reported.";
    IndexDefinition = "index-definition", Warning, Unmigrated,
        "An index differs from what is declared",
        "It differs in columns, order, uniqueness, method, predicate or included columns from the declared index of the same name.";
    IndexName = "index-name", Info, Unmigrated,
        "An index equals a declared one but for its name",
        "Rename it with ALTER INDEX … RENAME TO, which takes no lock on the table, or take over its name in the YAML.";
    InvalidIndex = "invalid-index", Warning, Unmigrated,
        "An index that the migrations leave behind is not valid",
        "PostgreSQL keeps it up to date and never uses it. It stems from a CREATE INDEX CONCURRENTLY that failed, or from ON ONLY on a partitioned table whose partitions lack theirs.";
    NotUnderstood = "not-understood", Warning, Unknown,
        "Something in the YAML was not understood",
        "trueup does not guess. What is not understood is not compared: it counts as unknown, never as agreeing. Write it in a form of the dialect, or accept it in the baseline with a reason.";
    UnknownKey = "unknown-key", Warning, Unknown,
        "The YAML has a key that trueup does not know",
        "What stands under an unknown key is not read. It is mostly a misspelling; the message suggests the nearest known key.";
    ReplayFailed = "replay-failed", Error, Unknown,
        "A migration fails when it is replayed on an empty database",
        "The service cannot be compared and is unknown; the others are. If the migration needs something that exists outside the repository (a role, an extension, a table of a Java migration), name SQL that makes it in `[replay] before` of trueup.toml.";
    MissingExtension = "missing-extension", Error, Unknown,
        "The disposable PostgreSQL lacks an extension that the service needs",
        "Tables are still compared by name; types and index methods that need the extension are unknown. Install the extension where trueup finds PostgreSQL, or point --scratch-url at a server that has it.";
    JavaMigration = "java-migration", Warning, Unknown,
        "A migration is not SQL and was not replayed",
        "Java and script migrations do not run in a check. What they do is unknown until SQL that does the same is named in `[replay] before`, in a file with the same name: V2__Fill.sql stands in for V2__Fill.java. It runs before the first migration.";
    NoMigrations = "no-migrations", Error, Unmigrated,
        "The YAML declares a PostgreSQL service that has no migrations",
        "No folder with migrations belongs to the service. Name it with `migrations:` in the YAML when it is not the usual one.";
    UndeclaredService = "undeclared-service", Warning, Unmigrated,
        "A folder has migrations and the YAML does not declare its service",
        "Add the service to the YAML, so that somebody owns its data.";
    VersionCollision = "version-collision", Error, Lint,
        "Two migrations have the same version",
        "Flyway refuses to run with two files of one version. Renumber the one that is not applied anywhere yet.";
    MigrationName = "migration-name", Warning, Lint,
        "A file in a migrations folder has a name that Flyway ignores or refuses",
        "Its SQL never runs. Name it `V<version>__<description>.sql`, `R__<description>.sql`, or as a callback.";
    MigrationFile = "migration-file", Error, Unknown,
        "A migration or its settings cannot be read",
        "The file cannot be decoded, a placeholder has no value, a statement never ends, or a setting is not supported. The service is unknown until that is settled.";
}

impl Rule {
    /// The kebab-case name.
    pub const fn name(self) -> &'static str {
        self.info().name
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No rule has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule(pub String);

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no rule is named `{}`", self.0)
    }
}

impl std::error::Error for UnknownRule {}

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|rule| rule.name() == name).ok_or_else(|| UnknownRule(name.to_owned()))
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_kebab_case_and_parse_back() {
        let mut seen = std::collections::BTreeSet::new();
        for &rule in Rule::ALL {
            let name = rule.name();
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
            assert!(seen.insert(name), "{name} twice");
            assert_eq!(name.parse(), Ok(rule));
        }
        assert!("nope".parse::<Rule>().is_err());
    }
}
