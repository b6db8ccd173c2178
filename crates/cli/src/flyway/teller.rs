//! Says what happens as Flyway says it: lines as they come, or one document at the end.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use trueup_migrations::history::{Reconciliation, Repair, ValidationError};
use trueup_migrations::settings::Settings;
use trueup_postgres::run::{Baselined, Cleaned, Event, Inputs, Migrated};

use super::call::{Call, Filter};
use super::{errors, lines, result, usage};
use crate::report::text::{SENTENCE, clean};
use crate::runner::{RunnerError, Server};
use crate::stdio::{complain, say};

/// Where and how things are said. Shared by everything that a command line runs.
pub(crate) struct Teller {
    json: bool,
    quiet: bool,
    debug: bool,
    folder: PathBuf,
    filter: Filter,
    state: Mutex<State>,
}

/// What changes on the way.
#[derive(Default)]
struct State {
    /// `-outputFile`
    file: Option<File>,
    /// `schemas`, as settings name them.
    schemas: String,
    /// The schema with the history.
    schema: String,
    /// The results so far.
    results: Vec<Value>,
}

impl Teller {
    /// As a command line wants it, run in `folder`.
    ///
    /// # Errors
    /// The output file cannot be written.
    pub(super) fn new(call: &Call, folder: &Path) -> Result<Self, String> {
        let open = |path: &PathBuf| {
            let path = folder.join(path);
            File::create(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let file = call.output_file.as_ref().map(open).transpose()?;
        Ok(Self {
            json: call.json,
            quiet: call.quiet,
            debug: call.debug,
            folder: folder.to_owned(),
            filter: call.filter.clone(),
            state: Mutex::new(State { file, ..State::default() }),
        })
    }

    /// For a command line that could not be understood.
    pub(super) fn plain(json: bool) -> Self {
        Self {
            json,
            quiet: false,
            debug: false,
            folder: PathBuf::new(),
            filter: Filter::default(),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn out(&self, text: &str) {
        say(text);
        self.copy(text);
    }

    fn copy(&self, text: &str) {
        let mut state = self.state();
        let failed = state.file.as_mut().and_then(|file| writeln!(file, "{text}").err());
        if let Some(error) = failed {
            state.file = None;
            drop(state);
            self.error_line(&format!("the output file cannot be written: {error}"));
        }
    }

    fn error_line(&self, text: &str) {
        complain(&format!("ERROR: {text}"));
        self.copy(&format!("ERROR: {text}"));
    }

    fn info(&self, text: &str) {
        if !self.json && !self.quiet {
            self.out(text);
        }
    }

    fn warning(&self, text: &str) {
        if !self.json {
            self.out(&format!("WARNING: {text}"));
        }
    }

    fn debug(&self, text: &str) {
        if !self.json && self.debug {
            self.out(&format!("DEBUG: {text}"));
        }
    }

    /// Something that was asked for, whatever the flags.
    pub(super) fn answer(&self, text: &str) {
        self.out(text.trim_end());
    }

    pub(super) fn begin(&self) {
        self.info(&format!("{}\n", usage::banner()));
    }

    pub(super) fn version(&self) {
        match self.json {
            true => self.keep(
                json!({"command": "version", "edition": "trueup", "pluginVersions": [], "version": usage::FOLLOWS}),
            ),
            false => self.answer(&usage::banner()),
        }
    }

    pub(super) fn engines(&self) {
        match self.json {
            true => self.keep(json!({"engines": ["PostgreSQL"]})),
            false => self.answer("Database Name\n-------------\nPostgreSQL"),
        }
    }

    fn keep(&self, result: Value) {
        self.state().results.push(result);
    }

    /// The document of a run that came to its end.
    pub(super) fn end(&self) -> u8 {
        if self.json {
            let mut results = std::mem::take(&mut self.state().results);
            let document = match results.len() {
                1 => results.remove(0),
                _ => json!({"individualResults": results}),
            };
            self.out(&format!("{document:#}"));
        }
        0
    }

    /// A command line that is refused.
    pub(super) fn refused(&self, message: &str) {
        match self.json {
            true => self.out(&format!("{:#}", errors::document("CONFIGURATION", message))),
            false => self.error_line(message),
        }
    }

    /// What changes nothing and should be known.
    pub(crate) fn notices(&self, notices: &[String]) {
        notices.iter().for_each(|notice| self.warning(&clean(notice, SENTENCE)));
    }

    /// The database answered.
    pub(crate) fn connected(&self, settings: &Settings, server: &Server) {
        let mut state = self.state();
        state.schemas = settings.schemas.value.join(", ");
        state.schema.clone_from(&server.schema);
        drop(state);
        // Without the words of whoever packaged it.
        let version = server.version.split(' ').next().unwrap_or_default();
        self.info(&format!("Database: {} (PostgreSQL {version})", lines::address(settings, server)));
    }

    /// There is no history yet.
    pub(crate) fn without_history(&self, table: &str) {
        self.info(&format!("Schema history table {table} does not exist yet"));
    }

    pub(crate) fn tested(&self) {
        match self.json {
            true => self.keep(json!({"successfulConnections": ["Flyway"]})),
            false => self.info("Flyway engine connection successful"),
        }
    }

    /// Tells what happens on the way; false when Flyway has no words for it, and nobody asked for silence.
    pub(crate) fn event(&self, event: &Event<'_>) -> bool {
        match event {
            Event::AlsoFailed(failure) if !self.json => {
                self.error_line(&errors::script(failure, &self.folder, self.debug));
            }
            Event::Said { notice, .. } if !lines::is_plain(notice) => self.warning(&lines::notice(notice)),
            _ => {
                let schema = self.state().schema.clone();
                match lines::event(event, &schema) {
                    Some(lines) => lines.iter().for_each(|line| self.info(line)),
                    None => return self.json || self.quiet,
                }
            }
        }
        true
    }

    /// The end of a migrate; the exit code.
    pub(crate) fn migrated(&self, migrated: &Migrated, inputs: &Inputs, server: &Server) -> u8 {
        let scripts = migrated.notices.iter().map(|(_, notice)| notice);
        for notice in scripts {
            match lines::is_plain(notice) {
                true => self.info(&lines::notice(notice)),
                false => self.warning(&lines::notice(notice)),
            }
        }
        let document = || result::migrated(migrated, inputs, server, &self.state().schemas, &self.folder);
        let Some(failure) = &migrated.failure else {
            self.info(&lines::migrated(migrated));
            self.debug(&format!("round trips after connecting: {}", migrated.round_trips));
            if self.json {
                self.keep(document());
            }
            return 0;
        };
        if self.json {
            self.out(&format!("{:#}", document()));
        } else {
            let (begun, failed) = lines::failed(failure, migrated, inputs);
            self.info(&begun);
            self.error_line(&failed);
            self.error_line(&errors::script(failure, &self.folder, self.debug));
        }
        1
    }

    pub(crate) fn undone(&self, undone: &Migrated, inputs: &Inputs, server: &Server) -> u8 {
        let document = || result::undone(undone, inputs, server, &self.state().schemas, &self.folder);
        match (&undone.failure, self.json) {
            (None, true) => self.keep(document()),
            (None, false) => self.info(&lines::undone(undone)),
            (Some(_), true) => self.out(&format!("{:#}", document())),
            (Some(failure), false) => self.error_line(&errors::script(failure, &self.folder, self.debug)),
        }
        u8::from(undone.failure.is_some())
    }

    pub(crate) fn baselined(&self, done: &Baselined, server: &Server) {
        match self.json {
            true => self.keep(result::baselined(done, server)),
            false => self.info(&lines::baselined(done, server)),
        }
    }

    pub(crate) fn repaired(&self, done: Option<&Repair>, server: &Server) {
        match self.json {
            true => self.keep(result::repaired(done, server, &self.folder)),
            false => lines::repaired(done, server).iter().for_each(|line| self.info(line)),
        }
    }

    pub(crate) fn cleaned(&self, done: &Cleaned, server: &Server) {
        match self.json {
            true => self.keep(result::cleaned(done, server)),
            false => lines::cleaned(done).iter().for_each(|line| self.info(line)),
        }
    }

    pub(crate) fn info_of(&self, found: &Reconciliation<'_>, server: &Server, has_history: bool) {
        let shown = lines::shown(found, &self.filter);
        match self.json {
            true => {
                let schemas = self.state().schemas.clone();
                self.keep(result::info(found, &shown, server, &schemas, &self.folder, !has_history));
            }
            false => self.info(&lines::info(found, &shown)),
        }
    }

    /// The end of a validate; the exit code, which for JSON is 0 even when something does not fit, as there.
    pub(crate) fn validated(&self, errors: &[ValidationError], judged: usize, server: &Server) -> u8 {
        match (self.json, errors.is_empty()) {
            (true, _) => {
                self.keep(result::validated(errors, judged, server, &self.folder));
                0
            }
            (false, true) => {
                self.info(&format!("Successfully validated {}", lines::migrations(judged)));
                0
            }
            (false, false) => {
                self.error_line(&errors::invalid(errors));
                1
            }
        }
    }

    /// A schema is missing, which validate tells in its own way; the exit code.
    pub(crate) fn schema_missing(&self, schema: &str, server: &Server) -> u8 {
        let message = format!("Schema \"{}\" doesn't exist yet", schema.replace('"', "\"\""));
        match self.json {
            true => {
                self.keep(result::not_validated("SCHEMA_DOES_NOT_EXIST", &message, server));
                0
            }
            false => {
                self.error_line(&format!("Validate failed: {message}\n"));
                1
            }
        }
    }

    /// Why there is no result.
    pub(crate) fn error(&self, error: &RunnerError) {
        match self.json {
            true => self.out(&format!("{:#}", errors::of(error, &self.folder, self.debug))),
            false => self.error_line(&errors::text(error, &self.folder, self.debug)),
        }
    }
}
