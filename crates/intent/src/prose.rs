//! Splits the half-SQL, half-prose of `constraints`, `type` and `columns` into tokens.
//!
//! A bracket group is one token, with all that stands in it: whoever wants to look inside lexes it again. That makes
//! a comma at top level a separator and nothing else.

use std::ops::Range;

/// One token; `range` is in bytes of the lexed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) range: Range<usize>,
    /// Whether white space, or the start of the text, stands before it.
    pub(crate) spaced: bool,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A bare word or name.
    Word,
    /// Digits with all that belongs to a number.
    Number,
    /// A string constant: `'…'`, with its prefix, or `$$…$$`.
    Quoted,
    /// A name in double quotes.
    Name,
    /// `(…)`.
    Group,
    /// `[…]` or `{…}`.
    Brackets,
    /// A run of operator characters, or any other single character.
    Symbol,
    /// A comma at top level.
    Comma,
    /// A quote or bracket that is never closed, and all that follows it.
    Unclosed,
}

/// Lexes all of `text`; the tokens cover everything but white space, in order.
pub(crate) fn lex(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut offset = 0;
    let mut spaced = true;
    while let Some(first) = text[offset..].chars().next() {
        if first.is_whitespace() {
            offset += first.len_utf8();
            spaced = true;
            continue;
        }
        let (kind, length) = token(text, offset, first);
        tokens.push(Token { kind, range: offset..offset + length, spaced });
        offset += length;
        spaced = false;
    }
    tokens
}

/// The tokens between top-level commas; empty pieces are kept.
pub(crate) fn pieces(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.split(|token| token.kind == Kind::Comma)
}

/// The bytes from the first of `tokens` to the end of the last.
pub(crate) fn extent(tokens: &[Token]) -> Range<usize> {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.range.start..last.range.end,
        _ => 0..0,
    }
}

fn token(text: &str, offset: usize, first: char) -> (Kind, usize) {
    let rest = &text[offset..];
    let closed = |kind, length: Option<usize>| length.map_or((Kind::Unclosed, rest.len()), |length| (kind, length));
    match first {
        ',' => (Kind::Comma, 1),
        '(' => closed(Kind::Group, group(rest)),
        '[' | '{' => closed(Kind::Brackets, group(rest)),
        '"' => closed(Kind::Name, delimited(rest, '"')),
        '\'' => closed(Kind::Quoted, delimited(rest, '\'')),
        '$' if dollar_tag(rest).is_some() => closed(Kind::Quoted, dollar_quoted(rest)),
        _ if first.is_ascii_digit() => (Kind::Number, number(rest)),
        _ if is_word(first) => match prefixed_string(rest) {
            Some(length) => closed(Kind::Quoted, length),
            None => (Kind::Word, word(rest)),
        },
        _ if is_operator(first) => (Kind::Symbol, operator(rest)),
        _ => (Kind::Symbol, first.len_utf8()),
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

fn is_operator(character: char) -> bool {
    "+-*/<>=~!@#%^&|`?:→≤≥≠".contains(character)
}

/// The length of an operator. As in PostgreSQL, a sign at its end is the operand's (`>=-5`), unless a character
/// stands before it that no SQL standard operator has.
fn operator(rest: &str) -> usize {
    let run = &rest[..rest.find(|c| !is_operator(c)).unwrap_or(rest.len())];
    let trimmed = run.trim_end_matches(['+', '-']);
    match trimmed.chars().next() {
        None => 1,
        Some(_) if trimmed.contains(['~', '!', '@', '#', '%', '^', '&', '|', '`', '?']) => run.len(),
        Some(_) => trimmed.len(),
    }
}

/// The length of a word. An apostrophe inside one (`guest's`) belongs to it, and opens no string.
fn word(rest: &str) -> usize {
    let mut length = 0;
    for (offset, character) in rest.char_indices() {
        let apostrophe = character == '\'' && offset > 0 && rest[offset + 1..].starts_with(char::is_alphabetic);
        let possessive = apostrophe && !rest[..offset].eq_ignore_ascii_case("default");
        if !is_word(character) && !possessive {
            break;
        }
        length = offset + character.len_utf8();
    }
    length
}

fn number(rest: &str) -> usize {
    let digits = |from: usize| from + rest[from..].find(|c: char| !is_word(c)).unwrap_or(rest.len() - from);
    let mut end = digits(0);
    if rest[end..].starts_with('.') && rest[end + 1..].starts_with(|c: char| c.is_ascii_digit()) {
        end = digits(end + 1);
    }
    let exponent = rest[..end].ends_with(['e', 'E']) && rest[..end - 1].ends_with(|c: char| c.is_ascii_digit());
    if exponent && rest[end..].starts_with(['+', '-']) && rest[end + 1..].starts_with(|c: char| c.is_ascii_digit()) {
        end = digits(end + 1);
    }
    end
}

/// The length of `E'…'`, `B'…'`, `X'…'`, `N'…'` or `U&'…'`; inner `None` when it is not closed.
fn prefixed_string(rest: &str) -> Option<Option<usize>> {
    let prefix = ["e'", "b'", "x'", "n'", "u&'"]
        .into_iter()
        .find(|prefix| rest.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))?;
    let start = prefix.len() - 1;
    let length = if prefix == "e'" { escaped(&rest[start..]) } else { delimited(&rest[start..], '\'') };
    Some(length.map(|length| start + length))
}

/// The length of a quoted part, where the doubled delimiter stands for itself.
fn delimited(rest: &str, delimiter: char) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((offset, character)) = characters.next() {
        if character == delimiter && characters.next_if(|(_, next)| *next == delimiter).is_none() {
            return Some(offset + delimiter.len_utf8());
        }
    }
    None
}

