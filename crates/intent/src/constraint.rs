//! The clauses of `constraints`: `PK`, `NOT NULL`, `DEFAULT …`, `FK -> …` and what SQL calls them.
//!
//! A piece between top-level commas is taken whole or not at all: in `UNIQUE per guest` the last two words change
//! what the first would mean.

use std::ops::Range;

use trueup_model::declared::{Aspect, Identity};

use crate::prose::{Kind, Token, extent, lex, pieces};

/// One clause and the bytes it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Clause {
    pub(crate) kind: ClauseKind,
    pub(crate) range: Range<usize>,
}

/// What a clause says. Ranges are in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClauseKind {
    PrimaryKey,
    NotNull,
    Null,
    Unique,
    Encrypted,
    /// The expression.
    Default(Range<usize>),
    /// The expression inside the brackets.
    Generated(Range<usize>),
    Identity(Identity),
    /// What stands inside the brackets.
    Check(Range<usize>),
    References(Referenced),
    /// The inside of a note in brackets.
    Note(Range<usize>),
}

/// The parts of `FK -> target (column) ON DELETE action`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Referenced {
    pub(crate) target: Range<usize>,
    /// The inside of the brackets behind the target.
    pub(crate) column: Option<Range<usize>>,
    /// Whether those brackets may as well be a note: they stand apart, after an arrow.
    pub(crate) may_be_note: bool,
    pub(crate) on_delete: Option<(&'static str, Range<usize>)>,
}

/// A piece that was not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misread {
    pub(crate) range: Range<usize>,
    /// What it would have spoken about; `None` when that cannot be told.
    pub(crate) about: Option<Vec<Aspect>>,
    pub(crate) expected: &'static str,
}

/// What is expected where nothing else can be said.
pub(crate) const EXPECTED: &str = "write clauses with commas between them: PK, NOT NULL, NULL, UNIQUE, DEFAULT expression, \
     CHECK (…), FK -> table, GENERATED ALWAYS AS (…), ENCRYPTED; a note goes in brackets behind one of them";

/// The actions of ON DELETE, as SQL spells them.
pub(crate) const DELETE_ACTIONS: [&str; 5] = ["NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT"];

/// Parses all pieces of `text`. Pieces in which nothing stands are left out.
pub(crate) fn parse(text: &str) -> Vec<Result<Vec<Clause>, Misread>> {
    let tokens = lex(text);
    pieces(&tokens)
        .filter(|piece| !piece.is_empty())
        .map(|piece| Piece { text, tokens: piece, next: 0 }.parse())
        .collect()
}

/// What a clause speaks about.
pub(crate) fn aspect(kind: &ClauseKind) -> Option<Aspect> {
    Some(match kind {
        ClauseKind::NotNull | ClauseKind::Null => Aspect::Nullability,
        ClauseKind::Unique => Aspect::Unique,
        ClauseKind::Default(_) => Aspect::Default,
        ClauseKind::Generated(_) | ClauseKind::Identity(_) => Aspect::Generated,
        ClauseKind::Check(_) => Aspect::Check,
        ClauseKind::References(_) => Aspect::Reference,
        ClauseKind::PrimaryKey | ClauseKind::Encrypted | ClauseKind::Note(_) => return None,
    })
}

struct Piece<'t> {
    text: &'t str,
    tokens: &'t [Token],
    next: usize,
}

/// A clause that began well and went wrong.
struct Broken {
    about: Option<Aspect>,
    expected: &'static str,
}

