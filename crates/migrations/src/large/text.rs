//! The text of a script with its placeholders replaced, as far as it has been read and not yet taken.

use std::sync::Arc;

use trueup_model::location::Location;

use super::places::{Place, Places};
use crate::checksum::Checksum;
use crate::migration::{Migration, Script, ScriptError};
use crate::placeholders::{Output, PlaceholderError, Placeholders};
use crate::source::{Pieces, SourceError};

/// See the module.
#[derive(Debug)]
pub(super) struct Text {
    file: Arc<str>,
    pieces: Pieces,
    /// What is replaced; none when placeholders are taken as they are.
    placeholders: Option<Placeholders>,
    /// What was read and may begin a placeholder.
    raw: String,
    /// The length from which on that is looked at again: not for each piece of a placeholder that is never closed.
    again: usize,
    /// Where the file goes on behind what was replaced.
    place: Place,
    sql: String,
    places: Places,
    sum: Checksum,
    expected: i32,
    /// Placeholders without a value.
    errors: Vec<(Location, PlaceholderError)>,
    is_first: bool,
    is_over: bool,
}

impl Text {
    pub(super) fn of(migration: &Migration, placeholders: &Placeholders) -> Result<Self, ScriptError> {
        Ok(Self {
            file: Arc::clone(&migration.path),
            pieces: migration.source.pieces()?,
            placeholders: migration.own_placeholders(placeholders),
            raw: String::new(),
            again: 0,
            place: Place::START,
            sql: String::new(),
            places: Places::default(),
            sum: Checksum::default(),
            expected: migration.raw_checksum(),
            errors: Vec::new(),
            is_first: true,
            is_over: false,
        })
    }

    /// As if files were read in pieces of this size.
    #[cfg(test)]
    pub(super) fn in_pieces(&mut self, size: usize) {
        self.pieces.set_size(size);
    }

    /// What was replaced and not yet taken.
    pub(super) fn sql(&self) -> &str {
        &self.sql
    }

    /// Whether the file has been read to its end.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Reads until so many bytes are there, or the file ends, which must then be the one that was loaded.
    pub(super) fn fill(&mut self, size: usize) -> Result<(), ScriptError> {
        while self.sql.len() < size && !self.is_over {
            let start = self.raw.len();
            self.is_over = !self.pieces.append_to(&mut self.raw)?;
            self.sum.update(&self.raw[start..]);
            if self.is_first && !self.raw.is_empty() {
                self.is_first = false;
                if self.raw.starts_with('\u{feff}') {
                    self.raw.drain(..'\u{feff}'.len_utf8());
                }
            }
            if self.is_over && self.sum.value() != self.expected {
                return Err(SourceError::Changed.into());
            }
            if self.is_over || self.raw.len() >= self.again {
                self.replace();
            }
            if !self.errors.is_empty() {
                // The rest is only read for the sake of all others without a value.
                self.sql.clear();
            }
        }
        match std::mem::take(&mut self.errors) {
            errors if errors.is_empty() => Ok(()),
            errors => Err(ScriptError::Placeholders(errors)),
        }
    }

    fn replace(&mut self) {
        let raw = std::mem::take(&mut self.raw);
        let done = match self.placeholders.take() {
            None => {
                self.verbatim(&raw);
                raw.len()
            }
            Some(placeholders) => {
                let done = placeholders.replace_some(&raw, self.is_over, |output| match output {
                    Output::Verbatim(text) => self.verbatim(text),
                    Output::Value { written, value } => self.value(written, value),
                    Output::Failed { written, error } => self.failed(written, error),
                });
                self.placeholders = Some(placeholders);
                done
            }
        };
        self.raw.push_str(&raw[done..]);
        self.again = self.raw.len() * 2;
    }

    /// One per key: a name that is missing once is mostly missing everywhere.
    fn failed(&mut self, written: &str, error: PlaceholderError) {
        if self.errors.iter().all(|(_, other)| other.key != error.key) {
            self.errors.push((self.place.in_file(&self.file), error));
        }
        self.place = self.place.behind(written);
    }

    fn verbatim(&mut self, text: &str) {
        if !text.is_empty() {
            self.places.push(self.sql.len(), self.place, true);
            self.place = self.place.behind(text);
            self.sql.push_str(text);
        }
    }

    fn value(&mut self, written: &str, value: &str) {
        self.places.push(self.sql.len(), self.place, false);
        self.place = self.place.behind(written);
        self.sql.push_str(value);
        // Text that follows, even at the very end, comes after the placeholder.
        self.places.push(self.sql.len(), self.place, true);
    }

    /// Takes the first bytes away.
    pub(super) fn take(&mut self, length: usize) -> Script {
        let places = self.places.split_off(&self.sql, length);
        let places = std::mem::replace(&mut self.places, places);
        let rest = self.sql.split_off(length);
        Script::part(Arc::clone(&self.file), std::mem::replace(&mut self.sql, rest), places)
    }

    /// The place in the file of a byte of what was not yet taken.
    pub(super) fn locate(&self, offset: usize) -> Location {
        self.places.at(&self.sql, offset).in_file(&self.file)
    }
}
