//! The diagram of a service on its page, as files beside it, and the neighbourhoods of its tables.

use std::collections::BTreeSet;

use trueup_model::declared::DeclaredService;

use super::Pages;
use super::service::{section, target_text};
use crate::erd::draw::{Picture, Targets, Title};
use crate::erd::{Erd, KEYS_ONLY_ABOVE, MOST_NEIGHBOURS};
use crate::facts::{Nullability, is_single, nullability, table_title};
use crate::links::Page;
use crate::markup::Markup;
use crate::text::count;

impl Pages<'_> {
    pub(super) fn diagram(&self, service: &DeclaredService, page: &Page, picture: &Picture, out: &mut Markup) {
        section("diagram", "Entity relationship diagram", out, |section| {
            if service.tables.is_empty() {
                section.leaf("p", &[("class", "note")], "No table is declared.");
                return;
            }
            if picture.erd.keys_only {
                let why = format!(
                    "More than {KEYS_ONLY_ABOVE} tables: the boxes show keys only. Each table's section has a picture of \
                    the table and its neighbours."
                );
                section.leaf("p", &[("class", "quiet")], &why);
            }
            let title = format!("Entity relationship diagram of {}", service.name.value);
            self.framed(service, page, picture, &Title { id: "erd", text: &title }, section);
            files(page, section);
            relations_as_text(service, section);
        });
    }

    /// A picture in a frame, whose boxes lead to the tables of this service and to the pages of others.
    fn framed(&self, service: &DeclaredService, page: &Page, picture: &Picture, title: &Title<'_>, out: &mut Markup) {
        let own = |position: usize| Some(format!("#{}", self.links.table(service, service.tables.get(position)?)));
        let other = |name: &str| self.links.service(name).map(|other| page.to(&other));
        let frame = [("class", "diagram"), ("role", "region"), ("tabindex", "0"), ("aria-label", title.text)];
        out.element("div", &frame, |frame| {
            let is_known = |name: &str| self.links.service(name).is_some();
            picture.inline(title, &Targets { table: &own, service: &other, is_known: &is_known }, frame);
        });
    }

    /// The table and its direct neighbours, closed until somebody wants it; nothing for a table without neighbours.
    pub(super) fn neighbourhood(
        &self,
        service: &DeclaredService,
        page: &Page,
        table: usize,
        neighbours: &BTreeSet<usize>,
        out: &mut Markup,
    ) {
        if neighbours.is_empty() {
            return;
        }
        let name = table_title(&service.tables[table]);
        out.element("details", &[("class", "near")], |details| {
            details.leaf("summary", &[], &near_words(neighbours.len()));
            let erd = Erd::near(service, self.input.written, table, neighbours);
            let picture = Picture::of(erd, self.layout);
            let title = Title { id: &format!("near-{table}"), text: &format!("{name} and its neighbours") };
            self.framed(service, page, &picture, &title, details);
        });
    }
}

fn near_words(neighbours: usize) -> String {
    let shown = count(neighbours.min(MOST_NEIGHBOURS), "neighbour");
    match neighbours.saturating_sub(MOST_NEIGHBOURS) {
        0 => format!("Picture: this table and its {shown}"),
        more => format!("Picture: this table and {shown}; {more} more are not shown"),
    }
}

/// The same picture as files.
fn files(page: &Page, out: &mut Markup) {
    let Page::Service(slug) = page else { return };
    out.element("p", &[("class", "files")], |p| {
        for (ending, words) in [("svg", "SVG file"), ("puml", "PlantUML source")] {
            p.leaf("a", &[("href", &format!("{slug}.{ending}")), ("download", "")], words).text(" ");
        }
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
