//! One job given to each contender.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use trueup_testkit::flyway::{CommandLine, Flyway};
use trueup_testkit::{Corpus, Psql, Server, client_tool};

use super::super::measure::{Measured, best, measure, median};

/// Migrations, and the settings that they need.
pub(super) struct Job {
    /// Where the commands run, and the first of the locations.
    pub(super) folder: PathBuf,
    locations: Vec<PathBuf>,
    settings: Vec<(String, String)>,
    /// SQL to run first.
    before: String,
}

impl Job {
    /// A folder of migrations, without settings.
    pub(super) fn of(folder: PathBuf) -> Self {
        Self { locations: vec![folder.clone()], folder, settings: Vec::new(), before: String::new() }
    }

    /// A corpus, as it describes itself.
    pub(super) fn corpus(corpus: &Corpus) -> Self {
        let placeholders =
            corpus.placeholders.iter().map(|(key, value)| (format!("placeholders.{key}"), value.clone()));
        let mut settings: Vec<_> = placeholders.collect();
        settings.push(("defaultSchema".to_owned(), corpus.default_schema.clone()));
        Self {
            folder: corpus.locations[0].clone(),
            locations: corpus.locations.clone(),
            settings,
            before: corpus.before.join(";\n"),
        }
    }

    fn locations(&self) -> String {
        let all = self.locations.iter().map(|folder| format!("filesystem:{}", folder.display()));
        all.collect::<Vec<_>>().join(",")
    }
}

/// Who competes, and over which way.
pub(super) struct Contest<'s> {
    program: &'s Path,
    server: &'s Server,
    far: u16,
    port: u16,
    engine: Result<Flyway, String>,
    command_line: Result<CommandLine, String>,
    empty: tempfile::TempDir,
}

/// How many turns two contenders take, and for how long they begin new ones.
const FEWEST_TURNS: usize = 5;
const MOST_TURNS: usize = 40;
const FOR_TURNS: Duration = Duration::from_secs(10);

/// What came of turns: the median of each.
pub(super) struct Beside {
    pub(super) turns: usize,
    pub(super) ours: Measured,
    pub(super) psql: Measured,
}

/// A figure of a contender that may not be there; why it is not.
type Perhaps = Result<Measured, String>;

impl<'s> Contest<'s> {
    /// On loopback; `far` is the port of the long way.
    pub(super) fn new(program: &'s Path, server: &'s Server, far: u16) -> Result<Self, String> {
        let empty = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
        let (engine, command_line) = (Flyway::start(), CommandLine::find());
        Ok(Self { program, server, far, port: server.port(), engine, command_line, empty })
    }

    /// Takes the long way from here on.
    pub(super) fn far_away(&mut self) -> &mut Self {
        self.port = self.far;
        self
    }

    /// Takes the short way again.
    pub(super) fn nearby(&mut self) {
        self.port = self.server.port();
    }

    /// The name of a new database.
    pub(super) fn database(&self) -> Result<String, String> {
        let conninfo = self.server.database().map_err(|error| format!("a database: {error}"))?;
        conninfo.rsplit("dbname=").next().map(str::to_owned).ok_or_else(|| format!("no name in {conninfo}"))
    }

    fn prepared(&self, job: &Job) -> Result<String, String> {
        let database = self.database()?;
        if !job.before.is_empty() {
            let psql = Psql::new(self.server.conninfo(&database));
            psql.run(&job.before).map_err(|error| format!("SQL to run first: {error}"))?;
        }
        Ok(database)
    }

    fn url(&self, database: &str) -> String {
        format!("jdbc:postgresql://127.0.0.1:{}/{database}", self.port)
    }

    fn ours(&self, job: &Job, database: &str, more: &[&str]) -> Result<Measured, String> {
        let mut command = Command::new(self.program);
        without_flyway_variables(&mut command);
        // From an empty folder, so that the settings are these and no others.
        command.arg("-C").arg(self.empty.path()).args(["migrate", "--user", "postgres", "--url", &self.url(database)]);
        for location in &job.locations {
            command.arg("--location").arg(location);
        }
        command.args(job.settings.iter().map(|(key, value)| format!("--set={key}={value}"))).args(more);
        succeeded(&mut command)
    }

    /// Writes the history of a database that has everything, and runs nothing.
    pub(super) fn record(&self, job: &Job, database: &str) -> Result<(), String> {
        self.ours(job, database, &["--set=skipExecutingMigrations=true"]).map(drop)
    }

    /// Ours with nothing to do.
    pub(super) fn no_op(&self, job: &Job, database: &str, runs: usize) -> Result<Measured, String> {
        fastest(runs, || self.ours(job, database, &[]))
    }

    /// Ours on new databases.
    pub(super) fn fresh(&self, job: &Job, runs: usize) -> Result<Measured, String> {
        fastest(runs, || self.ours(job, &self.prepared(job)?, &[]))
    }

    /// Ours and `psql` on new databases, in turns, so that what else the machine does meets both. The median of each
    /// counts: where `psql` waits for the server in every statement, some of its runs are lucky with the scheduler, and
    /// the fastest of them tells nothing about the next.
    pub(super) fn beside_psql(&self, job: &Job, script: &str) -> Result<Beside, String> {
        let (mut ours, mut psql) = (Vec::new(), Vec::new());
        let started = Instant::now();
        while ours.len() < FEWEST_TURNS || ours.len() < MOST_TURNS && started.elapsed() < FOR_TURNS {
            ours.push(self.fresh(job, 1)?);
            psql.push(self.psql(script, 1)?);
        }
        Ok(Beside { turns: ours.len(), ours: median(ours), psql: median(psql) })
    }

