//! What a script needs from whoever runs it: a transaction or none, a place of its own in the pipeline, a server of
//! its own.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

use crate::lexer::{Lexer, Token, TokenKind, name_of};
use crate::statements::{Split, SplitError, Statement, StatementKind};

/// Scripts above this size are sent in pieces.
pub const LARGE_BYTES: usize = 1 << 20;

/// Why a script has to be sent alone, with its answers awaited.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barrier {
    /// A statement cannot run inside a transaction.
    NonTransactional,
    /// BEGIN, COMMIT, SAVEPOINT and their kin.
    TransactionControl,
    /// SET TRANSACTION, or SET SESSION CHARACTERISTICS.
    SetTransaction,
    /// RESET ALL or DISCARD.
    ResetAll,
    /// PREPARE TRANSACTION.
    PrepareTransaction,
    /// It names `pg_advisory_unlock*`, which could give up our lock.
    AdvisoryUnlock,
    /// It names the history table: the history must be read again afterwards.
    HistoryTable,
    /// It names a setting that changes how strings are read: statement by statement.
    StringSyntax,
    /// It has the data of a COPY.
    CopyFromStdin,
    /// It could not be taken apart.
    NotUnderstood(SplitError),
    /// It is larger than [`LARGE_BYTES`].
    Large,
}

/// Why a statement cannot run inside a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutsideTransaction {
    /// The statement's bytes in the script.
    pub range: Range<usize>,
    /// Its leading keywords.
    pub what: String,
    /// Whether Flyway notices it too; where it does not, it runs the statement in a transaction, which fails.
    pub flyway_detects: bool,
}

/// Something a script does to what all databases of a server share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterWide {
    /// The statement's bytes in the script.
    pub range: Range<usize>,
    /// Its leading keywords.
    pub what: String,
}

/// CREATE EXTENSION.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedExtension {
    /// The extension's name.
    pub name: String,
    /// The statement's bytes in the script; `None` inside of a `DO` block.
    pub range: Option<Range<usize>>,
    /// The schema that the statement names.
    pub schema: Option<String>,
}

/// What a script needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Statements that cannot run inside a transaction.
    pub outside_transaction: Vec<OutsideTransaction>,
    /// How many statements Flyway takes for transactional ones.
    pub transactional: usize,
    /// Why it has to be sent alone; empty when it may be sent ahead.
    pub barriers: Vec<Barrier>,
    /// Extensions that it creates, in order.
    pub extensions: Vec<CreatedExtension>,
    /// Roles, databases, tablespaces: it needs a server of its own.
    pub cluster_wide: Vec<ClusterWide>,
}

impl Facts {
    /// Whether Flyway refuses the script unless `mixed` is set or its configuration decides.
    pub fn is_mixed_for_flyway(&self) -> bool {
        self.transactional > 0 && self.outside_transaction.iter().any(|statement| statement.flyway_detects)
    }

    /// Takes in what another part of the same script needs; ranges stay those of the parts.
    pub fn take_in(&mut self, part: Self) {
        self.outside_transaction.extend(part.outside_transaction);
        self.transactional += part.transactional;
        part.barriers.into_iter().for_each(|barrier| self.barrier(barrier));
        self.extensions.extend(part.extensions);
        self.cluster_wide.extend(part.cluster_wide);
    }

    /// Whether the whole script can run inside one transaction.
    pub fn is_transactional(&self) -> bool {
        self.outside_transaction.is_empty()
    }
}

/// Looks at a script (placeholders replaced) and at how it was cut. `history_table` is the bare name of the table.
pub fn classify(text: &str, split: &Result<Split, SplitError>, history_table: &str) -> Facts {
    let mut facts = Facts::default();
    match split {
        Ok(split) => split.statements.iter().for_each(|statement| facts.statement(text, statement)),
        Err(error) => facts.barrier(Barrier::NotUnderstood(error.clone())),
    }
    facts.whole_text(text, history_table);
    facts
}

