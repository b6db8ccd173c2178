//! Files and rows put together.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use crate::migration::{Migration, MigrationKind, MigrationSet, ScriptError};
use crate::placeholders::Placeholders;
use crate::version::Version;

use super::pattern::IgnorePattern;
use super::row::{AppliedKind, AppliedMigration, NewRow, abbreviate_description};
use super::state::State;
use super::target::{Target, TargetError};

/// A file with the checksums it has in this run.
#[derive(Clone, Debug)]
pub struct Resolved<'m> {
    /// The file.
    pub migration: &'m Migration,
    /// What the history keeps: for repeatables that of the text with placeholders replaced.
    pub checksum: i32,
    /// That of the text as it stands, which counts as equal.
    pub raw_checksum: i32,
}

/// All files that can be applied, with their checksums.
///
/// # Errors
/// Repeatables that cannot be read, or that have placeholders without a value.
pub fn resolve<'m>(
    set: &'m MigrationSet,
    placeholders: &Placeholders,
) -> Result<Vec<Resolved<'m>>, Vec<(&'m Migration, ScriptError)>> {
    let mut resolved = Vec::new();
    let mut errors = Vec::new();
    for migration in set.versioned.iter().chain(&set.baselines).chain(&set.repeatables) {
        match migration.checksum_with(placeholders) {
            Ok(checksum) => {
                resolved.push(Resolved { migration, checksum, raw_checksum: migration.raw_checksum() });
            }
            Err(error) => errors.push((migration, error)),
        }
    }
    if errors.is_empty() { Ok(resolved) } else { Err(errors) }
}

impl Resolved<'_> {
    /// The type that its row has.
    pub fn kind(&self) -> AppliedKind {
        if self.migration.kind == MigrationKind::Baseline { AppliedKind::SqlBaseline } else { AppliedKind::Sql }
    }

    /// The row to write once it ran.
    pub fn row(&self) -> NewRow {
        let Migration { version, description, script, .. } = self.migration;
        NewRow::new(version.as_ref().map(Version::text), description, self.kind(), script, Some(self.checksum))
    }

    /// Whether a row was written for this text. NULL matches any versioned migration, and no repeatable one.
    pub(super) fn matches(&self, checksum: Option<i32>) -> bool {
        match checksum {
            None => self.migration.version.is_some(),
            Some(sum) => sum == self.checksum || (self.migration.version.is_none() && sum == self.raw_checksum),
        }
    }
}

/// What decides beside files and rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether versions below the highest applied one still run.
    pub out_of_order: bool,
    /// Up to which version.
    pub target: Target,
    /// What validation passes over.
    pub ignore: Vec<IgnorePattern>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { out_of_order: false, target: Target::Latest, ignore: vec![IgnorePattern::FUTURE] }
    }
}

/// A file, a row, or both, and what state that is.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The file.
    pub resolved: Option<&'a Resolved<'a>>,
    /// The row.
    pub applied: Option<&'a AppliedMigration>,
    /// The state.
    pub state: State,
}

impl<'a> Entry<'a> {
    /// The version: the row's, else the file's.
    pub fn version(&self) -> Option<&'a Version> {
        match self.applied {
            Some(row) => row.version.as_ref(),
            None => self.resolved.and_then(|file| file.migration.version.as_ref()),
        }
    }

    /// The description: the row's, else the file's.
    pub fn description(&self) -> &'a str {
        let file = || self.resolved.map(|file| file.migration.description.as_str());
        self.applied.map(|row| row.description.as_str()).or_else(file).unwrap_or_default()
    }

    /// The type: the row's, else the file's.
    pub fn kind(&self) -> AppliedKind {
        let file = || self.resolved.map(Resolved::kind);
        self.applied.map(|row| row.kind).or_else(file).unwrap_or(AppliedKind::Sql)
    }
}

/// Everything known about a history and its files.
#[derive(Clone, Debug)]
pub struct Reconciliation<'a> {
    /// In the order people are shown: below the baseline, rows by rank, then pending by version, then repeatables.
    pub entries: Vec<Entry<'a>>,
    /// The highest version that is applied, or the baseline's.
    pub current: Option<&'a Version>,
    pub(super) applied_baseline: Option<&'a Version>,
}

