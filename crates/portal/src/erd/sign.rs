//! What a change did to a thing, as pictures and lists show it.

/// What a change did to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sign {
    /// It is new.
    Added,
    /// It is still there, and something about it is different.
    Changed,
    /// It is gone.
    Removed,
}

impl Sign {
    /// The sign itself, for those who do not see the colour.
    pub fn glyph(self) -> &'static str {
        match self {
            Self::Added => "+",
            Self::Changed => "~",
            Self::Removed => "\u{2212}",
        }
    }

    /// A word, which is a class of the stylesheet as well.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}
