//! What stands about a table: how far it has come, its columns and indexes, and what references it.

use std::collections::HashMap;

use trueup_model::declared::{
    DeclaredColumn, DeclaredIndex, DeclaredService, DeclaredTable, Reference, TableDetails, Target,
};
use trueup_model::finding::Finding;

use super::Pages;
use super::findings::anchor_of;
use super::service::target_text;
use crate::facts::{self, Nullability, table_title};
use crate::links::{Members, Page, has_table_pages, migration_anchors};
use crate::markup::Markup;
use crate::stage::Judge;
use crate::text::{count, thousands};
use crate::undeclared;
use trueup_intent::written::Entry;

/// The findings about each table and each of its members, by name.
type Findings<'a> = HashMap<(&'a str, Option<&'a str>), Vec<&'a Finding>>;

/// A service, and what is known about its tables: what their sections and their pages share.
pub(crate) struct Subject<'a> {
    pub(super) pages: &'a Pages<'a>,
    pub(super) service: &'a DeclaredService,
    /// The service's own page.
    pub(super) home: &'a Page,
    findings: Findings<'a>,
    pub(super) judge: Judge<'a>,
    /// The anchors of its migrations, on the service's page.
    anchors: Vec<String>,
}

/// A subject, as a page shows it.
pub(super) struct Reader<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) page: &'a Page,
    /// The addresses of the migrations, as this page links them.
    pub(super) migrations: Vec<String>,
}

impl<'a> Subject<'a> {
    pub(crate) fn of(pages: &'a Pages<'a>, service: &'a DeclaredService, home: &'a Page) -> Self {
        let judge = Judge::of(pages.input, service);
        let anchors = judge.provenance().map_or_else(Vec::new, |known| migration_anchors(&known.migrations));
        Self { pages, service, home, findings: pages.by_object(service), judge, anchors }
    }

    pub(super) fn read_on(&'a self, page: &'a Page) -> Reader<'a> {
        let migrations = self.anchors.iter().map(|anchor| page.to_anchor(self.home, anchor)).collect();
        Reader { subject: self, page, migrations }
    }

    /// The table reference of the service's page: a section for each table, or the list of those that have pages.
    pub(super) fn tables(&self, out: &mut Markup) {
        let reader = self.read_on(self.home);
        if self.service.tables.is_empty() {
            out.leaf("p", &[("class", "note")], "No table is declared.");
        } else if has_table_pages(self.service) {
            reader.list(out);
        } else {
            (0..self.service.tables.len()).for_each(|position| reader.section(position, out));
        }
        reader.undeclared(&undeclared::tables(self.pages.input, self.service), out);
    }
}

impl<'a> Pages<'a> {
    fn by_object(&self, service: &DeclaredService) -> Findings<'a> {
        let mut findings = Findings::new();
        for finding in self.input.findings(&service.name.value) {
            if let [_, table, rest @ ..] = finding.object.path.as_slice() {
                let member = rest.first().map(trueup_model::name::Identifier::as_str);
                findings.entry((table.as_str(), member)).or_default().push(finding);
            }
        }
        findings
    }
}

/// How many of the columns that reference a table are named.
const SHOWN: usize = 60;

