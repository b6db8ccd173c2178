//! From a migration to what is sent, and back from a failure to the author's file.

use std::ops::Range;

use trueup_migrations::classify::{Barrier, Facts, classify};
use trueup_migrations::hazards::{Found, Hazards};
use trueup_migrations::migration::{Migration, Script as Sql, ScriptError};
use trueup_migrations::placeholders::Placeholders;
use trueup_migrations::rerun::{Nature, nature};
use trueup_migrations::settings::Settings;
use trueup_migrations::statements::{Split, StatementKind, split};
use trueup_model::location::Location;

use super::outcome::Refused;

/// How a script is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// In a transaction, ahead of the answers to earlier scripts.
    Ahead,
    /// In a transaction, every answer awaited.
    Awaited,
    /// Outside any transaction, statement by statement, every answer awaited.
    Autocommit,
}

/// What has to be done after a script, whatever came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Afterwards {
    /// It names the history: read it again.
    pub(super) read_history: bool,
    /// It may have given up our lock: take it again.
    pub(super) lock: bool,
}

/// Statements that are sent as one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    /// What of the text is sent.
    pub(super) range: Range<usize>,
    /// Index of the first statement.
    pub(super) first: usize,
    /// Data of the COPY that it consists of.
    pub(super) copy: Option<Range<usize>>,
}

/// A script, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) mode: Mode,
    pub(super) afterwards: Afterwards,
    /// Whether it begins or ends transactions itself.
    pub(super) own_transactions: bool,
    pub(super) statements: Vec<Range<usize>>,
    copies: Vec<(usize, Range<usize>)>,
    /// Lines for psql that mean nothing to a server: where each begins, and its command.
    pub(super) skipped: Vec<(usize, String)>,
    /// Most bytes of several statements in one awaited message.
    limit: usize,
    sql: Sql,
}

/// What one awaited message of a long script holds.
const BATCH: usize = 256 << 10;

impl Script {
    /// Reads, cuts and classifies a migration.
    ///
    /// # Errors
    /// It cannot be read or cut, a placeholder has no value, or it mixes what Flyway would not run together.
    pub(super) fn prepare(
        migration: &Migration,
        settings: &Settings,
        placeholders: &Placeholders,
    ) -> Result<Self, Refused> {
        let sql = migration.script_with(placeholders).map_err(|error| Refused::of(migration, error))?;
        let text = &sql.sql.text;
        if let Some(offset) = text.find('\0') {
            return Err(Refused {
                at: sql.locate(offset),
                message: "a NUL byte, which PostgreSQL cannot receive".into(),
            });
        }
        let cut = split(text);
        let facts = classify(text, &cut, &settings.table.value);
        let cut = cut.map_err(|error| Refused { at: sql.locate(error.offset), message: error.message })?;
        let mode = mode(migration.config.execute_in_transaction, settings, &sql, &facts, &cut)?;
        let has = |barrier: Barrier| facts.barriers.contains(&barrier);
        let afterwards = Afterwards {
            read_history: has(Barrier::HistoryTable),
            lock: has(Barrier::AdvisoryUnlock) || has(Barrier::ResetAll),
        };
        let only_large = facts.barriers.iter().all(|barrier| *barrier == Barrier::Large);
        let copies = cut.statements.iter().enumerate().filter_map(|(index, statement)| match &statement.kind {
            StatementKind::CopyFromStdin { data } => Some((index, data.clone())),
            StatementKind::Sql => None,
        });
        Ok(Self {
            mode,
            afterwards,
            own_transactions: has(Barrier::TransactionControl) || has(Barrier::PrepareTransaction),
            copies: copies.collect(),
            skipped: cut.skipped.iter().map(|skipped| (skipped.range.start, skipped.command.clone())).collect(),
            statements: cut.statements.iter().map(|statement| statement.range.clone()).collect(),
            limit: if only_large && mode != Mode::Autocommit { BATCH } else { 0 },
            sql,
        })
    }

    /// The whole text.
    pub(super) fn text(&self) -> &str {
        &self.sql.sql.text
    }

    /// Looks for hazards in the statements from this one on.
    pub(super) fn hazards(&self, first: usize, hazards: &mut Hazards) -> Found {
        let statements = self.statements.get(first..).unwrap_or_default();
        hazards.of(&self.sql, statements, self.mode != Mode::Autocommit)
    }

