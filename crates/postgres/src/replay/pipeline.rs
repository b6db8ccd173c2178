//! Sending scripts ahead of the answers, and reading the answers.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

use crate::session::{Outcome, Progress, ServerError, SessionError};

use super::guard::{FINISH_LEAD, FIRST_LEAD, LATER_LEAD};
use super::script::{PIECE, Piece};
use super::{FailureCause, Mode, ReplayError, ReplayFailure, Run};
use crate::place::{Message, Place};

/// Something to queue, in order.
enum Item {
    Piece { script: usize, number: usize, piece: Piece },
    CopyData(usize, Range<usize>),
    CopyEnd,
    Finish { script: usize, pieces: usize },
}

/// A message in flight.
enum Part {
    Piece { script: usize, number: usize, piece: Piece, prefix: usize },
    Finish { script: usize },
}

impl Part {
    fn script(&self) -> usize {
        match self {
            Self::Piece { script, .. } | Self::Finish { script } => *script,
        }
    }
}

/// A stretch of scripts on their way.
struct Stretch {
    next: usize,
    end: usize,
    items: VecDeque<Item>,
    parts: VecDeque<Part>,
    /// The first failure, and whether a second look at the script is needed and possible.
    failure: Option<(usize, ReplayFailure, bool)>,
    /// Set once nothing more is to be sent because a text cannot be.
    unsendable: Option<(usize, usize)>,
    /// Time spent on the script at the front so far.
    elapsed: Duration,
    /// Whether the script at the front ended or began transactions itself.
    own_transactions: bool,
}

/// Bytes of COPY data queued at a time.
pub(super) const COPY_CHUNK: usize = 64 * 1024;

