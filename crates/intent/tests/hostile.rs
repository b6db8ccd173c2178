//! Files that are broken, or want to break the reader: clear errors at the right places, all at once, and quickly.

mod common;

use std::time::{Duration, Instant};

use trueup_intent::{Reading, Source, read};

use common::{read_bytes, read_text};

/// Generous: the tests run unoptimised, on busy machines.
const SOON: Duration = Duration::from_secs(60);

fn places(reading: &Reading) -> Vec<(u32, u32)> {
    reading.errors.iter().map(|error| (error.at.line, error.at.column)).collect()
}

#[test]
fn duplicate_keys_name_both_lines() {
    let reading = read_text("svc-a:\n  engine: PostgreSQL 15\n  engine: PostgreSQL 16\nsvc-a: {}\n");
    assert_eq!(places(&reading), [(3, 3), (4, 1)]);
    assert!(reading.errors[0].message.contains("first on line 2"), "{}", reading.errors[0]);
}

#[test]
fn one_service_in_two_files_names_both_places() {
    let source = |path: &str, text: &str| Source { path: path.to_owned(), bytes: text.as_bytes().to_vec() };
    let reading = read(&[source("a.yaml", "svc-a:\n  tables: [t]\n"), source("b.yaml", "svc-b: {}\nsvc-a: {}\n")]);
    assert_eq!(reading.errors.len(), 1);
    assert_eq!(reading.errors[0].at.to_string(), "b.yaml:2:1");
    assert!(reading.errors[0].message.contains("a.yaml:1:1"));
    assert_eq!(reading.declared.services.len(), 2);
}

#[test]
fn syntax_errors_of_all_services_come_at_once() {
    let text = "svc-a:\n  engine: 'PostgreSQL\nsvc-b:\n  schema: b\nsvc-c:\n  tables: [a, b\nsvc-d:\n  schema: x: y\nsvc-e\nsvc-f:\n  engine: 5\n  engine: 6\n";
    let reading = read_text(text);
    assert_eq!(
        reading.errors.iter().map(|error| error.at.line).collect::<Vec<_>>(),
        [2, 6, 8, 9, 12],
        "{:#?}",
        reading.errors
    );
    assert!(reading.declared.services.iter().any(|service| service.name.value == "svc-b"));
}

#[test]
fn aliases_of_another_service_bring_no_second_error() {
    let reading =
        read_text("svc-a: &a\n  schema: a\nsvc-b:\n  <<: *a\nsvc-c:\n  schema: x: y\nsvc-d:\n  owner: *nobody\n");
    assert_eq!(places(&reading), [(6, 12), (8, 10)]);
}

#[test]
fn tabs_are_named_where_they_stand() {
    for (text, place) in [
        ("svc-a:\n\tengine: x\n", (2, 1)),
        ("svc-a:\n  engine: x\n  \tschema: y\n", (3, 3)),
        ("svc-a:\n  tables:\n  - a\n\t- b\n", (4, 1)),
    ] {
        let reading = read_text(text);
        assert_eq!(places(&reading), [place], "{text:?}");
        assert!(reading.errors[0].message.contains("tab"));
    }
}

#[test]
fn bytes_that_are_no_text() {
    assert_eq!(places(&read_bytes(b"svc-a:\n  volume: caf\xe9\n")), [(2, 14)]);
    assert_eq!(places(&read_bytes(b"svc-a:\n  volume: a\0b\n")), [(2, 12)]);
    assert_eq!(places(&read_bytes(b"\xff\xfes\0v\0")), [(1, 1)]);
    assert_eq!(places(&read_text("svc-a:\n  volume: \"a\\0b\"\n")), [(2, 11)]);
    // What is wrong elsewhere is said too.
    assert_eq!(places(&read_bytes(b"svc-a:\n  volume: caf\xe9\nsvc-b:\n  x: y: z\n")), [(2, 14), (4, 7)]);
}

#[test]
fn wrong_types_say_what_was_expected() {
    let text = "svc-a:\n  engine: [x]\n  tables: {a: b}\n  table_details:\n    t:\n      columns: 5\n      indexes:\n      - x\n    u: text\n    v:\n      columns:\n      - {type: UUID}\n      - {name: {}, type: UUID}\n      indexes:\n      - {name: i, columns: a, unique: maybe}\nsvc-b: 7\n? [a]\n: b\n'a b': {}\n";
    let reading = read_text(text);
    let lines: Vec<u32> = reading.errors.iter().map(|error| error.at.line).collect();
    assert_eq!(lines, [2, 3, 6, 8, 9, 12, 13, 15, 16, 17, 19], "{:#?}", reading.errors);
    assert!(reading.errors.iter().all(|error| !error.help.is_empty() && !error.message.is_empty()));
}

#[test]
fn depth_is_limited() {
    for text in ["[".repeat(10_000), "{a: ".repeat(10_000), "- ".repeat(10_000), "a: [".to_owned() + &"[".repeat(200)] {
        let reading = read_text(&text);
        assert!(!reading.errors.is_empty());
    }
    let nested: String = (0..1000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(read_text(&nested).errors[0].message.contains("deeper than 64"));
}

#[test]
fn alias_bombs_are_defused() {
    let mut text = "x-0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..20 {
        text += &format!("x-{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
    }
    let start = Instant::now();
    let reading = read_text(&text);
    assert!(reading.errors[0].message.contains("aliases expanded"), "{}", reading.errors[0]);
    assert!(start.elapsed() < SOON);
    assert_eq!(read_text("svc-a: &a\n  x-b: *a\n").errors.len(), 1);
}

#[test]
fn big_files_are_refused_or_read_soon() {
    let start = Instant::now();
    let reading = read_bytes(&vec![b'a'; 100 * 1024 * 1024]);
    assert!(reading.errors[0].message.contains("104857600 bytes"));
    let size = 2 * 1024 * 1024;
    for text in [
        format!("[{}]", "a,".repeat(size / 2)),
        format!("k: [{}]", "a,\n ".repeat(size / 4)),
        "- ".repeat(size / 2),
        "a\n".repeat(size / 2),
        "a: 'b\n".repeat(size / 6),
        "s: {}\n".repeat(size / 6),
        format!("s: \"{}", "x ".repeat(size / 2)),
        format!(
            "s:\n  table_details:\n    t:\n      columns:\n      - {{name: c, type: T, constraints: {}}}\n",
            "a (".repeat(80_000)
        ),
    ] {
        let reading = read_text(&text);
        assert!(!reading.errors.is_empty() || !reading.findings.is_empty(), "{}", &text[..20]);
        assert!(reading.errors.len() <= 101);
    }
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn escapes_for_terminals_are_not_shown_raw() {
    let reading = read_text("svc-a:\n  tables: ['a\u{202e}b', \"c d\\u009b\"]\n  \u{202e}key: 1\n");
    let all = format!("{:?}{:?}", reading.errors, reading.findings);
    assert!(!all.contains('\u{202e}') && !all.contains('\u{9b}'), "{all}");
    assert!(reading.findings.len() >= 2);
}

#[test]
fn nothing_at_all_is_an_empty_intent() {
    for text in ["", "\n\n", "# only a comment\n", "---\n", "~", "\u{feff}"] {
        assert_eq!(read_text(text), Reading::default(), "{text:?}");
    }
}
