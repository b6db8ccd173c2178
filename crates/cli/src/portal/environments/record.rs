//! One record, as a wire type, and what it says of a migration. What it does not prove is unknown.

use std::path::Path;

use serde::Deserialize;
use trueup_migrations::version::Version;
use trueup_portal::truth::{Live, Migration, MigrationKind};

/// A record larger than this, in bytes, is refused.
const LARGEST: u64 = 256 << 20;

/// The version of the format.
const VERSION: u32 = 1;

#[derive(Deserialize)]
struct Head {
    version: u32,
    operation: String,
}

/// What `info --format json` prints.
#[derive(Deserialize)]
pub(super) struct Record {
    /// When it was asked, in UTC.
    pub(super) timestamp: String,
    migrations: Vec<Entry>,
}

/// A file, a row, or both.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    category: String,
    version: Option<String>,
    description: String,
    state: String,
    checksum: Option<i32>,
    installed_rank: Option<i64>,
    installed_on: Option<String>,
}

/// Reads a record; why it is none, in a few words.
pub(super) fn read(file: &Path) -> Result<Record, String> {
    let size = file.metadata().map_err(|error| error.to_string())?.len();
    if size > LARGEST {
        return Err(format!("it is larger than {LARGEST} bytes"));
    }
    parse(&std::fs::read(file).map_err(|error| error.to_string())?)
}

fn parse(bytes: &[u8]) -> Result<Record, String> {
    let head: Head = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if head.operation != "info" {
        return Err(format!("it is the answer of `{}`", head.operation));
    }
    if head.version != VERSION {
        return Err(format!("its version is {}, expected {VERSION}", head.version));
    }
    let record: Record = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let moments = record.migrations.iter().filter_map(|entry| entry.installed_on.as_ref());
    let wrong = moments.chain([&record.timestamp]).find(|moment| !is_moment(moment)).cloned();
    match wrong {
        Some(wrong) => Err(format!("`{wrong}` is no moment in UTC such as 2026-11-25T21:04:40.123Z")),
        None => Ok(record),
    }
}

/// `2026-11-25T21:04:40.123Z`: such texts are in the order of time, too.
fn is_moment(text: &str) -> bool {
    let form = "0000-00-00T00:00:00.000Z";
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(c, like)| if like == b'0' { c.is_ascii_digit() } else { c == like })
}

impl Record {
    /// Where the migration stands in this environment.
    pub(super) fn live(&self, migration: &Migration) -> Live {
        // The last row of a repeatable is the one that counts; a row outranks a file without one.
        let entry =
            self.migrations.iter().filter(|entry| entry.is_of(migration)).max_by_key(|entry| entry.installed_rank);
        match entry {
            Some(entry) => entry.live(migration),
            // The record lists every row, so that there is none.
            None => self.below_baseline(migration).unwrap_or(Live::Pending),
        }
    }

    /// What stands below a baseline is said to be there, by somebody: that is no proof.
    fn below_baseline(&self, migration: &Migration) -> Option<Live> {
        let own = Version::parse(migration.version.as_deref()?)?;
        let baselines = self.migrations.iter().filter(|entry| entry.state == "Baseline");
        let below = baselines.filter_map(|entry| Version::parse(entry.version.as_deref()?)).any(|top| own <= top);
        below.then(|| Live::Unknown("not above the baseline".to_owned()))
    }
}

impl Entry {
    fn is_of(&self, migration: &Migration) -> bool {
        let category = match migration.kind {
            MigrationKind::Versioned => "Versioned",
            MigrationKind::Repeatable => "Repeatable",
            MigrationKind::Baseline => "Baseline",
        };
        // Rows that were taken back by a later one have no category, and their version.
        let is_deleted = self.category.is_empty() && self.state == "Deleted";
        let own = migration.version.as_deref().map(Version::parse);
        let same = match (own, self.version.as_deref().map(Version::parse)) {
            (Some(Some(own)), Some(Some(theirs))) => own == theirs,
            (None, None) => self.description == migration.description,
            _ => false,
        };
        same && (self.category == category || is_deleted)
    }

