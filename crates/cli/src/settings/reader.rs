//! A TOML table read key by key: wrong types and unknown keys are collected, with their place and a suggestion.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use trueup_model::location::{Located, Location};

use crate::report::InputError;
use crate::suggest::nearest;

/// One file, and what is wrong with it so far.
pub(super) struct Reader<'a> {
    file: Arc<str>,
    text: &'a str,
    errors: RefCell<Vec<InputError>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &str, text: &'a str) -> Self {
        Self { file: file.into(), text, errors: RefCell::default() }
    }

    /// Turns a byte offset into a place.
    pub(super) fn at(&self, offset: usize) -> Location {
        let before = self.text.get(..offset).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Location::new(self.file.clone(), number(line), number(column))
    }

    /// Notes a mistake.
    pub(super) fn wrong(&self, offset: usize, message: impl Into<String>, help: impl Into<String>) {
        self.errors.borrow_mut().push(InputError::at(self.at(offset), message, help));
    }

    /// The mistakes in the order of the file.
    pub(super) fn into_errors(self) -> Vec<InputError> {
        let mut errors = self.errors.into_inner();
        errors.sort_by_key(|error| error.location.as_ref().map(|at| (at.line, at.column)));
        errors
    }
}

/// One table under way.
pub(super) struct Table<'r, 't> {
    pub(super) reader: &'r Reader<'t>,
    /// `check`, `services.svc-x`; empty at the top.
    path: String,
    /// Where the table stands.
    pub(super) span: Range<usize>,
    entries: &'r DeTable<'t>,
    known: RefCell<Vec<&'static str>>,
}

impl<'r, 't> Table<'r, 't> {
    pub(super) fn new(reader: &'r Reader<'t>, path: String, table: &'r DeTable<'t>, span: Range<usize>) -> Self {
        Self { reader, path, span, entries: table, known: RefCell::default() }
    }

    /// Every key with its value, for tables whose keys are names.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'r str, usize, &'r Spanned<DeValue<'t>>)> + use<'r, 't> {
        self.entries.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value))
    }

    /// The value of a key, which is known from now on.
    pub(super) fn get(&self, key: &'static str) -> Option<&'r Spanned<DeValue<'t>>> {
        self.known.borrow_mut().push(key);
        self.entries().find(|(name, ..)| *name == key).map(|(.., value)| value)
    }

    pub(super) fn string(&self, key: &'static str) -> Option<Located<String>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Located::new(text.to_string(), self.reader.at(value.span().start))),
            _ => self.expected(key, "a string in quotes", value),
        }
    }

    /// A list of strings; one string stands for a list of one.
    pub(super) fn strings(&self, key: &'static str) -> Vec<Located<String>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let items: Vec<&Spanned<DeValue<'t>>> = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let text = |item: &Spanned<DeValue<'t>>| match item.get_ref() {
            DeValue::String(text) => Some(Located::new(text.to_string(), self.reader.at(item.span().start))),
            _ => self.expected(key, "a list of strings", item),
        };
        items.into_iter().filter_map(text).collect()
    }

    pub(super) fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        value.get_ref().as_bool().or_else(|| self.expected(key, "true or false", value))
    }

    /// A whole number from `range`.
    pub(super) fn number(&self, key: &'static str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let value = self.get(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => u64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let wanted = format!("a whole number from {} to {}", range.start(), range.end());
        number.filter(|number| range.contains(number)).or_else(|| self.expected(key, &wanted, value))
    }

    pub(super) fn table(&self, key: &'static str) -> Option<Table<'r, 't>> {
        let value = self.get(key)?;
        self.as_table(key, value)
    }

    /// A value as a table named `name` inside this one.
    pub(super) fn as_table(&self, name: &str, value: &'r Spanned<DeValue<'t>>) -> Option<Table<'r, 't>> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(self.reader, self.inner(name), table, value.span())),
            _ => self.expected(name, "a table", value),
        }
    }

    /// A list of tables (`[[key]]`).
    pub(super) fn tables(&self, key: &'static str) -> Vec<Table<'r, 't>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        match value.get_ref() {
            DeValue::Array(items) => items.iter().filter_map(|item| self.as_table(key, item)).collect(),
            _ => {
                self.expected::<()>(key, &format!("a list of tables, [[{}]]", self.inner(key)), value);
                Vec::new()
            }
        }
    }

    /// Notes that a value is not what it should be.
    pub(super) fn expected<T>(&self, key: &str, wanted: &str, value: &Spanned<DeValue<'t>>) -> Option<T> {
        let (name, is) = (self.inner(key), kind(value.get_ref()));
        self.reader.wrong(value.span().start, format!("`{name}` is {is}; expected {wanted}"), "");
        None
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(&self) {
        let known = self.known.borrow();
        for (key, offset, _) in self.entries().filter(|(key, ..)| !known.contains(key)) {
            let place = if self.path.is_empty() { "at the top".to_owned() } else { format!("in [{}]", self.path) };
            let help = match nearest(key, known.iter().copied()) {
                Some(word) => format!("did you mean `{word}`?"),
                None => format!("known here: {}", known.join(", ")),
            };
            self.reader.wrong(offset, format!("unknown key `{key}` {place}"), help);
        }
    }

    fn inner(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }
}

fn kind(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) if text.chars().count() <= 40 => format!("{:?}", text.as_ref()),
        DeValue::String(_) => "a long string".to_owned(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Datetime(date) => format!("the date {date}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
