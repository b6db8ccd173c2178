//! The report for people.
//!
//! One screen when there is much to say, every finding in detail when there is little, or when one service was asked
//! for. The same words with and without colour.

use std::collections::HashMap;
use std::sync::Arc;

use super::Report;
use super::summary::Summary;

mod advice;
mod detail;
mod excerpt;
mod lines;
mod overview;
mod style;

pub use style::{Style, Tone};

/// Up to this many findings are shown in detail without being asked.
pub const FEW: usize = 25;

/// Where the renderer finds the lines to show.
pub trait Sources {
    /// The whole text of an input file, by the path its locations carry; `None` when there is none to show.
    fn text(&self, file: &str) -> Option<Arc<str>>;
}

impl<F: Fn(&str) -> Option<Arc<str>>> Sources for F {
    fn text(&self, file: &str) -> Option<Arc<str>> {
        self(file)
    }
}

/// How to show a report.
#[derive(Clone, Debug)]
pub struct Options {
    /// Colour and width.
    pub style: Style,
    /// How many lines fit on a screen; the overview stays within it.
    pub height: usize,
    /// Show every finding of this service in detail.
    pub service: Option<String>,
    /// Show every finding in detail, however many there are.
    pub all: bool,
    /// What stands for the verdict and what it rests on, where another command tells its errors.
    pub headline: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { style: Style::plain(100), height: 40, service: None, all: false, headline: None }
    }
}

/// Renders the report; every line ends in a line feed.
pub fn render(report: &Report, sources: &dyn Sources, options: &Options) -> String {
    let page = Page { report, summary: Summary::of(report), options };
    let mut out = lines::Lines::new(&options.style);
    overview::header(&page, &mut out);
    overview::errors(&page, &mut out);
    if page.in_detail() {
        detail::render(&page, &Excerpts::new(sources), &mut out);
    } else {
        overview::table(&page, &mut out);
        advice::render(&page, &mut out);
    }
    overview::closing(&page, &mut out);
    out.finish()
}

/// What the parts of a page share.
struct Page<'a> {
    report: &'a Report,
    summary: Summary<'a>,
    options: &'a Options,
}

impl Page<'_> {
    fn in_detail(&self) -> bool {
        self.options.all || self.options.service.is_some() || self.report.findings.len() <= FEW
    }
}

/// Source lines, each file split once.
struct Excerpts<'a> {
    sources: &'a dyn Sources,
    files: std::cell::RefCell<HashMap<String, Option<excerpt::Indexed>>>,
}

impl<'a> Excerpts<'a> {
    fn new(sources: &'a dyn Sources) -> Self {
        Self { sources, files: std::cell::RefCell::default() }
    }

    /// The text of a 1-based line.
    fn line(&self, file: &str, line: u32) -> Option<String> {
        let mut files = self.files.borrow_mut();
        if !files.contains_key(file) {
            files.insert(file.to_owned(), self.sources.text(file).map(excerpt::Indexed::new));
        }
        files.get(file)?.as_ref()?.line(line).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{sample, text};

    fn shown(report: &Report, options: &Options) -> String {
        render(report, &sample::sources, options)
    }

    /// The text without escape sequences, by their grammar (`ESC [ … m`).
    fn without_color(text: &str) -> String {
        let mut parts = text.split("\u{1b}[");
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |all, part| all + part.split_once('m').map_or(part, |(_, rest)| rest))
    }

    #[test]
    fn a_few_findings_are_shown_in_detail() {
        insta::assert_snapshot!(shown(&sample::small(), &Options::default()));
    }

    #[test]
    fn a_narrow_page_puts_the_lines_below_each_other() {
        let style = Style::plain(72);
        insta::assert_snapshot!(shown(&sample::small(), &Options { style, ..Options::default() }));
    }

