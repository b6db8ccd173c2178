//! The text of a dry run, as psql reads it.

use trueup_migrations::large::Parts;
use trueup_migrations::migration::ScriptError;
use trueup_migrations::psql::for_psql;

use super::inputs::Command;
use super::outcome::{Refused, RunError};
use super::script::{Batch, Script};

/// What stands before everything else. `ON_ERROR_STOP` is set here too: without it psql would go on after an error.
const HEAD: &str = "\
-- What `trueup {command}` would send, written down by a dry run; nothing of it has been executed.
-- To run it:  psql -X -v ON_ERROR_STOP=1 -f FILE, as the same role. A division by zero in a statement about an
-- advisory lock says that another run holds it, and elsewhere that the schema history has changed since.
\\set ON_ERROR_STOP on
\\set AUTOCOMMIT on
\\encoding UTF8
";

/// A script for psql under way.
#[derive(Debug)]
pub(super) struct DryScript {
    sql: String,
    refused: Vec<Refused>,
}

impl DryScript {
    /// Begins with what makes the session.
    pub(super) fn new(command: Command, start: &[String]) -> Self {
        let mut script = Self { sql: HEAD.replace("{command}", command.name()), refused: Vec::new() };
        start.iter().for_each(|sql| script.ours(sql));
        script
    }

    /// The text, unless psql cannot be given something.
    pub(super) fn done(self) -> Result<String, RunError> {
        if self.refused.is_empty() { Ok(self.sql) } else { Err(RunError::Refused(self.refused)) }
    }

    /// A comment with an empty line before it.
    pub(super) fn title(&mut self, text: &str) {
        self.sql.push('\n');
        self.comment(text);
    }

    /// One line, whatever the text: names of files are anybody's.
    pub(super) fn comment(&mut self, text: &str) {
        self.sql.push_str("-- ");
        let is_tame = |character: &char| !character.is_control() && !"\u{2028}\u{2029}".contains(*character);
        self.sql.extend(text.chars().map(|character| if is_tame(&character) { character } else { '?' }));
        self.sql.push('\n');
    }

    /// SQL of ours.
    pub(super) fn ours(&mut self, sql: &str) {
        self.sql.push_str(sql.trim_end_matches(';'));
        self.sql.push_str(";\n");
    }

    /// Something psql cannot be given.
    pub(super) fn refuse(&mut self, why: Refused) {
        self.refused.push(why);
    }

    /// A statement of an author, with its data when it is a COPY, which come from `parts` when the script has none.
    ///
    /// # Errors
    /// The file cannot be read any more.
    pub(super) fn statement(
        &mut self,
        script: &Script,
        batch: &Batch,
        parts: Option<&mut Parts>,
    ) -> Result<(), ScriptError> {
        let text = script.text();
        match for_psql(&text[batch.range.clone()]) {
            Ok(sql) => self.sql.push_str(&sql),
            Err(error) => self.refused.push(Refused {
                at: script.locate(Some(batch.range.start + error.offset)),
                message: error.to_string(),
            }),
        }
        let is_ended = text.as_bytes().get(batch.range.end) == Some(&b';');
        // Without one, the statement may end in a comment, which would swallow ours.
        self.sql.push_str(if is_ended { ";\n" } else { "\n;\n" });
        if let Some(data) = &batch.copy {
            self.sql.push_str(&text[data.clone()]);
            if let Some(parts) = parts {
                while let Some(lines) = parts.data()? {
                    self.sql.push_str(&lines);
                }
            }
            if !self.sql.ends_with('\n') {
                self.sql.push('\n');
            }
            self.sql.push_str("\\.\n");
        }
        Ok(())
    }
}
