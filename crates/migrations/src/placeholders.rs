//! Placeholder replacement with Flyway's quirks, and the way back from a replaced text to the file.

use std::collections::BTreeMap;

/// What may be replaced in a script, and how a placeholder is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholders {
    /// What opens a placeholder: `${`.
    pub prefix: String,
    /// What closes it: `}`.
    pub suffix: String,
    /// What stands after `flyway` in the built-in ones: `:`.
    pub separator: String,
    /// Keys in lower case.
    values: BTreeMap<String, String>,
    built_in: BTreeMap<&'static str, String>,
}

/// The names that Flyway fills in itself, after `flyway:`.
pub const BUILT_IN: &[&str] =
    &["defaultSchema", "user", "database", "timestamp", "filename", "workingDirectory", "table", "environment"];

impl Placeholders {
    /// No values yet.
    pub fn new(prefix: &str, suffix: &str, separator: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
            separator: separator.to_owned(),
            values: BTreeMap::new(),
            built_in: BTreeMap::new(),
        }
    }

    /// Adds a user's placeholder; keys are compared without regard to case.
    pub fn insert(&mut self, key: &str, value: impl Into<String>) {
        self.values.insert(key.to_lowercase(), value.into());
    }

    /// Fills in one of [`BUILT_IN`]; other names are not taken. Built-in ones win over a user's.
    pub fn set_built_in(&mut self, name: &str, value: impl Into<String>) {
        if let Some(known) = BUILT_IN.iter().find(|known| **known == name) {
            self.built_in.insert(known, value.into());
        }
    }

    fn lookup(&self, key: &str) -> Lookup<'_> {
        let lower = key.to_lowercase();
        let name =
            lower.strip_prefix("flyway").and_then(|rest| rest.strip_prefix(self.separator.to_lowercase().as_str()));
        let known = name.and_then(|name| BUILT_IN.iter().find(|known| known.to_lowercase() == name));
        match known {
            Some(known) => self.built_in.get(known).map_or(Lookup::LaterOnly, |value| Lookup::Value(value)),
            None => match self.values.get(&lower) {
                Some(value) => Lookup::Value(value),
                None if name.is_some() => Lookup::NoSuchBuiltIn,
                None => Lookup::Missing,
            },
        }
    }

    /// Replaces every placeholder.
    ///
    /// # Errors
    /// Every placeholder without a value, in the order of the text.
    pub fn replace(&self, text: &str) -> Result<Replaced, Vec<PlaceholderError>> {
        let mut out = Replaced { text: String::with_capacity(text.len()), map: OffsetMap::default() };
        let mut errors = Vec::new();
        self.scan(text, |piece| match piece {
            Piece::Verbatim { start, text } => out.verbatim(start, text),
            Piece::Placeholder { start, key, length } => match self.lookup(key) {
                Lookup::Value(value) => out.value(start, length, value),
                failed => errors.push(self.error(start, key, &failed)),
            },
            Piece::Unclosed { start, key } => errors.push(self.unclosed(start, key)),
        });
        if errors.is_empty() { Ok(out) } else { Err(errors) }
    }

    /// Replaces in the beginning of a longer text, unless it `is_all`, and gives the number of bytes behind which it has to
    /// go on. `take` gets what comes out, in order.
    pub(crate) fn replace_some(&self, text: &str, is_all: bool, mut take: impl FnMut(Output<'_>)) -> usize {
        self.scan_some(text, is_all, |piece| match piece {
            Piece::Verbatim { text, .. } => take(Output::Verbatim(text)),
            Piece::Placeholder { start, key, length } => {
                let written = &text[start..start + length];
                match self.lookup(key) {
                    Lookup::Value(value) => take(Output::Value { written, value }),
                    failed => take(Output::Failed { written, error: self.error(start, key, &failed) }),
                }
            }
            Piece::Unclosed { start, key } => {
                take(Output::Failed { written: &text[start..], error: self.unclosed(start, key) });
            }
        })
    }

    /// Checks a text without replacing: every placeholder that has no value and that no run can fill in.
    pub fn check(&self, text: &str) -> Vec<PlaceholderError> {
        let mut errors = Vec::new();
        self.scan(text, |piece| match piece {
            Piece::Verbatim { .. } => {}
            Piece::Placeholder { start, key, .. } => match self.lookup(key) {
                Lookup::Value(_) | Lookup::LaterOnly => {}
                failed => errors.push(self.error(start, key, &failed)),
            },
            Piece::Unclosed { start, key } => errors.push(self.unclosed(start, key)),
        });
        errors
    }

    fn error(&self, offset: usize, key: &str, failed: &Lookup<'_>) -> PlaceholderError {
        let key = crate::lexer::clip(key);
        let written = format!("{}{key}{}", self.prefix, self.suffix);
        let message = match failed {
            Lookup::Missing | Lookup::Value(_) => {
                format!("No value provided for placeholder: {written}.  Check your configuration!")
            }
            Lookup::LaterOnly | Lookup::NoSuchBuiltIn => {
                format!("Failed to populate value for default placeholder: {written}")
            }
        };
        PlaceholderError { offset, key, message }
    }

    fn unclosed(&self, offset: usize, key: &str) -> PlaceholderError {
        let key = crate::lexer::clip(key);
        let message = format!("the placeholder `{}` that opens here is never closed by `{}`", self.prefix, self.suffix);
        PlaceholderError { offset, key, message }
    }

    /// Goes through the text as Flyway's reader does. What starts like the prefix and is not it is copied together
    /// with the character that showed the difference: `$${a}` is no placeholder, and `$$${a}` is one.
    fn scan<'t>(&self, text: &'t str, take: impl FnMut(Piece<'t>)) {
        self.scan_some(text, true, take);
    }

    /// The same for the beginning of a longer text, unless it `is_all`: gives the number of bytes behind which it has to go on.
    /// What may turn out to be a placeholder is left for then.
    fn scan_some<'t>(&self, text: &'t str, is_all: bool, mut take: impl FnMut(Piece<'t>)) -> usize {
        let Some(first) = self.prefix.chars().next() else {
            take(Piece::Verbatim { start: 0, text });
            return text.len();
        };
        let (mut verbatim, mut at) = (0, 0);
        while let Some(found) = text[at..].find(first).map(|found| at + found) {
            let rest = &text[found..];
            if !is_all && rest.len() < self.prefix.len() && self.prefix.starts_with(rest) {
                take(Piece::Verbatim { start: verbatim, text: &text[verbatim..found] });
                return found;
            }
            if !rest.starts_with(self.prefix.as_str()) {
                at = found + differing_length(rest, &self.prefix);
                continue;
            }
            take(Piece::Verbatim { start: verbatim, text: &text[verbatim..found] });
            let inner = &rest[self.prefix.len()..];
            let Some(end) = inner.find(self.suffix.as_str()).filter(|_| !self.suffix.is_empty()) else {
                if !is_all {
                    return found;
                }
                take(Piece::Unclosed { start: found, key: inner });
                return text.len();
            };
            let length = self.prefix.len() + end + self.suffix.len();
            take(Piece::Placeholder { start: found, key: &inner[..end], length });
            at = found + length;
            verbatim = at;
        }
        take(Piece::Verbatim { start: verbatim, text: &text[verbatim..] });
        text.len()
    }
}

