//! The page of one table, where its service is too large for one page.

use std::collections::BTreeSet;

use super::service::section;
use super::tables::Reader;
use super::{Pages, Subject};
use crate::facts::table_title;
use crate::links::{Members, Page};
use crate::lookup::Incoming;
use crate::markup::Markup;
use crate::site::domain_class;
use crate::text::count;

impl Pages<'_> {
    /// The page of a table, with a picture of it and its neighbours.
    pub(crate) fn table(&self, subject: &Subject<'_>, position: usize, neighbours: &BTreeSet<usize>) -> Option<String> {
        let (service, table) = (subject.service, &subject.service.tables[position]);
        let (page, anchor) = (self.links.page_of(service, table)?, self.links.table(service, table));
        let reader = subject.read_on(&page);
        let title = format!("{} · {}", table_title(table), service.name.value);
        Some(self.shell(&page, &title, |main| {
            let class = format!("service {}", domain_class(self.input, &service.name.value));
            let heading = format!("{anchor}-title");
            let attributes = [("class", class.as_str()), ("id", &anchor), ("aria-labelledby", &heading)];
            main.element("article", &attributes, |article| {
                reader.head(position, &heading, article);
                reader.about(table, article);
                self.neighbourhood(service, &page, position, neighbours, article);
                section("columns", "Columns and indexes", article, |section| reader.body(position, &anchor, section));
            });
        }))
    }

    /// The address of a column, as a page links it.
    pub(super) fn to_column(&self, from: &Page, column: &Incoming<'_>) -> Option<String> {
        let anchor = self.links.table(column.service, column.table);
        let member = Members::of(&anchor, column.table).column(column.column.name.value.as_str());
        Some(from.to_anchor(&self.links.page_of(column.service, column.table)?, &member))
    }
}

impl Reader<'_> {
    fn head(&self, position: usize, heading: &str, out: &mut Markup) {
        let (subject, table) = (self.subject, &self.subject.service.tables[position]);
        out.element("nav", &[("class", "trail"), ("aria-label", "Breadcrumb")], |nav| {
            nav.leaf("a", &[("href", &self.page.to(&Page::Home))], "Services").text(" / ");
            nav.shape("span", &[("class", "dot"), ("aria-hidden", "true")]);
            let list = self.page.to_anchor(subject.home, "tables");
            nav.leaf("a", &[("href", &list)], &subject.service.name.value).text(" / ").text(&table_title(table));
        });
        out.element("div", &[("class", "title")], |title| {
            title.element("h1", &[("id", heading)], |title| {
                title.leaf("code", &[], &table_title(table));
            });
        });
        let Some(details) = &table.details else { return };
        let sizes = [(details.columns.len(), "column"), (details.indexes.len(), "index")];
        let sizes: Vec<String> = sizes.into_iter().map(|(number, noun)| count(number, noun)).collect();
        out.leaf("p", &[("class", "quiet")], &sizes.join(" · "));
    }
}
