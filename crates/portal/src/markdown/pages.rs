//! Whole pages for MkDocs Material and Backstage TechDocs, with the same content as the site.

use std::collections::BTreeSet;

use trueup_model::declared::{DeclaredService, DeclaredTable};
use trueup_model::finding::Finding;

use super::outward;
use super::section::{Setting, sizes};
use super::stages::Stages;
use super::text::{Inline, Markdown};
use crate::by_rule::{OfRule, by_rule};
use crate::counts::Counts;
use crate::input::{Accepted, Standing};
use crate::links::{Links, Page, has_table_pages};
use crate::lookup::Lookup;
use crate::pages::NO_SERVICE;
use crate::pages::findings::OPEN;
use crate::pages::guide::stages;
use crate::pages::standing_words;
use crate::tally::{self, Open};
use crate::text::{count, thousands};
use crate::words::{as_of_the_report, found_in_yaml, no_finding, stage_words};

/// The pages, apart from where their files lie.
pub(super) struct Book<'a> {
    pub(super) input: &'a Lookup<'a>,
    pub(super) links: &'a Links,
}

/// The Markdown file of a page, relative to `docs`.
pub(super) fn file(page: &Page) -> String {
    page.path().replace(".html", ".md")
}

/// The address of a page, as another page links it.
pub(super) fn href(from: &Page, to: &Page) -> String {
    format!("{}{}", from.root(), file(to))
}

