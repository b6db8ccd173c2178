//! From a migration to what is sent, and back from a failure to the author's file.

use std::ops::Range;
use std::sync::Arc;

use trueup_migrations::classify::{Barrier, Facts, classify};
use trueup_migrations::hazards::{Found, Hazards};
use trueup_migrations::large::{Part, Parts};
use trueup_migrations::migration::{Migration, Script as Sql, ScriptError};
use trueup_migrations::placeholders::Placeholders;
use trueup_migrations::rerun::{Nature, nature};
use trueup_migrations::settings::Settings;
use trueup_migrations::statements::{Split, StatementKind, split};
use trueup_model::location::Location;

use super::outcome::Refused;
use crate::restore::Identity;

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
    /// Whether it ends a transaction in a way that a note in it would not tell of.
    pub(super) chains: bool,
    /// What it may change about who the session is.
    pub(super) identity: Identity,
    /// How many statements it has.
    pub(super) count: usize,
    /// Lines for psql that mean nothing to a server: where each stands, and its command.
    pub(super) skipped: Vec<(Location, String)>,
    /// Most bytes of several statements in one awaited message.
    limit: usize,
    /// Those of [`Script::text`]; none when the text is not held.
    pub(super) statements: Vec<Range<usize>>,
    copies: Vec<(usize, Range<usize>)>,
    /// Bytes of the lines in `skipped`.
    gaps: Vec<Range<usize>>,
    /// The text; empty when it is not held.
    sql: Sql,
    /// Where the text comes from, part by part, when it is not held.
    large: Option<Box<Large>>,
}

/// A script whose text is read each time that it is needed.
#[derive(Clone, Debug)]
struct Large {
    migration: Migration,
    placeholders: Placeholders,
}

/// What one awaited message of a long script holds.
const BATCH: usize = 256 << 10;

impl Script {
    /// Reads, cuts and classifies a migration. The text of a large one is not held.
    ///
    /// # Errors
    /// It cannot be read or cut, a placeholder has no value, or it mixes what Flyway would not run together.
    pub(super) fn prepare(
        migration: &Migration,
        settings: &Settings,
        placeholders: &Placeholders,
    ) -> Result<Self, Refused> {
        if !migration.source.is_held() {
            return Self::prepare_large(migration, settings, placeholders);
        }
        let sql = migration.script_with(placeholders).map_err(|error| Refused::of(migration, &error))?;
        let cut =
            split(&sql.sql.text).map_err(|error| Refused { at: sql.locate(error.offset), message: error.message })?;
        let mut looked = Looked::default();
        looked.at(&sql, cut.clone(), settings)?;
        let mode = mode(migration.config.execute_in_transaction, settings, &looked, &sql.file)?;
        Ok(Self::new(mode, looked, &cut, sql))
    }

    /// The same in bounded memory.
    fn prepare_large(migration: &Migration, settings: &Settings, placeholders: &Placeholders) -> Result<Self, Refused> {
        let refuse = |error| Refused::of(migration, &error);
        let mut parts = Parts::of(migration, placeholders).map_err(refuse)?;
        let mut looked = Looked::default();
        while let Some(part) = parts.next_part().map_err(refuse)? {
            let (sql, cut) = part.cut();
            looked.at(sql, cut.clone(), settings)?;
        }
        looked.facts.take_in(Facts { barriers: vec![Barrier::Large], ..Facts::default() });
        let mode = mode(migration.config.execute_in_transaction, settings, &looked, &migration.path)?;
        let large = Large { migration: migration.clone(), placeholders: placeholders.clone() };
        let nothing = Sql::of_text(Arc::clone(&migration.path), "");
        Ok(Self { large: Some(Box::new(large)), ..Self::new(mode, looked, &Split::default(), nothing) })
    }

    fn new(mode: Mode, looked: Looked, cut: &Split, sql: Sql) -> Self {
        let has = |barrier: Barrier| looked.facts.barriers.contains(&barrier);
        let afterwards = Afterwards {
            read_history: has(Barrier::HistoryTable),
            lock: has(Barrier::AdvisoryUnlock) || has(Barrier::ResetAll),
        };
        let is_plain = |barrier: &Barrier| matches!(barrier, Barrier::Large | Barrier::CopyFromStdin);
        let plain = looked.facts.barriers.iter().all(is_plain);
        Self {
            mode,
            afterwards,
            own_transactions: has(Barrier::TransactionControl) || has(Barrier::PrepareTransaction),
            chains: looked.chains,
            identity: looked.identity,
            limit: if plain && mode != Mode::Autocommit { BATCH } else { 0 },
            count: looked.statements,
            skipped: looked.skipped,
            large: None,
            ..Self::of_cut(sql, cut)
        }
    }

    /// A text and how it is cut, and nothing about it.
    fn of_cut(sql: Sql, cut: &Split) -> Self {
        let copies = cut.statements.iter().enumerate().filter_map(|(index, statement)| match &statement.kind {
            StatementKind::CopyFromStdin { data } => Some((index, data.clone())),
            StatementKind::Sql => None,
        });
        Self {
            mode: Mode::Awaited,
            afterwards: Afterwards::default(),
            own_transactions: false,
            chains: false,
            identity: Identity::default(),
            count: cut.statements.len(),
            skipped: Vec::new(),
            limit: 0,
            copies: copies.collect(),
            gaps: cut.skipped.iter().map(|skipped| skipped.range.clone()).collect(),
            statements: cut.statements.iter().map(|statement| statement.range.clone()).collect(),
            sql,
            large: None,
        }
    }

