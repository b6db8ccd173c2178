//! What counts: severities and ignores of the settings, then the baseline.

use std::collections::BTreeSet;
use std::path::PathBuf;

use trueup_model::finding::{Finding, State};

use super::CheckError;
use super::inputs::Inputs;
use super::scope::Scope;
use crate::args::CheckArgs;
use crate::baseline::{self, Baseline, BaselineError};
use crate::report::{InputError, Report};
use crate::settings::Settings;

/// Why an unknown is accepted when nobody says why.
const KNOWN: &str = "known when the baseline was written";

/// Splits the report's findings into those that count and those that are accepted, and writes the baseline if asked.
pub fn accept(
    report: &mut Report,
    inputs: &Inputs,
    scope: &Scope,
    settings: &Settings,
    arguments: &CheckArgs,
) -> Result<(), CheckError> {
    let today = baseline::today();
    let applied = settings.apply(std::mem::take(&mut report.findings), &inputs.reading.declared, today);
    report.findings = applied.counted;
    report.accepted = applied.accepted;
    report.switched_off = applied.switched_off;
    report.notes.extend(applied.notes);
    if scope.is_everything() && report.errors.is_empty() {
        let unused = applied.unused.iter();
        report.notes.extend(unused.map(|at| format!("the ignore at {at} matches nothing any more; it can go")));
    }
    let (name, path) = baseline_path(inputs, settings, arguments);
    let former = match Baseline::read(&path) {
        Ok(former) => former,
        Err(error) => {
            report.errors.push(unusable(&error));
            return Ok(());
        }
    };
    if arguments.write_baseline {
        write(report, inputs, scope, arguments, &former.clone().unwrap_or_default(), &path)?;
    }
    let current = if arguments.write_baseline { Baseline::read(&path).unwrap_or_default() } else { former };
    if let Some(current) = current {
        compare(report, inputs, scope, &current, &name);
    }
    Ok(())
}

fn baseline_path(inputs: &Inputs, settings: &Settings, arguments: &CheckArgs) -> (String, PathBuf) {
    match &arguments.baseline {
        Some(path) => (path.display().to_string(), inputs.root.join(path)),
        None => {
            let name = settings.baseline.as_ref().map_or(baseline::FILE_NAME, |name| name.value.as_str());
            (name.to_owned(), inputs.root.join(name))
        }
    }
}

fn unusable(error: &BaselineError) -> InputError {
    InputError { location: None, message: error.to_string(), help: error.help().to_owned() }
}

/// Only a run that compared everything it should knows what to accept: half a picture would accept the other half away.
fn write(
    report: &mut Report,
    inputs: &Inputs,
    scope: &Scope,
    arguments: &CheckArgs,
    former: &Baseline,
    path: &std::path::Path,
) -> Result<(), CheckError> {
    if !report.errors.is_empty() {
        report.notes.push("the baseline was not written, because the run failed".to_owned());
        return Ok(());
    }
    let in_scope = in_scope(inputs, scope);
    let (mut written, counts) = former.accept(&report.findings, arguments.reason.as_deref(), in_scope);
    give_reasons(&mut written, report);
    written
        .write(path)
        .map_err(|error| CheckError::Usage { message: error.to_string(), help: error.help().to_owned() })?;
    report.notes.push(format!(
        "{} written: {} added, {} kept, {} removed",
        path.file_name().unwrap_or_default().to_string_lossy(),
        counts.added,
        counts.kept,
        counts.removed
    ));
    if counts.unexplained > 0 {
        report.notes.push(format!(
            "{} accepted with the reason `{KNOWN}`; --reason gives a better one, or edit the file",
            if counts.unexplained == 1 {
                "1 unknown is".to_owned()
            } else {
                format!("{} unknowns are", counts.unexplained)
            }
        ));
    }
    Ok(())
}

/// Asking for a baseline says in so many words that today's unknowns are known: that is their reason when no other is
/// given. They stay visible in every summary, like all accepted unknowns.
fn give_reasons(baseline: &mut Baseline, report: &Report) {
    let unknown = report.findings.iter().filter(|finding| finding.state == State::Unknown);
    let unknown: BTreeSet<String> = unknown.map(Finding::fingerprint).collect();
    let silent = baseline.entries.iter_mut().filter(|entry| entry.reason.is_none());
    for entry in silent.filter(|entry| unknown.contains(&entry.fingerprint)) {
        entry.reason = Some(KNOWN.to_owned());
    }
}

fn compare(report: &mut Report, inputs: &Inputs, scope: &Scope, baseline: &Baseline, name: &str) {
    // What was not looked at this time is not resolved either.
    let failed = !report.errors.is_empty();
    let in_scope = in_scope(inputs, scope);
    let compared = baseline
        .compare(std::mem::take(&mut report.findings), baseline::today(), |service| !failed && in_scope(service));
    report.findings = compared.counted;
    report.accepted.extend(compared.accepted);
    report.resolved = compared.resolved;
    report.baseline = Some(name.to_owned());
    if compared.expired > 0 {
        report.notes.push(format!("{} baseline entries have expired, and count again", compared.expired));
    }
}

/// Services that this run looked at, and those that are gone from the project.
fn in_scope<'a>(inputs: &'a Inputs, scope: &'a Scope) -> impl Fn(&str) -> bool + 'a {
    move |service| {
        let known = inputs.services.iter().any(|input| input.name == service);
        if known { scope.includes(service) } else { scope.is_everything() }
    }
}