impl Piece<'_> {
    fn parse(mut self) -> Result<Vec<Clause>, Misread> {
        let mut clauses: Vec<Clause> = Vec::new();
        while self.next < self.tokens.len() {
            let start = self.next;
            match self.clause() {
                Ok(kind) => clauses.push(Clause { kind, range: extent(&self.tokens[start..self.next]) }),
                Err(broken) => return Err(self.misread(&clauses, &broken)),
            }
        }
        Ok(clauses)
    }

    fn misread(&self, clauses: &[Clause], broken: &Broken) -> Misread {
        let mut about: Vec<Aspect> = clauses.iter().filter_map(|clause| aspect(&clause.kind)).collect();
        about.extend(broken.about);
        let unclosed = self.tokens.iter().any(|token| token.kind == Kind::Unclosed);
        let expected = if unclosed { "a quote or bracket is never closed" } else { broken.expected };
        // What an unclosed quote swallows may have said anything.
        let about = Some(about).filter(|about| !about.is_empty() && !unclosed);
        Misread { range: extent(self.tokens), about, expected }
    }

    fn clause(&mut self) -> Result<ClauseKind, Broken> {
        if self.words(&["not", "null"]) {
            Ok(ClauseKind::NotNull)
        } else if self.words(&["null"]) {
            Ok(ClauseKind::Null)
        } else if self.words(&["pk"]) || self.words(&["primary", "key"]) {
            Ok(ClauseKind::PrimaryKey)
        } else if self.words(&["unique"]) {
            Ok(ClauseKind::Unique)
        } else if self.words(&["encrypted"]) {
            Ok(ClauseKind::Encrypted)
        } else if self.words(&["default"]) {
            self.default()
        } else if self.words(&["check"]) {
            let expected = "write CHECK with its condition in brackets: CHECK (1-5), CHECK (> 0) or CHECK (expression)";
            self.group().map(ClauseKind::Check).ok_or(Broken { about: Some(Aspect::Check), expected })
        } else if self.words(&["generated"]) {
            self.generated()
        } else if self.words(&["fk"]) || self.words(&["foreign", "key"]) || self.at_words(&["references"]) {
            self.references()
        } else if self.words(&["constraint"]) {
            self.named()
        } else {
            self.note()
        }
    }

    /// A note, which may also make up a whole piece.
    fn note(&mut self) -> Result<ClauseKind, Broken> {
        self.group().map(ClauseKind::Note).ok_or(Broken { about: None, expected: EXPECTED })
    }

    /// `CONSTRAINT name` before a clause; declared constraints have no name.
    fn named(&mut self) -> Result<ClauseKind, Broken> {
        let named = self.peek().is_some_and(|token| matches!(token.kind, Kind::Word | Kind::Name));
        if !named {
            return Err(Broken { about: None, expected: EXPECTED });
        }
        self.next += 1;
        match self.clause() {
            Ok(ClauseKind::Note(_)) => Err(Broken { about: None, expected: EXPECTED }),
            other => other,
        }
    }

    fn default(&mut self) -> Result<ClauseKind, Broken> {
        let start = self.next;
        let end = self.end_of_default();
        if end == start || self.tokens[start..end].iter().any(|token| token.kind == Kind::Unclosed) {
            let expected =
                "write an expression behind DEFAULT: DEFAULT 0, DEFAULT 'text', DEFAULT now(), DEFAULT (1 + 2)";
            return Err(Broken { about: Some(Aspect::Default), expected });
        }
        self.next = end;
        Ok(ClauseKind::Default(extent(&self.tokens[start..end])))
    }

    /// The position behind a default's expression: it ends at the next clause, at a note, or with the piece.
    fn end_of_default(&self) -> usize {
        let mut casting = false;
        for position in self.next..self.tokens.len() {
            let token = &self.tokens[position];
            let first = position == self.next;
            if !first && (self.starts_clause(position) || self.is_note(position, casting)) {
                return position;
            }
            match token.kind {
                Kind::Symbol => casting = &self.text[token.range.clone()] == "::",
                Kind::Word => {}
                _ => casting = casting && token.kind == Kind::Group,
            }
        }
        self.tokens.len()
    }

    /// Whether a group behind an expression is a note: it stands apart, and what is before it is complete.
    fn is_note(&self, position: usize, casting: bool) -> bool {
        let (token, before) = (&self.tokens[position], &self.tokens[position - 1]);
        if token.kind != Kind::Group || !token.spaced {
            return false;
        }
        match before.kind {
            Kind::Word if casting => {
                !self.inside(token).bytes().all(|byte| byte.is_ascii_digit() || b", ".contains(&byte))
            }
            Kind::Word => is_value_word(&self.text[before.range.clone()]),
            Kind::Symbol | Kind::Comma | Kind::Unclosed => false,
            Kind::Number | Kind::Quoted | Kind::Name | Kind::Group | Kind::Brackets => true,
        }
    }

    /// Whether a clause starts at `position`, so that an expression before it ends there.
    fn starts_clause(&self, position: usize) -> bool {
        let starts: [&[&str]; 12] = [
            &["not", "null"],
            &["null"],
            &["pk"],
            &["primary", "key"],
            &["unique"],
            &["encrypted"],
            &["default"],
            &["check"],
            &["references"],
            &["fk"],
            &["generated", "always"],
            &["constraint"],
        ];
        let after_operator = self.tokens[position - 1].kind == Kind::Symbol
            || self.word_at(position - 1).is_some_and(|word| {
                ["is", "not", "and", "or", "in", "like", "distinct", "from", "interval"]
                    .contains(&word.to_ascii_lowercase().as_str())
            });
        !after_operator && starts.iter().any(|words| self.has_words(position, words))
    }

    fn generated(&mut self) -> Result<ClauseKind, Broken> {
        let always = self.words(&["always", "as"]);
        let identity = if always { Identity::Always } else { Identity::ByDefault };
        if !always && !self.words(&["by", "default", "as"]) {
            return Err(self.not_generated());
        }
        if self.words(&["identity"]) {
            let options = self.peek().is_some_and(|token| token.kind == Kind::Group && self.is_sequence_options(token));
            let expected =
                "the options of an identity column are not part of the dialect: write GENERATED … AS IDENTITY alone";
            return if options {
                Err(Broken { about: Some(Aspect::Generated), expected })
            } else {
                Ok(ClauseKind::Identity(identity))
            };
        }
        if !always {
            return Err(self.not_generated());
        }
        let Some(expression) = self.group() else { return Err(self.not_generated()) };
        self.words(&["stored"]);
        Ok(ClauseKind::Generated(expression))
    }

    fn not_generated(&self) -> Broken {
        let expected = "write GENERATED ALWAYS AS (expression), or GENERATED ALWAYS AS IDENTITY, or GENERATED BY DEFAULT AS IDENTITY";
        // `Generated column for …` is prose, and may mean anything.
        let prose = self.next == 1 && !self.at_words(&["always"]) && !self.at_words(&["by"]);
        Broken { about: (!prose).then_some(Aspect::Generated), expected }
    }

    fn is_sequence_options(&self, token: &Token) -> bool {
        let inside = self.inside(token).trim_start().to_ascii_lowercase();
        ["start", "increment", "minvalue", "maxvalue", "cache", "cycle", "no ", "sequence", "owned", "as "]
            .iter()
            .any(|option| inside.starts_with(option))
    }

    fn references(&mut self) -> Result<ClauseKind, Broken> {
        let expected = "write FK -> table, FK -> table(column), FK -> svc-service or FK -> svc-service.table";
        let broken = || Broken { about: Some(Aspect::Reference), expected };
        let arrow = self.symbol(&["->", "→", "=>"]);
        let sql = self.words(&["references"]);
        if arrow == sql {
            return Err(broken());
        }
        let target = self.target().ok_or_else(broken)?;
        let spaced = self.peek().is_some_and(|token| token.spaced);
        let column = self.group();
        let may_be_note = column.is_some() && arrow && spaced;
        let on_delete = self.actions().map_err(|()| Broken {
            about: Some(Aspect::Reference),
            expected: "write ON DELETE with NO ACTION, RESTRICT, CASCADE, SET NULL or SET DEFAULT; other options of a foreign key are not part of the dialect",
        })?;
        Ok(ClauseKind::References(Referenced { target, column, may_be_note, on_delete }))
    }

    /// Tokens without white space between them: `svc-reservations.reservations`.
    fn target(&mut self) -> Option<Range<usize>> {
        let start = self.next;
        while let Some(token) = self.peek() {
            let glued = self.next == start || !token.spaced;
            let fits = match token.kind {
                Kind::Word | Kind::Name | Kind::Number => true,
                Kind::Symbol => matches!(&self.text[token.range.clone()], "-" | "."),
                _ => false,
            };
            if !glued || !fits {
                break;
            }
            self.next += 1;
        }
        let named = self.tokens[start..self.next].iter().any(|token| token.kind != Kind::Symbol);
        named.then(|| extent(&self.tokens[start..self.next]))
    }

    /// `ON DELETE action`, and `ON UPDATE NO ACTION`, which is what silence means.
    fn actions(&mut self) -> Result<Option<(&'static str, Range<usize>)>, ()> {
        let mut on_delete = None;
        loop {
            if self.words(&["on", "delete"]) {
                let start = self.next;
                let action = self.action().ok_or(())?;
                on_delete = Some((action, extent(&self.tokens[start..self.next])));
            } else if self.words(&["on", "update"]) {
                if self.action() != Some("NO ACTION") {
                    return Err(());
                }
            } else {
                return Ok(on_delete);
            }
        }
    }

    fn action(&mut self) -> Option<&'static str> {
        DELETE_ACTIONS.into_iter().find(|action| {
            let words: Vec<String> = action.split(' ').map(str::to_ascii_lowercase).collect();
            self.words(&words.iter().map(String::as_str).collect::<Vec<_>>())
        })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    /// Takes a bracket group; gives its inside.
    fn group(&mut self) -> Option<Range<usize>> {
        let token = self.peek().filter(|token| token.kind == Kind::Group)?;
        let inside = token.range.start + 1..token.range.end - 1;
        self.next += 1;
        Some(inside)
    }

    fn symbol(&mut self, symbols: &[&str]) -> bool {
        let found = self
            .peek()
            .is_some_and(|token| token.kind == Kind::Symbol && symbols.contains(&&self.text[token.range.clone()]));
        self.next += usize::from(found);
        found
    }

    /// Takes these words, in any case, when they come next.
    fn words(&mut self, words: &[&str]) -> bool {
        let found = self.at_words(words);
        self.next += if found { words.len() } else { 0 };
        found
    }

    fn at_words(&self, words: &[&str]) -> bool {
        self.has_words(self.next, words)
    }

    fn has_words(&self, position: usize, words: &[&str]) -> bool {
        words
            .iter()
            .enumerate()
            .all(|(offset, word)| self.word_at(position + offset).is_some_and(|found| found.eq_ignore_ascii_case(word)))
    }

    fn word_at(&self, position: usize) -> Option<&str> {
        let token = self.tokens.get(position).filter(|token| token.kind == Kind::Word)?;
        Some(&self.text[token.range.clone()])
    }

    fn inside(&self, token: &Token) -> &str {
        &self.text[token.range.start + 1..token.range.end - 1]
    }
}

/// Words that are a whole expression; behind any other word, brackets hold its arguments.
pub(crate) fn is_value_word(word: &str) -> bool {
    const WORDS: [&str; 11] = [
        "true",
        "false",
        "null",
        "current_date",
        "current_time",
        "current_timestamp",
        "localtime",
        "localtimestamp",
        "current_user",
        "session_user",
        "user",
    ];
    WORDS.iter().any(|value| value.eq_ignore_ascii_case(word))
}
