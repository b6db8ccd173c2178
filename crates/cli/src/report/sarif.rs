//! SARIF 2.1.0, for code scanning.
//!
//! What counts is a result; what is accepted is a result with a suppression, so that viewers can show it struck out.
//! Fingerprints are ours: they survive moved lines.

use std::collections::BTreeMap;

use serde::Serialize;
use trueup_model::finding::{Finding, Severity};
use trueup_model::location::Location;
use trueup_model::rule::Rule;

use super::{Accepted, AcceptedBy, InputError, Report, sorted, sorted_accepted};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// Where the explanations of the rules are published.
const RULES_PAGE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/reference/rules.md");

/// Renders the report as a SARIF log with one run.
pub fn render(report: &Report) -> String {
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [Run::of(report)] };
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    column_kind: &'static str,
    invocations: [Invocation<'a>; 1],
    results: Vec<ResultOf<'a>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: &'static str,
    information_uri: &'static str,
    rules: Vec<Descriptor>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: &'static str,
    short_description: Message<'static>,
    full_description: Message<'static>,
    help: Message<'static>,
    help_uri: String,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation<'a> {
    execution_successful: bool,
    exit_code: u8,
    tool_execution_notifications: Vec<Notification<'a>>,
}

#[derive(Serialize)]
struct Notification<'a> {
    level: &'static str,
    message: Message<'a>,
    locations: Vec<Place>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultOf<'a> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: OwnedMessage,
    locations: Vec<Place>,
    related_locations: Vec<Place>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    baseline_state: Option<&'static str>,
    suppressions: Vec<Suppression<'a>>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
struct OwnedMessage {
    text: String,
}

#[derive(Serialize)]
struct Properties<'a> {
    service: &'a str,
    object: String,
    state: trueup_model::finding::State,
}

#[derive(Serialize)]
struct Suppression<'a> {
    kind: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'static>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
}

impl<'a> Run<'a> {
    fn of(report: &'a Report) -> Self {
        let baseline = report.baseline.is_some();
        let counted = sorted(&report.findings).into_iter().map(|f| ResultOf::of(f, baseline.then_some("new"), vec![]));
        let accepted = sorted_accepted(&report.accepted).into_iter().map(ResultOf::accepted);
        let driver = Driver {
            name: "trueup",
            version: env!("CARGO_PKG_VERSION"),
            information_uri: env!("CARGO_PKG_REPOSITORY"),
            rules: Rule::ALL.iter().map(|&rule| Descriptor::of(rule)).collect(),
        };
        let invocation = Invocation {
            execution_successful: report.errors.is_empty(),
            exit_code: report.exit_code(),
            tool_execution_notifications: report.errors.iter().map(Notification::of).collect(),
        };
        Self {
            tool: Tool { driver },
            column_kind: "unicodeCodePoints",
            invocations: [invocation],
            results: counted.chain(accepted).collect(),
        }
    }
}

impl Descriptor {
    fn of(rule: Rule) -> Self {
        let info = rule.info();
        Self {
            id: info.name,
            short_description: Message { text: info.summary },
            full_description: Message { text: info.explanation },
            help: Message { text: info.explanation },
            help_uri: format!("{RULES_PAGE}#{}", info.name),
            default_configuration: Configuration { level: level(info.severity) },
        }
    }
}

impl<'a> Notification<'a> {
    fn of(error: &'a InputError) -> Self {
        let locations = error.location.iter().map(|at| Place::of(at, None, None)).collect();
        Self { level: "error", message: Message { text: &error.message }, locations }
    }
}

impl<'a> ResultOf<'a> {
    fn of(finding: &'a Finding, baseline_state: Option<&'static str>, suppressions: Vec<Suppression<'a>>) -> Self {
        // The intent's line is the place to look at; where it has none, the migration's.
        let mut places = finding.locations();
        let main = places.next().map(|at| Place::of(at, None, None));
        let related = places.map(|at| Place::of(at, Some(1), Some("what the migrations say")));
        Self {
            rule_id: finding.rule.name(),
            rule_index: Rule::ALL.iter().position(|rule| *rule == finding.rule).unwrap_or_default(),
            level: level(finding.severity),
            message: OwnedMessage { text: sentence(finding) },
            locations: main.into_iter().collect(),
            related_locations: related.collect(),
            partial_fingerprints: BTreeMap::from([("trueup/v1", finding.fingerprint())]),
            baseline_state,
            suppressions,
            properties: Properties {
                service: &finding.service,
                object: finding.object.to_string(),
                state: finding.state,
            },
        }
    }

