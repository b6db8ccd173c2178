//! The diagram of one service: its tables as boxes, its references as lines, as inline SVG.

pub(crate) mod draw;
pub(crate) mod draw_map;
pub(crate) mod elk;
pub(crate) mod feet;
mod file;
mod grid;
pub mod layout;
mod legend;
mod loops;
pub(crate) mod map;
mod near;
mod opening;
mod path;
mod shelves;
mod shown;
pub(crate) mod sign;

use trueup_model::declared::{DeclaredColumn, DeclaredService, DeclaredTable, TableDetails, Target};
use trueup_model::name::Identifier;

use crate::facts::{self, Mark, Nullability, find_table, table_title};
use crate::links::LARGE_ABOVE;
use crate::text::{columns, count, cut, shorten};
use feet::{Feet, Foot};
pub(crate) use file::STYLE;
use layout::{Edge, End, Graph, Size};
pub(crate) use near::MOST as MOST_NEIGHBOURS;
use sign::Sign;
use trueup_intent::written::Written;

/// Pixels of a row, of a box's head, and of the room at its sides.
const ROW: i32 = 22;
const HEAD: i32 = 32;
const SIDE: i32 = 10;
/// Pixels that one pair of letters takes in front of a column's name.
const MARK: i32 = 25;
/// Longest texts inside a box, in columns of the fixed-width font.
const LONGEST_NAME: usize = 34;
const LONGEST_TYPE: usize = 28;
/// What PostgreSQL takes for a name, and a blank: no index's name that it knows is shortened.
const LONGEST_INDEX: usize = 64;
/// Pixels of an index's row, and of the room above the first.
const INDEX_ROW: i32 = 19;
const INDEX_GAP: i32 = 5;

/// What the diagram of a service is called.
pub(crate) fn title(service: &str) -> String {
    format!("Entity relationship diagram of {service}")
}

/// A diagram, before it is laid out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Erd {
    pub(crate) boxes: Vec<Card>,
    pub(crate) relations: Vec<Relation>,
    /// Whether columns that are no keys were left out.
    pub(crate) keys_only: bool,
    /// What the picture shows, for those who do not see it, where that is not how much there is of everything.
    pub(crate) about: Option<String>,
}

/// A box of the diagram.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) kind: CardKind,
    pub(crate) title: String,
    /// What a change did to it, in a picture of a change.
    pub(crate) sign: Option<Sign>,
    pub(crate) rows: Vec<Row>,
    pub(crate) indexes: Vec<IndexRow>,
    /// What the rows do not show, in words; empty when they show all.
    pub(crate) left_out: String,
    /// How many columns the table has, shown or not.
    pub(crate) columns: usize,
    pub(crate) size: Size,
    /// Where names of columns start, from the left of the box.
    pub(crate) name_x: i32,
}

/// What a box stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CardKind {
    /// A table of the service, by its position.
    Table(usize),
    /// Another service, or a table of it.
    Service(String),
    /// Nothing in the intent.
    Missing,
}

/// A column in a box.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Its name as it is drawn.
    shown: String,
    pub(crate) type_text: String,
    pub(crate) marks: Vec<Mark>,
    pub(crate) null: Nullability,
    /// What a change did to it.
    pub(crate) sign: Option<Sign>,
}

/// An index in a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IndexRow {
    pub(crate) name: String,
    /// Its name, and what it is over.
    pub(crate) text: String,
    /// The same as it is drawn.
    shown: String,
    pub(crate) unique: bool,
    /// What a change did to it.
    pub(crate) sign: Option<Sign>,
}

/// How much of a table its box shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// All columns and indexes.
    All,
    /// Columns that are keys.
    Keys,
}

/// A reference from a column to a table or a service.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) from: (usize, Option<usize>),
    pub(crate) to: (usize, Option<usize>),
    /// How many rows there are at its ends.
    feet: Feet,
    /// Whether the database enforces it.
    pub(crate) enforced: bool,
}

impl Relation {
    /// The foot at what is referenced. What is only documented has none: nobody knows what it meets there.
    pub(crate) fn referenced(&self) -> Option<Foot> {
        self.enforced.then_some(self.feet.referenced)
    }

    /// The foot at the column that references.
    pub(crate) fn referencing(&self) -> Foot {
        self.feet.referencing
    }
}

impl Erd {
    /// The diagram of a service.
    pub(crate) fn of(service: &DeclaredService, written: &Written) -> Self {
        let keys_only = service.tables.len() > LARGE_ABOVE;
        let detail = if keys_only { Detail::Keys } else { Detail::All };
        let mut drawing = Drawing::new(service, written);
        (0..service.tables.len()).for_each(|table| drawing.add_table(table, detail));
        (0..service.tables.len()).for_each(|table| drawing.add_relations(table, &|_| true));
        Self { keys_only, ..drawing.erd }
    }

