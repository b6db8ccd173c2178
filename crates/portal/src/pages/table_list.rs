//! The tables of a large service, a row each: what stands about them is on pages of their own.

use super::tables::{Reader, heads, scroll};
use crate::facts::table_title;
use crate::markup::Markup;
use crate::text::cut;

/// Columns of text that a description may take.
const DESCRIPTION: usize = 110;

impl Reader<'_> {
    /// All tables; each row has the anchor that the table's section would have.
    pub(super) fn list(&self, out: &mut Markup) {
        let label = format!("Tables of {}", self.subject.service.name.value);
        scroll(&label, out, |scroll| {
            scroll.element("table", &[("class", "table-list")], |grid| {
                grid.leaf("caption", &[("class", "sr")], &label);
                heads(&["Table", "Columns", "Indexes", "References", "Referenced by", "Stage", "Description"], grid);
                grid.element("tbody", &[], |body| {
                    (0..self.subject.service.tables.len()).for_each(|position| self.row(position, body));
                });
            });
        });
    }

    fn row(&self, position: usize, out: &mut Markup) {
        let (subject, table) = (self.subject, &self.subject.service.tables[position]);
        let (pages, service) = (subject.pages, subject.service);
        let href = pages.links.to_table(self.page, service, table).unwrap_or_default();
        out.line().element("tr", &[("id", &pages.links.table(service, table))], |row| {
            row.element("th", &[("scope", "row")], |head| {
                head.element("a", &[("href", &href)], |link| {
                    link.leaf("code", &[], &table_title(table));
                });
            });
            let columns = table.details.as_ref().map(|details| details.columns.as_slice());
            number(columns.map(<[_]>::len), row);
            number(table.details.as_ref().map(|details| details.indexes.len()), row);
            number(columns.map(|all| all.iter().filter(|column| column.references.is_some()).count()), row);
            number(Some(pages.input.incoming(&service.name.value, position).len()), row);
            pages.stage_cell(&subject.judge.table(table), &self.migrations, row);
            row.element("td", &[("class", "quiet")], |cell| {
                match &table.description {
                    Some(description) => cell.text(&cut(description, DESCRIPTION)),
                    None if table.details.is_none() => cell.text("only listed"),
                    None => cell,
                };
            });
        });
    }
}

/// A number, or nothing where nothing is declared.
fn number(number: Option<usize>, out: &mut Markup) {
    let text = number.map_or_else(String::new, |number| number.to_string());
    out.leaf("td", &[("class", "number")], &text);
}
