//! Every finding with both of its lines side by side.

use std::collections::BTreeSet;

use trueup_model::finding::{Finding, Severity, State};
use trueup_model::location::Location;

use super::lines::Lines;
use super::overview::classes;
use super::style::Tone;
use super::{Excerpts, Page, excerpt};
use crate::report::summary::Row;
use crate::report::text::{NAME, SENTENCE, clean, clean_lines, pad_left, place, width};
use crate::report::{Accepted, ByService, ServiceStatus};

/// Narrower pages show the two lines below each other.
const SIDE_BY_SIDE: usize = 90;
/// Lines of a fix that are shown.
const FIX_LINES: usize = 12;

/// Renders the services, worst first, and the findings of each.
pub(super) fn render(page: &Page<'_>, excerpts: &Excerpts<'_>, out: &mut Lines<'_>) {
    let wanted = page.options.service.as_deref();
    let grouped = ByService::of(page.report);
    let mut quiet = Vec::new();
    for row in &page.summary.rows {
        if wanted.is_some_and(|name| row.name != name) {
            continue;
        }
        if row.counts.findings == 0 && wanted.is_none() {
            quiet.push(row);
        } else {
            service(page, row, &grouped, excerpts, out);
        }
    }
    if wanted.is_some_and(|name| page.summary.rows.iter().all(|row| row.name != name)) {
        out.line("No service of that name was looked at.");
    }
    quiet_services(&quiet, out);
}

