//! A replay that failed, as a finding.

use trueup_model::finding::{Finding, ObjectKind, ObjectPath};
use trueup_model::location::Location;
use trueup_model::rule::Rule;
use trueup_postgres::replay::{FailureCause, Prepared, ReplayFailure};
use trueup_postgres::session::ServerError;

use super::inputs::ServiceInput;

/// `replay-failed`, at the statement that failed, with the server's own words.
pub(super) fn replay_failed(input: &ServiceInput, prepared: &Prepared, failure: &ReplayFailure) -> Finding {
    let place = prepared.locate(failure).unwrap_or_else(|| Location::whole(input.name.as_str()));
    let script = place.file.rsplit('/').next().unwrap_or_default().to_owned();
    let mut words = describe(&failure.cause);
    if let Some(statement) = statement(prepared, failure) {
        words = format!("{words}; the statement is `{statement}`");
    }
    Finding::new(Rule::ReplayFailed, &input.name, ObjectPath::new(ObjectKind::Migration, [script.as_str().into()]))
        .message(format!("`{script}` fails when it is replayed on an empty database: {words}"))
        .help(what_to_do(&failure.cause))
        .sides("", sqlstate(&failure.cause))
        .in_migration(Some(&place))
}

fn what_to_do(cause: &FailureCause) -> &'static str {
    match cause {
        FailureCause::Statement(error) if lacks_extension(error) => {
            "install the extension where trueup finds PostgreSQL, or point --scratch-url at a server that has it"
        }
        _ => {
            "correct the migration; if it needs what others make (a role, a table of a Java migration), \
             name SQL that stands in for it under `[replay] before` in trueup.toml"
        }
    }
}

/// `undefined_file` before 15, `feature_not_supported` since.
fn lacks_extension(error: &ServerError) -> bool {
    let control_file = error.detail.as_ref().unwrap_or(&error.message).contains("open extension control file");
    control_file && ["58P01", "0A000"].contains(&error.sqlstate.as_str())
}

/// Whether the same inputs would fail again on the same engine.
pub(super) fn lasts(cause: &FailureCause) -> bool {
    !matches!(cause, FailureCause::Deadline | FailureCause::ConnectionLost(_))
}

/// The first words of the statement that failed.
fn statement(prepared: &Prepared, failure: &ReplayFailure) -> Option<String> {
    const WORDS: usize = 160;
    let script = prepared.scripts.get(failure.script)?;
    let text = &script.text[script.statements.get(failure.statement?)?.clone()];
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut: String = line.chars().take(WORDS).collect();
    Some(if cut.len() < line.len() { format!("{cut} …") } else { cut })
}

pub(super) fn sqlstate(cause: &FailureCause) -> String {
    match cause {
        FailureCause::Statement(error) | FailureCause::Commit(error) => error.sqlstate.clone(),
        _ => String::new(),
    }
}

fn describe(cause: &FailureCause) -> String {
    match cause {
        FailureCause::Statement(error) => said(error),
        FailureCause::Commit(error) => format!("at its commit, {}", said(error)),
        FailureCause::Deadline => "it did not end within the time the run may take".to_owned(),
        FailureCause::ConnectionLost(Some(error)) => format!("the server ended the session: {}", said(error)),
        FailureCause::ConnectionLost(None) => "the server ended the session".to_owned(),
        FailureCause::CopyWithoutData => "COPY … FROM STDIN has no data that ends with `\\.`".to_owned(),
        FailureCause::Nul => "it contains a NUL byte, which PostgreSQL cannot take".to_owned(),
        FailureCause::Tampered => "it changes the setting `trueup.at`, which the replay keeps count with".to_owned(),
    }
}

/// `message (SQLSTATE)`, with detail and hint.
pub(super) fn said(error: &ServerError) -> String {
    let more =
        |what: &str, text: &Option<String>| text.as_ref().map_or(String::new(), |text| format!("; {what}: {text}"));
    let (detail, hint) = (more("detail", &error.detail), more("hint", &error.hint));
    format!("{} ({}){detail}{hint}", error.message, error.sqlstate)
}
