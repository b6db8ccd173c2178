//! What each service was compared from, hashed: whoever shows a report later can tell whether it still speaks of what is there.
//!
//! Places and prose do not count: a comment in the YAML makes no report out of date. Nor does the program: hashes of
//! another version of it may differ, and are then taken for a change, never the other way round.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use trueup_migrations::migration::Migration;
use trueup_migrations::settings::Settings as FlywaySettings;
use trueup_model::declared::{DeclaredService, Target};

use super::inputs::ServiceInput;

/// Hashes of what a service was compared from: 64 hexadecimal digits each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputDigest {
    /// What the YAML declares for it, and for the services that it references.
    pub declared: String,
    /// What its migrations do to a new database: their texts, and the settings that matter.
    pub migrations: String,
}

/// Fields that say nothing that is compared.
const PROSE: [&str; 4] = ["prose", "owner", "description", "notes"];

/// The digests of those declared services that are wanted, by name; a service of which a file cannot be read has none.
pub fn of_all(services: &[Arc<ServiceInput>], is_wanted: impl Fn(&str) -> bool) -> BTreeMap<String, InputDigest> {
    let declared = services.iter().filter_map(|input| Some((input.name.as_str(), input.declared.as_ref()?)));
    let own: HashMap<&str, blake3::Hash> =
        declared.filter_map(|(name, service)| Some((name, of_declared(service)?))).collect();
    let digest = |input: &Arc<ServiceInput>| {
        let declared = with_references(input.declared.as_ref()?, &own)?;
        let migrations = of_migrations(input)?;
        let hex = |hash: blake3::Hash| hash.to_hex().to_string();
        Some((input.name.clone(), InputDigest { declared: hex(declared), migrations: hex(migrations) }))
    };
    services.iter().filter(|input| is_wanted(&input.name)).filter_map(digest).collect()
}

/// One part of a hash, with its name and length, so that no two lists of parts hash alike.
pub(super) fn add(hash: &mut blake3::Hasher, name: &str, bytes: &[u8]) {
    for part in [name.as_bytes(), bytes] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
}

/// Reads and hashes all scripts of a service; see [`ServiceInput::scripts_hash`].
pub(super) fn of_scripts(input: &ServiceInput) -> Option<blake3::Hash> {
    let mut hash = blake3::Hasher::new();
    for (path, text) in &input.before {
        add(&mut hash, path, text.as_bytes());
    }
    let set = &input.migrations;
    let callbacks = set.callbacks.iter().flat_map(|(event, all)| all.iter().map(move |one| (*event, one)));
    let baselines = set.baselines.iter().map(|one| ("baseline", one));
    let mut all = set.in_order().map(|one| ("migration", one)).chain(baselines).chain(callbacks);
    all.try_for_each(|(role, migration)| add_script(&mut hash, role, migration))?;
    Some(hash.finalize())
}

fn add_script(hash: &mut blake3::Hasher, role: &str, migration: &Migration) -> Option<()> {
    add(hash, role, format!("{:?} {:?} {:?}", migration.kind, migration.config, migration.version).as_bytes());
    add(hash, &migration.script, migration.path.as_bytes());
    add(hash, &migration.description, &[u8::from(migration.replaces_placeholders)]);
    add(hash, "text", migration.text().ok()?.as_bytes());
    Some(())
}

fn of_migrations(input: &ServiceInput) -> Option<blake3::Hash> {
    let mut hash = blake3::Hasher::new();
    add_settings(&mut hash, &input.flyway);
    add(&mut hash, "scripts", input.scripts_hash()?.as_bytes());
    Some(hash.finalize())
}

/// What decides what scripts do. Where they lie shows in their paths; folders themselves differ from machine to machine.
fn add_settings(hash: &mut blake3::Hasher, settings: &FlywaySettings) {
    let parts = [
        ("placeholders", format!("{:?}", settings.replacements())),
        ("table", settings.table.value.clone()),
        ("schemas", format!("{:?} {:?}", settings.schemas.value, settings.default_schema.value)),
        ("create", settings.create_schemas.value.to_string()),
        ("init", format!("{:?}", settings.init_sql.value)),
        ("transactions", format!("{} {}", settings.execute_in_transaction.value, settings.mixed.value)),
    ];
    parts.iter().for_each(|(name, value)| add(hash, name, value.as_bytes()));
}

fn of_declared(service: &DeclaredService) -> Option<blake3::Hash> {
    let mut value = serde_json::to_value(service).ok()?;
    forget(&mut value);
    Some(blake3::hash(&serde_json::to_vec(&value).ok()?))
}