impl Run<'_> {
    /// Runs a stretch of scripts ahead of the answers. A script whose failure may be owed to that, or cannot be
    /// placed, runs again statement by statement, its transaction being rolled back; when it succeeds, the stretch
    /// ends after it.
    pub(super) async fn pipeline(&mut self, scripts: Range<usize>) -> Result<Option<ReplayFailure>, ReplayError> {
        let mut stretch = Stretch::new(scripts);
        if let Err(error) = self.drive(&mut stretch).await {
            self.interrupted(&mut stretch, error).await?;
        }
        if let Some((script, offset)) = stretch.unsendable.filter(|_| stretch.failure.is_none()) {
            let failure =
                ReplayFailure { offset: Some(offset), ..self.failure(script, Place::NOWHERE, FailureCause::Nul) };
            return Ok(Some(failure));
        }
        match stretch.failure {
            Some((script, _, true)) => self.again(script).await,
            Some((_, failure, false)) => Ok(Some(failure)),
            None => Ok(None),
        }
    }

    async fn drive(&mut self, stretch: &mut Stretch) -> Result<(), SessionErrorOrBroken> {
        loop {
            self.feed(stretch)?;
            if stretch.parts.is_empty() {
                return Ok(());
            }
            if let Progress::Outcome(outcome) = self.session.progress().await? {
                self.answered(stretch, &outcome)?;
            }
        }
    }

    /// Queues as much as there is room for.
    fn feed(&mut self, stretch: &mut Stretch) -> Result<(), SessionError> {
        while stretch.failure.is_none() && stretch.unsendable.is_none() {
            if stretch.items.is_empty() && !self.next_items(stretch) {
                return Ok(());
            }
            let room = match stretch.items.front() {
                Some(Item::CopyData(..) | Item::CopyEnd) => self.session.has_room_for_bytes(),
                _ => self.session.has_room(),
            };
            let Some(item) = stretch.items.pop_front_if(|_| room) else { return Ok(()) };
            self.queue(stretch, item)?;
        }
        Ok(())
    }

    /// The items of the next script; false when there is none.
    fn next_items(&self, stretch: &mut Stretch) -> bool {
        let script = stretch.next;
        if script >= stretch.end {
            return false;
        }
        stretch.next += 1;
        let limit = if self.scripts[script].mode == Mode::Stepwise { 0 } else { PIECE };
        let pieces = self.scripts[script].pieces(limit);
        let count = pieces.len();
        for (number, piece) in pieces.into_iter().enumerate() {
            let copy = piece.copy.clone();
            stretch.items.push_back(Item::Piece { script, number, piece });
            if let Some(data) = copy {
                stretch.items.extend([Item::CopyData(script, data), Item::CopyEnd]);
            }
        }
        stretch.items.push_back(Item::Finish { script, pieces: count });
        true
    }

    fn queue(&mut self, stretch: &mut Stretch, item: Item) -> Result<(), SessionError> {
        match item {
            Item::Piece { script, number, piece } => self.queue_piece(stretch, script, number, piece),
            Item::CopyData(script, data) => {
                let chunk = data.start..data.end.min(data.start + COPY_CHUNK);
                self.session.send_copy_data(&self.scripts[script].text.as_bytes()[chunk.clone()])?;
                if chunk.end < data.end {
                    stretch.items.push_front(Item::CopyData(script, chunk.end..data.end));
                }
                Ok(())
            }
            Item::CopyEnd => {
                self.session.finish_copy();
                Ok(())
            }
            Item::Finish { script, pieces } => {
                let history = self.history_row(script + 1);
                self.session.send_simple(&self.guard.finish(script + 1, pieces, &history))?;
                stretch.parts.push_back(Part::Finish { script });
                Ok(())
            }
        }
    }

    fn queue_piece(
        &mut self,
        stretch: &mut Stretch,
        script: usize,
        number: usize,
        piece: Piece,
    ) -> Result<(), SessionError> {
        let prefix = match number {
            0 => self.guard.first(script + 1),
            _ => self.guard.later(script + 1, number),
        };
        let tail = self.guard.tail(script + 1, number);
        let texts = [prefix.as_str(), &self.scripts[script].text[piece.range.clone()], &tail];
        let sent = match piece.copy {
            Some(_) => self.session.send_copy(&texts),
            None => self.session.send_joined(&texts, 1),
        };
        match sent {
            Err(SessionError::Nul(at)) => {
                stretch.unsendable = Some((script, piece.range.start + at - prefix.len()));
                Ok(())
            }
            Err(error) => Err(error),
            Ok(()) => {
                stretch.parts.push_back(Part::Piece { script, number, piece, prefix: prefix.len() });
                Ok(())
            }
        }
    }

    /// Takes in the answer to the oldest message in flight. After a failure all that follow must have failed too.
    fn answered(&mut self, stretch: &mut Stretch, outcome: &Outcome) -> Result<(), SessionErrorOrBroken> {
        let Some(part) = stretch.parts.pop_front() else { return Ok(()) };
        stretch.elapsed += outcome.elapsed;
        if stretch.failure.is_some() {
            let script = self.scripts[part.script()].id;
            return if outcome.error.is_some() { Ok(()) } else { Err(SessionErrorOrBroken::Broken(script)) };
        }
        self.notices += outcome.notice_count;
        if outcome.error.is_some() || outcome.unexpected_copy {
            let (place, failure) = self.judge(&part, outcome);
            let again = self.worth_another_look(stretch, &part, outcome, place);
            stretch.failure = Some((part.script(), failure, again));
            return Ok(());
        }
        match part {
            Part::Piece { script, number, .. } => {
                if number == 0 {
                    self.note_start(script, outcome, 1);
                }
                let own = outcome.tags.get(lead(number)..).unwrap_or_default();
                stretch.own_transactions |= own.iter().any(|tag| is_transaction_control(tag));
            }
            Part::Finish { script } => {
                self.note_applied(script, std::mem::take(&mut stretch.elapsed));
                stretch.own_transactions = false;
            }
        }
        Ok(())
    }

    /// Where a message failed and why.
    fn judge(&self, part: &Part, outcome: &Outcome) -> (Place, ReplayFailure) {
        let error = || Box::new(outcome.error.clone().unwrap_or_default());
        let (place, cause) = match part {
            Part::Piece { .. } if outcome.unexpected_copy => (self.place(part, outcome), FailureCause::CopyWithoutData),
            Part::Piece { .. } => (self.place(part, outcome), FailureCause::Statement(error())),
            Part::Finish { .. } if is_own_check(outcome) => (Place::NOWHERE, FailureCause::Tampered),
            Part::Finish { .. } => (Place::AT_COMMIT, FailureCause::Commit(error())),
        };
        (place, self.failure(part.script(), place, cause))
    }

    fn place(&self, part: &Part, outcome: &Outcome) -> Place {
        let Part::Piece { script, number, piece, prefix } = part else { return Place::AT_COMMIT };
        let script = &self.scripts[*script];
        let statements = script.statement_ranges();
        let bytes = self.counts_bytes();
        let (range, first, prefix, lead) = (piece.range.clone(), piece.statement, *prefix, lead(*number));
        let message = Message { text: &script.text, statements: &statements, range, first, prefix, lead, bytes };
        message.place(outcome)
    }

    /// Whether error positions count bytes: databases in `SQL_ASCII` do not know characters.
    pub(super) fn counts_bytes(&self) -> bool {
        self.session.parameter("server_encoding") == Some("SQL_ASCII")
    }

    pub(super) fn failure(&self, script: usize, place: Place, cause: FailureCause) -> ReplayFailure {
        ReplayFailure { script: self.scripts[script].id, statement: place.statement, offset: place.offset, cause }
    }

    /// Whether the failed script has left no trace and one more run could tell more, or turn out better.
    fn worth_another_look(&self, stretch: &Stretch, part: &Part, outcome: &Outcome, place: Place) -> bool {
        let Some(error) = &outcome.error else { return false };
        let own = match part {
            Part::Piece { number, .. } => outcome.tags.get(lead(*number)..).unwrap_or_default(),
            Part::Finish { .. } => &[],
        };
        let traces = stretch.own_transactions || own.iter().any(|tag| is_transaction_control(tag));
        let doubtful = !place.certain || error.sqlstate == ACTIVE_SQL_TRANSACTION;
        doubtful && !traces && error.sqlstate != QUERY_CANCELED && !outcome.unexpected_copy
    }

    /// Draws the consequences of a session that did not go on.
    async fn interrupted(&mut self, stretch: &mut Stretch, error: SessionErrorOrBroken) -> Result<(), ReplayError> {
        match error {
            SessionErrorOrBroken::Broken(script) => Err(ReplayError::GuardBroken { script }),
            SessionErrorOrBroken::Session(SessionError::Deadline) => self.too_late(stretch).await,
            SessionErrorOrBroken::Session(SessionError::Closed(last)) => {
                self.lost(stretch, last);
                Ok(())
            }
            SessionErrorOrBroken::Session(error) => Err(error.into()),
        }
    }

    /// Cancels what runs. Scripts that finished meanwhile count; the first that did not is the one that was too slow.
    async fn too_late(&mut self, stretch: &mut Stretch) -> Result<(), ReplayError> {
        let drained = self.session.cancel(super::awaited::CANCEL_TIME).await;
        for outcome in drained.as_deref().unwrap_or_default() {
            match self.answered(stretch, outcome) {
                Err(SessionErrorOrBroken::Broken(script)) => return Err(ReplayError::GuardBroken { script }),
                Err(SessionErrorOrBroken::Session(error)) => return Err(error.into()),
                Ok(()) => {}
            }
        }
        let first_undone = self.applied.len();
        let (script, mut failure) = match stretch.failure.take() {
            Some((script, failure, _)) => (script, failure),
            None if first_undone < stretch.end => {
                (first_undone, self.failure(first_undone, Place::NOWHERE, FailureCause::Deadline))
            }
            None => return Ok(()),
        };
        let canceled = |error: &ServerError| error.sqlstate == QUERY_CANCELED;
        if drained.is_err() {
            // Nothing stops it: the session is given up.
            failure.cause = FailureCause::ConnectionLost(None);
        } else if failure.server_error().is_some_and(canceled) {
            failure.cause = FailureCause::Deadline;
        }
        stretch.failure = Some((script, failure, false));
        Ok(())
    }

    /// The connection broke: the script at the front is the one, unless one before it had failed already.
    fn lost(&mut self, stretch: &mut Stretch, last: Option<Box<ServerError>>) {
        if stretch.failure.is_some() {
            return;
        }
        let Some(part) = stretch.parts.front() else { return };
        let unfinished = self.session.unfinished().clone();
        let (_, mut failure) = self.judge(part, &unfinished);
        if !unfinished.unexpected_copy {
            failure.cause = FailureCause::ConnectionLost(last);
        }
        stretch.failure = Some((part.script(), failure, false));
    }
}

