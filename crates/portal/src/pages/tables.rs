//! The table reference: every table with its columns and indexes.

use std::collections::{BTreeSet, HashMap};

use trueup_model::declared::{
    DeclaredColumn, DeclaredIndex, DeclaredService, DeclaredTable, Reference, TableDetails, Target,
};
use trueup_model::finding::Finding;

use super::Pages;
use super::findings::anchor_of;
use super::service::target_text;
use crate::erd::Erd;
use crate::facts::{self, Nullability, find_table, table_title};
use crate::links::{Members, Page, migration_anchors};
use crate::markup::Markup;
use crate::stage::Judge;
use crate::text::count;
use crate::written::Entry;

/// The findings about each table and each of its members, by name.
type Findings<'a> = HashMap<(&'a str, Option<&'a str>), Vec<&'a Finding>>;

/// What the sections of a service's tables share.
struct Reader<'a> {
    pages: &'a Pages<'a>,
    service: &'a DeclaredService,
    page: &'a Page,
    findings: Findings<'a>,
    judge: Judge<'a>,
    /// Where the migrations stand on the page.
    migrations: Vec<String>,
    /// The neighbours of each table, where each has a picture of its own.
    neighbours: Vec<BTreeSet<usize>>,
}

impl Pages<'_> {
    /// One section a table.
    pub(super) fn tables(&self, service: &DeclaredService, page: &Page, erd: &Erd, out: &mut Markup) {
        if service.tables.is_empty() {
            out.leaf("p", &[("class", "note")], "No table is declared.");
        }
        let judge = Judge::of(self.input, service);
        let migrations = judge.provenance().map_or_else(Vec::new, |known| migration_anchors(&known.migrations));
        let neighbours = if erd.keys_only { erd.neighbours(service.tables.len()) } else { Vec::new() };
        let findings = self.by_object(service);
        let reader = Reader { pages: self, service, page, findings, judge, migrations, neighbours };
        for (position, table) in service.tables.iter().enumerate() {
            reader.table(position, table, out);
        }
    }

    fn by_object(&self, service: &DeclaredService) -> Findings<'_> {
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

impl Reader<'_> {
    fn table(&self, position: usize, table: &DeclaredTable, out: &mut Markup) {
        let anchor = self.pages.links.table(self.service, table);
        let title = format!("{anchor}-title");
        out.line().element("section", &[("class", "table"), ("id", &anchor), ("aria-labelledby", &title)], |section| {
            section.element("h3", &[("id", &title)], |heading| {
                heading.leaf("code", &[], &table_title(table));
            });
            self.marks(table.name.value.as_str(), None, section);
            self.pages.flow(&self.judge.table(table), &self.migrations, section);
            if let Some(description) = &table.description {
                section.leaf("p", &[("class", "description")], description);
            }
            section.element("p", &[("class", "quiet declared-at")], |p| {
                p.text("Declared in ");
                self.pages.place(&table.name.at, p);
                if let Some(former) = &table.renamed_from {
                    p.text(", formerly ").leaf("code", &[], former.value.as_str());
                }
            });
            match &table.details {
                Some(details) => self.details(table, details, &anchor, section),
                None => {
                    section.leaf("p", &[("class", "note")], "Only listed: neither columns nor indexes are declared.");
                }
            }
            if let Some(neighbours) = self.neighbours.get(position) {
                self.pages.neighbourhood(self.service, self.page, position, neighbours, section);
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
        let entry = self.pages.input.written.at(&column.name.at);
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
            self.pages.stage_cell(&self.judge.column(table, name), &self.migrations, row);
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
        if let Some(text) = facts::unclear(column, entry, self.service.engine.is_postgres) {
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
        match target {
            Target::Table { table, .. } | Target::UnknownKey { table } => {
                let found = find_table(&self.service.tables, table)?;
                Some(format!("#{}", self.pages.links.table(self.service, &self.service.tables[found])))
            }
            Target::Service { service, .. } => self.pages.links.service(service).map(|other| self.page.to(&other)),
            Target::Missing { .. } => None,
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
                if let Some(text) = facts::index_as_written(index, self.pages.input.written.at(&index.name.at)) {
                    cell.element("span", &[("class", "as-written")], |span| {
                        span.text("as written: ").leaf("code", &[], text);
                    });
                }
                if let Some(former) = &index.renamed_from {
                    cell.text(" formerly ").leaf("code", &[], former.value.as_str());
                }
                self.marks(table.name.value.as_str(), Some(name), cell);
            });
            self.pages.stage_cell(&self.judge.index(table, name), &self.migrations, row);
        });
    }

    /// Links to what was found about an object.
    fn marks(&self, table: &str, member: Option<&str>, out: &mut Markup) {
        for finding in self.findings.get(&(table, member)).into_iter().flatten() {
            let href = format!("#{}", anchor_of(finding));
            out.leaf("a", &[("class", "flag"), ("href", &href)], finding.rule.name()).text(" ");
        }
    }
}

/// A frame that scrolls sideways, with the keyboard too.
fn scroll(label: &str, out: &mut Markup, inside: impl FnOnce(&mut Markup)) {
    let attributes = [("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", label)];
    out.element("div", &attributes, inside);
}

fn heads(titles: &[&str], out: &mut Markup) {
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
