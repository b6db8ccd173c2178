//! Spring's `application.yml`, flattened to dotted keys as Spring itself flattens it.

use std::collections::BTreeMap;
use std::sync::Arc;

use trueup_model::location::{Located, Location};

use crate::document::{Entry, Mark, Node, Value};
use crate::report::{Report, quoted};
use crate::{IntentError, Source, syntax};

/// One YAML document (a file has several when `---` stands between them), as properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlatDocument {
    /// Where the document starts.
    pub at: Location,
    /// Dotted keys, spelled as in the file; items of lists are `key[0]`. A value is the text of its scalar: `true`,
    /// `010` and `1e3` stay what they are; nothing, null, an empty list and an empty mapping are the empty text.
    /// The place is that of the value.
    pub values: BTreeMap<String, Located<String>>,
}

impl FlatDocument {
    /// The value of a key, by its exact spelling.
    pub fn get(&self, key: &str) -> Option<&Located<String>> {
        self.values.get(key)
    }
}

/// Flattens every document of an `application.yml`.
///
/// # Errors
/// All that makes the file unreadable: syntax (the first error only), duplicate keys, two spellings of one dotted key
/// (`a.b: 1` and `a: {b: 2}`), and the limits of [`crate::read`].
pub fn flatten(path: &str, bytes: &[u8]) -> Result<Vec<FlatDocument>, Vec<IntentError>> {
    let file: Arc<str> = path.into();
    let mut report = Report::default();
    let documents = syntax::documents_strictly(&file, bytes, &mut report);
    let flat = documents.iter().map(|document| flat(&file, document, &mut report)).collect();
    let (_, errors) = report.finish(&[Source { path: path.to_owned(), bytes: Vec::new() }]);
    if errors.is_empty() { Ok(flat) } else { Err(errors) }
}

fn flat(file: &Arc<str>, document: &Node, report: &mut Report) -> FlatDocument {
    let mut flattener = Flattener { file, report, values: BTreeMap::new() };
    match &document.value {
        Value::Mapping(entries) => flattener.mapping("", entries),
        _ if document.is_null() => {}
        _ => {
            let message = format!("this is {}; expected keys and values", document.kind());
            flattener.report.error(document.at.in_file(file), message, "write `key: value`");
        }
    }
    FlatDocument { at: document.at.in_file(file), values: flattener.values }
}

struct Flattener<'a> {
    file: &'a Arc<str>,
    report: &'a mut Report,
    values: BTreeMap<String, Located<String>>,
}

impl Flattener<'_> {
    fn mapping(&mut self, prefix: &str, entries: &[Entry]) {
        for entry in entries {
            // Spring takes a key in brackets as it is: `map: {"[a.b]": 1}` is `map[a.b]`.
            let joint = if prefix.is_empty() || entry.key.starts_with('[') { "" } else { "." };
            self.node(format!("{prefix}{joint}{}", entry.key), &entry.value);
        }
    }

    fn node(&mut self, key: String, node: &Node) {
        match &node.value {
            Value::Mapping(entries) if !entries.is_empty() => self.mapping(&key, entries),
            Value::Sequence(items) if !items.is_empty() => {
                for (position, item) in items.iter().enumerate() {
                    self.node(format!("{key}[{position}]"), item);
                }
            }
            Value::Scalar(scalar) if !scalar.is_null() => self.put(key, &scalar.text, node.at),
            _ => self.put(key, "", node.at),
        }
    }

    fn put(&mut self, key: String, value: &str, at: Mark) {
        let at = at.in_file(self.file);
        if let Some(first) = self.values.get(&key) {
            let message = format!("the property {} is set twice; first on line {}", quoted(&key), first.at.line);
            self.report.error(at, message, "keep one of the two");
        } else {
            self.values.insert(key, Located::new(value.to_owned(), at));
        }
    }
}
