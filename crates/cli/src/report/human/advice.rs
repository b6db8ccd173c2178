//! What to do first, computed from what was found: few steps, each settling much.

use std::collections::BTreeMap;

use trueup_model::finding::{Finding, State};
use trueup_model::rule::Rule;

use super::Page;
use super::lines::Lines;
use super::style::Tone;
use crate::report::text::{clean, count, list, pad, place, shell_word, thousands, width};
use crate::report::{ServiceStatus, sorted};

/// A column name is worth one decision when this many tables have it.
const REPEATED: usize = 5;
/// At most this many steps.
const STEPS: usize = 5;

/// One step.
enum Step {
    /// A sentence.
    Prose(String),
    /// A purpose and the command that serves it.
    Command(String, String),
}

/// Renders the steps, if there are any.
pub(super) fn render(page: &Page<'_>, out: &mut Lines<'_>) {
    let steps = steps(page);
    if steps.is_empty() {
        return;
    }
    out.gap();
    out.line(&out.paint(Tone::Strong, "What to do first"));
    for (number, step) in steps.iter().enumerate() {
        let lead = format!("  {}. ", number + 1);
        match step {
            Step::Prose(text) => out.prose(&lead, Tone::Plain, text),
            Step::Command(purpose, command) => command_line(&lead, purpose, command, out),
        }
    }
}

fn command_line(lead: &str, purpose: &str, command: &str, out: &mut Lines<'_>) {
    let purpose = pad(purpose, 44);
    let painted = out.paint(Tone::Command, command);
    if width(lead) + width(&purpose) + 1 + width(command) <= out.columns() {
        out.line(&format!("{lead}{purpose} {painted}"));
    } else {
        out.line(&format!("{lead}{}", purpose.trim_end()));
        out.line(&format!("{}{painted}", " ".repeat(width(lead))));
    }
}

fn steps(page: &Page<'_>) -> Vec<Step> {
    let computed = [unreadable(page), uncompared(page), schema_names(page), repeated_columns(page), prose(page)];
    let mut steps: Vec<Step> = computed.into_iter().flatten().take(STEPS - 2).collect();
    steps.extend(worst_service(page));
    steps.extend(baseline(page));
    steps
}

fn unreadable(page: &Page<'_>) -> Option<Step> {
    let first = page.report.errors.iter().find_map(|error| error.location.as_ref())?;
    let errors = count(page.report.errors.len(), "input error");
    Some(Step::Prose(format!("Settle the {errors} above, first {}", place(first, 150))))
}

/// Services that could not be compared at all.
fn uncompared(page: &Page<'_>) -> Option<Step> {
    let unknown = |row: &&crate::report::summary::Row<'_>| row.status() == ServiceStatus::Unknown;
    let names: Vec<String> = page.summary.rows.iter().filter(unknown).map(|row| clean(row.name, 40)).collect();
    let what = match names.len() {
        0 => return None,
        1 => "1 service that could not be compared".to_owned(),
        n => format!("{} services that could not be compared", thousands(n)),
    };
    let broken = [Rule::ReplayFailed, Rule::MigrationFile, Rule::MissingExtension];
    let cause = sorted(&page.report.findings).into_iter().find(|finding| broken.contains(&finding.rule));
    let at = cause.and_then(|finding| finding.locations().last());
    let first = at.map_or_else(String::new, |at| format!(", first {}", place(at, 150)));
    Some(Step::Prose(format!("Repair {what}: {}{first}", list(&names, 3))))
}

fn schema_names(page: &Page<'_>) -> Option<Step> {
    let pairs: Vec<String> =
        sorted(&page.report.findings).into_iter().filter(|f| f.rule == Rule::SchemaName).map(pair).collect();
    match pairs.len() {
        0 => None,
        1 => Some(Step::Prose(format!("Settle the schema name, YAML → SQL: {}", pairs[0]))),
        n => {
            let names = list(&pairs, 3);
            Some(Step::Prose(format!("Settle {n} schema names, YAML → SQL: {names}")))
        }
    }
}

fn pair(finding: &Finding) -> String {
    let or_object = |side: &str| if side.is_empty() { finding.object.to_string() } else { side.to_owned() };
    format!("{} → {}", clean(&or_object(&finding.declared), 30), clean(&or_object(&finding.found), 30))
}

/// The same column undeclared in many tables is one decision, not many.
fn repeated_columns(page: &Page<'_>) -> Option<Step> {
    let mut tables: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in page.report.findings.iter().filter(|finding| finding.rule == Rule::UndeclaredColumn) {
        if let Some(column) = finding.object.path.last() {
            *tables.entry(column.as_str()).or_default() += 1;
        }
    }
    let mut often: Vec<(&str, usize)> = tables.into_iter().filter(|(_, n)| *n >= REPEATED).collect();
    often.sort_by_key(|&(name, n)| (std::cmp::Reverse(n), name));
    if often.is_empty() {
        return None;
    }
    let settled: usize = often.iter().map(|(_, n)| n).sum();
    let names: Vec<String> = often.iter().map(|(name, n)| format!("{} ({n} tables)", clean(name, 30))).collect();
    let findings = count(settled, "finding");
    Some(Step::Prose(format!("Decide once on columns that the YAML leaves out: {}; {findings}", list(&names, 3))))
}

/// What was not understood in the YAML.
fn prose(page: &Page<'_>) -> Option<Step> {
    let unclear: Vec<&Finding> = sorted(&page.report.findings)
        .into_iter()
        .filter(|f| f.state == State::Unknown && matches!(f.rule, Rule::NotUnderstood | Rule::UnknownKey))
        .collect();
    let first = unclear.iter().find_map(|finding| finding.intent_at.as_ref())?;
    let places = count(unclear.len(), "place");
    Some(Step::Prose(format!("Reword {places} that were not understood, first {}", place(first, 150))))
}

fn worst_service(page: &Page<'_>) -> Option<Step> {
    let worst =
        page.summary.rows.iter().rev().filter(|row| !row.name.is_empty()).max_by_key(|row| row.counts.findings)?;
    if worst.counts.findings == 0 {
        return None;
    }
    let command = format!("trueup check --service {}", shell_word(&clean(worst.name, 200)));
    Some(Step::Command("Go through one service, line by line:".to_owned(), command))
}

/// Accepting what is there, unless that was done already.
fn baseline(page: &Page<'_>) -> Option<Step> {
    if page.report.baseline.is_some() || !page.report.errors.is_empty() {
        return None;
    }
    let total = &page.summary.total;
    let reason = if total.unknown() > 0 { " --reason WHY" } else { "" };
    let purpose = "Accept today's, and fail on new ones only:".to_owned();
    Some(Step::Command(purpose, format!("trueup check --write-baseline{reason}")))
}
