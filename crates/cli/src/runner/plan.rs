//! `--plan`: what would run, and what of it is a hazard.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trueup_migrations::hazards::{Danger, Hazard};
use trueup_migrations::history::Target;
use trueup_postgres::run::{Command, Inputs, Plan, Planned};

use super::Server;
use super::error::{RunnerError, counted};
use super::human::say;
use super::json::now;
use super::out::Out;
use crate::report::text::{NAME, SENTENCE, clean, pad, place};

/// `cherryPick` and a `target` both say what an undo takes back.
pub(super) fn refuse_two_answers(inputs: &Inputs, out: Out<'_>) -> Result<(), RunnerError> {
    let has_target = matches!(inputs.policy.target, Target::Version { .. });
    if out.command != Command::Undo || inputs.picks.is_empty() || !has_target {
        return Ok(());
    }
    let message = "the settings `cherryPick` and `target` both say what is undone";
    Err(RunnerError::usage(message, "remove one of them, or set target=latest; nothing was run"))
}

/// What people read.
pub(super) fn people(command: Command, plan: &Plan, server: &Server, verbose: bool) {
    let place = format!(
        "schema {} of {} (PostgreSQL {})",
        clean(&server.schema, NAME),
        clean(&server.database, NAME),
        clean(&server.version, NAME)
    );
    let now = plan.version_before.as_ref().map_or_else(
        || "which has no version".to_owned(),
        |version| format!("which is at version {}", clean(version, NAME)),
    );
    for schema in &plan.schemas {
        say(&format!("would create schema {}", clean(schema, NAME)));
    }
    if plan.creates_history {
        say(if plan.baseline {
            "would create the schema history, beginning with a baseline"
        } else {
            "would create the schema history"
        });
    }
    if plan.migrations.is_empty() {
        let nothing = if command == Command::Undo { "undo" } else { "apply" };
        say(&format!("nothing to {nothing}: {place}, {now}"));
    } else {
        let what = if command == Command::Undo { "undo script" } else { "migration" };
        say(&format!("{} would run on {place}, {now}:", counted(plan.migrations.len(), what)));
        plan.migrations.iter().for_each(migration);
        say("");
        say(&format!("{}; nothing was executed", summary(plan)));
    }
    if verbose {
        say(&format!("round trips after connecting: {}", plan.round_trips));
    }
}

fn migration(planned: &Planned) {
    say(&format!("\n  {}: {}", clean(&planned.path, SENTENCE), way(planned)));
    planned.found.hazards.iter().for_each(hazard);
    for unseen in &planned.found.unseen {
        say(&format!("    {}{}", pad("unknown", 9), place(&unseen.at, SENTENCE)));
        say(&format!("    {}{}", pad("", 9), unseen.why));
    }
}

fn way(planned: &Planned) -> String {
    let statements = counted(planned.statements, "statement");
    let way = match planned.in_transaction {
        true => "in a transaction",
        false => "outside of a transaction",
    };
    match planned.goes_on_at {
        _ if planned.only_recorded => "recorded, and not run".to_owned(),
        Some(at) => format!("{statements}, {way}; an earlier run stopped, this one goes on at statement {at}"),
        None => format!("{statements}, {way}"),
    }
}

fn hazard(hazard: &Hazard) {
    let table = hazard.table.as_ref().map_or_else(String::new, |table| {
        let rows = table.rows.map_or_else(|| "rows never counted".to_owned(), |rows| format!("about {rows} rows"));
        format!("  {}.{} ({rows})", clean(&table.schema, NAME), clean(&table.name, NAME))
    });
    say(&format!("    {}{}  {}{table}", pad(hazard.danger.name(), 9), place(&hazard.at, SENTENCE), hazard.rule));
    say(&format!("    {}{}", pad("", 9), clean(&hazard.message, SENTENCE)));
    if let Some(help) = &hazard.help {
        say(&format!("    {}{}", pad("", 9), clean(help, SENTENCE)));
    }
}

/// How many hazards of each kind, the worst first, and how much is not known.
fn summary(plan: &Plan) -> String {
    let mut kinds: BTreeMap<Danger, usize> = BTreeMap::new();
    let found = || plan.migrations.iter().map(|planned| &planned.found);
    found().flat_map(|found| &found.hazards).for_each(|hazard| *kinds.entry(hazard.danger).or_default() += 1);
    let mut parts: Vec<String> = kinds.iter().map(|(danger, number)| format!("{number} {}", kind(*danger))).collect();
    match parts.first_mut() {
        Some(first) => *first = format!("hazards: {first}"),
        None => parts.push("no hazard was found".to_owned()),
    }
    let unseen: usize = found().map(|found| found.unseen.len()).sum();
    if unseen > 0 {
        parts.push(format!("of {} the hazards are not known", counted(unseen, "statement")));
    }
    parts.join(", ")
}

fn kind(danger: Danger) -> &'static str {
    match danger {
        Danger::Data => "for data",
        Danger::Failure => "of failing on data",
        Danger::Lock => "by locks",
        Danger::Callers => "for programs that run",
    }
}

/// What programs read.
pub(super) fn document(command: Command, plan: &Plan, server: &Server) -> Value {
    json!({
        "version": 1,
        "operation": "plan",
        "command": command.name(),
        "timestamp": now(),
        "database": server.database,
        "serverVersion": server.version,
        "schemaName": server.schema,
        "initialSchemaVersion": plan.version_before,
        "schemasToCreate": plan.schemas,
        "createsHistory": plan.creates_history,
        "baseline": plan.baseline,
        "migrations": plan.migrations.iter().map(planned).collect::<Vec<_>>(),
        "roundTrips": plan.round_trips,
    })
}

fn planned(planned: &Planned) -> Value {
    json!({
        "version": planned.row.version,
        "description": planned.row.description,
        "type": planned.row.kind.as_str(),
        "script": planned.row.script,
        "checksum": planned.row.checksum,
        "filepath": planned.path,
        "statements": planned.statements,
        "inTransaction": planned.in_transaction,
        "goesOnAt": planned.goes_on_at,
        "onlyRecorded": planned.only_recorded,
        "hazards": planned.found.hazards.iter().map(|hazard| json!({
            "danger": hazard.danger.name(),
            "rule": hazard.rule,
            "path": hazard.at.file,
            "lineNumber": hazard.at.line,
            "column": hazard.at.column,
            "schema": hazard.table.as_ref().map(|table| &table.schema),
            "table": hazard.table.as_ref().map(|table| &table.name),
            "rows": hazard.table.as_ref().and_then(|table| table.rows),
            "message": hazard.message,
            "help": hazard.help,
        })).collect::<Vec<_>>(),
        "unknown": planned.found.unseen.iter().map(|unseen| json!({
            "path": unseen.at.file,
            "lineNumber": unseen.at.line,
            "column": unseen.at.column,
            "message": unseen.why,
        })).collect::<Vec<_>>(),
    })
}