/// The types of keys elsewhere decide whether a reference to them fits.
fn with_references(service: &DeclaredService, own: &HashMap<&str, blake3::Hash>) -> Option<blake3::Hash> {
    let mut hash = blake3::Hasher::new();
    add(&mut hash, "own", own.get(service.name.value.as_str())?.as_bytes());
    for other in referenced(service) {
        add(&mut hash, other, own.get(other).map_or(&[], |hash| hash.as_bytes()));
    }
    Some(hash.finalize())
}

/// The other services that a service references.
fn referenced(service: &DeclaredService) -> BTreeSet<&str> {
    let columns = service.tables.iter().flat_map(|table| &table.details).flat_map(|details| &details.columns);
    let other = columns.flat_map(|column| &column.references).filter_map(|reference| match &reference.target {
        Target::Service { service, .. } => Some(service.as_str()),
        _ => None,
    });
    other.collect()
}

/// Takes out what is not compared. That something has a place stays: for `PK` it is all there is.
fn forget(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(forget),
        Value::Object(fields)
            if fields.len() == 3 && ["file", "line", "column"].iter().all(|key| fields.contains_key(*key)) =>
        {
            *value = Value::Bool(true);
        }
        Value::Object(fields) => {
            PROSE.iter().for_each(|key| drop(fields.remove(*key)));
            fields.values_mut().for_each(forget);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::expect_used, reason = "tests fail by panicking")]
    use super::*;
    use crate::check::inputs;
    use crate::settings::Settings;

    const YAML: &str = "svc-a:\n  table_details:\n    t:\n      columns:\n      - {name: id, type: UUID, constraints: PK}\n\
                        svc-b:\n  table_details:\n    u:\n      columns:\n      - {name: a, type: UUID, constraints: FK -> svc-a.t}\n";
    const FILE: &str = "services/svc-a/src/main/resources/db/migration/V1__t.sql";
    const SETTINGS: &str = "services/svc-a/src/main/resources/application.yml";

    /// The digests of a project of these files, in a folder of its own each time.
    fn digests(files: &[(&str, &str)]) -> BTreeMap<String, InputDigest> {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let inputs = inputs::gather(root.path(), &Settings::default());
        assert!(inputs.errors.is_empty(), "{:?}", inputs.errors);
        of_all(&inputs.services, |_| true)
    }

    fn project(yaml: &str, sql: &str, settings: &str) -> BTreeMap<String, InputDigest> {
        digests(&[(inputs::USUAL_INTENT, yaml), (FILE, sql), (SETTINGS, settings)])
    }

    const NO_SETTINGS: &str = "server:\n  port: 8080\n";

    #[test]
    fn what_is_not_compared_changes_nothing() {
        let first = project(YAML, "CREATE TABLE t();", NO_SETTINGS);
        assert_eq!(first.len(), 2);
        let prose = "# moved\nsvc-a:\n  volume: 1 GB\n  owner: ann\n  table_details:\n    t:\n      description: words\n      columns:\n\
                     \u{20}     - {name: id, type: UUID, constraints: PK (a note)}\n";
        let moved = format!("{prose}{}", &YAML[YAML.find("svc-b").expect("there")..]);
        assert_eq!(project(&moved, "CREATE TABLE t();", "server:\n  port: 9090\n"), first);
    }

    #[test]
    fn whatever_is_compared_changes_its_own_hash() {
        let first = project(YAML, "CREATE TABLE t();", NO_SETTINGS);
        let changed = |now: &BTreeMap<String, InputDigest>, service: &str| {
            let (now, before) = (&now[service], &first[service]);
            (now.declared != before.declared, now.migrations != before.migrations)
        };
        for (from, to, own, other) in [
            ("{name: id, type: UUID", "{name: id, type: TEXT", true, true),
            ("constraints: PK", "constraints: NOT NULL", true, true),
            ("{name: a, type: UUID", "{name: a, type: TEXT", false, true),
        ] {
            let now = project(&YAML.replace(from, to), "CREATE TABLE t();", NO_SETTINGS);
            assert_eq!((changed(&now, "svc-a"), changed(&now, "svc-b")), ((own, false), (other, false)), "{to}");
        }
        let sql = project(YAML, "CREATE TABLE t ();", NO_SETTINGS);
        assert_eq!((changed(&sql, "svc-a"), changed(&sql, "svc-b")), ((false, true), (false, false)));
        for setting in ["default-schema: x", "init-sql: SELECT 1", "placeholders: {a: b}", "mixed: true"] {
            let now = project(YAML, "CREATE TABLE t();", &format!("spring:\n  flyway:\n    {setting}\n"));
            assert_eq!(changed(&now, "svc-a"), (false, true), "{setting}");
        }
        let one_more = FILE.replace("V1", "V2");
        let files = [(inputs::USUAL_INTENT, YAML), (FILE, "CREATE TABLE t();"), (one_more.as_str(), "SELECT 1;")];
        assert_eq!(changed(&digests(&files), "svc-a"), (false, true));
    }
}
