//! All checks, each with its time, and one line of numbers at the end.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use trueup_testkit::{SIDE_BY_SIDE, SKIPPED};

use crate::browser;
use crate::fetch::fetch;
use crate::flyway;
use crate::linters;
use crate::machine::{cargo_deny, run};
use crate::mkdocs;
use crate::plantuml;
use crate::release;

/// Tests counted from what `cargo test` printed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    skipped: u64,
    /// Cases beside Flyway that passed, by number: whether Flyway itself took part.
    beside_flyway: BTreeMap<u64, bool>,
}

/// How many cases there are beside Flyway. Where Flyway is there, and in continuous integration anyway, all of them are
/// played with Flyway itself.
const CASES: usize = 61;

/// Runs every step, also after one failed; whether all were good.
pub(crate) fn test() -> bool {
    let mut counts = Counts::default();
    let mut failed = Vec::new();
    let mut step = |name: &'static str, action: &mut dyn FnMut() -> Result<(), String>| {
        println!("\n== {name}");
        let start = Instant::now();
        let result = action();
        println!(
            "== {name}: {} in {:.1} s",
            if result.is_ok() { "good" } else { "FAILED" },
            start.elapsed().as_secs_f64()
        );
        if let Err(why) = result {
            eprintln!("{why}");
            failed.push(name);
        }
    };
    step("PostgreSQL 13 to 18", &mut fetched);
    let mut live_only = std::env::var_os("CI").is_some();
    step("Flyway", &mut || {
        live_only |= flyway::fetch();
        Ok(())
    });
    step("a browser", &mut || {
        browser::fetch();
        Ok(())
    });
    step("MkDocs", &mut || {
        mkdocs::fetch();
        Ok(())
    });
    step("PlantUML", &mut || {
        plantuml::fetch();
        Ok(())
    });
    step("linters of workflows", &mut || {
        linters::fetch();
        Ok(())
    });
    step("formatting", &mut || run(cargo().args(["fmt", "--all", "--check"])));
    step("lints", &mut || run(cargo().arg("clippy").args(WORKSPACE).args(["--all-targets", "--", "-D", "warnings"])));
    let mut bundled = None;
    step("release with the bundled engine", &mut || {
        bundled = Some(release::build()?);
        Ok(())
    });
    step("the README's first command", &mut release::first_command);
    step("tests", &mut || tests(bundled.as_deref(), &mut counts));
    step("beside Flyway", &mut || counts.enough_beside_flyway(live_only));
    step("dependency rules", &mut || run(Command::new(cargo_deny()?).args(["check", "bans", "licenses", "sources"])));
    if !failed.is_empty() {
        println!("\nfailed steps: {}", failed.join(", "));
    }
    println!("{}", counts.said_of_flyway());
    println!("{} passed, {} failed, {} skipped", counts.passed, counts.failed, counts.skipped);
    failed.is_empty()
}

/// Everything but the bundled engine: its WASM runtime takes minutes to build, and once, in release, is enough. It is
/// tested there, through the binary.
const WORKSPACE: [&str; 3] = ["--workspace", "--exclude", "trueup-embedded"];

pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    build_cache(&mut command);
    command
}

/// In continuous integration every clone is new: what cargo builds is kept outside of it. The WASM runtime alone takes
/// minutes.
fn build_cache(command: &mut Command) {
    if std::env::var_os("CI").is_some() && std::env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", trueup_testkit::cache::root().join("build"));
    }
}

fn fetched() -> Result<(), String> {
    let missing = fetch();
    if missing.is_empty() { Ok(()) } else { Err(format!("{} majors are missing", missing.len())) }
}