impl Book<'_> {
    /// The first page: all services by domain, and where they stand.
    pub(super) fn home(&self) -> String {
        let mut out = Markdown::default();
        out.heading(1, "data-stores", &Inline::of(self.input.known.title()));
        self.numbers(&mut out);
        self.verification(&mut out);
        for (number, (name, services)) in groups(self.input).into_iter().enumerate() {
            out.heading(2, &format!("domain-{number}"), &Inline::of(name));
            let rows: Vec<_> = services.iter().filter_map(|service| self.row(service)).collect();
            out.table(&["Service", "Engine", "Size", "Stands"], &rows);
        }
        self.open(&Page::Home, "unchecked", "Not checked, and why", &tally::unchecked(self.input), &mut out);
        self.set_aside(&mut out);
        out.finish()
    }

    /// How much there is.
    fn numbers(&self, out: &mut Markdown) {
        let counts = Counts::of(self.input.declared);
        let parts = counts.parts().map(|(number, noun)| count(number, noun));
        let (other, listed) = (counts.services - counts.postgres, counts.tables - counts.detailed);
        let mut line = Inline::of(&format!("{}.", parts.join(", ")));
        if counts.services == 0 {
            line.text(" ").text(NO_SERVICE);
        }
        if other > 0 {
            let other = count(other, "service");
            line.text(&format!(" Without PostgreSQL, so documented and never checked: {other}."));
        }
        if listed > 0 {
            line.text(&format!(" Only listed, without columns: {}.", count(listed, "table")));
        }
        out.paragraph(&line);
    }

    /// Services of which something is not known, each with the reason.
    pub(super) fn open(&self, from: &Page, anchor: &str, title: &str, open: &[Open<'_>], out: &mut Markdown) {
        if open.is_empty() {
            return;
        }
        out.heading(2, anchor, &Inline::of(title));
        let item = |(service, why): &Open<'_>| {
            let mut item = Inline::new();
            item.link(&href(from, &self.links.service(&service.name.value)?), &Inline::of(&service.name.value));
            item.text(": ").text(why);
            Some(item)
        };
        out.list(&open.iter().take(tally::SHOWN).filter_map(item).collect::<Vec<_>>());
        if let Some(more) = tally::more(open.len()) {
            out.paragraph(&Inline::of(&more));
        }
    }

    fn verification(&self, out: &mut Markdown) {
        let Some(report) = self.input.report else {
            let mut line = Inline::new();
            line.strong("Not verified.").text(
                " These pages show what is intended. Nothing here says that any of it exists. Build them with the report of a \
                check to see where the migrations agree.",
            );
            if let Some(found) = found_in_yaml(self.input) {
                line.text(" ").link(&href(&Page::Home, &Page::Findings), &Inline::of(&found));
            }
            out.paragraph(&line);
            return;
        };
        for error in &report.errors {
            let mut line = Inline::new();
            out.paragraph(line.strong("The check failed.").text(" ").text(error));
        }
        let mut line = Inline::new();
        line.strong("As of the report.").text(" ").text(&tally::tally(self.input)).text(" Compared on ");
        line.text(report.engine.as_deref().unwrap_or("no PostgreSQL")).text(".");
        if let Some(scope) = &report.scope {
            line.text(" The check was limited to ").text(scope).text(".");
        }
        out.paragraph(&line);
        self.environments(out);
    }

    fn environments(&self, out: &mut Markdown) {
        let environments = tally::environments(self.input);
        if environments.is_empty() {
            out.paragraph(&Inline::of(tally::NO_ENVIRONMENT));
        }
        let item = |(name, words): &(&str, String)| {
            let mut item = Inline::new();
            item.strong(name).text(" ").text(words);
            item
        };
        out.list(&environments.iter().map(item).collect::<Vec<_>>());
    }

    fn row(&self, service: &DeclaredService) -> Option<Vec<Inline>> {
        let page = self.links.service(&service.name.value)?;
        let mut name = Inline::new();
        name.link(&href(&Page::Home, &page), &Inline::of(&service.name.value));
        let engine = if service.engine.text.is_empty() { "no engine given" } else { &service.engine.text };
        Some(vec![name, Inline::of(engine), Inline::of(&sizes(service)), badge(&self.input.standing(service))])
    }

    fn set_aside(&self, out: &mut Markdown) {
        let (notes, others) = (&self.input.domains.notes, self.input.known.notes);
        if notes.is_empty() && others.is_empty() {
            return;
        }
        out.heading(2, "set-aside", &Inline::of("Set aside"));
        let placed = notes.iter().map(|note| {
            let mut item = Inline::of(&note.message);
            item.text(" ").code(&note.at.to_string());
            item
        });
        let items: Vec<Inline> = placed.chain(others.iter().map(|note| Inline::of(note))).collect();
        out.list(&items);
    }

    /// The page of a service.
    pub(super) fn service(
        &self,
        service: &DeclaredService,
        page: &Page,
        stages: Option<&Stages<'_>>,
        picture: Option<&str>,
    ) -> String {
        let mut out = Markdown::default();
        out.heading(1, "service", &Inline::of(&service.name.value));
        let mut line = badge(&self.input.standing(service));
        line.text(" · ").text(&sizes(service));
        out.paragraph(&line);
        let other = |other: &Page| Some(href(page, other));
        let to_table = |table: &_| self.to_table(page, service, table).unwrap_or_default();
        let setting = Setting {
            input: self.input,
            links: self.links,
            picture,
            other: &other,
            prefix: "",
            table: &to_table,
            stages,
            home: Some(""),
            lists_tables: has_table_pages(service),
        };
        setting.write(service, &mut out);
        self.service_migrations(service, &mut out);
        self.service_findings(service, page, &mut out);
        out.finish()
    }

    /// The address of a table, as a page links it.
    pub(super) fn to_table(&self, from: &Page, service: &DeclaredService, table: &DeclaredTable) -> Option<String> {
        let (page, anchor) = (self.links.page_of(service, table)?, self.links.table(service, table));
        Some(if page == *from { format!("#{anchor}") } else { format!("{}#{anchor}", href(from, &page)) })
    }

    fn service_findings(&self, service: &DeclaredService, page: &Page, out: &mut Markdown) {
        let name = &service.name.value;
        out.heading(2, "findings", &Inline::of("Findings"));
        let findings = self.input.findings(name);
        let mut line = Inline::new();
        if self.input.report.is_none() {
            line.text("Not verified: no report of a check was given. ");
        } else if let Some(why) = self.input.outdated(service) {
            line.text(&as_of_the_report(why)).text(" ");
        } else if findings.is_empty() {
            line.text(&no_finding(&self.input.standing(service))).text(" ");
        }
        line.link(&href(page, &Page::Guide), &Inline::of("How to read this"));
        out.paragraph(&line);
        list(self.input, findings, out);
        accepted(self.input.accepted(name), out);
    }

    /// All findings.
    pub(super) fn findings(&self) -> String {
        let mut out = Markdown::default();
        out.heading(1, "all-findings", &Inline::of("Findings"));
        let all = self.input.report.map_or(self.input.reading, |report| report.findings.as_slice());
        let found = count(all.len(), "finding");
        out.paragraph(&Inline::of(&match self.input.report {
            None => format!("Not verified: no report of a check was given. Reading the YAML alone gave {found}."),
            Some(_) => format!("{found} as of the report. What was accepted is listed with its service."),
        }));
        self.rules(all, &mut out);
        for service in &self.input.declared.services {
            let findings = self.input.findings(&service.name.value);
            let Some(page) = self.links.service(&service.name.value).filter(|_| !findings.is_empty()) else { continue };
            let Page::Service(slug) = &page else { continue };
            out.heading(2, &format!("of-{slug}"), &Inline::of(&service.name.value));
            let mut line = badge(&self.input.standing(service));
            line.text(" ").link(&format!("{}#findings", href(&Page::Findings, &page)), &Inline::of("its page"));
            out.paragraph(&line);
            list(self.input, findings, &mut out);
        }
        let known: BTreeSet<&str> =
            self.input.declared.services.iter().map(|service| service.name.value.as_str()).collect();
        let strays: Vec<&Finding> = all.iter().filter(|finding| !known.contains(finding.service.as_str())).collect();
        if !strays.is_empty() {
            out.heading(2, "elsewhere", &Inline::of("Not of a service of the intent"));
            list(self.input, &strays, &mut out);
        }
        out.finish()
    }

    /// How often each rule found something; a few findings speak for themselves.
    fn rules(&self, all: &[Finding], out: &mut Markdown) {
        if all.len() <= OPEN {
            return;
        }
        out.heading(2, "by-rule", &Inline::of("By rule"));
        let row = |one: &OfRule<'_>| {
            let numbers = [one.findings, one.services].map(|number| Inline::of(&thousands(number)));
            [vec![Inline::of(one.rule.name())], numbers.to_vec()].concat()
        };
        let rows: Vec<Vec<Inline>> = by_rule(all).iter().map(row).collect();
        out.table(&["Rule", "Findings", "Services"], &rows);
    }

    /// How to read the pages.
    pub(super) fn guide(&self) -> String {
        let mut out = Markdown::default();
        out.heading(1, "how-to-read", &Inline::of("How to read these pages"));
        for text in GUIDE {
            out.paragraph(&Inline::of(text));
        }
        let rows: Vec<Vec<Inline>> = BADGES
            .iter()
            .map(|(sign, meaning)| {
                let mut badge = Inline::new();
                badge.strong(sign);
                vec![badge, Inline::of(meaning)]
            })
            .collect();
        out.table(&["Badge", "Meaning"], &rows);
        out.heading(2, "stages", &Inline::of("Stages of tables, columns and indexes"));
        out.paragraph(&Inline::of(
            "A table has a line with its stage; each column and index has its sign, and the migration that made it or last wrote it. \
             A table is only done when all of its columns and indexes are; where some are owed or different, it says so: in part.",
        ));
        let rows: Vec<Vec<Inline>> = stages()
            .into_iter()
            .map(|(stage, is_done, meaning)| {
                let (_, sign, words) = stage_words(self.input, &stage, is_done);
                let mut badge = Inline::new();
                badge.strong(&format!("{sign} {words}"));
                vec![badge, Inline::of(meaning)]
            })
            .collect();
        out.table(&["Stage", "Meaning"], &rows);
        out.finish()
    }
}

