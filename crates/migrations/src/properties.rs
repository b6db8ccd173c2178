//! Java's `.properties` syntax, with the place of every key.

use std::sync::Arc;

use trueup_model::location::{Located, Location};

/// One `key=value` with the place of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// The key, escapes resolved.
    pub key: String,
    /// The value, escapes resolved and continuation lines joined.
    pub value: Located<String>,
}

/// Reads a whole file. Nothing in this syntax is an error: a line without `=` or `:` is a key with an empty value.
pub fn parse(text: &str, file: &Arc<str>) -> Vec<Property> {
    let mut properties = Vec::new();
    let mut lines = text.split(['\n']).map(|line| line.strip_suffix('\r').unwrap_or(line)).zip(1_u32..);
    while let Some((first, number)) = lines.next() {
        let trimmed = trim_start(first);
        if trimmed.is_empty() || trimmed.starts_with(['#', '!']) {
            continue;
        }
        let column = u32::try_from(first.chars().count() - trimmed.chars().count() + 1).unwrap_or(u32::MAX);
        let mut logical = trimmed.to_owned();
        while continues(&logical) {
            logical.pop();
            let Some((next, _)) = lines.next() else { break };
            logical.push_str(trim_start(next));
        }
        let (key, value) = divide(&logical);
        let at = Location::new(Arc::clone(file), number, column);
        properties.push(Property { key: unescape(key), value: Located::new(unescape(value), at) });
    }
    properties
}

fn trim_start(line: &str) -> &str {
    line.trim_start_matches([' ', '\t', '\u{c}'])
}

/// Whether a line ends in an odd number of backslashes.
fn continues(line: &str) -> bool {
    line.bytes().rev().take_while(|&byte| byte == b'\\').count() % 2 == 1
}

/// Splits at the first unescaped `=`, `:` or blank.
fn divide(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, character) in line.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '=' | ':' | ' ' | '\t' | '\u{c}' => {
                let rest = trim_start(&line[at..]);
                let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
                return (&line[..at], trim_start(value));
            }
            _ => {}
        }
    }
    (line, "")
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('t') => out.push('\t'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\u{c}'),
            Some('u') => out.push(unicode(&mut characters)),
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

/// Four hexadecimal digits; U+FFFD for what is no character.
fn unicode(characters: &mut std::str::Chars<'_>) -> char {
    let digits: String = characters.by_ref().take(4).collect();
    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String, u32, u32)> {
        let parsed = parse(text, &Arc::from("f"));
        parsed.into_iter().map(|p| (p.key, p.value.value, p.value.at.line, p.value.at.column)).collect()
    }

    #[test]
    fn syntax_of_java() {
        let text = "# c\n! c\r\n a = b c \r\nk:v\nx y\nlong=1,\\\n   2\nuni=\\u00e9\\\\ \nesc\\=k=v\nbare\n";
        let expected = [
            ("a", "b c ", 3, 2),
            ("k", "v", 4, 1),
            ("x", "y", 5, 1),
            ("long", "1,2", 6, 1),
            ("uni", "é\\ ", 8, 1),
            ("esc=k", "v", 9, 1),
            ("bare", "", 10, 1),
        ];
        assert_eq!(pairs(text), expected.map(|(k, v, l, c)| (k.to_owned(), v.to_owned(), l, c)));
    }
}
