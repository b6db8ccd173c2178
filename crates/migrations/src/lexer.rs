//! PostgreSQL's tokens, as `scan.l` cuts them with `standard_conforming_strings` on. One pass, no recursion.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Blanks and newlines.
    Space,
    /// `-- …` up to the newline, which is not part of it.
    LineComment,
    /// `/* … */`, nested.
    BlockComment,
    /// An unquoted name or keyword.
    Word,
    /// `"…"` or `U&"…"`.
    QuotedName,
    /// `'…'` in any of its forms, continuation lines included.
    Text,
    /// `$tag$…$tag$`.
    Dollar,
    /// A number.
    Number,
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `,`
    Comma,
    /// `.`
    Dot,
    /// `\`, which no SQL has outside of quotes.
    Backslash,
    /// Any other character, one at a time.
    Other,
}

impl TokenKind {
    /// Whether it means nothing to the server.
    pub(crate) fn is_trivia(self) -> bool {
        matches!(self, Self::Space | Self::LineComment | Self::BlockComment)
    }
}

/// A token and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    /// Its text.
    pub(crate) fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.start..self.end]
    }

    /// Whether it is this keyword, in any case.
    pub(crate) fn is_word(&self, sql: &str, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text(sql).eq_ignore_ascii_case(keyword)
    }
}

/// Something that is opened and never closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unclosed {
    /// Where it is opened.
    pub(crate) offset: usize,
    /// What it is, for people.
    pub(crate) what: String,
}

