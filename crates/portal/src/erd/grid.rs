//! Boxes of the map without a line: in a grid below the others, by domain.

use super::layout::{Graph, Layout, LayoutError, Placement, Point, Size};
use super::map::{Group, HEIGHT, Map};
use super::shelves;

/// Room between two boxes, and around the picture.
const GAP: i32 = 14;
const MARGIN: i32 = 4;
/// Room between boxes with lines and those without.
const BELOW: i32 = 28;
/// Pixels of a heading, with the room below it.
const HEADING: i32 = 22;
/// What the grid is filled up to when nothing else says how wide the picture is: about a page.
const WIDE: i32 = 1140;

/// Words above boxes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Heading {
    /// Where the words start, on their line.
    pub(super) at: Point,
    pub(super) text: String,
    /// How far they may reach, in pixels.
    pub(super) room: i32,
    /// The domain that is named; none of what stands above all of them.
    pub(super) domain: Option<Option<usize>>,
}

/// Boxes that share a heading, by their positions.
struct Plot {
    domain: Option<Option<usize>>,
    boxes: Vec<usize>,
}

/// Places all boxes and lines. Boxes without a line become equally wide.
pub(super) fn place(map: &mut Map, engine: &dyn Layout) -> Result<(Placement, Vec<Heading>), LayoutError> {
    let graph = map.graph();
    let (met, alone) = shelves::met(&graph);
    if alone.is_empty() {
        return Ok((engine.place(&graph)?, Vec::new()));
    }
    let mut placed = engine.place(&shelves::part(&graph, &met))?;
    let mut boxes = vec![Point::default(); graph.boxes.len()];
    met.iter().zip(&placed.boxes).for_each(|(node, corner)| boxes[*node] = *corner);
    placed.boxes = boxes;
    let cell = cell(&graph, &alone);
    alone.iter().for_each(|node| map.places[*node].size.width = cell);
    let headings = Grid::new(cell, &placed).fill(map, &alone, &mut placed);
    Ok((placed, headings))
}

/// The width of the widest box.
fn cell(graph: &Graph, alone: &[usize]) -> i32 {
    alone.iter().map(|node| graph.boxes[*node].width).max().unwrap_or(0)
}

/// By domain, in their order; who is in none comes last.
fn plots(map: &Map, alone: &[usize]) -> Vec<Plot> {
    let by_domain = map.colours.iter().any(|colour| colour.domain.is_some());
    let domain = |node: usize| match map.places[node].group {
        Group::Service(_) if by_domain => Some(map.places[node].domain),
        _ => None,
    };
    let mut sorted = alone.to_vec();
    sorted.sort_by_key(|node| (domain(*node).map(|domain| domain.unwrap_or(usize::MAX)), *node));
    let together = sorted.chunk_by(|one, other| domain(*one) == domain(*other));
    together.map(|boxes| Plot { domain: domain(boxes[0]), boxes: boxes.to_vec() }).collect()
}

/// Cells of one size, which are filled row by row.
struct Grid {
    cell: i32,
    columns: usize,
    top: i32,
}

impl Grid {
    fn new(cell: i32, placed: &Placement) -> Self {
        let width = placed.size.map_or(WIDE, |size| size.width.max(WIDE));
        let columns = usize::try_from((width - 2 * MARGIN + GAP) / (cell + GAP)).unwrap_or(1).max(1);
        Self { cell, columns, top: placed.size.map_or(MARGIN, |size| size.height + BELOW - MARGIN) }
    }

    /// Puts boxes into cells and headings above them, and makes the picture as large as that takes.
    fn fill(&self, map: &Map, alone: &[usize], placed: &mut Placement) -> Vec<Heading> {
        let plots = plots(map, alone);
        let cells = starts(&plots, self.columns);
        let is_named = |row: usize| plots.iter().zip(&cells).any(|(plot, at)| plot.domain.is_some() && at.0 == row);
        let mut headings = vec![Heading {
            at: Point { x: MARGIN, y: self.top + 13 },
            text: "Without a reference to or from another".to_owned(),
            room: WIDE,
            domain: None,
        }];
        let mut y = self.top + HEADING + 4;
        let rows = plots.iter().zip(&cells).map(|(plot, at)| at.0 + (at.1 + plot.boxes.len()).div_ceil(self.columns));
        for row in 0..rows.max().unwrap_or(0) {
            let named = if is_named(row) { HEADING } else { 0 };
            for (plot, at) in plots.iter().zip(&cells) {
                headings.extend(self.heading(map, plot, *at, row, y));
                self.boxes(plot, *at, row, y + named, placed);
            }
            y += named + HEIGHT + GAP;
        }
        let used =
            self.columns.min(plots.iter().zip(&cells).map(|(plot, at)| at.1 + plot.boxes.len()).max().unwrap_or(0));
        let width = self.x(used) - GAP + MARGIN;
        let before = placed.size.map_or(0, |size| size.width);
        placed.size = Some(Size { width: before.max(width), height: y - GAP + MARGIN });
        headings
    }

    /// The heading of a plot that starts in a row.
    fn heading(&self, map: &Map, plot: &Plot, at: (usize, usize), row: usize, y: i32) -> Option<Heading> {
        let domain = plot.domain.filter(|_| at.0 == row)?;
        let colour = map.colours.iter().find(|colour| colour.domain == domain)?;
        let end = (at.1 + plot.boxes.len()).min(self.columns);
        let room = self.x(end) - GAP - self.x(at.1);
        let at = Point { x: self.x(at.1), y: y + 13 };
        Some(Heading { at, text: colour.name.clone(), room, domain: Some(domain) })
    }

