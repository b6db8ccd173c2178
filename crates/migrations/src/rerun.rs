//! What it means to run a statement again that may have run already: for scripts outside of a transaction, which go on
//! where they stopped.

use std::ops::Range;

use crate::classify::runs_outside_transaction;
use crate::lexer::{Lexer, Token, TokenKind, name_of};

/// What is known of a statement beforehand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It runs in a transaction too: it and a note that it ran can be committed together.
    Atomic,
    /// SET and RESET: changes the session only, and is said again in a new one.
    Session,
    /// BEGIN, ROLLBACK, SAVEPOINT and their kin: nothing stays because of them.
    Control,
    /// COMMIT: what ran since BEGIN stays, and a note before it with it.
    Commit,
    /// Ends a transaction in a way that a note in it does not tell of: AND CHAIN, PREPARE TRANSACTION.
    Chain,
    /// CREATE INDEX CONCURRENTLY: leaves an invalid index when it fails.
    CreateIndex {
        /// The index, when the statement names it.
        index: Option<String>,
        /// The table, as it is written.
        table: String,
    },
    /// DROP INDEX CONCURRENTLY of one index, as it is written.
    DropIndex(String),
    /// DETACH PARTITION … CONCURRENTLY, which can stop half-way.
    Detach {
        /// The parent, as it is written.
        table: String,
        /// The partition, as it is written.
        partition: String,
    },
    /// REINDEX: leaves invalid indexes when it fails and is CONCURRENTLY.
    Reindex,
    /// Running it twice does what running it once does: VACUUM, CLUSTER, ALTER SYSTEM, …
    Repeatable,
    /// CREATE DATABASE and others that leave nothing when they fail, and are not run blindly when nobody knows.
    AllOrNothing,
    /// CALL and DO, which may commit on their way.
    Opaque,
}

/// Statements that may be said twice, by their first word.
const REPEATABLE: [&str; 8] = ["VACUUM", "ANALYZE", "CLUSTER", "CHECKPOINT", "DISCARD", "LOAD", "LISTEN", "UNLISTEN"];

/// Statements about transactions, by their first word.
const CONTROL: [&str; 6] = ["BEGIN", "START", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"];

/// Statements that end a transaction, by their first word.
const ENDS: [&str; 4] = ["COMMIT", "END", "ROLLBACK", "ABORT"];

/// Looks at the statement at these bytes of a text.
pub fn nature(text: &str, range: &Range<usize>) -> Nature {
    let words = Words::of(text, range);
    let first = |word: &str| words.is(0, word);
    match () {
        () if first("SET") || first("RESET") => Nature::Session,
        () if first("CALL") || first("DO") => Nature::Opaque,
        () if words.is(0, "PREPARE") && !words.is(1, "TRANSACTION") => Nature::Session,
        () if (first("COMMIT") || first("ROLLBACK")) && words.is(1, "PREPARED") => Nature::AllOrNothing,
        () if words.chains() => Nature::Chain,
        () if first("COMMIT") || first("END") => Nature::Commit,
        () if CONTROL.iter().any(|word| first(word)) => Nature::Control,
        () if REPEATABLE.iter().any(|word| first(word)) => Nature::Repeatable,
        () if words.is(0, "ALTER") && words.is(1, "SYSTEM") => Nature::Repeatable,
        () if first("REINDEX") => Nature::Reindex,
        () if !runs_outside_transaction(text, range) => Nature::Atomic,
        () => words
            .create_index()
            .or_else(|| words.drop_index())
            .or_else(|| words.detach())
            .unwrap_or(Nature::AllOrNothing),
    }
}

/// The first tokens of a statement.
struct Words<'a> {
    text: &'a str,
    tokens: Vec<Token>,
}

/// More tokens than this do not stand before the names that are looked for.
const LOOKED_AT: usize = 40;

