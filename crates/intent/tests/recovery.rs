//! What is read behind a syntax error: every other service, with all its mistakes, and nothing that is not there.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use std::fmt::Write as _;

use proptest::prelude::*;
use trueup_intent::Reading;

use common::read_text;

/// What can be left open, and what else breaks YAML.
const BREAKS: [&str; 16] = [
    "{min: 5",
    "[a, b",
    "\"a",
    "'a",
    "{a: [b, {c: 'd",
    "[a, {b: \"c",
    "[a]]",
    "{a: b}}",
    "a: b: c",
    "\"a\" b",
    "'it's'",
    "\"\\q\"",
    "@x",
    "!<tag",
    "*nobody",
    "- a\n  b",
];

/// Where a service is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Broken {
    No,
    /// The value of its first key.
    First(usize),
    /// The value of its last key.
    Last(usize),
    /// The service itself is this.
    Whole(usize),
}

/// One file; each sound service has a list where text belongs, and an unknown key.
struct Case {
    text: String,
    /// First and last line of each service.
    lines: Vec<(u32, u32)>,
}

fn case(prelude: &str, services: &[Broken], between: &str) -> Case {
    let mut text = prelude.to_owned();
    let mut lines = Vec::new();
    for (number, broken) in services.iter().enumerate() {
        let first = next_line(&text);
        let _ = match broken {
            Broken::No => write!(
                text,
                "svc-{number}:\n  engine: PostgreSQL 15\n  volume: [a]\n  backup: |\n    svc-x: no key\n  tabels: t\n"
            ),
            Broken::First(which) => {
                write!(text, "svc-{number}:\n  backup: {}\n  engine: PostgreSQL 15\n", BREAKS[*which])
            }
            Broken::Last(which) => {
                write!(text, "svc-{number}:\n  engine: PostgreSQL 15\n  backup: {}\n", BREAKS[*which])
            }
            Broken::Whole(which) => writeln!(text, "svc-{number}: {}", BREAKS[*which]),
        };
        lines.push((first, next_line(&text) - 1));
        text.push_str(between);
    }
    Case { text, lines }
}

fn next_line(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count() + 1).unwrap()
}

fn check(case: &Case, services: &[Broken]) {
    let reading = read_text(&case.text);
    let within = |(first, last): (u32, u32), line: u32| (first..=last).contains(&line);
    for (number, (lines, broken)) in case.lines.iter().zip(services).enumerate() {
        let errors: Vec<u32> =
            reading.errors.iter().map(|error| error.at.line).filter(|line| within(*lines, *line)).collect();
        let findings: Vec<u32> =
            reading.findings.iter().filter(|f| f.service == format!("svc-{number}")).map(line).collect();
        if *broken == Broken::No {
            assert_eq!(errors, [lines.0 + 2], "svc-{number} of {}\n{:#?}", case.text, reading.errors);
            assert_eq!(findings, [lines.0 + 5], "svc-{number} of {}", case.text);
        } else {
            assert_eq!(errors.len(), 1, "svc-{number} of {}\n{:#?}", case.text, reading.errors);
            assert_eq!(findings, [0; 0], "svc-{number} of {}", case.text);
        }
    }
    assert_eq!(reading.errors.len(), services.len(), "{}\n{:#?}", case.text, reading.errors);
    let names: Vec<_> = reading.declared.services.iter().map(|service| service.name.value.clone()).collect();
    let expected: Vec<_> = (0..services.len()).map(|number| format!("svc-{number}")).collect();
    assert_eq!(names, expected, "{}", case.text);
}

fn line(finding: &trueup_model::finding::Finding) -> u32 {
    finding.intent_at.as_ref().unwrap().line
}

fn broken() -> impl Strategy<Value = Broken> {
    let which = 0..BREAKS.len();
    prop_oneof![
        2 => Just(Broken::No),
        1 => which.clone().prop_map(Broken::First),
        1 => which.clone().prop_map(Broken::Last),
        1 => which.prop_map(Broken::Whole),
    ]
}

