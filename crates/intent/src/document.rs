//! A YAML document with the place of every node: the only form of YAML that the rest of the crate sees.

use std::sync::Arc;

use trueup_model::location::Location;

/// A place in a file: 1-based line, 1-based column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl Mark {
    /// The same place, together with its file.
    pub(crate) fn in_file(self, file: &Arc<str>) -> Location {
        Location::new(Arc::clone(file), self.line, self.column)
    }
}

/// One node and the place where it starts.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Mark,
    pub(crate) value: Value,
}

/// What a node holds. Aliases and merge keys are already expanded.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// One key of a mapping and its value. Keys are unique within a mapping, and are never empty.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Box<str>,
    pub(crate) key_at: Mark,
    pub(crate) value: Node,
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// `|` or `>`.
    Block,
}

/// Text, always as its source spells it: `no`, `1e3` and `15` stay these characters.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) text: Box<str>,
    pub(crate) style: Style,
    /// Whether a place inside the text can be told: it stands on one line, as long as it would be without escapes.
    pub(crate) mappable: bool,
}

impl Scalar {
    /// YAML's null: nothing, `~`, or an unquoted `null`. The word `NULL` of SQL is the same token.
    pub(crate) fn is_null(&self) -> bool {
        self.style == Style::Plain && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Node {
    /// Whether nothing was written, or YAML's null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    /// The kind of node, for a message: `text`, `a list` or `a mapping`.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            Value::Scalar(scalar) if scalar.is_null() => "nothing",
            Value::Scalar(_) => "text",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    /// How many nodes this one is made of, itself included.
    pub(crate) fn size(&self) -> usize {
        match &self.value {
            Value::Scalar(_) => 1,
            Value::Sequence(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            Value::Mapping(entries) => 1 + entries.iter().map(|entry| 1 + entry.value.size()).sum::<usize>(),
        }
    }

    /// The place of the byte `offset` of this scalar's text, as near as it can be told.
    pub(crate) fn mark_of(&self, offset: usize) -> Mark {
        let Value::Scalar(scalar) = &self.value else { return self.at };
        let Some(before) = scalar.text.get(..offset).filter(|_| scalar.mappable) else { return self.at };
        let characters = before.chars().count();
        let written = match scalar.style {
            Style::Plain | Style::Block => characters,
            Style::SingleQuoted => 1 + characters + before.matches('\'').count(),
            Style::DoubleQuoted => 1 + characters,
        };
        Mark { line: self.at.line, column: self.at.column.saturating_add(u32::try_from(written).unwrap_or(u32::MAX)) }
    }
}

/// Text of a scalar that can tell the place of each of its parts.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    pub(crate) text: &'a str,
    node: &'a Node,
    file: &'a Arc<str>,
}

impl<'a> Text<'a> {
    /// The text of `node`, when it is a scalar.
    pub(crate) fn of(node: &'a Node, file: &'a Arc<str>) -> Option<Self> {
        match &node.value {
            Value::Scalar(scalar) => Some(Self { text: &scalar.text, node, file }),
            _ => None,
        }
    }

    /// Where the scalar starts.
    pub(crate) fn at(&self) -> Location {
        self.node.at.in_file(self.file)
    }

    /// Where the byte `offset` of the text stands.
    pub(crate) fn at_byte(&self, offset: usize) -> Location {
        self.node.mark_of(offset).in_file(self.file)
    }
}
