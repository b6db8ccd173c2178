//! One row of `flyway_schema_history`, read or to be written.

use std::borrow::Cow;

use crate::version::Version;

/// What a row is about: the column `type`, in the spellings that Flyway's free edition reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppliedKind {
    /// `SCHEMA`: Flyway created schemas.
    Schema,
    /// `BASELINE`: everything up to a version counts as applied.
    Baseline,
    /// `DELETE`: an earlier row no longer counts.
    Delete,
    /// `SQL`: a versioned or repeatable script.
    Sql,
    /// `SQL_BASELINE`: a B script.
    SqlBaseline,
    /// An undo migration of Flyway's paid editions took a version back; its spelling.
    Undo(&'static str),
    /// Something that is no SQL file and therefore never resolved here; its spelling.
    Foreign(&'static str),
}

/// Kinds of undo migrations. Flyway's free edition fails on the first one; we read them and write none.
const UNDO: &[&str] = &["UNDO_SQL", "UNDO_SCRIPT", "UNDO_JDBC", "UNDO_CUSTOM"];

/// Kinds that are read and that no SQL file has.
const FOREIGN: &[&str] =
    &["JDBC", "SCRIPT", "CUSTOM", "JDBC_BASELINE", "SPRING_JDBC", "SQL_STATE_SCRIPT", "JDBC_STATE_SCRIPT"];

impl AppliedKind {
    /// Reads the column `type`; upper case, as Flyway requires.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "SCHEMA" => Self::Schema,
            "BASELINE" => Self::Baseline,
            "DELETE" => Self::Delete,
            "SQL" => Self::Sql,
            "SQL_BASELINE" => Self::SqlBaseline,
            other => match UNDO.iter().find(|known| **known == other) {
                Some(undo) => Self::Undo(undo),
                None => Self::Foreign(FOREIGN.iter().find(|known| **known == other)?),
            },
        })
    }

    /// The spelling in the column `type`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "SCHEMA",
            Self::Baseline => "BASELINE",
            Self::Delete => "DELETE",
            Self::Sql => "SQL",
            Self::SqlBaseline => "SQL_BASELINE",
            Self::Undo(text) | Self::Foreign(text) => text,
        }
    }

    /// Rows that no file stands behind.
    pub fn is_synthetic(self) -> bool {
        matches!(self, Self::Schema | Self::Baseline | Self::Delete | Self::Undo(_))
    }

    /// Rows that take an earlier one back.
    pub fn takes_back(self) -> bool {
        matches!(self, Self::Delete | Self::Undo(_))
    }

    /// Rows that say "everything up to here".
    pub fn is_baseline(self) -> bool {
        matches!(self, Self::Baseline | Self::SqlBaseline | Self::Foreign("JDBC_BASELINE"))
    }
}

/// A row as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedMigration {
    /// `installed_rank`
    pub rank: i32,
    /// `version`; none for repeatables and for schemas that were created.
    pub version: Option<Version>,
    /// `description`
    pub description: String,
    /// `type`
    pub kind: AppliedKind,
    /// `script`
    pub script: String,
    /// `checksum`
    pub checksum: Option<i32>,
    /// `installed_by`
    pub installed_by: String,
    /// `installed_on`, as the server writes it.
    pub installed_on: String,
    /// `installed_on` as a moment, `2026-11-25T21:04:40.123Z`, when the server was asked for it: the column has no time
    /// zone, and is read in the session's.
    pub installed_at: Option<String>,
    /// `execution_time` in milliseconds.
    pub execution_time: i32,
    /// `success`
    pub success: bool,
}

/// Why a row cannot be understood. While there is one, nothing is run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// A column that must have a value has none, or one of another form.
    #[error("row {rank} of the history has no usable `{column}`")]
    Column {
        /// `installed_rank` as text.
        rank: String,
        /// The column.
        column: &'static str,
    },
    /// The version is no version.
    #[error("row {rank} of the history has the version `{version}`, which is no version")]
    Version {
        /// `installed_rank` as text.
        rank: String,
        /// What stands there.
        version: String,
    },
    /// A type that is not read.
    #[error("row {rank} of the history has the type `{kind}`, which this version of trueup does not read")]
    Kind {
        /// `installed_rank` as text.
        rank: String,
        /// What stands there.
        kind: String,
    },
}

