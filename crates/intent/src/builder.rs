//! saphyr's events to nodes, within limits.
//!
//! The limits answer to what hostile YAML can do: nest until the stack is gone, multiply by aliases, and make the
//! scanner look ahead over the whole file before its first event (it holds a whole flow collection in memory).

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::str::Chars;
use std::sync::Arc;

use saphyr_parser::{BufferedInput, Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};

use crate::document::{Entry, Mark, Node, Scalar, Style, Value};
use crate::report::{Report, quoted};

/// Deepest nesting; the dialect needs 8.
pub(crate) const MAX_DEPTH: usize = 64;
/// Most nodes of one file, aliases expanded.
const MAX_NODES: usize = 1_000_000;
/// Most characters between two events: one scalar, or what the scanner reads ahead.
const MAX_LOOKAHEAD: usize = 256 * 1024;

/// Why building stopped before the end.
pub(crate) enum Stop {
    /// A syntax error, at a place relative to the text that was given.
    Syntax { at: Mark, info: String },
    /// The file has as many errors as are shown.
    Full,
    /// Nested too deeply; `at` is relative to the text that was given.
    Depth { at: Mark },
    /// A limit was passed; `at` is relative to the text that was given.
    Limit { at: Mark, message: String, help: &'static str },
}

impl Stop {
    /// Where it stopped.
    pub(crate) fn at(&self) -> Option<Mark> {
        match self {
            Self::Syntax { at, .. } | Self::Depth { at } | Self::Limit { at, .. } => Some(*at),
            Self::Full => None,
        }
    }
}

/// Counts the nodes of one file, over all parts of it that are parsed.
pub(crate) struct Budget {
    nodes: usize,
    characters: usize,
}

impl Budget {
    /// What one file may have.
    pub(crate) fn of_a_file() -> Self {
        Self { nodes: MAX_NODES, characters: 0 }
    }

    /// The nodes of one file once more, for another pass over it.
    pub(crate) fn renew(&mut self) {
        self.nodes = MAX_NODES;
    }

    /// How many characters the parser has taken, over all passes.
    #[cfg(test)]
    pub(crate) fn characters(&self) -> usize {
        self.characters
    }

    /// Whether nothing is left.
    pub(crate) fn is_spent(&self) -> bool {
        self.nodes == 0
    }

    fn take(&mut self, count: usize, at: Mark) -> Result<(), Stop> {
        if count > self.nodes {
            self.nodes = 0;
            let message = format!("the file has more than {MAX_NODES} values, aliases expanded");
            return Err(Stop::Limit { at, message, help: "split it into several files, or use fewer aliases" });
        }
        self.nodes -= count;
        Ok(())
    }
}

/// Builds all documents of `text`; those before a stop are given back with it.
///
/// `first_line` is the line of the file at which `text` starts. Errors that leave the rest readable (duplicate keys,
/// keys that are no text, unknown tags) are reported, and building goes on.
pub(crate) fn build(
    file: &Arc<str>,
    text: &str,
    first_line: u32,
    budget: &mut Budget,
    report: &mut Report,
) -> (Vec<Node>, Option<Stop>) {
    let mut builder =
        Builder { file, first_line, budget, report, stack: Vec::new(), anchors: HashMap::new(), documents: Vec::new() };
    let left = Rc::new(Cell::new(MAX_LOOKAHEAD));
    let stop = builder.run(text, &left).err();
    builder.budget.characters += MAX_LOOKAHEAD - left.get();
    (builder.documents, stop)
}

/// Hands out characters until too many were asked for at once.
struct Metered<'t> {
    characters: Chars<'t>,
    left: Rc<Cell<usize>>,
}

impl Iterator for Metered<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let left = self.left.get().checked_sub(1)?;
        self.left.set(left);
        self.characters.next()
    }
}

/// An unfinished collection.
struct Frame {
    at: Mark,
    anchor: usize,
    /// Whether it is written in brackets.
    flow: bool,
    kind: FrameKind,
}

enum FrameKind {
    Sequence(Vec<Node>),
    /// `key` is set between a key and its value; `None` inside means that the key was refused.
    Mapping {
        entries: Vec<Entry>,
        merged: Vec<Node>,
        key: Option<Option<(Box<str>, Mark, bool)>>,
        seen: HashMap<Box<str>, Mark>,
    },
}

