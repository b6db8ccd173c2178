//! Reads what `trueup check --format json` printed: wire types of the published contract, version 1.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use trueup_model::finding::{Finding, ObjectKind, ObjectPath, Severity, State};
use trueup_model::location::Location;
use trueup_model::name::Identifier;
use trueup_model::rule::Rule;
use trueup_portal::input::{Accepted, CheckReport, ServiceVerdict, Status};
use trueup_portal::truth::{Made, Merged, Migration, MigrationKind, Provenance};

use crate::check::CheckError;
use crate::check::digest::InputDigest;
use crate::report::ServiceStatus;
use crate::report::json::VERSION;
use crate::report::provenance;

/// A report larger than this, in bytes, is refused.
const LARGEST: u64 = 512 << 20;

#[derive(Deserialize)]
struct WireVersion {
    version: u32,
}

#[derive(Deserialize)]
struct WireReport {
    engine: Option<WireEngine>,
    scope: Option<String>,
    services: Vec<WireService>,
    errors: Vec<WireError>,
    findings: Vec<WireFinding>,
    accepted: Vec<WireAccepted>,
}

#[derive(Deserialize)]
struct WireEngine {
    version: String,
}

#[derive(Deserialize)]
struct WireService {
    name: String,
    status: ServiceStatus,
    reason: Option<String>,
    provenance: Option<provenance::Provenance>,
    inputs: Option<InputDigest>,
}

#[derive(Deserialize)]
struct WireError {
    message: String,
    location: Option<WirePlace>,
}

#[derive(Deserialize)]
struct WirePlace {
    file: String,
    line: u32,
    column: u32,
}

#[derive(Deserialize)]
struct WireFinding {
    rule: Rule,
    severity: Severity,
    service: String,
    state: State,
    kind: ObjectKind,
    path: Vec<Identifier>,
    message: String,
    help: String,
    declared: String,
    found: String,
    locations: Vec<WireSide>,
    fix: Option<WireFix>,
}

#[derive(Deserialize)]
struct WireSide {
    side: Side,
    #[serde(flatten)]
    at: WirePlace,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Side {
    Intent,
    Migrations,
}

#[derive(Deserialize)]
struct WireFix {
    sql: String,
}

#[derive(Deserialize)]
struct WireAccepted {
    #[serde(flatten)]
    finding: WireFinding,
    by: String,
    reason: Option<String>,
}

/// A report, and what it says it was made from.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) report: CheckReport,
    /// By service; reports of earlier versions do not say it.
    pub(super) inputs: BTreeMap<String, InputDigest>,
}

/// Reads a report from a file.
///
/// # Errors
/// When the file cannot be read, or is not a report of this version.
pub(super) fn read(file: &Path) -> Result<Read, CheckError> {
    let name = file.display();
    let wrong = |message: String| CheckError::Usage {
        message,
        help: "give --report what `trueup check --format json` printed".to_owned(),
    };
    let size = file.metadata().map_err(|error| wrong(format!("{name} cannot be read: {error}")))?.len();
    if size > LARGEST {
        return Err(wrong(format!("{name} is larger than a report can be")));
    }
    let bytes = std::fs::read(file).map_err(|error| wrong(format!("{name} cannot be read: {error}")))?;
    parse(&bytes).map_err(|why| wrong(format!("{name} is not a report: {why}")))
}

fn parse(bytes: &[u8]) -> Result<Read, String> {
    let version: WireVersion = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    if version.version != VERSION {
        return Err(format!("its version is {}, expected {VERSION}", version.version));
    }
    let mut wire: WireReport = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let inputs = wire.services.iter_mut().filter_map(|service| Some((service.name.clone(), service.inputs.take()?)));
    Ok(Read { inputs: inputs.collect(), report: wire.into() })
}

impl From<WireReport> for CheckReport {
    fn from(wire: WireReport) -> Self {
        let services = wire.services.into_iter().map(|service| (service.name.clone(), service.into())).collect();
        Self {
            engine: wire.engine.map(|engine| format!("PostgreSQL {}", engine.version)),
            scope: wire.scope,
            errors: wire.errors.into_iter().map(sentence).collect(),
            services,
            findings: wire.findings.into_iter().map(Finding::from).collect(),
            accepted: wire.accepted.into_iter().map(Accepted::from).collect(),
        }
    }
}

impl From<WireService> for ServiceVerdict {
    fn from(wire: WireService) -> Self {
        let status = match wire.status {
            ServiceStatus::Checked => Status::Checked,
            ServiceStatus::Unknown => Status::Unknown,
            ServiceStatus::NotChecked => Status::NotChecked,
        };
        Self { status, reason: wire.reason, provenance: wire.provenance.map(origins), outdated: None }
    }
}

