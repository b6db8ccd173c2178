//! Lines of the diagram: rounded corners, and feet that say how many.

use std::fmt::Write as _;

use super::feet::Foot;
use super::layout::Point;

/// How far a corner is rounded, at most.
const RADIUS: i32 = 7;
/// How far a bar of a foot reaches, up and down: two ends in one row are ten pixels apart, and their bars do not touch.
const BAR: i32 = 4;

/// The data of an SVG path along these corners.
pub(super) fn rounded(points: &[Point]) -> String {
    let mut data = String::new();
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return data };
    let _ = write!(data, "M{} {}", first.x, first.y);
    for corner in points.windows(3) {
        let [before, at, after] = corner else { continue };
        let radius = RADIUS.min(length(*before, *at) / 2).min(length(*at, *after) / 2);
        let (enter, leave) = (toward(*at, *before, radius), toward(*at, *after, radius));
        let _ = write!(data, "L{} {}Q{} {} {} {}", enter.x, enter.y, at.x, at.y, leave.x, leave.y);
    }
    let _ = write!(data, "L{} {}", last.x, last.y);
    data
}

fn length(a: Point, b: Point) -> i32 {
    (a.x - b.x).abs() + (a.y - b.y).abs()
}

/// The point `distance` away from `at`, in the direction of `other`.
fn toward(at: Point, other: Point, distance: i32) -> Point {
    Point { x: at.x + (other.x - at.x).signum() * distance, y: at.y + (other.y - at.y).signum() * distance }
}

/// A foot at the end of a line, and its ring where there may be none. `way` is where the line comes from: -1 is the left.
pub(super) fn foot(foot: Foot, at: Point, way: i32) -> (String, Option<Point>) {
    let bar = |x: i32| format!("M{} {}V{}", at.x + x * way, at.y - BAR, at.y + BAR);
    let ring = |x: i32| Some(Point { x: at.x + x * way, y: at.y });
    match foot {
        Foot::One => (format!("{}{}", bar(7), bar(11)), None),
        Foot::OneOrNone => (bar(7), ring(14)),
        Foot::Any => {
            let claws = format!("M{} {}L{} {}L{} {}", at.x, at.y - 6, at.x + 11 * way, at.y, at.x, at.y + 6);
            (claws, ring(15))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foot_has_a_ring_where_there_may_be_none() {
        let at = Point { x: 100, y: 10 };
        assert_eq!(foot(Foot::One, at, 1), ("M107 6V14M111 6V14".to_owned(), None));
        assert_eq!(foot(Foot::OneOrNone, at, -1), ("M93 6V14".to_owned(), Some(Point { x: 86, y: 10 })));
        assert_eq!(foot(Foot::Any, at, -1), ("M100 4L89 10L100 16".to_owned(), Some(Point { x: 85, y: 10 })));
    }

    #[test]
    fn corners_are_rounded_within_their_segments() {
        let points = [(0, 0), (20, 0), (20, 4), (40, 4)].map(|(x, y)| Point { x, y });
        assert_eq!(rounded(&points), "M0 0L18 0Q20 0 20 2L20 2Q20 4 22 4L40 4");
        assert_eq!(rounded(&[]), "");
    }
}