struct Builder<'a> {
    file: &'a Arc<str>,
    first_line: u32,
    budget: &'a mut Budget,
    report: &'a mut Report,
    stack: Vec<Frame>,
    anchors: HashMap<usize, (Node, usize)>,
    documents: Vec<Node>,
}

impl Builder<'_> {
    fn run(&mut self, text: &str, left: &Rc<Cell<usize>>) -> Result<(), Stop> {
        let metered = Metered { characters: text.chars(), left: Rc::clone(left) };
        let mut parser = Parser::new(BufferedInput::new(metered));
        let mut last = Mark { line: self.first_line, column: 1 };
        while let Some(event) = parser.next_event() {
            if left.get() == 0 {
                let message =
                    format!("a text, or a list or mapping in brackets, has more than {MAX_LOOKAHEAD} characters");
                return Err(Stop::Limit { at: last, message, help: "write lists one item a line" });
            }
            self.budget.characters += MAX_LOOKAHEAD - left.replace(MAX_LOOKAHEAD);
            let (event, span) = event.map_err(|error| self.syntax(&error))?;
            last = self.mark(&span.start);
            self.event(event, span)?;
            if self.report.is_full(self.file) {
                return Err(Stop::Full);
            }
        }
        Ok(())
    }

    fn syntax(&self, error: &ScanError) -> Stop {
        let (at, info) = (self.mark(error.marker()), error.info().to_owned());
        // A line in column 1 ends what a bracket left open, and is not to blame.
        let open = self.stack.last().filter(|frame| frame.flow && at.column == 1 && frame.at < at);
        match open {
            Some(frame) => Stop::Syntax { at: frame.at, info: "unclosed flow collection".to_owned() },
            None => Stop::Syntax { at, info },
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let at = self.mark(&span.start);
        let flow = !span.is_empty();
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.budget.take(1, at)?;
                let node = self.scalar(&text, style, tag.as_deref(), span);
                self.finished(node, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                self.open(Frame { at, anchor, flow, kind: FrameKind::Sequence(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), at);
                let kind =
                    FrameKind::Mapping { entries: Vec::new(), merged: Vec::new(), key: None, seen: HashMap::new() };
                self.open(Frame { at, anchor, flow, kind })
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::DocumentStart(_) => {
                self.anchors.clear();
                Ok(())
            }
            Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => Ok(()),
        }
    }

    fn open(&mut self, frame: Frame) -> Result<(), Stop> {
        self.budget.take(1, frame.at)?;
        if self.stack.len() >= MAX_DEPTH {
            return Err(Stop::Depth { at: frame.at });
        }
        self.stack.push(frame);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Stop> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let value = match frame.kind {
            FrameKind::Sequence(items) => Value::Sequence(items),
            FrameKind::Mapping { entries, merged, seen, .. } => Value::Mapping(merge(entries, merged, &seen)),
        };
        self.finished(Node { at: frame.at, value }, frame.anchor)
    }

    fn alias(&mut self, anchor: usize, at: Mark) -> Result<(), Stop> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            let message = "this alias stands inside what it stands for".to_owned();
            return Err(Stop::Limit { at, message, help: "write the value out" });
        };
        self.budget.take(*size, at)?;
        let node = node.clone();
        self.place(node);
        Ok(())
    }

    /// Remembers a finished node under its anchor, and puts it where it belongs.
    fn finished(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        if anchor != 0 {
            let size = node.size();
            self.budget.take(size, node.at)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        self.place(node);
        Ok(())
    }

    fn place(&mut self, node: Node) {
        let Some(frame) = self.stack.last_mut() else {
            self.documents.push(node);
            return;
        };
        match &mut frame.kind {
            FrameKind::Sequence(items) => items.push(node),
            FrameKind::Mapping { entries, merged, key, seen } => match key.take() {
                None => *key = Some(self::key(self.file, node, seen, self.report)),
                Some(None) => {}
                Some(Some((_, _, true))) => merged.extend(mappings(self.file, node, self.report)),
                Some(Some((key, key_at, false))) => entries.push(Entry { key, key_at, value: node }),
            },
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Node {
        let at = self.mark(&span.start);
        self.refuse_tag(tag, at);
        let as_text = tag.is_some_and(|tag| tag.is_yaml_core_schema() && tag.suffix == "str");
        let (style, quotes) = match style {
            ScalarStyle::Plain if as_text => (Style::DoubleQuoted, 0),
            ScalarStyle::Plain => (Style::Plain, 0),
            ScalarStyle::SingleQuoted => (Style::SingleQuoted, 2 + text.matches('\'').count()),
            ScalarStyle::DoubleQuoted => (Style::DoubleQuoted, 2),
            ScalarStyle::Literal | ScalarStyle::Folded => (Style::Block, 0),
        };
        let mappable = style != Style::Block
            && tag.is_none()
            && span.start.line() == span.end.line()
            && span.len() == text.chars().count() + quotes;
        self.refuse_controls(text, at);
        Node { at, value: Value::Scalar(Scalar { text: text.into(), style, mappable }) }
    }

    /// Escapes bring in what the raw text must not have.
    fn refuse_controls(&mut self, text: &str, at: Mark) {
        if let Some(character) = text.chars().find(|character| crate::text::is_forbidden(*character)) {
            let message = format!("this text has the control character U+{:04X} in it", u32::from(character));
            self.report.error(at.in_file(self.file), message, "take the escape out");
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, at: Mark) {
        let Some(tag) = tag.filter(|tag| !known_tag(tag)) else { return };
        let message = format!("the YAML tag {} has no meaning here", quoted(&tag.to_string()));
        self.report.error(
            at.in_file(self.file),
            message,
            "take the tag out; values are plain text, lists and mappings",
        );
    }

    fn mark(&self, marker: &Marker) -> Mark {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Mark {
            line: number(marker.line()).saturating_add(self.first_line - 1),
            column: number(marker.col()).saturating_add(1),
        }
    }
}

fn known_tag(tag: &Tag) -> bool {
    let plain = ["str", "int", "float", "bool", "null", "seq", "map"];
    (tag.is_yaml_core_schema() && plain.contains(&tag.suffix.as_str())) || (tag.handle.is_empty() && tag.suffix == "!")
}

/// Takes a node as a key: its text, its place, and whether it is a merge key. `None` when it is refused.
fn key(
    file: &Arc<str>,
    node: Node,
    seen: &mut HashMap<Box<str>, Mark>,
    report: &mut Report,
) -> Option<(Box<str>, Mark, bool)> {
    let at = node.at.in_file(file);
    let Value::Scalar(scalar) = node.value else {
        report.error(
            at,
            "a key has to be text",
            "write `key: value`; a value that starts with `{` or `[` needs quotes",
        );
        return None;
    };
    if scalar.text.is_empty() {
        report.error(at, "a key is empty", "write a name before the colon");
        return None;
    }
    if let Some(first) = seen.get(&scalar.text) {
        let message =
            format!("the key {} stands twice in one mapping; first on line {}", quoted(&scalar.text), first.line);
        report.error(at, message, "keep one of the two; YAML readers silently drop the other");
        return None;
    }
    seen.insert(scalar.text.clone(), node.at);
    let merges = scalar.style == Style::Plain && &*scalar.text == "<<";
    Some((scalar.text, node.at, merges))
}

/// The mappings that a merge key names.
fn mappings(file: &Arc<str>, node: Node, report: &mut Report) -> Vec<Node> {
    let nodes = match node.value {
        Value::Sequence(items) => items,
        _ => vec![node],
    };
    let (mappings, others): (Vec<_>, Vec<_>) =
        nodes.into_iter().partition(|node| matches!(node.value, Value::Mapping(_)));
    for other in others {
        let message = format!("a merge key `<<` takes mappings, and this is {}", other.kind());
        report.error(other.at.in_file(file), message, "write `<<: *anchor`, where the anchor is on a mapping");
    }
    mappings
}

/// Adds what merged mappings have and the mapping itself has not; earlier ones win.
fn merge(mut entries: Vec<Entry>, merged: Vec<Node>, own: &HashMap<Box<str>, Mark>) -> Vec<Entry> {
    let mut added = std::collections::HashSet::new();
    for node in merged {
        let Value::Mapping(more) = node.value else { continue };
        for entry in more {
            if !own.contains_key(&entry.key) && added.insert(entry.key.clone()) {
                entries.push(entry);
            }
        }
    }
    entries
}
