//! `flyway_schema_history` on the server: as Flyway creates it, reads it and locks it.

use trueup_migrations::history::{AppliedMigration, NewRow, RowError};
use trueup_model::name::{Identifier, QualifiedName};

use crate::restore::literal;
use crate::session::{Outcome, ServerError, Session, SessionError};

/// Rows that are read at most; a history that holds more is refused rather than read in part.
pub const MAX_ROWS: usize = 1_000_000;

/// Why a history cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The session failed.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The server refused.
    #[error("the schema history cannot be read: {0}")]
    Server(Box<ServerError>),
    /// A row that nobody understands.
    #[error(transparent)]
    Row(#[from] RowError),
    /// More rows than [`MAX_ROWS`].
    #[error("the schema history has more than {MAX_ROWS} rows")]
    TooLong,
}

/// A history table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryTable {
    name: QualifiedName,
    /// Where it is created.
    tablespace: Option<Identifier>,
}

impl HistoryTable {
    /// The table of this name.
    pub fn new(name: QualifiedName) -> Self {
        Self { name, tablespace: None }
    }

    /// The same table, created in a tablespace when it is created.
    pub(crate) fn in_tablespace(self, tablespace: Option<Identifier>) -> Self {
        Self { tablespace, ..self }
    }

    /// Its name.
    pub fn name(&self) -> &QualifiedName {
        &self.name
    }

    /// The advisory lock that Flyway holds while it migrates with this table: a constant plus Java's `hashCode` of the
    /// quoted name, taken from its UTF-16 code units.
    pub fn lock_key(&self) -> i64 {
        let units = self.name.quoted();
        let hash = units.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
        FLYWAY + i64::from(hash)
    }

    /// The statements that create it, with `rows` in it; for one transaction.
    pub(crate) fn create(&self, rows: &[(i32, NewRow)], stamp: &Stamp) -> String {
        let rows: String = rows.iter().map(|(rank, row)| self.insert(*rank, row, stamp, "0", true)).collect();
        self.create_around(&rows)
    }

    /// The statements that create the table, with those that add its first rows between them.
    pub(crate) fn create_around(&self, rows: &str) -> String {
        let table = self.name.quoted();
        let named = |suffix: &str| Identifier::new(format!("{}{suffix}", self.name.name)).quoted();
        let space = self.tablespace.as_ref().map(|name| format!(" TABLESPACE {}", name.quoted())).unwrap_or_default();
        let index_space = if space.is_empty() { String::new() } else { format!(" USING INDEX{space}") };
        format!(
            "CREATE TABLE {table} (\"installed_rank\" INT NOT NULL, \"version\" VARCHAR(50), \
             \"description\" VARCHAR(200) NOT NULL, \"type\" VARCHAR(20) NOT NULL, \"script\" VARCHAR(1000) NOT NULL, \
             \"checksum\" INTEGER, \"installed_by\" VARCHAR(100) NOT NULL, \
             \"installed_on\" TIMESTAMP NOT NULL DEFAULT now(), \"execution_time\" INTEGER NOT NULL, \
             \"success\" BOOLEAN NOT NULL, CONSTRAINT {} PRIMARY KEY (\"installed_rank\"){index_space}){space};{rows}\
             CREATE INDEX {} ON {table} (\"success\"){space};",
            named("_pk"),
            named("_s_idx")
        )
    }

    /// The statement that adds a row. `milliseconds` is SQL for the time it took.
    pub(crate) fn insert(&self, rank: i32, row: &NewRow, stamp: &Stamp, milliseconds: &str, success: bool) -> String {
        self.insert_values(&values(rank, row), stamp, milliseconds, success)
    }

    /// The same for a prepared statement whose parameters are [`VALUE_TYPES`] and whose arguments are [`values`].
    pub(crate) fn insert_parameters(&self, stamp: &Stamp, milliseconds: &str) -> String {
        self.insert_values("$1,$2,$3,$4,$5,$6", stamp, milliseconds, true)
    }

    fn insert_values(&self, values: &str, stamp: &Stamp, milliseconds: &str, success: bool) -> String {
        format!(
            "INSERT INTO {} ({}) VALUES ({values},{},pg_catalog.timezone({},pg_catalog.now()),{milliseconds},{success});",
            self.name.quoted(),
            quoted_columns(),
            literal(&stamp.installed_by),
            literal(&stamp.time_zone),
        )
    }

