//! `ignoreMigrationPatterns`: which states validation passes over.

use super::state::State;

/// One pattern, as in `*:future` or `repeatable:missing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IgnorePattern {
    /// `Some(true)` for versioned, `Some(false)` for repeatable, `None` for both.
    versioned: Option<bool>,
    status: Option<Status>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Missing,
    Pending,
    Ignored,
    Future,
}

/// A pattern that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no pattern for ignoreMigrationPatterns: write *, versioned or repeatable, a colon, and *, missing, \
     pending, ignored or future"
)]
pub struct PatternError(pub String);

impl IgnorePattern {
    /// `*:future`, which holds when nobody sets any.
    pub const FUTURE: Self = Self { versioned: None, status: Some(Status::Future) };

    /// `*:pending`, which migrate adds to its own validation.
    pub const PENDING: Self = Self { versioned: None, status: Some(Status::Pending) };

    /// Reads one pattern.
    ///
    /// # Errors
    /// It has not the form `kind:status`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let wrong = || PatternError(text.to_owned());
        let (kind, status) = text.trim().split_once(':').ok_or_else(wrong)?;
        let versioned = match kind.to_ascii_lowercase().as_str() {
            "*" => None,
            "versioned" => Some(true),
            "repeatable" => Some(false),
            _ => return Err(wrong()),
        };
        let status = match status.to_ascii_lowercase().as_str() {
            "*" => None,
            "missing" => Some(Status::Missing),
            "pending" => Some(Status::Pending),
            "ignored" => Some(Status::Ignored),
            "future" => Some(Status::Future),
            _ => return Err(wrong()),
        };
        Ok(Self { versioned, status })
    }

    /// Reads a comma-separated list; an empty one has no pattern.
    ///
    /// # Errors
    /// The first entry that is no pattern.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, PatternError> {
        text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(Self::parse).collect()
    }

    fn matches(self, versioned: bool, status: Status) -> bool {
        self.versioned.is_none_or(|wanted| wanted == versioned) && self.status.is_none_or(|wanted| wanted == status)
    }
}

/// Whether one of the patterns covers a state of a versioned or repeatable migration.
pub(super) fn ignores(patterns: &[IgnorePattern], versioned: bool, state: State) -> bool {
    let status = match state {
        state if state.is_missing() => Status::Missing,
        state if state.is_future() => Status::Future,
        State::Pending | State::Outdated => Status::Pending,
        State::Ignored => Status::Ignored,
        _ => return false,
    };
    patterns.iter().any(|pattern| pattern.matches(versioned, status))
}