/// Runs all tests, shows and counts. `bundled` is a binary with the bundled engine, for the tests of that.
fn tests(bundled: Option<&Path>, counts: &mut Counts) -> Result<(), String> {
    let mut command = Command::new("sh");
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    build_cache(&mut command);
    if let Some(program) = bundled {
        command.env("TRUEUP_BUNDLED_BIN", program);
    }
    // One stream, in order: skipped tests say so on standard error.
    let mut child = command
        .args(["-c", "exec \"$0\" test --no-fail-fast \"$@\" 2>&1"])
        .arg(cargo().get_program())
        .args(WORKSPACE)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cargo test: {error}"))?;
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).split(b'\n') {
            let line = line.map_err(|error| format!("cargo test: {error}"))?;
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            counts.add(&line);
        }
    }
    let status = child.wait().map_err(|error| format!("cargo test: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo test: {status}")) }
}

impl Counts {
    /// Adds what a line says: the result line of a test binary, or a skipped test.
    fn add(&mut self, line: &str) {
        // The harness writes `test name ... ` and may not have ended its line yet.
        if line.contains(SKIPPED) {
            self.skipped += 1;
        }
        if let Some((_, case)) = line.split_once(SIDE_BY_SIDE)
            && let Some((number, how)) = case.split_once(' ')
            && let Ok(number) = number.parse()
        {
            self.beside_flyway.insert(number, how.trim() == "live");
        }
        let Some(numbers) = line.strip_prefix("test result: ") else { return };
        let count = |what: &str| {
            let parts = numbers.split(['.', ';']).map(str::trim);
            parts.filter_map(|part| part.strip_suffix(what)?.trim().parse::<u64>().ok()).sum::<u64>()
        };
        self.passed += count("passed");
        self.failed += count("failed");
        self.skipped += count("ignored");
    }

    fn live(&self) -> usize {
        self.beside_flyway.values().filter(|live| **live).count()
    }

    fn said_of_flyway(&self) -> String {
        format!("flyway: live {}, recorded {}", self.live(), self.beside_flyway.len() - self.live())
    }

    /// All cases have passed; where only live ones count, none with recorded answers.
    fn enough_beside_flyway(&self, live_only: bool) -> Result<(), String> {
        let enough = if live_only { self.live() } else { self.beside_flyway.len() };
        if enough < CASES {
            let how = if live_only { " live" } else { "" };
            return Err(format!("{}: {CASES}{how} are due", self.said_of_flyway()));
        }
        if self.live() < CASES {
            println!(
                "Flyway is not on this machine: some cases were compared with what it answered when they were recorded"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_results_and_skipped_lines() {
        let mut counts = Counts::default();
        for line in [
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test a ... SKIPPED: a: no corpora",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s",
            "test b ... ok",
            "test c ... beside Flyway: case 7 live",
            "beside Flyway: case 8 recorded",
            "beside Flyway: case 7 live",
        ] {
            counts.add(line);
        }
        let beside_flyway = BTreeMap::from([(7, true), (8, false)]);
        assert_eq!(counts, Counts { passed: 15, failed: 2, skipped: 2, beside_flyway });
        assert_eq!(counts.said_of_flyway(), "flyway: live 1, recorded 1");
    }

    /// What the summary is when this many cases were played live and the others of this many with recorded answers.
    fn played(live: usize, recorded: usize) -> Counts {
        let mut counts = Counts::default();
        for number in 1..=live + recorded {
            let how = if number <= live { "live" } else { "recorded" };
            counts.add(&format!("test case ... {SIDE_BY_SIDE}{number} {how}"));
        }
        counts
    }

    #[test]
    fn recorded_answers_count_only_where_there_is_no_flyway() {
        assert_eq!(played(61, 0).said_of_flyway(), "flyway: live 61, recorded 0");
        assert_eq!(played(61, 0).enough_beside_flyway(true), Ok(()));
        let why = "flyway: live 60, recorded 1: 61 live are due".to_owned();
        assert_eq!(played(60, 1).enough_beside_flyway(true), Err(why));
        assert_eq!(played(60, 1).enough_beside_flyway(false), Ok(()));
        assert_eq!(played(0, 61).enough_beside_flyway(false), Ok(()));
        assert!(played(60, 0).enough_beside_flyway(false).is_err());
        assert!(played(0, 0).enough_beside_flyway(true).is_err());
    }
}