    /// One `psql` session that runs a script on new databases.
    pub(super) fn psql(&self, script: &str, runs: usize) -> Result<Measured, String> {
        let mut file = tempfile::NamedTempFile::new().map_err(|error| format!("a temporary file: {error}"))?;
        file.write_all(script.as_bytes()).map_err(|error| format!("a temporary file: {error}"))?;
        fastest(runs, || succeeded(self.psql_on(&self.database()?)?.arg("-f").arg(file.path())))
    }

    /// `psql` that reads the whole history.
    pub(super) fn psql_reads(&self, database: &str, runs: usize) -> Result<Measured, String> {
        fastest(runs, || succeeded(self.psql_on(database)?.args(["-c", "TABLE flyway_schema_history"])))
    }

    fn psql_on(&self, database: &str) -> Result<Command, String> {
        let mut command = Command::new(client_tool("psql").ok_or("there is no psql")?);
        let conninfo = format!("host=127.0.0.1 port={} user=postgres dbname={database}", self.port);
        command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &conninfo]);
        command.env("PGOPTIONS", "-c client_min_messages=warning").env("PGCLIENTENCODING", "UTF8");
        Ok(command)
    }

    /// Flyway's engine and its command line with nothing to do.
    pub(super) fn flyway_no_op(
        &mut self,
        job: &Job,
        database: &str,
        runs: usize,
    ) -> Result<(Perhaps, Perhaps), String> {
        let engine = or_missing(&self.engine, runs, || Ok(database.to_owned()))?;
        let engine = self.each(engine, job, Self::engine)?;
        let command_line = or_missing(&self.command_line, runs, || Ok(database.to_owned()))?;
        Ok((engine, self.each(command_line, job, |contest, job, database| contest.command_line(job, database))?))
    }

    /// Flyway's engine and its command line on new databases.
    pub(super) fn flyway_fresh(&mut self, job: &Job, runs: usize) -> Result<(Perhaps, Perhaps), String> {
        let engine = or_missing(&self.engine, runs, || self.prepared(job))?;
        let engine = self.each(engine, job, Self::engine)?;
        let command_line = or_missing(&self.command_line, runs, || self.prepared(job))?;
        Ok((engine, self.each(command_line, job, |contest, job, database| contest.command_line(job, database))?))
    }

    fn each(
        &mut self,
        databases: Result<Vec<String>, String>,
        job: &Job,
        mut one: impl FnMut(&mut Self, &Job, &str) -> Result<Measured, String>,
    ) -> Result<Perhaps, String> {
        match databases {
            Err(why) => Ok(Err(why)),
            Ok(databases) => {
                let all = databases.iter().map(|database| one(self, job, database)).collect::<Result<Vec<_>, _>>()?;
                Ok(Ok(best(all)))
            }
        }
    }

    fn engine(&mut self, job: &Job, database: &str) -> Result<Measured, String> {
        let (url, locations) = (self.url(database), job.locations());
        let mut settings = vec![
            ("url", url.as_str()),
            ("user", "postgres"),
            ("password", ""),
            ("locations", &locations),
            // With its default lock it waits for ever at CREATE INDEX CONCURRENTLY.
            ("postgresql.transactional.lock", "false"),
        ];
        settings.extend(job.settings.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let start = Instant::now();
        let answer = self.engine.as_mut().map_err(|why| why.clone())?.ask("migrate", &settings);
        let wall = start.elapsed();
        let answer = answer.map_err(|error| format!("Flyway's engine: {error}"))?;
        if answer["ok"] != true {
            return Err(format!("Flyway's engine: {answer}"));
        }
        Ok(Measured { wall, cpu: Duration::ZERO, memory: 0, code: Some(0) })
    }

    fn command_line(&self, job: &Job, database: &str) -> Result<Measured, String> {
        let mut arguments = vec![
            format!("-url={}", self.url(database)),
            "-user=postgres".to_owned(),
            "-password=".to_owned(),
            format!("-locations={}", job.locations()),
            "-postgresql.transactional.lock=false".to_owned(),
        ];
        arguments.extend(job.settings.iter().map(|(key, value)| format!("-{key}={value}")));
        arguments.push("migrate".to_owned());
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let command_line = self.command_line.as_ref().map_err(Clone::clone)?;
        succeeded(&mut command_line.command(self.empty.path(), &arguments))
    }
}

/// A database for each run, unless the contender is missing.
fn or_missing<T>(
    contender: &Result<T, String>,
    runs: usize,
    mut database: impl FnMut() -> Result<String, String>,
) -> Result<Result<Vec<String>, String>, String> {
    match contender {
        Err(why) => Ok(Err(why.clone())),
        Ok(_) => (0..runs).map(|_| database()).collect::<Result<Vec<_>, _>>().map(Ok),
    }
}

fn without_flyway_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLYWAY_")) {
        command.env_remove(name);
    }
}

fn fastest(runs: usize, mut one: impl FnMut() -> Result<Measured, String>) -> Result<Measured, String> {
    Ok(best((0..runs).map(|_| one()).collect::<Result<Vec<_>, _>>()?))
}

/// Measures a command that must succeed; run again for its words when it does not.
fn succeeded(command: &mut Command) -> Result<Measured, String> {
    let measured = measure(command)?;
    if measured.code == Some(0) {
        return Ok(measured);
    }
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().map_err(|error| error.to_string())?;
    let said = [output.stdout, output.stderr].concat();
    Err(format!("{command:?} ended with {:?}: {}", measured.code, String::from_utf8_lossy(&said)))
}
