//! What a command answered, in one form for both.

use serde_json::Value;

/// The answer to one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) ok: bool,
    /// Migrations that ran, or schemas' worth of nothing: 0 for other commands.
    pub(crate) ran: u64,
    /// The error's code, or those of what does not fit.
    pub(crate) codes: Vec<String>,
    /// What was said about it; never compared as a whole.
    pub(crate) message: String,
}

impl Outcome {
    /// Of the driver's answer.
    pub(crate) fn of_flyway(answer: &Value) -> Self {
        let mut codes = texts(&answer["codes"]);
        codes.extend(answer["code"].as_str().map(str::to_owned));
        Self {
            ok: answer["ok"] == true,
            ran: answer["executed"].as_u64().unwrap_or(0),
            codes,
            message: answer["message"].as_str().unwrap_or_default().to_owned(),
        }
    }

    /// Of our exit code and document.
    pub(crate) fn of_ours(exit: i32, document: &Value) -> Self {
        let error = &document["error"];
        let invalid = document["invalidMigrations"].as_array().into_iter().flatten();
        let mut codes: Vec<String> =
            invalid.clone().filter_map(|item| Some(item["errorDetails"]["errorCode"].as_str()?.to_owned())).collect();
        // What the command lines call FAILED_MIGRATION is an ERROR to Flyway's engine.
        let name = |code: &str| if code == "FAILED_MIGRATION" { "ERROR" } else { code }.to_owned();
        codes.extend(error["errorCode"].as_str().map(name));
        let of_error = error["invalidMigrations"].as_array().into_iter().flatten();
        let details = invalid.chain(of_error).filter_map(|item| item["errorDetails"]["errorMessage"].as_str());
        let problems = error["problems"].as_array().into_iter().flatten();
        let said = error["message"].as_str().into_iter().chain(details);
        let said = said.chain(problems.filter_map(|problem| problem["message"].as_str()));
        Self {
            ok: exit == 0,
            ran: document["migrationsExecuted"].as_u64().unwrap_or(0),
            codes,
            message: said.collect::<Vec<_>>().join("\n"),
        }
    }

    /// What both must agree on, on one line.
    pub(crate) fn seen(&self) -> String {
        match (self.ok, self.ran) {
            (true, 0) => "ok".to_owned(),
            (true, ran) => format!("ok, {ran} ran"),
            (false, _) => format!("refused: {}", self.codes.join(" ")),
        }
    }

    /// How many migrations ran; fails when the command did.
    #[track_caller]
    pub(crate) fn ran(&self) -> u64 {
        assert!(self.ok, "{self:#?}");
        self.ran
    }

    /// Fails unless the command failed with these codes.
    #[track_caller]
    pub(crate) fn refused(&self, codes: &[&str]) -> &Self {
        assert!(!self.ok && self.codes == codes, "{codes:?} expected: {self:#?}");
        self
    }

    /// Fails unless the message holds a text.
    #[track_caller]
    pub(crate) fn says(&self, text: &str) -> &Self {
        assert!(self.message.contains(text), "{text:?} is not said: {self:#?}");
        self
    }
}

/// A list of strings in a document.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned())).collect()
}
