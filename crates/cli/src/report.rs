//! What one run of `trueup check` found, and the formats it is shown in.
//!
//! [`Report`] is a plain value. Each renderer is a pure function from it to text with wire types of its own, and none
//! of them relies on the order in which findings arrive.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trueup_model::finding::{Finding, State};
use trueup_model::location::Location;

use crate::baseline::Entry;
use crate::check::digest::InputDigest;

pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod provenance;
pub mod sarif;
pub mod summary;
pub mod text;

#[cfg(test)]
pub(crate) mod sample;

/// Everything one run has to say.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The PostgreSQL that judged; `None` when the run never got one.
    pub engine: Option<EngineInfo>,
    /// One entry a service, in any order.
    pub services: Vec<ServiceReport>,
    /// The findings that count.
    pub findings: Vec<Finding>,
    /// The findings that are accepted, with who accepted them.
    pub accepted: Vec<Accepted>,
    /// Baseline entries of checked services that no longer occur.
    pub resolved: Vec<Entry>,
    /// Inputs that could not be read, and what made the run fail.
    pub errors: Vec<InputError>,
    /// Things the reader should know about the run itself: expired ignores, services left aside.
    pub notes: Vec<String>,
    /// How many findings the settings switched off (`RULE = "off"`).
    pub switched_off: usize,
    /// The baseline file that was compared with, relative to the project root.
    pub baseline: Option<String>,
    /// What the run was limited to, for example `what changed since origin/main` or `svc-check-in`; `None` when
    /// everything was looked at.
    pub scope: Option<String>,
    /// Wall time of the whole run.
    pub elapsed: Duration,
}

/// The disposable PostgreSQL of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineInfo {
    /// `scratch-url`, `native` or `bundled`.
    pub kind: String,
    /// As the server says it, for example `15.14`.
    pub version: String,
    /// The major version.
    pub major: u16,
    /// Why this one, for example `found in /usr/lib/postgresql/15/bin`.
    pub chosen: String,
}

/// Whether a service was compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceStatus {
    /// Compared; what was not understood in it is among its findings.
    Checked,
    /// Could not be compared.
    Unknown,
    /// Deliberately not compared, for example because its engine is not PostgreSQL.
    NotChecked,
}

/// What happened to one service.
#[derive(Clone, Debug)]
pub struct ServiceReport {
    /// Its name in the intent, or the folder of its migrations.
    pub name: String,
    /// Whether it was compared.
    pub status: ServiceStatus,
    /// `engine` as declared; empty when the YAML gives none.
    pub engine: String,
    /// Why it was not compared.
    pub reason: Option<String>,
    /// Tables compared.
    pub tables: usize,
    /// Columns compared.
    pub columns: usize,
    /// Indexes compared.
    pub indexes: usize,
    /// Time spent on it.
    pub elapsed: Duration,
    /// Whether the answer came from the cache.
    pub cached: bool,
    /// Its migrations and what each made, as [`provenance::Provenance`] in JSON; none unless it was compared.
    pub provenance: Option<Box<RawValue>>,
    /// What it was compared from; none for a folder that no service claims, or when a file could not be read.
    pub inputs: Option<InputDigest>,
}

impl ServiceReport {
    /// A service with nothing counted yet.
    pub fn new(name: impl Into<String>, status: ServiceStatus) -> Self {
        Self {
            name: name.into(),
            status,
            engine: String::new(),
            reason: None,
            tables: 0,
            columns: 0,
            indexes: 0,
            elapsed: Duration::ZERO,
            cached: false,
            provenance: None,
            inputs: None,
        }
    }
}

/// A finding that does not count, because somebody said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The finding as it would have counted.
    pub finding: Finding,
    /// Who accepted it.
    pub by: AcceptedBy,
    /// Why; always there for unknowns.
    pub reason: Option<String>,
}

/// Where a finding was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AcceptedBy {
    /// An entry of the baseline file.
    Baseline,
    /// `[[ignore]]` in trueup.toml, or `ignore` in the YAML.
    Ignore,
}

/// An input that could not be read, or a reason why the run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// Where, when it is about a file.
    pub location: Option<Location>,
    /// What is wrong.
    pub message: String,
    /// What to do next; may be empty.
    pub help: String,
}

impl InputError {
    /// An error at a place in a file.
    pub fn at(location: Location, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { location: Some(location), message: message.into(), help: help.into() }
    }
}

impl Report {
    /// 2 when an input cannot be read or the run failed; else 1 when a finding counts; else 2 when something is
    /// unknown; else 0 (intent-dialect, ruling 13). A finding of any severity counts.
    pub fn exit_code(&self) -> u8 {
        if !self.errors.is_empty() {
            return 2;
        }
        if self.findings.iter().any(|finding| finding.state != State::Unknown) {
            return 1;
        }
        if self.has_unknown() { 2 } else { 0 }
    }

    /// Whether something is unknown and nobody accepted it with a reason.
    fn has_unknown(&self) -> bool {
        self.findings.iter().any(|finding| finding.state == State::Unknown)
            || self.accepted.iter().any(|accepted| accepted.finding.state == State::Unknown && !accepted.has_reason())
            || self.services.iter().any(|service| self.is_unexplained(service))
    }

