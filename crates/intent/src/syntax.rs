//! Bytes to documents, going on at the next service after a syntax error.

use std::sync::Arc;

use crate::builder::{Budget, MAX_DEPTH, Stop, build};
use crate::document::{Mark, Node};
use crate::report::Report;
use crate::text::{decode, lines};

/// Reads all documents of a file of the intent, and reports all errors in it.
///
/// A YAML parser stops at the first syntax error. Then each part that starts with a key in column 1, which is to say
/// each service, is read on its own, so that the author sees the errors of all services at once.
pub(crate) fn documents(file: &Arc<str>, bytes: &[u8], report: &mut Report) -> Vec<Node> {
    let Some(text) = decode(file, bytes, report) else { return Vec::new() };
    let mut budget = Budget::of_a_file();
    let mut first_try = Report::default();
    let (documents, stop) = build(file, &text, 1, &mut budget, &mut first_try);
    match stop {
        // Each service may be read on its own, and brings the errors before this one again.
        Some(Stop::Syntax { .. } | Stop::Depth { .. }) => {}
        other => {
            report.absorb(first_try);
            let stopped = other.is_some();
            other.into_iter().for_each(|stop| explain(file, &text, 1, stop, report));
            return if stopped { Vec::new() } else { documents };
        }
    }
    drop(documents);
    by_section(file, &text, report)
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

fn by_section(file: &Arc<str>, text: &str, report: &mut Report) -> Vec<Node> {
    let mut budget = Budget::of_a_file();
    let mut documents = Vec::new();
    for (first_line, section) in sections(text) {
        let (read, stop) = build(file, section, first_line, &mut budget, report);
        documents.extend(read);
        if let Some(stop) = stop.filter(|stop| !is_alias_from_elsewhere(stop, section, first_line, text)) {
            explain(file, section, first_line, stop, report);
        }
        if budget.is_spent() || report.is_full(file) {
            break;
        }
    }
    documents
}

/// The parts of a file that start with something in column 1 which can be a key, each with its first line.
fn sections(text: &str) -> Vec<(u32, &str)> {
    let mut starts: Vec<(u32, usize)> = Vec::new();
    for (number, line) in lines(text) {
        let offset = line.as_ptr() as usize - text.as_ptr() as usize;
        let starts_key = line.chars().next().is_some_and(|first| !" \t#-]},.%".contains(first));
        let separates = line.starts_with("---") || line.starts_with("...");
        if starts_key || separates || starts.is_empty() {
            starts.push((number, offset));
        }
    }
    let ends = starts.iter().skip(1).map(|(_, offset)| *offset).chain([text.len()]);
    starts.iter().zip(ends).map(|((number, start), end)| (*number, &text[*start..end])).collect()
}

/// Whether an alias is unknown only because its anchor stands in another section.
fn is_alias_from_elsewhere(stop: &Stop, section: &str, first_line: u32, text: &str) -> bool {
    let Stop::Syntax { at, info } = stop else { return false };
    if !info.contains("unknown anchor") {
        return false;
    }
    let line = lines(section).find(|(number, _)| number + first_line - 1 == at.line).map_or("", |(_, line)| line);
    let alias: String =
        line.chars().skip(at.column as usize).take_while(|c| !c.is_whitespace() && !",]}".contains(*c)).collect();
    !alias.is_empty() && text.contains(&format!("&{alias}"))
}

/// Reports why reading stopped, in words for the author rather than for the parser.
fn explain(file: &Arc<str>, text: &str, first_line: u32, stop: Stop, report: &mut Report) {
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