    /// By Flyway's names of the states.
    fn live(&self, migration: &Migration) -> Live {
        match (self.state.as_str(), &self.installed_on) {
            ("Success" | "Out of Order", Some(moment)) => match (self.checksum, migration.checksum) {
                (Some(applied), Some(file)) if applied == file => Live::Since(moment.clone()),
                (Some(_), Some(_)) => Live::Unknown("applied with another text".to_owned()),
                _ => Live::Unknown("applied, without a checksum to compare".to_owned()),
            },
            ("Pending" | "Above Target" | "Ignored", None) => Live::Pending,
            ("Outdated", _) => Live::Unknown("an earlier text is applied".to_owned()),
            (state, _) => Live::Unknown(format!("the record says {}", state.to_lowercase())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use trueup_portal::truth::Merged;

    use super::*;

    fn migration(version: Option<&str>, checksum: Option<i32>) -> Migration {
        Migration {
            version: version.map(str::to_owned),
            description: "cards".to_owned(),
            script: "x.sql".to_owned(),
            kind: if version.is_some() { MigrationKind::Versioned } else { MigrationKind::Repeatable },
            file: "db/x.sql".to_owned(),
            checksum,
            merged: Merged::Unknown,
            live: Vec::new(),
        }
    }

    fn row(category: &str, version: Option<&str>, state: &str, rank: Option<i64>) -> Value {
        let moment = rank.map(|rank| format!("2026-11-2{rank}T10:00:00.000Z"));
        json!({
            "category": category, "version": version, "description": "cards", "script": "x.sql", "type": "SQL",
            "state": state, "checksum": 7, "installedRank": rank, "installedOn": moment, "installedBy": null,
            "executionTime": null, "filepath": null,
        })
    }

    fn record(rows: &[Value]) -> Record {
        let value = json!({
            "version": 1, "operation": "info", "timestamp": "2026-11-25T21:04:40.123Z", "database": "d",
            "serverVersion": "15", "schemaName": "s", "schemaVersion": null, "migrations": rows,
        });
        parse(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn only_a_success_with_the_same_text_is_live() {
        let since = Live::Since("2026-11-21T10:00:00.000Z".to_owned());
        for (state, rank, expected) in [
            ("Success", Some(1), since.clone()),
            ("Out of Order", Some(1), since),
            ("Pending", None, Live::Pending),
            ("Ignored", None, Live::Pending),
            ("Above Target", None, Live::Pending),
            ("Failed", Some(1), Live::Unknown("the record says failed".to_owned())),
            ("Missing", Some(1), Live::Unknown("the record says missing".to_owned())),
            ("Future", Some(1), Live::Unknown("the record says future".to_owned())),
            ("Below Baseline", None, Live::Unknown("the record says below baseline".to_owned())),
            ("Outdated", Some(1), Live::Unknown("an earlier text is applied".to_owned())),
            ("Success", None, Live::Unknown("the record says success".to_owned())),
            ("no such state", Some(1), Live::Unknown("the record says no such state".to_owned())),
        ] {
            let record = record(&[row("Versioned", Some("2"), state, rank)]);
            assert_eq!(record.live(&migration(Some("2.0"), Some(7))), expected, "{state}");
        }
        let applied = record(&[row("Versioned", Some("2"), "Success", Some(1))]);
        for checksum in [Some(8), None] {
            let live = applied.live(&migration(Some("2"), checksum));
            assert!(matches!(live, Live::Unknown(_)), "{live:?}");
        }
        assert_eq!(applied.live(&migration(Some("3"), Some(7))), Live::Pending);
    }

    #[test]
    fn the_last_row_counts() {
        let repeatable = migration(None, Some(7));
        let rows = [
            row("Repeatable", None, "Superseded", Some(1)),
            row("Repeatable", None, "Success", Some(3)),
            row("Versioned", Some("1"), "Success", Some(2)),
        ];
        assert_eq!(record(&rows).live(&repeatable), Live::Since("2026-11-23T10:00:00.000Z".to_owned()));
        // Taken back, and not applied since.
        let rows = [row("", Some("2"), "Deleted", Some(1)), row("Versioned", Some("2"), "Pending", None)];
        let live = record(&rows).live(&migration(Some("2"), Some(7)));
        assert_eq!(live, Live::Unknown("the record says deleted".to_owned()));
    }

    #[test]
    fn a_baseline_proves_nothing_below_it() {
        let rows = [row("", Some("5"), "Baseline", Some(1))];
        let live = |version| record(&rows).live(&migration(Some(version), Some(7)));
        assert!(matches!(live("4"), Live::Unknown(_)) && matches!(live("5"), Live::Unknown(_)));
        assert_eq!(live("6"), Live::Pending);
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        let good =
            json!({"version": 1, "operation": "info", "timestamp": "2026-11-25T21:04:40.123Z", "migrations": []});
        assert!(parse(good.to_string().as_bytes()).is_ok());
        for (field, value, why) in [
            ("version", json!(2), "expected 1"),
            ("operation", json!("migrate"), "answer of `migrate`"),
            ("timestamp", json!("yesterday"), "no moment in UTC"),
            ("timestamp", json!("2026-11-25T21:04:40.123Z<x>"), "no moment in UTC"),
            ("migrations", json!({}), "sequence"),
        ] {
            let mut wrong = good.clone();
            wrong[field] = value;
            let message = parse(wrong.to_string().as_bytes()).err().unwrap();
            assert!(message.contains(why), "{field}: {message}");
        }
        assert!(parse(b"[").is_err());
    }
}