/// Keywords after which Flyway takes a statement for one that cannot run in a transaction.
static FLYWAY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "^(?:(?:CREATE|DROP) (?:DATABASE|TABLESPACE|SUBSCRIPTION)|ALTER SYSTEM|(?:CREATE|DROP)(?: UNIQUE)? INDEX CONCURRENTLY|REINDEX(?: VERBOSE)? (?:SCHEMA|DATABASE|SYSTEM)|VACUUM|DISCARD ALL)(?: |$)",
    )
});
/// Those that Flyway misses, REINDEX CONCURRENTLY and CLUSTER without a table aside.
static MISSED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "^(?:ALTER TABLE [ -~]*DETACH PARTITION [ -~]*CONCURRENTLY|ALTER DATABASE [ -~]*SET TABLESPACE|(?:COMMIT|ROLLBACK) PREPARED|ALTER SUBSCRIPTION [ -~]*(?:REFRESH|(?:SET|ADD|DROP) PUBLICATION))(?: |$)",
    )
});
static CLUSTER_WIDE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        "^(?:(?:CREATE|ALTER|DROP) (?:ROLE|USER|GROUP|DATABASE|TABLESPACE)|ALTER SYSTEM|COMMENT ON (?:ROLE|DATABASE|TABLESPACE))(?: |$)",
    )
});
static IN_BODY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(?:create|alter|drop)\s+(?:role|user|group|database|tablespace)\b"));
static EXTENSION_IN_BODY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r#"\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?(?:"([ !#-~]+)"|(\w+))"#));
/// Settings that change how strings are read, wherever they are named.
const STRING_SETTINGS: &[&str] = &["standard_conforming_strings", "backslash_quote", "client_encoding"];

/// ASCII only: whole scripts of any size go through these.
#[allow(clippy::unwrap_used, reason = "constant patterns, each compiled in a test")]
fn pattern(text: &str) -> Regex {
    RegexBuilder::new(text).case_insensitive(true).unicode(false).build().unwrap()
}

/// Whether `needle` stands in `text`, without regard to ASCII case.
fn contains(text: &str, needle: &str) -> bool {
    let (lower, upper) = match needle.as_bytes().first() {
        Some(first) => (first.to_ascii_lowercase(), first.to_ascii_uppercase()),
        None => return false,
    };
    let starts = text.as_bytes().iter().enumerate().filter(|&(_, &byte)| byte == lower || byte == upper);
    starts.into_iter().any(|(at, _)| {
        text.as_bytes().get(at..at + needle.len()).is_some_and(|found| found.eq_ignore_ascii_case(needle.as_bytes()))
    })
}

/// More words than this say nothing more about what a statement is; Flyway looks at ten.
const MAX_WORDS: usize = 10;

/// The beginning of a statement.
struct Head {
    /// Unquoted words of letters outside of parentheses, upper case, joined by blanks: what Flyway looks at.
    first: String,
    /// The same, all of them within the first 64 tokens.
    all: String,
    /// The first significant tokens.
    tokens: Vec<Token>,
}

fn head(sql: &str, range: &Range<usize>) -> Head {
    let text = &sql[range.clone()];
    let mut lexer = Lexer::new(text, 0);
    let (mut tokens, mut words, mut depth) = (Vec::new(), Vec::new(), 0_usize);
    while let Ok(Some(token)) = lexer.next_significant() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            TokenKind::Word if depth == 0 && is_keyword(text, &token) => {
                words.push(token.text(text).to_ascii_uppercase());
            }
            _ => {}
        }
        tokens.push(token);
        if tokens.len() >= 64 {
            break;
        }
    }
    Head { first: words[..words.len().min(MAX_WORDS)].join(" "), all: words.join(" "), tokens }
}

/// Whether a statement cannot run inside a transaction, whoever notices.
pub(crate) fn runs_outside_transaction(text: &str, range: &Range<usize>) -> bool {
    let head = head(text, range);
    FLYWAY.is_match(&head.first) || head.is_missed(&text[range.clone()])
}

