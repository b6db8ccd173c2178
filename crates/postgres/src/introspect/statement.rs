//! The statement for each version family, put together from the reviewed files when trueup is compiled.

/// Prologue, the catalogs as of PostgreSQL 18, the sections, epilogue; without and with the rare sections.
macro_rules! statements {
    ($catalog:literal) => {
        [
            concat!(
                include_str!("sql/prologue.sql"),
                include_str!($catalog),
                include_str!("sql/shared.sql"),
                sections!(),
                include_str!("sql/epilogue.sql"),
            ),
            concat!(
                include_str!("sql/prologue.sql"),
                include_str!($catalog),
                include_str!("sql/shared.sql"),
                sections!("other", "default_privileges"),
                include_str!("sql/epilogue.sql"),
            ),
        ]
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

const FROM_13: [&str; 2] = statements!("sql/catalog_13.sql");
const FROM_14: [&str; 2] = statements!("sql/catalog_14.sql");
const FROM_15: [&str; 2] = statements!("sql/catalog_15.sql");
const FROM_18: [&str; 2] = statements!("sql/catalog_18.sql");

/// The statement for this major, when it is supported. Planning the sections of rare kinds takes a third of the time
/// that a small database takes, so they are asked for only when there are any.
pub(super) fn for_major(major: u16, has_rare: bool) -> Option<&'static str> {
    let statements = match major {
        13 => FROM_13,
        14 => FROM_14,
        15..=17 => FROM_15,
        18 => FROM_18,
        _ => return None,
    };
    Some(statements[usize::from(has_rare)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_supported_major_has_a_statement_and_no_other() {
        for major in 13..=18 {
            assert!(for_major(major, false).is_some(), "{major}");
        }
        assert!(for_major(12, true).is_none() && for_major(19, true).is_none());
    }
}
