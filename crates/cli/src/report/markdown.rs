//! A comment for a pull request: a verdict, a table, and a fold for every service.
//!
//! GitHub refuses comments over 65,536 characters. The verdict and the table always fit; services are added, worst
//! first, while there is room, and what was left out is said.

use std::fmt::Write as _;

use trueup_model::finding::{Finding, State};

use super::summary::{Class, Counts, Row, Summary};
use super::text::{clean, count, place, thousands};
use super::{ByService, Report, ServiceStatus, sorted_accepted};

/// Bytes of a comment, below GitHub's limit of 65,536 characters.
pub const LONGEST: usize = 65_000;
/// Bytes kept free for the closing lines.
const CLOSING: usize = 4_000;
/// Services in the table.
const ROWS: usize = 100;
/// Findings listed of one service.
const LISTED: usize = 100;
/// Accepted unknowns, notes and errors named.
const NAMED: usize = 10;

/// Renders the comment.
pub fn render(report: &Report) -> String {
    let (summary, grouped) = (Summary::of(report), ByService::of(report));
    let mut out = format!("### {}\n\n", verdict(report, &summary.total));
    out.push_str(&errors(report));
    out.push_str(&table(&summary));
    let closing = closing(report);
    let mut left_out = 0;
    for row in summary.rows.iter().filter(|row| row.counts.findings > 0) {
        let fold = fold(grouped.findings(row.name), row);
        if out.len() + fold.len() + closing.len() + CLOSING / 4 > LONGEST {
            left_out += 1;
        } else {
            out.push_str(&fold);
        }
    }
    if left_out > 0 {
        let services = count(left_out, "service");
        let _ = write!(out, "\nThe findings of {services} did not fit here; `trueup check` shows them.\n");
    }
    out.push_str(&closing);
    out
}

fn verdict(report: &Report, total: &Counts) -> String {
    let services = count(report.services.len(), "service");
    match report.exit_code() {
        0 => format!("✅ trueup: the intent and the migrations agree ({services})"),
        1 => format!("❌ trueup: {} in {services}", count(total.findings, "finding")),
        _ if report.errors.is_empty() => {
            format!("❔ trueup: nothing differs, but not everything is known ({services})")
        }
        _ => format!("❌ trueup: {} could not be read", count(report.errors.len(), "input")),
    }
}

