//! The page of a service: diagram, overview, key features, tables, findings.

use trueup_model::declared::{DeclaredService, Target};

use super::{Counts, Pages, badge};
use crate::erd::draw::{Targets, draw};
use crate::erd::{Erd, KEYS_ONLY_ABOVE};
use crate::facts::{Nullability, is_single, nullability, table_title};
use crate::links::Page;
use crate::markup::Markup;
use crate::site::domain_class;
use crate::text::count;

impl Pages<'_> {
    /// The page of a service.
    pub(crate) fn service(&self, service: &DeclaredService, page: &Page) -> String {
        let name = &service.name.value;
        self.shell(page, name, |main| {
            let class = format!("service {}", domain_class(self.input.domains, name));
            main.element("article", &[("class", &class), ("id", "data-store")], |article| {
                self.title(service, page, article);
                self.on_this_page(service, article);
                self.diagram(service, page, article);
                section("overview", "Overview", article, |section| self.overview(service, section));
                features(service, article);
                section("tables", "Table reference", article, |section| self.tables(service, page, section));
                self.service_migrations(service, article);
                self.service_findings(service, page, article);
            });
        })
    }

    fn title(&self, service: &DeclaredService, page: &Page, out: &mut Markup) {
        let domain = self.input.domains.of(&service.name.value).map(|at| self.input.domains.domains[at].name.as_str());
        out.element("nav", &[("class", "trail"), ("aria-label", "Breadcrumb")], |nav| {
            nav.leaf("a", &[("href", &page.to(&Page::Home))], "Services").text(" / ");
            nav.shape("span", &[("class", "dot"), ("aria-hidden", "true")]).text(domain.unwrap_or("in no domain"));
        });
        out.element("div", &[("class", "title")], |title| {
            title.leaf("h1", &[], &service.name.value);
            badge(&self.input.standing(service), title);
        });
        let counts = Counts::of_service(service);
        out.element("p", &[("class", "quiet")], |p| {
            let parts = [
                (counts.tables, "table"),
                (counts.columns, "column"),
                (counts.indexes, "index"),
                (counts.references, "reference"),
            ];
            let parts: Vec<String> = parts.into_iter().map(|(number, noun)| count(number, noun)).collect();
            p.text(&parts.join(" · "));
        });
    }

    fn on_this_page(&self, service: &DeclaredService, out: &mut Markup) {
        let findings = self.input.findings(&service.name.value).len();
        let mut parts = vec![("diagram", "Diagram".to_owned()), ("overview", "Overview".to_owned())];
        if !service.prose.features.is_empty() {
            parts.push(("features", "Key features".to_owned()));
        }
        // Without a report a number would look like an answer.
        let findings = self.input.report.map_or_else(|| "Findings".to_owned(), |_| format!("Findings ({findings})"));
        parts.push(("tables", "Table reference".to_owned()));
        parts.push(("migrations", "Migrations".to_owned()));
        parts.push(("findings", findings));
        out.element("nav", &[("class", "on-page"), ("aria-label", "On this page")], |nav| {
            nav.element("ul", &[], |list| {
                for (anchor, words) in parts {
                    list.element("li", &[], |item| {
                        item.leaf("a", &[("href", &format!("#{anchor}"))], &words);
                    });
                }
            });
        });
    }

    fn diagram(&self, service: &DeclaredService, page: &Page, out: &mut Markup) {
        section("diagram", "Entity relationship diagram", out, |section| {
            if service.tables.is_empty() {
                section.leaf("p", &[("class", "note")], "No table is declared.");
                return;
            }
            let erd = Erd::of(service, self.input.written);
            if erd.keys_only {
                let why = format!("More than {KEYS_ONLY_ABOVE} tables: the boxes show keys only.");
                section.leaf("p", &[("class", "quiet")], &why);
            }
            let tables: Vec<String> = service.tables.iter().map(|table| self.links.table(service, table)).collect();
            let other = |name: &str| self.links.service(name).map(|other| page.to(&other));
            let frame = [("class", "diagram"), ("role", "region"), ("tabindex", "0"), ("aria-label", "Diagram")];
            section.element("div", &frame, |frame| {
                draw(&erd, &service.name.value, &Targets { tables: &tables, service: &other }, self.layout, frame);
            });
            relations_as_text(service, section);
        });
    }
}

/// A section with a heading and an anchor.
pub(super) fn section(id: &str, title: &str, out: &mut Markup, inside: impl FnOnce(&mut Markup)) {
    out.line().element("section", &[("id", id)], |section| {
        section.leaf("h2", &[], title);
        inside(section);
    });
}

fn features(service: &DeclaredService, out: &mut Markup) {
    if service.prose.features.is_empty() {
        return;
    }
    section("features", "Key features", out, |section| {
        section.element("ul", &[("class", "features")], |list| {
            for feature in &service.prose.features {
                list.leaf("li", &[], feature);
            }
        });
    });
}

/// The lines of the diagram in words, for those who cannot see it.
fn relations_as_text(service: &DeclaredService, out: &mut Markup) {
    let sentences: Vec<String> = service
        .tables
        .iter()
        .flat_map(|table| {
            let columns =
                table.details.iter().flat_map(|details| details.columns.iter().map(move |column| (details, column)));
            columns.filter_map(move |(details, column)| {
                let target = target_text(&column.references.as_ref()?.target);
                let many = if is_single(column, details) { "at most one row" } else { "any number of rows" };
                let one = if nullability(column) == Nullability::Required { "one" } else { "one or no" };
                Some(format!("{}.{} → {target}: {many} to {one} row", table_title(table), column.name.value))
            })
        })
        .collect();
    if sentences.is_empty() {
        return;
    }
    out.element("details", &[], |details| {
        details.leaf("summary", &[], "The relations as text");
        details.element("ul", &[], |list| {
            for sentence in &sentences {
                list.leaf("li", &[], sentence);
            }
        });
    });
}

/// What a reference points at, in words.
pub(crate) fn target_text(target: &Target) -> String {
    match target {
        Target::Table { table, column: Some(column) } => format!("{table}.{column}"),
        Target::Table { table, column: None } => table.as_str().to_owned(),
        Target::UnknownKey { table } => format!("{table} (its key is not declared)"),
        Target::Service { service, table: Some(table) } => format!("{service}.{table} (another service)"),
        Target::Service { service, table: None } => format!("{service} (another service)"),
        Target::Missing { text } => format!("{text} (not in the intent)"),
    }
}
