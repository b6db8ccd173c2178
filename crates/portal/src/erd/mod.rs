//! The diagram of one service: its tables as boxes, its references as lines, as inline SVG.

pub(crate) mod draw;
pub(crate) mod elk;
pub mod layout;
mod path;

use trueup_model::declared::{DeclaredColumn, DeclaredService, DeclaredTable, TableDetails, Target};
use trueup_model::name::Identifier;

use crate::facts::{self, Mark, Nullability, find_table, table_title};
use crate::text::{columns, cut};
use crate::written::Written;
use layout::{Edge, End, Graph, Size};

/// A service with more tables than this has only keys in its boxes.
pub(crate) const KEYS_ONLY_ABOVE: usize = 40;

/// Pixels of a row, of a box's head, and of the room at its sides.
const ROW: i32 = 22;
const HEAD: i32 = 32;
const SIDE: i32 = 10;
/// Pixels that one pair of letters takes in front of a column's name.
const MARK: i32 = 25;
/// Longest texts inside a box, in columns of the fixed-width font.
const LONGEST_NAME: usize = 34;
const LONGEST_TYPE: usize = 28;

/// A diagram, before it is laid out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Erd {
    pub(crate) boxes: Vec<Card>,
    pub(crate) relations: Vec<Relation>,
    /// Whether columns that are no keys were left out.
    pub(crate) keys_only: bool,
}

/// A box of the diagram.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) kind: CardKind,
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    /// How many columns the rows do not show.
    pub(crate) left_out: usize,
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
    pub(crate) type_text: String,
    pub(crate) marks: Vec<Mark>,
    pub(crate) null: Nullability,
}

/// A reference from a column to a table or a service.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) from: (usize, Option<usize>),
    pub(crate) to: (usize, Option<usize>),
    /// Whether the referencing column may be empty.
    pub(crate) optional: bool,
    /// Whether at most one row can reference a row.
    pub(crate) single: bool,
    /// Whether the database enforces it.
    pub(crate) enforced: bool,
}

impl Erd {
    /// The diagram of a service.
    pub(crate) fn of(service: &DeclaredService, written: &Written) -> Self {
        let keys_only = service.tables.len() > KEYS_ONLY_ABOVE;
        let tables = service.tables.iter().enumerate();
        let boxes = tables.map(|(position, table)| table_box(position, table, keys_only, written)).collect();
        let mut erd = Self { boxes, relations: Vec::new(), keys_only };
        for (position, table) in service.tables.iter().enumerate() {
            if let Some(details) = &table.details {
                details.columns.iter().for_each(|column| erd.add_relation(service, position, column, details));
            }
        }
        erd
    }

    fn add_relation(&mut self, service: &DeclaredService, table: usize, column: &DeclaredColumn, own: &TableDetails) {
        let Some(reference) = &column.references else { return };
        let row = self.row_of(table, column.name.value.as_str());
        let (target, target_row, enforced) = match &reference.target {
            Target::Table { table: name, column } => match find_table(&service.tables, name) {
                Some(found) => (found, self.key_row(service, found, column.as_ref()), true),
                None => (self.external(CardKind::Missing, name.as_str()), None, false),
            },
            Target::UnknownKey { table: name } => match find_table(&service.tables, name) {
                Some(found) => (found, None, false),
                None => (self.external(CardKind::Missing, name.as_str()), None, false),
            },
            Target::Service { service, table } => {
                let title = table.as_ref().map_or_else(|| service.clone(), |table| format!("{service}.{table}"));
                (self.external(CardKind::Service(service.clone()), &title), None, false)
            }
            Target::Missing { text } => (self.external(CardKind::Missing, text), None, false),
        };
        self.relations.push(Relation {
            from: (target, target_row),
            to: (table, row),
            optional: facts::nullability(column) != Nullability::Required,
            single: facts::is_single(column, own),
            enforced,
        });
    }

    fn row_of(&self, table: usize, column: &str) -> Option<usize> {
        self.boxes[table].rows.iter().position(|row| row.name == column)
    }