    /// Those boxes of a plot that are in a row.
    fn boxes(&self, plot: &Plot, start: (usize, usize), row: usize, y: i32, placed: &mut Placement) {
        for (number, node) in plot.boxes.iter().enumerate() {
            let column = start.1 + number;
            if start.0 + column / self.columns == row {
                placed.boxes[*node] = Point { x: self.x(column % self.columns), y };
            }
        }
    }

    fn x(&self, column: usize) -> i32 {
        MARGIN + i32::try_from(column).unwrap_or(0) * (self.cell + GAP)
    }
}

/// The row and column of each plot's first cell. One that does not fit into what is left of a row begins a new one.
fn starts(plots: &[Plot], columns: usize) -> Vec<(usize, usize)> {
    let (mut row, mut column) = (0, 0);
    let start = |plot: &Plot| {
        if column > 0 && column + plot.boxes.len() > columns {
            (row, column) = (row + 1, 0);
        }
        let start = (row, column);
        let end = column + plot.boxes.len();
        (row, column) = (row + end / columns, end % columns);
        start
    };
    plots.iter().map(start).collect()
}

#[cfg(test)]
mod tests {
    use super::super::elk::Elk;
    use super::super::map::tests::with_land;
    use super::*;

    /// Two services with a line, and eleven without: seven in one domain, two in another, two in none.
    const YAML: &str = "a0: {}\na1: {}\na2: {}\na3: {}\na4: {}\na5: {}\na6: {}\nb0: {}\nb1: {}\nc0: {}\nc1: {}\n\
        x:\n  table_details:\n    t:\n      columns: [{name: y, type: UUID, constraints: FK -> y}]\ny: {}\n";
    const DOMAINS: &str = "Beta:\n  services: [b1, b0, x]\nAlpha:\n  services: [a0, a1, a2, a3, a4, a5, a6]\n";

    fn placed(yaml: &str, domains: &str) -> (Map, Placement, Vec<Heading>) {
        let mut map = Map::default();
        with_land(yaml, domains, |land| map = Map::of_services(land));
        let (placement, headings) = place(&mut map, &Elk).unwrap();
        (map, placement, headings)
    }

    fn overlap(a: (Point, Size), b: (Point, Size)) -> bool {
        let apart = a.0.x + a.1.width <= b.0.x || b.0.x + b.1.width <= a.0.x;
        !apart && a.0.y + a.1.height > b.0.y && b.0.y + b.1.height > a.0.y
    }

    #[test]
    fn services_without_a_line_stand_below_the_others_under_the_names_of_their_domains() {
        let (map, placement, headings) = placed(YAML, DOMAINS);
        let names: Vec<&str> = headings.iter().map(|heading| heading.text.as_str()).collect();
        assert_eq!(names, ["Without a reference to or from another", "Beta", "Alpha", "In no domain"]);
        let at = |name: &str| placement.boxes[map.places.iter().position(|place| place.title == name).unwrap()];
        let lowest_line = placement.lines.iter().flatten().map(|point| point.y).max().unwrap();
        for (heading, own) in
            [(1, &["b0", "b1"][..]), (2, &["a0", "a1", "a2", "a3", "a4", "a5", "a6"]), (3, &["c0", "c1"])]
        {
            assert_eq!(at(own[0]).x, headings[heading].at.x, "{own:?} start below their heading");
            assert!(own.iter().all(|name| at(name).y > headings[heading].at.y && at(name).y > lowest_line), "{own:?}");
        }
        // The domain that does not fit into the rest of the row has one of its own.
        assert!(at("a0").y > at("b0").y && at("a0").y == at("a1").y, "{placement:?}");
    }

    #[test]
    fn the_grid_is_even_and_nothing_overlaps() {
        let (map, placement, headings) = placed(YAML, DOMAINS);
        let boxes: Vec<_> = placement.boxes.iter().copied().zip(map.places.iter().map(|place| place.size)).collect();
        let words = headings.iter().map(|heading| (heading.at, Size { width: heading.room.min(100), height: 1 }));
        let all: Vec<(Point, Size)> = boxes.iter().copied().chain(words).collect();
        for (position, one) in all.iter().enumerate() {
            assert!(!all[position + 1..].iter().any(|other| overlap(*one, *other)), "{all:?}");
        }
        let size = placement.size.unwrap();
        assert!(boxes.iter().all(|(at, own)| at.x + own.width < size.width && at.y + own.height < size.height));
        let widths: Vec<i32> = map
            .places
            .iter()
            .zip(&boxes)
            .filter(|(place, _)| place.title.len() == 2)
            .map(|(_, (_, size))| size.width)
            .collect();
        assert_eq!(widths, [widths[0]; 11]);
    }

    #[test]
    fn without_domains_there_is_one_heading() {
        let (_, _, headings) = placed(YAML, "{}\n");
        assert_eq!(headings.len(), 1, "{headings:?}");
        let (_, placement, headings) = placed("a: {}\nb: {}\n", "{}\n");
        assert_eq!((headings.len(), placement.boxes[0].y), (1, placement.boxes[1].y));
    }
}
