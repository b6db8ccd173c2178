//! The Data Store section of a service: diagram, overview, key features, table reference with columns and indexes.

use trueup_model::declared::{
    DeclaredColumn, DeclaredIndex, DeclaredService, DeclaredTable, Reference, TableDetails, Target,
};

use trueup_model::finding::Finding;

use super::outward;
use super::stages::Stages;
use super::text::{Inline, Markdown};
use crate::facts::{self, Mark, Nullability, find_table, table_title};
use crate::links::{Links, Members, Page};
use crate::lookup::Lookup;
use crate::pages::overview::SHOWN as NAMED_CALLERS;
use crate::pages::{service_rows, standing_sentence, target_text};
use crate::text::{count, cut, thousands};
use crate::undeclared;

/// How many of the columns that reference a table are named.
const SHOWN: usize = 60;
/// Columns of text that a description may take in a list of tables.
const DESCRIPTION: usize = 110;

/// Where a section stands: that decides what it can lead to.
pub(super) struct Setting<'a> {
    pub(super) input: &'a Lookup<'a>,
    pub(super) links: &'a Links,
    /// The address of the diagram, as seen from where the section stands; none without one.
    pub(super) picture: Option<&'a str>,
    /// The page of another service, when there is one.
    pub(super) other: &'a dyn Fn(&Page) -> Option<String>,
    /// What all anchors begin with.
    pub(super) prefix: &'a str,
    /// The address of a table of the service.
    pub(super) table: &'a dyn Fn(&DeclaredTable) -> String,
    /// How far everything has come, where that is known.
    pub(super) stages: Option<&'a Stages<'a>>,
    /// What leads to the page with the service's migrations; none where there is none.
    pub(super) home: Option<&'a str>,
    /// Whether the tables are only listed, for each has a page of its own.
    pub(super) lists_tables: bool,
}

