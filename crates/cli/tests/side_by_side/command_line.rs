//! Turns in which both are called as a program: Flyway's command line, and ours by Flyway's name.

use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;
use trueup_testkit::flyway::CommandLine;

use crate::stage::{Party, Stage, Step};

/// What a program answered.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) exit: i32,
    pub(crate) out: String,
    pub(crate) errors: String,
}

impl Called {
    fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { exit: output.status.code().unwrap_or(-1), out: text(&output.stdout), errors: text(&output.stderr) }
    }

    /// Fails unless it exited with this code.
    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.exit, code, "{self:#?}");
        self
    }

    /// Fails unless it is an error that holds a text.
    #[track_caller]
    pub(crate) fn complains(&self, text: &str) -> &Self {
        assert!(self.errors.starts_with("ERROR: ") && self.errors.contains(text), "{text:?} is not said: {self:#?}");
        self
    }
}

/// Arguments and variables, in which `{url}` is the case's database.
pub(crate) type Call<'c> = (&'c [&'c str], &'c [(&'c str, &'c str)]);

impl Stage {
    /// The first party's program.
    pub(crate) fn call_a(&mut self, call: Call<'_>) -> Called {
        self.call("a", self.a, call)
    }

    /// The second party's program.
    pub(crate) fn call_b(&mut self, call: Call<'_>) -> Called {
        self.call("b", self.b, call)
    }

    /// Calls it in the case's folder, whose `home` is the user's, and puts down how it exited, the rows of the history, and
    /// the document when JSON was asked for.
    fn call(&mut self, part: &str, party: Party, (arguments, variables): Call<'_>) -> Called {
        let filled: Vec<String> = arguments.iter().map(|argument| argument.replace("{url}", &self.url)).collect();
        let filled: Vec<&str> = filled.iter().map(String::as_str).collect();
        let mut command = match party {
            Party::Flyway => CommandLine::find().unwrap().command(self.root.path(), &filled),
            Party::Ours => self.by_flyways_name(&filled),
        };
        command.envs(variables.iter().map(|(name, value)| (name, value.replace("{url}", &self.url))));
        let called = Called::of(&command.output().unwrap());
        let with: String = variables.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        let mut seen = vec![format!("exit {}", called.exit)];
        if arguments.contains(&"-outputType=json") {
            seen.extend(self.document(&called.out));
        }
        seen.extend(self.rows());
        let what = format!("{part} {with}{}", arguments.join(" "));
        self.log.push(Step { what, by: party, apart: self.apart, seen });
        called
    }

    fn by_flyways_name(&self, arguments: &[&str]) -> Command {
        static NAMED: LazyLock<TempDir> = LazyLock::new(|| {
            let folder = tempfile::tempdir().unwrap();
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_trueup"), folder.path().join("flyway")).unwrap();
            folder
        });
        let mut command = Command::new(NAMED.path().join("flyway"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLYWAY_")) {
            command.env_remove(name);
        }
        command.args(arguments).env("HOME", self.root.path().join("home")).current_dir(self.root.path());
        command
    }

    /// The document, line by line, without what differs from run to run, nor what is said in other words on purpose.
    fn document(&self, text: &str) -> Vec<String> {
        let root = self.root.path();
        let text = text.replace(root.canonicalize().unwrap().to_str().unwrap(), "").replace(root.to_str().unwrap(), "");
        let text = text.replace("/./", "/");
        let mut value: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        settle(&mut value);
        value.sort_all_objects();
        format!("{value:#}").lines().map(str::to_owned).collect()
    }
}

fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("timestamp" | "installedOnUTC", Value::String(text)) if !text.is_empty() => {
                        assert!(is_moment(text), "{text}");
                        *value = json!("a moment");
                    }
                    ("executionTime" | "totalMigrationTime", Value::Number(_)) => *value = json!(0),
                    ("database", Value::String(_)) => *value = json!("the database"),
                    // Java's stack, and help that leads to Flyway's site.
                    ("stackTrace", Value::String(_)) => *value = json!("a stack"),
                    ("errorMessage" | "allErrorMessages", Value::String(text)) => *value = json!(first_sentence(text)),
                    ("message" | "exception", Value::String(text)) => *value = json!(without_links(text)),
                    _ => settle(value),
                }
            }
        }
        _ => {}
    }
}

/// Nothing of ours leads to Flyway's site.
fn without_links(text: &str) -> String {
    let kept = text.lines().filter(|line| !line.contains("https://"));
    kept.collect::<Vec<_>>().join("\n").replace("./", "")
}

/// How to mend it is said in other words.
fn first_sentence(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// `2026-11-26T02:03:34.583165` with or without a `Z`, and any number of digits.
fn is_moment(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape.starts_with("0000-00-00T00:00:00") && text.len() >= 19
}