const GUIDE: [&str; 3] = [
    "Everything here is made from the intent: the YAML in which the architects say what data each service keeps. It shows \
     what is meant to be. Whether it came true is said by badges, and only when the pages were built with the report of a check.",
    "In a diagram a box is a table, and a line ends at the column's row. A dashed line is a logical reference, which no \
     database enforces; a rounded badge is another service, a dotted one is not in the intent. PK is a primary key, FK a \
     reference, UQ a unique column, NN a column that may not be empty.",
    "A table that is only listed exists by name, and nothing else is said about it. As written gives the author's own words \
     where they say more than was understood.",
];

const BADGES: [(&str, &str); 5] = [
    ("○ not verified", "no report was given, or it does not speak of this service. Nothing is known."),
    ("✓ agrees", "the migrations were replayed and produce what is declared, as of the report."),
    ("✗ 3 findings", "so many findings count: the YAML and the migrations say different things."),
    ("? unknown", "it could not be compared, or part of it was not understood."),
    ("– not checked", "deliberately left out, for example because the engine is not PostgreSQL."),
];

/// Services by domain, in order; domains without any are left out.
pub(super) fn groups<'a>(input: &Lookup<'a>) -> Vec<(&'a str, Vec<&'a DeclaredService>)> {
    let domains = &input.domains.domains;
    let mut by_domain: Vec<Vec<&DeclaredService>> = vec![Vec::new(); domains.len() + 1];
    for service in &input.declared.services {
        by_domain[input.domain(&service.name.value).unwrap_or(domains.len())].push(service);
    }
    let rest = if domains.is_empty() { "All services" } else { "In no domain" };
    let names = domains.iter().map(|domain| domain.name.as_str()).chain([rest]);
    names.zip(by_domain).filter(|(_, services)| !services.is_empty()).collect()
}

