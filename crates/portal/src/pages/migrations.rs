//! Migrations: what each made and where it is live, on a page of their own and on each service's page.

use trueup_model::declared::DeclaredService;

use super::Pages;
use super::service::section;
use crate::links::{Page, migration_anchors};
use crate::markup::Markup;
use crate::text::{count, thousands};
use crate::truth::{Live, Migration, Provenance};
use crate::words::{day, kind_words, made_words, minute};

/// How many of the latest arrivals are listed.
const LATEST: usize = 100;

/// The page of all migrations shows all of them up to so many; of more, the last of each service.
const MOST: usize = 2_000;
const SHOWN_OF_MANY: usize = 5;

/// One migration that went live somewhere.
struct Arrival<'a> {
    moment: &'a str,
    environment: &'a str,
    service: &'a DeclaredService,
    provenance: &'a Provenance,
    number: usize,
}

impl Pages<'_> {
    /// The page of all migrations.
    pub(crate) fn migrations(&self) -> String {
        self.shell(&Page::Migrations, "Migrations", |main| {
            main.leaf("h1", &[], "Migrations");
            self.migrations_banner(main);
            self.arrivals(main);
            let shown = self.shown_migrations();
            for service in &self.input.declared.services {
                let (Some(page), Some(provenance)) =
                    (self.links.service(&service.name.value), self.input.provenance(service))
                else {
                    continue;
                };
                if provenance.migrations.is_empty() {
                    continue;
                }
                main.line().element("section", &[], |section| {
                    section.element("h2", &[], |title| {
                        let href = Page::Migrations.to_anchor(&page, "migrations");
                        title.leaf("a", &[("href", &href)], &service.name.value);
                    });
                    let first = provenance.migrations.len().saturating_sub(shown);
                    if first > 0 {
                        let before = format!("The last {shown}; {} before them are on its page.", thousands(first));
                        section.leaf("p", &[("class", "quiet")], &before);
                    }
                    self.migration_table(service, provenance, first, false, section);
                });
            }
        })
    }

    /// How many migrations of one service stand on the page of all: fewer, where there are more than one page can show.
    fn shown_migrations(&self) -> usize {
        let all = self.input.declared.services.iter().filter_map(|service| self.input.provenance(service));
        if all.map(|provenance| provenance.migrations.len()).sum::<usize>() > MOST { SHOWN_OF_MANY } else { MOST }
    }

    fn migrations_banner(&self, out: &mut Markup) {
        let all = || self.input.declared.services.iter().filter_map(|service| self.input.provenance(service));
        let migrations: usize = all().map(|provenance| provenance.migrations.len()).sum();
        if all().next().is_none() {
            out.element("p", &[("class", "banner unverified")], |p| {
                p.leaf("strong", &[], "Not verified. ");
                p.text("Which migrations there are, and what they make, is known from the report of a check. ");
                p.text(if self.input.report.is_none() { "None was given." } else { "The one given does not say." });
            });
            return;
        }
        let services = count(all().count(), "service");
        out.element("p", &[("class", "banner")], |p| {
            p.text(&format!("{} of {services}, as of the report. ", count(migrations, "migration")));
            match self.input.known.main {
                Some(branch) => p.text("Merged is what is on the branch ").leaf("code", &[], branch).text(". "),
                None => p.text("Nothing is known of a main branch, so nothing counts as merged. "),
            };
            if self.input.known.environments.is_empty() {
                p.text("No environment is recorded, so nothing counts as live.");
            }
        });
    }

    /// What went live last, latest first.
    fn arrivals(&self, out: &mut Markup) {
        let mut arrivals: Vec<Arrival<'_>> =
            self.input.declared.services.iter().flat_map(|service| self.arrivals_of(service)).collect();
        if arrivals.is_empty() {
            return;
        }
        arrivals.sort_by(|a, b| b.moment.cmp(a.moment));
        let title = if arrivals.len() > LATEST { "The last that went live" } else { "What went live, latest first" };
        section("live", title, out, |section| {
            section.element("ol", &[("class", "arrivals")], |list| {
                arrivals.iter().take(LATEST).for_each(|arrival| self.arrival(arrival, list));
            });
        });
    }

    fn arrivals_of<'a>(&'a self, service: &'a DeclaredService) -> Vec<Arrival<'a>> {
        let Some(provenance) = self.input.provenance(service) else { return Vec::new() };
        let mut arrivals = Vec::new();
        for (number, migration) in provenance.migrations.iter().enumerate() {
            for (environment, live) in self.input.known.environments.iter().zip(&migration.live) {
                if let Live::Since(moment) = live {
                    let environment = environment.name.as_str();
                    arrivals.push(Arrival { moment, environment, service, provenance, number });
                }
            }
        }
        arrivals
    }

    fn arrival(&self, arrival: &Arrival<'_>, out: &mut Markup) {
        let name = &arrival.service.name.value;
        let (Some(page), Some(migration)) =
            (self.links.service(name), arrival.provenance.migrations.get(arrival.number))
        else {
            return;
        };
        let anchors = migration_anchors(&arrival.provenance.migrations);
        out.element("li", &[], |item| {
            item.leaf("time", &[("datetime", arrival.moment)], &minute(arrival.moment)).text(" ");
            item.leaf("span", &[("class", "tag")], arrival.environment).text(" ").text(name).text(" ");
            let href = Page::Migrations.to_anchor(&page, &anchors[arrival.number]);
            item.leaf("a", &[("href", &href)], &migration.label()).text(" ").text(&migration.description);
        });
    }

    /// The migrations of a service, on its page.
    pub(super) fn service_migrations(&self, service: &DeclaredService, out: &mut Markup) {
        section("migrations", "Migrations", out, |section| match self.input.provenance(service) {
            Some(provenance) if !provenance.migrations.is_empty() => {
                self.migration_table(service, provenance, 0, true, section);
            }
            Some(_) => {
                section.leaf("p", &[("class", "note")], "No migration was found.");
            }
            None => {
                let why = if !service.engine.is_postgres {
                    "Migrations are read for PostgreSQL only."
                } else {
                    "Not verified: which migrations there are, and what they make, is known from the report of a check."
                };
                section.leaf("p", &[("class", "note")], why);
            }
        });
    }

    /// The migrations of a service from the one with the number `first` on.
    fn migration_table(
        &self,
        service: &DeclaredService,
        provenance: &Provenance,
        first: usize,
        has_anchors: bool,
        out: &mut Markup,
    ) {
        let label = format!("Migrations of {}", service.name.value);
        let (anchors, counts) = (migration_anchors(&provenance.migrations), provenance.counts());
        let frame = [("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", label.as_str())];
        out.element("div", &frame, |frame| {
            frame.element("table", &[("class", "migrations")], |table| {
                table.leaf("caption", &[("class", "sr")], &label);
                self.migration_heads(service, table);
                table.element("tbody", &[], |body| {
                    let rows = provenance.migrations.iter().zip(&anchors).zip(&counts);
                    for ((migration, anchor), counts) in rows.skip(first) {
                        self.migration_row(migration, has_anchors.then_some(anchor), counts, body);
                    }
                });
            });
        });
    }

    fn migration_heads(&self, service: &DeclaredService, out: &mut Markup) {
        out.element("thead", &[], |head| {
            head.element("tr", &[], |row| {
                for title in ["Version", "Description", "Made or last wrote", "Merged"] {
                    row.leaf("th", &[("scope", "col")], title);
                }
                for environment in self.input.known.environments {
                    row.element("th", &[("scope", "col")], |head| {
                        head.text(&environment.name);
                        if let Some(moment) = environment.as_of.get(&service.name.value) {
                            let as_of = format!("as of {}", minute(moment));
                            head.void("br", &[]).leaf("small", &[("class", "quiet")], &as_of);
                        }
                    });
                }
            });
        });
    }

    fn migration_row(&self, migration: &Migration, anchor: Option<&String>, counts: &[usize; 3], out: &mut Markup) {
        let attributes: Vec<_> = anchor.iter().map(|anchor| ("id", anchor.as_str())).collect();
        out.line().element("tr", &attributes, |row| {
            row.element("th", &[("scope", "row")], |head| {
                head.leaf("code", &[("title", kind_words(migration.kind))], &migration.label());
            });
            row.element("td", &[], |cell| {
                cell.text(&migration.description).text(" ");
                cell.element("small", &[], |small| self.file(&migration.file, small));
            });
            row.leaf("td", &[], &made_words(counts));
            row.element("td", &[], |cell| self.merged(&migration.merged, cell));
            for position in 0..self.input.known.environments.len() {
                live_cell(migration.live.get(position).unwrap_or(&Live::NotRecorded), row);
            }
        });
    }
}

fn live_cell(live: &Live, out: &mut Markup) {
    out.element("td", &[], |cell| {
        match live {
            Live::NotRecorded => cell.leaf("span", &[("class", "quiet")], "no record"),
            Live::Pending => cell.text("pending"),
            Live::Unknown(why) => cell.element("span", &[("class", "sign unknown")], |sign| {
                sign.text("? ").text(why);
            }),
            Live::Since(moment) => cell.leaf("time", &[("datetime", moment), ("title", moment)], day(moment)),
        };
    });
}