/// Services without findings: those that agree in one line, the others each with the reason.
fn quiet_services(rows: &[&Row<'_>], out: &mut Lines<'_>) {
    let (agreeing, others): (Vec<&Row<'_>>, Vec<&Row<'_>>) =
        rows.iter().partition(|row| row.status() == ServiceStatus::Checked);
    out.gap();
    if !agreeing.is_empty() {
        let names: Vec<String> = agreeing.iter().map(|row| clean(row.name, 40)).collect();
        let mark = out.paint(Tone::Good, "✓ ");
        out.prose_after(&mark, 2, Tone::Plain, &format!("agree: {}", crate::report::text::list(&names, 12)));
    }
    for row in others.iter().take(12) {
        let reason = row.service.and_then(|service| service.reason.as_deref()).unwrap_or("no reason given");
        let (mark, tone, word) = match row.status() {
            ServiceStatus::Unknown => ("? ", Tone::Unknown, "unknown"),
            _ => ("- ", Tone::Faint, "not checked"),
        };
        let mark = out.paint(tone, mark);
        out.prose_after(&mark, 2, Tone::Plain, &format!("{} {word}: {}", clean(row.name, 40), clean(reason, 300)));
    }
    if others.len() > 12 {
        out.line(&format!("  … and {} more not compared", others.len() - 12));
    }
}

fn service(page: &Page<'_>, row: &Row<'_>, grouped: &ByService<'_>, excerpts: &Excerpts<'_>, out: &mut Lines<'_>) {
    out.gap();
    let name = if row.name.is_empty() { "(whole files)".to_owned() } else { clean(row.name, NAME) };
    let engine = row.service.map(|service| clean(&service.engine, 60)).filter(|engine| !engine.is_empty());
    let engine = engine.map_or_else(String::new, |engine| format!("  {engine}"));
    let counts = if row.counts.findings == 0 { "no findings".to_owned() } else { classes(&row.counts) };
    out.line(&format!("{}{}", out.paint(Tone::Strong, &name), out.paint(Tone::Faint, &format!("{engine}  {counts}"))));
    if let Some(reason) = row.service.and_then(|service| service.reason.as_deref()) {
        out.prose("  ", Tone::Unknown, &clean(reason, SENTENCE));
    }
    let mut told = BTreeSet::new();
    for &finding in grouped.findings(row.name) {
        one(finding, told.insert((finding.rule, &finding.help)), excerpts, out);
    }
    accepted(page, grouped.accepted(row.name), out);
}

fn accepted(page: &Page<'_>, all: &[&Accepted], out: &mut Lines<'_>) {
    if all.is_empty() || page.options.service.is_none() {
        return;
    }
    out.gap();
    for accepted in all {
        let finding = &accepted.finding;
        let reason = accepted.reason.as_deref().unwrap_or("no reason given");
        let object = clean(&finding.object.to_string(), NAME);
        out.prose("  ", Tone::Faint, &format!("accepted {} {object}: {}", finding.rule, clean(reason, 200)));
    }
}

/// One finding. `help` is left out when the same was said for this rule before.
fn one(finding: &Finding, help: bool, excerpts: &Excerpts<'_>, out: &mut Lines<'_>) {
    out.gap();
    let (mark, word, tone) = severity(finding);
    let object = clean(&finding.object.to_string(), NAME);
    let object = if object.is_empty() { String::new() } else { format!("  {}", out.paint(Tone::Strong, &object)) };
    let rule = out.paint(tone, &format!("{mark} {word} {}", finding.rule));
    out.line(&format!("{rule}{object}"));
    out.prose("  ", Tone::Plain, &clean(&finding.message, SENTENCE));
    places(finding, excerpts, out);
    if help && !finding.help.is_empty() {
        out.prose("  help  ", Tone::Plain, &clean(&finding.help, SENTENCE));
    }
    fix(finding, out);
}

fn severity(finding: &Finding) -> (&'static str, &'static str, Tone) {
    match (finding.state, finding.severity) {
        (State::Unknown, _) => ("?", "unknown", Tone::Unknown),
        (_, Severity::Error) => ("✗", "error", Tone::Bad),
        (_, Severity::Warning) => ("!", "warning", Tone::Warn),
        (_, Severity::Info) => ("·", "info", Tone::Good),
    }
}

fn fix(finding: &Finding, out: &mut Lines<'_>) {
    let Some(sql) = &finding.fix else { return };
    let room = out.columns().saturating_sub(8);
    for (number, line) in clean_lines(sql, room * 4, FIX_LINES).iter().enumerate() {
        let lead = if number == 0 { "  fix   " } else { "        " };
        out.line(&format!("{lead}{}", out.paint(Tone::Command, line)));
    }
}

/// Both places, then both lines.
fn places(finding: &Finding, excerpts: &Excerpts<'_>, out: &mut Lines<'_>) {
    let (left, right) = (finding.intent_at.as_ref(), finding.migration_at.as_ref());
    for at in finding.locations() {
        out.line(&format!("  {}  {}", kind_of_file(at), out.paint(Tone::Faint, &place(at, 240))));
    }
    let wide = out.columns() >= SIDE_BY_SIDE;
    let half = (out.columns() - 4) / 2;
    let room = if wide && left.is_some() && right.is_some() { half } else { out.columns() - 4 };
    let (_, _, tone) = severity(finding);
    let pane = |at: &Location| Some(Pane::of(at, room, excerpts)?.set(room, tone, out));
    let panes: Vec<[String; 2]> = [left, right].into_iter().flatten().filter_map(pane).collect();
    match panes.as_slice() {
        [left, right] if wide => {
            left.iter().zip(right).for_each(|(left, right)| out.line(&format!("  {left} {right}")));
        }
        panes => panes.iter().flatten().for_each(|line| out.line(&format!("  {}", line.trim_end()))),
    }
}

/// Four columns that say what kind of file a place is in.
fn kind_of_file(at: &Location) -> &'static str {
    match at.file.rsplit('.').next() {
        Some("yaml" | "yml") => "yaml",
        Some("sql") => "sql ",
        _ => "file",
    }
}

/// A source line, its number, and the mark below it.
struct Pane {
    number: String,
    shown: String,
    mark: String,
}

impl Pane {
    fn of(at: &Location, room: usize, excerpts: &Excerpts<'_>) -> Option<Self> {
        let line = excerpts.line(&at.file, at.line)?;
        let number = pad_left(&at.line.to_string(), 6);
        let (shown, mark) = excerpt::excerpt(&line, at.column, room.saturating_sub(width(&number) + 4));
        Some(Self { number, shown, mark })
    }

    /// Two lines, each `room` columns wide.
    fn set(&self, room: usize, tone: Tone, out: &Lines<'_>) -> [String; 2] {
        let gutter = width(&self.number) + 3;
        let line = |number: &str, tone: Tone, text: &str| {
            let bar = out.paint(Tone::Faint, &format!("{number} │"));
            let rest = " ".repeat(room.saturating_sub(gutter + width(text)));
            format!("{bar} {}{rest}", out.paint(tone, text))
        };
        let blank = " ".repeat(width(&self.number));
        [line(&self.number, Tone::Plain, &self.shown), line(&blank, tone, &self.mark)]
    }
}
