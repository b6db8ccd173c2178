//! Where and how a run says things: to people, to programs, or as Flyway would.

use std::time::Duration;

use serde_json::Value;
use trueup_migrations::history::{Reconciliation, Repair, ValidationError};
use trueup_migrations::settings::Settings;
use trueup_postgres::run::{Baselined, Cause, Cleaned, Command, Event, Inputs, Migrated, Plan};
use trueup_postgres::session::NoServer;

use super::error::RunnerError;
use super::{INTERRUPTED, Server, human, json, plan};
use crate::args::RunFormat;
use crate::flyway::Teller;

/// Where and how things are said.
#[derive(Clone, Copy)]
pub(super) struct Out<'a> {
    pub(super) format: RunFormat,
    pub(super) command: Command,
    pub(super) verbose: bool,
    /// Whoever speaks for Flyway, when its own command line is what was typed.
    pub(super) flyway: Option<&'a Teller>,
}

impl Out<'_> {
    pub(super) fn event(self, event: &Event<'_>) {
        if self.flyway.is_some_and(|flyway| flyway.event(event)) {
            return;
        }
        match event {
            Event::Waiting { holder } => human::waiting(*holder),
            Event::Pooled => human::pooled(),
            Event::Applied(ran) if self.format == RunFormat::Human => human::applied(ran, self.command),
            Event::Applied(_) | Event::Validated { .. } | Event::Created { .. } | Event::Begins { .. } => {}
            Event::Planned(_) | Event::Running { .. } => {}
            Event::Said { path, notice } => human::said(path, notice),
            Event::AlsoFailed(failure) => human::also_failed(failure),
            Event::Resumed { path, statement } => human::resumed(path, *statement),
            Event::Skipped { at, command } => human::skipped(at, command),
            Event::NoProgress { path, why } => human::no_progress(path, why),
            Event::Forgotten { script } => human::forgotten(script),
            Event::Dropped { index } => human::dropped_index(index),
            Event::Building { path, built } => human::building(path, built),
            Event::Retrying { path, retry, pause } => human::retrying(path, *retry, *pause),
        }
    }

    /// Notices go to standard error, so that standard output stays what was asked for.
    pub(super) fn notices(self, notices: &[String]) {
        match self.flyway {
            Some(flyway) => flyway.notices(notices),
            None => notices.iter().for_each(|notice| human::complain(&format!("trueup: note: {notice}"))),
        }
    }

    /// No server will do yet; the run tries again.
    pub(super) fn waits_for_a_server(self, none: &NoServer, wait: Duration) {
        let notice = format!("{none}; trying again in {} s", wait.as_secs());
        self.notices(&[notice]);
    }

    /// Whether a bar may be drawn: where people wait, and not where Flyway's lines are expected.
    pub(super) fn has_bar(self) -> bool {
        self.format == RunFormat::Human && self.flyway.is_none()
    }

    /// The run is over, and the file for it cannot be written.
    pub(super) fn unrecorded(self, error: &RunnerError) {
        match self.format {
            RunFormat::Human => human::error(error),
            // The one document is printed already.
            RunFormat::Json => human::complain(&format!("trueup: {error}")),
        }
    }

    pub(super) fn connected(self, settings: &Settings, server: &Server) {
        if let Some(flyway) = self.flyway {
            flyway.connected(settings, server);
        }
    }

    pub(super) fn without_history(self, table: &str) {
        if let Some(flyway) = self.flyway {
            flyway.without_history(table);
        }
    }

    pub(super) fn error(self, error: &RunnerError) {
        match (self.flyway, self.format) {
            (Some(flyway), _) => flyway.error(error),
            (None, RunFormat::Human) => human::error(error),
            (None, RunFormat::Json) => json::print(&json::error(error, self.command)),
        }
    }

    fn show(self, document: impl FnOnce() -> Value, people: impl FnOnce()) {
        match self.format {
            RunFormat::Human => people(),
            RunFormat::Json => json::print(&document()),
        }
    }

    /// The end of a migrate; the exit code.
    pub(super) fn migrated(self, migrated: &Migrated, inputs: &Inputs, server: &Server, took: Duration) -> u8 {
        match self.flyway {
            Some(flyway) => return code_of(migrated).max(flyway.migrated(migrated, inputs, server)),
            None => self.show(
                || json::migrated(migrated, server, took),
                || human::migrated(migrated, server, took, self.verbose),
            ),
        }
        code_of(migrated)
    }

    /// What a migrate would do.
    pub(super) fn planned(self, planned: &Plan, server: &Server) {
        let command = self.command;
        self.show(|| plan::document(command, planned, server), || plan::people(command, planned, server, self.verbose));
    }

    /// The end of an undo; the exit code.
    pub(super) fn undone(self, undone: &Migrated, inputs: &Inputs, server: &Server) -> u8 {
        match self.flyway {
            Some(flyway) => return code_of(undone).max(flyway.undone(undone, inputs, server)),
            None => self.show(|| json::undone(undone, server), || human::undone(undone, server)),
        }
        code_of(undone)
    }

    pub(super) fn baselined(self, done: &Baselined, server: &Server) {
        match self.flyway {
            Some(flyway) => flyway.baselined(done, server),
            None => self.show(|| json::baselined(done, server), || human::baselined(done, server)),
        }
    }

    pub(super) fn repaired(self, done: Option<&Repair>, server: &Server) {
        match self.flyway {
            Some(flyway) => flyway.repaired(done, server),
            None => self.show(|| json::repaired(done, server), || human::repaired(done, server)),
        }
    }

    pub(super) fn cleaned(self, done: &Cleaned, server: &Server) {
        match self.flyway {
            Some(flyway) => flyway.cleaned(done, server),
            None => self.show(|| json::cleaned(done, server), || human::cleaned(done, self.verbose)),
        }
    }

    /// What is there. Flyway also says whether there is a history at all.
    pub(super) fn info(self, found: &Reconciliation<'_>, server: &Server, has_history: bool) {
        match self.flyway {
            Some(flyway) => flyway.info_of(found, server, has_history),
            None => self.show(|| json::info(found, server), || human::info(found, server)),
        }
    }

    /// The end of a validate; the exit code. Flyway counts the rows without a file too.
    pub(super) fn validated(self, errors: &[ValidationError], judged: usize, rows: usize, server: &Server) -> u8 {
        match self.flyway {
            Some(flyway) => return flyway.validated(errors, rows, server),
            None => self.show(|| json::validated(errors, judged, server), || human::validated(errors, judged)),
        }
        u8::from(!errors.is_empty())
    }
}

/// That of an interrupt is the highest.
fn code_of(migrated: &Migrated) -> u8 {
    match &migrated.failure {
        None => 0,
        Some(failure) if matches!(failure.cause, Cause::Interrupted) => INTERRUPTED,
        Some(_) => 1,
    }
}
