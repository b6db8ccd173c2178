//! What a script may have changed and the next one must find as it was: role, search path, the reading of literals.
//!
//! What Flyway restores is restored (role, then search path with the default schema in front), and what would change how
//! the next script is *read*. Other settings persist, as they do with Flyway. Names and operators are qualified, for a
//! script may have emptied the search path or put its own operators in it.

use std::fmt::Write as _;

use trueup_model::name::Identifier;

/// What must be as it was before each script, read once at the start.
#[derive(Clone, Debug)]
pub(crate) struct Restore {
    /// `session_user`.
    pub(crate) session_user: String,
    /// The setting `role`: `none` or a role.
    pub(crate) role: String,
    /// The search path to restore; none when Flyway would let a script's change leak to the next.
    pub(crate) search_path: Option<String>,
    /// The setting `session_replication_role`.
    pub(crate) replication_role: String,
}

impl Restore {
    /// Columns of a SELECT that put everything back.
    ///
    /// `session_replication_role` is touched only when it changed: setting it takes a right that only whoever changed it
    /// has.
    pub(crate) fn columns(&self) -> String {
        let replication_role = literal(&self.replication_role);
        let mut columns = format!(
            "CASE WHEN pg_catalog.current_setting('session_replication_role') OPERATOR(pg_catalog.<>) \
             {replication_role} THEN {} END",
            set("session_replication_role", &replication_role)
        );
        let mut push = |name: &str, value: &str| {
            columns.push(',');
            columns.push_str(&set(name, &literal(value)));
        };
        push("session_authorization", &self.session_user);
        push("role", &self.role);
        if let Some(path) = &self.search_path {
            push("search_path", path);
        }
        push("client_encoding", "UTF8");
        push("standard_conforming_strings", "on");
        columns
    }
}

impl Restore {
    /// SQL before a statement of ours in the transaction of a script that may change this: whoever the script made the session,
    /// our statement is by whom it was at the start. Ends with the transaction.
    pub(crate) fn for_a_note(&self, identity: Identity) -> String {
        match (identity.authorization, identity.role) {
            (true, _) => format!(
                "SET LOCAL session_authorization={};SET LOCAL role={};",
                literal(&self.session_user),
                literal(&self.role)
            ),
            (false, true) => format!("SET LOCAL role={};", literal(&self.role)),
            (false, false) => String::new(),
        }
    }
}

/// What a script may change about who the session is, by the words in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    authorization: bool,
    role: bool,
}

impl Identity {
    /// Takes in the text of a script, or the next part of it.
    pub(crate) fn take_in(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let stands = |at: usize, word: &str| {
            bytes.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word.as_bytes()))
        };
        for (at, byte) in bytes.iter().enumerate() {
            match byte.to_ascii_lowercase() {
                b'a' => self.authorization |= stands(at, "authorization"),
                b'r' => self.role |= stands(at, "role"),
                _ => {}
            }
        }
    }
}

/// An expression that sets a setting for the session; `value` is SQL.
pub(crate) fn set(name: &str, value: &str) -> String {
    format!("pg_catalog.set_config('{name}',{value},false)")
}

/// The search path before each script: Flyway puts the default schema before the path the session had, unless that
/// one *is* the schema or begins with it, unquoted; then it sets nothing and a script's change reaches the next.
pub(crate) fn search_path(schema: &Identifier, original: &str) -> Option<String> {
    let leads = original.strip_prefix(schema.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(','));
    match original {
        _ if leads => None,
        "" => Some(schema.quoted()),
        _ => Some(format!("{}, {original}", schema.quoted())),
    }
}

/// A text literal in ASCII that means the same whatever `standard_conforming_strings`, `backslash_quote` and
/// `client_encoding` a script left behind.
pub(crate) fn literal(text: &str) -> String {
    let mut sql = String::from("E'");
    for character in text.chars() {
        match character {
            '\'' => sql.push_str("''"),
            '\\' => sql.push_str("\\\\"),
            ' '..='~' => sql.push(character),
            // Writing to a String does not fail.
            _ => drop(write!(sql, "\\U{:08X}", u32::from(character))),
        }
    }
    sql.push('\'');
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_ascii_and_closed() {
        assert_eq!(literal("o'b\\é\n"), "E'o''b\\\\\\U000000E9\\U0000000A'");
    }

    #[test]
    fn the_search_path_is_flyways() {
        let path = |schema: &str, original: &str| search_path(&Identifier::new(schema), original);
        assert_eq!(path("public", "\"$user\", public").as_deref(), Some("\"public\", \"$user\", public"));
        assert_eq!(path("app", "").as_deref(), Some("\"app\""));
        assert_eq!(path("app", "app"), None);
        assert_eq!(path("app", "app,public"), None);
        assert_eq!(path("app", "apple").as_deref(), Some("\"app\", apple"));
    }
}
