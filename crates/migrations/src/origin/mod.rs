//! Where in a script an object is made or altered: the line a person wants to see.
//!
//! Works on tokens, not on a syntax tree: linear, without recursion, and not put off by a statement that no parser
//! knows yet.

pub(crate) mod cursor;
mod ddl;
mod derived;

use std::collections::HashMap;

use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::location::Location;

use crate::migration::Script;
use crate::statements::{Split, split};

/// Objects by kind and name, built once per script.
#[derive(Debug)]
pub struct OriginIndex<'s> {
    script: &'s Script,
    places: HashMap<Key, Vec<Place>>,
    first: usize,
    do_blocks: Vec<std::ops::Range<usize>>,
}

/// Kind, and names without the schema.
type Key = (ObjectKind, Vec<String>);

#[derive(Clone, Debug)]
struct Place {
    /// The schema, when it is written.
    schema: Option<String>,
    offset: usize,
}

/// Longer scripts are not searched for a mere mention of a name.
const MAX_TEXT_SEARCH: usize = 2 << 20;

impl<'s> OriginIndex<'s> {
    /// Reads the script's DDL.
    pub fn new(script: &'s Script) -> Self {
        let sql = &script.sql.text;
        let split = split(sql).unwrap_or_else(|error| complete_part(sql, error.offset));
        let first = split.statements.first().map_or(0, |statement| statement.range.start);
        let mut index = Self { script, places: HashMap::new(), first, do_blocks: Vec::new() };
        for statement in &split.statements {
            ddl::read(sql, &statement.range, &mut index);
        }
        index
    }

    /// The place that makes or last alters the object: its own line where the script says so, else the first mention
    /// of its name (in DO blocks first), else the first statement.
    pub fn locate(&self, object: &ObjectPath) -> Location {
        self.find(object).unwrap_or_else(|| self.script.locate(self.mention(object).unwrap_or(self.first)))
    }

    /// The place of the DDL that makes or last alters the object; `None` when this script has none.
    pub fn find(&self, object: &ObjectPath) -> Option<Location> {
        self.offset(object).map(|offset| self.script.locate(offset))
    }

    fn offset(&self, object: &ObjectPath) -> Option<usize> {
        let names: Vec<&str> = object.path.iter().map(trueup_model::name::Identifier::as_str).collect();
        match (object.kind, names.as_slice()) {
            (ObjectKind::Schema | ObjectKind::Extension, [name]) => self.get(object.kind, None, &[name]),
            (ObjectKind::Table | ObjectKind::View, [schema, name]) => self
                .get(object.kind, Some(schema), &[name])
                .or_else(|| self.get(ObjectKind::Table, Some(schema), &[name])),
            (ObjectKind::Sequence | ObjectKind::Type, [schema, name]) => self.numbered(object.kind, schema, &[name]),
            (ObjectKind::Routine, [schema, name]) => {
                self.get(ObjectKind::Routine, Some(schema), &[name.split('(').next().unwrap_or(name)])
            }
            (ObjectKind::Index, [schema, table, name]) => self
                .numbered(ObjectKind::Index, schema, &[name])
                .or_else(|| self.numbered(ObjectKind::Constraint, schema, &[table, name])),
            (_, [schema, table, name]) => self.numbered(object.kind, schema, &[table, name]),
            _ => None,
        }
    }

    /// As [`Self::get`]; a name that PostgreSQL made unique with a number is found without it too.
    fn numbered(&self, kind: ObjectKind, schema: &str, names: &[&str]) -> Option<usize> {
        self.get(kind, Some(schema), names).or_else(|| {
            let (last, before) = names.split_last()?;
            let bare = last.trim_end_matches(|c: char| c.is_ascii_digit());
            let names: Vec<&str> = before.iter().copied().chain([bare]).collect();
            (bare.len() < last.len()).then(|| self.get(kind, Some(schema), &names))?
        })
    }

    /// The last place with this schema, or with none written.
    fn get(&self, kind: ObjectKind, schema: Option<&str>, names: &[&str]) -> Option<usize> {
        let key = (kind, names.iter().map(|&name| name.to_owned()).collect());
        let fits = |place: &&Place| place.schema.is_none() || schema.is_none() || place.schema.as_deref() == schema;
        self.places.get(&key)?.iter().rev().find(fits).map(|place| place.offset)
    }

    /// Notes a place.
    fn add(&mut self, kind: ObjectKind, schema: Option<&str>, names: &[&str], offset: usize) {
        let key = (kind, names.iter().map(|&name| name.to_owned()).collect());
        self.places.entry(key).or_default().push(Place { schema: schema.map(str::to_owned), offset });
    }

    /// Notes a place unless the object has one: where a table is made says more than where it is altered.
    fn add_first(&mut self, kind: ObjectKind, schema: Option<&str>, name: &str, offset: usize) {
        if self.get(kind, schema, &[name]).is_none() {
            self.add(kind, schema, &[name], offset);
        }
    }

    /// The first mention of the object's name as a whole word, in DO blocks first.
    fn mention(&self, object: &ObjectPath) -> Option<usize> {
        let sql = &self.script.sql.text;
        if sql.len() > MAX_TEXT_SEARCH {
            return None;
        }
        let name = object.path.last()?.as_str().split('(').next()?;
        let table = object.path.len().checked_sub(2).map(|at| object.path[at].as_str());
        let in_blocks =
            || self.do_blocks.iter().flat_map(|range| words_in(&sql[range.clone()], name).map(|at| range.start + at));
        // The same name in several tables: the mention that follows this table's name.
        let beside_table = in_blocks().find(|&at| table.is_none_or(|table| near(sql, at, table)));
        beside_table.or_else(|| in_blocks().next()).or_else(|| words_in(sql, name).next())
    }
}

/// What comes before the trouble in a script that cannot be cut.
fn complete_part(sql: &str, offset: usize) -> Split {
    sql.get(..offset)
        .and_then(|part| crate::statements::split_window(part).ok())
        .map(|(split, _)| split)
        .unwrap_or_default()
}

/// The places of `name` in `text` as a whole word, without regard to ASCII case.
fn words_in<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = usize> + 't {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80;
    let (bytes, name) = (text.as_bytes(), name.as_bytes());
    let starts = if name.is_empty() { 0 } else { (bytes.len() + 1).saturating_sub(name.len()) };
    (0..starts).filter(move |&at| {
        let end = at + name.len();
        bytes[at].eq_ignore_ascii_case(&name[0])
            && bytes[at..end].eq_ignore_ascii_case(name)
            && !(at > 0 && part(bytes[at - 1]))
            && !bytes.get(end).is_some_and(|&byte| part(byte))
    })
}

/// Whether `table` is named in the 400 bytes before `at`.
fn near(sql: &str, at: usize, table: &str) -> bool {
    let mut from = at.saturating_sub(400);
    while !sql.is_char_boundary(from) {
        from += 1;
    }
    words_in(&sql[from..at], table).next().is_some()
}

#[cfg(test)]
mod tests;