impl<'a> Words<'a> {
    fn of(text: &'a str, range: &Range<usize>) -> Self {
        let text = &text[range.clone()];
        let mut lexer = Lexer::new(text, 0);
        let mut tokens = Vec::new();
        while let Ok(Some(token)) = lexer.next_significant() {
            tokens.push(token);
            if tokens.len() == LOOKED_AT {
                break;
            }
        }
        Self { text, tokens }
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_word(self.text, word))
    }

    /// Where the words behind these go on, when they stand at `at`.
    fn after(&self, at: usize, words: &[&str]) -> Option<usize> {
        words.iter().enumerate().all(|(index, word)| self.is(at + index, word)).then_some(at + words.len())
    }

    /// The same, when they may be missing.
    fn skip(&self, at: usize, words: &[&str]) -> usize {
        self.after(at, words).unwrap_or(at)
    }

    /// PREPARE TRANSACTION, or `AND CHAIN` without `NO`.
    fn chains(&self) -> bool {
        let ends = ENDS.iter().any(|word| self.is(0, word));
        let chain = (1..self.tokens.len()).any(|at| self.is(at, "CHAIN") && !self.is(at - 1, "NO"));
        self.is(0, "PREPARE") || (ends && chain)
    }

    /// A name with its schema, as it is written, and what is behind it.
    fn name(&self, at: usize) -> Option<(String, usize)> {
        let is_name = |at: usize| {
            let token = self.tokens.get(at)?;
            matches!(token.kind, TokenKind::Word | TokenKind::QuotedName).then_some(token)
        };
        let start = is_name(at)?.start;
        let mut last = at;
        while self.tokens.get(last + 1).is_some_and(|token| token.kind == TokenKind::Dot) && is_name(last + 2).is_some()
        {
            last += 2;
        }
        Some((self.text[start..self.tokens[last].end].to_owned(), last + 1))
    }

    fn create_index(&self) -> Option<Nature> {
        let at = self.after(self.skip(self.after(0, &["CREATE"])?, &["UNIQUE"]), &["INDEX", "CONCURRENTLY"])?;
        let at = self.skip(at, &["IF", "NOT", "EXISTS"]);
        // ON is reserved: no index is called that without quotes.
        let (index, on) = if self.is(at, "ON") { (None, at) } else { (Some(self.tokens.get(at)?), at + 1) };
        let (table, _) = self.name(self.skip(self.after(on, &["ON"])?, &["ONLY"]))?;
        let index = index.and_then(|token| name_of(token, self.text));
        Some(Nature::CreateIndex { index, table })
    }

    fn drop_index(&self) -> Option<Nature> {
        let at = self.after(0, &["DROP", "INDEX", "CONCURRENTLY"])?;
        let (index, end) = self.name(self.skip(at, &["IF", "EXISTS"]))?;
        // The server takes one index only; a list is its to refuse.
        let several = self.tokens.get(end).is_some_and(|token| token.kind == TokenKind::Comma);
        (!several).then_some(Nature::DropIndex(index))
    }

    fn detach(&self) -> Option<Nature> {
        let at = self.skip(self.after(0, &["ALTER", "TABLE"])?, &["IF", "EXISTS"]);
        let (table, at) = self.name(self.skip(at, &["ONLY"]))?;
        let (partition, at) = self.name(self.after(at, &["DETACH", "PARTITION"])?)?;
        self.is(at, "CONCURRENTLY").then_some(Nature::Detach { table, partition })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::split;

    fn of(sql: &str) -> Nature {
        let cut = split(sql).expect("one statement");
        nature(sql, &cut.statements[0].range)
    }

    #[test]
    fn indexes_and_their_tables() {
        let index = |index: Option<&str>, table: &str| Nature::CreateIndex {
            index: index.map(str::to_owned),
            table: table.to_owned(),
        };
        assert_eq!(of("create index concurrently I on T (a)"), index(Some("i"), "T"));
        assert_eq!(
            of("create unique index /* c */ concurrently if not exists \"I\" on only \"S\" . t using btree (a)"),
            index(Some("I"), "\"S\" . t")
        );
        assert_eq!(of("create index concurrently on s.t (a)"), index(None, "s.t"));
        assert_eq!(of("drop index concurrently if exists s.i cascade"), Nature::DropIndex("s.i".into()));
        let detach = Nature::Detach { table: "s.t".into(), partition: "\"p\"".into() };
        assert_eq!(of("alter table only s.t detach partition \"p\" concurrently"), detach);
    }

    #[test]
    fn everything_else() {
        for sql in [
            "create table t()",
            "insert into t values (1)",
            "create index i on t(a)",
            "copy t from stdin;\n\\.\n",
            "alter type e add value 'x'",
            "refresh materialized view concurrently m",
            "alter table t detach partition p",
        ] {
            assert_eq!(of(sql), Nature::Atomic, "{sql}");
        }
        for sql in ["vacuum full t", "alter system set a = 1", "cluster", "cluster t using i", "analyze", "discard all"]
        {
            assert_eq!(of(sql), Nature::Repeatable, "{sql}");
        }
        for sql in ["create database d", "commit prepared 'x'", "drop tablespace t", "drop index concurrently a, b"] {
            assert_eq!(of(sql), Nature::AllOrNothing, "{sql}");
        }
        assert_eq!(of("reindex (concurrently) table t"), Nature::Reindex);
        assert_eq!((of("set lock_timeout = 1"), of("reset all")), (Nature::Session, Nature::Session));
        assert_eq!((of("call p()"), of("do $$ begin commit; end $$")), (Nature::Opaque, Nature::Opaque));
        assert_eq!((of("commit and chain"), of("prepare transaction 'x'")), (Nature::Chain, Nature::Chain));
        assert_eq!((of("end"), of("commit and no chain")), (Nature::Commit, Nature::Commit));
        assert_eq!((of("begin"), of("rollback to a")), (Nature::Control, Nature::Control));
    }
}
