//! SQL names as architects write them: folded to lower case as PostgreSQL folds them, unless in double quotes.
//!
//! The decision and its reasons: `docs/decisions/intent-names.md`.

use trueup_model::name::Identifier;

/// PostgreSQL cuts longer names off (`NAMEDATALEN` is 64, with the closing NUL).
const MAX_IDENTIFIER_BYTES: usize = 63;

/// A name that was read, or why it could not be.
pub(crate) type Name = Result<Identifier, NotAName>;

/// Why text is not taken as a name.
pub(crate) struct NotAName {
    /// A clause without a full stop, to stand after the text itself.
    pub(crate) message: String,
    /// What to write instead.
    pub(crate) help: String,
    /// The name that PostgreSQL would make of it, when only its length is wrong.
    pub(crate) cut: Option<Identifier>,
}

/// Reads one name. With `folds`, as SQL of PostgreSQL; else as it stands.
pub(crate) fn name(text: &str, folds: bool) -> Name {
    let text = text.trim();
    let raw = match unquote(text) {
        Some(inner) => inner,
        None if !folds => text.to_owned(),
        None if text.chars().all(is_bare) => text.to_ascii_lowercase(),
        None => return Err(not_bare(text)),
    };
    sound(raw)
}

/// Reads `name` or `schema.name`; a dot inside double quotes belongs to the name.
pub(crate) fn qualified(text: &str, folds: bool) -> Result<(Option<Identifier>, Identifier), NotAName> {
    let parts = dotted(text.trim());
    match parts.as_slice() {
        [single] => Ok((None, name(single, folds)?)),
        [schema, table] => Ok((Some(name(schema, folds)?), name(table, folds)?)),
        _ => Err(NotAName {
            message: "is not a table name".to_owned(),
            help: "write `table` or `schema.table`".to_owned(),
            cut: None,
        }),
    }
}

/// The parts of `text` between dots that stand outside of double quotes.
pub(crate) fn dotted(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut inside = false;
    for (offset, character) in text.char_indices() {
        match character {
            '"' => inside = !inside,
            '.' if !inside => {
                parts.push(&text[start..offset]);
                start = offset + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// A name for reports, when the text was not taken as one: never empty, always showable.
pub(crate) fn stand_in(text: &str) -> Identifier {
    let shown = crate::report::shown(text);
    Identifier::new(if shown.is_empty() { "?".to_owned() } else { shown })
}

/// Characters that no name may have: they are invisible, or change how the text around them is shown.
pub(crate) fn is_treacherous(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn is_bare(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$' | '-')
}

/// The inside of `"…"`, doubled quotes undone; `None` when the text is not exactly one such name.
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"').filter(|_| text.len() >= 2)?;
    let paired = inner.split("\"\"").all(|part| !part.contains('"'));
    paired.then(|| inner.replace("\"\"", "\""))
}

fn sound(raw: String) -> Name {
    let refuse = |message: String, help: &str, cut| Err(NotAName { message, help: help.to_owned(), cut });
    if raw.is_empty() {
        return refuse("is empty".to_owned(), "write a name", None);
    }
    if raw.contains(is_treacherous) {
        return refuse("has control or invisible characters in it".to_owned(), "take them out of the name", None);
    }
    if raw.len() > MAX_IDENTIFIER_BYTES {
        let cut = &raw[..raw.floor_char_boundary(MAX_IDENTIFIER_BYTES)];
        let message = format!("has {} bytes, and PostgreSQL cuts names off after {MAX_IDENTIFIER_BYTES}", raw.len());
        return refuse(message, "choose a shorter name", Some(Identifier::new(cut)));
    }
    Ok(Identifier::new(raw))
}

fn not_bare(text: &str) -> NotAName {
    let quoted = Identifier::new(crate::report::shown(text)).quoted().replace('\'', "''");
    let help = if text.is_empty() {
        "write a name".to_owned()
    } else {
        format!("if that is really the name, write it in double quotes, as in SQL: '{quoted}'")
    };
    NotAName { message: "is not a plain name".to_owned(), help, cut: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        name(text, true).ok().map(|name| name.as_str().to_owned())
    }

    #[test]
    fn folds_like_unquoted_sql() {
        assert_eq!(read("Check_Ins").as_deref(), Some("check_ins"));
        assert_eq!(read("\"Check Ins\"").as_deref(), Some("Check Ins"));
        assert_eq!(read("\"a\"\"b\"").as_deref(), Some("a\"b"));
        assert_eq!(read("1e3").as_deref(), Some("1e3"));
        assert_eq!(read("order-items").as_deref(), Some("order-items"));
        assert_eq!(name("METRIC_ID", false).ok().map(|name| name.to_string()).as_deref(), Some("METRIC_ID"));
    }

    #[test]
    fn refuses_what_is_no_name() {
        for text in
            ["", "\"", "\"\"", "a b", "a;b", "a\"b", "\"a\"b\"", "a(b)", "\"a\u{202e}b\"", "\"a\u{0}b\"", "a\nb"]
        {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn long_names_are_cut_at_a_character() {
        let long = format!("{}é", "x".repeat(62));
        let cut = name(&long, true).err().and_then(|refused| refused.cut).unwrap();
        assert_eq!(cut.as_str(), "x".repeat(62));
        assert!(name(&"x".repeat(63), true).is_ok());
    }

    #[test]
    fn dots_split_outside_of_quotes() {
        assert_eq!(dotted("a.\"b.c\".d"), ["a", "\"b.c\"", "d"]);
        let (schema, table) = qualified("S.\"T.x\"", true).ok().unwrap();
        assert_eq!((schema.unwrap().as_str(), table.as_str()), ("s", "T.x"));
    }
}
