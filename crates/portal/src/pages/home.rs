//! The first page: all services by domain, and where they stand.

use trueup_model::declared::{DeclaredService, Target};

use super::service::section;
use super::{Pages, badge, standing_words};
use crate::counts::Counts;
use crate::facts::table_title;
use crate::input::Standing;
use crate::links::Page;
use crate::lookup::Incoming;
use crate::markup::Markup;
use crate::site::domain_class;
use crate::tally::{self, Open};
use crate::text::{count, thousands};
use crate::words::found_in_yaml;

/// How many tables a service's card names; none, where there are more services than a page can show with theirs.
const SHOWN_TABLES: usize = 12;
const NAMED_UP_TO: usize = 200;

/// How many references between services are listed.
const SHOWN_REFERENCES: usize = 100;

/// What is said of an intent without a service.
pub(crate) const NO_SERVICE: &str = "No service is declared. Each key at the left margin of the YAML would be one.";

impl Pages<'_> {
    /// The first page.
    pub(crate) fn home(&self) -> String {
        self.shell(&Page::Home, "Services", |main| {
            main.leaf("h1", &[], self.input.known.title());
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
        out.element("ul", &[("class", "numbers"), ("aria-label", "How much there is")], |list| {
            for (number, noun) in counts.parts() {
                let noun = count(number, noun);
                list.element("li", &[], |item| {
                    item.leaf("b", &[], &thousands(number)).text(" ");
                    item.text(noun.split_once(' ').map_or("", |(_, noun)| noun));
                });
            }
        });
        let (other, listed) = (counts.services - counts.postgres, counts.tables - counts.detailed);
        out.element("p", &[("class", "quiet")], |p| {
            p.text(&match (counts.services, other) {
                (0, _) => NO_SERVICE.to_owned(),
                (_, 0) => "All services are on PostgreSQL. ".to_owned(),
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
                if let Some(found) = found_in_yaml(self.input) {
                    p.text(" ").leaf("a", &[("href", &Page::Home.to(&Page::Findings))], &found);
                }
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
            p.text(&tally::tally(self.input));
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
            out.leaf("p", &[("class", "quiet")], tally::NO_ENVIRONMENT);
            return;
        }
        out.element("ul", &[("class", "environments"), ("aria-label", "Environments")], |list| {
            for (name, words) in tally::environments(self.input) {
                list.element("li", &[], |item| {
                    item.leaf("span", &[("class", "tag")], name).text(" ").text(&words);
                });
            }
        });
    }

    /// What is not checked, or could not be, and why.
    fn unchecked(&self, out: &mut Markup) {
        self.open(&Page::Home, "unchecked", "Not checked, and why", &tally::unchecked(self.input), out);
    }

    /// Services of which something is not known, each with the reason.
    pub(super) fn open(&self, from: &Page, id: &str, title: &str, open: &[Open<'_>], out: &mut Markup) {
        if open.is_empty() {
            return;
        }
        section(id, title, out, |section| {
            section.element("ul", &[], |list| {
                for (service, why) in open.iter().take(tally::SHOWN) {
                    let Some(page) = self.links.service(&service.name.value) else { continue };
                    list.element("li", &[], |item| {
                        item.leaf("a", &[("href", &from.to(&page))], &service.name.value).text(": ").text(why);
                    });
                }
            });
            if let Some(more) = tally::more(open.len()) {
                section.leaf("p", &[("class", "quiet")], &more);
            }
        });
    }

    fn groups(&self, out: &mut Markup) {
        let domains = &self.input.domains.domains;
        let mut by_domain: Vec<Vec<&DeclaredService>> = vec![Vec::new(); domains.len() + 1];
        for service in &self.input.declared.services {
            by_domain[self.input.domain(&service.name.value).unwrap_or(domains.len())].push(service);
        }
        let rest = if domains.is_empty() { "All services" } else { "In no domain" };
        let names = domains.iter().map(|domain| domain.name.as_str()).chain([rest]);
        names.zip(&by_domain).for_each(|(name, services)| self.group(name, services, out));
    }

    fn group(&self, name: &str, services: &[&DeclaredService], out: &mut Markup) {
        let Some(first) = services.first() else { return };
        let (color, breadth) = (domain_class(self.input, &first.name.value), services.len().min(3));
        let class = format!("domain n{breadth} {color}");
        out.line().element("section", &[("class", &class)], |section| {
            section.element("h2", &[], |title| {
                let domain = self.input.domain(&first.name.value).map(|at| &self.input.domains.domains[at]);
                match domain.and_then(|domain| domain.icon.as_deref()) {
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
            if self.input.declared.services.len() <= NAMED_UP_TO {
                card.element("ul", &[("class", "chips")], |list| self.chips(service, list));
            }
        });
    }

    fn chips(&self, service: &DeclaredService, out: &mut Markup) {
        for table in service.tables.iter().take(SHOWN_TABLES) {
            let Some(href) = self.links.to_table(&Page::Home, service, table) else { continue };
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
        let leaving = || self.input.declared.services.iter().flat_map(|service| self.leaving(service));
        let all = leaving().count();
        if all == 0 {
            return;
        }
        out.line().element("section", &[], |section| {
            section.leaf("h2", &[], "References between services");
            section.element("p", &[("class", "quiet")], |p| {
                p.text("They are documented and their types are compared; no database enforces them.");
            });
            section.element("ul", &[("class", "across")], |list| {
                leaving().take(SHOWN_REFERENCES).for_each(|one| self.reference_row(&one, list));
            });
            if all > SHOWN_REFERENCES {
                section.element("p", &[("class", "quiet")], |p| {
                    p.text(&format!("And {} more. ", thousands(all - SHOWN_REFERENCES)));
                    let href = Page::Home.to_anchor(&Page::Map, "references");
                    p.leaf("a", &[("href", &href)], "All of them, by service");
                });
            }
        });
    }

    fn reference_row(&self, (from, target): &(Incoming<'_>, &Target), out: &mut Markup) {
        let Target::Service { service, table } = target else { return };
        out.element("li", &[], |item| {
            let name = format!("{} {}.{}", from.service.name.value, table_title(from.table), from.column.name.value);
            match self.to_column(&Page::Home, from) {
                Some(href) => item.leaf("a", &[("href", &href)], &name),
                None => item.text(&name),
            };
            item.text(" → ");
            let text = table.as_ref().map_or_else(|| service.clone(), |table| format!("{service}.{table}"));
            let found = self.input.target(from.service, target);
            let href = match found {
                Some((other, position)) => self.links.to_table(&Page::Home, other, &other.tables[position]),
                None => self.links.service(service).map(|page| Page::Home.to(&page)),
            };
            match href {
                Some(href) => item.leaf("a", &[("href", &href)], &text),
                None => item.text(&text),
            };
        });
    }

    fn leaving<'s>(&self, service: &'s DeclaredService) -> impl Iterator<Item = (Incoming<'s>, &'s Target)> {
        let columns = service.tables.iter().flat_map(|table| {
            let columns = table.details.iter().flat_map(|details| &details.columns);
            columns.map(move |column| (table, column))
        });
        columns.filter_map(move |(table, column)| {
            let target = &column.references.as_ref()?.target;
            matches!(target, Target::Service { .. }).then_some((Incoming { service, table, column }, target))
        })
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
