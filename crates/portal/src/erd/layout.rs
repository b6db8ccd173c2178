//! The question that every layout engine answers here: sized boxes and edges between rows in, places and lines out.

/// Boxes and the edges between them, in whole pixels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// One entry a box.
    pub boxes: Vec<Size>,
    /// From the box that is referenced to the one that references it.
    pub edges: Vec<Edge>,
}

/// The size of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// In pixels.
    pub width: i32,
    /// In pixels.
    pub height: i32,
}

/// A line to draw. It leaves `from` at its right side and enters `to` at its left. No engine is asked about a line within
/// one box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The box that is referenced.
    pub from: End,
    /// The box that references.
    pub to: End,
}

/// An end of an edge: a box, by its position in [`Graph::boxes`], and how far below its top.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct End {
    /// Which box.
    pub node: usize,
    /// Pixels below the top of the box.
    pub y: i32,
}

/// A point of the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// Pixels from the left.
    pub x: i32,
    /// Pixels from the top.
    pub y: i32,
}

/// Where everything goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The size of the picture.
    pub size: Option<Size>,
    /// The top left corner of each box.
    pub boxes: Vec<Point>,
    /// The corners of each edge's line, from `from` to `to`; every segment is horizontal or vertical.
    pub lines: Vec<Vec<Point>>,
}

/// Why there is no placement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the diagram could not be laid out: {0}")]
pub struct LayoutError(pub String);

/// A layout engine. Equal graphs give equal placements.
pub trait Layout: Sync {
    /// Places every box and line of a graph.
    ///
    /// # Errors
    /// When the engine gives up; then there is no picture, and the page says so.
    fn place(&self, graph: &Graph) -> Result<Placement, LayoutError>;
}
