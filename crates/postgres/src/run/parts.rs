//! The statements of a script that runs in a transaction, from its text or, when that is not held, from its file.

use std::ops::Range;

use trueup_migrations::large::Parts;
use trueup_migrations::migration::ScriptError;
use trueup_model::location::Location;

use crate::place::Place;
use crate::session::{Outcome, SessionError};

use super::awaited::COPY_CHUNK;
use super::outcome::{Cause, Failure, Left, RunError};
use super::runner::{CANCEL_TIME, Runner, Step};
use super::script::Batch;

/// The messages of a script, in order.
pub(super) struct Messages<'s> {
    step: &'s Step,
    /// Whether each statement is a message of its own.
    singly: bool,
    /// The file, when the text is not held.
    parts: Option<Parts>,
    /// The part of it that the messages are of.
    part: Option<Step>,
    batches: std::vec::IntoIter<Batch>,
}

impl<'s> Messages<'s> {
    /// Opens a script. A file is read to its end before anything is committed: it must be the one that was loaded.
    pub(super) fn of(step: &'s Step, singly: bool) -> Result<Self, ScriptError> {
        let batches = step.script.batches(singly).into_iter();
        Ok(Self { step, singly, parts: step.script.parts()?, part: None, batches })
    }

    /// The step that the last message is of: the whole, or a part of it.
    pub(super) fn part(&self) -> &Step {
        self.part.as_ref().unwrap_or(self.step)
    }

    /// Whether all data of a COPY comes from the file, and can be had once.
    pub(super) fn is_read(&self, batch: &Batch) -> bool {
        self.parts.is_some() && batch.copy.as_ref().is_some_and(Range::is_empty)
    }

    pub(super) fn next(&mut self) -> Result<Option<Batch>, ScriptError> {
        loop {
            if let Some(batch) = self.batches.next() {
                return Ok(Some(batch));
            }
            let Some(part) = self.parts.as_mut().map(Parts::next_part).transpose()?.flatten() else { return Ok(None) };
            let part = self.step.part(part);
            self.batches = part.script.batches(self.singly).into_iter();
            self.part = Some(part);
        }
    }
}

impl Runner<'_> {
    /// All statements of a script, as many in one message as it allows.
    pub(super) async fn statements(&mut self, step: &Step) -> Result<Option<Failure>, RunError> {
        let mut messages = match Messages::of(step, false) {
            Ok(messages) => messages,
            Err(error) => return Ok(Some(self.unreadable(step, &error))),
        };
        while let Some(next) = messages.next().transpose() {
            if let Some(failure) = self.message(&mut messages, next).await? {
                return Ok(Some(failure));
            }
        }
        Ok(self.interruption(step))
    }

    /// The failure of a script none of whose statements failed, when the run is to end.
    pub(super) fn interruption(&self, step: &Step) -> Option<Failure> {
        self.interrupted.then(|| self.failure(step, Place::NOWHERE, Cause::Interrupted, Left::Perhaps))
    }

    /// Sends the message that came of [`Messages::next`] and waits for its answer.
    pub(super) async fn message(
        &mut self,
        messages: &mut Messages<'_>,
        next: Result<Batch, ScriptError>,
    ) -> Result<Option<Failure>, RunError> {
        let batch = match next {
            Ok(batch) => batch,
            Err(error) => return Ok(Some(self.unreadable(messages.part(), &error))),
        };
        if self.interrupted {
            return Ok(self.interruption(messages.part()));
        }
        Ok(match self.ask(messages, &batch, "").await? {
            Ok(outcome) => self.judged(messages.part(), &batch, &outcome),
            Err(error) => Some(self.unreadable(messages.part(), &error)),
        })
    }

    /// Sends one message with our `tail` and waits for its outcome; an error of the other kind is the file's.
    pub(super) async fn ask(
        &mut self,
        messages: &mut Messages<'_>,
        batch: &Batch,
        tail: &str,
    ) -> Result<Result<Outcome, ScriptError>, SessionError> {
        let is_read = messages.is_read(batch);
        let part = messages.part.as_ref().unwrap_or(messages.step);
        match messages.parts.as_mut().filter(|_| is_read) {
            None => self.exchange(part, batch, tail).await.map(Ok),
            Some(parts) => self.copy_read(part, batch, tail, parts).await,
        }
    }

    async fn copy_read(
        &mut self,
        part: &Step,
        batch: &Batch,
        tail: &str,
        parts: &mut Parts,
    ) -> Result<Result<Outcome, ScriptError>, SessionError> {
        self.session().send_copy(&[&part.script.text()[batch.range.clone()], tail])?;
        loop {
            match parts.data() {
                Ok(Some(lines)) => {
                    if let Some(outcome) = self.copy_data(lines.as_bytes()).await? {
                        return Ok(Ok(outcome));
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    self.session().cancel(CANCEL_TIME).await?;
                    return Ok(Err(error));
                }
            }
        }
        self.session().finish_copy();
        self.outcome().await.map(Ok)
    }

    /// Sends data of a COPY as fast as it is taken; the outcome, when that comes before all of it is sent.
    pub(super) async fn copy_data(&mut self, data: &[u8]) -> Result<Option<Outcome>, SessionError> {
        for chunk in data.chunks(COPY_CHUNK) {
            while !self.session().has_room_for_bytes() {
                if let Some(outcome) = self.copying().await? {
                    return Ok(Some(outcome));
                }
            }
            self.session().send_copy_data(chunk)?;
        }
        Ok(None)
    }

    /// A file that could be read when the run began.
    pub(super) fn unreadable(&self, step: &Step, error: &ScriptError) -> Failure {
        let cause = Cause::Stopped(format!("the file cannot be read any more: {error}"));
        let at = error.at().cloned().unwrap_or_else(|| Location::whole(step.path.as_str()));
        Failure { at, ..self.failure(step, Place::NOWHERE, cause, Left::Perhaps) }
    }
}
