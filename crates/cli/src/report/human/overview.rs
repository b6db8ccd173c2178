//! The verdict, the table with one row a service, and the closing lines.

use trueup_model::finding::{Severity, State};

use super::Page;
use super::lines::Lines;
use super::style::Tone;
use crate::report::summary::{Class, Counts, Row};
use crate::report::text::{clean, count, pad, pad_left, place, thousands};
use crate::report::{Accepted, InputError, Report, ServiceStatus};

/// Lines of the page that are not rows of the table: verdict, headings, advice, closing.
const AROUND_THE_TABLE: usize = 18;
/// Rows shown however low the screen.
const FEWEST_ROWS: usize = 8;
/// Input errors shown beside a table.
const ERRORS_SHOWN: usize = 6;
/// Input errors shown where the page may be long.
const ERRORS_IN_DETAIL: usize = 50;
/// Notes shown.
const NOTES_SHOWN: usize = 5;

/// The verdict, and what it rests on.
pub(super) fn header(page: &Page<'_>, out: &mut Lines<'_>) {
    let (mark, tone) = verdict_mark(page.report);
    let lead = format!("{} ", out.paint(tone, mark));
    if let Some(headline) = &page.options.headline {
        out.prose_after(&lead, 2, Tone::Strong, headline);
        return out.gap();
    }
    out.prose_after(&lead, 2, Tone::Strong, &verdict(page));
    out.prose("  ", Tone::Faint, &basis(page));
    if let Some(scope) = &page.report.scope {
        out.prose("  ", Tone::Faint, &format!("limited to {}", clean(scope, 200)));
    }
    out.gap();
}

fn verdict_mark(report: &Report) -> (&'static str, Tone) {
    let compared = report.services.iter().any(|service| service.status == ServiceStatus::Checked);
    match report.exit_code() {
        // Nothing is wrong, and nothing was found to be right.
        0 if !compared => ("-", Tone::Unknown),
        0 => ("✓", Tone::Good),
        1 => ("✗", Tone::Bad),
        _ if report.errors.is_empty() => ("?", Tone::Unknown),
        _ => ("✗", Tone::Bad),
    }
}

/// One sentence: how many of what, where.
fn verdict(page: &Page<'_>) -> String {
    let total = &page.summary.total;
    let affected = page.summary.rows.iter().filter(|row| row.counts.findings > 0 && row.service.is_some()).count();
    let services = page.report.services.len();
    let unread = match page.report.errors.len() {
        0 => String::new(),
        n => format!("{}; ", count(n, "input error")),
    };
    if total.findings > 0 {
        let place = format!("in {} of {}", thousands(affected), count(services, "service"));
        return format!("{unread}{} {place}: {}", count(total.findings, "finding"), classes(total));
    }
    if page.report.exit_code() == 0 {
        return agreement(page);
    }
    let unknown = page.summary.services(ServiceStatus::Unknown);
    format!("{unread}nothing else was found, and {} not verified", were(unknown, "service"))
}

fn were(n: usize, noun: &str) -> String {
    format!("{} {}", count(n, noun), if n == 1 { "was" } else { "were" })
}

fn agreement(page: &Page<'_>) -> String {
    let checked = page.summary.services(ServiceStatus::Checked);
    let unknown = page.summary.services(ServiceStatus::Unknown);
    let accepted = match page.summary.total.accepted {
        0 => String::new(),
        n => format!(" but for {} accepted", count(n, "finding")),
    };
    let rest = if unknown > 0 { format!("; {} unknown, accepted", count(unknown, "service")) } else { String::new() };
    match checked {
        0 => format!("no service was compared{rest}"),
        1 => format!("1 service agrees{accepted}{rest}"),
        n => format!("{} services agree{accepted}{rest}", thousands(n)),
    }
}

/// `301 missing, 240 undeclared, 136 different, 12 unknown`.
pub(super) fn classes(counts: &Counts) -> String {
    let words = [
        (Class::Missing, "missing"),
        (Class::Undeclared, "undeclared"),
        (Class::Different, "different"),
        (Class::Lint, "about files"),
        (Class::Unknown, "unknown"),
    ];
    let said = |&(class, word): &(Class, &str)| match counts.class(class) {
        0 => None,
        n => Some(format!("{} {word}", thousands(n))),
    };
    words.iter().filter_map(said).collect::<Vec<_>>().join(", ")
}