/// Cuts a text into tokens, from any token boundary on.
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// Starts at `at`, which must be a token boundary.
    pub(crate) fn new(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }

    /// Goes on at `at`.
    pub(crate) fn seek(&mut self, at: usize) {
        self.at = at;
    }

    /// The next token; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Token>, Unclosed> {
        let start = self.at;
        let Some(first) = self.byte(start) else { return Ok(None) };
        let (kind, end) = self.scan(first, start)?;
        self.at = end;
        Ok(Some(Token { kind, start, end }))
    }

    /// The next token that is neither blank nor comment.
    pub(crate) fn next_significant(&mut self) -> Result<Option<Token>, Unclosed> {
        loop {
            match self.next()? {
                Some(token) if token.kind.is_trivia() => {}
                other => return Ok(other),
            }
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn scan(&self, first: u8, at: usize) -> Result<(TokenKind, usize), Unclosed> {
        let next = self.byte(at + 1);
        Ok(match first {
            b if is_space(b) => (TokenKind::Space, self.run(at, is_space)),
            b'-' if next == Some(b'-') => (TokenKind::LineComment, self.run(at, |b| b != b'\n' && b != b'\r')),
            b'/' if next == Some(b'*') => (TokenKind::BlockComment, self.comment(at)?),
            b'\'' => (TokenKind::Text, self.string(at, at, false)?),
            b'e' | b'E' if next == Some(b'\'') => (TokenKind::Text, self.string(at, at + 1, true)?),
            b'b' | b'B' | b'x' | b'X' | b'n' | b'N' if next == Some(b'\'') => {
                (TokenKind::Text, self.string(at, at + 1, false)?)
            }
            b'u' | b'U' if next == Some(b'&') && self.byte(at + 2) == Some(b'\'') => {
                (TokenKind::Text, self.string(at, at + 2, false)?)
            }
            b'u' | b'U' if next == Some(b'&') && self.byte(at + 2) == Some(b'"') => {
                (TokenKind::QuotedName, self.quoted_name(at, at + 2)?)
            }
            b'"' => (TokenKind::QuotedName, self.quoted_name(at, at)?),
            b'$' => self.dollar(at)?,
            b if is_word_start(b) => (TokenKind::Word, self.run(at, is_word_part)),
            b'0'..=b'9' => (TokenKind::Number, self.number(at)),
            b'.' if next.is_some_and(|b| b.is_ascii_digit()) => (TokenKind::Number, self.number(at)),
            b => (punctuation(b), at + 1),
        })
    }

    fn run(&self, at: usize, part: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text.as_bytes()[at..];
        at + rest.iter().position(|&byte| !part(byte)).unwrap_or(rest.len())
    }

    fn comment(&self, start: usize) -> Result<usize, Unclosed> {
        let mut depth = 1_usize;
        let mut at = start + 2;
        while let Some(byte) = self.byte(at) {
            match (byte, self.byte(at + 1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return Ok(at);
                    }
                }
                _ => at += 1,
            }
        }
        Err(unclosed(start, "comment `/*`"))
    }

    /// A string whose opening quote is at `quote`, with the continuations that a newline allows.
    fn string(&self, start: usize, quote: usize, escapes: bool) -> Result<usize, Unclosed> {
        let mut at = self.string_part(start, quote, escapes)?;
        while let Some(next) = self.continuation(at) {
            at = self.string_part(next, next, escapes)?;
        }
        Ok(at)
    }

    fn string_part(&self, start: usize, quote: usize, escapes: bool) -> Result<usize, Unclosed> {
        let mut at = quote + 1;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'\'' if self.byte(at + 1) == Some(b'\'') => at += 2,
                b'\'' => return Ok(at + 1),
                b'\\' if escapes => at += 2,
                _ => at += 1,
            }
        }
        Err(unclosed(start, "string `'`"))
    }

    /// Where the string that ends at `end` goes on: at a quote after blanks and comments with at least one newline, which
    /// may be the one that ends a comment.
    fn continuation(&self, end: usize) -> Option<usize> {
        let mut at = end;
        let mut newline = false;
        loop {
            match self.byte(at)? {
                b'\n' | b'\r' => {
                    newline = true;
                    at += 1;
                }
                b if is_space(b) => at += 1,
                b'-' if self.byte(at + 1) == Some(b'-') => at = self.run(at, |b| b != b'\n' && b != b'\r'),
                b'\'' if newline => return Some(at),
                _ => return None,
            }
        }
    }

    fn quoted_name(&self, start: usize, quote: usize) -> Result<usize, Unclosed> {
        let mut at = quote + 1;
        while let Some(byte) = self.byte(at) {
            match byte {
                b'"' if self.byte(at + 1) == Some(b'"') => at += 2,
                b'"' => return Ok(at + 1),
                _ => at += 1,
            }
        }
        Err(unclosed(start, "quoted name `\"`"))
    }

    /// A dollar quote, or a lone `$` when no tag follows (`$1` among them).
    fn dollar(&self, start: usize) -> Result<(TokenKind, usize), Unclosed> {
        let tag_end = match self.byte(start + 1) {
            Some(byte) if is_word_start(byte) => self.run(start + 1, |b| is_word_part(b) && b != b'$'),
            _ => start + 1,
        };
        if self.byte(tag_end) != Some(b'$') {
            return Ok((TokenKind::Other, start + 1));
        }
        let tag = &self.text[start..=tag_end];
        match self.text[tag_end + 1..].find(tag) {
            Some(found) => Ok((TokenKind::Dollar, tag_end + 1 + found + tag.len())),
            None => Err(unclosed(start, &format!("dollar quote `{}`", clip(tag)))),
        }
    }

    fn number(&self, start: usize) -> usize {
        let digits = |at: usize| self.run(at, |b| b.is_ascii_alphanumeric() || b == b'_');
        let mut at = self.run(start, |b| b.is_ascii_digit() || b == b'_');
        if matches!(self.byte(at), Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B'))
            && at == start + 1
            && self.byte(start) == Some(b'0')
        {
            return digits(at);
        }
        if self.byte(at) == Some(b'.') && self.byte(at + 1) != Some(b'.') {
            at = self.run(at + 1, |b| b.is_ascii_digit() || b == b'_');
        }
        self.exponent(at).unwrap_or(at)
    }

    fn exponent(&self, at: usize) -> Option<usize> {
        matches!(self.byte(at)?, b'e' | b'E').then_some(())?;
        let digits = if matches!(self.byte(at + 1)?, b'+' | b'-') { at + 2 } else { at + 1 };
        self.byte(digits)?.is_ascii_digit().then(|| self.run(digits, |b| b.is_ascii_digit() || b == b'_'))
    }
}

fn punctuation(byte: u8) -> TokenKind {
    match byte {
        b';' => TokenKind::Semicolon,
        b'(' => TokenKind::Open,
        b')' => TokenKind::Close,
        b'[' => TokenKind::OpenBracket,
        b']' => TokenKind::CloseBracket,
        b',' => TokenKind::Comma,
        b'.' => TokenKind::Dot,
        b'\\' => TokenKind::Backslash,
        _ => TokenKind::Other,
    }
}