/// Bytes up to and including the first character in which `rest` differs from `prefix`.
fn differing_length(rest: &str, prefix: &str) -> usize {
    let same = rest.chars().zip(prefix.chars()).take_while(|(a, b)| a == b).count();
    rest.chars().take(same + 1).map(char::len_utf8).sum()
}

enum Lookup<'a> {
    Value(&'a str),
    /// Built in, and known only when a run starts.
    LaterOnly,
    NoSuchBuiltIn,
    Missing,
}

/// What comes out of replacing, in the order of the text.
pub(crate) enum Output<'t> {
    /// Text as it stands.
    Verbatim(&'t str),
    /// A placeholder, and what stands for it.
    Value { written: &'t str, value: &'t str },
    /// A placeholder without a value.
    Failed { written: &'t str, error: PlaceholderError },
}

enum Piece<'t> {
    Verbatim { start: usize, text: &'t str },
    Placeholder { start: usize, key: &'t str, length: usize },
    Unclosed { start: usize, key: &'t str },
}

/// A placeholder that has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PlaceholderError {
    /// Byte in the source text where the placeholder starts.
    pub offset: usize,
    /// Its key.
    pub key: String,
    /// Flyway's words.
    pub message: String,
}

/// A text with its placeholders replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// The text to run.
    pub text: String,
    /// The way back to the source.
    pub map: OffsetMap,
}

impl Replaced {
    /// A text in which nothing is replaced.
    pub fn unchanged(text: String) -> Self {
        Self { text, map: OffsetMap::default() }
    }

    fn verbatim(&mut self, start: usize, text: &str) {
        if !text.is_empty() {
            self.map.push(self.text.len(), start, true);
            self.text.push_str(text);
        }
    }

    fn value(&mut self, start: usize, length: usize, value: &str) {
        self.map.push(self.text.len(), start, false);
        self.text.push_str(value);
        // Text that follows, even at the very end, comes after the placeholder.
        self.map.push(self.text.len(), start + length, true);
    }
}

/// From bytes of a replaced text to bytes of its source; inside of a value, to the start of its placeholder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetMap {
    segments: Vec<Segment>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Segment {
    replaced: usize,
    source: usize,
    verbatim: bool,
}

impl OffsetMap {
    fn push(&mut self, replaced: usize, source: usize, verbatim: bool) {
        self.segments.push(Segment { replaced, source, verbatim });
    }

    /// The byte of the source for a byte of the replaced text.
    pub fn source(&self, replaced: usize) -> usize {
        let after = self.segments.partition_point(|segment| segment.replaced <= replaced);
        match after.checked_sub(1).map(|at| self.segments[at]) {
            None => replaced,
            Some(segment) if segment.verbatim => segment.source + (replaced - segment.replaced),
            Some(segment) => segment.source,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn placeholders() -> Placeholders {
        let mut placeholders = Placeholders::new("${", "}", ":");
        placeholders.insert("a", "XYZ");
        placeholders.insert("Empty", "");
        placeholders.set_built_in("table", "history");
        placeholders
    }

    fn replace(text: &str) -> String {
        placeholders().replace(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}")).text
    }

    #[test]
    fn replaces_everywhere_once_and_without_regard_to_case() {
        assert_eq!(replace("-- ${a} '${A}' ${empty}|"), "-- XYZ 'XYZ' |");
        assert_eq!(replace("${flyway:TABLE}"), "history");
        let mut nested = placeholders();
        nested.insert("n", "${a}");
        assert_eq!(nested.replace("${n}").expect("replaced").text, "${a}");
    }

    #[test]
    fn a_lone_dollar_swallows_the_next_character() {
        assert_eq!(replace("$${a}"), "$${a}");
        assert_eq!(replace("$$${a}"), "$$XYZ");
        assert_eq!(replace("$é${a} $"), "$éXYZ $");
        assert_eq!(replace("do $$ ${a} $$"), "do $$ XYZ $$");
    }

    #[test]
    fn missing_values_are_all_reported_in_flyways_words() {
        let errors = placeholders().replace("${a} ${b}\n${flyway:x} ${flyway:user} ${c").expect_err("missing");
        let found: Vec<_> = errors.iter().map(|error| (error.offset, error.message.as_str())).collect();
        assert_eq!(
            found,
            [
                (5, "No value provided for placeholder: ${b}.  Check your configuration!"),
                (10, "Failed to populate value for default placeholder: ${flyway:x}"),
                (22, "Failed to populate value for default placeholder: ${flyway:user}"),
                (37, "the placeholder `${` that opens here is never closed by `}`"),
            ]
        );
        let early: Vec<_> =
            placeholders().check("${b} ${flyway:x} ${flyway:user}").into_iter().map(|e| e.key).collect();
        assert_eq!(early, ["b", "flyway:x"], "what a run fills in is no error before it");
    }

    #[test]
    fn other_spellings() {
        let mut own = Placeholders::new("<<", ">>", ".");
        own.insert("a", "1");
        own.set_built_in("table", "h");
        assert_eq!(own.replace("<<a>> < <<flyway.table>> <x<<a>>").expect("replaced").text, "1 < h <x1");
    }

    #[test]
    fn the_map_leads_back() {
        let text = "x ${a} y ${empty} z";
        let replaced = placeholders().replace(text).expect("replaced");
        for needle in ["x", "y", "z"] {
            let at = replaced.text.find(needle).expect(needle);
            assert_eq!(replaced.map.source(at), text.find(needle).expect(needle), "{needle}");
        }
        assert_eq!(replaced.map.source(4), 2, "inside of a value: the placeholder");
    }

    proptest! {
        #[test]
        fn the_map_is_monotone_and_stays_inside(pieces in prop::collection::vec(prop::sample::select(vec!["$", "{", "}", "${a}", "${empty}", "é", "x", "\n"]), 0..20)) {
            let text = pieces.concat();
            if let Ok(replaced) = placeholders().replace(&text) {
                let mut last = 0;
                for at in 0..=replaced.text.len() {
                    let source = replaced.map.source(at);
                    prop_assert!(source >= last && source <= text.len(), "{at}: {source} after {last}");
                    last = source;
                }
            }
        }
    }
}
