//! Collects what there is to say about the author's files, all of it at once.

use std::collections::HashMap;
use std::sync::Arc;

use trueup_model::finding::{Finding, ObjectPath};
use trueup_model::location::Location;
use trueup_model::rule::Rule;

use crate::document::{Mark, Node};
use crate::written::Written;
use crate::{IntentError, Source};

/// More errors than this in one file help nobody, and a hostile file has millions.
const MAX_ERRORS: usize = 100;

/// Errors and findings, in the order in which they were met.
#[derive(Default)]
pub(crate) struct Report {
    errors: Vec<IntentError>,
    findings: Vec<Finding>,
    counts: HashMap<Arc<str>, usize>,
    pub(crate) written: Written,
}

impl Report {
    /// Adds an error.
    pub(crate) fn error(&mut self, at: Location, message: impl Into<String>, help: impl Into<String>) {
        let count = self.counts.entry(Arc::clone(&at.file)).or_default();
        if *count < MAX_ERRORS {
            *count += 1;
            self.errors.push(IntentError { at, message: message.into(), help: help.into() });
        }
    }

    /// Whether `file` already has as many errors as are shown.
    pub(crate) fn is_full(&self, file: &Arc<str>) -> bool {
        self.counts.get(file).is_some_and(|count| *count >= MAX_ERRORS)
    }

    /// Takes over everything of another report.
    pub(crate) fn absorb(&mut self, other: Self) {
        for error in other.errors {
            self.error(error.at, error.message, error.help);
        }
        self.findings.extend(other.findings);
        self.written.absorb(other.written);
    }

    /// Adds a finding.
    pub(crate) fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Everything, in the order of the files and of the places in them.
    pub(crate) fn finish(mut self, sources: &[Source]) -> (Vec<Finding>, Vec<IntentError>) {
        let order: HashMap<&str, usize> =
            sources.iter().enumerate().map(|(position, source)| (source.path.as_str(), position)).collect();
        let key = |at: &Location| (order.get(&*at.file).copied(), at.line, at.column);
        self.errors.sort_by_key(|error| key(&error.at));
        self.findings.sort_by_key(|finding| finding.intent_at.as_ref().map(key));
        let full = sources
            .iter()
            .filter(|source| self.counts.get(source.path.as_str()).is_some_and(|count| *count >= MAX_ERRORS));
        self.errors.extend(full.map(|source| IntentError {
            at: Location::whole(source.path.as_str()),
            message: format!("only the first {MAX_ERRORS} errors of this file are listed"),
            help: "correct these first".to_owned(),
        }));
        (self.findings, self.errors)
    }
}

/// Something in an item that was not understood.
pub(crate) struct Problem {
    /// Where it stands.
    pub(crate) at: Location,
    /// The text as written, for the finding's fingerprint.
    pub(crate) written: String,
    /// What is the case, as a clause without a full stop.
    pub(crate) message: String,
    /// What was expected.
    pub(crate) help: String,
}

impl Problem {
    /// `written` was met at `at`, and is not one of the forms that `help` names.
    pub(crate) fn new(at: Location, written: &str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, written: shown(written), message: message.into(), help: help.into() }
    }
}

/// Where in the intent the reader is, and what it may report there.
pub(crate) struct Scope<'a> {
    pub(crate) file: &'a Arc<str>,
    /// Name of the service; empty outside of any.
    pub(crate) service: &'a str,
    /// Whether the service is checked; what is only documented brings no `not-understood`.
    pub(crate) checked: bool,
    /// The object that findings here are about.
    pub(crate) object: ObjectPath,
    pub(crate) report: &'a mut Report,
}

impl Scope<'_> {
    /// The same scope, about another object.
    pub(crate) fn about(&mut self, object: ObjectPath) -> Scope<'_> {
        Scope { file: self.file, service: self.service, checked: self.checked, object, report: self.report }
    }

    /// The place of a node of this file.
    pub(crate) fn at(&self, mark: Mark) -> Location {
        mark.in_file(self.file)
    }

    /// Reports all problems of this object as one finding, at the first of them; none is none.
    pub(crate) fn not_understood(&mut self, problems: &[Problem]) {
        let Some(first) = problems.first().filter(|_| self.checked) else { return };
        let join = |part: fn(&Problem) -> &str, between: &str| {
            let mut parts: Vec<&str> = Vec::new();
            for problem in problems {
                if !parts.contains(&part(problem)) {
                    parts.push(part(problem));
                }
            }
            parts.join(between)
        };
        let finding = Finding::new(Rule::NotUnderstood, self.service, self.object.clone())
            .message(join(|problem| &problem.message, "; "))
            .help(join(|problem| &problem.help, "; "))
            .sides(join(|problem| &problem.written, "; "), "")
            .in_intent(Some(&first.at));
        self.report.finding(finding);
    }

    /// Reports a key that is not one of `known`, and suggests the nearest.
    pub(crate) fn unknown_key(&mut self, key: &str, at: Mark, known: &[&str]) {
        let help = match nearest(key, known) {
            Some(near) => format!("did you mean `{near}`? Keys that start with `x-` are left alone"),
            None => format!("known here: {}; keys that start with `x-` are left alone", known.join(", ")),
        };
        let finding = Finding::new(Rule::UnknownKey, self.service, self.object.clone())
            .message(format!("the key {} is not known, and what stands under it is not read", quoted(key)))
            .help(help)
            .sides(shown(key), "")
            .in_intent(Some(&self.at(at)));
        self.report.finding(finding);
    }

    /// Reports that a node has the wrong type: an error, since what was meant cannot be told.
    pub(crate) fn wrong_type(&mut self, node: &Node, what: &str, expected: &str) {
        let at = self.at(node.at);
        self.report.error(at, format!("{what} is {}; expected {expected}", node.kind()), format!("write {expected}"));
    }
}

/// The entry of `known` that `key` is most likely a misspelling of.
pub(crate) fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    if key.len() > 64 {
        return None;
    }
    let key = key.to_lowercase().replace('-', "_");
    let scored = known.iter().map(|known| (strsim::damerau_levenshtein(&key, known), *known));
    let best = scored.min_by_key(|(distance, _)| *distance)?;
    let allowed = 1 + best.1.len() / 4;
    (best.0 <= allowed).then_some(best.1)
}

/// Text as it may be shown: without control characters, and not endless.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 120;
    let mut shown: String = text.trim().chars().take(LONGEST).flat_map(visible).collect();
    if text.trim().chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// [`shown`], between backticks.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", shown(text))
}

fn visible(character: char) -> Vec<char> {
    if character == '\n' || character == '\t' {
        vec![' ']
    } else if crate::names::is_treacherous(character) {
        character.escape_unicode().collect()
    } else {
        vec![character]
    }
}
