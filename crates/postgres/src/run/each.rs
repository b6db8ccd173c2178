//! Callbacks around each script, and around each of its statements.

use std::sync::Arc;

use crate::session::TransactionStatus;

use super::outcome::{Failure, RunError};
use super::parts::Messages;
use super::runner::{Runner, Step};

/// The events around one script that changes versions.
pub(super) struct Each {
    pub(super) before: &'static str,
    pub(super) after: &'static str,
    pub(super) before_statement: &'static str,
    pub(super) after_statement: &'static str,
    statement_error: &'static str,
    error: &'static str,
}

const MIGRATE: Each = Each {
    before: "beforeEachMigrate",
    after: "afterEachMigrate",
    before_statement: "beforeEachMigrateStatement",
    after_statement: "afterEachMigrateStatement",
    statement_error: "afterEachMigrateStatementError",
    error: "afterEachMigrateError",
};

const UNDO: Each = Each {
    before: "beforeEachUndo",
    after: "afterEachUndo",
    before_statement: "beforeEachUndoStatement",
    after_statement: "afterEachUndoStatement",
    statement_error: "afterEachUndoStatementError",
    error: "afterEachUndoError",
};

impl Runner<'_> {
    /// Whether there are callbacks around scripts, which then cannot be sent ahead.
    pub(super) fn has_each(&self) -> bool {
        self.callbacks.keys().any(|event| event.contains("Each"))
    }

    pub(super) fn each(&self, step: &Step) -> Option<&'static Each> {
        let of = if step.is_undo() { &UNDO } else { &MIGRATE };
        (step.row.is_some() && self.has_each()).then_some(of)
    }

    /// A script's statements, with the callbacks around them in the same transaction.
    pub(super) async fn body(&mut self, step: &Step) -> Result<Option<Failure>, RunError> {
        let Some(each) = self.each(step) else { return self.statements(step).await };
        if let Some(failure) = self.within(each.before).await? {
            return Ok(Some(failure));
        }
        let around = [each.before_statement, each.after_statement, each.statement_error];
        let failure = match around.iter().any(|event| self.has(event)) {
            true => self.statement_by_statement(step).await?,
            false => self.statements(step).await?,
        };
        match failure {
            None => self.within(each.after).await,
            failed => Ok(failed),
        }
    }

    async fn statement_by_statement(&mut self, step: &Step) -> Result<Option<Failure>, RunError> {
        let mut messages = match Messages::of(step, true) {
            Ok(messages) => messages,
            Err(error) => return Ok(Some(self.unreadable(step, &error))),
        };
        while let Some(next) = messages.next().transpose() {
            if let Some(failure) = self.before_statement(step).await? {
                return Ok(Some(failure));
            }
            if let Some(failure) = self.message(&mut messages, next).await? {
                self.after_statement_failure(step).await?;
                return Ok(Some(failure));
            }
            if let Some(failure) = self.after_statement(step).await? {
                return Ok(Some(failure));
            }
        }
        Ok(self.interruption(step))
    }

    /// The callbacks before a statement of a script.
    pub(super) async fn before_statement(&mut self, step: &Step) -> Result<Option<Failure>, RunError> {
        match self.each(step) {
            Some(each) => self.within(each.before_statement).await,
            None => Ok(None),
        }
    }

    /// The callbacks behind a statement of a script.
    pub(super) async fn after_statement(&mut self, step: &Step) -> Result<Option<Failure>, RunError> {
        match self.each(step) {
            Some(each) => self.within(each.after_statement).await,
            None => Ok(None),
        }
    }

    /// The callbacks for a statement that failed. In a transaction the server refuses them, as it does with Flyway; then
    /// they are not even sent.
    pub(super) async fn after_statement_failure(&mut self, step: &Step) -> Result<(), RunError> {
        if let Some(each) = self.each(step)
            && self.session().status() == TransactionStatus::Idle
            && let Some(also) = self.within(each.statement_error).await?
        {
            self.migrated.also.push(also);
        }
        Ok(())
    }

    /// The callbacks of an event in whatever transaction is open.
    pub(super) async fn within(&mut self, event: &str) -> Result<Option<Failure>, RunError> {
        let steps = self.callbacks.get(event).map_or_else(|| Arc::from([]), Arc::clone);
        for step in steps.iter() {
            self.stale |= step.script.afterwards.read_history;
            if let Some(failure) = self.statements(step).await? {
                return Ok(Some(failure));
            }
        }
        Ok(None)
    }

    /// The callbacks for a script that failed. Flyway runs them in the transaction that failed, where they fail too;
    /// here that has been rolled back.
    pub(super) async fn after_each_failure(&mut self, step: &Step) -> Result<(), RunError> {
        let Some(each) = self.each(step).filter(|each| self.has(each.error) && !self.interrupted) else {
            return Ok(());
        };
        let Some(steps) = self.callbacks.get(each.error).cloned() else { return Ok(()) };
        for callback in steps.iter() {
            if let Some(also) = self.awaited(callback).await? {
                self.migrated.also.push(also);
            }
        }
        Ok(())
    }
}
