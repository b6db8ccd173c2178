//! The layout engine: ELK's layered algorithm, as `elkrs` does it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::layout::{Edge, End, Graph, Layout, LayoutError, Placement, Point, Size};

/// ELK's layered layout, left to right, with orthogonal lines and fixed ports.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elk;

/// The side of a box that a line meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Side {
    Left,
    Right,
}

impl Layout for Elk {
    fn place(&self, graph: &Graph) -> Result<Placement, LayoutError> {
        if graph.boxes.is_empty() {
            return Ok(Placement::default());
        }
        let question = question(graph).to_string();
        // The engine is a port of a large Java program; a panic in it costs one picture, not the whole portal.
        let answer = std::panic::catch_unwind(|| elkrs::create_elk().layout_json(&question));
        let answer = answer.map_err(|_| LayoutError("the engine failed".to_owned()))?.map_err(LayoutError)?;
        read(graph, &answer).ok_or_else(|| LayoutError("the engine left something out".to_owned()))
    }
}

fn ends(edge: &Edge) -> [(End, Side); 2] {
    [(edge.from, Side::Right), (edge.to, Side::Left)]
}

/// A name for the port; lines that meet a box in the same row share it, and are drawn as one trunk.
fn port((end, side): (End, Side)) -> String {
    format!("{}/{side:?}/{}", end.node, end.y)
}

fn question(graph: &Graph) -> Value {
    let ports: BTreeSet<(End, Side)> = graph.edges.iter().flat_map(ends).collect();
    let children = graph.boxes.iter().enumerate().map(|(node, size)| {
        let own = ports.iter().filter(|(end, _)| end.node == node);
        json!({
            "id": format!("n{node}"), "width": size.width, "height": size.height,
            "layoutOptions": {"elk.portConstraints": "FIXED_POS"},
            "ports": own.map(|(end, side)| port_json(*end, *side, size.width)).collect::<Vec<_>>(),
        })
    });
    let edges = graph.edges.iter().enumerate().map(|(position, edge)| {
        let [from, to] = ends(edge).map(port);
        json!({"id": format!("e{position}"), "sources": [from], "targets": [to]})
    });
    json!({
        "id": "g", "layoutOptions": options(),
        "children": children.collect::<Vec<_>>(), "edges": edges.collect::<Vec<_>>(),
    })
}

fn port_json(end: End, side: Side, width: i32) -> Value {
    let (x, name) = if side == Side::Left { (0, "WEST") } else { (width, "EAST") };
    json!({
        "id": port((end, side)), "x": x, "y": end.y, "width": 0, "height": 0,
        "layoutOptions": {"elk.port.side": name},
    })
}

/// Room for a crow's foot (16 pixels) before the first bend of a line.
fn options() -> Value {
    json!({
        "elk.algorithm": "layered",
        "elk.direction": "RIGHT",
        "elk.edgeRouting": "ORTHOGONAL",
        "elk.padding": "[top=4,left=4,bottom=4,right=4]",
        "elk.aspectRatio": "2.6",
        "elk.spacing.nodeNode": "28",
        "elk.spacing.edgeNode": "20",
        "elk.spacing.edgeEdge": "12",
        "elk.spacing.componentComponent": "36",
        "elk.layered.spacing.nodeNodeBetweenLayers": "64",
        "elk.layered.spacing.edgeNodeBetweenLayers": "24",
        "elk.layered.spacing.edgeEdgeBetweenLayers": "12",
        "elk.layered.nodePlacement.favorStraightEdges": "true",
        "elk.layered.considerModelOrder.strategy": "PREFER_EDGES",
    })
}

fn read(graph: &Graph, answer: &Value) -> Option<Placement> {
    let size = Size { width: pixel(&answer["width"])?, height: pixel(&answer["height"])? };
    let boxes: Option<Vec<_>> = answer["children"].as_array()?.iter().map(point).collect();
    let edges = answer["edges"].as_array().map_or(&[][..], Vec::as_slice);
    let lines: Option<Vec<_>> = edges.iter().map(line).collect();
    let placement = Placement { size: Some(size), boxes: boxes?, lines: lines? };
    (placement.boxes.len() == graph.boxes.len() && placement.lines.len() == graph.edges.len()).then_some(placement)
}

fn line(edge: &Value) -> Option<Vec<Point>> {
    let section = edge["sections"].as_array()?.first()?;
    let bends = section["bendPoints"].as_array().map_or(&[][..], Vec::as_slice);
    [&section["startPoint"]].into_iter().chain(bends).chain([&section["endPoint"]]).map(point).collect()
}

