//! The statement for each version family, put together from the reviewed files when trueup is compiled.

/// Prologue, the catalogs as of PostgreSQL 18, the sections, epilogue: without and with the rare sections, and what
/// tables in scratch schemas are made of.
macro_rules! statements {
    ($catalog:literal) => {
        [
            statement!($catalog, "sql/user_schema.sql", sections!()),
            statement!($catalog, "sql/user_schema.sql", sections!("other", "default_privileges")),
            statement!(
                $catalog,
                "sql/scratch_schema.sql",
                joined!("server", "relation", "column", "constraint", "index", "index_key", "sequence")
            ),
        ]
    };
}

/// One whole message.
macro_rules! statement {
    ($catalog:literal, $schemas:literal, $sections:expr) => {
        concat!(
            include_str!("sql/prologue.sql"),
            include_str!($catalog),
            include_str!($schemas),
            include_str!("sql/shared.sql"),
            $sections,
            include_str!("sql/epilogue.sql"),
        )
    };
}

/// The section files, joined with UNION ALL: those every database needs, and those named.
macro_rules! sections {
    ($($rare:literal),*) => {
        joined!(
            "server", "schema", "extension", "relation", "inherits", "column", "constraint", "index", "index_key",
            "trigger", "policy", "sequence", "type", "domain_check", "routine", "comment" $(, $rare)*
        )
    };
}

/// Files joined with UNION ALL.
macro_rules! joined {
    ($first:literal $(, $next:literal)*) => {
        concat!(
            include_str!(concat!("sql/", $first, ".sql")),
            $("UNION ALL\n", include_str!(concat!("sql/", $next, ".sql")),)*
        )
    };
}

/// Sent first: the version, and whether there are objects of the rare kinds.
pub(super) const FIRST: &str = include_str!("sql/first.sql");

const FROM_13: [&str; 3] = statements!("sql/catalog_13.sql");
const FROM_14: [&str; 3] = statements!("sql/catalog_14.sql");
const FROM_15: [&str; 3] = statements!("sql/catalog_15.sql");
const FROM_18: [&str; 3] = statements!("sql/catalog_18.sql");

/// What a statement asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Everything but objects of the rare kinds. Planning their sections takes a third of the time that a small
    /// database takes, so they are asked for only when there are any.
    Usual,
    /// Everything.
    All,
    /// Tables in scratch schemas, with columns, constraints, indexes and sequences.
    ScratchTables,
}

/// The statement for this major, when it is supported.
pub(super) fn for_major(major: u16, scope: Scope) -> Option<&'static str> {
    let statements = match major {
        13 => FROM_13,
        14 => FROM_14,
        15..=17 => FROM_15,
        18 => FROM_18,
        _ => return None,
    };
    Some(match scope {
        Scope::Usual => statements[0],
        Scope::All => statements[1],
        Scope::ScratchTables => statements[2],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_supported_major_has_a_statement_and_no_other() {
        for major in 13..=18 {
            assert!(for_major(major, Scope::Usual).is_some(), "{major}");
        }
        assert!(for_major(12, Scope::All).is_none() && for_major(19, Scope::All).is_none());
    }
}
