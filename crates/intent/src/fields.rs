//! Takes the values of keys in the type that is expected there; anything else is reported.

use trueup_model::location::{Located, RawSql};
use trueup_model::name::Identifier;

use crate::document::{Entry, Node, Scalar, Style, Text, Value};
use crate::names;
use crate::report::{Problem, Scope, quoted};

/// Longest SQL fragment that is taken from YAML.
const MAX_SQL_BYTES: usize = 4096;

/// The entries of a mapping, or `None` for any other node.
pub(crate) fn entries(node: &Node) -> Option<&[Entry]> {
    match &node.value {
        Value::Mapping(entries) => Some(entries),
        _ => None,
    }
}

/// Whether a key is the author's own: no part of the dialect, and not reported.
pub(crate) fn is_private(key: &str) -> bool {
    key.starts_with("x-")
}

/// The text of a scalar; nothing, or YAML's null, is `None`.
pub(crate) fn text<'a, 's: 'a>(node: &'a Node, what: &str, scope: &mut Scope<'s>) -> Option<Text<'a>> {
    if node.is_null() {
        return None;
    }
    let text = Text::of(node, scope.file);
    if text.is_none() {
        scope.wrong_type(node, what, "text");
    }
    text
}

/// Free text, trimmed.
pub(crate) fn prose(node: &Node, what: &str, scope: &mut Scope<'_>) -> Option<String> {
    let file = scope.file;
    if node.is_null() {
        return None;
    }
    match Text::of(node, file) {
        Some(text) => Some(text.text.trim().to_owned()),
        None => {
            scope.wrong_type(node, what, "text");
            None
        }
    }
}

/// The items of a list; a single scalar is a list of one, and nothing is an empty list.
pub(crate) fn items<'a>(node: &'a Node, what: &str, scope: &mut Scope<'_>) -> &'a [Node] {
    match &node.value {
        Value::Sequence(items) => items,
        Value::Scalar(scalar) if scalar.is_null() => &[],
        Value::Scalar(_) => std::slice::from_ref(node),
        Value::Mapping(_) => {
            scope.wrong_type(node, what, "a list");
            &[]
        }
    }
}

/// `true` or `false`.
pub(crate) fn flag(node: &Node, what: &str, scope: &mut Scope<'_>) -> Option<bool> {
    let Value::Scalar(Scalar { text, style: Style::Plain, .. }) = &node.value else {
        scope.wrong_type(node, what, "true or false");
        return None;
    };
    match &**text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ if node.is_null() => None,
        other => {
            let at = scope.at(node.at);
            scope.report.error(
                at,
                format!("{what} is {}; expected true or false", quoted(other)),
                "write true or false",
            );
            None
        }
    }
}

/// A name with its place. What is no name becomes a problem; one that is only too long is kept as PostgreSQL cuts it.
pub(crate) fn name(
    text: Text<'_>,
    what: &str,
    folds: bool,
    problems: &mut Vec<Problem>,
) -> Option<Located<Identifier>> {
    let name = match names::name(text.text, folds) {
        Ok(name) => Some(name),
        Err(refused) => {
            let message = format!("the {what} {} {}", quoted(text.text), refused.message);
            problems.push(Problem::new(text.at(), text.text, message, refused.help));
            refused.cut
        }
    };
    name.map(|name| Located::new(name, text.at()))
}

/// A fragment of SQL, trimmed; what cannot be one whatever PostgreSQL thinks of it becomes a problem.
pub(crate) fn sql(
    text: Text<'_>,
    range: std::ops::Range<usize>,
    what: &str,
    problems: &mut Vec<Problem>,
) -> Option<RawSql> {
    let fragment = &text.text[range.clone()];
    let start = range.start + (fragment.len() - fragment.trim_start().len());
    let fragment = fragment.trim();
    let at = text.at_byte(start);
    let refused = if fragment.is_empty() {
        Some("is empty")
    } else if fragment.len() > MAX_SQL_BYTES {
        Some("is longer than 4096 bytes")
    } else if fragment.contains(|c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        Some("has control characters in it")
    } else {
        None
    };
    match refused {
        None => Some(RawSql::new(fragment.to_owned(), at)),
        Some(why) => {
            let message = format!("the {what} {} {why}", quoted(fragment));
            problems.push(Problem::new(at, fragment, message, "write a short SQL expression or type here"));
            None
        }
    }
}
