//! What a migration's state is called.

use std::fmt;

/// The state of a migration; names are Flyway's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Not applied yet; migrate applies it.
    Pending,
    /// Not applied, and its version lies beyond the target.
    AboveTarget,
    /// Not applied, and its version lies below the baseline.
    BelowBaseline,
    /// Not applied, and its version is the baseline's.
    IgnoredBaseline,
    /// Not applied, and a later version is; migrate passes over it unless out of order is allowed.
    Ignored,
    /// The row of a baseline.
    Baseline,
    /// Applied, and its file is gone.
    MissingSuccess,
    /// Failed, and its file is gone.
    MissingFailed,
    /// Applied.
    Success,
    /// Failed half-way outside a transaction.
    Failed,
    /// Applied after a later version.
    OutOfOrder,
    /// Applied, with a version later than any file.
    FutureSuccess,
    /// Failed, with a version later than any file.
    FutureFailed,
    /// A repeatable whose file changed since it ran.
    Outdated,
    /// A run of a repeatable that a later one replaced.
    Superseded,
    /// A row that a later one declared to be gone.
    Deleted,
    /// A version that an undo migration of Flyway's paid editions took back.
    Undone,
}

impl State {
    /// The name people see.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::AboveTarget => "Above Target",
            Self::BelowBaseline => "Below Baseline",
            Self::IgnoredBaseline => "Ignored (Baseline)",
            Self::Ignored => "Ignored",
            Self::Baseline => "Baseline",
            Self::MissingSuccess => "Missing",
            Self::MissingFailed => "Failed (Missing)",
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::OutOfOrder => "Out of Order",
            Self::FutureSuccess => "Future",
            Self::FutureFailed => "Failed (Future)",
            Self::Outdated => "Outdated",
            Self::Superseded => "Superseded",
            Self::Deleted => "Deleted",
            Self::Undone => "Undone",
        }
    }

    /// Whether the row says that it failed.
    pub fn is_failed(self) -> bool {
        matches!(self, Self::Failed | Self::MissingFailed | Self::FutureFailed)
    }

    /// Whether the row stands for something that no file is there for.
    pub(super) fn is_missing(self) -> bool {
        matches!(self, Self::MissingSuccess | Self::MissingFailed)
    }

    /// Whether the row stands for a version later than any file.
    pub fn is_future(self) -> bool {
        matches!(self, Self::FutureSuccess | Self::FutureFailed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
