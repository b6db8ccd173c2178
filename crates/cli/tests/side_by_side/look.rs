//! What `info` and `validate` say, in one form for both parties.

use serde_json::Value;

use crate::outcome::{Outcome, texts};

/// Answers to `info` and `validate`.
pub(crate) struct Sight {
    pub(crate) info: (Outcome, Value),
    pub(crate) validate: (Outcome, Value),
}

impl Sight {
    /// A line for each migration with its state, then what does not fit.
    pub(crate) fn lines(&self) -> Vec<String> {
        let (outcome, document) = &self.info;
        let mut lines = if outcome.ok { items(document) } else { vec![format!("info {}", outcome.seen())] };
        let (validated, _) = &self.validate;
        lines.push(format!("validate {}", validated.seen()));
        lines
    }
}

/// Version or description, description, type, state.
fn items(document: &Value) -> Vec<String> {
    let of = |item: &Value| {
        let text = |key: &str| item[key].as_str().unwrap_or_default();
        let name = item["version"].as_str().unwrap_or_else(|| text("description"));
        format!("{name}|{}|{}|{}", text("description"), text("type"), text("state"))
    };
    match document["items"].is_array() {
        true => texts(&document["items"]),
        false => document["migrations"].as_array().into_iter().flatten().map(of).collect(),
    }
}
