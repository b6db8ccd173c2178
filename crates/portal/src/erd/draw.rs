//! The diagram as inline SVG: colours come from the stylesheet, so light, dark and print need one picture.

use super::layout::{Layout, Placement, Point};
use super::{Card, CardKind, Erd, HEAD, LONGEST_NAME, LONGEST_TYPE, MARK, ROW, Relation, SIDE, path};
use crate::facts::Nullability;
use crate::markup::Markup;
use crate::text::{count, cut};

/// Addresses that boxes lead to.
pub(crate) struct Targets<'a> {
    /// The anchor of each table of the service, by position.
    pub(crate) tables: &'a [String],
    /// The page of another service.
    pub(crate) service: &'a dyn Fn(&str) -> Option<String>,
}

/// Lays the diagram out and draws it; without a placement, says so.
pub(crate) fn draw(erd: &Erd, name: &str, targets: &Targets<'_>, layout: &dyn Layout, out: &mut Markup) {
    let (graph, drawn) = erd.graph();
    match layout.place(&graph) {
        Ok(placement) => figure(erd, name, targets, &placement, &drawn, out),
        Err(error) => {
            out.element("p", &[("class", "note")], |p| {
                p.text("There is no picture: ").text(&error.to_string()).text(". The tables are all below.");
            });
        }
    }
}

/// A picture that is only a little wider than a page, in pixels, is shrunk to it; a wider one scrolls.
const FITS: i32 = 1400;

fn figure(erd: &Erd, name: &str, targets: &Targets<'_>, placed: &Placement, drawn: &[usize], out: &mut Markup) {
    let Some(size) = placed.size else { return };
    let (width, height) = ((size.width).to_string(), (size.height).to_string());
    let view = format!("0 0 {width} {height}");
    let attributes = [
        ("class", if size.width <= FITS { "erd fit" } else { "erd" }),
        ("role", "group"),
        ("aria-labelledby", "erd-title erd-desc"),
        ("width", width.as_str()),
        ("height", height.as_str()),
        ("viewBox", view.as_str()),
    ];
    out.element("svg", &attributes, |svg| {
        svg.element("title", &[("id", "erd-title")], |title| {
            title.text("Entity relationship diagram of ").text(name);
        });
        svg.leaf("desc", &[("id", "erd-desc")], &description(erd)).line();
        for (line, position) in placed.lines.iter().zip(drawn) {
            relation(&erd.relations[*position], line, svg);
        }
        for (card, corner) in erd.boxes.iter().zip(&placed.boxes) {
            draw_card(card, *corner, targets, svg);
            svg.line();
        }
    });
}

fn description(erd: &Erd) -> String {
    let tables = erd.boxes.iter().filter(|card| matches!(card.kind, CardKind::Table(_))).count();
    let enforced = erd.relations.iter().filter(|relation| relation.enforced).count();
    let logical = erd.relations.len() - enforced;
    let only = if erd.keys_only { " Only columns that are keys are shown." } else { "" };
    format!(
        "{}, {}, {}. The relations are listed as text below the picture.{only}",
        count(tables, "table"),
        count(enforced, "foreign key"),
        count(logical, "logical reference"),
    )
}

fn relation(relation: &Relation, line: &[Point], svg: &mut Markup) {
    let ([first, ..], [.., before, last]) = (line, line) else { return };
    let way = (before.x - last.x).signum();
    let class = if relation.enforced { "edge" } else { "edge logical" };
    let (one, one_ring) = path::one(relation, *first);
    let (many, many_ring) = path::many(relation, *last, way);
    svg.shape("path", &[("class", class), ("d", &path::rounded(line))]);
    // What is only documented has no foot at the other end: nobody knows what it meets there.
    let foot = if relation.enforced { format!("{one}{many}") } else { many };
    svg.shape("path", &[("class", "foot"), ("d", &foot)]);
    for ring in [one_ring.filter(|_| relation.enforced), many_ring].into_iter().flatten() {
        let (x, y) = (ring.x.to_string(), ring.y.to_string());
        svg.shape("circle", &[("class", "foot"), ("cx", &x), ("cy", &y), ("r", "3.5")]);
    }
    svg.line();
}