fn point(value: &Value) -> Option<Point> {
    Some(Point { x: pixel(&value["x"])?, y: pixel(&value["y"])? })
}

/// Whole pixels are sharp, and the same on every platform. Equal numbers stay equal, so lines stay straight.
fn pixel(value: &Value) -> Option<i32> {
    let number = value.as_f64().filter(|number| number.abs() < 10_000_000.0)?;
    #[allow(clippy::cast_possible_truncation, reason = "bounded above")]
    let whole = (number + 0.5).floor() as i32;
    Some(whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::loops;
    use super::*;

    /// Boxes of 22-pixel rows and edges between rows; loops, cycles and repeated edges included.
    fn graphs() -> impl Strategy<Value = Graph> {
        (1usize..=60).prop_flat_map(|n| {
            let sizes = proptest::collection::vec((120i32..400, 1i32..12), n);
            let edges = proptest::collection::vec(((0..n, 0i32..12), (0..n, 0i32..12)), 0..=n * 3 / 2);
            (sizes, edges).prop_map(|(sizes, edges)| {
                let boxes: Vec<Size> =
                    sizes.into_iter().map(|(width, rows)| Size { width, height: 30 + rows * 22 }).collect();
                let end = |(node, row): (usize, i32), boxes: &[Size]| {
                    let rows = (boxes[node].height - 30) / 22;
                    End { node, y: 30 + (row % rows) * 22 + 11 }
                };
                let edges = edges.into_iter().map(|(a, b)| Edge { from: end(a, &boxes), to: end(b, &boxes) });
                let mut edges: Vec<_> = edges.filter(|edge| edge.from != edge.to).collect();
                edges.sort();
                edges.dedup();
                Graph { boxes, edges }
            })
        })
    }

    /// Whether a segment has a point strictly inside a box.
    fn crosses(a: Point, b: Point, corner: Point, size: Size) -> bool {
        let (left, right) = (a.x.min(b.x), a.x.max(b.x));
        let (top, bottom) = (a.y.min(b.y), a.y.max(b.y));
        right > corner.x && left < corner.x + size.width && bottom > corner.y && top < corner.y + size.height
    }

    fn overlap(a: (Point, Size), b: (Point, Size)) -> bool {
        let apart = a.0.x + a.1.width <= b.0.x || b.0.x + b.1.width <= a.0.x;
        !apart && a.0.y + a.1.height > b.0.y && b.0.y + b.1.height > a.0.y
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn boxes_keep_apart_and_lines_keep_out(graph in graphs()) {
            // As pictures are laid out: with lines within one box, and with boxes without a line.
            let placed = loops::place(&graph, &Elk).unwrap();
            let size = placed.size.unwrap();
            let boxes: Vec<_> = placed.boxes.iter().copied().zip(graph.boxes.iter().copied()).collect();
            for (position, one) in boxes.iter().enumerate() {
                prop_assert!(one.0.x >= 0 && one.0.x + one.1.width <= size.width);
                prop_assert!(one.0.y >= 0 && one.0.y + one.1.height <= size.height);
                prop_assert!(!boxes[position + 1..].iter().any(|other| overlap(*one, *other)));
            }
            for (edge, line) in graph.edges.iter().zip(&placed.lines) {
                prop_assert!(line.iter().all(|at| (0..=size.width).contains(&at.x) && (0..=size.height).contains(&at.y)));
                for pair in line.windows(2) {
                    prop_assert!(pair[0].x == pair[1].x || pair[0].y == pair[1].y, "slanted {line:?}");
                    prop_assert!(!boxes.iter().any(|(corner, size)| crosses(pair[0], pair[1], *corner, *size)),
                        "{edge:?} runs through a box: {line:?}");
                }
                for (end, point) in ends(edge).iter().zip([line.first().unwrap(), line.last().unwrap()]) {
                    let (corner, size) = boxes[end.0.node];
                    let x = if end.1 == Side::Left && edge.from.node != edge.to.node { corner.x } else { corner.x + size.width };
                    prop_assert_eq!(*point, Point { x, y: corner.y + end.0.y }, "ends at its row");
                }
            }
        }

        #[test]
        fn equal_graphs_are_placed_equally(graph in graphs()) {
            prop_assert_eq!(loops::place(&graph, &Elk), loops::place(&graph, &Elk));
        }
    }

    #[test]
    fn nothing_is_placed_nowhere() {
        assert_eq!(Elk.place(&Graph::default()), Ok(Placement::default()));
    }
}
