//! From bytes of a part of a script back to lines and columns of its file, without the file.

use std::sync::Arc;

use trueup_model::location::Location;

/// A place in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    line: u32,
    column: u32,
    /// Whether a `\n` here belongs to the line end before it.
    after_cr: bool,
}

impl Place {
    /// The first character of a file.
    pub(crate) const START: Self = Self { line: 1, column: 1, after_cr: false };

    /// The place behind `text`, which stands here. Lines end with `\n`, `\r\n` or a lone `\r`.
    pub(crate) fn behind(mut self, text: &str) -> Self {
        let mut rest = text;
        if self.after_cr && !text.is_empty() {
            rest = text.strip_prefix('\n').unwrap_or(text);
            self.after_cr = false;
        }
        let bytes = rest.as_bytes();
        let mut start = 0;
        for (at, byte) in bytes.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n')) {
                (self.line, self.column) = (self.line.saturating_add(1), 1);
                start = at + 1;
            }
        }
        let characters = rest[start..].chars().count();
        self.column = self.column.saturating_add(u32::try_from(characters).unwrap_or(u32::MAX));
        // Of a line end at the very end of the text, the `\n` may still come.
        self.after_cr |= bytes.last() == Some(&b'\r');
        self
    }

    pub(crate) fn in_file(self, file: &Arc<str>) -> Location {
        Location::new(Arc::clone(file), self.line, self.column)
    }
}

/// Where the bytes of a text come from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// By their first byte, which only grows.
    segments: Vec<Segment>,
}

#[derive(Clone, Copy, Debug)]
struct Segment {
    start: usize,
    place: Place,
    /// Whether it stands in the file as it is; else all of it comes from one place.
    verbatim: bool,
}

impl Places {
    /// What is added to a text of `length` bytes comes from `place`.
    pub(crate) fn push(&mut self, length: usize, place: Place, verbatim: bool) {
        let goes_on = verbatim && self.segments.last().is_some_and(|last| last.verbatim);
        if !goes_on {
            self.segments.push(Segment { start: length, place, verbatim });
        }
    }

    /// The place of a byte of `text`.
    pub(crate) fn at(&self, text: &str, offset: usize) -> Place {
        let behind = self.segments.partition_point(|segment| segment.start <= offset);
        match behind.checked_sub(1).map(|index| self.segments[index]) {
            None => Place::START,
            Some(segment) if segment.verbatim => {
                let end = (segment.start..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
                segment.place.behind(&text[segment.start..end.unwrap_or(segment.start)])
            }
            Some(segment) => segment.place,
        }
    }

    /// Cuts off the places behind the first `length` bytes of `text`.
    pub(crate) fn split_off(&mut self, text: &str, length: usize) -> Self {
        let behind = self.segments.partition_point(|segment| segment.start <= length);
        let first = behind.checked_sub(1).map(|index| Segment {
            start: 0,
            place: self.at(text, length),
            verbatim: self.segments[index].verbatim,
        });
        let rest = self.segments[behind..].iter().map(|segment| Segment { start: segment.start - length, ..*segment });
        let segments = first.into_iter().chain(rest).collect();
        self.segments.truncate(behind);
        Self { segments }
    }
}