impl Head {
    /// Whether it cannot run inside a transaction, and Flyway does not notice.
    fn is_missed(&self, sql: &str) -> bool {
        MISSED.is_match(&self.all) || self.is_missed_maintenance(sql)
    }

    /// `REINDEX … CONCURRENTLY`, also as an option in parentheses, and CLUSTER of all tables.
    fn is_missed_maintenance(&self, sql: &str) -> bool {
        let has = |keyword: &str| self.tokens.iter().any(|token| token.is_word(sql, keyword));
        match self.first.split(' ').next() {
            Some("REINDEX") => has("CONCURRENTLY"),
            Some("CLUSTER") => match self.tokens.last() {
                Some(last) => {
                    last.kind == TokenKind::Close || last.is_word(sql, "CLUSTER") || last.is_word(sql, "VERBOSE")
                }
                None => false,
            },
            _ => false,
        }
    }
}

/// A word of letters that is no part of a dotted name.
fn is_keyword(text: &str, token: &Token) -> bool {
    let bytes = text.as_bytes();
    let dotted = bytes.get(token.end) == Some(&b'.') || (token.start > 0 && bytes[token.start - 1] == b'.');
    !dotted && token.text(text).bytes().all(|byte| byte.is_ascii_alphabetic())
}

impl Facts {
    fn barrier(&mut self, barrier: Barrier) {
        if !self.barriers.contains(&barrier) {
            self.barriers.push(barrier);
        }
    }

    fn statement(&mut self, text: &str, statement: &Statement) {
        if is_query(text, &statement.range) {
            self.transactional += 1;
            return;
        }
        let head = head(text, &statement.range);
        let range = statement.range.clone();
        if statement.kind != StatementKind::Sql {
            self.barrier(Barrier::CopyFromStdin);
        }
        let flyway_detects = FLYWAY.is_match(&head.first);
        if !flyway_detects {
            self.transactional += 1;
        }
        if flyway_detects || head.is_missed(&text[range.clone()]) {
            let what = leading(&head.first);
            self.outside_transaction.push(OutsideTransaction { range: range.clone(), what, flyway_detects });
            self.barrier(Barrier::NonTransactional);
        }
        self.control(&head.first);
        self.extension(&text[range.clone()], &range, &head);
        self.cluster(text, range, &head);
    }

    fn control(&mut self, words: &str) {
        let starts =
            |prefix: &str| words == prefix || words.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(' '));
        if starts("PREPARE TRANSACTION") {
            self.barrier(Barrier::PrepareTransaction);
        } else if starts("SET TRANSACTION") || starts("SET LOCAL TRANSACTION") || starts("SET SESSION CHARACTERISTICS")
        {
            self.barrier(Barrier::SetTransaction);
        } else if starts("SET NAMES") || starts("SET LOCAL NAMES") || starts("SET SESSION NAMES") {
            self.barrier(Barrier::StringSyntax);
        } else if starts("RESET ALL") || starts("DISCARD") {
            self.barrier(Barrier::ResetAll);
        } else if ["BEGIN", "START TRANSACTION", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"]
            .iter()
            .any(|word| starts(word))
        {
            self.barrier(Barrier::TransactionControl);
        }
    }

