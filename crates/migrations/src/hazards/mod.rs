//! Hazards: what a statement may do to data, to those who wait for its locks, and to programs that run meanwhile.
//!
//! The rules about DDL are those of squawk; which of them are about a hazard, and of which kind, is decided here. Only
//! tables that the database has are in danger: those that the scripts make are empty, and nobody knows them.

mod dml;
mod rules;
mod target;

use std::ops::Range;

use squawk_linter::{Linter, LinterSettings};
use squawk_syntax::SourceFile;
use trueup_model::location::Location;

use crate::lexer::TokenKind;
use crate::migration::Script;
use crate::origin::cursor::tokens;
use target::Tables;

pub use target::Table;

/// What is in danger; the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Danger {
    /// Data is lost.
    Data,
    /// The statement fails, depending on the data that is there.
    Failure,
    /// Others wait, for as long as a table is read, written or sorted.
    Lock,
    /// Programs that run meanwhile fail.
    Callers,
}

impl Danger {
    /// Its name in a plan.
    pub fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Failure => "failure",
            Self::Lock => "lock",
            Self::Callers => "callers",
        }
    }
}

/// What one statement may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// What is in danger.
    pub danger: Danger,
    /// The rule, by its name in squawk, or one of ours.
    pub rule: String,
    /// Where the statement, or the part of it that matters, stands in the author's file.
    pub at: Location,
    /// The table of the database that it is about; none where that is not known.
    pub table: Option<Table>,
    /// What happens.
    pub message: String,
    /// What to do instead; none where nothing is better.
    pub help: Option<String>,
}

/// What of a script is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// Where it stands.
    pub at: Location,
    /// Why.
    pub why: &'static str,
}

/// What was found in a script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// In the order of the script.
    pub hazards: Vec<Hazard>,
    /// Statements whose hazards are not known.
    pub unseen: Vec<Unseen>,
}

/// Longer statements, or ones nested more deeply, are not given to a parser that recurses.
const MAX_TOKENS: usize = 8_000;
const MAX_DEPTH: usize = 50;

/// For the parser's recursion, which the limits above keep well below it.
const STACK: usize = 128 << 20;

/// Looks at the scripts of one run, in order.
#[derive(Clone, Debug)]
pub struct Hazards {
    tables: Tables,
    server: squawk_linter::Version,
}

impl Hazards {
    /// For a server of this major version with these tables; names without a schema are of `default_schema`.
    pub fn new(major: u32, default_schema: &str, tables: Vec<Table>) -> Self {
        // Digits are always a version.
        let server = major.to_string().parse().unwrap_or_default();
        Self { tables: Tables::new(default_schema, tables), server }
    }

    /// Looks at the next script. `statements` are its statements, data of a COPY left out.
    pub fn of(&mut self, script: &Script, statements: &[Range<usize>], in_transaction: bool) -> Found {
        let text = script.sql.text.as_str();
        let (mut found, mut readable, mut in_danger) = (Found::default(), Vec::new(), Vec::new());
        for range in statements {
            let target = target::of(text, range);
            let table = target.as_ref().and_then(|target| self.tables.find(target)).cloned();
            if target.is_none() || table.is_some() {
                found.hazards.extend(dml::hazard(text, range).map(|raw| raw.at(script, table.clone())));
                in_danger.push((range.clone(), table));
            }
            match readability(text, range) {
                Readability::Yes => readable.push(range.clone()),
                Readability::Irrelevant => {}
                Readability::No(why) => found.unseen.push(Unseen { at: script.locate(range.start), why }),
            }
            if let Some(target) = target {
                self.tables.note(target);
            }
        }
        let (ddl, errors) = ddl(&blanked(text, &readable), in_transaction, self.server);
        for raw in ddl {
            if let Some((_, table)) = in_danger.iter().find(|(range, _)| range.contains(&raw.offset)) {
                found.hazards.push(raw.at(script, table.clone()));
            }
        }
        for offset in errors {
            let statement = readable.iter().rev().find(|range| range.start <= offset);
            let at = script.locate(statement.map_or(offset, |range| range.start));
            if !found.unseen.iter().any(|unseen| unseen.at == at) {
                found.unseen.push(Unseen { at, why: "the statement is of a form that the rules do not know" });
            }
        }
        found.hazards.sort_by_key(|hazard| (hazard.at.line, hazard.at.column));
        found
    }
}

