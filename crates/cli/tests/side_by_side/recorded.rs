//! What Flyway answered when a case was last recorded: for machines without a JVM.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::outcome::texts;
use crate::stage::{Party, Step};

/// Set to write the recordings anew.
const RECORD: &str = "TRUEUP_RECORD";

fn place(number: u8) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/side_by_side/recorded/{number:02}.json"))
}

/// Keeps each step as Flyway did it, or fails when that is not what was kept.
pub(crate) fn keep(number: u8, first: &[Step], second: &[Step]) {
    let theirs = first.iter().zip(second).map(|(one, other)| if one.by == Party::Flyway { one } else { other });
    let steps: Vec<Value> =
        theirs.map(|step| json!({ "what": step.what, "apart": step.apart, "seen": step.seen })).collect();
    let text = format!("{:#}\n", Value::Array(steps));
    let place = place(number);
    if std::env::var_os(RECORD).is_some() {
        std::fs::write(&place, &text).unwrap();
    }
    let kept = std::fs::read_to_string(&place).unwrap_or_default();
    assert!(kept == text, "{} is not what Flyway answers now: run with {RECORD}=1\n{text}", place.display());
}

/// The steps as they were kept.
pub(crate) fn read(number: u8) -> Vec<Step> {
    let text = std::fs::read_to_string(place(number)).unwrap_or_else(|error| panic!("case {number}: {error}"));
    let steps: Vec<Value> = serde_json::from_str(&text).unwrap();
    let step = |step: &Value| Step {
        what: step["what"].as_str().unwrap().to_owned(),
        by: Party::Flyway,
        apart: step["apart"] == true,
        seen: texts(&step["seen"]),
    };
    steps.iter().map(step).collect()
}