    fn extension(&mut self, sql: &str, range: &Range<usize>, head: &Head) {
        if head.tokens.first().is_some_and(|token| token.is_word(sql, "DO")) {
            let quoted_or_folded = |found: regex::Captures<'_>| match found.get(1) {
                Some(quoted) => quoted.as_str().to_owned(),
                None => found.get(2).map_or("", |word| word.as_str()).to_ascii_lowercase(),
            };
            let names = EXTENSION_IN_BODY.captures_iter(sql).map(quoted_or_folded);
            self.extensions.extend(names.map(|name| CreatedExtension { name, range: None, schema: None }));
            return;
        }
        if !(head.first == "CREATE EXTENSION" || head.first.starts_with("CREATE EXTENSION ")) {
            return;
        }
        let mut rest = head
            .tokens
            .iter()
            .skip(2)
            .skip_while(|token| ["IF", "NOT", "EXISTS"].iter().any(|word| token.is_word(sql, word)));
        let Some(name) = rest.next().and_then(|token| name_of(token, sql)) else { return };
        let schema = rest.skip_while(|token| !token.is_word(sql, "SCHEMA")).nth(1);
        let schema = schema.and_then(|token| name_of(token, sql));
        self.extensions.push(CreatedExtension { name, range: Some(range.clone()), schema });
    }

    fn cluster(&mut self, text: &str, range: Range<usize>, head: &Head) {
        let mapping = head.first.split(' ').nth(2) == Some("MAPPING");
        let in_body = head.tokens.first().is_some_and(|token| token.is_word(&text[range.clone()], "DO"))
            && IN_BODY.is_match(&text[range.clone()]);
        // GRANT a TO b, without ON, is about membership in roles.
        let membership = (head.first.starts_with("GRANT ") || head.first.starts_with("REVOKE "))
            && !head.all.split(' ').any(|word| word == "ON");
        if (CLUSTER_WIDE.is_match(&head.first) && !mapping) || in_body || membership {
            self.cluster_wide.push(ClusterWide { range, what: leading(&head.first) });
        }
    }

    /// What matters wherever it stands, even in a string that is executed later.
    fn whole_text(&mut self, text: &str, history_table: &str) {
        if contains(text, "pg_advisory_unlock") {
            self.barrier(Barrier::AdvisoryUnlock);
        }
        if STRING_SETTINGS.iter().any(|setting| contains(text, setting)) {
            self.barrier(Barrier::StringSyntax);
        }
        if contains(text, history_table) {
            self.barrier(Barrier::HistoryTable);
        }
        if text.len() > LARGE_BYTES {
            self.barrier(Barrier::Large);
        }
    }
}

/// Statements on data, the bulk of large scripts, need nothing.
fn is_query(text: &str, range: &Range<usize>) -> bool {
    let first = Lexer::new(text, range.start).next().ok().flatten();
    first.is_some_and(|first| {
        ["INSERT", "SELECT", "UPDATE", "DELETE", "WITH", "MERGE", "VALUES"].iter().any(|word| first.is_word(text, word))
    })
}

