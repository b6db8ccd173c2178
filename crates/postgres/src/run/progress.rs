//! How far scripts outside of a transaction got: a small table beside the history, there only while one is unfinished.
//!
//! The history cannot hold it: Flyway reads that. What a statement did and the note that it ran are committed together
//! where the server allows it; where it does not, the note is written before, and says what was there already.

use trueup_migrations::history::AppliedMigration;
use trueup_migrations::rerun::Nature;
use trueup_model::name::{Identifier, QualifiedName};

use crate::history::HistoryTable;
use crate::restore::literal;
use crate::session::{Outcome, SessionError};

use super::database::checked;
use super::outcome::RunError;

/// The table beside a history.
#[derive(Clone, Debug)]
pub(super) struct ProgressTable(QualifiedName);

/// What earlier runs left, as this one goes on with it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Whether the table is there.
    pub(super) exists: bool,
    pub(super) unfinished: Vec<Unfinished>,
}

impl Progress {
    /// Whether no script but this one is unfinished.
    pub(super) fn is_last(&self, script: &str) -> bool {
        self.unfinished.iter().all(|one| one.script == script)
    }

    /// Takes note that a script got to its end.
    pub(super) fn done(&mut self, script: &str) {
        self.exists = !self.is_last(script);
        self.unfinished.retain(|one| one.script != script);
    }
}

/// What is known of a script that did not get to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfinished {
    /// The script, as the history names it.
    pub(super) script: String,
    /// The highest rank of the history when it was begun.
    pub(super) since: i32,
    /// Index of the statement to go on at.
    pub(super) statement: usize,
    /// Whether that statement was sent and nobody knows what came of it.
    pub(super) started: bool,
    /// What all statements before it were.
    pub(super) before: String,
    /// What it was itself.
    pub(super) text: String,
    /// Objects that were there before it was sent, by their identifiers.
    pub(super) objects: Vec<String>,
    /// Rank of the row that says that the script failed.
    pub(super) failed_rank: Option<i32>,
}

/// A note about a script, to be written.
pub(super) struct Note<'n> {
    pub(super) script: &'n str,
    pub(super) since: i32,
    pub(super) statement: usize,
    pub(super) started: bool,
    pub(super) before: &'n str,
    pub(super) text: &'n str,
    /// SQL for [`Unfinished::objects`].
    pub(super) objects: &'n str,
    /// SQL for the rank of the row that says that it failed.
    pub(super) failed_rank: &'n str,
}

impl ProgressTable {
    /// The table beside this history.
    pub(super) fn of(history: &HistoryTable) -> Self {
        let QualifiedName { schema, name } = history.name();
        Self(QualifiedName::new(schema.clone(), Identifier::new(format!("{name}_progress"))))
    }

    /// Its name without the schema.
    pub(super) fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// The statement that creates it.
    pub(super) fn create(&self) -> String {
        let table = self.0.quoted();
        format!(
            "CREATE TABLE IF NOT EXISTS {table} (\"script\" VARCHAR(1000) PRIMARY KEY, \"since\" INT NOT NULL, \
             \"statement\" INT NOT NULL, \"started\" BOOLEAN NOT NULL, \"before\" TEXT NOT NULL, \"text\" TEXT NOT NULL, \
             \"objects\" TEXT NOT NULL, \"failed_rank\" INT);\
             COMMENT ON TABLE {table} IS 'trueup: how far migrations outside of a transaction got';"
        )
    }

    /// The statement that reads it.
    pub(super) fn read(&self) -> String {
        let columns = "\"script\",\"since\",\"statement\",\"started\",\"before\",\"text\",\"objects\",\"failed_rank\"";
        format!("SELECT {columns} FROM {} ORDER BY \"script\"", self.0.quoted())
    }

    /// The statement that writes a note in place of the one before it.
    pub(super) fn write(&self, note: &Note<'_>) -> String {
        format!(
            "INSERT INTO {} VALUES ({},{},{},{},{},{},{},{}) ON CONFLICT (\"script\") DO UPDATE SET \
             \"statement\"=excluded.\"statement\",\"started\"=excluded.\"started\",\"before\"=excluded.\"before\",\
             \"text\"=excluded.\"text\",\"objects\"=excluded.\"objects\",\"failed_rank\"=excluded.\"failed_rank\" RETURNING \"objects\";",
            self.0.quoted(),
            literal(note.script),
            note.since,
            note.statement,
            note.started,
            literal(note.before),
            literal(note.text),
            note.objects,
            note.failed_rank,
        )
    }

