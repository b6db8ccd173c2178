//! What a replay is given.

use std::ops::Range;
use std::time::Duration;

use tokio::time::Instant;
use trueup_model::name::{Identifier, QualifiedName};

/// How a script has to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In a transaction of its own, ahead of the answers to earlier scripts.
    Ahead,
    /// In a transaction of its own, one statement to a message: each is read under the settings the ones before it
    /// made (`standard_conforming_strings`, `client_encoding`). Still ahead of the answers.
    Stepwise,
    /// In a transaction of its own and before anything else in it, every answer awaited: for `SET TRANSACTION`,
    /// which no query may precede, and for whatever the splitter did not understand.
    Alone,
    /// Outside any transaction, statement by statement, every answer awaited: `CREATE INDEX CONCURRENTLY` and its kin.
    Autocommit,
}

/// The data of one `COPY … FROM STDIN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyData {
    /// Index of the COPY among the script's statements.
    pub statement: usize,
    /// Where its data stands in the text, from the line after the statement up to `\.`, which is left out.
    pub data: Range<usize>,
}

/// One file to replay, placeholders already replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The caller's number for it, given back in the outcome.
    pub id: usize,
    /// The SQL.
    pub text: String,
    /// Byte ranges of its statements, in order, without the `;`. An empty list means one statement: the whole text.
    pub statements: Vec<Range<usize>>,
    /// How to send it.
    pub mode: Mode,
    /// COPY data in the text, in order.
    pub copies: Vec<CopyData>,
    /// The row that a history table would have for it; used when [`ReplayOptions::history`] is set.
    pub history: Option<HistoryRow>,
}

/// What the history table says about one applied script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The version; none for a repeatable.
    pub version: Option<String>,
    /// The description.
    pub description: String,
    /// `SQL`, `SQL_BASELINE`, ….
    pub kind: String,
    /// Path of the file.
    pub script: String,
    /// Flyway's checksum.
    pub checksum: Option<i32>,
}

/// What surrounds the scripts.
#[derive(Clone, Debug, Default)]
pub struct ReplayOptions {
    /// Goes first in the search path before each script, as Flyway has it; without one, `current_schema()`.
    pub default_schema: Option<Identifier>,
    /// Schemas to create first, when they do not exist.
    pub create_schemas: Vec<Identifier>,
    /// SQL to run first, once, in autocommit.
    pub init_sql: Option<String>,
    /// A stand-in for the history table, for scripts that name it: created first, a row per applied script.
    pub history: Option<QualifiedName>,
    /// `statement_timeout` at the start; a script may change it.
    pub statement_timeout: Option<Duration>,
    /// When the whole replay has to be over.
    pub deadline: Option<Instant>,
}

/// A contiguous part of a script that goes out as one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// What of the text is sent.
    pub(super) range: Range<usize>,
    /// Index of its first statement.
    pub(super) statement: usize,
    /// Data that follows it.
    pub(super) copy: Option<Range<usize>>,
}

/// Scripts longer than this are sent in pieces cut between statements: in one message, 100 MB take the server ten
/// times as much memory; in pieces, 13 MB.
pub(super) const PIECE: usize = 1 << 20;

impl Script {
    /// The statements, one of them at least.
    pub(super) fn statement_ranges(&self) -> Vec<Range<usize>> {
        let whole = 0..self.text.len();
        if self.statements.is_empty() { Vec::from([whole]) } else { self.statements.clone() }
    }

    /// The messages to send, each at most about `limit` bytes unless one statement alone is longer.
    pub(super) fn pieces(&self, limit: usize) -> Vec<Piece> {
        let ranges = self.statement_ranges();
        if self.copies.is_empty() && self.text.len() <= limit {
            return vec![Piece { range: 0..self.text.len(), statement: 0, copy: None }];
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut open = false;
        for (index, range) in ranges.iter().enumerate() {
            let copy = self.copies.iter().find(|copy| copy.statement == index);
            match pieces.last_mut() {
                Some(last) if open && copy.is_none() && range.end - last.range.start <= limit => {
                    last.range.end = range.end;
                }
                _ => pieces.push(Piece {
                    range: range.clone(),
                    statement: index,
                    copy: copy.map(|copy| copy.data.clone()),
                }),
            }
            open = copy.is_none();
        }
        pieces
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "statements are lists of ranges")]
mod tests {
    use super::*;

    fn script(text: &str, statements: Vec<Range<usize>>, copies: Vec<CopyData>) -> Script {
        Script { id: 0, text: text.to_owned(), statements, mode: Mode::Ahead, copies, history: None }
    }

    #[test]
    fn a_small_script_is_one_message_with_its_comments() {
        let pieces = script("-- a\nselect 1;\n-- b", vec![5..13], vec![]).pieces(PIECE);
        assert_eq!(pieces, [Piece { range: 0..19, statement: 0, copy: None }]);
    }

    #[test]
    fn a_long_script_is_cut_between_statements() {
        let text = "select 1;select 2;select 3";
        let pieces = script(text, vec![0..8, 9..17, 18..26], vec![]).pieces(17);
        assert_eq!(
            pieces.iter().map(|p| (&text[p.range.clone()], p.statement)).collect::<Vec<_>>(),
            [("select 1;select 2", 0), ("select 3", 2)]
        );
    }

    #[test]
    fn a_copy_goes_alone_with_its_data() {
        let text = "select 1;copy t from stdin;\n1\n2\n\\.\nselect 2";
        let copies = vec![CopyData { statement: 1, data: 28..32 }];
        let pieces = script(text, vec![0..8, 9..26, 35..43], copies).pieces(PIECE);
        assert_eq!(pieces.len(), 3);
        assert_eq!(pieces[1], Piece { range: 9..26, statement: 1, copy: Some(28..32) });
        assert_eq!(&text[pieces[2].range.clone()], "select 2");
    }
}