    /// The statement that removes the row of a failure.
    pub(crate) fn forget_failed(&self, rank: i32) -> String {
        format!("DELETE FROM {} WHERE \"installed_rank\"={rank} AND NOT \"success\";", self.name.quoted())
    }

    /// SQL for the highest rank, 0 without rows.
    pub(crate) fn last_rank(&self) -> String {
        format!("(SELECT COALESCE(pg_catalog.max(\"installed_rank\"),0) FROM {})", self.name.quoted())
    }
}

/// The types of [`values`].
pub(crate) const VALUE_TYPES: &str =
    "pg_catalog.int4,pg_catalog.text,pg_catalog.text,pg_catalog.text,pg_catalog.text,pg_catalog.int4";

/// What a row says of its migration: rank, version, description, type, script and checksum, as SQL.
pub(crate) fn values(rank: i32, row: &NewRow) -> String {
    format!(
        "{rank},{},{},'{}',{},{}",
        row.version.as_ref().map_or("NULL".to_owned(), |version| literal(version)),
        literal(&row.description),
        row.kind.as_str(),
        literal(&row.script),
        row.checksum.map_or("NULL".to_owned(), |sum| format!("({sum})")),
    )
}

/// Who and when, for rows.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    /// `installed_by`
    pub(crate) installed_by: String,
    /// The time zone in which `installed_on` is written: the session's own, whatever a script sets.
    pub(crate) time_zone: String,
}

/// SQL for the milliseconds since the transaction began, for `execution_time`.
pub(crate) const ELAPSED: &str = "LEAST(2147483647,pg_catalog.floor(pg_catalog.date_part('epoch',\
     pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-) pg_catalog.now()) OPERATOR(pg_catalog.*) 1000))\
     ::pg_catalog.int4";

/// SQL for `installed_on` as a moment. Whoever wrote it wrote the time of day of its own zone; Flyway's and ours are the
/// client's, and so is this session's.
const INSTALLED_AT: &str = "pg_catalog.to_char(pg_catalog.timezone('UTC',pg_catalog.timezone(\
     pg_catalog.current_setting('TimeZone'),\"installed_on\")),'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";

/// `0x466C79776179`: "Flyway" in ASCII.
const FLYWAY: i64 = 77_431_708_279_161;

fn quoted_columns() -> String {
    AppliedMigration::COLUMNS.map(|column| format!("\"{column}\"")).join(",")
}

/// Reads a table that exists, by rank.
///
/// # Errors
/// The server refuses, or a row cannot be understood.
pub async fn read(session: &mut Session, table: &HistoryTable) -> Result<Vec<AppliedMigration>, HistoryError> {
    ask(session, table)?;
    answer(session.next_outcome().await?)
}

/// Asks for all rows, without waiting.
pub(crate) fn ask(session: &mut Session, table: &HistoryTable) -> Result<(), SessionError> {
    let sql =
        format!("SELECT {},{INSTALLED_AT} FROM {} ORDER BY \"installed_rank\"", quoted_columns(), table.name.quoted());
    session.send_joined(&[&sql], MAX_ROWS + 1)
}

/// Takes in what came of [`ask`].
pub(crate) fn answer(outcome: Outcome) -> Result<Vec<AppliedMigration>, HistoryError> {
    if let Some(error) = outcome.error {
        return Err(HistoryError::Server(Box::new(error)));
    }
    if outcome.rows.len() > MAX_ROWS {
        return Err(HistoryError::TooLong);
    }
    Ok(outcome.rows.iter().map(|row| AppliedMigration::from_texts(row)).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use trueup_migrations::history::AppliedKind;

    use super::*;

    #[test]
    fn the_lock_is_flyways() {
        let table = HistoryTable::new(QualifiedName::new("public", "flyway_schema_history"));
        assert_eq!(table.lock_key(), 77_433_833_903_597);
    }

    #[test]
    fn texts_are_closed_and_names_are_quoted() {
        let table = HistoryTable::new(QualifiedName::new("a\"b", "h'x"));
        let stamp = Stamp { installed_by: "o'b\\é".into(), time_zone: "UTC".into() };
        let row = NewRow::new(Some("1"), "d'", AppliedKind::Sql, "s", Some(-3));
        let sql = table.insert(7, &row, &stamp, "0", true);
        assert!(sql.starts_with("INSERT INTO \"a\"\"b\".\"h'x\" ("), "{sql}");
        assert!(sql.contains("(7,E'1',E'd''','SQL',E's',(-3),E'o''b\\\\\\U000000E9',"), "{sql}");
    }
}