impl<'a> Reconciliation<'a> {
    /// What migrate runs, in order.
    pub fn pending(&self) -> impl Iterator<Item = &'a Resolved<'a>> {
        self.entries.iter().filter(|entry| entry.state == State::Pending).filter_map(|entry| entry.resolved)
    }

    /// Applied versions that an undo can take back, in the order in which they were applied.
    pub fn to_undo(&self) -> impl Iterator<Item = &'a AppliedMigration> {
        let counts = |row: &&AppliedMigration| row.success && row.version.is_some() && !row.kind.is_synthetic();
        let taken_back = |entry: &&Entry<'_>| !matches!(entry.state, State::Deleted | State::Undone);
        let rows = self.entries.iter().filter(taken_back).filter_map(|entry| entry.applied);
        rows.filter(counts).filter(|row| !row.kind.is_baseline())
    }

    /// The version of the baseline that is applied.
    pub fn baseline(&self) -> Option<&'a Version> {
        self.applied_baseline
    }

    /// Rows that failed.
    pub fn failed(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter().filter(|entry| entry.state.is_failed())
    }
}

/// Puts files and rows together. `rows` are in the order of their ranks.
///
/// # Errors
/// A target that names a version which neither a file nor a row has.
pub fn reconcile<'a>(
    resolved: &'a [Resolved<'a>],
    rows: &'a [AppliedMigration],
    policy: &Policy,
) -> Result<Reconciliation<'a>, TargetError> {
    let context = Context::of(resolved, rows, policy)?;
    let mut entries: Vec<Entry<'a>> = rows.iter().filter(|row| is_shown(row)).map(|row| context.row(row)).collect();
    entries.extend(context.without_row(rows));
    entries.sort_by_cached_key(|entry| order(entry));
    Ok(Reconciliation { entries, current: context.last_applied, applied_baseline: context.applied_baseline })
}

/// A version's own DELETE row is not shown; that of a repeatable is.
fn is_shown(row: &AppliedMigration) -> bool {
    row.kind != AppliedKind::Delete || row.version.is_none()
}

type Order = (u8, i32, Option<Version>, Vec<u16>);

fn order(entry: &Entry<'_>) -> Order {
    let version = entry.version().cloned();
    match (entry.state, entry.applied) {
        (State::BelowBaseline, _) => (0, 0, version, Vec::new()),
        // A file of the baseline's own version: Flyway shows it before the baseline.
        (State::IgnoredBaseline, None) => (0, 0, version, Vec::new()),
        (_, Some(row)) => (1, row.rank, None, Vec::new()),
        (_, None) if version.is_some() => (2, 0, version, Vec::new()),
        _ => (3, 0, None, entry.description().encode_utf16().collect()),
    }
}

/// How far versions go.
enum Limit {
    Everything,
    Nothing,
    UpTo(Version),
}

/// Files by what their rows are found by; of several the first.
struct Files<'a> {
    /// One version may have a file and a baseline file.
    versioned: BTreeMap<&'a Version, Vec<&'a Resolved<'a>>>,
    /// By the description as the history keeps it: abbreviated.
    repeatables: BTreeMap<Cow<'a, str>, &'a Resolved<'a>>,
}

impl<'a> Files<'a> {
    fn of(resolved: &'a [Resolved<'a>]) -> Self {
        let mut files = Self { versioned: BTreeMap::new(), repeatables: BTreeMap::new() };
        for file in resolved {
            match &file.migration.version {
                Some(version) => files.versioned.entry(version).or_default().push(file),
                None => {
                    let description = abbreviate_description(&file.migration.description);
                    files.repeatables.entry(description).or_insert(file);
                }
            }
        }
        files
    }

    fn of_row(&self, row: &AppliedMigration) -> Option<&'a Resolved<'a>> {
        match &row.version {
            Some(version) => self.versioned.get(version)?.iter().copied().find(|file| file.kind() == row.kind),
            None => self.repeatables.get(row.description.as_str()).copied(),
        }
    }
}

