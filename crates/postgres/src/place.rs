//! From what the server said about a message back to a place in the script, for replays and for runs.

use std::ops::Range;

use crate::session::Outcome;

/// Where a script failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Index of the statement; none when it is not known.
    pub(crate) statement: Option<usize>,
    /// Byte offset in the script's text.
    pub(crate) offset: Option<usize>,
    /// Whether position and count of completed statements agree.
    pub(crate) certain: bool,
}

/// A message as it was sent: our SQL, a piece of the script, our tail.
pub(crate) struct Message<'a> {
    pub(crate) text: &'a str,
    pub(crate) statements: &'a [Range<usize>],
    /// What of the text is sent.
    pub(crate) range: Range<usize>,
    /// Index of the first statement in it.
    pub(crate) first: usize,
    /// Length of our SQL before the piece, which is ASCII.
    pub(crate) prefix: usize,
    /// Statements in our SQL before the piece.
    pub(crate) lead: usize,
    /// Whether the server counts positions in bytes (databases in `SQL_ASCII`) rather than in characters.
    pub(crate) bytes: bool,
}

impl Place {
    /// Not known, and nothing would tell.
    pub(crate) const NOWHERE: Self = Self { statement: None, offset: None, certain: true };

    /// Behind the last statement.
    pub(crate) const AT_COMMIT: Self = Self::NOWHERE;
}

impl Message<'_> {
    /// Where the message failed, from the error's position and from the number of statements completed before it.
    pub(crate) fn place(&self, outcome: &Outcome) -> Place {
        let completed = outcome.tags.len();
        let counted = completed.checked_sub(self.lead).and_then(|count| self.nth(count));
        let position = outcome.error.as_ref().and_then(|error| error.position);
        let offset = position.and_then(|position| self.offset(position));
        match (offset, counted) {
            (Some(offset), counted) => {
                let statement = self.containing(offset);
                let certain = completed == 0 || statement == counted;
                Place { statement, offset: Some(offset), certain }
            }
            (None, Some(statement)) => {
                Place { statement: Some(statement), offset: Some(self.statements[statement].start), certain: true }
            }
            (None, None) => Place { statement: None, offset: None, certain: false },
        }
    }

    /// The statement that is number `count` (from 0) in this piece.
    fn nth(&self, count: usize) -> Option<usize> {
        let statement = self.first + count;
        self.statements.get(statement).filter(|range| range.start < self.range.end).map(|_| statement)
    }

    /// The byte in the script that `position` (from 1, in the whole message) points at; errors "at the end of input"
    /// point into our tail and become the end of the piece.
    fn offset(&self, position: u32) -> Option<usize> {
        let within = (position as usize).checked_sub(self.prefix + 1)?;
        let sent = &self.text[self.range.clone()];
        let bytes = if self.bytes { Some(within) } else { sent.char_indices().nth(within).map(|(at, _)| at) };
        let bytes = bytes.filter(|at| *at < sent.len() && sent.is_char_boundary(*at)).unwrap_or(sent.len());
        Some(self.range.start + bytes)
    }

    fn containing(&self, offset: usize) -> Option<usize> {
        let after = self.statements.partition_point(|range| range.start <= offset);
        Some(after.saturating_sub(1)).filter(|index| *index < self.statements.len())
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "statements are lists of ranges")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::session::{ServerError, TransactionStatus};

    fn failed(position: Option<u32>, completed: usize) -> Outcome {
        Outcome {
            rows: Vec::new(),
            tags: vec![String::new(); completed],
            error: Some(ServerError { position, ..ServerError::default() }),
            notices: Vec::new(),
            notice_count: 0,
            unexpected_copy: false,
            status: TransactionStatus::Failed,
            elapsed: Duration::ZERO,
        }
    }

    fn message<'a>(text: &'a str, statements: &'a [Range<usize>]) -> Message<'a> {
        Message { text, statements, range: 0..text.len(), first: 0, prefix: 10, lead: 2, bytes: false }
    }

    #[test]
    fn positions_count_characters_behind_the_prefix() {
        let text = "select 'é☃'; select nope";
        let statements = [0..14, 16..27];
        let place = message(text, &statements).place(&failed(Some(10 + 21), 3));
        assert_eq!(place.offset, text.find("nope"));
        assert_eq!((place.statement, place.certain), (Some(1), true));
    }

    #[test]
    fn in_sql_ascii_positions_count_bytes() {
        let text = "select 'é☃'; select nope";
        let statements = [0..14, 16..27];
        let message = Message { bytes: true, ..message(text, &statements) };
        assert_eq!(message.place(&failed(Some(10 + 24), 3)).offset, text.find("nope"));
    }

    #[test]
    fn without_a_position_completed_statements_count() {
        let text = "select 1; select 1/0";
        let statements = [0..8, 10..20];
        let place = message(text, &statements).place(&failed(None, 3));
        assert_eq!((place.statement, place.offset, place.certain), (Some(1), Some(10), true));
    }

    #[test]
    fn the_end_of_input_is_the_end_of_the_script_and_disagreement_is_uncertain() {
        let text = "create table t (";
        let statements = [0..16];
        let place = message(text, &statements).place(&failed(Some(10 + 18), 0));
        assert_eq!((place.statement, place.offset, place.certain), (Some(0), Some(16), true));
        assert!(!message(text, &statements).place(&failed(None, 0)).certain);
        assert!(!message(text, &statements).place(&failed(None, 9)).certain);
    }
}
