//! `cherryPick`: which migrations are run, undone or repaired, and in which order.

use crate::migration::Migration;
use crate::version::Version;

use super::reconcile::{Entry, Reconciliation, Resolved};
use super::repair::Repair;
use super::row::AppliedMigration;
use super::state::State;

/// Migrations that are picked by version, or repeatables by description; none picks everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picks(Vec<String>);

/// A pick that cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PickError {
    /// Nothing is called so.
    #[error("no versioned migration has the version, and no repeatable one the description `{0}`")]
    Unknown(String),
    /// A version that comes too late.
    #[error("version {0} is below {1}, which is applied before it: set outOfOrder=true to run it nevertheless")]
    Late(String, String),
    /// It is there, and would not run without picks either.
    #[error("{0} would not run: its state is {1}")]
    Not(String, &'static str),
    /// An undo that leaves a higher version applied.
    #[error("version {0} is below {1}, which stays applied: undo that too, or set outOfOrder=true")]
    Early(String, String),
    /// An undo of what is not applied.
    #[error("{0} cannot be undone: its state is {1}")]
    NotApplied(String, &'static str),
    /// An undo of a repeatable migration.
    #[error("`{0}` is repeatable, and only versions can be undone")]
    Repeatable(String),
}

impl Picks {
    /// Reads the setting: with commas between them.
    pub fn parse(text: &str) -> Self {
        Self(text.split(',').map(str::trim).filter(|pick| !pick.is_empty()).map(str::to_owned).collect())
    }

    /// Whether everything runs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What runs, in order: what was picked and is pending. What is applied already is passed over, so that a pipeline
    /// may run twice.
    ///
    /// # Errors
    /// All picks that cannot run.
    pub fn choose<'a>(
        &self,
        found: &Reconciliation<'a>,
        out_of_order: bool,
    ) -> Result<Vec<&'a Resolved<'a>>, Vec<PickError>> {
        if self.is_empty() {
            return Ok(found.pending().collect());
        }
        let (mut chosen, mut errors) = (Vec::<&Resolved<'a>>::new(), Vec::new());
        let mut highest = found.current;
        for pick in &self.0 {
            match one(pick, found) {
                Ok(None) => {}
                Ok(Some(file)) if chosen.iter().any(|other| std::ptr::eq(*other, file)) => {}
                Ok(Some(file)) => {
                    let version = file.migration.version.as_ref();
                    match version.zip(highest) {
                        Some((version, highest)) if version < highest && !out_of_order => {
                            errors.push(PickError::Late(version.text().to_owned(), highest.text().to_owned()));
                        }
                        _ => chosen.push(file),
                    }
                    highest = highest.max(version);
                }
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(chosen) } else { Err(errors) }
    }
}

impl Picks {
    /// What an undo takes back, in order. What is taken back already is passed over.
    ///
    /// # Errors
    /// All picks that cannot be undone.
    pub fn choose_undone<'a>(
        &self,
        found: &Reconciliation<'a>,
        out_of_order: bool,
    ) -> Result<Vec<&'a AppliedMigration>, Vec<PickError>> {
        let applied: Vec<_> = found.to_undo().collect();
        let (mut chosen, mut errors) = (Vec::<&AppliedMigration>::new(), Vec::new());
        for pick in &self.0 {
            match undone(pick, found, &applied) {
                Ok(Some(row)) if chosen.iter().all(|other| other.rank != row.rank) => chosen.push(row),
                Ok(_) => {}
                Err(error) => errors.push(error),
            }
        }
        let stays = applied.iter().filter(|row| chosen.iter().all(|other| other.rank != row.rank));
        let highest = stays.filter_map(|row| row.version.as_ref()).max().filter(|_| !out_of_order);
        for version in chosen.iter().filter_map(|row| row.version.as_ref()) {
            if let Some(highest) = highest.filter(|highest| version < *highest) {
                errors.push(PickError::Early(version.text().to_owned(), highest.text().to_owned()));
            }
        }
        if errors.is_empty() { Ok(chosen) } else { Err(errors) }
    }

    /// What a repair does to the rows that are picked of a history; everything without picks.
    ///
    /// # Errors
    /// All picks that no row and no file has.
    pub fn choose_repaired(
        &self,
        mut repair: Repair,
        rows: &[AppliedMigration],
        files: &[Resolved<'_>],
    ) -> Result<Repair, Vec<PickError>> {
        if self.is_empty() {
            return Ok(repair);
        }
        let is_known = |pick: &String| {
            let pick = Pick::of(pick);
            rows.iter().any(|row| pick.names_row(row)) || files.iter().any(|file| pick.names_file(file.migration))
        };
        let unknown: Vec<_> = self.0.iter().filter(|pick| !is_known(pick)).cloned().map(PickError::Unknown).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let picked = |row: &AppliedMigration| self.0.iter().any(|pick| Pick::of(pick).names_row(row));
        repair.removed.retain(picked);
        repair.deleted.retain(picked);
        repair.aligned.retain(|(row, _)| picked(row));
        Ok(repair)
    }

    /// Whether a migration is among what is picked; all are without picks.
    pub fn has(&self, migration: &Migration) -> bool {
        self.is_empty() || self.0.iter().any(|pick| Pick::of(pick).names_file(migration))
    }
}

/// What a pick may mean: a version, or the description of a repeatable.
struct Pick {
    version: Option<Version>,
    description: String,
}

impl Pick {
    fn of(pick: &str) -> Self {
        Self { version: Version::parse(pick), description: pick.replace('_', " ") }
    }

    fn names(&self, version: Option<&Version>, description: &str) -> bool {
        match version {
            Some(version) => self.version.as_ref() == Some(version),
            None => description == self.description,
        }
    }

    fn names_row(&self, row: &AppliedMigration) -> bool {
        !row.kind.is_synthetic() && self.names(row.version.as_ref(), &row.description)
    }

    fn names_file(&self, file: &Migration) -> bool {
        self.names(file.version.as_ref(), &file.description)
    }

    fn among<'f, 'a>(&self, found: &'f Reconciliation<'a>) -> Vec<&'f Entry<'a>> {
        let is_meant =
            |entry: &&Entry<'a>| !entry.kind().is_synthetic() && self.names(entry.version(), entry.description());
        found.entries.iter().filter(is_meant).collect()
    }
}

/// The row of one pick of an undo; none when it is taken back already.
fn undone<'a>(
    pick: &str,
    found: &Reconciliation<'a>,
    applied: &[&'a AppliedMigration],
) -> Result<Option<&'a AppliedMigration>, PickError> {
    let meant = Pick::of(pick);
    if let Some(row) = applied.iter().find(|row| meant.names_row(row)) {
        return Ok(Some(row));
    }
    let entries = meant.among(found);
    let Some(entry) = entries.first() else { return Err(PickError::Unknown(pick.to_owned())) };
    if entry.version().is_none() {
        return Err(PickError::Repeatable(pick.to_owned()));
    }
    let is_undone = |entry: &&&Entry<'_>| matches!(entry.state, State::Deleted | State::Undone);
    match entries.iter().find(is_undone) {
        Some(_) => Ok(None),
        None => Err(PickError::NotApplied(pick.to_owned(), entry.state.name())),
    }
}

/// The file of one pick; none when it is applied.
fn one<'a>(pick: &str, found: &Reconciliation<'a>) -> Result<Option<&'a Resolved<'a>>, PickError> {
    let meant = Pick::of(pick).among(found);
    if let Some(pending) = meant.iter().find(|entry| entry.state == State::Pending) {
        return Ok(pending.resolved);
    }
    let Some(entry) = meant.first() else { return Err(PickError::Unknown(pick.to_owned())) };
    match entry.state {
        _ if entry.applied.is_some() && !matches!(entry.state, State::Deleted | State::Undone) => Ok(None),
        State::Ignored => {
            let current = found.current.map_or_else(String::new, |version| version.text().to_owned());
            Err(PickError::Late(pick.to_owned(), current))
        }
        state => Err(PickError::Not(pick.to_owned(), state.name())),
    }
}
