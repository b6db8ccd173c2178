//! The first page: all services by domain, and where they stand.

use trueup_model::declared::{DeclaredService, Target};

use super::flow::minute;
use super::{Counts, Pages, badge, standing_words};
use crate::facts::table_title;
use crate::input::Standing;
use crate::links::{Members, Page};
use crate::markup::Markup;
use crate::site::domain_class;
use crate::text::{count, thousands};

/// A word of the tally, and which standings it counts.
type Kind = (&'static str, fn(&Standing) -> bool);

/// How many tables a service's card names.
const SHOWN_TABLES: usize = 12;

impl Pages<'_> {
    /// The first page.
    pub(crate) fn home(&self) -> String {
        self.shell(&Page::Home, "Services", |main| {
            main.leaf("h1", &[], "Data stores");
            self.numbers(main);
            self.verification(main);
            main.element("div", &[("class", "domains")], |domains| self.groups(domains));
            self.unchecked(main);
            self.across(main);
            self.notes(main);
        })
    }

    fn numbers(&self, out: &mut Markup) {
        let counts = Counts::of(self.input.declared);
        let all = [
            (counts.services, "service"),
            (counts.tables, "table"),
            (counts.columns, "column"),
            (counts.indexes, "index"),
            (counts.references, "reference"),
        ];
        out.element("ul", &[("class", "numbers"), ("aria-label", "How much there is")], |list| {
            for (number, noun) in all {
                let noun = count(number, noun);
                list.element("li", &[], |item| {
                    item.leaf("b", &[], &thousands(number)).text(" ");
                    item.text(noun.split_once(' ').map_or("", |(_, noun)| noun));
                });
            }
        });
        let (other, listed) = (counts.services - counts.postgres, counts.tables - counts.detailed);
        out.element("p", &[("class", "quiet")], |p| {
            p.text(&match other {
                0 => "All services are on PostgreSQL. ".to_owned(),
                _ => format!("Without PostgreSQL, so documented and never checked: {}. ", count(other, "service")),
            });
            if listed > 0 {
                p.text(&format!("Only listed, without columns: {}.", count(listed, "table")));
            }
        });
    }

    /// Where all services stand together, with what the numbers rest on.
    fn verification(&self, out: &mut Markup) {
        let Some(report) = self.input.report else {
            out.element("p", &[("class", "banner unverified")], |p| {
                p.leaf("strong", &[], "Not verified. ");
                p.text("These pages show what is intended. Nothing here says that any of it exists. ");
                p.text("Build them with the report of a check to see where the migrations agree.");
            });
            return;
        };
        for error in &report.errors {
            out.element("p", &[("class", "banner differs")], |p| {
                p.leaf("strong", &[], "The check failed. ").text(error);
            });
        }
        out.element("p", &[("class", "banner")], |p| {
            p.leaf("strong", &[], "As of the report. ");
            self.tally(p);
            let engine = report.engine.as_deref().unwrap_or("no PostgreSQL");
            p.text(" Compared on ").text(engine).text(".");
            if let Some(scope) = &report.scope {
                p.text(" The check was limited to ").text(scope).text(".");
            }
        });
        self.environments(out);
    }

    /// The environments, each with how many services are recorded there, and from when to when.
    fn environments(&self, out: &mut Markup) {
        if self.input.known.environments.is_empty() {
            out.leaf(
                "p",
                &[("class", "quiet")],
                "No environment is recorded: nothing here says what is live anywhere.",
            );
            return;
        }
        out.element("ul", &[("class", "environments"), ("aria-label", "Environments")], |list| {
            for environment in self.input.known.environments {
                list.element("li", &[], |item| {
                    item.leaf("span", &[("class", "tag")], &environment.name).text(" ");
                    item.text(&count(environment.as_of.len(), "service"));
                    let (first, last) = (environment.as_of.values().min(), environment.as_of.values().max());
                    match (first, last) {
                        (Some(first), Some(last)) if minute(first) == minute(last) => {
                            item.text(&format!(", as of {}", minute(first)))
                        }
                        (Some(first), Some(last)) => {
                            item.text(&format!(", as of {} to {}", minute(first), minute(last)))
                        }
                        _ => item,
                    };
                });
            }
        });
    }

    /// What is not checked, or could not be, and why.
    fn unchecked(&self, out: &mut Markup) {
        if self.input.report.is_none() {
            return;
        }
        let services = self.input.declared.services.iter().map(|service| (service, self.input.standing(service)));
        let is_open = |standing: &Standing| !matches!(standing, Standing::Agrees { .. } | Standing::Differs { .. });
        let open: Vec<_> = services.filter(|(_, standing)| is_open(standing)).collect();
        if open.is_empty() {
            return;
        }
        out.line().element("section", &[], |section| {
            section.leaf("h2", &[], "Not checked, and why");
            section.element("ul", &[], |list| {
                for (service, standing) in open {
                    let Some(page) = self.links.service(&service.name.value) else { continue };
                    list.element("li", &[], |item| {
                        item.leaf("a", &[("href", &Page::Home.to(&page))], &service.name.value).text(": ");
                        item.text(&match standing {
                            Standing::NotVerified => "not verified: the report does not speak of it".to_owned(),
                            other => standing_sentence(&other),
                        });
                    });
                }
            });
        });
    }

    fn tally(&self, out: &mut Markup) {
        let standings: Vec<Standing> =
            self.input.declared.services.iter().map(|service| self.input.standing(service)).collect();
        let kinds: [Kind; 5] = [
            ("agree", |standing| matches!(standing, Standing::Agrees { .. })),
            ("differ", |standing| matches!(standing, Standing::Differs { .. })),
            ("unknown", |standing| matches!(standing, Standing::Unknown(_))),
            ("not checked", |standing| matches!(standing, Standing::NotChecked(_))),
            ("not verified", |standing| *standing == Standing::NotVerified),
        ];
        let counted = kinds.iter().map(|(words, is)| (words, standings.iter().filter(|standing| is(standing)).count()));
        let shown: Vec<String> = counted.filter(|(_, n)| *n > 0).map(|(words, n)| format!("{n} {words}")).collect();
        out.text(&format!("Of {}: {}.", count(standings.len(), "service"), shown.join(", ")));
    }

    fn groups(&self, out: &mut Markup) {
        let services = &self.input.declared.services;
        let domains = &self.input.domains.domains;
        let places: Vec<_> =
            services.iter().map(|service| (self.input.domains.of(&service.name.value), service)).collect();
        let of = |wanted: Option<usize>| -> Vec<&DeclaredService> {
            places.iter().filter(|(place, _)| *place == wanted).map(|(_, service)| *service).collect()
        };
        for (position, domain) in domains.iter().enumerate() {
            self.group(&domain.name, &of(Some(position)), out);
        }
        self.group(if domains.is_empty() { "All services" } else { "In no domain" }, &of(None), out);
    }

    fn group(&self, name: &str, services: &[&DeclaredService], out: &mut Markup) {
        let Some(first) = services.first() else { return };
        let (color, breadth) = (domain_class(self.input.domains, &first.name.value), services.len().min(3));
        let class = format!("domain n{breadth} {color}");
        out.line().element("section", &[("class", &class)], |section| {
            section.element("h2", &[], |title| {
                match self
                    .input
                    .domains
                    .of(&first.name.value)
                    .and_then(|at| self.input.domains.domains[at].icon.as_deref())
                {
                    Some(icon) => super::icons::draw(icon, title),
                    None => {
                        title.shape("span", &[("class", "dot"), ("aria-hidden", "true")]);
                    }
                }
                title.text(name).text(" ");
                title.leaf("span", &[("class", "quiet")], &services.len().to_string());
            });
            section.element("ul", &[("class", "cards")], |list| {
                services.iter().for_each(|service| self.card(service, list));
            });
        });
    }

    fn card(&self, service: &DeclaredService, out: &mut Markup) {
        let Some(page) = self.links.service(&service.name.value) else { return };
        let counts = Counts::of_service(service);
        out.line().element("li", &[("class", "card")], |card| {
            card.element("div", &[("class", "card-head")], |head| {
                head.element("h3", &[], |title| {
                    title.leaf("a", &[("href", &Page::Home.to(&page))], &service.name.value);
                });
                badge(&self.input.standing(service), head);
            });
            card.element("p", &[("class", "quiet")], |p| {
                p.text(if service.engine.text.is_empty() { "no engine given" } else { &service.engine.text });
                p.text(&format!(" · {} · {}", count(counts.tables, "table"), count(counts.columns, "column")));
            });
            card.element("ul", &[("class", "chips")], |list| self.chips(service, &page, list));
        });
    }

    fn chips(&self, service: &DeclaredService, page: &Page, out: &mut Markup) {
        for table in service.tables.iter().take(SHOWN_TABLES) {
            let href = Page::Home.to_anchor(page, &self.links.table(service, table));
            let columns = table.details.as_ref().map(|details| details.columns.len());
            let class = if columns.is_some() { "chip" } else { "chip listed" };
            out.element("li", &[], |item| {
                item.element("a", &[("class", class), ("href", &href)], |link| {
                    link.text(&table_title(table));
                    if let Some(columns) = columns {
                        link.text(" ").leaf("small", &[("title", "columns")], &columns.to_string());
                    }
                });
            });
        }
        if service.tables.len() > SHOWN_TABLES {
            out.leaf("li", &[("class", "quiet")], &format!("and {} more", service.tables.len() - SHOWN_TABLES));
        }
    }

    /// References that leave their service.
    fn across(&self, out: &mut Markup) {
        let services = &self.input.declared.services;
        let rows: Vec<_> = services.iter().flat_map(|service| self.leaving(service)).collect();
        if rows.is_empty() {
            return;
        }
        out.line().element("section", &[], |section| {
            section.leaf("h2", &[], "References between services");
            section.element("p", &[("class", "quiet")], |p| {
                p.text("They are documented and their types are compared; no database enforces them.");
            });
            section.element("ul", &[("class", "across")], |list| {
                for (href, from, target_href, target) in rows {
                    list.element("li", &[], |item| {
                        item.leaf("a", &[("href", &href)], &from).text(" → ");
                        match target_href {
                            Some(href) => item.leaf("a", &[("href", &href)], &target),
                            None => item.text(&target),
                        };
                    });
                }
            });
        });
    }

    fn leaving(&self, service: &DeclaredService) -> Vec<(String, String, Option<String>, String)> {
        let Some(page) = self.links.service(&service.name.value) else { return Vec::new() };
        let mut rows = Vec::new();
        for table in &service.tables {
            let anchor = self.links.table(service, table);
            let members = Members::of(&anchor, table);
            for column in table.details.iter().flat_map(|details| &details.columns) {
                let Some(Target::Service { service: other, table: target }) =
                    column.references.as_ref().map(|reference| &reference.target)
                else {
                    continue;
                };
                let name = column.name.value.as_str();
                let href = Page::Home.to_anchor(&page, &members.column(name));
                let to = self.links.service(other).map(|page| Page::Home.to(&page));
                let target = target.as_ref().map_or_else(|| other.clone(), |target| format!("{other}.{target}"));
                rows.push((href, format!("{} {}.{name}", service.name.value, table_title(table)), to, target));
            }
        }
        rows
    }

    /// What was set aside in the inputs.
    fn notes(&self, out: &mut Markup) {
        let (notes, others) = (&self.input.domains.notes, self.input.known.notes);
        if notes.is_empty() && others.is_empty() {
            return;
        }
        out.line().element("section", &[], |section| {
            section.leaf("h2", &[], "Set aside");
            section.element("ul", &[], |list| {
                for note in notes {
                    list.element("li", &[], |item| {
                        item.text(&note.message).text(" ").leaf("code", &[], &note.at.to_string());
                    });
                }
                for note in others {
                    list.leaf("li", &[], note);
                }
            });
        });
    }
}

/// The words of a standing, with the reason where there is one.
pub(crate) fn standing_sentence(standing: &Standing) -> String {
    let (_, _, words) = standing_words(standing);
    match standing {
        Standing::NotChecked(reason) | Standing::Unknown(reason) => format!("{words}: {reason}"),
        _ => words,
    }
}