#[test]
fn every_break_in_every_place() {
    for which in 0..BREAKS.len() {
        for broken in [Broken::First(which), Broken::Last(which), Broken::Whole(which)] {
            for at in 0..3 {
                let mut services = [Broken::No; 3];
                services[at] = broken;
                check(&case("", &services, ""), &services);
                // Two in a row.
                services[(at + 1) % 3] = broken;
                check(&case("", &services, ""), &services);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_service_hides_another(
        services in prop::collection::vec(broken(), 1..8),
        prelude in prop_oneof![
            Just(""), Just("# of ours\n"), Just("---\n"), Just("%YAML 1.2\n---\n"), Just("x-notes:\n- a\n- b\n"),
            Just("x-a: &a {owner: me}\n"), Just("\u{feff}---\nx-text: |\n  svc-y: {\n"),
        ],
        between in prop_oneof![Just(""), Just("\n"), Just("# comment: [\n")],
    ) {
        check(&case(prelude, &services, between), &services);
    }
}

fn places(reading: &Reading) -> Vec<(u32, u32)> {
    reading.errors.iter().map(|error| (error.at.line, error.at.column)).collect()
}

#[test]
fn a_bracket_that_is_never_closed_is_shown_where_it_is_opened() {
    let reading = read_text("svc-a:\n  connection_pool: {min: 5\nsvc-b:\n  tables: [x]\n");
    assert_eq!(places(&reading), [(2, 20)]);
    assert!(reading.errors[0].message.contains("bracket is not closed"), "{}", reading.errors[0]);
}

#[test]
fn shared_anchors_are_found_behind_an_error() {
    let text = "x-pool: &pool {min: 5}\nsvc-a:\n  volume: 'x\nsvc-b:\n  connection_pool: *pool\n  volume: [a]\n";
    assert_eq!(places(&read_text(text)), [(3, 11), (6, 11)]);
    // Its anchor is in a broken service: nothing to correct here.
    let text = "svc-a:\n  connection_pool: &pool {min: 5}\n  volume: 'x\nsvc-b:\n  connection_pool: *pool\nsvc-c:\n  owner: *nobody\n";
    assert_eq!(places(&read_text(text)), [(3, 11), (7, 10)]);
    let text = "svc-a:\n  connection_pool: &pool {min: 5}\n  volume: 'x\nsvc-b:\n  backup: a\n  backup: b\n  connection_pool: *pool\n";
    assert_eq!(places(&read_text(text)), [(3, 11), (6, 3)]);
    // The same, over another service.
    let text = "svc-a:\n  backup: &a x\n  volume: 'x\nsvc-b:\n  backup: &b {c: *a}\nsvc-c:\n  backup: *b\nsvc-d:\n  volume: [a]\n";
    assert_eq!(places(&read_text(text)), [(3, 11), (9, 11)]);
    // Known by one alias, and not by the other.
    let text = "x-a: &a b\nsvc-a:\n  volume: 'x\nsvc-b:\n  backup: *a\n  volume: *nobody\nsvc-c:\n  volume: [a]\n";
    assert_eq!(places(&read_text(text)), [(3, 11), (6, 11), (8, 11)]);
}

#[test]
fn a_broken_service_keeps_its_name() {
    let text = "svc-a:\n  volume: 'x\nsvc-b:\n  engine: PostgreSQL 15\n  table_details:\n    t:\n      columns:\n      - {name: c, type: UUID, constraints: FK -> svc-a}\nsvc-a:\n  owner: me\n";
    let reading = read_text(text);
    assert_eq!(places(&reading), [(2, 11), (9, 1)]);
    assert_eq!(reading.findings, []);
}

#[test]
fn a_limit_in_one_service_leaves_the_others_readable() {
    let long = "x ".repeat(200_000);
    let reading = read_text(&format!("svc-a:\n  backup: \"{long}\"\nsvc-b:\n  volume: [a]\n"));
    assert_eq!(places(&reading)[1..], [(4, 11)], "{:?}", reading.errors);
    assert!(reading.errors[0].message.contains("characters"), "{}", reading.errors[0]);
}

#[test]
fn a_file_in_brackets_has_one_error() {
    let reading = read_text("{\nsvc-a: {engine: PostgreSQL 15,\nschema: a},\nsvc-b: {schema: b]\n}\n");
    assert_eq!(reading.errors.iter().map(|error| error.at.line).collect::<Vec<_>>(), [4], "{:?}", reading.errors);
}