    fn accepted(accepted: &'a Accepted) -> Self {
        let suppression =
            Suppression { kind: "external", status: "accepted", justification: accepted.reason.as_deref() };
        let known = (accepted.by == AcceptedBy::Baseline).then_some("unchanged");
        Self::of(&accepted.finding, known, vec![suppression])
    }
}

/// What is the case and what to do next, as one text. Brackets are escaped: SARIF reads `[x](y)` as a link.
fn sentence(finding: &Finding) -> String {
    let said = if finding.message.is_empty() { finding.rule.info().summary } else { &finding.message };
    let service = if finding.service.is_empty() { String::new() } else { format!("{}: ", finding.service) };
    let help = if finding.help.is_empty() { String::new() } else { format!("\n{}", finding.help) };
    let text = format!("{service}{said}{help}");
    text.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]")
}

impl Place {
    fn of(at: &Location, id: Option<u32>, message: Option<&'static str>) -> Self {
        Self {
            id,
            physical_location: Physical {
                artifact_location: Artifact { uri: uri(&at.file), uri_base_id: "%SRCROOT%" },
                region: Region { start_line: small(at.line), start_column: small(at.column) },
            },
            message: message.map(|text| Message { text }),
        }
    }
}

/// SARIF's numbers are signed 32-bit in many readers.
fn small(n: u32) -> u32 {
    n.clamp(1, i32::MAX.unsigned_abs())
}

/// A relative path as a URI reference: everything but unreserved characters and `/` is percent-encoded.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::sample;

    fn rendered(report: &Report) -> Value {
        serde_json::from_str(&render(report)).unwrap()
    }

    fn problems(values: &[Value]) -> Vec<String> {
        let schema: Value = serde_json::from_str(include_str!("../../tests/data/sarif-2.1.0.schema.json")).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let all = values.iter().flat_map(|value| validator.iter_errors(value));
        all.map(|error| format!("{}: {error}", error.instance_path())).collect()
    }

    #[test]
    fn every_report_is_valid_by_the_published_schema() {
        let reports = [sample::small(), sample::large(), sample::hostile(), Report::default()];
        let values: Vec<Value> = reports.iter().map(rendered).collect();
        assert_eq!(problems(&values), Vec::<String>::new());
        let mut wrong = rendered(&sample::small());
        wrong["runs"][0]["results"][0]["level"] = "fatal".into();
        assert!(!problems(&[wrong]).is_empty());
    }

    #[test]
    fn every_result_names_its_rule_and_carries_its_fingerprint() {
        let report = sample::large();
        let value = rendered(&report);
        let run = &value["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), report.findings.len());
        for (result, finding) in results.iter().zip(sorted(&report.findings)) {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
            assert_eq!(result["partialFingerprints"]["trueup/v1"], Value::from(finding.fingerprint()));
        }
    }

    #[test]
    fn accepted_findings_are_suppressed_with_their_reason() {
        let value = rendered(&sample::small());
        let results = value["runs"][0]["results"].as_array().unwrap();
        let last = results.last().unwrap();
        assert_eq!(last["suppressions"][0]["justification"], "prose for the portal");
        assert_eq!((&last["baselineState"], &results[0]["baselineState"]), (&"unchanged".into(), &"new".into()));
    }

    #[test]
    fn paths_are_uris_and_brackets_no_links() {
        assert_eq!(uri("a b/ü#?[x].sql"), "a%20b/%C3%BC%23%3F%5Bx%5D.sql");
        let finding = sample::small().findings.remove(0).message("see [this](http://evil)");
        assert!(sentence(&finding).contains(r"see \[this\](http://evil)"));
    }

    #[test]
    fn small_report() {
        let mut value = rendered(&sample::small());
        value["runs"][0]["tool"]["driver"]["rules"].as_array_mut().unwrap().truncate(2);
        insta::assert_json_snapshot!(value, {".runs[0].tool.driver.version" => "[version]"});
    }
}
