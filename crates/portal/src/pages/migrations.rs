//! Migrations: what each made and where it is live, on a page of their own and on each service's page.

use trueup_model::declared::DeclaredService;

use super::Pages;
use super::service::section;
use crate::arrivals::{Arrival, LATEST, arrivals, shown_migrations};
use crate::links::{Page, migration_anchors};
use crate::markup::Markup;
use crate::tally::unseen;
use crate::text::thousands;
use crate::truth::{Live, Migration, Provenance};
use crate::words::{UNSEEN, as_of_the_report, day, kind_words, made_words, migrations_words, minute, no_migrations};

impl Pages<'_> {
    /// The page of all migrations.
    pub(crate) fn migrations(&self) -> String {
        self.shell(&Page::Migrations, "Migrations", |main| {
            main.leaf("h1", &[], "Migrations");
            self.migrations_banner(main);
            self.arrivals(main);
            let shown = shown_migrations(self.input);
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
            self.open(&Page::Migrations, "unseen", UNSEEN, &unseen(self.input), main);
        })
    }

    fn migrations_banner(&self, out: &mut Markup) {
        match migrations_words(self.input) {
            Err(why) => out.element("p", &[("class", "banner unverified")], |p| {
                p.leaf("strong", &[], "Not verified. ").text(&why);
            }),
            Ok(sentences) => out.leaf("p", &[("class", "banner")], &sentences.join(" ")),
        };
    }

    /// What went live last, latest first.
    fn arrivals(&self, out: &mut Markup) {
        let arrivals = arrivals(self.input);
        if arrivals.is_empty() {
            return;
        }
        let title = if arrivals.len() > LATEST { "The last that went live" } else { "What went live, latest first" };
        section("live", title, out, |section| {
            section.element("ol", &[("class", "arrivals")], |list| {
                arrivals.iter().take(LATEST).for_each(|arrival| self.arrival(arrival, list));
            });
        });
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
                if let Some(why) = self.input.outdated(service) {
                    section.leaf("p", &[("class", "note")], &as_of_the_report(why));
                }
                self.migration_table(service, provenance, 0, true, section);
            }
            _ => {
                section.leaf("p", &[("class", "note")], &no_migrations(self.input, service));
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