    /// The statement that forgets all of them.
    pub(super) fn drop(&self) -> String {
        format!("DROP TABLE {};", self.0.quoted())
    }

    /// The statement that forgets a script, and the table with the last one.
    pub(super) fn forget(&self, script: &str, last: bool) -> String {
        if last {
            return self.drop();
        }
        format!("DELETE FROM {} WHERE \"script\"={};", self.0.quoted(), literal(script))
    }
}

/// The identifiers in a column of objects.
pub(super) fn identifiers(objects: &str) -> Vec<String> {
    objects.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect()
}

impl Unfinished {
    /// Takes in what [`ProgressTable::read`] gave.
    pub(super) fn all(outcome: Outcome) -> Result<Vec<Self>, RunError> {
        let rows = checked(outcome, "the progress of unfinished migrations cannot be read")?.rows;
        let read = |row: &Vec<Option<String>>| {
            let text = |column: usize| row.get(column).cloned().flatten();
            let objects = text(6)?;
            Some(Self {
                script: text(0)?,
                since: text(1)?.parse().ok()?,
                statement: text(2)?.parse().ok()?,
                started: text(3)? == "t",
                before: text(4)?,
                text: text(5)?,
                objects: identifiers(&objects),
                failed_rank: text(7).map(|rank| rank.parse().ok()).unwrap_or_default(),
            })
        };
        let strange = || SessionError::Protocol("a row of the progress table that nobody wrote".to_owned());
        rows.iter().map(|row| read(row).ok_or_else(|| strange().into())).collect()
    }

    /// Whether it still says something: not once its failed row was removed, or the script was applied all the same.
    pub(super) fn holds(&self, rows: &[AppliedMigration]) -> bool {
        let own = |row: &&AppliedMigration| row.script == self.script;
        let applied = rows.iter().filter(own).any(|row| row.success && row.rank > self.since);
        let failed = |rank: i32| rows.iter().filter(own).any(|row| row.rank == rank && !row.success);
        !applied && self.failed_rank.is_none_or(failed)
    }
}

/// SQL for the objects that are there before a statement, as far as they tell afterwards what it did.
pub(super) fn objects_before(nature: &Nature) -> String {
    let sql = match nature {
        Nature::CreateIndex { table, .. } => format!(
            "(SELECT pg_catalog.string_agg(i.indexrelid::pg_catalog.text,',') FROM pg_catalog.pg_index i \
             WHERE i.indrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({}))",
            literal(table)
        ),
        Nature::DropIndex(index) => {
            format!("pg_catalog.to_regclass({})::pg_catalog.oid::pg_catalog.text", literal(index))
        }
        Nature::Detach { partition, .. } => format!(
            "(SELECT i.inhrelid::pg_catalog.text FROM pg_catalog.pg_inherits i \
             WHERE i.inhrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({}))",
            literal(partition)
        ),
        Nature::Reindex => {
            "(SELECT pg_catalog.string_agg(i.indexrelid::pg_catalog.text,',') FROM pg_catalog.pg_index i \
             WHERE NOT i.indisvalid)"
                .to_owned()
        }
        _ => return "''".to_owned(),
    };
    format!("COALESCE({sql},'')")
}

/// The question for indexes that a statement left: schema-qualified name, and whether it is valid.
///
/// `known` are the identifiers of those that were there before it.
pub(super) fn indexes_left(nature: &Nature, known: &[String]) -> Option<String> {
    let which = match nature {
        Nature::CreateIndex { index, table } => {
            let named = index.as_ref().map(|name| format!(" AND c.relname={}", literal(name))).unwrap_or_default();
            format!("i.indrelid=pg_catalog.to_regclass({}){named}", literal(table))
        }
        // What REINDEX CONCURRENTLY works with, and leaves when it fails.
        Nature::Reindex => "NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'".to_owned(),
        _ => return None,
    };
    let known = known.iter().filter(|one| one.bytes().all(|byte| byte.is_ascii_digit()));
    let known: Vec<_> = known.map(|one| format!("'{one}'")).collect();
    let unknown =
        if known.is_empty() { String::new() } else { format!(" AND c.oid::text NOT IN ({})", known.join(",")) };
    Some(format!(
        "SELECT pg_catalog.quote_ident(n.nspname)||'.'||pg_catalog.quote_ident(c.relname),i.indisvalid \
         FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid \
         JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace WHERE {which}{unknown} ORDER BY 1"
    ))
}