fn draw_card(card: &Card, at: Point, targets: &Targets<'_>, svg: &mut Markup) {
    match &card.kind {
        CardKind::Table(position) => {
            let href = format!("#{}", targets.tables[*position]);
            let label = format!("Table {}, {}", card.title, count(card.rows.len() + card.left_out, "column"));
            svg.element("a", &[("href", &href), ("aria-label", &label)], |link| frame(card, at, link));
            // Outside of the link: its name is the table's, not a reading of the whole box. Clicks fall through.
            svg.element("g", &[("class", "rows")], |rows| body(card, at, rows));
        }
        CardKind::Service(service) => match (targets.service)(service) {
            Some(href) => {
                let label = format!("Service {}", card.title);
                svg.element("a", &[("href", &href), ("aria-label", &label)], |link| pill(card, at, "pill", link));
            }
            None => pill(card, at, "pill missing", svg),
        },
        CardKind::Missing => pill(card, at, "pill missing", svg),
    }
}

fn pill(card: &Card, at: Point, class: &str, svg: &mut Markup) {
    rect(class, at, card.size.width, card.size.height, 14, svg);
    let middle = Point { x: at.x + card.size.width / 2, y: at.y + card.size.height / 2 + 4 };
    label("pill-text", middle, &cut(&card.title, 40), svg);
}

fn frame(card: &Card, at: Point, svg: &mut Markup) {
    rect("box", at, card.size.width, card.size.height, 7, svg);
    let (right, head) = (at.x + card.size.width, at.y + HEAD);
    let top = format!(
        "M{} {head}V{}Q{} {} {} {}H{}Q{right} {} {right} {}V{head}Z",
        at.x,
        at.y + 7,
        at.x,
        at.y,
        at.x + 7,
        at.y,
        right - 7,
        at.y,
        at.y + 7
    );
    svg.shape("path", &[("class", "head"), ("d", &top)]);
    svg.shape("path", &[("class", "rule"), ("d", &format!("M{} {head}H{right}", at.x))]);
    label("table-name", Point { x: at.x + SIDE, y: at.y + 21 }, &cut(&card.title, LONGEST_NAME), svg);
}

fn body(card: &Card, at: Point, svg: &mut Markup) {
    let mut y = at.y + HEAD + 2;
    for row in &card.rows {
        draw_row(card, row, at.x, y, svg);
        y += ROW;
    }
    let note = match card.left_out {
        0 if card.rows.is_empty() => "listed without columns".to_owned(),
        0 => return,
        more => format!("and {}", count(more, "more column")),
    };
    label("more", Point { x: at.x + SIDE, y: y + 15 }, &note, svg);
}

fn draw_row(card: &Card, row: &super::Row, left: i32, y: i32, svg: &mut Markup) {
    let base = y + 15;
    for (position, mark) in row.marks.iter().enumerate() {
        let x = left + SIDE + i32::try_from(position).unwrap_or(0) * MARK;
        rect(mark.class(), Point { x, y: y + 4 }, MARK - 4, 14, 3, svg);
        label("mark-text", Point { x: x + (MARK - 4) / 2, y: base - 1 }, mark.letters(), svg);
    }
    let is_key = row.marks.contains(&crate::facts::Mark::Primary);
    let class = if is_key { "column key" } else { "column" };
    label(class, Point { x: left + card.name_x, y: base }, &cut(&row.name, LONGEST_NAME), svg);
    let right = left + card.size.width - SIDE;
    label("type", Point { x: right - 26, y: base }, &cut(&row.type_text, LONGEST_TYPE), svg);
    match row.null {
        Nullability::Required => label("nn", Point { x: right, y: base }, "NN", svg),
        Nullability::Unknown => label("nn", Point { x: right, y: base }, "?", svg),
        Nullability::Optional => {}
    }
}

fn rect(class: &str, at: Point, width: i32, height: i32, radius: i32, svg: &mut Markup) {
    let numbers = [at.x, at.y, width, height, radius].map(|number| number.to_string());
    let [x, y, width, height, radius] = numbers.each_ref().map(String::as_str);
    svg.shape("rect", &[("class", class), ("x", x), ("y", y), ("width", width), ("height", height), ("rx", radius)]);
}

fn label(class: &str, at: Point, text: &str, svg: &mut Markup) {
    let (x, y) = (at.x.to_string(), at.y.to_string());
    svg.leaf("text", &[("class", class), ("x", &x), ("y", &y)], text);
}
