//! Chores of the repository: `cargo xtask fetch`, `cargo xtask test` and `cargo xtask bench`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the terminal")]

mod bench;
mod browser;
mod fetch;
mod flyway;
mod linters;
mod machine;
mod mkdocs;
mod plantuml;
mod release;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask CHORE

  fetch   get PostgreSQL 13 to 18, Flyway, MkDocs, PlantUML, linters of workflows and what drives a browser for the tests, once, into a cache outside of the clone
  test    fetch, then formatting, lints, all tests, and the dependency rules
  bench   measure the main job, and print each figure beside its target; `bench portal` measures the portal only, `bench runner` the
          runner only, and `bench runner quick` that without Flyway and psql 50 ms away, which take minutes";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["fetch"] => {
            flyway::fetch();
            browser::fetch();
            mkdocs::fetch();
            plantuml::fetch();
            linters::fetch();
            code(fetch::fetch().is_empty())
        }
        ["test"] => code(test::test()),
        ["bench"] => code(bench::bench()),
        ["bench", "portal"] => code(bench::bench_portal()),
        ["bench", "runner"] => code(bench::bench_runner(bench::Extent::Full)),
        ["bench", "runner", "quick"] => code(bench::bench_runner(bench::Extent::Quick)),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