    /// Whether a service is unknown without an accepted finding that says why.
    fn is_unexplained(&self, service: &ServiceReport) -> bool {
        let explains =
            |accepted: &Accepted| accepted.finding.service == service.name && accepted.finding.state == State::Unknown;
        service.status == ServiceStatus::Unknown && !self.accepted.iter().any(explains)
    }
}

impl Accepted {
    /// Whether a reason is given that is more than blanks.
    pub fn has_reason(&self) -> bool {
        self.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty())
    }
}

/// The findings in the order every machine format uses: service, object, rule, then the rest, so that two runs over
/// the same input print the same bytes.
pub(crate) fn sorted(findings: &[Finding]) -> Vec<&Finding> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    sorted
}

/// The accepted findings in the same order as [`sorted`].
pub(crate) fn sorted_accepted(accepted: &[Accepted]) -> Vec<&Accepted> {
    let mut sorted: Vec<&Accepted> = accepted.iter().collect();
    sorted.sort_by(|a, b| sort_key(&a.finding).cmp(&sort_key(&b.finding)));
    sorted
}

/// Findings and accepted findings of each service, each list in the order of [`sorted`].
pub(crate) struct ByService<'a> {
    findings: BTreeMap<&'a str, Vec<&'a Finding>>,
    accepted: BTreeMap<&'a str, Vec<&'a Accepted>>,
}

impl<'a> ByService<'a> {
    /// Sorts and groups once; a report may hold a thousand services.
    pub(crate) fn of(report: &'a Report) -> Self {
        let mut grouped = Self { findings: BTreeMap::new(), accepted: BTreeMap::new() };
        for finding in sorted(&report.findings) {
            grouped.findings.entry(&finding.service).or_default().push(finding);
        }
        for accepted in sorted_accepted(&report.accepted) {
            grouped.accepted.entry(&accepted.finding.service).or_default().push(accepted);
        }
        grouped
    }

    /// The findings of a service that count.
    pub(crate) fn findings(&self, service: &str) -> &[&'a Finding] {
        self.findings.get(service).map_or(&[], Vec::as_slice)
    }

    /// The findings of a service that are accepted.
    pub(crate) fn accepted(&self, service: &str) -> &[&'a Accepted] {
        self.accepted.get(service).map_or(&[], Vec::as_slice)
    }
}

/// What [`sorted`] orders by.
fn sort_key(finding: &Finding) -> impl Ord + '_ {
    let object = (&finding.object.path, finding.object.kind);
    let places = (&finding.intent_at, &finding.migration_at);
    (&finding.service, object, finding.rule, places, &finding.declared, &finding.found, &finding.message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trueup_model::finding::ObjectPath;
    use trueup_model::rule::Rule;

    /// A rule that was accepted, and why.
    type Acceptance<'a> = (Rule, Option<&'a str>);

    fn report(findings: &[Rule], accepted: &[Acceptance<'_>]) -> Report {
        let finding = |rule| Finding::new(rule, "svc", ObjectPath::service());
        let accept = |&(rule, reason): &Acceptance<'_>| Accepted {
            finding: finding(rule),
            by: AcceptedBy::Baseline,
            reason: reason.map(str::to_owned),
        };
        Report {
            findings: findings.iter().map(|&rule| finding(rule)).collect(),
            accepted: accepted.iter().map(accept).collect(),
            services: vec![ServiceReport::new("svc", ServiceStatus::Checked)],
            ..Report::default()
        }
    }

    #[test]
    fn exit_codes_follow_the_ruling() {
        let (different, unknown) = (Rule::MissingTable, Rule::NotUnderstood);
        let table: [(&[Rule], &[Acceptance<'_>], u8); 8] = [
            (&[], &[], 0),
            (&[different], &[], 1),
            (&[Rule::IndexName], &[], 1),
            (&[unknown], &[], 2),
            (&[unknown, different], &[], 1),
            (&[], &[(different, None)], 0),
            (&[], &[(unknown, Some("prose"))], 0),
            (&[], &[(unknown, Some("  "))], 2),
        ];
        for (findings, accepted, expected) in table {
            assert_eq!(report(findings, accepted).exit_code(), expected, "{findings:?} {accepted:?}");
        }
    }

    #[test]
    fn an_unreadable_input_outranks_findings() {
        let mut report = report(&[Rule::MissingTable], &[]);
        report.errors.push(InputError::at(Location::new("a.yaml", 1, 1), "no", ""));
        assert_eq!(report.exit_code(), 2);
    }

    #[test]
    fn an_unknown_service_is_not_green_until_its_finding_is_accepted() {
        let mut silent = report(&[], &[]);
        silent.services[0].status = ServiceStatus::Unknown;
        assert_eq!(silent.exit_code(), 2);
        let mut accepted = report(&[], &[(Rule::ReplayFailed, Some("needs the Java migration"))]);
        accepted.services[0].status = ServiceStatus::Unknown;
        assert_eq!(accepted.exit_code(), 0);
        accepted.services[0].status = ServiceStatus::NotChecked;
        assert_eq!(accepted.exit_code(), 0);
    }
}