    /// The question for the layout engine. Relations that would start where they end have no line.
    pub(crate) fn graph(&self) -> (Graph, Vec<usize>) {
        let mut graph = Graph { boxes: self.boxes.iter().map(|shown| shown.size).collect(), edges: Vec::new() };
        let mut drawn = Vec::new();
        for (position, relation) in self.relations.iter().enumerate() {
            let mut from = self.end(relation.from);
            let to = self.end(relation.to);
            // Lines with different feet never share an end.
            from.y += self.foot_offset(relation);
            if relation.from != relation.to {
                graph.edges.push(Edge { from, to });
                drawn.push(position);
            }
        }
        (graph, drawn)
    }

    fn foot_offset(&self, relation: &Relation) -> i32 {
        let same = self.relations.iter().filter(|other| other.from == relation.from);
        let is_optional = |relation: &Relation| relation.feet.referenced != Foot::One;
        let (optional, required): (Vec<&Relation>, Vec<&Relation>) = same.partition(|other| is_optional(other));
        match (optional.is_empty(), required.is_empty()) {
            (false, false) if is_optional(relation) => 5,
            (false, false) => -5,
            _ => 0,
        }
    }

    fn end(&self, (node, row): (usize, Option<usize>)) -> End {
        let shown = &self.boxes[node];
        let y = match row {
            Some(row) => HEAD + 2 + whole(row) * ROW + ROW / 2,
            None => shown.size.height.min(HEAD) / 2,
        };
        End { node, y }
    }
}

/// A diagram that is being put together.
struct Drawing<'a> {
    service: &'a DeclaredService,
    written: &'a Written,
    erd: Erd,
    /// The box of each table that has one.
    places: Vec<Option<usize>>,
}

impl<'a> Drawing<'a> {
    fn new(service: &'a DeclaredService, written: &'a Written) -> Self {
        Self { service, written, erd: Erd::default(), places: vec![None; service.tables.len()] }
    }

    fn add_table(&mut self, table: usize, detail: Detail) {
        self.places[table] = Some(self.erd.boxes.len());
        self.erd.boxes.push(table_box(table, &self.service.tables[table], detail, self.written));
    }

    /// The references of a table whose target is wanted: a table of the service by its position, or something else.
    fn add_relations(&mut self, table: usize, wanted: &dyn Fn(Option<usize>) -> bool) {
        let service = self.service;
        let Some(details) = &service.tables[table].details else { return };
        for column in &details.columns {
            let Some(reference) = &column.references else { continue };
            let target = local(service, &reference.target);
            if wanted(target) {
                self.add_relation(table, column, details, &reference.target, target);
            }
        }
    }

    fn add_relation(
        &mut self,
        table: usize,
        column: &DeclaredColumn,
        own: &TableDetails,
        target: &Target,
        found: Option<usize>,
    ) {
        let Some(to) = self.places[table] else { return };
        let (from, from_row, enforced) = match (target, found) {
            (Target::Table { column, .. }, Some(found)) => {
                let Some(place) = self.places[found] else { return };
                (place, self.key_row(found, place, column.as_ref()), true)
            }
            (_, Some(found)) => {
                let Some(place) = self.places[found] else { return };
                (place, None, false)
            }
            (Target::Service { service, table }, None) => {
                let title = table.as_ref().map_or_else(|| service.clone(), |table| format!("{service}.{table}"));
                (self.external(CardKind::Service(service.clone()), &title), None, false)
            }
            (Target::Table { table, .. } | Target::UnknownKey { table }, None) => {
                (self.external(CardKind::Missing, table.as_str()), None, false)
            }
            (Target::Missing { text }, None) => (self.external(CardKind::Missing, text), None, false),
        };
        self.erd.relations.push(Relation {
            from: (from, from_row),
            to: (to, self.row_of(to, column.name.value.as_str())),
            feet: Feet::of(column, own),
            enforced,
        });
    }

    fn row_of(&self, place: usize, column: &str) -> Option<usize> {
        self.erd.boxes[place].rows.iter().position(|row| row.name == column)
    }

    /// The row of the column that is referenced: the one named, else the first of the key.
    fn key_row(&self, table: usize, place: usize, column: Option<&Identifier>) -> Option<usize> {
        let details = self.service.tables[table].details.as_ref()?;
        let key = || details.primary_key().next().map(|key| &key.name.value);
        self.row_of(place, column.or_else(key)?.as_str())
    }

    /// The badge of something outside of the service, made when it is first met.
    fn external(&mut self, kind: CardKind, title: &str) -> usize {
        if let Some(known) = self.erd.boxes.iter().position(|known| known.kind == kind && known.title == title) {
            return known;
        }
        let size = Size { width: pixels(columns(&cut(title, 40)), 73) + 28, height: 28 };
        self.erd.boxes.push(Card {
            kind,
            title: title.to_owned(),
            sign: None,
            rows: Vec::new(),
            indexes: Vec::new(),
            left_out: String::new(),
            columns: 0,
            size,
            name_x: 0,
        });
        self.erd.boxes.len() - 1
    }
}

/// The table of the service that a reference means.
fn local(service: &DeclaredService, target: &Target) -> Option<usize> {
    match target {
        Target::Table { table, .. } | Target::UnknownKey { table } => find_table(&service.tables, table),
        Target::Service { .. } | Target::Missing { .. } => None,
    }
}

