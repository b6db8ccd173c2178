//! The statements, put together from the reviewed `.sql` files.
//!
//! Each section of the usual message is a statement of its own over one catalog, or two: planning joins over catalogs
//! took most of the time that a small database takes. [`super::join`] puts the rows together.

use super::IntrospectError;

/// The oid from which on objects are the users', also after the counter wraps.
pub(super) const FIRST_USER_OID: u32 = 16_384;

/// A named section file.
macro_rules! sections {
    ($($name:literal),* $(,)?) => {
        &[$(include_str!(concat!("sql/", $name, ".sql"))),*]
    };
}

/// What is read of every database.
const WHOLE: &[&str] = sections!(
    "server",
    "namespace",
    "init_privs",
    "member",
    "extension",
    "class",
    "am",
    "rewrite",
    "inherits",
    "attribute",
    "attrdef",
    "constraint",
    "index",
    "opclass",
    "trigger",
    "sequence",
    "depend",
    "type",
    "enum",
    "proc",
    "description",
);

/// What tables alone are made of.
const TABLES: &[&str] = sections!(
    "namespace",
    "class",
    "am",
    "attribute",
    "attrdef",
    "constraint",
    "index",
    "opclass",
    "sequence",
    "depend",
);

/// One statement for all objects of rare kinds, on what they share.
const RARE: &[&str] = sections!("range", "aggregate", "foreign_table", "policy", "other", "default_privileges");

const PROLOGUE: &str = include_str!("sql/prologue.sql");
const EPILOGUE: &str = include_str!("sql/epilogue.sql");
const USER_SCHEMA: &str = include_str!("sql/user_schema.sql");
const SHARED: &str = include_str!("sql/shared.sql");

/// Asks for the server's version, under whatever settings the caller has.
pub(super) const VERSION: &str = "SELECT pg_catalog.current_setting('server_version_num')";

/// The majors that are supported: those that were tried.
pub(super) fn supported(major: u16) -> Result<u16, IntrospectError> {
    if (13..=18).contains(&major) { Ok(major) } else { Err(IntrospectError::Unsupported(major.to_string())) }
}

/// The message that reads a whole database, but for objects of rare kinds.
pub(super) fn whole(major: u16) -> String {
    message(WHOLE, major, FIRST_USER_OID)
}

/// The message that reads tables made since, and including, the object with this oid.
pub(super) fn tables_since(major: u16, oid: u32) -> String {
    message(TABLES, major, oid)
}

/// The message that reads objects of rare kinds.
pub(super) fn rare(major: u16) -> String {
    let publication =
        if major < 15 { include_str!("sql/publication_13.sql") } else { include_str!("sql/publication_15.sql") };
    let sections = RARE.join("UNION ALL\n");
    [PROLOGUE, publication, USER_SCHEMA, SHARED, &sections, ";\n", EPILOGUE].concat()
}

fn message(sections: &[&str], major: u16, since: u32) -> String {
    let since = since.to_string();
    let sections = sections.iter().map(|section| for_major(section, major).replace("{since}", &since));
    let sections: String = sections.collect();
    [PROLOGUE, &sections, EPILOGUE].concat()
}

/// A section without the lines that are there only from a later major on: those that end in `-- from 15`.
fn for_major(section: &str, major: u16) -> String {
    let is_there = |line: &&str| {
        let since = line.trim_end().rsplit_once("-- from ").and_then(|(_, number)| number.parse().ok());
        since.is_none_or(|since: u16| since <= major)
    };
    section.split_inclusive('\n').filter(is_there).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_majors_that_were_tried_are_supported() {
        assert!((13..=18).all(|major| supported(major).is_ok()));
        assert!(supported(12).is_err() && supported(19).is_err());
    }

    #[test]
    fn columns_of_later_majors_are_left_out_of_earlier_ones() {
        let (old, new) = (whole(14), whole(18));
        assert!(old.contains("attcompression") && !old.contains("confdelsetcols") && !old.contains("conperiod"));
        assert!(new.contains("confdelsetcols") && new.contains("conperiod"));
        assert!(!new.contains("{since}"));
    }
}