/// What the report says about migrations; where they are merged and live is for others to add.
fn origins(wire: provenance::Provenance) -> Provenance {
    let files: Vec<Arc<str>> = wire.migrations.iter().map(|one| Arc::from(one.file.as_str())).collect();
    let mut known = Provenance::of(wire.migrations.into_iter().map(migration).collect());
    for object in wire.objects {
        let file = object.file.map(Arc::from).or_else(|| files.get(object.migration?).cloned());
        let at = file.zip(object.line).map(|(file, line)| Location::new(file, line, object.column.unwrap_or(1)));
        // In a schema of another name it is the schema that is called differently.
        let other = object.replayed.and_then(|replayed| replayed.path.last().cloned());
        let other = other.filter(|name| object.path.last() != Some(name)).map(|name| name.as_str().to_owned());
        let path = ObjectPath::new(object.kind, object.path);
        known.add(&path, Made { migration: object.migration, at, other_name: other });
    }
    known
}

fn migration(wire: provenance::MigrationFile) -> Migration {
    Migration {
        version: wire.version,
        description: wire.description,
        script: wire.script,
        kind: match wire.kind {
            provenance::Kind::Versioned => MigrationKind::Versioned,
            provenance::Kind::Repeatable => MigrationKind::Repeatable,
            provenance::Kind::Baseline => MigrationKind::Baseline,
        },
        file: wire.file,
        checksum: wire.checksum,
        merged: Merged::Unknown,
        live: Vec::new(),
    }
}

fn sentence(error: WireError) -> String {
    match error.location {
        Some(at) => format!("{}:{}:{}: {}", at.file, at.line, at.column, error.message),
        None => error.message,
    }
}

impl From<WireFinding> for Finding {
    fn from(wire: WireFinding) -> Self {
        let at = |side| {
            let place = wire.locations.iter().find(|place| place.side == side)?;
            Some(Location::new(place.at.file.as_str(), place.at.line, place.at.column))
        };
        let (intent_at, migration_at) = (at(Side::Intent), at(Side::Migrations));
        Self {
            rule: wire.rule,
            severity: wire.severity,
            service: wire.service,
            object: ObjectPath::new(wire.kind, wire.path),
            state: wire.state,
            message: wire.message,
            help: wire.help,
            declared: wire.declared,
            found: wire.found,
            intent_at,
            migration_at,
            fix: wire.fix.map(|fix| fix.sql),
            // Only fingerprints ask, and those of a report stand in it.
            in_own_schema: false,
        }
    }
}

impl From<WireAccepted> for Accepted {
    fn from(wire: WireAccepted) -> Self {
        Self { finding: wire.finding.into(), by: wire.by, reason: wire.reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{json, sample};

    #[test]
    fn what_check_prints_is_read_back() {
        for report in [sample::small(), sample::large(), sample::hostile(), crate::report::Report::default()] {
            let read = parse(json::render(&report).as_bytes()).unwrap().report;
            let sorted: Vec<Finding> = crate::report::sorted(&report.findings).into_iter().cloned().collect();
            assert_eq!(read.findings, sorted);
            assert_eq!(read.accepted.len(), report.accepted.len());
            assert_eq!(read.services.len(), report.services.len());
            assert_eq!(read.errors.len(), report.errors.len());
            assert_eq!(read.engine.is_some(), report.engine.is_some());
        }
    }

    #[test]
    fn what_made_what_is_read_back() {
        let Read { report: read, inputs } = parse(json::render(&sample::small()).as_bytes()).unwrap();
        assert_eq!(inputs.keys().collect::<Vec<_>>(), ["svc-check-in"]);
        let known = read.services["svc-check-in"].provenance.as_ref().unwrap();
        let [only] = known.migrations.as_slice() else { panic!("{known:?}") };
        assert_eq!((only.version.as_deref(), only.checksum), (Some("1"), Some(-1_839_273_421)));
        assert!(read.services["svc-payments"].provenance.is_none());
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        let report = json::render(&sample::small());
        for (text, why) in [
            ("{}".to_owned(), "version"),
            ("[".to_owned(), "EOF"),
            (report.replacen("\"version\": 1", "\"version\": 2", 1), "expected 1"),
            (report.replace("\"services\": [", "\"servants\": ["), "services"),
        ] {
            assert!(parse(text.as_bytes()).unwrap_err().contains(why), "{why}");
        }
    }
}