fn table_box(position: usize, table: &DeclaredTable, detail: Detail, written: &Written) -> Card {
    let title = table_title(table);
    let mut all: Vec<Row> = table.details.iter().flat_map(|details| rows(details, written)).collect();
    shown::tell_apart(all.iter_mut().map(|row| &mut row.shown));
    let columns_of_table = all.len();
    let rows: Vec<Row> = all.into_iter().filter(|row| detail == Detail::All || !row.marks.is_empty()).collect();
    let indexes = if detail == Detail::All { index_rows(table) } else { Vec::new() };
    let left_out = left_out(table, columns_of_table - rows.len(), indexes.len());
    let gutter = i32::try_from(rows.iter().map(|row| row.marks.len()).max().unwrap_or(0)).unwrap_or(3) * MARK;
    let mut card = Card {
        kind: CardKind::Table(position),
        title,
        sign: None,
        rows,
        indexes,
        left_out,
        columns: columns_of_table,
        size: Size { width: 0, height: 0 },
        name_x: SIDE + gutter,
    };
    card.size = card.measure();
    card
}

fn index_rows(table: &DeclaredTable) -> Vec<IndexRow> {
    let indexes = table.details.iter().flat_map(|details| &details.indexes);
    let row = |index: &trueup_model::declared::DeclaredIndex| {
        let keys = facts::keys_text(index);
        let keys = if keys.is_empty() { String::new() } else { format!(" ({keys})") };
        let name = index.name.value.as_str().to_owned();
        let shown = shown::index(&name, &keys);
        IndexRow { text: format!("{name}{keys}"), name, shown, unique: index.unique, sign: None }
    };
    let mut rows: Vec<IndexRow> = indexes.map(row).collect();
    shown::tell_apart(rows.iter_mut().map(|row| &mut row.shown));
    rows
}

/// What a box does not show, in words.
fn left_out(table: &DeclaredTable, columns: usize, shown_indexes: usize) -> String {
    let Some(details) = &table.details else { return "listed without columns".to_owned() };
    let indexes = details.indexes.len() - shown_indexes;
    let parts = [(columns, "more column"), (indexes, "index")];
    let parts: Vec<String> = parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, noun)| count(n, noun)).collect();
    if parts.is_empty() { String::new() } else { format!("and {}", parts.join(", ")) }
}

/// Pixels of the sign that tells how far a table has come, and of the room beside it.
const STAGE: i32 = 31;

/// Pixels of the word that tells what a change did to a table, beside its name.
const WHAT: i32 = 92;

impl Card {
    /// Notes what a change did to the table, and makes room for the word.
    pub(crate) fn mark(&mut self, sign: Sign) {
        self.sign = Some(sign);
        self.size = self.measure();
    }

    /// The room that head, rows, indexes and the note need.
    fn measure(&self) -> Size {
        let widest = |text: fn(&Row) -> String| self.rows.iter().map(|row| columns(&text(row))).max().unwrap_or(0);
        let (names, types) = (pixels(widest(|row| row.shown.clone()), 73), pixels(widest(shown_type), 67));
        let body = self.name_x + names + 20 + types + 26 + SIDE;
        let head =
            pixels(columns(&shorten(&self.title, LONGEST_NAME)), 80) + SIDE + 8 + STAGE + self.sign.map_or(0, |_| WHAT);
        let index = self.indexes.iter().map(|index| columns(&index.shown)).max();
        let index = index.map_or(0, |widest| SIDE + MARK + pixels(widest, 64) + SIDE);
        let note = pixels(columns(&self.left_out), 73) + 2 * SIDE;
        let height = self.indexes_y() + whole(self.indexes.len()) * INDEX_ROW + 6;
        Size { width: body.max(head).max(index).max(note).max(190), height }
    }

    /// Where the first index starts, below the top of the box.
    fn indexes_y(&self) -> i32 {
        let note = i32::from(!self.left_out.is_empty());
        let gap = if self.indexes.is_empty() { 0 } else { INDEX_GAP };
        HEAD + (whole(self.rows.len()) + note) * ROW + gap
    }
}

/// A number of rows; one that no picture could hold stays within the numbers of pictures.
fn whole(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX).min(1_000_000)
}

fn rows<'a>(details: &'a TableDetails, written: &'a Written) -> impl Iterator<Item = Row> + 'a {
    details.columns.iter().map(|column| Row {
        shown: shorten(column.name.value.as_str(), LONGEST_NAME),
        name: column.name.value.as_str().to_owned(),
        type_text: facts::type_text(column, written.at(&column.name.at)).unwrap_or("?").to_owned(),
        marks: facts::marks(column, details),
        null: facts::nullability(column),
        sign: None,
    })
}

fn shown_type(row: &Row) -> String {
    cut(&row.type_text, LONGEST_TYPE)
}

/// Pixels of so many columns, each `tenths` of a pixel wide. A fixed table instead of the fonts of whoever builds the
/// page: 12 pixels of a monospaced font are 7.2 wide, and a little room is left.
fn pixels(columns: usize, tenths: usize) -> i32 {
    i32::try_from(columns * tenths / 10 + 1).unwrap_or(i32::MAX / 4)
}
