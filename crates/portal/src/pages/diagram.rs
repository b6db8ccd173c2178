//! The diagram of a service on its page, as files beside it, and the neighbourhoods of its tables.

use std::collections::BTreeSet;

use trueup_model::declared::DeclaredService;

use super::Pages;
use super::service::{section, target_text};
use crate::erd::draw::{Picture, Targets, Title};
use crate::erd::feet::{Feet, Foot};
use crate::erd::{self, Erd, MOST_NEIGHBOURS};
use crate::facts::table_title;
use crate::links::{LARGE_ABOVE, Page};
use crate::markup::Markup;
use crate::text::{count, thousands};

impl Pages<'_> {
    pub(super) fn diagram(&self, service: &DeclaredService, page: &Page, picture: &Picture<'_>, out: &mut Markup) {
        section("diagram", "Entity relationship diagram", out, |section| {
            if service.tables.is_empty() {
                section.leaf("p", &[("class", "note")], "No table is declared.");
                return;
            }
            if picture.erd.keys_only {
                let why = format!(
                    "More than {LARGE_ABOVE} tables: the boxes show keys only. Each table has a page, with a picture of the \
                    table and its neighbours."
                );
                section.leaf("p", &[("class", "quiet")], &why);
            }
            let title = erd::title(&service.name.value);
            self.framed(service, page, picture, &Title { id: "erd", text: &title }, section);
            files(page, section);
            relations_as_text(service, section);
        });
    }

    /// A picture in a frame, whose boxes lead to the tables of this service and to the pages of others.
    fn framed(
        &self,
        service: &DeclaredService,
        page: &Page,
        picture: &Picture<'_>,
        title: &Title<'_>,
        out: &mut Markup,
    ) {
        let own = |position: usize| self.links.to_table(page, service, service.tables.get(position)?);
        let other = |name: &str| self.links.service(name).map(|other| page.to(&other));
        let stage = |position: usize| self.input.stage(service, position).cloned();
        let frame = [("class", "diagram"), ("role", "region"), ("tabindex", "0"), ("aria-label", title.text)];
        out.element("div", &frame, |frame| {
            let is_known = |name: &str| self.links.service(name).is_some();
            let targets = Targets { table: &own, service: &other, is_known: &is_known, stage: &stage };
            picture.inline(title, &targets, frame);
        });
    }

    /// The table and its direct neighbours.
    pub(super) fn neighbourhood(
        &self,
        service: &DeclaredService,
        page: &Page,
        table: usize,
        neighbours: &BTreeSet<usize>,
        out: &mut Markup,
    ) {
        section("diagram", "Diagram", out, |section| {
            section.leaf("p", &[("class", "quiet")], &near_words(neighbours.len()));
            let picture = Picture::of(Erd::near(service, self.input.written, table, neighbours), self.layout);
            let text = format!("{} and its neighbours", table_title(&service.tables[table]));
            self.framed(service, page, &picture, &Title { id: "near", text: &text }, section);
        });
    }
}

fn near_words(neighbours: usize) -> String {
    if neighbours == 0 {
        return "This table; no other table of the service references it or is referenced.".to_owned();
    }
    let shown = count(neighbours.min(MOST_NEIGHBOURS), "neighbour");
    match neighbours.saturating_sub(MOST_NEIGHBOURS) {
        0 => format!("This table and its {shown}. Neighbours show their keys only."),
        more => format!("This table and {shown}, which show their keys only; {} more are not shown.", thousands(more)),
    }
}

/// The same picture as files, which lie beside the page.
pub(super) fn files(page: &Page, out: &mut Markup) {
    out.element("p", &[("class", "files")], |p| {
        for (ending, words) in [("svg", "SVG file"), ("puml", "PlantUML source")] {
            let path = page.beside(ending);
            let name = path.rsplit_once('/').map_or(path.as_str(), |(_, name)| name);
            p.leaf("a", &[("href", name), ("download", "")], words).text(" ");
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
                let feet = Feet::of(column, details);
                let many = if feet.referencing == Foot::Any { "any number of rows" } else { "at most one row" };
                let one = if feet.referenced == Foot::One { "one" } else { "one or no" };
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
