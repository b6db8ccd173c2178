//! The page of a service: diagram, overview, key features, tables, findings.

use trueup_model::declared::{DeclaredService, Target};

use super::{Pages, Subject, badge};
use crate::counts::Counts;
use crate::erd::draw::Picture;
use crate::links::Page;
use crate::markup::Markup;
use crate::site::domain_class;
use crate::text::count;

impl Pages<'_> {
    /// The page of a service.
    pub(crate) fn service(&self, subject: &Subject<'_>, picture: &Picture<'_>) -> String {
        let (service, page) = (subject.service, subject.home);
        let name = &service.name.value;
        self.shell(page, name, |main| {
            let class = format!("service {}", domain_class(self.input, name));
            main.element("article", &[("class", &class), ("id", "data-store")], |article| {
                self.title(service, page, article);
                self.on_this_page(service, article);
                self.diagram(service, page, picture, article);
                section("overview", "Overview", article, |section| self.overview(service, section));
                features(service, article);
                section("tables", "Table reference", article, |section| subject.tables(section));
                self.service_migrations(service, article);
                self.service_findings(service, page, article);
            });
        })
    }

    fn title(&self, service: &DeclaredService, page: &Page, out: &mut Markup) {
        let domain = self.input.domain(&service.name.value).map(|at| self.input.domains.domains[at].name.as_str());
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
