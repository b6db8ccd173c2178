//! JUnit XML: one test suite a service, one test case a finding.
//!
//! A known difference is a failure, an unknown an error, an accepted finding is skipped with its reason; a service
//! without findings has one case that passes, or is skipped when it was not checked.

use std::fmt::Write as _;
use std::time::Duration;

use trueup_model::finding::{Finding, State};

use super::summary::{Row, Summary};
use super::{ByService, Report, ServiceStatus};

/// Renders the report as one `testsuites` document.
pub fn render(report: &Report) -> String {
    let (summary, grouped) = (Summary::of(report), ByService::of(report));
    let mut suites: Vec<Suite> = summary.rows.iter().map(|row| Suite::of(&grouped, row)).collect();
    suites.sort_by(|a, b| a.name.cmp(&b.name));
    if !report.errors.is_empty() {
        suites.insert(0, Suite::of_errors(report));
    }
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let total = suites.iter().fold(Tally::default(), |total, suite| total.plus(&Tally::of(&suite.cases)));
    let _ = writeln!(out, "<testsuites name=\"trueup\" {} time=\"{}\">", total.attributes(false), time(report.elapsed));
    suites.iter().for_each(|suite| suite.write(&mut out));
    out.push_str("</testsuites>\n");
    out
}

/// One service.
struct Suite {
    name: String,
    elapsed: Duration,
    cases: Vec<Case>,
}

/// One test case.
struct Case {
    name: String,
    /// File and line of the first place.
    place: Option<(String, u32)>,
    outcome: Outcome,
}

/// How a case ended.
enum Outcome {
    Passed,
    /// The reason.
    Skipped(String),
    /// Kind, message and text.
    Failed(String, String, String),
    /// Kind, message and text.
    Unknown(String, String, String),
}

#[derive(Default)]
struct Tally {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Tally {
    fn of(cases: &[Case]) -> Self {
        let count = |of: fn(&Outcome) -> bool| cases.iter().filter(|case| of(&case.outcome)).count();
        Self {
            tests: cases.len(),
            failures: count(|outcome| matches!(outcome, Outcome::Failed(..))),
            errors: count(|outcome| matches!(outcome, Outcome::Unknown(..))),
            skipped: count(|outcome| matches!(outcome, Outcome::Skipped(_))),
        }
    }

    fn plus(&self, other: &Self) -> Self {
        Self {
            tests: self.tests + other.tests,
            failures: self.failures + other.failures,
            errors: self.errors + other.errors,
            skipped: self.skipped + other.skipped,
        }
    }

    fn attributes(&self, with_skipped: bool) -> String {
        let Self { tests, failures, errors, skipped } = self;
        let skipped = if with_skipped { format!(" skipped=\"{skipped}\"") } else { String::new() };
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"{skipped}")
    }
}

impl Suite {
    fn of(grouped: &ByService<'_>, row: &Row<'_>) -> Self {
        let mut cases: Vec<Case> = grouped.findings(row.name).iter().copied().map(Case::of).collect();
        for accepted in grouped.accepted(row.name) {
            let reason = accepted.reason.clone().unwrap_or_else(|| "accepted".to_owned());
            cases.push(Case { outcome: Outcome::Skipped(reason), ..Case::of(&accepted.finding) });
        }
        if row.counts.findings == 0 {
            cases.extend(Case::of_service(row));
        }
        let elapsed = row.service.map_or(Duration::ZERO, |service| service.elapsed);
        let name = if row.name.is_empty() { "(whole files)" } else { row.name };
        Self { name: name.to_owned(), elapsed, cases }
    }

    fn of_errors(report: &Report) -> Self {
        let case = |error: &super::InputError| Case {
            name: error.location.as_ref().map_or_else(|| "run".to_owned(), ToString::to_string),
            place: error.location.as_ref().map(|at| (at.file.to_string(), at.line)),
            outcome: Outcome::Unknown("input-error".into(), error.message.clone(), error.help.clone()),
        };
        Self { name: "trueup inputs".into(), elapsed: Duration::ZERO, cases: report.errors.iter().map(case).collect() }
    }

    fn write(&self, out: &mut String) {
        let tally = Tally::of(&self.cases).attributes(true);
        let _ = writeln!(out, "  <testsuite name=\"{}\" {tally} time=\"{}\">", escaped(&self.name), time(self.elapsed));
        self.cases.iter().for_each(|case| case.write(&self.name, out));
        out.push_str("  </testsuite>\n");
    }
}

impl Case {
    fn of(finding: &Finding) -> Self {
        let kind = finding.rule.name().to_owned();
        let (message, text) = (finding.message.clone(), text_of(finding));
        let outcome = match finding.state {
            State::Unknown => Outcome::Unknown(kind, message, text),
            _ => Outcome::Failed(kind, message, text),
        };
        let place = finding.locations().next().map(|at| (at.file.to_string(), at.line));
        Self { name: format!("{} {}", finding.rule, finding.object).trim_end().to_owned(), place, outcome }
    }

