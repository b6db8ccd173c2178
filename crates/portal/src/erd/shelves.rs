//! Boxes without a line need no layout engine: they stand on shelves below the rest.

use super::layout::{Graph, Layout, LayoutError, Placement, Point, Size};

/// Room between two boxes, and around the picture.
const GAP: i32 = 28;
const MARGIN: i32 = 4;
/// What shelves are filled up to when nothing else says how wide the picture is.
const WIDE: i32 = 1200;

/// Asks the engine about boxes with lines only, and puts the others on shelves below them.
pub(super) fn place(graph: &Graph, engine: &dyn Layout) -> Result<Placement, LayoutError> {
    let (met, alone) = met(graph);
    if alone.is_empty() {
        return engine.place(graph);
    }
    let mut placed = engine.place(&part(graph, &met))?;
    let (width, top) = placed.size.map_or((WIDE, MARGIN), |size| (size.width.max(WIDE), size.height + GAP - MARGIN));
    let sizes: Vec<Size> = alone.iter().map(|node| graph.boxes[*node]).collect();
    let (corners, filled) = fill(&sizes, width, top);
    let mut boxes = vec![Point::default(); graph.boxes.len()];
    for (node, corner) in met.iter().zip(&placed.boxes).chain(alone.iter().zip(&corners)) {
        boxes[*node] = *corner;
    }
    placed.boxes = boxes;
    let before = placed.size.map_or(0, |size| size.width);
    placed.size = Some(Size { width: before.max(filled.width), height: filled.height });
    Ok(placed)
}

/// The boxes that a line meets, and the others.
pub(super) fn met(graph: &Graph) -> (Vec<usize>, Vec<usize>) {
    let mut is_met = vec![false; graph.boxes.len()];
    for edge in &graph.edges {
        is_met[edge.from.node] = true;
        is_met[edge.to.node] = true;
    }
    (0..graph.boxes.len()).partition(|node| is_met[*node])
}

/// The graph of some boxes, which all lines are between.
pub(super) fn part(graph: &Graph, kept: &[usize]) -> Graph {
    let mut position = vec![0; graph.boxes.len()];
    for (new, old) in kept.iter().enumerate() {
        position[*old] = new;
    }
    let mut edges = graph.edges.clone();
    for end in edges.iter_mut().flat_map(|edge| [&mut edge.from, &mut edge.to]) {
        end.node = position[end.node];
    }
    Graph { boxes: kept.iter().map(|node| graph.boxes[*node]).collect(), edges }
}

/// The corner of each box, and how far all of them reach. Tall boxes come first, so that a shelf wastes little.
fn fill(sizes: &[Size], width: i32, top: i32) -> (Vec<Point>, Size) {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|node| (-sizes[*node].height, *node));
    let mut corners = vec![Point::default(); sizes.len()];
    let mut at = Point { x: MARGIN, y: top };
    let (mut shelf, mut reach) = (0, Size { width: 0, height: 0 });
    for node in order {
        let size = sizes[node];
        if at.x > MARGIN && at.x + size.width + MARGIN > width {
            at = Point { x: MARGIN, y: at.y + shelf + GAP };
            shelf = 0;
        }
        corners[node] = at;
        shelf = shelf.max(size.height);
        reach = Size {
            width: reach.width.max(at.x + size.width + MARGIN),
            height: reach.height.max(at.y + size.height + MARGIN),
        };
        at.x += size.width + GAP;
    }
    (corners, reach)
}

#[cfg(test)]
mod tests {
    use super::super::layout::{Edge, End};
    use super::*;

    /// Puts all boxes into one column, and fails the test when one has no line.
    struct Column;

    impl Layout for Column {
        fn place(&self, graph: &Graph) -> Result<Placement, LayoutError> {
            let ends = || graph.edges.iter().flat_map(|edge| [edge.from.node, edge.to.node]);
            assert!((0..graph.boxes.len()).all(|node| ends().any(|end| end == node)), "{graph:?}");
            let boxes: Vec<Point> =
                (0..graph.boxes.len()).map(|node| Point { x: 0, y: 100 * i32::try_from(node).unwrap() }).collect();
            let size = (!boxes.is_empty()).then_some(Size { width: 50, height: 300 });
            Ok(Placement { size, boxes, lines: vec![Vec::new(); graph.edges.len()] })
        }
    }

    #[test]
    fn boxes_without_lines_stand_below_those_with_lines() {
        let boxes: Vec<Size> = (0..5).map(|n| Size { width: 500, height: 40 + n }).collect();
        let end = |node| End { node, y: 5 };
        let graph = Graph { boxes, edges: vec![Edge { from: end(3), to: end(1) }] };
        let placed = place(&graph, &Column).unwrap();
        let (y, below): (Vec<i32>, i32) = (placed.boxes.iter().map(|at| at.y).collect(), 300 + GAP - MARGIN);
        assert_eq!((y[1], y[3]), (0, 100));
        // The tallest two share the first shelf.
        assert_eq!([y[4], y[2], y[0]], [below, below, below + 44 + GAP]);
        assert_eq!(placed.size, Some(Size { width: 2 * 500 + GAP + 2 * MARGIN, height: y[0] + 40 + MARGIN }));
    }

    #[test]
    fn with_nothing_but_lonely_boxes_no_engine_is_needed() {
        let graph = Graph { boxes: vec![Size { width: 200, height: 50 }; 30], edges: Vec::new() };
        let placed = place(&graph, &Column).unwrap();
        assert!(placed.size.is_some_and(|size| size.width <= WIDE));
        let mut corners: Vec<_> = placed.boxes.iter().map(|at| (at.x, at.y)).collect();
        corners.sort_unstable();
        corners.dedup();
        assert_eq!(corners.len(), 30);
    }
}
