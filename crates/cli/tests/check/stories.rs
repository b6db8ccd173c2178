//! Stories: small repositories and exactly what a check says about each of them.
//!
//! A story is a file in `tests/cases/check`. Its sections are the files of a repository, but for `args` (further
//! arguments, one a line) and `expect`:
//!
//! - `exit 1`: the exit code;
//! - `RULE OBJECT yaml:LINE sql:FILE:LINE`: a finding, with the service's name where it has no object and `:COLUMN`
//!   after a line where that matters. The list is complete: each further finding is a failure;
//! - `| WORDS`, below any other line: the message (or the help, or the reason of a status) contains them;
//! - `error FILE:LINE:COLUMN`, `note`: likewise for errors (complete) and notes (as far as they are listed);
//! - `accepted RULE OBJECT`: complete as well;
//! - `status SERVICE STATUS`: as far as they are listed.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;
use trueup_model::rule::Rule;

use crate::project::{Project, Run, YAML, list, text, title};
use crate::txtar::Archive;

/// One file of `tests/cases/check`.
pub(crate) struct Story {
    pub(crate) name: String,
    archive: Archive,
}

/// One line of an expectation, with the words expected of its message.
#[derive(Clone, Debug)]
struct Line {
    text: String,
    words: Vec<String>,
}

impl Story {
    /// All stories, by name.
    pub(crate) fn all() -> Vec<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/check");
        let files = std::fs::read_dir(folder).expect("stories").map(|entry| entry.expect("a story").path());
        let mut files: Vec<_> = files.filter(|file| file.extension().is_some_and(|end| end == "txtar")).collect();
        files.sort();
        files.iter().map(Self::read).collect()
    }

    fn read(file: &PathBuf) -> Self {
        let archive = Archive::parse(&std::fs::read_to_string(file).expect("readable"));
        assert!(!archive.section("expect").is_empty(), "{} expects nothing", file.display());
        Self { name: file.file_stem().expect("named").to_string_lossy().into_owned(), archive }
    }

    /// The repository on disk.
    pub(crate) fn project(&self) -> Project {
        let project = Project::new();
        let files = self.archive.sections.iter().filter(|(name, _)| !["args", "expect"].contains(&name.as_str()));
        files.for_each(|(name, text)| project.write(name, text));
        project
    }

    pub(crate) fn run(&self, project: &Project) -> Run {
        let arguments: Vec<_> = self.archive.section("args").lines().collect();
        project.check(&arguments)
    }

    /// Whether a finding of this rule is expected.
    pub(crate) fn expects(&self, rule: Rule) -> bool {
        let start = format!("{rule} ");
        self.lines().iter().any(|line| line.text.starts_with(&start))
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for line in self.archive.section("expect").lines().map(str::trim).filter(|line| !line.is_empty()) {
            match (line.strip_prefix("| "), lines.last_mut()) {
                (Some(words), Some(last)) => last.words.push(words.to_owned()),
                _ => lines.push(Line { text: line.to_owned(), words: Vec::new() }),
            }
        }
        lines
    }

    /// What does not hold; empty when the story is true.
    pub(crate) fn differences(&self, run: &Run) -> Vec<String> {
        let report = run.json();
        let mut wrong = Vec::new();
        let mut open: Vec<Line> = self.lines();
        let mut take = |wanted: &dyn Fn(&str) -> bool| -> Vec<Line> {
            let (taken, rest) = open.drain(..).partition(|line| wanted(&line.text));
            open = rest;
            taken
        };
        let exits = take(&|line| line.starts_with("exit "));
        if exits.iter().map(|line| line.text.as_str()).ne([format!("exit {}", run.code)]) {
            wrong.push(format!("is exit {}", run.code));
        }
        for line in take(&|line| line.starts_with("status ")) {
            let said = |service: &Value| line.words.iter().all(|words| text(service, "reason").contains(words));
            if !list(&report, "services").iter().any(|service| line.text == status(service) && said(service)) {
                wrong.push(format!("not so: {}", line.text));
            }
        }
        for line in take(&|line| line == "note") {
            let notes = list(&report, "notes").iter().filter_map(Value::as_str);
            if !notes.clone().any(|note| line.words.iter().all(|words| note.contains(words))) {
                wrong.push(format!("no note: {:?} in {:?}", line.words, notes.collect::<Vec<_>>()));
            }
        }
        let errors = take(&|line| line.starts_with("error"));
        wrong.extend(unmatched(errors, list(&report, "errors"), &error_place));
        let accepted = take(&|line| line.starts_with("accepted "));
        wrong.extend(unmatched(accepted, list(&report, "accepted"), &|entry| format!("accepted {}", title(entry))));
        wrong.extend(unmatched(open, list(&report, "findings"), &places));
        wrong
    }
}

