//! The JSON report: a contract, version 1, described by [`json_schema`].

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::value::RawValue;
use trueup_model::finding::{Finding, ObjectKind, Severity, State};
use trueup_model::location::Location;

use super::summary::{Counts, Summary};
use super::{Accepted, AcceptedBy, InputError, Report, ServiceReport, ServiceStatus, sorted, sorted_accepted};
use crate::baseline::Entry;
use crate::check::digest::InputDigest;

mod schema;

pub use schema::json_schema;

/// The version of the contract.
pub const VERSION: u32 = 1;

/// Renders the report as indented JSON with a line feed at the end.
pub fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(&WireReport::of(report)).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
struct WireReport<'a> {
    version: u32,
    engine: Option<WireEngine<'a>>,
    scope: Option<&'a str>,
    baseline: Option<&'a str>,
    elapsed_ms: u64,
    summary: WireSummary,
    services: Vec<WireService<'a>>,
    errors: Vec<WireError<'a>>,
    notes: &'a [String],
    findings: Vec<WireFinding<'a>>,
    accepted: Vec<WireAccepted<'a>>,
    resolved: &'a [Entry],
}

#[derive(Serialize)]
struct WireEngine<'a> {
    kind: &'a str,
    version: &'a str,
    major: u16,
    chosen: &'a str,
}

#[derive(Serialize)]
struct WireSummary {
    exit_code: u8,
    findings: usize,
    unknown: usize,
    accepted: usize,
    accepted_unknown: usize,
    resolved: usize,
    errors: usize,
    switched_off: usize,
    by_rule: BTreeMap<&'static str, usize>,
    by_severity: BTreeMap<Severity, usize>,
    by_state: BTreeMap<State, usize>,
    services: BTreeMap<ServiceStatus, usize>,
}

#[derive(Serialize)]
struct WireService<'a> {
    name: &'a str,
    status: ServiceStatus,
    engine: &'a str,
    reason: Option<&'a str>,
    findings: usize,
    accepted: usize,
    compared: WireCompared,
    elapsed_ms: u64,
    cached: bool,
    provenance: Option<&'a RawValue>,
    inputs: Option<&'a InputDigest>,
}

#[derive(Serialize)]
struct WireCompared {
    tables: usize,
    columns: usize,
    indexes: usize,
}

#[derive(Serialize)]
struct WireError<'a> {
    message: &'a str,
    help: &'a str,
    location: Option<WireLocation<'a>>,
}

#[derive(Serialize)]
struct WireLocation<'a> {
    file: &'a str,
    line: u32,
    column: u32,
}

#[derive(Serialize)]
struct WireFinding<'a> {
    rule: &'static str,
    severity: Severity,
    service: &'a str,
    object: String,
    state: State,
    kind: ObjectKind,
    path: Vec<&'a str>,
    fingerprint: String,
    message: &'a str,
    help: &'a str,
    declared: &'a str,
    found: &'a str,
    locations: Vec<WireSide<'a>>,
    fix: Option<WireFix<'a>>,
}

/// A location, and which side it is on.
#[derive(Serialize)]
struct WireSide<'a> {
    side: &'static str,
    #[serde(flatten)]
    at: WireLocation<'a>,
}

#[derive(Serialize)]
struct WireFix<'a> {
    sql: &'a str,
}

#[derive(Serialize)]
struct WireAccepted<'a> {
    #[serde(flatten)]
    finding: WireFinding<'a>,
    by: AcceptedBy,
    reason: Option<&'a str>,
}

impl<'a> WireReport<'a> {
    fn of(report: &'a Report) -> Self {
        let summary = Summary::of(report);
        let counts = summary.rows.iter().map(|row| (row.name, &row.counts)).collect();
        let mut services: Vec<WireService<'a>> =
            report.services.iter().map(|service| WireService::of(service, &counts)).collect();
        services.sort_by_key(|service| service.name);
        Self {
            version: VERSION,
            engine: report.engine.as_ref().map(|engine| WireEngine {
                kind: &engine.kind,
                version: &engine.version,
                major: engine.major,
                chosen: &engine.chosen,
            }),
            scope: report.scope.as_deref(),
            baseline: report.baseline.as_deref(),
            elapsed_ms: millis(report.elapsed),
            summary: WireSummary::of(report, &summary),
            services,
            errors: report.errors.iter().map(WireError::of).collect(),
            notes: &report.notes,
            findings: sorted(&report.findings).into_iter().map(WireFinding::of).collect(),
            accepted: sorted_accepted(&report.accepted).into_iter().map(WireAccepted::of).collect(),
            resolved: &report.resolved,
        }
    }
}

impl WireSummary {
    fn of(report: &Report, summary: &Summary<'_>) -> Self {
        let total = &summary.total;
        let statuses = [ServiceStatus::Checked, ServiceStatus::Unknown, ServiceStatus::NotChecked];
        Self {
            exit_code: report.exit_code(),
            findings: total.findings,
            unknown: total.unknown(),
            accepted: total.accepted,
            accepted_unknown: total.accepted_unknown,
            resolved: report.resolved.len(),
            errors: report.errors.len(),
            switched_off: report.switched_off,
            by_rule: total.by_rule.iter().map(|(rule, n)| (rule.name(), *n)).collect(),
            by_severity: total.by_severity.clone(),
            by_state: total.by_state.clone(),
            services: statuses.into_iter().map(|status| (status, summary.services(status))).collect(),
        }
    }
}

