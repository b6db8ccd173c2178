//! Measurements of the main job, with ratios to what was promised, in one run.
//!
//! Whole processes are measured as a user meets them: wall time, CPU time with all children (the disposable server
//! included), and the peak memory of trueup itself. Nothing is compared with a number of another machine or day.

mod measure;
mod portal;
mod project;
mod runner;
mod table;

use std::path::{Path, PathBuf};
use std::process::Command;

use trueup_testkit::{SKIPPED, shared_corpora};

use crate::machine::run;
pub(crate) use runner::Extent;

use measure::{Measured, measure, median};
use table::Table;

/// Sizes of the generated projects, in services.
const SIZES: [usize; 3] = [100, 300, 1000];
/// Tables of each generated service.
const TABLES: usize = 5;
/// Peak memory of trueup itself, in MB.
const MEMORY: f64 = 150.0;
/// Runs of what takes a second or so; the median counts.
const RUNS: usize = 5;

/// Measures everything and prints the table; whether all targets were met.
pub(crate) fn bench() -> bool {
    shown(measure_all())
}

/// Measures the portal only.
pub(crate) fn bench_portal() -> bool {
    shown(build().and_then(|program| {
        let mut table = Table::default();
        portal::portal(&program, &mut table)?;
        Ok(table)
    }))
}

/// Measures the runner only.
pub(crate) fn bench_runner(extent: Extent) -> bool {
    shown(build().and_then(|program| {
        let mut table = Table::default();
        runner::runner(&program, extent, &mut table)?;
        Ok(table)
    }))
}

fn shown(measured: Result<Table, String>) -> bool {
    match measured {
        Ok(table) => {
            println!("\n{table}");
            table.is_good()
        }
        Err(why) => {
            eprintln!("{why}");
            false
        }
    }
}

fn measure_all() -> Result<Table, String> {
    let program = build()?;
    let work = tempfile::tempdir().map_err(|error| format!("a temporary folder: {error}"))?;
    let trueup = Trueup { program, cache: work.path().join("cache") };
    let mut table = Table::default();
    let corpora = shared_corpora();
    match &corpora {
        Some(corpora) => reference(&trueup, &corpora.join("novatrek"), &mut table)?,
        None => println!("{SKIPPED}: the reference repository and the corpora: there is no ../shared"),
    }
    generated(&trueup, work.path(), &mut table)?;
    if corpora.is_some() {
        replays(&mut table)?;
    }
    portal::portal(&trueup.program, &mut table)?;
    runner::runner(&trueup.program, Extent::Full, &mut table)?;
    Ok(table)
}

/// The release binary, as it is shipped but for the bundled engine.
fn build() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    run(Command::new(cargo).args(["build", "--release", "--quiet", "--package", "trueup"]))?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release/trueup"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new(".")).to_owned()
}

/// The program under measurement, with a cache of its own: it finds the template there, and answers of its own runs.
struct Trueup {
    program: PathBuf,
    cache: PathBuf,
}

impl Trueup {
    /// One `trueup check`; exit codes 0 and 1 are answers, everything else ends the measurement.
    fn check(&self, project: &Path, arguments: &[&str]) -> Result<Measured, String> {
        let mut command = Command::new(&self.program);
        command.arg("-C").arg(project).arg("check").args(arguments).env("TRUEUP_CACHE", &self.cache);
        let measured = measure(&mut command)?;
        match measured.code {
            Some(0 | 1) => Ok(measured),
            code => Err(format!("{command:?} ended with {code:?}")),
        }
    }

    fn median(&self, runs: usize, project: &Path, arguments: &[&str]) -> Result<Measured, String> {
        let all = (0..runs).map(|_| self.check(project, arguments)).collect::<Result<Vec<_>, _>>()?;
        Ok(median(all))
    }
}

/// The reference repository, cold and answered from the cache.
fn reference(trueup: &Trueup, project: &Path, table: &mut Table) -> Result<(), String> {
    trueup.check(project, &[])?; // makes the template and fills the cache
    let cold = trueup.median(RUNS, project, &["--no-cache"])?;
    let cached = trueup.median(RUNS, project, &[])?;
    table.time("reference repository, cold", &cold, 1.5);
    table.time("reference repository, cached", &cached, 0.3);
    table.memory("reference repository, cold: peak memory of trueup", &cold, MEMORY);
    Ok(())
}

/// Generated projects of growing size: time, memory, and how the time for one service grows.
fn generated(trueup: &Trueup, work: &Path, table: &mut Table) -> Result<(), String> {
    let mut each = Vec::new();
    for services in SIZES {
        let project = work.join(services.to_string());
        project::write(&project, services, TABLES).map_err(|error| format!("{}: {error}", project.display()))?;
        trueup.check(&project, &["--service", "svc-0"])?; // makes the template, if nobody did
        let runs = if services < 1000 { 3 } else { 1 };
        let cold = trueup.median(runs, &project, &["--no-cache"])?;
        #[allow(clippy::cast_precision_loss, reason = "a thousand")]
        each.push(cold.wall.as_secs_f64() / services as f64);
        let what = format!("{services} services of {TABLES} tables");
        table.time(&format!("{what}, cold"), &cold, 60.0);
        table.memory(&format!("{what}, cold: peak memory of trueup"), &cold, MEMORY);
        trueup.check(&project, &[])?;
        table.plain(&format!("{what}, cached"), &trueup.median(runs, &project, &[])?);
    }
    for (services, seconds) in SIZES.iter().zip(&each) {
        println!("{services} services: {:.2} ms each", seconds * 1000.0);
    }
    // A tenth for what is measured only once.
    table.ratio("growth: time for one of 1,000 services to one of 100", each[2] / each[0], 1.1);
    Ok(())
}

/// Each corpus against one `psql` session on the same server: a measurement among the tests of the crate that replays.
fn replays(table: &mut Table) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["test", "--release", "--quiet", "--package", "trueup-postgres", "--test", "replay_corpora", "--"];
    let output = Command::new(cargo)
        .args(arguments)
        .args(["--ignored", "--nocapture", "faster_than_psql"])
        .output()
        .map_err(|error| format!("the replays: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let before = table.len();
    for line in text.lines().filter(|line| line.contains(": replay ")) {
        println!("{line}");
        if let Some((label, ratio)) = replay_line(line) {
            table.ratio(&format!("replay of {label}, to psql"), ratio, 0.9);
        }
    }
    // A slow corpus fails that test, and is in the table; no line at all means that nothing was measured.
    if table.len() > before { Ok(()) } else { Err(format!("the replays: {}", String::from_utf8_lossy(&output.stderr))) }
}

/// `label: replay …, psql …, ratio 0.42`.
fn replay_line(line: &str) -> Option<(&str, f64)> {
    let (label, rest) = line.split_once(": replay ")?;
    Some((label, rest.rsplit_once("ratio ")?.1.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_replays() {
        let line = "marquez/flyway.conf: replay 90ms (of it laying out 7ms), psql 180ms, ratio 0.50";
        assert_eq!(replay_line(line), Some(("marquez/flyway.conf", 0.5)));
        assert_eq!(replay_line("test result: ok"), None);
    }
}