    #[test]
    fn a_first_run_fits_one_screen() {
        let report = sample::large();
        assert!(report.findings.len() > 650 && report.services.len() == 22);
        let page = shown(&report, &Options::default());
        assert!(page.lines().count() <= 45, "{} lines", page.lines().count());
        assert!(page.lines().all(|line| text::width(line) <= 100), "{page}");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn errors_and_notes_do_not_push_the_table_off_the_screen() {
        let mut report = sample::large();
        let at = trueup_model::location::Location::new("a.yaml", 3, 1);
        report.errors = vec![crate::report::InputError::at(at, "no", "help"); 500];
        report.notes = vec!["a note".into(); 500];
        let page = shown(&report, &Options::default());
        assert!(page.lines().count() <= 65, "{page}");
        assert!(page.contains("494 errors more") && page.contains("495 notes more"), "{page}");
    }

    #[test]
    fn a_thousand_services_fit_one_screen_too() {
        let mut report = sample::large();
        let many = (0..1000)
            .map(|n| crate::report::ServiceReport { name: format!("svc-more-{n}"), ..report.services[0].clone() });
        report.services.extend(many.collect::<Vec<_>>());
        let page = shown(&report, &Options::default());
        assert!(page.lines().count() <= 45, "{page}");
        assert!(page.contains("services more:"), "{page}");
    }

    /// Five hundred services in every format: sorting once a service would take minutes here.
    #[test]
    fn every_format_grows_with_the_report_and_not_faster() {
        let mut report = sample::large();
        let (services, findings) = (report.services.split_off(0), report.findings.split_off(0));
        for n in 0..25 {
            let name = |name: &str| format!("{name}-{n}");
            report.services.extend(services.iter().cloned().map(|mut service| {
                service.name = name(&service.name);
                service
            }));
            report.findings.extend(findings.iter().cloned().map(|mut finding| {
                finding.service = name(&finding.service);
                finding
            }));
        }
        let start = std::time::Instant::now();
        let detail = shown(&report, &Options { all: true, ..Options::default() });
        assert!(detail.lines().count() > report.findings.len());
        println!("human {:?}", start.elapsed());
        use crate::report::{github, gitlab, json, junit, markdown, sarif};
        for (name, render) in [
            ("json", json::render as fn(&Report) -> String),
            ("sarif", sarif::render),
            ("github", github::render),
            ("gitlab", gitlab::render),
            ("junit", junit::render),
            ("markdown", markdown::render),
        ] {
            let before = start.elapsed();
            assert!(!render(&report).is_empty());
            println!("{name} {:?}", start.elapsed() - before);
        }
        let taken = start.elapsed();
        println!("{} findings in 7 formats: {taken:?}", report.findings.len());
        assert!(taken < std::time::Duration::from_secs(60), "{taken:?}");
    }

    #[test]
    fn color_adds_nothing_but_color() {
        for report in [sample::small(), sample::large()] {
            let colored = shown(&report, &Options { style: Style::colored(100), ..Options::default() });
            assert!(colored.contains("\u{1b}["));
            let plain = shown(&report, &Options::default());
            assert!(!plain.contains('\u{1b}'));
            assert_eq!(without_color(&colored), plain);
        }
    }

    #[test]
    fn one_service_is_shown_whole_however_much_there_is() {
        let options = Options { service: Some("svc-check-in".into()), ..Options::default() };
        let report = sample::large();
        let page = shown(&report, &options);
        let expected = report.findings.iter().filter(|finding| finding.service == "svc-check-in").count();
        let headings =
            page.lines().filter(|line| line.starts_with(['✗', '!', '?', '·']) && line.contains("  svc")).count();
        assert_eq!(headings, 0, "other services are not listed");
        let shown = page.lines().skip(2).filter(|line| line.starts_with(['✗', '!', '?', '·'])).count();
        assert_eq!(shown, expected);
    }

    #[test]
    fn hostile_names_cannot_drive_the_terminal_or_flood_the_page() {
        let report = sample::hostile();
        let hostile_source = |_: &str| Some(Arc::from("\u{1b}]0;owned\u{7}\u{202e}x\ty".repeat(50_000)));
        for all in [true, false] {
            let page = render(&report, &hostile_source, &Options { all, ..Options::default() });
            let bad: Vec<char> = page.chars().filter(|&c| c != '\n' && text::is_hidden(c)).collect();
            assert!(bad.is_empty(), "{bad:?}");
            assert!(page.len() < 60_000, "{} bytes", page.len());
        }
    }

    #[test]
    fn agreement_says_what_was_compared() {
        let mut report = sample::small();
        report.findings.clear();
        report.services.retain(|service| service.status == crate::report::ServiceStatus::Checked);
        let page = shown(&report, &Options::default());
        assert!(page.starts_with("✓ 2 services agree but for 1 finding accepted"), "{page}");
        assert!(page.contains("5 tables, 40 columns, 10 indexes compared on PostgreSQL 15.14"), "{page}");
        assert!(
            page.contains("svc-reviews reviews.r (prose for the portal)"),
            "accepted unknowns stay visible: {page}"
        );
    }
}