enum Readability {
    Yes,
    /// The rules say nothing about such statements.
    Irrelevant,
    No(&'static str),
}

/// Words that begin statements which the rules are about.
const DDL: &[&str] = &["CREATE", "ALTER", "DROP", "TRUNCATE", "REINDEX", "VACUUM", "CLUSTER", "BEGIN", "COMMIT"];

fn readability(text: &str, range: &Range<usize>) -> Readability {
    let tokens = tokens(text, range);
    let starts = |word: &str| tokens.first().is_some_and(|token| token.is_word(text, word));
    if starts("DO") || starts("CALL") {
        return Readability::No("what it does shows only when it runs");
    }
    if !DDL.iter().any(|word| starts(word)) {
        return Readability::Irrelevant;
    }
    let mut depth = 0_usize;
    for token in &tokens {
        match token.kind {
            TokenKind::Open | TokenKind::OpenBracket => depth += 1,
            TokenKind::Close | TokenKind::CloseBracket => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Readability::No("the statement is nested too deeply");
        }
    }
    if tokens.len() > MAX_TOKENS { Readability::No("the statement is too long") } else { Readability::Yes }
}

/// The statements alone, each where it stands, and comments by which an author accepts a hazard: all else is blank.
fn blanked(text: &str, statements: &[Range<usize>]) -> String {
    let mut kept = vec![b' '; text.len()];
    let mut keep = |range: Range<usize>| kept[range.clone()].copy_from_slice(&text.as_bytes()[range]);
    let mut end = 0;
    for range in statements {
        for line in comments(text, end..range.start) {
            keep(line);
        }
        keep(range.clone());
        end = range.end;
    }
    for range in statements {
        if let Some(end) = kept.get_mut(range.end) {
            *end = b';';
        }
    }
    // Lines end everywhere, so that a comment does not reach into the next statement.
    text.bytes().zip(&mut kept).filter(|(byte, _)| *byte == b'\n').for_each(|(_, kept)| *kept = b'\n');
    // Statements and lines begin and end between characters.
    String::from_utf8(kept).unwrap_or_default()
}

/// Lines between statements that are comments for squawk.
fn comments(text: &str, gap: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut end = gap.start;
    text[gap].split_inclusive('\n').filter_map(move |line| {
        let start = end;
        end += line.len();
        let is_one = line.trim_start().starts_with("--") && line.contains("squawk-");
        is_one.then_some(start..end)
    })
}

/// A hazard by its place in the SQL.
struct Raw {
    offset: usize,
    danger: Danger,
    rule: String,
    message: String,
    help: Option<String>,
}

impl Raw {
    fn at(self, script: &Script, table: Option<Table>) -> Hazard {
        let Self { offset, danger, rule, message, help } = self;
        Hazard { danger, rule, at: script.locate(offset), table, message, help }
    }
}

/// What squawk says of the DDL, and where it understands nothing.
fn ddl(text: &str, in_transaction: bool, server: squawk_linter::Version) -> (Vec<Raw>, Vec<usize>) {
    let judge = || {
        let parse = SourceFile::parse(text);
        let errors = parse.errors().iter().map(|error| usize::from(error.range().start())).collect();
        // One for each script: a comment in it can change its settings.
        let mut linter = Linter::from(rules::all());
        linter.settings = LinterSettings { pg_version: server, assume_in_transaction: in_transaction };
        let raw = linter.lint(&parse, text).into_iter().filter_map(|violation| {
            Some(Raw {
                offset: violation.text_range.start().into(),
                danger: rules::danger(violation.code)?,
                rule: violation.code.to_string(),
                message: rules::message(violation.code).map_or(violation.message, str::to_owned),
                help: violation.help,
            })
        });
        (raw.collect(), errors)
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, judge);
        thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| (Vec::new(), vec![0]))
    })
}

#[cfg(test)]
mod tests;