impl Setting<'_> {
    /// The whole section; the heading is its first line.
    pub(super) fn write(&self, service: &DeclaredService, out: &mut Markdown) {
        out.heading(2, &self.anchor("data-store"), &Inline::of("Data store"));
        self.diagram(service, out);
        self.overview(service, out);
        features(service, &self.anchor("data-store-features"), out);
        self.tables(service, out);
    }

    fn anchor(&self, anchor: &str) -> String {
        format!("{}{anchor}", self.prefix)
    }

    fn diagram(&self, service: &DeclaredService, out: &mut Markdown) {
        out.heading(3, &self.anchor("data-store-diagram"), &Inline::of("Entity relationship diagram"));
        let Some(picture) = self.picture else {
            let why = if service.tables.is_empty() { "No table is declared." } else { "There is no picture." };
            out.paragraph(&Inline::of(why));
            return;
        };
        let mut line = Inline::new();
        line.picture(picture, &format!("Entity relationship diagram of {}", service.name.value));
        out.paragraph(&line);
        let mut source = Inline::of("Generated from ");
        source.append(&outward::place(self.input, &service.name.at));
        out.paragraph(&source);
    }

    fn overview(&self, service: &DeclaredService, out: &mut Markdown) {
        out.heading(3, &self.anchor("data-store-overview"), &Inline::of("Overview"));
        let mut rows = Vec::new();
        let mut row = |title: &str, value: Inline| {
            let mut head = Inline::new();
            head.strong(title);
            rows.push(vec![head, value]);
        };
        let engine = if service.engine.text.is_empty() { "not given" } else { &service.engine.text };
        row("Engine", Inline::of(engine));
        row("Schema", schema(service));
        row("Tables", self.table_names(service));
        for (title, text) in service_rows(service) {
            row(title, Inline::of(&text));
        }
        if let Some(callers) = self.callers(service) {
            row("Referenced by", callers);
        }
        row("Agreement", Inline::of(&standing_sentence(&self.input.standing(service))));
        out.table(&["Property", "Detail"], &rows);
    }

    /// The services that reference this one, by what the YAML says; none when none does.
    fn callers(&self, service: &DeclaredService) -> Option<Inline> {
        let callers: Vec<_> = self.input.callers(&service.name.value).collect();
        let one = |(caller, columns): &(&DeclaredService, usize)| {
            let name = Inline::of(&caller.name.value);
            let mut out = Inline::new();
            match self.links.service(&caller.name.value).and_then(|page| (self.other)(&page)) {
                Some(href) => out.link(&href, &name),
                None => out.append(&name),
            };
            if *columns > 1 {
                out.text(&format!(" ({})", count(*columns, "column")));
            }
            out
        };
        let mut line = joined(&callers.iter().take(NAMED_CALLERS).map(one).collect::<Vec<_>>());
        if callers.len() > NAMED_CALLERS {
            line.text(&format!(" and {} more", thousands(callers.len() - NAMED_CALLERS)));
        }
        (!callers.is_empty()).then_some(line)
    }

    fn table_names(&self, service: &DeclaredService) -> Inline {
        let mut names = Inline::new();
        for (position, table) in service.tables.iter().enumerate() {
            names.text(if position == 0 { "" } else { ", " });
            names.link(&(self.table)(table), &Inline::of_code(&table_title(table)));
        }
        if names.is_empty() { Inline::of("none declared") } else { names }
    }

    fn tables(&self, service: &DeclaredService, out: &mut Markdown) {
        out.heading(3, &self.anchor("data-store-tables"), &Inline::of("Table reference"));
        if service.tables.is_empty() {
            out.paragraph(&Inline::of("No table is declared."));
        }
        if self.stages.is_none() && service.engine.is_postgres {
            out.paragraph(&Inline::of(
                "Not verified: which of this is made by migrations, and where it is live, is known from the report of a check.",
            ));
        }
        if self.lists_tables {
            self.list(service, out);
        }
        for (position, table) in service.tables.iter().enumerate().filter(|_| !self.lists_tables) {
            let anchor = self.anchor(&self.links.table(service, table));
            out.heading(4, &anchor, &Inline::of_code(&table_title(table)));
            self.about(table, out);
            self.body(service, position, &anchor, out);
        }
        undeclared(&undeclared::tables(self.input, service), out);
    }

    /// How far a table has come, and what it is.
    pub(super) fn about(&self, table: &DeclaredTable, out: &mut Markdown) {
        if let Some(stages) = self.stages {
            out.paragraph(&stages.table(table, self.home));
        }
        if let Some(description) = &table.description {
            out.paragraph(&Inline::of(description));
        }
        if let Some(former) = &table.renamed_from {
            let mut line = Inline::of("Formerly ");
            out.paragraph(line.code(former.value.as_str()));
        }
    }

    /// Columns, indexes, and what references the table.
    pub(super) fn body(&self, service: &DeclaredService, position: usize, anchor: &str, out: &mut Markdown) {
        let table = &service.tables[position];
        match &table.details {
            Some(details) => self.details(service, table, details, anchor, out),
            None => {
                out.paragraph(&Inline::of("Only listed: neither columns nor indexes are declared."));
            }
        }
        undeclared(&undeclared::of_table(self.input, service, table), out);
        self.referenced_by(service, position, out);
    }

    fn referenced_by(&self, service: &DeclaredService, position: usize, out: &mut Markdown) {
        let incoming = self.input.incoming(&service.name.value, position);
        if incoming.is_empty() {
            return;
        }
        let mut line = Inline::of("Referenced by ");
        for (number, from) in incoming.iter().take(SHOWN).enumerate() {
            line.text(if number == 0 { "" } else { ", " });
            let column = format!("{}.{}", table_title(from.table), from.column.name.value);
            if std::ptr::eq(from.service, service) {
                line.link(&(self.table)(from.table), &Inline::of_code(&column));
            } else {
                line.text(&from.service.name.value).text(" ").code(&column);
            }
        }
        if incoming.len() > SHOWN {
            line.text(&format!(" and {} more", thousands(incoming.len() - SHOWN)));
        }
        out.paragraph(&line);
    }

    /// All tables, a row each; what stands about them is on pages of their own.
    fn list(&self, service: &DeclaredService, out: &mut Markdown) {
        let mut heads = vec!["Table", "Columns", "Indexes", "References", "Referenced by", "Description"];
        if self.stages.is_some() {
            heads.insert(5, "Stage");
        }
        let rows: Vec<Vec<Inline>> =
            (0..service.tables.len()).map(|position| self.list_row(service, position)).collect();
        out.table(&heads, &rows);
    }

    fn list_row(&self, service: &DeclaredService, position: usize) -> Vec<Inline> {
        let table = &service.tables[position];
        let mut name = Inline::new();
        name.anchor(&self.anchor(&self.links.table(service, table)));
        name.link(&(self.table)(table), &Inline::of_code(&table_title(table)));
        let columns = table.details.as_ref().map(|details| details.columns.as_slice());
        let number = |number: Option<usize>| number.map_or_else(Inline::new, |number| Inline::of(&number.to_string()));
        let references = columns.map(|all| all.iter().filter(|column| column.references.is_some()).count());
        let mut row = vec![
            name,
            number(columns.map(<[_]>::len)),
            number(table.details.as_ref().map(|details| details.indexes.len())),
            number(references),
            number(Some(self.input.incoming(&service.name.value, position).len())),
        ];
        row.extend(self.stages.map(|stages| stages.in_list(table, self.home)));
        row.push(match &table.description {
            Some(description) => Inline::of(&cut(description, DESCRIPTION)),
            None if table.details.is_none() => Inline::of("only listed"),
            None => Inline::new(),
        });
        row
    }

    fn details(
        &self,
        service: &DeclaredService,
        table: &DeclaredTable,
        details: &TableDetails,
        anchor: &str,
        out: &mut Markdown,
    ) {
        let members = Members::of(anchor, table);
        let stage = self.stages.map(|_| "Stage");
        let heads = ["Column", "Type", "Constraints"];
        let heads: Vec<&'static str> = heads.into_iter().chain(stage).collect();
        let column = |column: &DeclaredColumn| {
            let mut cells = self.column(service, column, details, &members);
            let name = column.name.value.as_str();
            cells.extend(self.stages.map(|stages| stages.column(table, name, self.home)));
            cells
        };
        out.table(&heads, &details.columns.iter().map(column).collect::<Vec<_>>());
        if details.indexes.is_empty() {
            out.paragraph(&Inline::of("No index is declared."));
            return;
        }
        let heads: Vec<&'static str> = ["Index", "On", "Kind"].into_iter().chain(stage).collect();
        let index = |index: &DeclaredIndex| {
            let mut cells = self.index(index, &members);
            let name = index.name.value.as_str();
            cells.extend(self.stages.map(|stages| stages.index(table, name, self.home)));
            cells
        };
        out.table(&heads, &details.indexes.iter().map(index).collect::<Vec<_>>());
    }

    fn column(
        &self,
        service: &DeclaredService,
        column: &DeclaredColumn,
        details: &TableDetails,
        members: &Members<'_>,
    ) -> Vec<Inline> {
        let entry = self.input.written.at(&column.name.at);
        let mut name = Inline::new();
        name.anchor(&members.column(column.name.value.as_str())).code(column.name.value.as_str());
        let type_text = facts::type_text(column, entry).map_or_else(Inline::new, Inline::of_code);
        vec![name, type_text, self.constraints(service, column, details)]
    }

    /// Everything but name and type, in the order in which authors write it.
    fn constraints(&self, service: &DeclaredService, column: &DeclaredColumn, details: &TableDetails) -> Inline {
        let entry = self.input.written.at(&column.name.at);
        let marks = facts::marks(column, details);
        let is_key = marks.contains(&Mark::Primary);
        let mut parts = Vec::new();
        parts.extend(is_key.then(|| Inline::of("PK")));
        parts.extend(marks.contains(&Mark::Unique).then(|| Inline::of("UNIQUE")));
        parts.extend((!is_key).then(|| Inline::of(null_word(facts::nullability(column)))));
        parts.extend(default(column));
        if let Some(reference) = &column.references {
            parts.push(self.reference(service, reference));
        }
        parts.extend(column.checks.iter().map(|check| Inline::of_code(&facts::check_text(&check.value))));
        if column.encrypted.is_some() {
            parts.push(Inline::of("ENCRYPTED"));
        }
        if let Some(former) = &column.renamed_from {
            let mut part = Inline::of("formerly ");
            part.code(former.value.as_str());
            parts.push(part);
        }
        parts.extend(column.notes.iter().map(|note| Inline::of(note)));
        if let Some(text) = facts::unclear(column, entry, service.engine.is_postgres) {
            let mut part = Inline::of("as written: ");
            part.code(text);
            parts.push(part);
        }
        joined(&parts)
    }

    fn reference(&self, service: &DeclaredService, reference: &Reference) -> Inline {
        let text = target_text(&reference.target);
        let mut out = Inline::of("FK → ");
        match self.href(service, &reference.target) {
            Some(href) => out.link(&href, &Inline::of(&text)),
            None => out.text(&text),
        };
        if let Some(action) = &reference.on_delete {
            out.text(" ON DELETE ").text(&action.value);
        }
        out
    }

    fn href(&self, service: &DeclaredService, target: &Target) -> Option<String> {
        match target {
            Target::Table { table, .. } | Target::UnknownKey { table } => {
                let found = find_table(&service.tables, table)?;
                Some((self.table)(&service.tables[found]))
            }
            Target::Service { service, .. } => (self.other)(&self.links.service(service)?),
            Target::Missing { .. } => None,
        }
    }

    fn index(&self, index: &DeclaredIndex, members: &Members<'_>) -> Vec<Inline> {
        let mut name = Inline::new();
        name.anchor(&members.index(index.name.value.as_str())).code(index.name.value.as_str());
        let keys = facts::keys_text(index);
        let on = if keys.is_empty() { Inline::new() } else { Inline::of_code(&keys) };
        let mut parts: Vec<Inline> = facts::index_words(index).iter().map(|word| Inline::of(word)).collect();
        if let Some(text) = facts::index_as_written(index, self.input.written.at(&index.name.at)) {
            let mut part = Inline::of("as written: ");
            part.code(text);
            parts.push(part);
        }
        if let Some(former) = &index.renamed_from {
            let mut part = Inline::of("formerly ");
            part.code(former.value.as_str());
            parts.push(part);
        }
        vec![name, on, joined(&parts)]
    }
}