/// What is known about all rows and files before any one is judged.
struct Context<'a> {
    out_of_order: bool,
    resolved: &'a [Resolved<'a>],
    files: Files<'a>,
    /// The highest version of a file.
    last_resolved: Option<&'a Version>,
    /// The highest version of a row that counts.
    last_applied: Option<&'a Version>,
    applied_baseline: Option<&'a Version>,
    /// The baseline that files are judged by: the highest B file on an empty history, else the highest such row.
    baseline: Option<&'a Version>,
    /// Whether nothing is applied yet, so that the highest B file runs.
    fresh: bool,
    limit: Limit,
    /// Ranks of rows that a later one took back, and what that makes of them.
    taken_back: BTreeMap<i32, State>,
    /// Ranks of rows whose version is not above all before it.
    late: BTreeSet<i32>,
    /// The rank of the last run of each repeatable.
    latest: BTreeMap<&'a str, i32>,
}

impl<'a> Context<'a> {
    fn of(resolved: &'a [Resolved<'a>], rows: &'a [AppliedMigration], policy: &Policy) -> Result<Self, TargetError> {
        let taken_back = taken_back(rows);
        let counts = |row: &&AppliedMigration| !taken_back.contains_key(&row.rank) && !row.kind.takes_back();
        let fresh = !rows.iter().any(|row| row.kind != AppliedKind::Schema);
        let baselines = resolved.iter().filter(|file| file.kind() == AppliedKind::SqlBaseline);
        let applied_baseline =
            rows.iter().filter(|row| row.kind.is_baseline()).filter_map(|row| row.version.as_ref()).max();
        let mut context = Self {
            out_of_order: policy.out_of_order,
            resolved,
            files: Files::of(resolved),
            last_resolved: resolved.iter().filter_map(|file| file.migration.version.as_ref()).max(),
            last_applied: rows.iter().filter(counts).filter_map(|row| row.version.as_ref()).max(),
            applied_baseline,
            baseline: if fresh {
                baselines.filter_map(|file| file.migration.version.as_ref()).max()
            } else {
                applied_baseline
            },
            fresh,
            limit: Limit::Everything,
            late: late(rows, &taken_back),
            latest: rows
                .iter()
                .filter(|row| row.version.is_none() && row.kind != AppliedKind::Schema)
                .map(|row| (row.description.as_str(), row.rank))
                .collect(),
            taken_back,
        };
        context.limit = context.limit(rows, &policy.target)?;
        Ok(context)
    }

    fn limit(&self, rows: &[AppliedMigration], target: &Target) -> Result<Limit, TargetError> {
        let applied = || self.last_applied.cloned().map_or(Limit::Nothing, Limit::UpTo);
        Ok(match target {
            Target::Latest => Limit::Everything,
            Target::Current => applied(),
            Target::Next => {
                let pending = self.without_row(rows).filter(|entry| entry.state == State::Pending);
                let next = pending.filter_map(|entry| entry.version().cloned()).min();
                next.map_or_else(applied, Limit::UpTo)
            }
            Target::Version { version, required } => {
                let of_file = self.resolved.iter().any(|file| file.migration.version.as_ref() == Some(version));
                let of_row = rows.iter().any(|row| row.version.as_ref() == Some(version));
                if *required && !of_file && !of_row {
                    return Err(TargetError::NoSuchVersion(version.to_string()));
                }
                Limit::UpTo(version.clone())
            }
        })
    }

    /// The file that a row stands for. Synthetic rows stand for none.
    fn file_of(&self, row: &AppliedMigration) -> Option<&'a Resolved<'a>> {
        if row.kind.is_synthetic() { None } else { self.files.of_row(row) }
    }

    /// Whether a row says that its file, as it stands, was applied.
    fn settles(&self, row: &AppliedMigration, file: &Resolved<'_>) -> bool {
        if self.taken_back.contains_key(&row.rank) {
            return false;
        }
        row.version.is_some() || (self.is_latest(row) && file.matches(row.checksum))
    }

    fn is_latest(&self, row: &AppliedMigration) -> bool {
        self.latest.get(row.description.as_str()) == Some(&row.rank)
    }

    /// Files that no row settles.
    fn without_row(&self, rows: &[AppliedMigration]) -> impl Iterator<Item = Entry<'a>> {
        let settled: BTreeSet<*const Resolved<'_>> = rows
            .iter()
            .filter_map(|row| self.file_of(row).filter(|file| self.settles(row, file)))
            .map(std::ptr::from_ref)
            .collect();
        let open = self.resolved.iter().filter(move |file| !settled.contains(&std::ptr::from_ref(*file)));
        open.map(|file| Entry { resolved: Some(file), applied: None, state: self.file_state(file) })
    }

    fn file_state(&self, file: &Resolved<'_>) -> State {
        let Some(version) = &file.migration.version else { return State::Pending };
        let is_baseline = file.kind() == AppliedKind::SqlBaseline;
        match self.baseline.map(|baseline| version.cmp(baseline)) {
            Some(Ordering::Less) => return State::BelowBaseline,
            Some(Ordering::Equal) if !is_baseline => return State::IgnoredBaseline,
            _ => {}
        }
        let above = match &self.limit {
            Limit::Everything => false,
            Limit::Nothing => true,
            Limit::UpTo(limit) => version > limit,
        };
        let passed = self.last_applied.is_some_and(|last| version < last) && !self.out_of_order;
        match () {
            () if is_baseline && !self.fresh => State::Ignored,
            () if above => State::AboveTarget,
            () if passed => State::Ignored,
            () => State::Pending,
        }
    }

    fn row(&self, row: &'a AppliedMigration) -> Entry<'a> {
        let file = self.file_of(row);
        Entry { resolved: file, applied: Some(row), state: self.row_state(row, file) }
    }

    fn row_state(&self, row: &AppliedMigration, file: Option<&Resolved<'_>>) -> State {
        if let Some(state) = self.taken_back.get(&row.rank) {
            return *state;
        }
        match (row.kind, file) {
            (AppliedKind::Undo(_), _) if !row.success => State::Failed,
            (AppliedKind::Delete | AppliedKind::Undo(_) | AppliedKind::Schema, _) => State::Success,
            (kind, _) if kind.is_baseline() && row.success => State::Baseline,
            (_, None) if row.version.is_some() || self.is_latest(row) => self.without_file(row),
            _ if !row.success => State::Failed,
            (_, Some(file)) if row.version.is_none() && self.is_latest(row) => {
                if file.matches(row.checksum) {
                    State::Success
                } else {
                    State::Outdated
                }
            }
            _ if row.version.is_none() => State::Superseded,
            _ if self.late.contains(&row.rank) => State::OutOfOrder,
            _ => State::Success,
        }
    }

    fn without_file(&self, row: &AppliedMigration) -> State {
        let missing = row.version.is_none() || row.version.as_ref() < self.last_resolved;
        match (missing, row.success) {
            (true, true) => State::MissingSuccess,
            (true, false) => State::MissingFailed,
            (false, true) => State::FutureSuccess,
            (false, false) => State::FutureFailed,
        }
    }
}