impl Reader<'_> {
    fn section(&self, position: usize, out: &mut Markup) {
        let table = &self.subject.service.tables[position];
        let anchor = self.subject.pages.links.table(self.subject.service, table);
        let title = format!("{anchor}-title");
        out.line().element("section", &[("class", "table"), ("id", &anchor), ("aria-labelledby", &title)], |section| {
            section.element("h3", &[("id", &title)], |heading| {
                heading.leaf("code", &[], &table_title(table));
            });
            self.about(table, section);
            self.body(position, &anchor, section);
        });
    }

    /// What is found about a table, how far it has come, and what it is.
    pub(super) fn about(&self, table: &DeclaredTable, out: &mut Markup) {
        let pages = self.subject.pages;
        self.marks(table.name.value.as_str(), None, out);
        pages.flow(&self.subject.judge.table(table), &self.migrations, out);
        if let Some(description) = &table.description {
            out.leaf("p", &[("class", "description")], description);
        }
        out.element("p", &[("class", "quiet declared-at")], |p| {
            p.text("Declared in ");
            pages.place(&table.name.at, p);
            if let Some(former) = &table.renamed_from {
                p.text(", formerly ").leaf("code", &[], former.value.as_str());
            }
        });
    }

    /// Columns, indexes, and what references the table.
    pub(super) fn body(&self, position: usize, anchor: &str, out: &mut Markup) {
        let table = &self.subject.service.tables[position];
        match &table.details {
            Some(details) => self.details(table, details, anchor, out),
            None => {
                out.leaf("p", &[("class", "note")], "Only listed: neither columns nor indexes are declared.");
            }
        }
        let service = self.subject.service;
        self.undeclared(&undeclared::of_table(self.subject.pages.input, service, table), out);
        self.referenced_by(position, out);
    }

    /// What only the migrations know, each with what was found about it.
    fn undeclared(&self, findings: &[&Finding], out: &mut Markup) {
        if findings.is_empty() {
            return;
        }
        out.element("p", &[("class", "undeclared")], |p| {
            p.text(undeclared::LABEL);
            for (number, finding) in findings.iter().take(undeclared::SHOWN).enumerate() {
                let (word, name) = undeclared::name(finding);
                p.text(if number == 0 { "" } else { ", " }).text(word);
                let href = self.page.to_anchor(self.subject.home, &anchor_of(finding));
                p.element("a", &[("href", &href)], |link| {
                    link.code(name);
                });
            }
            if findings.len() > undeclared::SHOWN {
                p.text(&format!(" and {} more", thousands(findings.len() - undeclared::SHOWN)));
            }
        });
    }

    fn referenced_by(&self, position: usize, out: &mut Markup) {
        let subject = self.subject;
        let incoming = subject.pages.input.incoming(&subject.service.name.value, position);
        if incoming.is_empty() {
            return;
        }
        out.element("p", &[("class", "incoming")], |p| {
            p.text("Referenced by ");
            for (number, from) in incoming.iter().take(SHOWN).enumerate() {
                p.text(if number == 0 { "" } else { ", " });
                let own = std::ptr::eq(from.service, subject.service);
                let service = if own { String::new() } else { format!("{} ", from.service.name.value) };
                let text = format!("{service}{}.{}", table_title(from.table), from.column.name.value);
                match subject.pages.to_column(self.page, from) {
                    Some(href) => p.leaf("a", &[("href", &href)], &text),
                    None => p.text(&text),
                };
            }
            if incoming.len() > SHOWN {
                p.text(&format!(" and {} more", thousands(incoming.len() - SHOWN)));
            }
        });
    }

    fn details(&self, table: &DeclaredTable, details: &TableDetails, anchor: &str, out: &mut Markup) {
        let members = Members::of(anchor, table);
        let label = format!("Columns of {}", table_title(table));
        scroll(&label, out, |scroll| {
            scroll.element("table", &[("class", "columns")], |grid| {
                let caption = format!("{} of {}", count(details.columns.len(), "column"), table_title(table));
                grid.leaf("caption", &[("class", "sr")], &caption);
                heads(&["Key", "Column", "Type", "Null", "Default", "Constraints and notes", "Stage"], grid);
                grid.element("tbody", &[], |body| {
                    details.columns.iter().for_each(|column| self.column(table, column, details, &members, body));
                });
            });
        });
        self.indexes(table, details, &members, out);
    }

    fn column(
        &self,
        table: &DeclaredTable,
        column: &DeclaredColumn,
        details: &TableDetails,
        members: &Members<'_>,
        out: &mut Markup,
    ) {
        let name = column.name.value.as_str();
        let entry = self.subject.pages.input.written.at(&column.name.at);
        let class = if column.primary_key.is_some() { "key" } else { "plain" };
        out.line().element("tr", &[("id", &members.column(name)), ("class", class)], |row| {
            row.element("td", &[("class", "keys")], |cell| {
                for mark in facts::marks(column, details) {
                    cell.leaf("abbr", &[("class", mark.class()), ("title", mark.words())], mark.letters());
                }
            });
            row.element("th", &[("scope", "row")], |head| {
                head.leaf("code", &[], name);
            });
            code_cell(facts::type_text(column, entry), row);
            null_cell(facts::nullability(column), row);
            code_cell(facts::default_text(column).as_deref(), row);
            row.element("td", &[("class", "more")], |cell| {
                self.constraints(column, entry, cell);
                self.marks(table.name.value.as_str(), Some(name), cell);
            });
            self.subject.pages.stage_cell(&self.subject.judge.column(table, name), &self.migrations, row);
        });
    }

    fn constraints(&self, column: &DeclaredColumn, entry: Option<&Entry>, out: &mut Markup) {
        if let Some(reference) = &column.references {
            self.reference(reference, out);
        }
        for check in &column.checks {
            out.leaf("code", &[], &facts::check_text(&check.value)).text(" ");
        }
        if column.encrypted.is_some() {
            out.leaf("span", &[("class", "tag")], "encrypted").text(" ");
        }
        if let Some(former) = &column.renamed_from {
            out.text("formerly ").leaf("code", &[], former.value.as_str()).text(" ");
        }
        for note in &column.notes {
            out.leaf("span", &[("class", "remark")], note).text(" ");
        }
        if let Some(text) = facts::unclear(column, entry, self.subject.service.engine.is_postgres) {
            out.element("span", &[("class", "as-written")], |span| {
                span.text("as written: ").leaf("code", &[], text);
            });
        }
    }

    fn reference(&self, reference: &Reference, out: &mut Markup) {
        out.element("span", &[("class", "reference")], |span| {
            span.text("→ ");
            let text = target_text(&reference.target);
            match self.href(&reference.target) {
                Some(href) => span.leaf("a", &[("href", &href)], &text),
                None => span.text(&text),
            };
            if let Some(action) = &reference.on_delete {
                span.text(" ON DELETE ").text(&action.value);
            }
        });
        out.text(" ");
    }

    fn href(&self, target: &Target) -> Option<String> {
        let (pages, service) = (self.subject.pages, self.subject.service);
        if let Some((other, position)) = pages.input.target(service, target) {
            return pages.links.to_table(self.page, other, &other.tables[position]);
        }
        match target {
            Target::Service { service, .. } => pages.links.service(service).map(|other| self.page.to(&other)),
            Target::Table { .. } | Target::UnknownKey { .. } | Target::Missing { .. } => None,
        }
    }

    fn indexes(&self, table: &DeclaredTable, details: &TableDetails, members: &Members<'_>, out: &mut Markup) {
        if details.indexes.is_empty() {
            out.leaf("p", &[("class", "quiet")], "No index is declared.");
            return;
        }
        let label = format!("Indexes of {}", table_title(table));
        scroll(&label, out, |scroll| {
            scroll.element("table", &[("class", "indexes")], |grid| {
                grid.leaf("caption", &[("class", "sr")], &label);
                heads(&["Index", "On", "Kind", "Stage"], grid);
                grid.element("tbody", &[], |body| {
                    details.indexes.iter().for_each(|index| self.index(table, index, members, body));
                });
            });
        });
    }

    fn index(&self, table: &DeclaredTable, index: &DeclaredIndex, members: &Members<'_>, out: &mut Markup) {
        let name = index.name.value.as_str();
        out.line().element("tr", &[("id", &members.index(name))], |row| {
            row.element("th", &[("scope", "row")], |head| {
                head.leaf("code", &[], name);
            });
            code_cell(Some(&facts::keys_text(index)).filter(|keys| !keys.is_empty()).map(String::as_str), row);
            row.element("td", &[("class", "more")], |cell| {
                for word in facts::index_words(index) {
                    cell.leaf("span", &[("class", "tag")], &word).text(" ");
                }
                if let Some(text) = facts::index_as_written(index, self.subject.pages.input.written.at(&index.name.at))
                {
                    cell.element("span", &[("class", "as-written")], |span| {
                        span.text("as written: ").leaf("code", &[], text);
                    });
                }
                if let Some(former) = &index.renamed_from {
                    cell.text(" formerly ").leaf("code", &[], former.value.as_str());
                }
                self.marks(table.name.value.as_str(), Some(name), cell);
            });
            self.subject.pages.stage_cell(&self.subject.judge.index(table, name), &self.migrations, row);
        });
    }

    /// Links to what was found about an object.
    fn marks(&self, table: &str, member: Option<&str>, out: &mut Markup) {
        for finding in self.subject.findings.get(&(table, member)).into_iter().flatten() {
            let href = self.page.to_anchor(self.subject.home, &anchor_of(finding));
            out.leaf("a", &[("class", "flag"), ("href", &href)], finding.rule.name()).text(" ");
        }
    }
}

/// A frame that scrolls sideways, with the keyboard too.
pub(super) fn scroll(label: &str, out: &mut Markup, inside: impl FnOnce(&mut Markup)) {
    let attributes = [("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", label)];
    out.element("div", &attributes, inside);
}

pub(super) fn heads(titles: &[&str], out: &mut Markup) {
    out.element("thead", &[], |head| {
        head.element("tr", &[], |row| {
            for title in titles {
                row.leaf("th", &[("scope", "col")], title);
            }
        });
    });
}

fn code_cell(text: Option<&str>, out: &mut Markup) {
    out.element("td", &[], |cell| {
        if let Some(text) = text {
            cell.leaf("code", &[], text);
        }
    });
}

fn null_cell(null: Nullability, out: &mut Markup) {
    let (class, words) = match null {
        Nullability::Required => ("null required", "NOT NULL"),
        Nullability::Optional => ("null", "NULL"),
        Nullability::Unknown => ("null", "unknown"),
    };
    out.leaf("td", &[("class", class)], words);
}
