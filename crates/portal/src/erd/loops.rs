//! Lines of a table that references itself: the layout engine is not asked about them. They run in a margin at the right of
//! their box, which the engine takes for a part of the box, so that nothing else stands in their way.

use super::layout::{Edge, Graph, Layout, LayoutError, Placement, Point};
use super::shelves;

/// Pixels from a box to the innermost loop: a crow's foot with its ring, and the rounded corner behind it.
const FIRST: i32 = 27;
/// Pixels between two loops, and from the outermost to the end of the margin.
const STEP: i32 = 12;

/// Places all boxes and lines, those within one box as well.
pub(super) fn place(graph: &Graph, engine: &dyn Layout) -> Result<Placement, LayoutError> {
    let lanes = lanes(graph);
    let margins: Vec<i32> = (0..graph.boxes.len()).map(|node| margin(node, graph, &lanes)).collect();
    let mut wide = graph.clone();
    wide.edges.retain(|edge| !is_loop(edge));
    wide.boxes.iter_mut().zip(&margins).for_each(|(size, margin)| size.width += margin);
    let mut placed = shelves::place(&wide, engine)?;
    let mut others = std::mem::take(&mut placed.lines).into_iter();
    for (edge, lane) in graph.edges.iter().zip(&lanes) {
        let line = match lane {
            Some(lane) => Some(around(edge, *lane, graph, &placed)),
            None => others.next().map(|line| through(line, margins[edge.from.node])),
        };
        placed.lines.extend(line);
    }
    Ok(placed)
}

fn is_loop(edge: &Edge) -> bool {
    edge.from.node == edge.to.node
}

/// How many loops of its box are nearer to the box than this one: short ones are. Lines between boxes have no lane.
fn lanes(graph: &Graph) -> Vec<Option<usize>> {
    let mut loops: Vec<usize> = (0..graph.edges.len()).filter(|at| is_loop(&graph.edges[*at])).collect();
    loops.sort_by_key(|at| ((graph.edges[*at].from.y - graph.edges[*at].to.y).abs(), *at));
    let (mut used, mut lanes) = (vec![0; graph.boxes.len()], vec![None; graph.edges.len()]);
    for at in loops {
        let used = &mut used[graph.edges[at].from.node];
        lanes[at] = Some(*used);
        *used += 1;
    }
    lanes
}

/// How far the loops of a box reach to its right.
fn margin(node: usize, graph: &Graph, lanes: &[Option<usize>]) -> i32 {
    let own = graph.edges.iter().zip(lanes).filter(|(edge, _)| edge.from.node == node);
    own.filter_map(|(_, lane)| *lane).map(|lane| away(lane) + STEP).max().unwrap_or(0)
}

fn away(lane: usize) -> i32 {
    FIRST + i32::try_from(lane).unwrap_or(i32::MAX / STEP - FIRST) * STEP
}

/// Out of the box, along its side, and back.
fn around(edge: &Edge, lane: usize, graph: &Graph, placed: &Placement) -> Vec<Point> {
    let (corner, size) = (placed.boxes[edge.from.node], graph.boxes[edge.from.node]);
    let right = corner.x + size.width;
    let at = |x: i32, y: i32| Point { x, y: corner.y + y };
    let turn = right + away(lane);
    vec![at(right, edge.from.y), at(turn, edge.from.y), at(turn, edge.to.y), at(right, edge.to.y)]
}

/// A line that leaves the margin leaves the box before.
fn through(mut line: Vec<Point>, margin: i32) -> Vec<Point> {
    if let Some(first) = line.first_mut() {
        first.x -= margin;
    }
    line
}

#[cfg(test)]
mod tests {
    use trueup_intent::Source;

    use super::super::elk::Elk;
    use super::super::{Erd, HEAD, ROW};
    use super::*;

    /// The y of a row's middle, below the top of its box.
    fn row(number: i32) -> i32 {
        HEAD + 2 + number * ROW + ROW / 2
    }

    fn placed(yaml: &str) -> (Erd, Graph, Placement) {
        let reading = trueup_intent::read(&[Source { path: "f".to_owned(), bytes: yaml.as_bytes().to_vec() }]);
        assert!(reading.errors.is_empty(), "{:?}", reading.errors);
        let erd = Erd::of(&reading.declared.services[0], &reading.written);
        let (graph, _) = erd.graph();
        let placed = place(&graph, &Elk).unwrap();
        (erd, graph, placed)
    }

    /// Where a line starts and ends: right of its box, below its top.
    fn ends(line: &[Point], node: usize, graph: &Graph, placed: &Placement) -> [(i32, i32); 2] {
        let right = placed.boxes[node].x + graph.boxes[node].width;
        [line.first(), line.last()].map(|at| at.map(|at| (at.x - right, at.y - placed.boxes[node].y)).unwrap())
    }

    #[test]
    fn a_loop_leads_from_the_referenced_row_around_to_the_referencing_one_inside_of_the_picture() {
        let (_, graph, placed) = placed(
            "s:\n  table_details:\n    a:\n      columns: [{name: id, type: UUID, constraints: PK}, \
             {name: x, type: TEXT}, {name: up, type: UUID, constraints: FK -> a}]\n",
        );
        let size = placed.size.unwrap();
        let line = &placed.lines[0];
        assert_eq!(ends(line, 0, &graph, &placed), [(0, row(0)), (0, row(2))]);
        let right = placed.boxes[0].x + graph.boxes[0].width;
        // A foot with its ring takes 19 pixels, and the corner behind it 7.
        assert!(line[1].x - right >= 26 && line[1].x == line[2].x, "{line:?}");
        assert!(
            line.iter().all(|at| at.x + 1 < size.width && at.y < size.height && at.x >= 0 && at.y >= 0),
            "{line:?}"
        );
    }

    #[test]
    fn two_loops_of_a_table_among_others_keep_apart_from_each_other_and_from_every_box() {
        let (erd, graph, placed) = placed(
            "s:\n  table_details:\n    a:\n      columns: [{name: id, type: UUID, constraints: PK}, \
             {name: up, type: UUID, constraints: FK -> a}, {name: next, type: UUID, constraints: FK -> a}]\n    \
             b:\n      columns: [{name: a, type: UUID, constraints: 'NOT NULL, FK -> a'}]\n    \
             c:\n      columns: [{name: a, type: UUID, constraints: 'FK -> a'}]\n",
        );
        let size = placed.size.unwrap();
        let loops: Vec<&Vec<Point>> =
            placed.lines.iter().zip(&graph.edges).filter(|(_, edge)| is_loop(edge)).map(|(line, _)| line).collect();
        assert_eq!((erd.relations.len(), loops.len()), (4, 2));
        for (line, end) in loops.iter().zip([1, 2]) {
            assert_eq!(ends(line, 0, &graph, &placed), [(0, row(0) + 5), (0, row(end))]);
        }
        assert_eq!(loops[1][1].x - loops[0][1].x, STEP);
        let others = || placed.boxes.iter().zip(&graph.boxes).skip(1);
        let reach = loops[1][1].x;
        assert!(others().all(|(at, size)| reach < at.x || at.x + size.width <= placed.boxes[0].x), "{placed:?}");
        assert!(placed.lines.iter().flatten().all(|at| at.x < size.width && at.y < size.height), "{placed:?}");
        // The lines to other tables start at the box, not where the loops end.
        let right = placed.boxes[0].x + graph.boxes[0].width;
        let starts: Vec<i32> = placed.lines.iter().map(|line| line[0].x).collect();
        assert_eq!(starts, [right; 4]);
    }
}