/// Ranks of rows that a later successful DELETE or undo of the same version, or of the same repeatable, took back.
fn taken_back(rows: &[AppliedMigration]) -> BTreeMap<i32, State> {
    let mut taken_back = BTreeMap::new();
    let mut versions: BTreeMap<&Version, Vec<i32>> = BTreeMap::new();
    let mut repeatables: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.kind != AppliedKind::Schema) {
        let earlier = match &row.version {
            Some(version) => versions.entry(version).or_default(),
            None => repeatables.entry(&row.description).or_default(),
        };
        let state = if row.kind == AppliedKind::Delete { State::Deleted } else { State::Undone };
        if !row.kind.takes_back() {
            earlier.push(row.rank);
        } else if row.success {
            taken_back.extend(earlier.drain(..).map(|rank| (rank, state)));
        }
    }
    taken_back
}

/// Ranks of rows whose version is not above that of every row before that counts.
fn late(rows: &[AppliedMigration], taken_back: &BTreeMap<i32, State>) -> BTreeSet<i32> {
    let mut late = BTreeSet::new();
    let mut highest: Option<&Version> = None;
    for row in rows.iter().filter(|row| row.version.is_some()) {
        if row.version.as_ref() <= highest {
            late.insert(row.rank);
        } else if !row.kind.takes_back() && !taken_back.contains_key(&row.rank) {
            highest = row.version.as_ref();
        }
    }
    late
}
