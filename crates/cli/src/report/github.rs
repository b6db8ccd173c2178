//! Annotations for GitHub Actions: workflow commands on standard output.
//!
//! GitHub shows ten of each kind a step and drops the rest without a word, so no more are written, worst first, and a
//! last line says how many there are in all.

use std::fmt::Write as _;

use trueup_model::finding::{Finding, Severity, State};
use trueup_model::location::Location;

use super::summary::Summary;
use super::text::{clean, count};
use super::{Report, sorted};

/// Annotations of each kind that GitHub shows for one step.
const SHOWN: usize = 10;
/// Columns of one message.
const LONGEST: usize = 1_000;

/// Renders the annotations and one closing line.
pub fn render(report: &Report) -> String {
    let mut out = String::new();
    let errors = report.errors.iter().map(|error| Annotation {
        kind: "error",
        at: error.location.as_ref(),
        title: "trueup: input error".to_owned(),
        message: joined(&[&error.message, &error.help]),
    });
    let mut all: Vec<Annotation<'_>> = errors.chain(worst_first(report).into_iter().map(Annotation::of)).collect();
    for kind in ["error", "warning", "notice"] {
        let (of_kind, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(|annotation| annotation.kind == kind);
        of_kind.iter().take(SHOWN).for_each(|annotation| annotation.write(&mut out));
        all = rest;
    }
    out.push_str(&closing(report));
    out
}

/// Errors before warnings; inside each what is known before what is not.
fn worst_first(report: &Report) -> Vec<&Finding> {
    let mut findings = sorted(&report.findings);
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.state == State::Unknown));
    findings
}

fn closing(report: &Report) -> String {
    let summary = Summary::of(report);
    let (total, errors) = (&summary.total, report.errors.len());
    let findings = count(total.findings, "finding");
    let services = count(report.services.len(), "service");
    let unknown = format!("{} of them unknown, {} accepted", total.unknown(), total.accepted);
    format!("trueup: {findings} in {services}, {unknown}; {}\n", count(errors, "input error"))
}

/// One workflow command.
struct Annotation<'a> {
    kind: &'static str,
    at: Option<&'a Location>,
    title: String,
    message: String,
}

impl<'a> Annotation<'a> {
    fn of(finding: &'a Finding) -> Self {
        let kind = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let other = finding.migration_at.as_ref().filter(|_| finding.intent_at.is_some());
        let other = other.map_or_else(String::new, |at| format!("The other side: {at}"));
        Self {
            kind,
            at: finding.locations().next(),
            title: format!("{} {}", finding.rule, clean(&finding.object.to_string(), 100)),
            message: joined(&[&finding.service, &finding.message, &finding.help, &other]),
        }
    }

    fn write(&self, out: &mut String) {
        let mut properties: Vec<String> = Vec::new();
        if let Some(at) = self.at {
            properties.push(format!("file={}", property(&at.file)));
            properties.push(format!("line={},col={}", at.line, at.column));
        }
        properties.push(format!("title={}", property(&clean(&self.title, 200))));
        let _ = writeln!(out, "::{} {}::{}", self.kind, properties.join(","), data(&self.message));
    }
}

/// Cleaned parts, one a line.
fn joined(parts: &[&str]) -> String {
    let said = parts.iter().filter(|part| !part.is_empty()).map(|part| clean(part, LONGEST));
    said.collect::<Vec<_>>().join("\n")
}

/// The message of a command: what would end the line or look like an escape is escaped.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property: what would end the value as well.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn small_report() {
        insta::assert_snapshot!(render(&sample::small()));
    }

    #[test]
    fn no_more_than_github_shows_and_the_rest_is_counted() {
        let page = render(&sample::large());
        for kind in ["error", "warning"] {
            assert_eq!(page.matches(&format!("::{kind} ")).count(), SHOWN, "{kind}");
        }
        assert_eq!(
            page.lines().last(),
            Some("trueup: 699 findings in 22 services, 5 of them unknown, 0 accepted; 0 input errors")
        );
    }

    #[test]
    fn no_text_becomes_a_command_of_its_own() {
        let report = sample::hostile();
        let page = render(&report);
        for line in page.lines().filter(|line| !line.starts_with("trueup: ")) {
            let (head, _) = line.strip_prefix("::").and_then(|line| line.split_once("::")).expect("a command");
            let (kind, properties) = head.split_once(' ').unwrap();
            assert!(["error", "warning", "notice"].contains(&kind), "{line}");
            let names: Vec<&str> = properties.split(',').map(|part| part.split_once('=').unwrap().0).collect();
            assert!(names == ["file", "line", "col", "title"] || names == ["title"], "{line}");
        }
        assert!(page.contains("%25"));
        assert!(!page.contains("\n::stop-commands") && !page.contains("\r"));
    }
}