/// What was compared, on which engine, in what time.
fn basis(page: &Page<'_>) -> String {
    let report = page.report;
    let sum = |of: fn(&crate::report::ServiceReport) -> usize| report.services.iter().map(of).sum::<usize>();
    let (tables, columns) = (sum(|service| service.tables), sum(|service| service.columns));
    let compared =
        [count(tables, "table"), count(columns, "column"), count(sum(|service| service.indexes), "index")].join(", ");
    let seconds = report.elapsed.as_secs_f64();
    let Some(engine) = &report.engine else {
        return format!("no PostgreSQL was needed; the run took {seconds:.1} s");
    };
    let (kind, chosen) = (clean(&engine.kind, 20), clean(&engine.chosen, 80));
    let cached = report.services.iter().filter(|service| service.cached).count();
    let cached = if cached > 0 { format!(", {} from the cache", thousands(cached)) } else { String::new() };
    format!(
        "{compared} compared on PostgreSQL {} ({kind}, {chosen}) in {seconds:.1} s{cached}",
        clean(&engine.version, 30)
    )
}

/// Inputs that could not be read.
pub(super) fn errors(page: &Page<'_>, out: &mut Lines<'_>) {
    let errors = &page.report.errors;
    let shown = if page.in_detail() { ERRORS_IN_DETAIL } else { ERRORS_SHOWN };
    for error in errors.iter().take(shown) {
        input_error(error, out);
    }
    if errors.len() > shown {
        out.line(&format!("  … {} more: `--format json` lists all", count(errors.len() - shown, "error")));
    }
    out.gap();
}

fn input_error(error: &InputError, out: &mut Lines<'_>) {
    let at = error.location.as_ref().map_or_else(String::new, |at| format!("{}: ", place(at, 200)));
    out.prose("  ", Tone::Bad, &format!("{at}{}", clean(&error.message, 600)));
    if !error.help.is_empty() {
        out.prose("    ", Tone::Plain, &clean(&error.help, 600));
    }
}

/// One row a service, worst first.
pub(super) fn table(page: &Page<'_>, out: &mut Lines<'_>) {
    let columns = Columns::of(page, out.columns());
    let rows = &page.summary.rows;
    let room = page.options.height.saturating_sub(AROUND_THE_TABLE).max(FEWEST_ROWS);
    let shown = if rows.len() <= room { rows.len() } else { room - 1 };
    out.line(&out.paint(Tone::Faint, columns.heading().trim_end()));
    for row in &rows[..shown] {
        out.line(&columns.row(row, out));
    }
    if shown < rows.len() {
        out.line(&out.paint(Tone::Faint, &rest(&rows[shown..])));
    }
    if rows.len() > 1 {
        out.line(&out.paint(Tone::Strong, columns.total(&page.summary.total).trim_end()));
    }
    out.gap();
}

