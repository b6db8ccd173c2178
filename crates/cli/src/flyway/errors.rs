//! Errors, as text and as Flyway's `error` object.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use trueup_migrations::history::ValidationError;
use trueup_postgres::run::{Failure, RunError};
use trueup_postgres::session::ServerError;

use crate::runner::RunnerError;

/// Flyway's `SQL State` of what the server did not say.
const UNSAID: &str = "";

/// An error without more to it.
pub(super) fn document(code: &str, message: &str) -> Value {
    json!({"error": {"errorCode": code, "message": message, "cause": null}})
}

/// Why there is no result, as a document.
pub(super) fn of(error: &RunnerError, folder: &Path, debug: bool) -> Value {
    let message = text(error, folder, debug);
    let mut document = document(error.code(), &message);
    if let RunnerError::Run(RunError::Server { error, .. }) = error {
        document["error"]["sqlState"] = json!(error.sqlstate);
        document["error"]["sqlErrorCode"] = json!(0);
        document["error"]["cause"] = cause(&server(error, None), None);
    }
    if let RunnerError::Run(RunError::Script(failure)) = error {
        document["error"] = failed("ERROR", failure, folder, debug);
    }
    document
}

/// Why there is no result, in words.
pub(super) fn text(error: &RunnerError, folder: &Path, debug: bool) -> String {
    match error {
        RunnerError::Run(RunError::Script(failure)) => script(failure, folder, debug),
        RunnerError::Run(RunError::Invalid(errors)) => invalid(errors),
        RunnerError::Run(RunError::Refused(refused)) => {
            let lines: Vec<_> = refused.iter().map(|one| format!("{}: {}", one.at, one.message)).collect();
            format!("{error}; nothing was run\n{}", lines.join("\n"))
        }
        RunnerError::Run(RunError::Server { what, error }) => format!("{what}: {}", server(error, None)),
        RunnerError::Usage { message, help } => format!("{message}\n{help}"),
        RunnerError::Problems(problems) => {
            let mut out = "Failed to configure parameters:".to_owned();
            for problem in problems {
                // An option has no lines.
                let at = match problem.at.file.starts_with('-') {
                    true => problem.at.file.to_string(),
                    false => problem.at.to_string(),
                };
                // Writing to a String does not fail.
                let _ = write!(out, "\n\t{at}: {}\n\t\t{}", problem.message, problem.help);
            }
            out
        }
        RunnerError::Run(_) | RunnerError::Record { .. } => error.to_string(),
    }
}

/// What does not fit, one after the other.
pub(super) fn invalid(errors: &[ValidationError]) -> String {
    let messages: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    format!("Validate failed: Migrations have failed validation\n{}", messages.join("\n"))
}

/// `error` of a result whose script failed.
pub(super) fn failed(code: &str, failure: &Failure, folder: &Path, debug: bool) -> Value {
    let message = script(failure, folder, debug);
    let said =
        failure.cause.server_error().map_or_else(|| failure.cause.message(), |error| server(error, failure.position));
    json!({
        "errorCode": code,
        "sqlState": failure.cause.server_error().map(|error| &error.sqlstate),
        "sqlErrorCode": 0,
        "message": message,
        "lineNumber": line(failure),
        "path": folder.join(failure.at.file.as_ref()),
        "cause": cause(&message, Some(&cause(&said, None))),
    })
}

/// A cause; there is no stack of Java to show.
fn cause(message: &str, next: Option<&Value>) -> Value {
    json!({"message": message, "stackTrace": "", "cause": next})
}

/// The block about a script that failed.
pub(super) fn script(failure: &Failure, folder: &Path, debug: bool) -> String {
    let file = failure.at.file.as_ref();
    let title = format!("Failed to execute script {}", file.rsplit('/').next().unwrap_or(file));
    let (state, message) = match failure.cause.server_error() {
        Some(error) => (error.sqlstate.as_str(), server(error, failure.position)),
        None => (UNSAID, failure.cause.message()),
    };
    let statement = match &failure.statement {
        Some(statement) if debug => statement.as_str(),
        _ => "Run Flyway with -X option to see the actual statement causing the problem",
    };
    format!(
        "{title}\n{}\nSQL State  : {state}\nError Code : 0\nMessage    : {message}\nLocation   : {file} ({})\n\
         Line       : {}\nStatement  : {statement}\n",
        "-".repeat(title.chars().count()),
        folder.join(file).display(),
        line(failure),
    )
}

/// The line where the statement starts; [`Failure::at`] is where in it the server pointed.
fn line(failure: &Failure) -> u32 {
    failure.starts.as_ref().map_or(failure.at.line, |starts| starts.line)
}

/// As the JDBC driver puts it, with the character of the statement at which the server pointed.
fn server(error: &ServerError, position: Option<usize>) -> String {
    let mut out = format!("{}: {}", error.severity, error.message);
    let position = position.map(|position| position.to_string());
    let internal = error.internal_position.map(|position| position.to_string());
    let parts = [
        ("Detail", &error.detail),
        ("Hint", &error.hint),
        ("Position", &position),
        ("Where", &error.where_),
        ("Internal Query", &error.internal_query),
        ("Internal Position", &internal),
    ];
    for (name, text) in parts.iter().filter_map(|(name, text)| Some((name, text.as_ref()?))) {
        // Writing to a String does not fail.
        let _ = write!(out, "\n  {name}: {text}");
    }
    out
}