    /// The row of the column that is referenced: the one named, else the first of the key.
    fn key_row(&self, service: &DeclaredService, table: usize, column: Option<&Identifier>) -> Option<usize> {
        let details = service.tables[table].details.as_ref()?;
        let key = || details.primary_key().next().map(|key| &key.name.value);
        self.row_of(table, column.or_else(key)?.as_str())
    }

    /// The box of something outside of the service; one for all references to it.
    fn external(&mut self, kind: CardKind, title: &str) -> usize {
        if let Some(known) = self.boxes.iter().position(|known| known.kind == kind && known.title == title) {
            return known;
        }
        let size = Size { width: pixels(columns(&cut(title, 40)), 73) + 28, height: 28 };
        self.boxes.push(Card { kind, title: title.to_owned(), rows: Vec::new(), left_out: 0, size, name_x: 0 });
        self.boxes.len() - 1
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
        let (optional, required): (Vec<&Relation>, Vec<&Relation>) = same.partition(|other| other.optional);
        match (optional.is_empty(), required.is_empty()) {
            (false, false) if relation.optional => 5,
            (false, false) => -5,
            _ => 0,
        }
    }

    fn end(&self, (node, row): (usize, Option<usize>)) -> End {
        let shown = &self.boxes[node];
        let y = match row {
            Some(row) => HEAD + 2 + i32::try_from(row).unwrap_or(i32::MAX / ROW - 3) * ROW + ROW / 2,
            None => shown.size.height.min(HEAD) / 2,
        };
        End { node, y }
    }
}

fn table_box(position: usize, table: &DeclaredTable, keys_only: bool, written: &Written) -> Card {
    let title = table_title(table);
    let all: Vec<Row> = table.details.iter().flat_map(|details| rows(details, written)).collect();
    let count = all.len();
    let rows: Vec<Row> = all.into_iter().filter(|row| !keys_only || !row.marks.is_empty()).collect();
    let left_out = count - rows.len();
    let gutter = i32::try_from(rows.iter().map(|row| row.marks.len()).max().unwrap_or(0)).unwrap_or(3) * MARK;
    let widest = |text: fn(&Row) -> String| rows.iter().map(|row| columns(&text(row))).max().unwrap_or(0);
    let names = pixels(widest(shown_name), 73);
    let types = pixels(widest(shown_type), 67);
    let body = SIDE + gutter + names + 20 + types + 26 + SIDE;
    let head = pixels(columns(&cut(&title, LONGEST_NAME)), 80) + 2 * SIDE + 8;
    let notes = if rows.is_empty() || left_out > 0 { 1 } else { 0 };
    let height = HEAD + (i32::try_from(rows.len()).unwrap_or(i32::MAX / ROW - 3) + notes) * ROW + 6;
    let size = Size { width: body.max(head).max(190), height };
    Card { kind: CardKind::Table(position), title, rows, left_out, size, name_x: SIDE + gutter }
}

fn rows<'a>(details: &'a TableDetails, written: &'a Written) -> impl Iterator<Item = Row> + 'a {
    details.columns.iter().map(|column| Row {
        name: column.name.value.as_str().to_owned(),
        type_text: facts::type_text(column, written.at(&column.name.at)).unwrap_or("?").to_owned(),
        marks: facts::marks(column, details),
        null: facts::nullability(column),
    })
}

fn shown_name(row: &Row) -> String {
    cut(&row.name, LONGEST_NAME)
}

fn shown_type(row: &Row) -> String {
    cut(&row.type_text, LONGEST_TYPE)
}

/// Pixels of so many columns, each `tenths` of a pixel wide. A fixed table instead of the fonts of whoever builds the
/// page: 12 pixels of a monospaced font are 7.2 wide, and a little room is left.
fn pixels(columns: usize, tenths: usize) -> i32 {
    i32::try_from(columns * tenths / 10 + 1).unwrap_or(i32::MAX / 4)
}
