//! Bytes to documents, going on at the next service after a syntax error.

use std::sync::Arc;

use crate::builder::{Budget, MAX_DEPTH, Stop, build};
use crate::document::{Mark, Node};
use crate::recovery;
use crate::report::Report;
use crate::text::{decode, lines};

/// Reads all documents of a file of the intent, and reports all errors in it.
///
/// A YAML parser stops at the first syntax error; reading then goes on as [`recovery`] says, so that the author sees
/// the errors of all services at once.
pub(crate) fn documents(file: &Arc<str>, bytes: &[u8], report: &mut Report) -> Vec<Node> {
    let Some(text) = decode(file, bytes, report) else { return Vec::new() };
    let mut budget = Budget::of_a_file();
    let mut first_try = Report::default();
    let (documents, stop) = build(file, &text, 1, &mut budget, &mut first_try);
    match stop {
        // Each service is read again, and brings the errors before this one again.
        Some(Stop::Syntax { .. } | Stop::Depth { .. } | Stop::Limit { .. }) if !budget.is_spent() => {
            drop(documents);
            recovery::documents(file, &text, &mut budget, report)
        }
        stop => {
            report.absorb(first_try);
            let stopped = stop.is_some();
            stop.into_iter().for_each(|stop| explain(file, &text, 1, stop, report));
            if stopped { Vec::new() } else { documents }
        }
    }
}

/// Reads all documents of a file, stopping at the first syntax error.
pub(crate) fn documents_strictly(file: &Arc<str>, bytes: &[u8], report: &mut Report) -> Vec<Node> {
    let Some(text) = decode(file, bytes, report) else { return Vec::new() };
    let (documents, stop) = build(file, &text, 1, &mut Budget::of_a_file(), report);
    if let Some(stop) = stop {
        explain(file, &text, 1, stop, report);
    }
    documents
}

/// Reports why reading stopped, in words for the author rather than for the parser.
pub(crate) fn explain(file: &Arc<str>, text: &str, first_line: u32, stop: Stop, report: &mut Report) {
    match stop {
        Stop::Full => {}
        Stop::Depth { at } => {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            report.error(at.in_file(file), message, "the intent needs eight levels at most");
        }
        Stop::Limit { at, message, help } => report.error(at.in_file(file), message, help),
        Stop::Syntax { at, info } => {
            if let Some(tab) = tab_indentation(text, first_line, at) {
                let message = "a tab stands in the indentation; YAML allows only spaces there";
                report.error(tab.in_file(file), message, "replace the tab by spaces");
                return;
            }
            let (message, help) = in_words(&info);
            report.error(at.in_file(file), message, help);
        }
    }
}

/// The first tab in the indentation of a line, up to the line after the error: the parser notices it that late.
fn tab_indentation(text: &str, first_line: u32, error: Mark) -> Option<Mark> {
    let suspects = lines(text)
        .map(|(number, line)| (number + first_line - 1, line))
        .take_while(|(number, _)| *number <= error.line.saturating_add(1));
    for (number, line) in suspects {
        let content = line.trim_start_matches([' ', '\t']);
        let indentation = &line[..line.len() - content.len()];
        if let Some(tab) = indentation.find('\t').filter(|_| !content.is_empty() && !content.starts_with('#')) {
            return Some(Mark { line: number, column: u32::try_from(tab + 1).unwrap_or(u32::MAX) });
        }
    }
    None
}

fn in_words(info: &str) -> (String, &'static str) {
    const QUOTES: &str = "put the whole value in single quotes, and double each single quote inside it";
    let known: &[(&str, &str, &str)] = &[
        (
            "mapping values are not allowed",
            "a second `: ` stands where YAML does not allow one",
            "check the indentation of this line and the one before; a value with `: ` in it needs quotes",
        ),
        (
            "unknown anchor",
            "no anchor of this name stands before this alias",
            "write `&name` at the value that is meant; a value that starts with `*` needs quotes",
        ),
        ("quoted scalar", "a quote is opened here and not closed where its value ends", QUOTES),
        (
            "flow",
            "a bracket is not closed, or something in it is not separated by a comma",
            "close it, or put the value in quotes when the bracket is part of a text",
        ),
        (
            "illegal placement of ':'",
            "a bracket is not closed, or something in it is not separated by a comma",
            "close it, or put the value in quotes when the bracket is part of a text",
        ),
        (
            "bracket",
            "a bracket is closed that was not opened",
            "delete it, or put the value in quotes when it is part of a text",
        ),
        ("recursion limit", "nested too deeply", "the intent needs eight levels at most"),
        ("simple key expect", "expected `key: value`", "write a colon and a space after the key"),
        ("unexpected character", "a value cannot start with this character", QUOTES),
        (
            "block mapping",
            "the indentation does not fit the lines above",
            "give all keys of one mapping the same indentation",
        ),
        (
            "block collection",
            "the indentation does not fit the lines above",
            "give all items of one list the same indentation",
        ),
    ];
    let found = known.iter().find(|(part, ..)| info.contains(part));
    found.map_or_else(
        || (format!("this is not valid YAML: {info}"), "check the indentation and the quotes around here"),
        |(_, message, help)| ((*message).to_owned(), *help),
    )
}
