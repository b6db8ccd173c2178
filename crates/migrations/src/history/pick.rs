//! `cherryPick`: which of the pending migrations run, and in which order.

use crate::version::Version;

use super::reconcile::{Entry, Reconciliation, Resolved};
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

/// The file of one pick; none when it is applied.
fn one<'a>(pick: &str, found: &Reconciliation<'a>) -> Result<Option<&'a Resolved<'a>>, PickError> {
    let version = Version::parse(pick);
    let description = pick.replace('_', " ");
    let is_meant = |entry: &&Entry<'a>| match entry.version() {
        Some(other) => version.as_ref() == Some(other) && !entry.kind().is_synthetic(),
        None => entry.description() == description && !entry.kind().is_synthetic(),
    };
    let meant: Vec<_> = found.entries.iter().filter(is_meant).collect();
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
