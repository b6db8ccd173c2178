//! From what the server said about a message back to a place in the script.

use std::ops::Range;

use crate::session::Outcome;

use super::script::Script;

/// A message: our SQL, a range of the script's text, perhaps more of ours.
pub(super) struct Message<'a> {
    pub(super) script: &'a Script,
    pub(super) range: Range<usize>,
    /// Index of the first statement in it.
    pub(super) first: usize,
    /// Length of our SQL before it, which is ASCII.
    pub(super) prefix: usize,
    /// Statements in our SQL before it.
    pub(super) lead: usize,
    /// Whether the server counts positions in bytes (databases in `SQL_ASCII`).
    pub(super) bytes: bool,
}

impl Message<'_> {
    /// The failing statement's index and the byte to point at, each when it is known.
    pub(super) fn place(&self, outcome: &Outcome) -> (Option<usize>, Option<usize>) {
        let position = outcome.error.as_ref().and_then(|error| error.position);
        if let Some(offset) = position.and_then(|position| self.offset(position)) {
            let after = self.script.statements.partition_point(|range| range.start <= offset);
            return (after.checked_sub(1), Some(offset));
        }
        let statement = outcome.tags.len().checked_sub(self.lead).map(|count| self.first + count);
        let statement = statement.filter(|index| self.script.statements.get(*index).is_some());
        (statement, statement.map(|index| self.script.statements[index].start))
    }

    /// The byte in the script that `position` (from 1, in the whole message) points at; behind the script, its end.
    fn offset(&self, position: u32) -> Option<usize> {
        let within = (position as usize).checked_sub(self.prefix + 1)?;
        let sent = &self.script.text()[self.range.clone()];
        let byte = if self.bytes { Some(within) } else { sent.char_indices().nth(within).map(|(at, _)| at) };
        let byte = byte.filter(|at| *at < sent.len() && sent.is_char_boundary(*at)).unwrap_or(sent.len());
        Some(self.range.start + byte)
    }
}
