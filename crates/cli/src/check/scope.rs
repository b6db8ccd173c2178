//! What a run is limited to.

use std::collections::BTreeSet;
use std::sync::Arc;

use trueup_git::GitError;
use trueup_intent::Source;
use trueup_model::declared::DeclaredService;

use super::CheckError;
use super::inputs::{Inputs, ServiceInput};
use crate::args::CheckArgs;

/// Which services a run looks at.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// By `--service`; empty means all.
    named: Vec<String>,
    /// By `--changed-since`: the reference and the services it touches.
    changed: Option<(String, BTreeSet<String>)>,
}

impl Scope {
    /// Reads the scope off the command line.
    pub fn of(arguments: &CheckArgs, inputs: &Inputs) -> Result<Self, CheckError> {
        let mut scope = Self { named: arguments.service.clone(), changed: None };
        // Without the inputs no name can be wrong yet.
        if inputs.errors.is_empty() {
            scope.check_names(inputs)?;
            if let Some(reference) = &arguments.changed_since {
                let changed = changed_services(inputs, reference).map_err(|error| explain(&error))?;
                scope.changed = Some((reference.clone(), changed));
            }
        }
        Ok(scope)
    }

    /// Whether the run looks at this service.
    pub fn includes(&self, service: &str) -> bool {
        let named = self.named.is_empty() || self.named.iter().any(|name| name == service);
        named && self.changed.as_ref().is_none_or(|(_, changed)| changed.contains(service))
    }

    /// Whether everything is looked at.
    pub fn is_everything(&self) -> bool {
        self.named.is_empty() && self.changed.is_none()
    }

    /// For the report: what the run was limited to.
    pub fn note(&self) -> Option<String> {
        let named = (!self.named.is_empty()).then(|| self.named.join(", "));
        let changed = self.changed.as_ref().map(|(reference, services)| {
            format!("the {} touched since {reference}", crate::report::text::count(services.len(), "service"))
        });
        match (named, changed) {
            (Some(named), Some(changed)) => Some(format!("{named}, of {changed}")),
            (named, changed) => named.or(changed),
        }
    }

    fn check_names(&self, inputs: &Inputs) -> Result<(), CheckError> {
        let known: Vec<&str> = inputs.services.iter().map(|service| service.name.as_str()).collect();
        let Some(unknown) = self.named.iter().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
        let near = known
            .iter()
            .max_by(|one, other| strsim::jaro_winkler(one, unknown).total_cmp(&strsim::jaro_winkler(other, unknown)));
        Err(CheckError::Usage {
            message: format!("there is no service `{unknown}` here"),
            help: near.map_or_else(String::new, |near| format!("did you mean `{near}`?")),
        })
    }
}

fn explain(error: &GitError) -> CheckError {
    let help = match error {
        GitError::Shallow { .. } => "what changed is unknown until then",
        _ => "--changed-since needs a git repository that holds the commit",
    };
    CheckError::Usage { message: error.to_string(), help: help.to_owned() }
}

/// Services whose files changed, or whose part of the intent says something else than before.
fn changed_services(inputs: &Inputs, reference: &str) -> Result<BTreeSet<String>, GitError> {
    let files = trueup_git::changed_since(&inputs.root, reference)?;
    let touched = |service: &&Arc<ServiceInput>| {
        let below = |file: &String| service.folders.iter().any(|folder| file.starts_with(&format!("{folder}/")));
        service.files.iter().any(|file| files.contains(file)) || files.iter().any(below)
    };
    let mut changed: BTreeSet<String> =
        inputs.services.iter().filter(touched).map(|service| service.name.clone()).collect();
    if files.contains("trueup.toml") {
        changed.extend(inputs.services.iter().map(|service| service.name.clone()));
    }
    if inputs.intent_files.iter().any(|file| files.contains(file)) {
        changed.extend(changed_in_intent(inputs, reference)?);
    }
    Ok(changed)
}

/// Compares each service's declaration with the one of the merge base, places aside. What was unreadable then is new.
fn changed_in_intent(inputs: &Inputs, reference: &str) -> Result<Vec<String>, GitError> {
    let mut sources = Vec::new();
    for file in &inputs.intent_files {
        let before = trueup_git::file_before(&inputs.root, reference, file)?;
        sources.extend(before.map(|bytes| Source { path: file.clone(), bytes }));
    }
    let before = trueup_intent::read(&sources).declared.services;
    let former = |name: &str| before.iter().find(|service| service.name.value == name).map(without_places);
    let now = inputs.reading.declared.services.iter();
    let changed = now.filter(|service| former(&service.name.value) != Some(without_places(service)));
    Ok(changed.map(|service| service.name.value.clone()).collect())
}

/// A declaration with every place blanked: moved lines are no change.
fn without_places(service: &DeclaredService) -> serde_json::Value {
    let mut value = serde_json::to_value(service).unwrap_or_default();
    blank_places(&mut value);
    value
}

fn blank_places(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(map) if map.contains_key("line") && map.contains_key("column") => {
            map.clear();
        }
        serde_json::Value::Object(map) => map.values_mut().for_each(blank_places),
        serde_json::Value::Array(items) => items.iter_mut().for_each(blank_places),
        _ => {}
    }
}