    /// The case of a service that has no finding that counts.
    fn of_service(row: &Row<'_>) -> Option<Self> {
        let reason = row.service?.reason.clone().unwrap_or_default();
        let (name, outcome) = match row.status() {
            ServiceStatus::Checked => ("agrees", Outcome::Passed),
            ServiceStatus::NotChecked => ("checked", Outcome::Skipped(format!("not checked: {reason}"))),
            // Accepted with a reason: the accepted finding is a skipped case already.
            ServiceStatus::Unknown if row.counts.accepted_unknown > 0 => return None,
            ServiceStatus::Unknown => ("checked", Outcome::Unknown("unknown".into(), reason, String::new())),
        };
        Some(Self { name: name.to_owned(), place: None, outcome })
    }

    fn write(&self, suite: &str, out: &mut String) {
        let place = self
            .place
            .as_ref()
            .map_or_else(String::new, |(file, line)| format!(" file=\"{}\" line=\"{line}\"", escaped(file)));
        let _ = write!(out, "    <testcase classname=\"{}\" name=\"{}\"{place}", escaped(suite), escaped(&self.name));
        match &self.outcome {
            Outcome::Passed => out.push_str("/>\n"),
            Outcome::Skipped(reason) => {
                let _ = writeln!(out, "><skipped message=\"{}\"/></testcase>", escaped(reason));
            }
            Outcome::Failed(kind, message, text) => element(out, "failure", kind, message, text),
            Outcome::Unknown(kind, message, text) => element(out, "error", kind, message, text),
        }
    }
}

fn element(out: &mut String, name: &str, kind: &str, message: &str, text: &str) {
    let (kind, message, text) = (escaped(kind), escaped(message), escaped(text));
    let _ = writeln!(out, "><{name} type=\"{kind}\" message=\"{message}\">{text}</{name}></testcase>");
}

/// Both places, what to do, and the SQL that would settle it.
fn text_of(finding: &Finding) -> String {
    let mut lines: Vec<String> = finding.locations().map(ToString::to_string).collect();
    lines.push(finding.help.clone());
    lines.extend(finding.fix.clone());
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

fn time(duration: Duration) -> String {
    format!("{:.3}", duration.as_secs_f64())
}

/// Text for content and attributes. Characters that XML 1.0 cannot hold in any spelling become U+FFFD; line ends are
/// spelled, as a parser would turn them into blanks in an attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    /// What a document says, by a parser: suites, cases, failures, errors, skipped.
    fn counted(text: &str) -> [usize; 5] {
        let document = roxmltree::Document::parse(text).unwrap();
        let count = |name: &str| document.descendants().filter(|node| node.has_tag_name(name)).count();
        ["testsuite", "testcase", "failure", "error", "skipped"].map(count)
    }

    #[test]
    fn suites_and_cases_add_up() {
        for report in [sample::small(), sample::large(), sample::hostile(), Report::default()] {
            let text = render(&report);
            let [_, cases, failures, errors, skipped] = counted(&text);
            let known = report.findings.iter().filter(|finding| finding.state != State::Unknown).count();
            assert_eq!(failures, known);
            assert!(errors >= report.findings.len() - known + report.errors.len());
            assert!(skipped >= report.accepted.len());
            let document = roxmltree::Document::parse(&text).unwrap();
            let root = document.root_element();
            assert_eq!(root.attribute("tests"), Some(cases.to_string().as_str()));
            assert_eq!(root.attribute("failures"), Some(failures.to_string().as_str()));
            assert_eq!(root.attribute("errors"), Some(errors.to_string().as_str()));
        }
    }

    #[test]
    fn hostile_text_comes_back_as_it_was_but_for_what_xml_cannot_hold() {
        let text = render(&sample::hostile());
        let document = roxmltree::Document::parse(&text).unwrap();
        let names: Vec<&str> = document
            .descendants()
            .filter(|node| node.has_tag_name("testsuite"))
            .filter_map(|node| node.attribute("name"))
            .collect();
        assert!(names.contains(&"</failure><script>alert(1)</script>]]>&amp;\"'"), "{names:?}");
        assert!(names.contains(&"a\r\n::error file=x::owned\n::stop-commands::t"), "{names:?}");
        assert!(names.iter().all(|name| !name.contains(['\u{1b}', '\0'])));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_back(text in proptest::collection::vec(proptest::char::any(), 0..60)) {
            let text: String = text.into_iter().collect();
            let document = format!("<a b=\"{0}\">{0}</a>", escaped(&text));
            let parsed = roxmltree::Document::parse(&document).unwrap();
            let legal = |c: char| !c.is_control() || matches!(c, '\t' | '\n' | '\r');
            let expected: String = text
                .chars()
                .map(|c| if legal(c) && !matches!(c, '\u{fffe}' | '\u{ffff}') { c } else { '\u{fffd}' })
                .collect();
            proptest::prop_assert_eq!(parsed.root_element().attribute("b"), Some(expected.as_str()));
            proptest::prop_assert_eq!(parsed.root_element().text().unwrap_or_default(), expected);
        }
    }

    #[test]
    fn an_unknown_service_is_never_a_passing_case() {
        let mut report = sample::small();
        report.findings.clear();
        let text = render(&report);
        let document = roxmltree::Document::parse(&text).unwrap();
        let suite = document.descendants().find(|node| node.attribute("name") == Some("svc-payments")).unwrap();
        assert_eq!(suite.attribute("errors"), Some("1"));
    }

    #[test]
    fn small_report() {
        insta::assert_snapshot!(render(&sample::small()));
    }
}
