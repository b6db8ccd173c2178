//! What holds for every file: no panic, places inside the file, and spelling that means nothing.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use proptest::prelude::*;
use serde_json::Value;
use trueup_intent::{Reading, properties};
use trueup_model::declared::Declared;

use common::{constrained, read_bytes, read_text, reference_bytes};

/// The declared schema without its places.
fn without_places(declared: &Declared) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                if ["file", "line", "column"].iter().all(|key| members.contains_key(*key)) && members.len() == 3 {
                    *value = Value::Null;
                } else {
                    members.values_mut().for_each(strip);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(declared).unwrap();
    strip(&mut value);
    value
}

fn same(one: &Reading, other: &Reading) {
    assert_eq!((&one.errors[..], &other.errors[..]), (&[][..], &[][..]));
    assert_eq!(without_places(&one.declared), without_places(&other.declared));
    let messages = |reading: &Reading| reading.findings.iter().map(|f| f.message.clone()).collect::<Vec<_>>();
    assert_eq!(messages(one), messages(other));
}

const PLAIN: &str = "svc-a:\n  engine: PostgreSQL 15\n  schema: a\n  tables: [t, u]\n  table_details:\n    t:\n      description: text\n      columns:\n      - name: id\n        type: UUID\n        constraints: PK, DEFAULT gen_random_uuid()\n      - name: amount\n        type: DECIMAL(10,2)\n        constraints: NOT NULL, DEFAULT 0 (euros), CHECK (> 0)\n      - name: note\n        type: TEXT\n        constraints: NULL\n      indexes:\n      - name: i\n        columns: amount, id DESC\n        type: UNIQUE\n";

#[test]
fn line_ends_and_a_byte_order_mark_mean_nothing() {
    let mut texts = vec![PLAIN.as_bytes().to_vec()];
    texts.extend(reference_bytes());
    for bytes in texts {
        let text = String::from_utf8(bytes).unwrap();
        let plain = read_text(&text);
        same(&plain, &read_text(&text.replace('\n', "\r\n")));
        same(&plain, &read_text(&format!("\u{feff}{text}")));
        // Places do not move either.
        let crlf = read_text(&text.replace('\n', "\r\n"));
        assert_eq!(crlf.declared, plain.declared);
    }
}

#[test]
fn other_spellings_of_the_same_thing_are_equal() {
    let plain = read_text(PLAIN);
    let short = "svc-a:\n  table_details:\n    t:\n      indexes: [[i, 'amount, id DESC', UNIQUE]]\n      columns:\n      - [id, UUID, 'PK, DEFAULT gen_random_uuid()']\n      - [amount, 'DECIMAL(10,2)', 'NOT NULL, DEFAULT 0 (euros), CHECK (> 0)']\n      - [note, TEXT, NULL]\n      description: text\n  tables: [t, u]\n  schema: a\n  engine: PostgreSQL 15\n";
    same(&plain, &read_text(short));
    let folded = PLAIN.replace(
        "NOT NULL, DEFAULT 0 (euros), CHECK (> 0)",
        ">-\n          NOT NULL,\n          DEFAULT 0 (euros),\n          CHECK (> 0)",
    );
    same(&plain, &read_text(&folded));
    let quoted =
        PLAIN.replace("columns: amount, id DESC", "columns: [amount, \"id DESC\"]").replace("UUID\n", "'UUID'\n");
    same(&plain, &read_text(&quoted));
}

/// Every place that is told lies inside the file, and is a character of it or the end of a line.
fn places_are_inside(text: &str, reading: &Reading) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<usize> = text.replace("\r\n", "\n").split(['\n', '\r']).map(|line| line.chars().count()).collect();
    let json = serde_json::to_value(&reading.declared).unwrap();
    let mut places = Vec::new();
    collect(&json, &mut places);
    places.extend(reading.errors.iter().map(|error| (error.at.line as usize, error.at.column as usize)));
    let findings = reading.findings.iter().filter_map(|finding| finding.intent_at.as_ref());
    places.extend(findings.map(|at| (at.line as usize, at.column as usize)));
    for (line, column) in places {
        assert!(line >= 1 && column >= 1 && line <= lines.len() + 1, "{line}:{column} in {text:?}");
        let longest = lines.get(line - 1).copied().unwrap_or(0);
        assert!(column <= longest + 1, "{line}:{column} in {text:?}");
    }
}

fn collect(value: &Value, places: &mut Vec<(usize, usize)>) {
    match value {
        Value::Object(members) => {
            if let (Some(line), Some(column)) =
                (members.get("line").and_then(Value::as_u64), members.get("column").and_then(Value::as_u64))
            {
                places.push((usize::try_from(line).unwrap(), usize::try_from(column).unwrap()));
            }
            members.values().for_each(|member| collect(member, places));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, places)),
        _ => {}
    }
}

#[test]
fn places_in_the_reference_are_inside() {
    let Some(bytes) = reference_bytes() else { return };
    places_are_inside(std::str::from_utf8(&bytes).unwrap(), &read_bytes(&bytes));
}

/// Bits of intents, put together in any order.
fn fragment() -> impl Strategy<Value = String> {
    let bits = [
        "svc-a:",
        "svc-b:",
        "\n",
        "\n  ",
        "\n    ",
        "\n      ",
        "\r\n",
        "\t",
        "- ",
        ": ",
        "engine: PostgreSQL 15",
        "tables:",
        "table_details:",
        "t:",
        "columns:",
        "indexes:",
        "name: ",
        "type: ",
        "constraints: ",
        "NOT NULL",
        "DEFAULT ",
        "CHECK ",
        "FK -> ",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "'",
        "\"",
        "&a ",
        "*a",
        "<<: ",
        "!!str ",
        "| ",
        "> ",
        "~",
        "null",
        "#",
        "é",
        "→",
        "x",
        "1-5",
        "{name: a, type: UUID, constraints: \"PK\"}",
    ];
    prop::collection::vec(prop::sample::select(bits.to_vec()), 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_bytes(&bytes);
        let _ = properties::flatten("application.yml", &bytes);
    }

    #[test]
    fn any_text_has_its_places_inside(text in "\\PC{0,200}|[ -~\\n\\t]{0,200}") {
        places_are_inside(&text, &read_text(&text));
    }

    #[test]
    fn broken_intents_have_their_places_inside(text in fragment()) {
        places_are_inside(&text, &read_text(&text));
        let _ = properties::flatten("application.yml", text.as_bytes());
    }

    #[test]
    fn any_constraints_are_read_or_reported_once(constraints in "[ -~é→]{0,60}|((NOT NULL|NULL|PK|UNIQUE|DEFAULT|CHECK|FK ->|GENERATED ALWAYS AS|[(]|[)]|,|'|x|1|::| ){1,3}){0,8}") {
        let (column, findings) = constrained("TEXT", &constraints);
        prop_assert!(findings.len() <= 1);
        prop_assert!(column.not_understood.is_empty() || !findings.is_empty());
    }
}
