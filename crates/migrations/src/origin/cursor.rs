//! A reader of one statement's tokens.

use std::ops::Range;

use crate::lexer::{Lexer, Token, TokenKind, name_of};

/// A name with its optional schema.
#[derive(Clone, Debug)]
pub(crate) struct Name {
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

/// The significant tokens of a statement, and how far they have been read.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    sql: &'a str,
    tokens: &'a [Token],
    at: usize,
}

/// Significant tokens of a statement, with offsets into the whole script.
pub(crate) fn tokens(sql: &str, range: &Range<usize>) -> Vec<Token> {
    let mut lexer = Lexer::new(&sql[..range.end], range.start);
    let mut tokens = Vec::new();
    while let Ok(Some(token)) = lexer.next_significant() {
        tokens.push(token);
    }
    tokens
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(sql: &'a str, tokens: &'a [Token]) -> Self {
        Self { sql, tokens, at: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&'a Token> {
        self.tokens.get(self.at)
    }

    pub(crate) fn next(&mut self) -> Option<&'a Token> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    pub(crate) fn offset(&self) -> usize {
        self.peek().map_or(self.sql.len(), |token| token.start)
    }

    pub(crate) fn is(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|token| token.is_word(self.sql, keyword))
    }

    pub(crate) fn is_any(&self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(keyword))
    }

    /// Steps over the keyword if it is next.
    pub(crate) fn accept(&mut self, keyword: &str) -> bool {
        let found = self.is(keyword);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn accept_any(&mut self, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.accept(keyword))
    }

    /// Steps over all of the keywords if they are next, in order.
    pub(crate) fn accept_all(&mut self, keywords: &[&str]) -> bool {
        let start = self.at;
        let all = keywords.iter().all(|keyword| self.accept(keyword));
        if !all {
            self.at = start;
        }
        all
    }

    /// `IF NOT EXISTS` or `IF EXISTS`.
    pub(crate) fn accept_existence(&mut self) {
        let _ = self.accept_all(&["IF", "NOT", "EXISTS"]) || self.accept_all(&["IF", "EXISTS"]);
    }

    pub(crate) fn kind(&self) -> Option<TokenKind> {
        self.peek().map(|token| token.kind)
    }

    /// One identifier.
    pub(crate) fn identifier(&mut self) -> Option<String> {
        let name = name_of(self.peek()?, self.sql)?;
        self.at += 1;
        Some(name)
    }

    /// `name`, `schema.name` or `database.schema.name`.
    pub(crate) fn name(&mut self) -> Option<Name> {
        let mut name = Name { schema: None, name: self.identifier()? };
        while self.kind() == Some(TokenKind::Dot) {
            self.at += 1;
            name = Name { schema: Some(name.name), name: self.identifier()? };
        }
        Some(name)
    }

    /// What stands inside of the parentheses that are next; steps over them.
    pub(crate) fn parenthesised(&mut self) -> Option<Cursor<'a>> {
        if self.kind() != Some(TokenKind::Open) {
            return None;
        }
        let start = self.at + 1;
        self.skip_one();
        let end = self.at.saturating_sub(1).max(start);
        Some(Cursor { sql: self.sql, tokens: &self.tokens[start..end.min(self.tokens.len())], at: 0 })
    }

    /// Steps over one token, or over a whole parenthesised group.
    pub(crate) fn skip_one(&mut self) {
        let mut depth = 0_usize;
        while let Some(token) = self.next() {
            match token.kind {
                TokenKind::Open | TokenKind::OpenBracket => depth += 1,
                TokenKind::Close | TokenKind::CloseBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// The rest, cut at commas outside of parentheses.
    pub(crate) fn elements(&mut self) -> Vec<Cursor<'a>> {
        let mut elements = Vec::new();
        let mut start = self.at;
        while let Some(token) = self.peek() {
            if token.kind == TokenKind::Comma {
                elements.push(Cursor { sql: self.sql, tokens: &self.tokens[start..self.at], at: 0 });
                start = self.at + 1;
            }
            self.skip_one();
        }
        elements.push(Cursor { sql: self.sql, tokens: &self.tokens[start.min(self.at)..self.at], at: 0 });
        elements
    }

    /// Steps to just behind the keyword, wherever it stands outside of parentheses.
    pub(crate) fn skip_past(&mut self, keyword: &str) -> bool {
        while self.peek().is_some() {
            if self.accept(keyword) {
                return true;
            }
            self.skip_one();
        }
        false
    }

    /// Every unquoted or quoted identifier in the rest.
    pub(crate) fn identifiers(&self) -> Vec<String> {
        self.tokens[self.at..].iter().filter_map(|token| name_of(token, self.sql)).collect()
    }
}