impl<'a> WireService<'a> {
    fn of(service: &'a ServiceReport, counts: &BTreeMap<&str, &Counts>) -> Self {
        let counts = counts.get(service.name.as_str());
        Self {
            name: &service.name,
            status: service.status,
            engine: &service.engine,
            reason: service.reason.as_deref(),
            findings: counts.map_or(0, |counts| counts.findings),
            accepted: counts.map_or(0, |counts| counts.accepted),
            compared: WireCompared { tables: service.tables, columns: service.columns, indexes: service.indexes },
            elapsed_ms: millis(service.elapsed),
            cached: service.cached,
            provenance: service.provenance.as_deref(),
            inputs: service.inputs.as_ref(),
        }
    }
}

impl<'a> WireError<'a> {
    fn of(error: &'a InputError) -> Self {
        Self { message: &error.message, help: &error.help, location: error.location.as_ref().map(WireLocation::of) }
    }
}

impl<'a> WireLocation<'a> {
    fn of(at: &'a Location) -> Self {
        Self { file: &at.file, line: at.line, column: at.column }
    }
}

impl<'a> WireFinding<'a> {
    fn of(finding: &'a Finding) -> Self {
        let side = |side, at: &'a Option<Location>| at.as_ref().map(|at| WireSide { side, at: WireLocation::of(at) });
        let sides = [side("intent", &finding.intent_at), side("migrations", &finding.migration_at)];
        Self {
            rule: finding.rule.name(),
            severity: finding.severity,
            service: &finding.service,
            object: finding.object.to_string(),
            state: finding.state,
            kind: finding.object.kind,
            path: finding.object.path.iter().map(trueup_model::name::Identifier::as_str).collect(),
            fingerprint: finding.fingerprint(),
            message: &finding.message,
            help: &finding.help,
            declared: &finding.declared,
            found: &finding.found,
            locations: sides.into_iter().flatten().collect(),
            fix: finding.fix.as_deref().map(|sql| WireFix { sql }),
        }
    }
}

impl<'a> WireAccepted<'a> {
    fn of(accepted: &'a Accepted) -> Self {
        Self { finding: WireFinding::of(&accepted.finding), by: accepted.by, reason: accepted.reason.as_deref() }
    }
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::sample;

    fn rendered(report: &Report) -> Value {
        serde_json::from_str(&render(report)).unwrap()
    }

    fn problems(value: &Value) -> Vec<String> {
        let validator = jsonschema::validator_for(&json_schema()).unwrap();
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[test]
    fn every_report_keeps_the_contract() {
        for report in [sample::small(), sample::large(), sample::hostile(), Report::default()] {
            assert_eq!(problems(&rendered(&report)), Vec::<String>::new());
        }
    }

    #[test]
    fn the_schema_refuses_what_is_not_in_the_contract() {
        for (pointer, wrong) in [
            ("/version", Value::from(2)),
            ("/findings/0/rule", "no-such-rule".into()),
            ("/findings/0/fingerprint", "short".into()),
            ("/findings/0/locations/0/line", 0.into()),
            ("/services/0/status", "fine".into()),
            ("/services/0/provenance", serde_json::json!({"migrations": []})),
            ("/services/0/provenance/objects/0/kind", "no-such-kind".into()),
            ("/services/0/provenance/objects/1/migration", (-1).into()),
            ("/services/0/provenance/migrations/0/kind", "undone".into()),
            ("/services/0/inputs/declared", "0".repeat(63).into()),
            ("/summary/by_severity", serde_json::json!({"fatal": 1})),
            ("/accepted/0", serde_json::json!({})),
        ] {
            let mut value = rendered(&sample::small());
            *value.pointer_mut(pointer).unwrap() = wrong;
            assert!(!problems(&value).is_empty(), "{pointer} is not checked");
        }
        let mut value = rendered(&sample::small());
        value["findings"][0]["extra"] = Value::Null;
        assert!(!problems(&value).is_empty(), "unknown fields are not checked");
    }

    #[test]
    fn the_order_of_findings_does_not_matter() {
        let report = sample::large();
        let mut turned = report.clone();
        turned.findings.reverse();
        turned.services.reverse();
        assert_eq!(render(&report), render(&turned));
    }

    #[test]
    fn names_are_given_raw() {
        let value = rendered(&sample::hostile());
        let services: Vec<&str> =
            value["findings"].as_array().unwrap().iter().map(|finding| finding["service"].as_str().unwrap()).collect();
        assert!(services.contains(&"\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m"));
    }

    #[test]
    fn small_report() {
        insta::assert_snapshot!(render(&sample::small()));
    }

    /// The published copy. `TRUEUP_UPDATE_DOCS=1 cargo test -p trueup` rewrites it.
    #[test]
    fn the_published_schema_is_current() {
        crate::docs::assert_current("docs/reference/report.schema.json", &(format!("{:#}", json_schema()) + "\n"));
    }
}
