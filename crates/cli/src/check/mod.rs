//! `trueup check`: settings, inputs, answers, acceptance, report.

pub mod accept;
pub mod answer;
mod answers;
pub mod cache;
mod case;
pub mod digest;
mod extensions;
mod failed;
pub mod files;
pub mod inputs;
mod installed;
mod origins;
pub mod output;
mod progress;
pub mod scope;
pub mod service;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::args::{CheckArgs, Color, Format};
use crate::report::{InputError, Report};
use crate::settings::{self, CheckSettings, Settings};
use inputs::Inputs;
use scope::Scope;

/// The run's deadline when nobody sets one.
const DEADLINE: Duration = Duration::from_secs(1800);

/// Why there is no report, not even one of errors.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A command line that contradicts itself or the project.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// The report cannot be written.
    #[error("cannot write {what}: {source}")]
    Write {
        /// The file or stream.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Where a run happens, and with what around it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The folder the user is in.
    pub folder: PathBuf,
    /// When to use colour.
    pub color: Color,
    /// The cache's folder.
    pub cache: PathBuf,
}

/// Runs the check; the exit code is the report's.
pub async fn run(arguments: &CheckArgs, place: &Place) -> Result<u8, CheckError> {
    let started = Instant::now();
    let (root, settings, broken) = find_settings(&place.folder);
    let options = options(arguments, &settings);
    let inputs = inputs::gather(&root, &settings);
    let mut report = Report { errors: broken, ..Report::default() };
    report.errors.extend(inputs.errors.iter().cloned());
    let scope = Scope::of(arguments, &inputs)?;
    report.scope = scope.note();
    if report.errors.is_empty() {
        // Before anything is compared: who edits a file meanwhile has a report that is out of date, and not one that is wrong.
        let digests =
            (arguments.format == Format::Json).then(|| digest::of_all(&inputs.services, |name| scope.includes(name)));
        answers::collect(&mut report, &inputs, &scope, &options, place).await;
        for service in &mut report.services {
            service.inputs = digests.as_ref().and_then(|digests| digests.get(&service.name).cloned());
        }
    } else {
        // Nothing is compared, but what is wrong elsewhere in the YAML is said at once.
        let in_yaml = inputs.reading.findings.iter().filter(|finding| scope.includes(&finding.service));
        report.findings.extend(in_yaml.cloned());
    }
    accept::accept(&mut report, &inputs, &scope, &settings, arguments)?;
    report.elapsed = started.elapsed();
    output::write(&report, &inputs, arguments, place)?;
    Ok(report.exit_code())
}

/// The project root is where `trueup.toml` stands; without one, where the user is.
pub fn find_settings(folder: &Path) -> (PathBuf, Settings, Vec<InputError>) {
    let Some(file) = settings::find(folder) else { return (folder.to_owned(), Settings::default(), Vec::new()) };
    let root = file.parent().unwrap_or(folder).to_owned();
    match settings::load(&file) {
        Ok(settings) => (root, settings, Vec::new()),
        Err(errors) => (root, Settings::default(), errors),
    }
}

/// Flags and environment variables first, then `trueup.toml`.
fn options(arguments: &CheckArgs, settings: &Settings) -> RunOptions {
    let flags = CheckSettings {
        postgres: arguments.postgres,
        pg_bin: arguments.pg_bin.clone(),
        scratch_url: arguments.scratch_url.clone(),
        deadline: arguments.deadline.map(Duration::from_secs),
        jobs: arguments.jobs,
        cache: arguments.no_cache.then_some(false),
    };
    RunOptions { check: flags.or(settings.check.clone()), bundled: arguments.bundled }
}

/// What decides how the run goes about it.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Engine, deadline, jobs, cache.
    pub check: CheckSettings,
    /// Only the bundled engine will do.
    pub bundled: bool,
}

impl RunOptions {
    /// How long the whole run may take.
    pub fn deadline(&self) -> Duration {
        self.check.deadline.unwrap_or(DEADLINE)
    }

    /// The major to look for: the one asked for, else the one that most services declare.
    pub fn major(&self, inputs: &Inputs) -> Option<u16> {
        let declared = inputs.services.iter().filter_map(|service| service.declared.as_ref()?.engine.major);
        let mut counts = std::collections::BTreeMap::<u16, usize>::new();
        for major in declared {
            *counts.entry(major).or_default() += 1;
        }
        self.check.postgres.or_else(|| counts.into_iter().max_by_key(|(_, count)| *count).map(|(major, _)| major))
    }
}
