//! The statements of a script that runs outside of a transaction, one after the other, and how what ran before is told.

use trueup_migrations::migration::ScriptError;
use trueup_migrations::rerun::{Nature, nature};
use trueup_model::location::Location;

use super::parts::Messages;
use super::runner::Step;
use super::script::Batch;

/// A place in a script: before one of its statements, or at its end.
pub(super) struct Walk<'s> {
    pub(super) messages: Messages<'s>,
    /// The statement; none at the end.
    batch: Option<Batch>,
    at: usize,
    /// Of all statements before it.
    before: blake3::Hasher,
}

impl<'s> Walk<'s> {
    /// Before the first statement.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub(super) fn of(step: &'s Step) -> Result<Self, ScriptError> {
        let mut messages = Messages::of(step, true)?;
        let batch = messages.next()?;
        Ok(Self { messages, batch, at: 0, before: blake3::Hasher::new() })
    }

    /// The number of statements before this place.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The statement that comes.
    pub(super) fn batch(&self) -> Option<&Batch> {
        self.batch.as_ref()
    }

    /// Goes behind the statement that comes.
    ///
    /// # Errors
    /// What follows cannot be read any more.
    pub(super) fn advance(&mut self) -> Result<(), ScriptError> {
        let mut before = std::mem::take(&mut self.before);
        self.put(&mut before);
        self.before = before;
        self.at += usize::from(self.batch.is_some());
        self.batch = self.messages.next()?;
        Ok(())
    }

    /// The text of the statement that comes.
    pub(super) fn sql(&self) -> Option<&str> {
        Some(&self.messages.part().script.text()[self.batch.as_ref()?.range.clone()])
    }

    /// What it means to run the statement that comes again.
    pub(super) fn nature(&self) -> Option<Nature> {
        let batch = self.batch.as_ref()?;
        let text = self.messages.part().script.text();
        Some(if batch.copy.is_some() { Nature::Atomic } else { nature(text, &batch.range) })
    }

    /// A digest of the statement that comes; empty at the end.
    pub(super) fn digest(&self) -> String {
        self.sql().map_or_else(String::new, |_| {
            let mut hasher = blake3::Hasher::new();
            self.put(&mut hasher);
            digest(&hasher)
        })
    }

    /// A digest of all statements before this place.
    pub(super) fn before(&self) -> String {
        digest(&self.before)
    }

    /// The same with the statement that comes.
    pub(super) fn behind(&self) -> String {
        let mut hasher = self.before.clone();
        self.put(&mut hasher);
        digest(&hasher)
    }

    /// Where the statement that comes stands in the author's file; the file at the end.
    pub(super) fn locate(&self) -> Location {
        let script = &self.messages.part().script;
        script.locate(self.batch.as_ref().map(|batch| batch.range.start))
    }

    fn put(&self, hasher: &mut blake3::Hasher) {
        if let Some(sql) = self.sql() {
            hasher.update(sql.as_bytes());
            // No script holds one.
            hasher.update(b"\0");
        }
    }
}

fn digest(hasher: &blake3::Hasher) -> String {
    hasher.finalize().to_hex()[..32].to_owned()
}
