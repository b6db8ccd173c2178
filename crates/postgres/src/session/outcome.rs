//! What the server said about one message.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

/// Notices kept per message; later ones are only counted.
pub const NOTICES_KEPT: usize = 100;

/// Rows kept per message when rows are wanted at all; later ones are dropped.
pub const ROWS_KEPT: usize = 10_000;

/// One row in text format; `None` is NULL.
pub type Row = Vec<Option<String>>;

/// The transaction status the server reports when it is ready again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStatus {
    /// Outside any transaction.
    Idle,
    /// Inside a transaction.
    InTransaction,
    /// Inside a transaction that failed and waits for its end.
    Failed,
}

impl TransactionStatus {
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'I' => Some(Self::Idle),
            b'T' => Some(Self::InTransaction),
            b'E' => Some(Self::Failed),
            _ => None,
        }
    }
}

/// Everything the server answered to one simple-query message.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Rows in text format of all its queries, when they were wanted; bounded by [`ROWS_KEPT`].
    pub rows: Vec<Row>,
    /// Command tags in order, one per completed statement (`CREATE TABLE`, `INSERT 0 3`); an empty query gives `""`.
    pub tags: Vec<String>,
    /// The error that ended the message, if one did.
    pub error: Option<ServerError>,
    /// The first [`NOTICES_KEPT`] notices, in order.
    pub notices: Vec<ServerError>,
    /// How many notices there were.
    pub notice_count: u64,
    /// Whether a `COPY … FROM STDIN` asked for data that was not announced.
    pub unexpected_copy: bool,
    /// The transaction status after the message.
    pub status: TransactionStatus,
    /// From the previous outcome (or from sending, when nothing was in flight) to this one.
    pub elapsed: Duration,
}

/// An error or a notice of the server, its fields as the protocol names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// `ERROR`, `FATAL`, `PANIC`, `WARNING`, `NOTICE`, …, never localised.
    pub severity: String,
    /// SQLSTATE, five characters.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// More about the problem.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// 1-based, in characters of the message that was sent.
    pub position: Option<u32>,
    /// 1-based, in characters of [`ServerError::internal_query`].
    pub internal_position: Option<u32>,
    /// The query inside a function that failed.
    pub internal_query: Option<String>,
    /// The call stack, innermost first.
    pub where_: Option<String>,
    /// The schema of the object concerned.
    pub schema: Option<String>,
    /// The table concerned.
    pub table: Option<String>,
    /// The column concerned.
    pub column: Option<String>,
    /// The data type concerned.
    pub data_type: Option<String>,
    /// The constraint concerned.
    pub constraint: Option<String>,
}

impl ServerError {
    /// Reads the fields of an `ErrorResponse` or `NoticeResponse` body, which may be cut short.
    pub(super) fn from_body(body: &Bytes) -> Self {
        let mut error = Self::default();
        let mut rest: &[u8] = body;
        while let Some((&field, tail)) = rest.split_first() {
            if field == 0 {
                break;
            }
            let end = tail.iter().position(|&byte| byte == 0).unwrap_or(tail.len());
            error.set(field, String::from_utf8_lossy(&tail[..end]).into_owned());
            rest = tail.get(end + 1..).unwrap_or_default();
        }
        error
    }

    fn set(&mut self, field: u8, text: String) {
        match field {
            b'S' if self.severity.is_empty() => self.severity = text,
            b'V' => self.severity = text,
            b'C' => self.sqlstate = text,
            b'M' => self.message = text,
            b'D' => self.detail = Some(text),
            b'H' => self.hint = Some(text),
            b'P' => self.position = text.parse().ok(),
            b'p' => self.internal_position = text.parse().ok(),
            b'q' => self.internal_query = Some(text),
            b'W' => self.where_ = Some(text),
            b's' => self.schema = Some(text),
            b't' => self.table = Some(text),
            b'c' => self.column = Some(text),
            b'd' => self.data_type = Some(text),
            b'n' => self.constraint = Some(text),
            // File, line and routine of the server's own source, and fields of majors to come.
            _ => {}
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (SQLSTATE {})", self.message, self.sqlstate)
    }
}

impl std::error::Error for ServerError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_the_severity_is_not_the_localised_one() {
        let body = Bytes::from_static(b"SFEHLER\0VERROR\0C42P01\0Mno such table\0P15\0Wstack\0\0");
        let error = ServerError::from_body(&body);
        assert_eq!((error.severity.as_str(), error.sqlstate.as_str()), ("ERROR", "42P01"));
        assert_eq!((error.position, error.where_.as_deref()), (Some(15), Some("stack")));
        assert_eq!(error.to_string(), "no such table (SQLSTATE 42P01)");
    }

    #[test]
    fn a_body_cut_short_keeps_what_is_there() {
        let error = ServerError::from_body(&Bytes::from_static(b"VERROR\0CP0001\0Mvery lo"));
        assert_eq!(error.message, "very lo");
    }
}