/// Pairs expected lines with what there is; what is left on either side is wrong.
fn unmatched(expected: Vec<Line>, actual: &[Value], shown: &dyn Fn(&Value) -> String) -> Vec<String> {
    let mut left: Vec<&Value> = actual.iter().collect();
    let mut wrong = Vec::new();
    for line in expected {
        let said = |value: &Value| {
            let said = format!("{}\n{}", text(value, "message"), text(value, "help"));
            line.words.iter().all(|words| said.contains(words))
        };
        match left.iter().position(|value| same(&line.text, &shown(value)) && said(value)) {
            Some(found) => drop(left.remove(found)),
            None => wrong.push(format!("- {} {}", line.text, line.words.join(" … "))),
        }
    }
    wrong.extend(left.into_iter().map(|value| format!("+ {}\n    | {}", shown(value), text(value, "message"))));
    wrong
}

/// Word by word; a place without a column means any column of the line.
fn same(expected: &str, actual: &str) -> bool {
    let (expected, actual) = (expected.split(' '), actual.split(' '));
    let pairs: Vec<_> = expected.clone().zip(actual.clone()).collect();
    let alike = |(one, other): &(&str, &str)| {
        one == other
            || other.rsplit_once(':').is_some_and(|(line, column)| *one == line && column.parse::<u32>().is_ok())
    };
    expected.count() == actual.count() && pairs.iter().all(alike)
}

fn status(service: &Value) -> String {
    format!("status {} {}", text(service, "name"), text(service, "status"))
}

fn error_place(error: &Value) -> String {
    match &error["location"] {
        Value::Null => "error".to_owned(),
        at => format!("error {}:{}:{}", text(at, "file"), at["line"], at["column"]),
    }
}

/// `RULE OBJECT yaml:LINE:COLUMN sql:FILE:LINE:COLUMN`.
fn places(finding: &Value) -> String {
    let mut shown = title(finding);
    for at in list(finding, "locations") {
        let (side, file) = (text(at, "side"), text(at, "file"));
        let place = match side.as_str() {
            "intent" if file == YAML => "yaml".to_owned(),
            "intent" => format!("yaml:{file}"),
            _ => format!("sql:{file}"),
        };
        shown.push_str(&format!(" {place}:{}:{}", at["line"], at["column"]));
    }
    shown
}

#[test]
fn every_story_is_told() {
    let only = std::env::var("TRUEUP_STORY").unwrap_or_default();
    let stories: Vec<_> = Story::all().into_iter().filter(|story| story.name.contains(&only)).collect();
    let wrong = std::sync::Mutex::new(Vec::new());
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(story) = stories.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let differences = story.differences(&story.run(&story.project()));
                    if !differences.is_empty() {
                        wrong.lock().expect("sound").push(format!("{}:\n  {}", story.name, differences.join("\n  ")));
                    }
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().expect("sound");
    wrong.sort();
    assert!(wrong.is_empty(), "{} of {} stories:\n{}", wrong.len(), stories.len(), wrong.join("\n"));
}

#[test]
fn every_rule_has_a_story() {
    let stories = Story::all();
    let without: Vec<_> = Rule::ALL.iter().filter(|rule| !stories.iter().any(|story| story.expects(**rule))).collect();
    assert!(without.is_empty(), "no story expects {without:?}");
}

/// Each rule switched off in turn: a story that expects it is no longer true. Where switching it off is refused, the
/// refusal is checked, and that the story does not hold without the rule's findings.
#[test]
fn no_rule_can_be_switched_off_unnoticed() {
    let stories = Story::all();
    let mut seen = BTreeSet::new();
    for &rule in Rule::ALL {
        let Some(story) = stories.iter().find(|story| story.expects(rule)) else { continue };
        let project = story.project();
        let settings = story.archive.section("trueup.toml");
        assert!(!settings.contains("[rules]"), "{}: cannot be merged", story.name);
        project.write("trueup.toml", format!("{settings}\n[rules]\n{rule} = \"off\"\n"));
        let run = story.run(&project);
        let report = run.json();
        let refused = list(&report, "errors").iter().any(|error| text(error, "message").contains("off"));
        assert!(!story.differences(&run).is_empty(), "{} holds without {rule}", story.name);
        if refused {
            assert!(matches!(rule.info().state, trueup_model::finding::State::Unknown), "{rule} cannot be off");
            assert_eq!(run.code, 2, "{rule}: a setting that is refused fails the run");
        } else {
            assert!(report["summary"]["switched_off"].as_u64() > Some(0), "{rule}: {report:#}");
        }
        seen.insert(rule);
    }
    assert_eq!(seen.len(), Rule::ALL.len());
}
