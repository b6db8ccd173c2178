//! How large a picture is shown to those who have no script: so that boxes are on the screen, and not only lines and the
//! empty corner of a large sheet.

use super::layout::{Placement, Point, Size};

/// What most windows show of a picture without scrolling, in pixels.
const WINDOW: Size = Size { width: 1100, height: 560 };
/// How many boxes have to be wholly in it.
const BOXES: usize = 3;

/// The size at first: the picture's own, or as small as it takes.
pub(super) fn size(sheet: Size, boxes: impl Iterator<Item = Size>, placement: &Placement) -> Size {
    let mut scales: Vec<i64> = boxes.zip(&placement.boxes).map(|(size, corner)| scale(size, *corner)).collect();
    scales.sort_unstable_by_key(|scale| -scale);
    let scale = scales.get(BOXES - 1).or(scales.last()).copied().unwrap_or(PER_WHOLE);
    Size { width: part(sheet.width, scale), height: part(sheet.height, scale) }
}

/// Scales are whole numbers, which are the same everywhere.
const PER_WHOLE: i64 = 1000;

/// The largest scale at which a box is wholly in the window.
fn scale(size: Size, corner: Point) -> i64 {
    let fits = |room: i32, reach: i32| i64::from(room) * PER_WHOLE / i64::from(reach.max(1));
    PER_WHOLE.min(fits(WINDOW.width, corner.x + size.width)).min(fits(WINDOW.height, corner.y + size.height)).max(1)
}

fn part(length: i32, scale: i64) -> i32 {
    i32::try_from(i64::from(length) * scale / PER_WHOLE).unwrap_or(length).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(corners: &[(i32, i32)]) -> Size {
        let boxes = corners.iter().map(|(x, y)| Point { x: *x, y: *y }).collect();
        let placement = Placement { size: None, boxes, lines: Vec::new() };
        let sizes = corners.iter().map(|_| Size { width: 200, height: 100 });
        size(Size { width: 4000, height: 3000 }, sizes, &placement)
    }

    #[test]
    fn boxes_in_the_corner_are_shown_as_large_as_they_are() {
        assert_eq!(opened(&[(0, 0), (300, 0), (0, 300), (3000, 2500)]), Size { width: 4000, height: 3000 });
    }

    #[test]
    fn a_picture_is_shrunk_until_some_boxes_are_in_the_window() {
        // The third box ends at 1120 pixels, which are half of them in a window of 560.
        let shown = opened(&[(0, 500), (0, 900), (0, 1020), (3000, 2500)]);
        assert_eq!(shown, Size { width: 2000, height: 1500 });
        // With fewer boxes all of them are.
        assert_eq!(opened(&[(2000, 0)]), Size { width: 2000, height: 1500 });
    }
}