impl Stretch {
    fn new(scripts: Range<usize>) -> Self {
        Self {
            next: scripts.start,
            end: scripts.end,
            items: VecDeque::new(),
            parts: VecDeque::new(),
            failure: None,
            unsendable: None,
            elapsed: Duration::ZERO,
            own_transactions: false,
        }
    }
}

/// `active_sql_transaction`: something that must come first in, or outside, a transaction did not.
const ACTIVE_SQL_TRANSACTION: &str = "25001";

/// `query_canceled`: by a cancel request or by `statement_timeout`.
pub(super) const QUERY_CANCELED: &str = "57014";

/// `division_by_zero`, which our check raises.
const DIVISION_BY_ZERO: &str = "22012";

fn lead(number: usize) -> usize {
    if number == 0 { FIRST_LEAD } else { LATER_LEAD }
}

/// Whether it was our own check that failed in the message that ends a script.
pub(super) fn is_own_check(outcome: &Outcome) -> bool {
    let by_check = outcome.error.as_ref().is_some_and(|error| error.sqlstate == DIVISION_BY_ZERO);
    by_check && outcome.tags.len() == FINISH_LEAD
}

fn is_transaction_control(tag: &str) -> bool {
    const TAGS: &[&str] = &[
        "BEGIN",
        "START TRANSACTION",
        "COMMIT",
        "ROLLBACK",
        "PREPARE TRANSACTION",
        "COMMIT PREPARED",
        "ROLLBACK PREPARED",
    ];
    TAGS.contains(&tag)
}

/// Why a stretch cannot go on.
enum SessionErrorOrBroken {
    Session(SessionError),
    /// The script with this id ran although an earlier one had failed.
    Broken(usize),
}

impl From<SessionError> for SessionErrorOrBroken {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}
