//! From byte offsets to lines and columns.

use std::sync::Arc;

use trueup_model::location::Location;

/// Where each line of a text starts. Lines end with `\n`, `\r\n` or a lone `\r`.
#[derive(Clone, Debug)]
pub struct LineIndex {
    starts: Vec<usize>,
}

impl LineIndex {
    /// Looks through the text once.
    pub fn new(text: &str) -> Self {
        let bytes = text.as_bytes();
        let ends = bytes
            .iter()
            .enumerate()
            .filter(|&(at, &byte)| byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')));
        Self { starts: std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect() }
    }

    /// The 1-based line and column (in characters) of a byte offset into the same text.
    pub fn line_column(&self, text: &str, offset: usize) -> (u32, u32) {
        let offset = floor_boundary(text, offset);
        let line = self.starts.partition_point(|&start| start <= offset) - 1;
        let column = text[self.starts[line]..offset].chars().count();
        (count(line), count(column))
    }

    /// The place in `file` of a byte offset into the same text.
    pub fn locate(&self, text: &str, file: &Arc<str>, offset: usize) -> Location {
        let (line, column) = self.line_column(text, offset);
        Location::new(Arc::clone(file), line, column)
    }
}

/// The byte of a 1-based position in characters, as PostgreSQL reports places in what it was sent.
pub fn byte_of_position(text: &str, position: usize) -> usize {
    text.char_indices().nth(position.saturating_sub(1)).map_or(text.len(), |(at, _)| at)
}

/// The nearest character boundary at or before `offset`.
fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// From a 0-based count to a 1-based number.
fn count(before: usize) -> u32 {
    u32::try_from(before + 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_those_of_an_editor() {
        let text = "é b\r\nx\ry\n\nz";
        let index = LineIndex::new(text);
        for (needle, expected) in [("é", (1, 1)), ("b", (1, 3)), ("x", (2, 1)), ("y", (3, 1)), ("z", (5, 1))] {
            assert_eq!(index.line_column(text, text.find(needle).expect(needle)), expected, "{needle}");
        }
        assert_eq!(byte_of_position(text, 3), 3);
        assert_eq!((byte_of_position(text, 0), byte_of_position(text, 99)), (0, text.len()));
        assert_eq!(index.line_column(text, 999), (5, 2));
        assert_eq!(index.line_column(text, 1), (1, 1), "inside a character");
    }
}
