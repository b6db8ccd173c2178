//! The diagram as inline SVG: colours come from the stylesheet, so light, dark and print need one picture.

use super::layout::{Layout, LayoutError, Placement, Point, Size};
use super::sign::Sign;
use super::{Card, CardKind, Erd, HEAD, INDEX_ROW, LONGEST_NAME, LONGEST_TYPE, MARK, ROW, Relation, SIDE, STAGE};
use super::{file, loops, opening, path};
use crate::domains::Color;
use crate::facts::Nullability;
use crate::lookup::Lookup;
use crate::markup::Markup;
use crate::plantuml::Drawing;
use crate::text::{count, cut, shorten, visible};
use crate::words::Words;
use trueup_model::declared::DeclaredService;

/// Addresses that boxes lead to; a box without one is no link.
pub(crate) struct Targets<'a> {
    /// The section of a table of the service, by position.
    pub(crate) table: &'a dyn Fn(usize) -> Option<String>,
    /// The page of another service.
    pub(crate) service: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a service is one of the intent.
    pub(crate) is_known: &'a dyn Fn(&str) -> bool,
    /// How far a table of the service has come, by position. A file of its own does not say it: it would be another one
    /// with every migration that arrives somewhere.
    pub(crate) stage: &'a dyn Fn(usize) -> Option<Words>,
}

/// What a picture is called: in the page's namespace, and for people.
pub(crate) struct Title<'a> {
    /// What the identifiers inside the picture start with; no two pictures of a page share one.
    pub(crate) id: &'a str,
    pub(crate) text: &'a str,
}

/// A diagram with its places, laid out once for every form it is shown in; or drawn by PlantUML.
pub(crate) struct Picture<'a> {
    pub(crate) erd: Erd,
    form: Form<'a>,
}

enum Form<'a> {
    Placed(Placed),
    Failed(LayoutError),
    PlantUml(&'a Drawing),
}

/// Where everything goes, and which relation each line is.
struct Placed {
    placement: Placement,
    drawn: Vec<usize>,
}

impl<'a> Picture<'a> {
    /// Lays a diagram out.
    pub(crate) fn of(erd: Erd, layout: &dyn Layout) -> Self {
        let (graph, drawn) = erd.graph();
        let form = match loops::place(&graph, layout) {
            Ok(placement) => Form::Placed(Placed { placement, drawn }),
            Err(error) => Form::Failed(error),
        };
        Self { erd, form }
    }

    /// The diagram of a service, by whoever draws them.
    pub(crate) fn of_service(service: &DeclaredService, input: &Lookup<'a>, layout: &dyn Layout) -> Self {
        let erd = Erd::of(service, input.written);
        match input.drawings.and_then(|drawings| drawings.of_service(&service.name.value)) {
            Some(drawing) => Self { erd, form: Form::PlantUml(drawing) },
            None => Self::of(erd, layout),
        }
    }

    /// Draws it into a page; without a placement, says so.
    pub(crate) fn inline(&self, title: &Title<'_>, targets: &Targets<'_>, out: &mut Markup) {
        match &self.form {
            Form::Placed(placed) => figure(&self.erd, title, targets, placed, out),
            Form::PlantUml(drawing) => drawing.image(out),
            Form::Failed(error) => {
                out.element("p", &[("class", "note")], |p| {
                    p.text("There is no picture: ").text(&error.to_string()).text(". The tables are all below.");
                });
            }
        }
    }

    /// The picture as a file of its own; none without a placement or without a box. Its boxes lead nowhere, since
    /// nobody knows where the file will lie.
    pub(crate) fn file(&self, title: &str, colour: Option<Color>, is_known: &dyn Fn(&str) -> bool) -> Option<String> {
        let placed = match &self.form {
            Form::Placed(placed) => placed,
            Form::PlantUml(drawing) => return Some(drawing.svg.clone()),
            Form::Failed(_) => return None,
        };
        let size = placed.placement.size?;
        let targets = Targets { table: &|_| None, service: &|_| None, is_known, stage: &|_| None };
        let inside = |svg: &mut Markup| contents(&self.erd, &targets, placed, svg);
        let rules = colour.map_or_else(String::new, |colour| format!(":root{{--domain:{}}}", colour.hex()));
        Some(file::wrap(title, &description(&self.erd), &rules, size, inside))
    }
}

/// A picture that is only a little wider than a page, in pixels, is shrunk to it; a wider one scrolls.
pub(crate) const FITS: i32 = 1400;

fn figure(erd: &Erd, title: &Title<'_>, targets: &Targets<'_>, placed: &Placed, out: &mut Markup) {
    let Some(size) = placed.placement.size else { return };
    let sheet = Sheet { size, opening: opening::size(size, erd.boxes.iter().map(|card| card.size), &placed.placement) };
    svg(title, &description(erd), sheet, out, |svg| contents(erd, targets, placed, svg));
}