    /// What it means to run a statement again; none when there is no such statement.
    pub(super) fn nature(&self, index: usize) -> Option<Nature> {
        let range = self.statements.get(index)?;
        let copy = self.copies.iter().any(|(statement, _)| *statement == index);
        Some(if copy { Nature::Atomic } else { nature(self.text(), range) })
    }

    /// Whether it ends a transaction in a way that a note in it would not tell of.
    pub(super) fn chains(&self) -> bool {
        (0..self.statements.len()).any(|index| self.nature(index) == Some(Nature::Chain))
    }

    /// A digest of a statement; empty when there is none.
    pub(super) fn digest(&self, index: usize) -> String {
        self.statements.get(index).map_or_else(String::new, |range| digest([&self.text()[range.clone()]].into_iter()))
    }

    /// A digest of all statements before this one; none when there are not as many.
    pub(super) fn digest_before(&self, index: usize) -> Option<String> {
        let before = self.statements.get(..index)?;
        Some(digest(before.iter().map(|range| &self.text()[range.clone()])))
    }

    /// The place in the author's file of a byte of the text; without one, the whole file.
    pub(super) fn locate(&self, offset: Option<usize>) -> Location {
        offset.map_or_else(|| Location::whole(std::sync::Arc::clone(&self.sql.file)), |offset| self.sql.locate(offset))
    }

    /// The messages of an awaited script: one statement each, or several where a long script allows it.
    pub(super) fn batches(&self) -> Vec<Batch> {
        self.batches_of(self.limit)
    }

    /// Each statement as a message of its own.
    pub(super) fn single_statements(&self) -> Vec<Batch> {
        self.batches_of(0)
    }

    fn skips_between(&self, start: usize, end: usize) -> bool {
        self.skipped.iter().any(|(at, _)| (start..end).contains(at))
    }

    fn batches_of(&self, limit: usize) -> Vec<Batch> {
        let mut batches: Vec<Batch> = Vec::new();
        for (index, range) in self.statements.iter().enumerate() {
            let copy = self.copies.iter().find(|(statement, _)| *statement == index).map(|(_, data)| data.clone());
            match batches.last_mut() {
                Some(last)
                    if copy.is_none()
                        && last.copy.is_none()
                        && range.end - last.range.start <= limit
                        && !self.skips_between(last.range.end, range.start) =>
                {
                    last.range.end = range.end;
                }
                _ => batches.push(Batch { range: range.clone(), first: index, copy }),
            }
        }
        batches
    }
}

fn digest<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut hasher = blake3::Hasher::new();
    for text in texts {
        hasher.update(text.as_bytes());
        // No script holds one.
        hasher.update(b"\0");
    }
    hasher.finalize().to_hex()[..32].to_owned()
}

/// As Flyway decides: the script's own configuration, else the setting, else what the statements are.
fn mode(decided: Option<bool>, settings: &Settings, sql: &Sql, facts: &Facts, cut: &Split) -> Result<Mode, Refused> {
    let outside = facts.outside_transaction.len();
    let mixed = facts.is_mixed_for_flyway() || (outside > 0 && outside < cut.statements.len());
    let in_transaction = match decided {
        Some(decided) => decided,
        None if !settings.execute_in_transaction.value => false,
        None if mixed && !settings.mixed.value => return Err(refuse_mixed(sql, facts)),
        // What Flyway misses would be refused by the server inside a transaction; nobody can mean that.
        None => facts.is_transactional(),
    };
    Ok(match in_transaction {
        false => Mode::Autocommit,
        true if facts.barriers.is_empty() && cut.skipped.is_empty() => Mode::Ahead,
        true => Mode::Awaited,
    })
}

fn refuse_mixed(sql: &Sql, facts: &Facts) -> Refused {
    let statement = facts.outside_transaction.first();
    Refused {
        at: sql.locate(statement.map_or(0, |statement| statement.range.start)),
        message: format!(
            "{} cannot run inside a transaction, and other statements of this file need one: move it to a file of its \
             own, or set `mixed`",
            statement.map_or("a statement", |statement| statement.what.as_str())
        ),
    }
}

impl Refused {
    /// A script that cannot be read, or whose placeholders have no value.
    pub(super) fn of(migration: &Migration, error: ScriptError) -> Self {
        let message = error.to_string();
        let at = match error {
            ScriptError::Placeholders(errors) => errors.into_iter().next().map(|(at, _)| at),
            ScriptError::Source(_) => None,
        };
        Self { at: at.unwrap_or_else(|| Location::whole(std::sync::Arc::clone(&migration.path))), message }
    }
}