/// The first three keywords.
fn leading(words: &str) -> String {
    words.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statements::split;

    fn facts(sql: &str) -> Facts {
        classify(sql, &split(sql), "flyway_schema_history")
    }

    /// Whether it cannot run in a transaction, and whether Flyway notices.
    fn outside(sql: &str) -> Option<bool> {
        facts(sql).outside_transaction.first().map(|statement| statement.flyway_detects)
    }

    #[test]
    fn statements_outside_of_transactions() {
        for sql in [
            "create database x",
            "DROP TABLESPACE x",
            "create subscription s connection '' publication p",
            "alter system set a = 1",
            "create index concurrently i on t (a)",
            "create unique index concurrently i on t (a)",
            "drop index concurrently i",
            "reindex schema s",
            "reindex (verbose) database d",
            "vacuum",
            "vacuum (analyze) t",
            "discard all",
            "/* c */ create index /* c */ concurrently if not exists i on t (a)",
        ] {
            assert_eq!(outside(sql), Some(true), "{sql}");
        }
        for sql in [
            "reindex table concurrently t",
            "reindex (concurrently) index i",
            "reindex index concurrently s.i",
            "alter table only s.t detach partition s.p concurrently",
            "alter database d set tablespace x",
            "cluster",
            "cluster (verbose)",
            "commit prepared 'x'",
            "alter subscription s refresh publication",
        ] {
            assert_eq!(outside(sql), Some(false), "{sql}");
        }
        for sql in [
            "create index concurrently_x on t (a)",
            "create table vacuum_log()",
            "alter type e add value 'x'",
            "refresh materialized view concurrently m",
            "cluster t using i",
            "cluster \"t\"",
            "cluster verbose s.t",
            "reindex table t",
            "alter table t detach partition p",
            "create index \"concurrently\" on t (a)",
            "call p()",
            "select 'vacuum'",
            "alter subscription s disable",
            "discard temp",
        ] {
            assert_eq!(outside(sql), None, "{sql}");
        }
    }

    #[test]
    fn mixed_as_flyway_sees_it() {
        assert!(facts("create table t(); vacuum").is_mixed_for_flyway());
        assert!(!facts("vacuum; drop index concurrently i").is_mixed_for_flyway());
        assert!(!facts("create table t(); reindex table concurrently t").is_mixed_for_flyway());
        assert!(!facts("create table t(); reindex table concurrently t").is_transactional());
    }

    #[test]
    fn barriers() {
        for (sql, barrier) in [
            ("vacuum", Barrier::NonTransactional),
            ("begin; select 1; commit", Barrier::TransactionControl),
            ("start transaction", Barrier::TransactionControl),
            ("savepoint a", Barrier::TransactionControl),
            ("set transaction isolation level serializable", Barrier::SetTransaction),
            ("set session characteristics as transaction read only", Barrier::SetTransaction),
            ("reset all", Barrier::ResetAll),
            ("prepare transaction 'x'", Barrier::PrepareTransaction),
            ("do $$ begin perform PG_advisory_unlock_all(); end $$", Barrier::AdvisoryUnlock),
            ("delete from \"Flyway_Schema_History\"", Barrier::HistoryTable),
            ("set standard_conforming_strings = off", Barrier::StringSyntax),
            ("select set_config('client_encoding', 'LATIN1', false)", Barrier::StringSyntax),
            ("set names 'latin1'", Barrier::StringSyntax),
            ("copy t from stdin;\n1\n\\.\n", Barrier::CopyFromStdin),
        ] {
            assert_eq!(facts(sql).barriers, [barrier], "{sql}");
        }
        assert!(matches!(facts("select 'a").barriers.as_slice(), [Barrier::NotUnderstood(error)] if error.offset == 7));
        assert_eq!(facts(&"select 1;\n".repeat(LARGE_BYTES / 9)).barriers, [Barrier::Large]);
        for sql in [
            "create table begins()",
            "set role x",
            "select 1",
            "create function f() returns int language sql begin atomic select 1; end",
            "reset role",
            "set constraints all deferred",
        ] {
            assert_eq!(facts(sql).barriers, [], "{sql}");
        }
    }

    #[test]
    fn extensions_and_what_a_server_shares() {
        let found = facts("create extension if not exists \"uuid-ossp\" with schema public; CREATE EXTENSION PostGIS");
        let named = |facts: &Facts| facts.extensions.iter().map(|created| created.name.clone()).collect::<Vec<_>>();
        assert_eq!(named(&found), ["uuid-ossp", "postgis"]);
        assert_eq!(found.extensions[0].schema.as_deref(), Some("public"));
        assert_eq!((found.extensions[1].range.clone(), &found.extensions[1].schema), (Some(63..87), &None));
        let body = facts("do $$ begin create extension if not exists Citext; CREATE EXTENSION \"A-b\"; end $$");
        assert_eq!(named(&body), ["citext", "A-b"]);
        assert!(body.extensions.iter().all(|created| created.range.is_none()));
        for sql in [
            "create role r",
            "alter user u password 'x'",
            "drop group g",
            "do $$ begin create role x; end $$",
            "grant a to b",
            "create database d",
            "do $$ begin execute 'CREATE USER x'; end $$",
        ] {
            assert_eq!(facts(sql).cluster_wide.len(), 1, "{sql}");
        }
        for sql in [
            "create user mapping for x server s",
            "grant select on t to b",
            "revoke all on schema s from public",
            "create table role()",
            "select 'create role x'",
        ] {
            assert_eq!(facts(sql).cluster_wide, [], "{sql}");
        }
    }
}