/// Like [`delimited`] with `'`, where a backslash takes the next character with it.
fn escaped(rest: &str) -> Option<usize> {
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((offset, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '\'' if characters.next_if(|(_, next)| *next == '\'').is_none() => return Some(offset + 1),
            _ => {}
        }
    }
    None
}

/// The opening `$tag$`, when `rest` starts with one.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = 1 + rest.get(1..)?.find('$')?;
    let tag = &rest[1..end];
    let sound = tag.chars().all(|c| c.is_alphanumeric() || c == '_') && !tag.starts_with(|c: char| c.is_ascii_digit());
    sound.then(|| &rest[..=end])
}

fn dollar_quoted(rest: &str) -> Option<usize> {
    let tag = dollar_tag(rest)?;
    Some(tag.len() + rest[tag.len()..].find(tag)? + tag.len())
}

/// The length of a bracket group. Brackets of all kinds nest; quotes inside hide them.
fn group(rest: &str) -> Option<usize> {
    let mut open: Vec<char> = Vec::new();
    let mut offset = 0;
    while let Some(first) = rest[offset..].chars().next() {
        match first {
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' => {
                if open.pop() != Some(first) {
                    return None;
                }
                if open.is_empty() {
                    return Some(offset + 1);
                }
            }
            '\'' | '"' => {
                // An apostrophe in a note need not be a quote: when nothing closes it, it is a character.
                offset += delimited(&rest[offset..], first).unwrap_or(1);
                continue;
            }
            _ if is_word(first) => {
                offset += prefixed_string(&rest[offset..]).flatten().unwrap_or_else(|| word(&rest[offset..]).max(1));
                // `the guests' names`: the apostrophe of a plural opens no string.
                let plural =
                    rest[offset..].strip_prefix('\'').is_some_and(|next| next.starts_with([' ', ')', ',', '.']));
                offset += usize::from(plural);
                continue;
            }
            _ => {}
        }
        offset += first.len_utf8();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        lex(text).into_iter().map(|token| (token.kind, &text[token.range])).collect()
    }

    #[test]
    fn groups_hide_commas_quotes_and_brackets() {
        assert_eq!(
            kinds("CHECK (a IN ('x)', 'y,')), NULL"),
            [(Kind::Word, "CHECK"), (Kind::Group, "(a IN ('x)', 'y,'))"), (Kind::Comma, ","), (Kind::Word, "NULL")]
        );
    }

    #[test]
    fn strings_of_all_kinds() {
        for text in ["'it''s'", "E'it\\'s'", "$$a, b$$", "$q$ ' $q$", "U&'\\0041'", "x'1f'", "'{}'"] {
            assert_eq!(kinds(text), [(Kind::Quoted, text)], "{text}");
        }
        assert_eq!(kinds("DEFAULT'a'"), [(Kind::Word, "DEFAULT"), (Kind::Quoted, "'a'")]);
    }

    #[test]
    fn apostrophes_in_notes_open_nothing() {
        assert_eq!(kinds("NULL (guest's name)").len(), 2);
        assert_eq!(kinds("NULL (guests' names)").len(), 2);
        assert_eq!(kinds("NULL (staff ID or 'self')").len(), 2);
    }

    #[test]
    fn what_never_closes_takes_the_rest() {
        assert_eq!(kinds("a 'b, c"), [(Kind::Word, "a"), (Kind::Unclosed, "'b, c")]);
        assert_eq!(kinds("a (b, c]"), [(Kind::Word, "a"), (Kind::Unclosed, "(b, c]")]);
    }

    #[test]
    fn numbers_keep_their_parts() {
        assert_eq!(kinds("1.5e-3"), [(Kind::Number, "1.5e-3")]);
        assert_eq!(kinds(">=-5"), [(Kind::Symbol, ">="), (Kind::Symbol, "-"), (Kind::Number, "5")]);
        assert_eq!(kinds("1-5"), [(Kind::Number, "1"), (Kind::Symbol, "-"), (Kind::Number, "5")]);
    }
}
