//! The statement for each version family, put together from the reviewed files when trueup is compiled.

/// Prologue, the catalogs as of PostgreSQL 18, all sections, epilogue.
macro_rules! statement {
    ($catalog:literal) => {
        concat!(
            include_str!("sql/prologue.sql"),
            include_str!($catalog),
            include_str!("sql/shared.sql"),
            sections!(
                "server",
                "schema",
                "extension",
                "relation",
                "inherits",
                "column",
                "constraint",
                "index",
                "index_key",
                "trigger",
                "policy",
                "sequence",
                "type",
                "domain_check",
                "routine",
                "grant",
                "comment",
                "other",
                "default_privileges"
            ),
            include_str!("sql/epilogue.sql"),
        )
    };
}

/// The section files, joined with UNION ALL.
macro_rules! sections {
    ($first:literal, $($next:literal),+) => {
        concat!(
            include_str!(concat!("sql/", $first, ".sql")),
            $("UNION ALL\n", include_str!(concat!("sql/", $next, ".sql")),)+
        )
    };
}

const FROM_13: &str = statement!("sql/catalog_13.sql");
const FROM_14: &str = statement!("sql/catalog_14.sql");
const FROM_15: &str = statement!("sql/catalog_15.sql");
const FROM_18: &str = statement!("sql/catalog_18.sql");

/// The statement for this major, when it is supported.
pub(super) fn for_major(major: u16) -> Option<&'static str> {
    match major {
        13 => Some(FROM_13),
        14 => Some(FROM_14),
        15..=17 => Some(FROM_15),
        18 => Some(FROM_18),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_supported_major_has_a_statement_and_no_other() {
        for major in 13..=18 {
            assert!(for_major(major).is_some(), "{major}");
        }
        assert!(for_major(12).is_none() && for_major(19).is_none());
    }
}