/// How large a picture is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet {
    pub(super) size: Size,
    /// How large it is shown before a script fits it to the window.
    pub(super) opening: Size,
}

/// A picture inside of a page.
pub(super) fn svg(
    title: &Title<'_>,
    description: &str,
    sheet: Sheet,
    out: &mut Markup,
    contents: impl FnOnce(&mut Markup),
) {
    let Sheet { size, opening } = sheet;
    let (width, height) = (opening.width.to_string(), opening.height.to_string());
    let view = format!("0 0 {} {}", size.width, size.height);
    let ids = [format!("{}-title", title.id), format!("{}-desc", title.id)];
    let labels = ids.join(" ");
    let attributes = [
        ("class", if size.width <= FITS { "erd fit" } else { "erd" }),
        ("role", "group"),
        ("aria-labelledby", labels.as_str()),
        ("width", width.as_str()),
        ("height", height.as_str()),
        ("viewBox", view.as_str()),
    ];
    out.element("svg", &attributes, |svg| {
        svg.leaf("title", &[("id", &ids[0])], title.text);
        svg.leaf("desc", &[("id", &ids[1])], description).line();
        contents(svg);
    });
}

/// Lines and boxes.
fn contents(erd: &Erd, targets: &Targets<'_>, placed: &Placed, svg: &mut Markup) {
    for (line, position) in placed.placement.lines.iter().zip(&placed.drawn) {
        relation(&erd.relations[*position], line, svg);
    }
    for (card, corner) in erd.boxes.iter().zip(&placed.placement.boxes) {
        draw_card(card, *corner, targets, svg);
        svg.line();
    }
}

/// What the picture shows, in a sentence or two.
pub(crate) fn description(erd: &Erd) -> String {
    if let Some(about) = &erd.about {
        return about.clone();
    }
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
    let ([first, second, ..], [.., before, last]) = (line, line) else { return };
    let way = |from: &Point, end: &Point| (from.x - end.x).signum();
    let class = if relation.enforced { "edge" } else { "edge logical" };
    let one = relation.referenced().map(|foot| path::foot(foot, *first, way(second, first)));
    let (one, one_ring) = one.unwrap_or_default();
    let (many, many_ring) = path::foot(relation.referencing(), *last, way(before, last));
    svg.shape("path", &[("class", class), ("d", &path::rounded(line))]);
    svg.shape("path", &[("class", "foot"), ("d", &format!("{one}{many}"))]);
    for ring in [one_ring, many_ring].into_iter().flatten() {
        let (x, y) = (ring.x.to_string(), ring.y.to_string());
        svg.shape("circle", &[("class", "foot"), ("cx", &x), ("cy", &y), ("r", "3.5")]);
    }
    svg.line();
}

fn draw_card(card: &Card, at: Point, targets: &Targets<'_>, svg: &mut Markup) {
    match &card.kind {
        CardKind::Table(position) => {
            let label = format!("Table {}, {}", card.title, count(card.columns, "column"));
            linked((targets.table)(*position), &label, svg, |link| frame(card, at, link));
            if let Some(words) = (targets.stage)(*position) {
                stage(card, at, &words, svg);
            }
            // Outside of the link: its name is the table's, not a reading of the whole box. Clicks fall through.
            svg.element("g", &[("class", "rows")], |rows| body(card, at, rows));
        }
        CardKind::Service(service) => {
            let href = (targets.service)(service);
            let class = if (targets.is_known)(service) { "pill" } else { "pill missing" };
            linked(href, &format!("Service {}", card.title), svg, |link| pill(card, at, class, link));
        }
        CardKind::Missing => pill(card, at, "pill missing", svg),
    }
}

/// A link around what is drawn, where there is somewhere to go.
fn linked(href: Option<String>, label: &str, svg: &mut Markup, inside: impl FnOnce(&mut Markup)) {
    match href {
        Some(href) => {
            svg.element("a", &[("href", &href), ("aria-label", label)], inside);
        }
        None => {
            svg.element("g", &[], inside);
        }
    }
}

fn pill(card: &Card, at: Point, class: &str, svg: &mut Markup) {
    rect(class, at, card.size.width, card.size.height, 14, svg);
    let middle = Point { x: at.x + card.size.width / 2, y: at.y + card.size.height / 2 + 4 };
    label("pill-text", middle, &cut(&card.title, 40), svg);
}

fn frame(card: &Card, at: Point, svg: &mut Markup) {
    let class = card.sign.map_or_else(|| "box".to_owned(), |sign| format!("box {}", sign.word()));
    rect(&class, at, card.size.width, card.size.height, 7, svg);
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
    let name = shorten(&card.title, LONGEST_NAME);
    label("table-name", Point { x: at.x + SIDE, y: at.y + 21 }, &name, svg);
    if let Some(sign) = card.sign {
        let text = format!("{} {}", sign.glyph(), sign.word());
        label(&format!("what {}", sign.word()), Point { x: right - SIDE, y: at.y + 21 }, &text, svg);
    }
}

