//! The reference page about the cases.

use std::fmt::Write as _;
use std::path::Path;

use crate::declared::ALL;

const HEAD: &str = "\
# Flyway, side by side

<!-- Generated from the declared cases: TRUEUP_UPDATE_DOCS=1 cargo test -p trueup --test side_by_side -- page -->

Each case is played twice on one PostgreSQL 15: a real Flyway takes the first part and trueup the second, then the
other way round. After every step the outcome (done, or which error code), every column of the history, and the state of every
file as both `info` and both `validate` tell it are compared; at the end, the dumps of both databases. Times are compared
for plausibility only.

The engine is Flyway 13.12.0, the open-source edition; in the cases about the command line (57 and 58) it is Flyway's command line
12.4.0, the newest that can be put together from Maven Central. Where a machine has no JVM, trueup plays both parts and is
compared with what Flyway answered before (`crates/cli/tests/side_by_side/recorded`); continuous integration never does that.

| case | what is done | trueup |
|---|---|---|
";

#[test]
fn the_page_lists_all_cases() {
    let mut page = HEAD.to_owned();
    for case in ALL {
        let differs = if case.differs.is_empty() { "same" } else { case.differs };
        writeln!(page, "| {} | {} | {differs} |", case.number, case.title).unwrap();
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/flyway-compatibility.md");
    if std::env::var_os("TRUEUP_UPDATE_DOCS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    assert!(std::fs::read_to_string(&file).unwrap_or_default() == page, "run with TRUEUP_UPDATE_DOCS=1");
}

#[test]
fn cases_are_declared_once_and_in_order() {
    let numbers: Vec<u8> = ALL.iter().map(|case| case.number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
}