fn badge(standing: &Standing) -> Inline {
    let (_, sign, words) = standing_words(standing);
    let mut badge = Inline::new();
    badge.strong(&format!("{sign} {words}"));
    badge
}

fn list(input: &Lookup<'_>, findings: &[&Finding], out: &mut Markdown) {
    if findings.is_empty() {
        return;
    }
    let rows: Vec<Vec<Inline>> = findings
        .iter()
        .map(|finding| {
            let object = finding.object.to_string();
            let mut case = Inline::new();
            case.prose(&finding.message);
            if !finding.help.is_empty() {
                case.text("; ").prose(&finding.help);
            }
            if let Some(sql) = &finding.fix {
                case.text(" ").code(sql);
            }
            let mut places = Inline::new();
            for (position, place) in finding.locations().enumerate() {
                places.text(if position == 0 { "" } else { " " }).append(&outward::place(input, place));
            }
            let object = if object.is_empty() { &finding.service } else { &object };
            vec![Inline::of(finding.rule.name()), Inline::of_code(object), case, places]
        })
        .collect();
    out.table(&["Rule", "Object", "What is the case", "Where"], &rows);
}

fn accepted(accepted: &[&Accepted], out: &mut Markdown) {
    if accepted.is_empty() {
        return;
    }
    out.heading(3, "accepted", &Inline::of("Accepted"));
    let items: Vec<Inline> = accepted
        .iter()
        .map(|entry| {
            let mut item = Inline::of(entry.finding.rule.name());
            item.text(" ").code(&entry.finding.object.to_string()).text(": ").prose(&entry.finding.message);
            item.text(" (").text(&entry.by);
            match &entry.reason {
                Some(reason) => item.text(": ").text(reason).text(")"),
                None => item.text(", without a reason)"),
            };
            item
        })
        .collect();
    out.list(&items);
}