impl AppliedMigration {
    /// The columns in the order of the table, as text.
    pub const COLUMNS: [&'static str; 10] = [
        "installed_rank",
        "version",
        "description",
        "type",
        "script",
        "checksum",
        "installed_by",
        "installed_on",
        "execution_time",
        "success",
    ];

    /// Reads a row whose columns are [`AppliedMigration::COLUMNS`], in text format; `t` and `f` are booleans. One more
    /// column may follow: `installed_on` as a moment.
    ///
    /// # Errors
    /// The first column that cannot be understood.
    pub fn from_texts(columns: &[Option<String>]) -> Result<Self, RowError> {
        let rank = columns.first().cloned().flatten().unwrap_or_default();
        let missing = |column: usize| RowError::Column { rank: rank.clone(), column: Self::COLUMNS[column] };
        let text = |column: usize| columns.get(column).cloned().flatten();
        let needed = |column: usize| text(column).ok_or_else(|| missing(column));
        let number = |column: usize| needed(column)?.parse::<i32>().map_err(|_| missing(column));
        let kind = needed(3)?;
        Ok(Self {
            rank: number(0)?,
            version: text(1)
                .map(|version| {
                    Version::parse(&version).ok_or_else(|| RowError::Version { rank: rank.clone(), version })
                })
                .transpose()?,
            description: needed(2)?,
            kind: AppliedKind::parse(&kind).ok_or_else(|| RowError::Kind { rank: rank.clone(), kind })?,
            script: needed(4)?,
            checksum: text(5).map(|_| number(5)).transpose()?,
            installed_by: needed(6)?,
            installed_on: needed(7)?,
            installed_at: text(10),
            execution_time: number(8)?,
            success: match needed(9)?.as_str() {
                "t" => true,
                "f" => false,
                _ => return Err(missing(9)),
            },
        })
    }
}

/// A row to be written; rank, time and who are the writer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRow {
    /// `version`
    pub version: Option<String>,
    /// `description`, abbreviated to what the column holds.
    pub description: String,
    /// `type`
    pub kind: AppliedKind,
    /// `script`, abbreviated to what the column holds.
    pub script: String,
    /// `checksum`
    pub checksum: Option<i32>,
}

impl NewRow {
    /// A row, its texts cut as Flyway cuts them.
    pub fn new(
        version: Option<&str>,
        description: &str,
        kind: AppliedKind,
        script: &str,
        checksum: Option<i32>,
    ) -> Self {
        Self {
            version: version.map(str::to_owned),
            description: abbreviate_description(description).into_owned(),
            kind,
            script: abbreviate_script(script).into_owned(),
            checksum,
        }
    }

    /// The row for schemas that were created, in order.
    pub fn schemas<'s>(created: impl IntoIterator<Item = &'s str>) -> Self {
        let script: Vec<String> = created.into_iter().map(|schema| format!("\"{schema}\"")).collect();
        Self::new(None, "<< Flyway Schema Creation >>", AppliedKind::Schema, &script.join(","), None)
    }
}

/// A description as the history keeps it: over 200 characters, the first 197 and `...`.
pub fn abbreviate_description(description: &str) -> Cow<'_, str> {
    if description.encode_utf16().count() <= 200 {
        return Cow::Borrowed(description);
    }
    let kept: Vec<u16> = description.encode_utf16().take(197).collect();
    Cow::Owned(String::from_utf16_lossy(&kept) + "...")
}

/// A script's path as the history keeps it: over 1,000 characters, `...` and the last 997.
pub fn abbreviate_script(script: &str) -> Cow<'_, str> {
    let units: Vec<u16> = script.encode_utf16().collect();
    if units.len() <= 1000 {
        return Cow::Borrowed(script);
    }
    Cow::Owned(format!("...{}", String::from_utf16_lossy(&units[3..1000])))
}