fn errors(report: &Report) -> String {
    let mut out = String::new();
    for error in report.errors.iter().take(NAMED) {
        let at = error.location.as_ref().map_or_else(String::new, |at| format!("{}: ", code(&place(at, 130), 160)));
        let _ = writeln!(out, "- {at}{} {}", prose(&error.message, 300), prose(&error.help, 200));
    }
    if report.errors.len() > NAMED {
        let _ = writeln!(out, "- … and {} more", report.errors.len() - NAMED);
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn table(summary: &Summary<'_>) -> String {
    let mut out = String::from(
        "| service | missing | undeclared | different | files | unknown | accepted | |\n\
         |---|--:|--:|--:|--:|--:|--:|---|\n",
    );
    for row in summary.rows.iter().take(ROWS) {
        let said = said(row);
        let _ = writeln!(out, "| {} | {} | {said} |", name(row), cells(&row.counts));
    }
    if summary.rows.len() > ROWS {
        let _ = writeln!(out, "| … {} more | | | | | | | |", thousands(summary.rows.len() - ROWS));
    }
    let _ = writeln!(out, "| **all** | {} | |\n", cells(&summary.total));
    out
}

fn cells(counts: &Counts) -> String {
    let classes = [Class::Missing, Class::Undeclared, Class::Different, Class::Lint, Class::Unknown];
    let numbers = classes.into_iter().map(|class| counts.class(class)).chain([counts.accepted]);
    let cell = |n: usize| if n == 0 { String::new() } else { thousands(n) };
    numbers.map(cell).collect::<Vec<_>>().join(" | ")
}

fn name(row: &Row<'_>) -> String {
    if row.name.is_empty() { "(whole files)".to_owned() } else { prose(row.name, 60) }
}

fn said(row: &Row<'_>) -> String {
    let reason = row.service.and_then(|service| service.reason.as_deref()).unwrap_or_default();
    match row.status() {
        ServiceStatus::NotChecked => format!("not checked: {}", prose(reason, 100)),
        ServiceStatus::Unknown => format!("**unknown**: {}", prose(reason, 100)),
        ServiceStatus::Checked if row.counts.findings == 0 => "agrees".to_owned(),
        ServiceStatus::Checked => String::new(),
    }
}

/// The findings of a service, folded away.
fn fold(findings: &[&Finding], row: &Row<'_>) -> String {
    let (name, number) = (html(row.name, 60), count(row.counts.findings, "finding"));
    let mut out = format!("<details><summary>{name}: {number}</summary>\n\n| | rule | object | what | where |\n");
    out.push_str("|---|---|---|---|---|\n");
    for finding in findings.iter().take(LISTED) {
        let _ = writeln!(out, "{}", line(finding));
    }
    if findings.len() > LISTED {
        let _ = writeln!(out, "| | | | … {} more | |", findings.len() - LISTED);
    }
    out.push_str("\n</details>\n");
    out
}

fn line(finding: &Finding) -> String {
    let mark = match (finding.state, finding.severity) {
        (State::Unknown, _) => "❔",
        (_, trueup_model::finding::Severity::Error) => "❌",
        (_, trueup_model::finding::Severity::Warning) => "⚠️",
        (_, trueup_model::finding::Severity::Info) => "ℹ️",
    };
    let places: Vec<String> = finding.locations().map(|at| code(&place(at, 130), 160)).collect();
    let (object, what) = (code(&finding.object.to_string(), 100), prose(&finding.message, 300));
    format!("| {mark} | `{}` | {object} | {what} | {} |", finding.rule, places.join("<br>"))
}

/// Accepted unknowns, resolved entries, notes and the engine.
fn closing(report: &Report) -> String {
    let mut out = String::from("\n");
    let unknown: Vec<_> = sorted_accepted(&report.accepted)
        .into_iter()
        .filter(|accepted| accepted.finding.state == State::Unknown)
        .collect();
    if !unknown.is_empty() {
        let _ = writeln!(out, "Accepted, though unknown ({}):\n", unknown.len());
    }
    for accepted in unknown.iter().take(NAMED) {
        let object = code(&accepted.finding.object.to_string(), 60);
        let reason = prose(accepted.reason.as_deref().unwrap_or("no reason given"), 80);
        let _ = writeln!(out, "- {} {object}: {reason}", prose(&accepted.finding.service, 40));
    }
    if !report.resolved.is_empty() {
        let entries = count(report.resolved.len(), "accepted finding");
        let _ = writeln!(out, "\n{entries} no longer there: `trueup check --write-baseline` drops them.");
    }
    if report.switched_off > 0 {
        let _ = writeln!(out, "\n{} switched off in `trueup.toml`.", count(report.switched_off, "finding"));
    }
    for note in report.notes.iter().chain(&report.scope).take(NAMED) {
        let _ = writeln!(out, "\n{}", prose(note, 200));
    }
    out.push_str(&basis(report));
    out
}

fn basis(report: &Report) -> String {
    let engine = report.engine.as_ref().map_or_else(
        || "No PostgreSQL was started.".to_owned(),
        |engine| {
            let (version, kind) = (prose(&engine.version, 30), prose(&engine.kind, 20));
            format!("Checked on PostgreSQL {version} ({kind}, {}).", prose(&engine.chosen, 80))
        },
    );
    format!("\n<sub>{engine}</sub>\n")
}

/// Text that stays text: neither markup, nor a table's edge, nor a mention, nor a reference.
fn prose(text: &str, max: usize) -> String {
    let mut out = String::new();
    for c in clean(text, max).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A zero-width space keeps people and issues from being told.
            '@' | '#' => {
                let _ = write!(out, "{c}&#8203;");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                let _ = write!(out, "&#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Text inside HTML, for the summary of a fold.
fn html(text: &str, max: usize) -> String {
    if text.is_empty() { "(whole files)".to_owned() } else { prose(text, max) }
}

/// Text as code; HTML's element, as a backtick or a pipe in the text would end Markdown's.
fn code(text: &str, max: usize) -> String {
    if text.is_empty() { String::new() } else { format!("<code>{}</code>", prose(text, max)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_report_fits_a_comment() {
        let mut huge = sample::large();
        for n in 0..3000 {
            huge.services.push(super::super::ServiceReport {
                name: format!("svc-{n}-{}", "&".repeat(200)),
                ..huge.services[0].clone()
            });
        }
        huge.errors = vec![sample::hostile().errors[0].clone(); 5000];
        huge.notes = vec!["@all ".repeat(1000); 500];
        for report in [sample::small(), sample::large(), sample::hostile(), huge] {
            let page = render(&report);
            assert!(page.len() <= 65_536, "{} bytes", page.len());
            assert_eq!(page.matches("<details>").count(), page.matches("</details>").count());
            assert!(page.contains("| **all** |") && page.trim_end().ends_with("</sub>"));
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let mut report = sample::large();
        report.findings.iter_mut().for_each(|finding| finding.message = "long ".repeat(100));
        let page = render(&report);
        assert!(page.contains("did not fit here"), "{}", page.len());
    }

    #[test]
    fn hostile_text_is_neither_markup_nor_mention() {
        let page = render(&sample::hostile());
        for markup in ["<script", "<img", "@org", " #1", "`tick`", "](http", "\u{1b}", "\u{202e}"] {
            assert!(!page.contains(markup), "{markup}");
        }
        // Every row of a table has the cells of its heading.
        let bars = |line: &str| line.matches('|').count();
        for line in page.lines().filter(|line| line.starts_with('|')) {
            assert!([6, 9].contains(&bars(line)), "{line}");
        }
    }

    #[test]
    fn small_report() {
        insta::assert_snapshot!(render(&sample::small()));
    }
}
