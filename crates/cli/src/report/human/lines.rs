//! Collects the lines of a page.

use super::style::{Style, Tone};

/// A page under way.
pub(super) struct Lines<'a> {
    style: &'a Style,
    text: String,
}

impl<'a> Lines<'a> {
    pub(super) fn new(style: &'a Style) -> Self {
        Self { style, text: String::new() }
    }

    /// Columns to fill.
    pub(super) fn columns(&self) -> usize {
        self.style.columns()
    }

    /// Text in a tone, not yet on the page.
    pub(super) fn paint(&self, tone: Tone, text: &str) -> String {
        self.style.paint(tone, text)
    }

    /// One line; blanks at its end are dropped.
    pub(super) fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// An empty line, never two in a row and never the first.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Clean prose, wrapped; `first` stands before its first line, and the others are set in as far.
    pub(super) fn prose(&mut self, first: &str, tone: Tone, text: &str) {
        self.prose_after(first, crate::report::text::width(first), tone, text);
    }

    /// Like [`Self::prose`], when `first` holds escapes and takes `indent` columns.
    pub(super) fn prose_after(&mut self, first: &str, indent: usize, tone: Tone, text: &str) {
        let room = self.columns().saturating_sub(indent).max(20);
        for (number, line) in textwrap::wrap(text, room).iter().enumerate() {
            let lead = if number == 0 { first.to_owned() } else { " ".repeat(indent) };
            let painted = self.paint(tone, line);
            self.line(&format!("{lead}{painted}"));
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}
