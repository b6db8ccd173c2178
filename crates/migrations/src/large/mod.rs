//! Scripts that are too large to be held: read, replaced and cut part by part, in memory bounded by the longest statement.

mod places;
mod text;

use std::ops::Range;

use trueup_model::location::Location;

use crate::checksum::Checksum;
use crate::migration::{Migration, Script, ScriptError};
use crate::placeholders::Placeholders;
use crate::statements::{self, Split, SplitError, Statement, StatementKind};

pub(crate) use places::Places;
use text::Text;

/// What is read at a time.
const WINDOW: usize = 512 << 10;

/// A part of a large script, its placeholders replaced.
#[derive(Debug)]
pub enum Part {
    /// Whole statements, the data of short COPYs among them.
    Statements(Script, Split),
    /// One COPY, without its data: [`Parts::data`] gives it, and has to be asked until it gives no more.
    Copy(Script, Split),
}

impl Part {
    /// Its SQL, and how it is cut. A COPY without its data has an empty range for it.
    pub fn cut(&self) -> (&Script, &Split) {
        match self {
            Self::Statements(script, split) | Self::Copy(script, split) => (script, split),
        }
    }
}

/// A script, part by part.
#[derive(Debug)]
pub struct Parts {
    text: Text,
    /// Bytes that are looked at at a time, unless a statement is longer.
    window: usize,
    /// Where the COPY stands whose data comes next.
    copy: Option<Location>,
}

impl Parts {
    /// Opens the file of a migration, which need not be a large one.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn of(migration: &Migration, placeholders: &Placeholders) -> Result<Self, ScriptError> {
        Ok(Self { text: Text::of(migration, placeholders)?, window: WINDOW, copy: None })
    }

    /// The next part; none at the end, when the whole file was the one that was loaded.
    ///
    /// # Errors
    /// The file cannot be read or cut, or changed since it was loaded; all placeholders without a value.
    pub fn next_part(&mut self) -> Result<Option<Part>, ScriptError> {
        while self.data()?.is_some() {}
        let mut size = self.window;
        loop {
            self.text.fill(size)?;
            if self.text.is_over() {
                return self.last();
            }
            let window = statements::window(self.text.sql()).map_err(|error| self.cannot_be_cut(error))?;
            if !window.split.statements.is_empty() || !window.split.skipped.is_empty() {
                return Ok(Some(Part::Statements(self.text.take(window.consumed), window.split)));
            }
            if let Some(copy) = window.copy {
                self.copy = Some(self.text.locate(copy.statement.start));
                return Ok(Some(Part::Copy(self.text.take(copy.data), only_copy(copy.statement, copy.data))));
            }
            size = size.max(self.text.sql().len()) * 2;
        }
    }

    /// What is left, when all of the file is there.
    fn last(&mut self) -> Result<Option<Part>, ScriptError> {
        let split = statements::split(self.text.sql()).map_err(|error| self.cannot_be_cut(error))?;
        let script = self.text.take(self.text.sql().len());
        let is_empty = split.statements.is_empty() && split.skipped.is_empty();
        Ok((!is_empty).then_some(Part::Statements(script, split)))
    }

    /// The next lines of the data of a COPY; none when it is over.
    ///
    /// # Errors
    /// As [`Parts::next_part`]; the data lacks its end.
    pub fn data(&mut self) -> Result<Option<String>, ScriptError> {
        let mut size = self.window;
        while let Some(at) = &self.copy {
            self.text.fill(size)?;
            let is_all = self.text.is_over();
            let (data, done, is_last) = statements::copy_lines(self.text.sql(), is_all);
            if is_all && !is_last {
                let message = "Incomplete statement: the data of this `COPY … FROM STDIN` lacks its last line `\\.`";
                return Err(ScriptError::Split { at: at.clone(), message: message.to_owned() });
            }
            if is_last {
                self.copy = None;
            }
            let mut lines = self.text.take(done).sql.text;
            lines.truncate(data);
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
            size = size.max(self.text.sql().len()) * 2;
        }
        Ok(None)
    }

    /// The checksum of the replaced text.
    ///
    /// # Errors
    /// As [`Parts::next_part`].
    pub(crate) fn checksum(mut self) -> Result<i32, ScriptError> {
        let mut sum = Checksum::default();
        while !self.text.is_over() {
            self.text.fill(self.window)?;
            let length = self.text.sql().len();
            sum.update(&self.text.take(length).sql.text);
        }
        Ok(sum.value())
    }

    fn cannot_be_cut(&self, error: SplitError) -> ScriptError {
        ScriptError::Split { at: self.text.locate(error.offset), message: error.message }
    }
}

fn only_copy(range: Range<usize>, data: usize) -> Split {
    let kind = StatementKind::CopyFromStdin { data: data..data };
    Split { statements: vec![Statement { range, kind }], skipped: Vec::new() }
}

#[cfg(test)]
mod tests;
