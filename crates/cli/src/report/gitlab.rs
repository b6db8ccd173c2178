//! GitLab's code quality report: a JSON list of issues.

use std::collections::BTreeMap;

use serde::Serialize;
use trueup_model::finding::{Finding, Severity};
use trueup_model::location::Location;

use super::text::clean;
use super::{Report, sorted};

/// Columns of a description.
const LONGEST: usize = 1_000;

/// Renders what counts; what is accepted is left out, as GitLab would show it as new.
pub fn render(report: &Report) -> String {
    let mut issues: Vec<Issue> = report.errors.iter().map(Issue::of_error).collect();
    issues.extend(sorted(&report.findings).into_iter().map(Issue::of));
    number_doubles(&mut issues);
    let mut text = serde_json::to_string_pretty(&issues).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Place,
}

#[derive(Serialize)]
struct Place {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

impl Issue {
    fn of(finding: &Finding) -> Self {
        let said = if finding.message.is_empty() { finding.rule.info().summary } else { &finding.message };
        let service = if finding.service.is_empty() { String::new() } else { format!("{}: ", finding.service) };
        Self {
            description: clean(&format!("{service}{said}"), LONGEST),
            check_name: finding.rule.name().to_owned(),
            fingerprint: finding.fingerprint(),
            severity: match finding.severity {
                Severity::Info => "info",
                Severity::Warning => "minor",
                Severity::Error => "major",
            },
            location: Place::of(finding.locations().next()),
        }
    }

    fn of_error(error: &super::InputError) -> Self {
        let place = error.location.as_ref().map(ToString::to_string).unwrap_or_default();
        Self {
            description: clean(&error.message, LONGEST),
            check_name: "input-error".to_owned(),
            fingerprint: blake3::hash(format!("{place}:{}", error.message).as_bytes()).to_hex()[..32].to_owned(),
            severity: "blocker",
            location: Place::of(error.location.as_ref()),
        }
    }
}

impl Place {
    /// GitLab wants a path and a line; what has neither is about the project.
    fn of(at: Option<&Location>) -> Self {
        at.map_or_else(
            || Self { path: ".".to_owned(), lines: Lines { begin: 1 } },
            |at| Self { path: at.file.to_string(), lines: Lines { begin: at.line } },
        )
    }
}

/// GitLab drops issues whose fingerprint it has seen: equal ones are numbered.
fn number_doubles(issues: &mut [Issue]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for issue in issues {
        let times = seen.entry(issue.fingerprint.clone()).or_default();
        *times += 1;
        if *times > 1 {
            issue.fingerprint = format!("{}-{times}", issue.fingerprint);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;
    use crate::report::sample;

    /// The fields that GitLab's documentation requires.
    fn schema() -> Value {
        let text = json!({"type": "string", "minLength": 1});
        json!({"type": "array", "items": {
        "type": "object", "additionalProperties": false,
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": text, "check_name": text, "fingerprint": text,
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {"type": "object", "required": ["path", "lines"], "properties": {
                "path": text,
                "lines": {"type": "object", "required": ["begin"], "properties": {
                    "begin": {"type": "integer", "minimum": 1}}}}},
        }}})
    }

    #[test]
    fn every_report_has_the_fields_gitlab_requires() {
        for report in [sample::small(), sample::large(), sample::hostile(), Report::default()] {
            let value: Value = serde_json::from_str(&render(&report)).unwrap();
            jsonschema::validate(&schema(), &value).unwrap();
            let issues = value.as_array().unwrap();
            assert_eq!(issues.len(), report.findings.len() + report.errors.len());
        }
    }

    #[test]
    fn equal_findings_keep_apart() {
        let mut report = sample::small();
        report.findings.push(report.findings[0].clone());
        let value: Value = serde_json::from_str(&render(&report)).unwrap();
        let prints: BTreeSet<&str> =
            value.as_array().unwrap().iter().map(|issue| issue["fingerprint"].as_str().unwrap()).collect();
        assert_eq!(prints.len(), report.findings.len());
    }

    #[test]
    fn small_report() {
        insta::assert_snapshot!(render(&sample::small()));
    }
}