/// The sign of how far a table has come, at the right of its head. Outside of the link, whose name is the table's.
fn stage(card: &Card, at: Point, (class, sign, words): &Words, svg: &mut Markup) {
    let corner = Point { x: at.x + card.size.width - STAGE, y: at.y + 7 };
    svg.element("g", &[("class", &format!("state {class}")), ("role", "img")], |group| {
        group.leaf("title", &[], words);
        rect("state-ground", corner, STAGE - 7, 18, 9, group);
        label("state-sign", Point { x: corner.x + (STAGE - 7) / 2, y: corner.y + 13 }, sign, group);
    });
}

/// What a change did to a row of a box.
fn mark(sign: Option<Sign>, card: &Card, at: Point, height: i32, svg: &mut Markup) {
    let Some(sign) = sign else { return };
    rect(&format!("row {}", sign.word()), Point { x: at.x + 1, y: at.y }, card.size.width - 2, height, 0, svg);
    label(&format!("glyph {}", sign.word()), Point { x: at.x + SIDE / 2 + 1, y: at.y + height - 7 }, sign.glyph(), svg);
}

fn body(card: &Card, at: Point, svg: &mut Markup) {
    let mut y = at.y + HEAD + 2;
    for row in &card.rows {
        draw_row(card, row, at.x, y, svg);
        y += ROW;
    }
    if !card.left_out.is_empty() {
        label("more", Point { x: at.x + SIDE, y: y + 15 }, &card.left_out, svg);
    }
    if card.indexes.is_empty() {
        return;
    }
    let mut y = at.y + card.indexes_y();
    svg.shape("path", &[("class", "part"), ("d", &format!("M{} {}h{}", at.x, y, card.size.width))]);
    for index in &card.indexes {
        mark(index.sign, card, Point { x: at.x, y: y + 1 }, INDEX_ROW - 1, svg);
        draw_index(index, at.x + SIDE, y + 2, svg);
        y += INDEX_ROW;
    }
}

fn draw_index(index: &super::IndexRow, x: i32, y: i32, svg: &mut Markup) {
    let (class, letters) = if index.unique { ("mark uq", "UQ") } else { ("mark ix", "IX") };
    rect(class, Point { x, y: y + 3 }, MARK - 4, 13, 3, svg);
    label("mark-text", Point { x: x + (MARK - 4) / 2, y: y + 13 }, letters, svg);
    // The whole name appears below the mouse where it is shortened. It is there in any case: no text changes the structure.
    let class = if index.shown == visible(&index.text) { "whole" } else { "cut" };
    svg.element("g", &[("class", class)], |group| {
        group.leaf("title", &[], &index.text);
        label("index", Point { x: x + MARK, y: y + 13 }, &index.shown, group);
    });
}

fn draw_row(card: &Card, row: &super::Row, left: i32, y: i32, svg: &mut Markup) {
    let base = y + 15;
    mark(row.sign, card, Point { x: left, y: y - 1 }, ROW, svg);
    for (position, mark) in row.marks.iter().enumerate() {
        let x = left + SIDE + i32::try_from(position).unwrap_or(0) * MARK;
        rect(mark.class(), Point { x, y: y + 4 }, MARK - 4, 14, 3, svg);
        label("mark-text", Point { x: x + (MARK - 4) / 2, y: base - 1 }, mark.letters(), svg);
    }
    let is_key = row.marks.contains(&crate::facts::Mark::Primary);
    let class = if is_key { "column key" } else { "column" };
    label(class, Point { x: left + card.name_x, y: base }, &row.shown, svg);
    let right = left + card.size.width - SIDE;
    label("type", Point { x: right - 26, y: base }, &cut(&row.type_text, LONGEST_TYPE), svg);
    match row.null {
        Nullability::Required => label("nn", Point { x: right, y: base }, "NN", svg),
        Nullability::Unknown => label("nn", Point { x: right, y: base }, "?", svg),
        Nullability::Optional => {}
    }
}

pub(super) fn rect(class: &str, at: Point, width: i32, height: i32, radius: i32, svg: &mut Markup) {
    let numbers = [at.x, at.y, width, height, radius].map(|number| number.to_string());
    let [x, y, width, height, radius] = numbers.each_ref().map(String::as_str);
    svg.shape("rect", &[("class", class), ("x", x), ("y", y), ("width", width), ("height", height), ("rx", radius)]);
}

pub(super) fn label(class: &str, at: Point, text: &str, svg: &mut Markup) {
    let (x, y) = (at.x.to_string(), at.y.to_string());
    svg.leaf("text", &[("class", class), ("x", &x), ("y", &y)], text);
}