fn unclosed(offset: usize, what: &str) -> Unclosed {
    Unclosed { offset, what: what.to_owned() }
}

/// At most 60 characters of a text that an author chose.
pub(crate) fn clip(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80
}

fn is_word_part(byte: u8) -> bool {
    is_word_start(byte) || byte.is_ascii_digit() || byte == b'$'
}

/// The name an identifier token stands for: unquoted ones folded to lower case (ASCII, as the server does), quoted
/// ones without their quotes. `U&"…"` escapes are left as they are written.
pub(crate) fn name_of(token: &Token, sql: &str) -> Option<String> {
    let text = token.text(sql);
    match token.kind {
        TokenKind::Word => Some(text.to_ascii_lowercase()),
        TokenKind::QuotedName => {
            let inner = text.get(text.find('"')? + 1..text.len() - 1)?;
            Some(inner.replace("\"\"", "\""))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(sql: &str) -> Vec<(TokenKind, &str)> {
        let mut lexer = Lexer::new(sql, 0);
        let mut tokens = Vec::new();
        while let Some(token) = lexer.next_significant().expect("closed") {
            tokens.push((token.kind, token.text(sql)));
        }
        tokens
    }

    #[test]
    fn quotes_of_every_form() {
        use TokenKind::{Dollar, Number, Other, QuotedName, Text, Word};
        assert_eq!(
            kinds(r"E'a\'b' e'\\' 'a\' x"),
            [(Text, r"E'a\'b'"), (Text, r"e'\\'"), (Text, r"'a\'"), (Word, "x")]
        );
        assert_eq!(kinds("U&'\\0041' U&\"b\" u"), [(Text, "U&'\\0041'"), (QuotedName, "U&\"b\""), (Word, "u")]);
        assert_eq!(
            kinds("a$b$c $1 $$x$$ $t$ $$ $t$"),
            [(Word, "a$b$c"), (Other, "$"), (Number, "1"), (Dollar, "$$x$$"), (Dollar, "$t$ $$ $t$")]
        );
        assert_eq!(kinds("E'a'\n -- c\n 'b\\'c' d"), [(Text, "E'a'\n -- c\n 'b\\'c'"), (Word, "d")]);
        assert_eq!(kinds("E'a' -- c\n'b\\'c' d"), [(Text, "E'a' -- c\n'b\\'c'"), (Word, "d")]);
        assert_eq!(kinds("E'a' /* c\n */ 'b\\' d"), [(Text, "E'a'"), (Text, "'b\\'"), (Word, "d")]);
        assert_eq!(kinds("1e5$x$;$x$"), [(Number, "1e5"), (Dollar, "$x$;$x$")]);
        assert_eq!(kinds("a/* /* */ ; */b-- ;\nc"), [(Word, "a"), (Word, "b"), (Word, "c")]);
    }

    #[test]
    fn names_fold_unless_quoted() {
        let sql = "Ab \"Cd\"\"e\"";
        let mut lexer = Lexer::new(sql, 0);
        let first = lexer.next_significant().expect("ok").expect("token");
        let second = lexer.next_significant().expect("ok").expect("token");
        assert_eq!(name_of(&first, sql).as_deref(), Some("ab"));
        assert_eq!(name_of(&second, sql).as_deref(), Some("Cd\"e"));
    }

    proptest! {
        #[test]
        fn tokens_tile_the_text(sql in "[a-z'\"$;()/*\\-\\\\ \nE1é.]{0,60}") {
            let mut lexer = Lexer::new(&sql, 0);
            let mut at = 0;
            loop {
                match lexer.next() {
                    Ok(Some(token)) => {
                        prop_assert_eq!(token.start, at);
                        prop_assert!(token.end > token.start && sql.is_char_boundary(token.end));
                        at = token.end;
                    }
                    Ok(None) => { prop_assert_eq!(at, sql.len()); break; }
                    Err(error) => { prop_assert!(error.offset >= at && error.offset < sql.len()); break; }
                }
            }
        }
    }
}
