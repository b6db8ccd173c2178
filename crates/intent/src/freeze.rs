//! Defaults such as `'now'`: PostgreSQL reads the word when the table is made, and keeps that moment for ever.

use crate::prose::{Kind, lex};

/// Whether `default` has a string constant in it that PostgreSQL would read as the moment of the replay.
///
/// Such a word is a moment only where a date or time is wanted: by the column's type, or by a type name beside it.
pub(crate) fn freezes(default: &str, column_type: Option<&str>) -> bool {
    let tokens = lex(default);
    let frozen = tokens.iter().any(|token| match token.kind {
        Kind::Quoted => is_moment(&default[token.range.clone()]),
        Kind::Group | Kind::Brackets => {
            freezes(&default[token.range.start + 1..token.range.end - 1], Some("timestamp"))
        }
        _ => false,
    });
    let wants_time = column_type.is_none_or(is_temporal)
        || tokens.iter().any(|token| token.kind == Kind::Word && is_temporal(&default[token.range.clone()]));
    frozen && wants_time
}

fn is_moment(constant: &str) -> bool {
    let text = constant.trim_start_matches(|c: char| c.is_ascii_alphabetic()).trim_matches('\'').to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let first = words.next();
    first.is_some_and(|word| ["now", "today", "tomorrow", "yesterday"].contains(&word)) && words.count() <= 1
}

fn is_temporal(type_name: &str) -> bool {
    let name = type_name.trim().trim_start_matches("pg_catalog.").to_ascii_lowercase();
    ["date", "time"].iter().any(|temporal| name.starts_with(temporal)) || name == "abstime"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_freeze_where_a_time_is_wanted() {
        for default in
            ["'now'", "'NOW'", "'today'", "('now')", "'now'::timestamptz", "DATE 'today'", "'tomorrow'", "' now '"]
        {
            assert!(freezes(default, Some("TIMESTAMPTZ")), "{default}");
        }
        assert!(freezes("'today'::date::text", Some("TEXT")));
        assert!(freezes("'now'", None));
    }

    #[test]
    fn words_and_calls_do_not() {
        for default in ["now()", "CURRENT_TIMESTAMP", "'2020-01-01'", "'infinity'", "(now() + interval '1 day')"] {
            assert!(!freezes(default, Some("TIMESTAMPTZ")), "{default}");
        }
        assert!(!freezes("'now'", Some("VARCHAR(20)")));
        assert!(!freezes("'today'", Some("text")));
    }
}