fn rest(rows: &[Row<'_>]) -> String {
    let findings: usize = rows.iter().map(|row| row.counts.findings).sum();
    let agreeing = rows.iter().filter(|row| agrees(row)).count();
    let skipped = rows.iter().filter(|row| row.status() == ServiceStatus::NotChecked).count();
    let (findings, services) = (count(findings, "finding"), count(rows.len(), "service"));
    format!("  … {services} more: {findings}, {agreeing} agree, {skipped} not checked")
}

fn agrees(row: &Row<'_>) -> bool {
    row.status() == ServiceStatus::Checked && row.counts.findings == 0
}

/// Which columns the table has, and how wide the first is.
struct Columns {
    name: usize,
    counts: Vec<(Class, &'static str)>,
    width: usize,
}

impl Columns {
    fn of(page: &Page<'_>, width: usize) -> Self {
        let longest = page.summary.rows.iter().map(|row| crate::report::text::width(&label(row, 30))).max();
        let mut counts = vec![
            (Class::Missing, "missing"),
            (Class::Undeclared, "undeclared"),
            (Class::Different, "different"),
            (Class::Lint, "files"),
            (Class::Unknown, "unknown"),
        ];
        counts.retain(|(class, _)| *class != Class::Lint || page.summary.total.class(Class::Lint) > 0);
        Self { name: longest.unwrap_or(7).clamp(7, 30), counts, width }
    }

    fn heading(&self) -> String {
        let words: String = self.counts.iter().map(|(_, word)| format!("  {word}")).collect();
        format!("  {}{words}  total  mostly", pad("service", self.name))
    }

    fn cells(&self, counts: &Counts) -> String {
        let cell = |&(class, word): &(Class, &str)| format!("  {}", number(counts.class(class), word.len()));
        let cells: String = self.counts.iter().map(cell).collect();
        format!("{cells}  {}", number(counts.findings, 5))
    }

    fn row(&self, row: &Row<'_>, out: &Lines<'_>) -> String {
        let (mark, tone) = row_mark(row);
        let name = pad(&label(row, self.name), self.name);
        let start = format!("{} {name}", out.paint(tone, mark));
        let used = 2 + self.name;
        if row.counts.findings == 0 {
            let said = clean(&said(row), self.width.saturating_sub(used + 2));
            return format!("{start}  {}", out.paint(Tone::Faint, &said));
        }
        let cells = self.cells(&row.counts);
        let left = self.width.saturating_sub(used + crate::report::text::width(&cells) + 2);
        format!("{start}{cells}  {}", out.paint(Tone::Faint, &clean(&said(row), left)))
    }

    fn total(&self, total: &Counts) -> String {
        format!("  {}{}", pad("all", self.name), self.cells(total))
    }
}

/// A count set to the right; nothing is a dot, so that the eye finds the numbers.
fn number(n: usize, columns: usize) -> String {
    let text = if n == 0 { "·".to_owned() } else { thousands(n) };
    pad_left(&text, columns)
}

fn label(row: &Row<'_>, max: usize) -> String {
    if row.name.is_empty() { "(whole files)".to_owned() } else { clean(row.name, max) }
}

fn row_mark(row: &Row<'_>) -> (&'static str, Tone) {
    match row.status() {
        ServiceStatus::NotChecked if row.counts.findings == 0 => ("-", Tone::Faint),
        ServiceStatus::Unknown => ("?", Tone::Unknown),
        _ if row.counts.severity(Severity::Error) > 0 => ("✗", Tone::Bad),
        _ if row.counts.known() > 0 => ("!", Tone::Warn),
        _ if row.counts.unknown() > 0 => ("?", Tone::Unknown),
        _ => ("✓", Tone::Good),
    }
}

/// The last cell: why there is nothing to count, or what there is most of.
fn said(row: &Row<'_>) -> String {
    let reason = row.service.and_then(|service| service.reason.clone()).unwrap_or_default();
    match row.status() {
        ServiceStatus::NotChecked => format!("not checked: {reason}"),
        ServiceStatus::Unknown => format!("unknown: {reason}"),
        ServiceStatus::Checked if row.counts.findings == 0 => quiet(row),
        ServiceStatus::Checked => mostly(&row.counts),
    }
}

fn quiet(row: &Row<'_>) -> String {
    let tables = row.service.map_or(0, |service| service.tables);
    match row.counts.accepted {
        0 => format!("agrees: {}", count(tables, "table")),
        n => format!("agrees but for {} accepted: {}", thousands(n), count(tables, "table")),
    }
}

fn mostly(counts: &Counts) -> String {
    let top = counts.by_rule.iter().max_by_key(|&(rule, n)| (*n, std::cmp::Reverse(*rule)));
    top.map_or_else(String::new, |(rule, n)| format!("{rule} {}", thousands(*n)))
}

/// What was accepted, resolved, switched off, and the notes of the run.
pub(super) fn closing(page: &Page<'_>, out: &mut Lines<'_>) {
    let lines = closing_lines(page);
    if !lines.is_empty() {
        out.gap();
    }
    for line in lines {
        out.prose("", Tone::Faint, &line);
    }
}

fn closing_lines(page: &Page<'_>) -> Vec<String> {
    let report = page.report;
    let mut lines = Vec::new();
    if page.summary.total.accepted > 0 {
        lines.push(accepted(page));
    }
    if !report.resolved.is_empty() {
        let entries = count(report.resolved.len(), "accepted finding");
        lines.push(format!("{entries} no longer there: `trueup check --write-baseline` drops them from the file"));
    }
    if report.switched_off > 0 {
        lines.push(format!("{} switched off in trueup.toml", count(report.switched_off, "finding")));
    }
    lines.extend(report.notes.iter().take(NOTES_SHOWN).map(|note| clean(note, 400)));
    if report.notes.len() > NOTES_SHOWN {
        let more = count(report.notes.len() - NOTES_SHOWN, "note");
        lines.push(format!("… {more} more: `--format json` lists all"));
    }
    lines
}

fn accepted(page: &Page<'_>) -> String {
    let total = &page.summary.total;
    let place = page.report.baseline.as_deref().map_or_else(String::new, |file| format!(" ({})", clean(file, 100)));
    let start = format!("{} accepted{place}", thousands(total.accepted));
    let unknown: Vec<&Accepted> =
        crate::report::sorted_accepted(&page.report.accepted).into_iter().filter(|a| is_unknown(a)).collect();
    if unknown.is_empty() {
        return start;
    }
    let names: Vec<String> = unknown.iter().map(|accepted| named(accepted)).collect();
    let shown = if page.in_detail() { names.len() } else { 3 };
    format!("{start}, {} of them unknown: {}", thousands(unknown.len()), crate::report::text::list(&names, shown))
}

fn is_unknown(accepted: &Accepted) -> bool {
    accepted.finding.state == State::Unknown
}

fn named(accepted: &Accepted) -> String {
    let finding = &accepted.finding;
    let object = if finding.object.path.is_empty() { String::new() } else { format!(" {}", finding.object) };
    let reason = accepted.reason.as_deref().unwrap_or("no reason given");
    format!("{}{} ({})", clean(&finding.service, 40), clean(&object, 80), clean(reason, 80))
}
