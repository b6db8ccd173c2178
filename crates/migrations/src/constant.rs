//! Whether an expression is a constant, so that it is safe to evaluate.

use crate::expression::{MAX_DEPTH, prove_expression, prove_type, tokens};
use crate::lexer::{Token, TokenKind};

/// Whether an expression is a constant: literals, their casts, signs, parentheses, and arrays of these. Then
/// evaluating it reads and changes nothing and gives the same value every time (`'now'` and its kin do not count).
pub fn is_constant(sql: &str) -> bool {
    let Ok(tokens) = tokens(sql) else { return false };
    let mut constant = Constant { sql, tokens: &tokens, at: 0 };
    constant.value(0).is_some() && constant.at == tokens.len() && prove_expression(sql).is_ok()
}

/// A reader of constants, one token at a time.
struct Constant<'a> {
    sql: &'a str,
    tokens: &'a [Token],
    at: usize,
}

impl Constant<'_> {
    fn peek(&self, kind: TokenKind) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.kind == kind)
    }

    fn word(&self, keyword: &str) -> bool {
        self.tokens.get(self.at).is_some_and(|token| token.is_word(self.sql, keyword))
    }

    fn symbol(&self, at: usize, symbol: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Other && token.text(self.sql) == symbol)
    }

    fn expect(&mut self, kind: TokenKind) -> Option<()> {
        self.peek(kind).then(|| self.at += 1)
    }

    /// A constant with the casts that follow it.
    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        while self.symbol(self.at, "-") || self.symbol(self.at, "+") {
            self.at += 1;
        }
        self.operand(depth)?;
        while self.symbol(self.at, ":") && self.symbol(self.at + 1, ":") {
            self.at += 2;
            self.type_name(&[])?;
        }
        Some(())
    }

    fn operand(&mut self, depth: usize) -> Option<()> {
        let token = *self.tokens.get(self.at)?;
        match token.kind {
            TokenKind::Number | TokenKind::Dollar => self.at += 1,
            TokenKind::Text => self.string(&token)?,
            TokenKind::Open => {
                self.at += 1;
                self.value(depth + 1)?;
                self.expect(TokenKind::Close)?;
            }
            TokenKind::Word if ["TRUE", "FALSE", "NULL"].iter().any(|word| self.word(word)) => self.at += 1,
            TokenKind::Word if self.word("ARRAY") => {
                self.at += 1;
                self.list(depth + 1)?;
            }
            TokenKind::Word if self.word("CAST") => self.cast(depth)?,
            // `DATE '2020-01-01'`, `INTERVAL '1 day'`
            TokenKind::Word => {
                self.type_name(&[TokenKind::Text])?;
                let text = *self.tokens.get(self.at).filter(|token| token.kind == TokenKind::Text)?;
                self.string(&text)?;
            }
            _ => return None,
        }
        Some(())
    }

    /// A string that is not one of the words that mean another time at each evaluation.
    fn string(&mut self, token: &Token) -> Option<()> {
        let text = token.text(self.sql);
        let inner =
            text.find('\'').map_or(text, |quote| &text[quote..]).trim_matches(|c: char| c == '\'' || c.is_whitespace());
        let moving = ["now", "today", "tomorrow", "yesterday"];
        let moves = moving.iter().any(|word| inner.to_ascii_lowercase().contains(word));
        let plain = !text.contains('\\');
        (!moves && plain).then(|| self.at += 1)
    }

    fn cast(&mut self, depth: usize) -> Option<()> {
        self.at += 1;
        self.expect(TokenKind::Open)?;
        self.value(depth + 1)?;
        self.word("AS").then(|| self.at += 1)?;
        self.type_name(&[])?;
        self.expect(TokenKind::Close)
    }

    /// `[a, b]`, nested.
    fn list(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.expect(TokenKind::OpenBracket)?;
        while !self.peek(TokenKind::CloseBracket) {
            if self.peek(TokenKind::OpenBracket) {
                self.list(depth + 1)?;
            } else {
                self.value(depth + 1)?;
            }
            if !self.peek(TokenKind::CloseBracket) {
                self.expect(TokenKind::Comma)?;
            }
        }
        self.expect(TokenKind::CloseBracket)
    }

    /// A type, up to what cannot belong to it.
    fn type_name(&mut self, stop: &[TokenKind]) -> Option<()> {
        let from = self.at;
        let mut depth = 0_usize;
        while let Some(token) = self.tokens.get(self.at) {
            match token.kind {
                TokenKind::Open | TokenKind::OpenBracket => depth += 1,
                TokenKind::Close | TokenKind::CloseBracket if depth == 0 => break,
                TokenKind::Close | TokenKind::CloseBracket => depth -= 1,
                TokenKind::Comma if depth == 0 => break,
                kind if depth == 0 && (kind == TokenKind::Other || stop.contains(&kind)) => break,
                _ => {}
            }
            self.at += 1;
        }
        let (first, last) = (self.tokens.get(from)?, self.tokens.get(self.at.checked_sub(1)?)?);
        let text = self.sql.get(first.start..last.end).filter(|_| self.at > from)?;
        // A type whose name runs a function of somebody's is no constant's; those of other schemas may.
        prove_type(text).is_ok().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants() {
        for sql in [
            "1",
            "-1.5",
            "'a'",
            "NULL",
            "true",
            "'{}'::jsonb",
            "(('x'::varchar(3)))",
            "ARRAY[1, -2]::int[]",
            "ARRAY[['a'],['b']]",
            "CAST('1' AS numeric(3, 1))",
            "DATE '2020-01-01'",
            "interval '1 day'",
            "'a'::text::\"T\"",
            "ARRAY[]::text[]",
            "$$x$$",
            "timestamp with time zone '2020-01-01'",
        ] {
            assert!(is_constant(sql), "{sql}");
        }
        for sql in [
            "now()",
            "a",
            "1 + 1",
            "'now'::timestamp",
            "' TODAY '::date",
            "date 'tomorrow'",
            "(SELECT 1)",
            "f('x')",
            "CURRENT_DATE",
            "1)",
            "1::",
            "ARRAY[a]",
            "",
            "'s'::regclass::f()",
        ] {
            assert!(!is_constant(sql), "{sql}");
        }
    }
}