fn schema(service: &DeclaredService) -> Inline {
    let Some(schema) = &service.schema else { return Inline::of("not given") };
    let mut text = Inline::of_code(schema.value.as_str());
    if let Some(former) = &service.schema_renamed_from {
        text.text(", formerly ").code(former.value.as_str());
    }
    text
}

fn features(service: &DeclaredService, anchor: &str, out: &mut Markdown) {
    if service.prose.features.is_empty() {
        return;
    }
    out.heading(3, anchor, &Inline::of("Key features"));
    let items: Vec<Inline> = service.prose.features.iter().map(|feature| Inline::of(feature)).collect();
    out.list(&items);
}

/// Parts with commas between them.
fn null_word(null: Nullability) -> &'static str {
    match null {
        Nullability::Required => "NOT NULL",
        Nullability::Optional => "NULL",
        Nullability::Unknown => "nullability unknown",
    }
}

/// `DEFAULT now()`, or how the value is generated.
fn default(column: &DeclaredColumn) -> Option<Inline> {
    let text = facts::default_text(column)?;
    let mut out = Inline::new();
    if column.default.is_some() {
        out.text("DEFAULT ");
    }
    out.code(&text);
    Some(out)
}

fn joined(parts: &[Inline]) -> Inline {
    let mut out = Inline::new();
    for part in parts.iter().filter(|part| !part.is_empty()) {
        if !out.is_empty() {
            out.text(", ");
        }
        out.append(part);
    }
    out
}

/// `3 tables · 13 columns`.
pub(super) fn sizes(service: &DeclaredService) -> String {
    let details = || service.tables.iter().filter_map(|table| table.details.as_ref());
    let columns = details().map(|details| details.columns.len()).sum();
    let indexes = details().map(|details| details.indexes.len()).sum();
    [count(service.tables.len(), "table"), count(columns, "column"), count(indexes, "index")].join(" · ")
}

/// What only the migrations know.
fn undeclared(findings: &[&Finding], out: &mut Markdown) {
    if findings.is_empty() {
        return;
    }
    let mut line = Inline::of(undeclared::LABEL);
    for (number, finding) in findings.iter().take(undeclared::SHOWN).enumerate() {
        let (word, name) = undeclared::name(finding);
        line.text(if number == 0 { "" } else { ", " }).text(word).code(name);
    }
    if findings.len() > undeclared::SHOWN {
        line.text(&format!(" and {} more", thousands(findings.len() - undeclared::SHOWN)));
    }
    out.paragraph(&line);
}
