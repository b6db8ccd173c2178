//! Statements as psql must be given them, so that it sends what is meant and does nothing else.

use std::borrow::Cow;

use crate::lexer::{Lexer, TokenKind};

/// Why a statement cannot be given to psql.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a backslash outside of quotes: no SQL has one, and psql would take it for a command of its own")]
pub struct PsqlError {
    /// The byte of the statement where it is.
    pub offset: usize,
}

/// A statement of which psql changes nothing on its way to the server. Where a colon would name one of psql's variables
/// (`array[1:USER]`), a blank keeps it apart; the server reads the same.
///
/// # Errors
/// It has a backslash outside of quotes, which would start one of psql's own commands.
pub fn for_psql(statement: &str) -> Result<Cow<'_, str>, PsqlError> {
    let mut lexer = Lexer::new(statement, 0);
    let mut apart = Vec::new();
    let mut colon = None;
    // What is never closed is psql's to refuse: `split` has refused it before.
    while let Ok(Some(token)) = lexer.next() {
        if token.kind == TokenKind::Backslash {
            return Err(PsqlError { offset: token.start });
        }
        let is_colon = token.kind == TokenKind::Other && token.text(statement) == ":";
        if colon.take() == Some(token.start) {
            let next = statement.as_bytes()[token.start];
            if next.is_ascii_alphanumeric() || !next.is_ascii() || b"_'\"{".contains(&next) {
                apart.push(token.start);
            }
            // The second half of `::` names nothing.
            continue;
        }
        colon = is_colon.then_some(token.end);
    }
    if apart.is_empty() {
        return Ok(Cow::Borrowed(statement));
    }
    let mut text = String::with_capacity(statement.len() + apart.len());
    let mut from = 0;
    for at in apart {
        text.push_str(&statement[from..at]);
        text.push(' ');
        from = at;
    }
    text.push_str(&statement[from..]);
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_psql_are_kept_apart() {
        let given = |sql: &str| for_psql(sql).unwrap().into_owned();
        assert_eq!(
            given("select a[1:USER], b::text, ':USER', $$:USER$$"),
            "select a[1: USER], b::text, ':USER', $$:USER$$"
        );
        assert_eq!(given("select a[:\"x\"] -- :USER"), "select a[: \"x\"] -- :USER");
        assert_eq!(given("select f(a := 1), x::numeric"), "select f(a := 1), x::numeric");
        assert_eq!(given("select a[:n]:::y"), "select a[: n]::: y");
    }

    #[test]
    fn commands_of_psql_are_refused() {
        assert_eq!(for_psql("select 1 \\! true"), Err(PsqlError { offset: 9 }));
        assert!(for_psql("select '\\! true', E'\\\\', \"\\x\", $$\\$$ -- \\\n/* \\ */").is_ok());
    }
}