    /// The parts of a script whose text is not held; none of any other.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(super) fn parts(&self) -> Result<Option<Parts>, ScriptError> {
        self.large.as_ref().map(|large| Parts::of(&large.migration, &large.placeholders)).transpose()
    }

    /// A part of it as a script of its own.
    pub(super) fn part(&self, part: Part) -> Self {
        let (Part::Statements(sql, cut) | Part::Copy(sql, cut)) = part;
        Self { mode: self.mode, limit: self.limit, ..Self::of_cut(sql, &cut) }
    }

    /// The text, when it is held.
    pub(super) fn text(&self) -> &str {
        &self.sql.sql.text
    }

    /// Looks for hazards in the statements from this one on.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub(super) fn hazards(&self, first: usize, hazards: &mut Hazards) -> Result<Found, ScriptError> {
        let in_transaction = self.mode != Mode::Autocommit;
        let Some(mut parts) = self.parts()? else {
            let statements = self.statements.get(first..).unwrap_or_default();
            return Ok(hazards.of(&self.sql, statements, in_transaction));
        };
        let (mut found, mut skip) = (Found::default(), first);
        while let Some(part) = parts.next_part()? {
            let script = self.part(part);
            let statements = script.statements.get(skip..).unwrap_or_default();
            skip = skip.saturating_sub(script.statements.len());
            let more = hazards.of(&script.sql, statements, in_transaction);
            found.hazards.extend(more.hazards);
            found.unseen.extend(more.unseen);
        }
        Ok(found)
    }

    /// The place in the author's file of a byte of the text; without one, the whole file.
    pub(super) fn locate(&self, offset: Option<usize>) -> Location {
        offset.map_or_else(|| Location::whole(Arc::clone(&self.sql.file)), |offset| self.sql.locate(offset))
    }

    /// The messages of an awaited script, as far as its text is held: `singly` of one statement each, else of several where a long
    /// script allows it.
    pub(super) fn batches(&self, singly: bool) -> Vec<Batch> {
        self.batches_of(if singly { 0 } else { self.limit })
    }

    fn skips_between(&self, start: usize, end: usize) -> bool {
        self.gaps.iter().any(|gap| (start..end).contains(&gap.start))
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

/// What is seen of a script when it is looked through.
#[derive(Debug, Default)]
struct Looked {
    facts: Facts,
    statements: usize,
    skipped: Vec<(Location, String)>,
    /// The first statement that cannot run inside a transaction.
    outside: Option<(Location, String)>,
    chains: bool,
    identity: Identity,
}

impl Looked {
    /// Looks at the whole text, or at the next part of it.
    fn at(&mut self, sql: &Sql, cut: Split, settings: &Settings) -> Result<(), Refused> {
        let text = &sql.sql.text;
        if let Some(offset) = text.find('\0') {
            let message = "a NUL byte, which PostgreSQL cannot receive".into();
            return Err(Refused { at: sql.locate(offset), message });
        }
        self.statements += cut.statements.len();
        let skipped = cut.skipped.iter().map(|skipped| (sql.locate(skipped.range.start), skipped.command.clone()));
        self.skipped.extend(skipped);
        self.identity.take_in(text);
        let ranges: Vec<_> = cut.statements.iter().map(|statement| statement.range.clone()).collect();
        let facts = classify(text, &Ok(cut), &settings.table.value);
        let ends = [Barrier::TransactionControl, Barrier::PrepareTransaction];
        if ends.iter().any(|barrier| facts.barriers.contains(barrier)) {
            self.chains |= ranges.iter().any(|range| nature(text, range) == Nature::Chain);
        }
        if self.outside.is_none() {
            let first = facts.outside_transaction.first();
            self.outside = first.map(|statement| (sql.locate(statement.range.start), statement.what.clone()));
        }
        self.facts.take_in(facts);
        Ok(())
    }
}

/// As Flyway decides: the script's own configuration, else the setting, else what the statements are.
fn mode(decided: Option<bool>, settings: &Settings, looked: &Looked, file: &Arc<str>) -> Result<Mode, Refused> {
    let facts = &looked.facts;
    let outside = facts.outside_transaction.len();
    let mixed = facts.is_mixed_for_flyway() || (outside > 0 && outside < looked.statements);
    let in_transaction = match decided {
        Some(decided) => decided,
        None if !settings.execute_in_transaction.value => false,
        None if mixed && !settings.mixed.value => return Err(refuse_mixed(looked, file)),
        // What Flyway misses would be refused by the server inside a transaction; nobody can mean that.
        None => facts.is_transactional(),
    };
    Ok(match in_transaction {
        false => Mode::Autocommit,
        true if facts.barriers.is_empty() && looked.skipped.is_empty() => Mode::Ahead,
        true => Mode::Awaited,
    })
}

fn refuse_mixed(looked: &Looked, file: &Arc<str>) -> Refused {
    let (at, what) =
        looked.outside.clone().unwrap_or_else(|| (Location::whole(Arc::clone(file)), "a statement".to_owned()));
    Refused {
        at,
        message: format!(
            "{what} cannot run inside a transaction, and other statements of this file need one: move it to a file of its \
             own, or set `mixed`"
        ),
    }
}

impl Refused {
    /// A script that cannot be read or cut, or whose placeholders have no value.
    pub(super) fn of(migration: &Migration, error: &ScriptError) -> Self {
        Self::in_file(Arc::clone(&migration.path), error)
    }

    /// The same, of the script in `file`.
    pub(super) fn in_file(file: impl Into<Arc<str>>, error: &ScriptError) -> Self {
        Self { at: error.at().cloned().unwrap_or_else(|| Location::whole(file)), message: error.to_string() }
    }
}
