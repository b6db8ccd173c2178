//! What a statement makes or alters.

use std::ops::Range;

use trueup_model::finding::ObjectKind;

use super::OriginIndex;
use super::cursor::{Cursor, Name, tokens};
use super::derived;
use crate::lexer::{Lexer, TokenKind};

/// Notes all objects of one statement in the index.
pub(super) fn read(sql: &str, range: &Range<usize>, index: &mut OriginIndex<'_>) {
    let first = Lexer::new(sql, range.start).next().ok().flatten();
    let starts = |keyword: &str| first.is_some_and(|token| token.is_word(sql, keyword));
    if starts("DO") {
        index.do_blocks.push(range.clone());
    } else if starts("CREATE") || starts("ALTER") {
        let tokens = tokens(sql, range);
        let mut reader = Reader { index, start: range.start };
        let mut cursor = Cursor::new(sql, &tokens);
        // A statement of a form that is not known ends its reading early; what was noted before stays.
        let _ = if cursor.accept("CREATE") { reader.create(&mut cursor) } else { reader.alter(&mut cursor) };
    }
}

struct Reader<'i, 's> {
    index: &'i mut OriginIndex<'s>,
    start: usize,
}

/// Words that may stand between CREATE and the kind of object.
const MODIFIERS: &[&str] = &[
    "OR",
    "REPLACE",
    "GLOBAL",
    "LOCAL",
    "TEMP",
    "TEMPORARY",
    "UNLOGGED",
    "FOREIGN",
    "UNIQUE",
    "RECURSIVE",
    "CONSTRAINT",
    "TRUSTED",
    "MATERIALIZED",
];
/// Kinds of objects by their keyword.
const KINDS: &[(&str, ObjectKind)] = &[
    ("TABLE", ObjectKind::Table),
    ("INDEX", ObjectKind::Index),
    ("VIEW", ObjectKind::View),
    ("SEQUENCE", ObjectKind::Sequence),
    ("TYPE", ObjectKind::Type),
    ("DOMAIN", ObjectKind::Type),
    ("FUNCTION", ObjectKind::Routine),
    ("PROCEDURE", ObjectKind::Routine),
    ("AGGREGATE", ObjectKind::Routine),
    ("SCHEMA", ObjectKind::Schema),
    ("EXTENSION", ObjectKind::Extension),
    ("TRIGGER", ObjectKind::Trigger),
    ("POLICY", ObjectKind::Policy),
];

fn object_kind(cursor: &mut Cursor<'_>) -> Option<ObjectKind> {
    KINDS.iter().find_map(|&(keyword, kind)| cursor.accept(keyword).then_some(kind))
}

/// Words that start a constraint of a table that has no name.
const CONSTRAINT_WORDS: &[&str] = &["PRIMARY", "UNIQUE", "CHECK", "FOREIGN", "EXCLUDE"];

impl Reader<'_, '_> {
    fn create(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        while cursor.accept_any(MODIFIERS) {}
        let kind = object_kind(cursor)?;
        if kind == ObjectKind::Index {
            return self.create_index(cursor);
        }
        cursor.accept_existence();
        match kind {
            ObjectKind::Table => self.create_table(cursor),
            ObjectKind::Trigger | ObjectKind::Policy => self.create_member(kind, cursor),
            ObjectKind::Schema | ObjectKind::Extension => {
                let name = cursor.identifier()?;
                self.index.add(kind, None, &[&name], self.start);
                Some(())
            }
            _ => {
                let name = cursor.name()?;
                self.index.add(kind, name.schema.as_deref(), &[&name.name], self.start);
                Some(())
            }
        }
    }

    fn create_table(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        let table = cursor.name()?;
        self.index.add(ObjectKind::Table, table.schema.as_deref(), &[&table.name], self.start);
        if cursor.accept_all(&["PARTITION", "OF"]) || cursor.accept("OF") {
            cursor.name()?;
        }
        for mut element in cursor.parenthesised()?.elements() {
            self.table_element(&table, &mut element);
        }
        Some(())
    }

    /// A column or constraint, inside of CREATE TABLE or after ADD.
    fn table_element(&mut self, table: &Name, element: &mut Cursor<'_>) -> Option<()> {
        let offset = element.offset();
        if element.is("LIKE") {
            return None;
        }
        if element.accept("CONSTRAINT") {
            let name = element.identifier()?;
            self.member(ObjectKind::Constraint, table, &name, offset);
            return Some(());
        }
        if element.is_any(CONSTRAINT_WORDS) {
            return self.unnamed_constraint(table, element, offset);
        }
        let column = element.identifier()?;
        self.member(ObjectKind::Column, table, &column, offset);
        self.column_clauses(table, &column, element, offset);
        Some(())
    }

    fn column_clauses(&mut self, table: &Name, column: &str, element: &mut Cursor<'_>, offset: usize) {
        let serial = element.is_any(&["SERIAL", "BIGSERIAL", "SMALLSERIAL", "SERIAL4", "SERIAL8", "SERIAL2"]);
        let mut identity = false;
        let mut given: Option<(String, usize)> = None;
        while element.peek().is_some() {
            let at = element.offset();
            if element.accept("CONSTRAINT") {
                given = element.identifier().map(|name| (name, at));
                continue;
            }
            identity |= element.is("IDENTITY");
            let label = match () {
                () if element.is("PRIMARY") => Some(("", "pkey")),
                () if element.is("UNIQUE") => Some((column, "key")),
                () if element.is("REFERENCES") => Some((column, "fkey")),
                () if element.is("CHECK") => Some((column, "check")),
                () => None,
            };
            if let Some((columns, label)) = label {
                let (name, at) = given.take().unwrap_or_else(|| (derived::name(&table.name, columns, label), at));
                self.member(ObjectKind::Constraint, table, &name, at);
            }
            element.skip_one();
        }
        if serial || identity {
            let name = derived::name(&table.name, column, "seq");
            self.index.add(ObjectKind::Sequence, table.schema.as_deref(), &[&name], offset);
        }
    }

    fn unnamed_constraint(&mut self, table: &Name, element: &mut Cursor<'_>, offset: usize) -> Option<()> {
        let label = match () {
            () if element.accept("PRIMARY") => "pkey",
            () if element.accept("UNIQUE") => "key",
            () if element.accept("FOREIGN") => "fkey",
            () if element.accept("EXCLUDE") => "excl",
            () if element.accept("CHECK") => "check",
            () => return None,
        };
        while element.kind() != Some(TokenKind::Open) {
            element.next()?;
        }
        let inner = element.parenthesised()?;
        let columns = match label {
            "pkey" => String::new(),
            "check" => return self.unnamed_check(table, &inner, offset),
            _ => element_names(inner).join("_"),
        };
        self.member(ObjectKind::Constraint, table, &derived::name(&table.name, &columns, label), offset);
        Some(())
    }

    /// A check of a table is named after its column when it reads exactly one.
    fn unnamed_check(&mut self, table: &Name, inner: &Cursor<'_>, offset: usize) -> Option<()> {
        self.member(ObjectKind::Constraint, table, &derived::name(&table.name, "", "check"), offset);
        for word in inner.identifiers() {
            self.member(ObjectKind::Constraint, table, &derived::name(&table.name, &word, "check"), offset);
        }
        Some(())
    }

    fn create_index(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        cursor.accept("CONCURRENTLY");
        cursor.accept_existence();
        let given = if cursor.is("ON") { None } else { Some(cursor.identifier()?) };
        cursor.accept("ON");
        cursor.accept("ONLY");
        let table = cursor.name()?;
        while cursor.kind() != Some(TokenKind::Open) {
            cursor.next()?;
        }
        let names = element_names(cursor.parenthesised()?);
        let name = given.unwrap_or_else(|| derived::name(&table.name, &names.join("_"), "idx"));
        self.index.add(ObjectKind::Index, table.schema.as_deref(), &[&name], self.start);
        Some(())
    }

    /// `CREATE TRIGGER name … ON table`, `CREATE POLICY name ON table`.
    fn create_member(&mut self, kind: ObjectKind, cursor: &mut Cursor<'_>) -> Option<()> {
        let name = cursor.identifier()?;
        cursor.skip_past("ON").then_some(())?;
        let table = cursor.name()?;
        self.member(kind, &table, &name, self.start);
        Some(())
    }

    fn alter(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        cursor.accept("ALTER");
        while cursor.accept_any(&["FOREIGN", "MATERIALIZED"]) {}
        let kind = object_kind(cursor)?;
        cursor.accept_existence();
        match kind {
            ObjectKind::Table => self.alter_table(cursor),
            ObjectKind::Trigger | ObjectKind::Policy => self.alter_member(kind, cursor),
            _ => self.alter_plain(kind, cursor),
        }
    }

    /// ALTER of what has no members: it, its new name, or it in its new schema.
    fn alter_plain(&mut self, kind: ObjectKind, cursor: &mut Cursor<'_>) -> Option<()> {
        let name = cursor.name()?;
        if cursor.kind() == Some(TokenKind::Open) {
            cursor.skip_one();
        }
        if cursor.accept_all(&["RENAME", "TO"]) {
            let new = cursor.identifier()?;
            self.index.add(kind, name.schema.as_deref(), &[&new], self.start);
        } else if cursor.accept_all(&["SET", "SCHEMA"]) {
            let schema = cursor.identifier()?;
            self.index.add(kind, Some(&schema), &[&name.name], self.start);
        } else {
            self.index.add(kind, name.schema.as_deref(), &[&name.name], self.start);
        }
        Some(())
    }

    fn alter_member(&mut self, kind: ObjectKind, cursor: &mut Cursor<'_>) -> Option<()> {
        let name = cursor.identifier()?;
        cursor.accept("ON").then_some(())?;
        let table = cursor.name()?;
        let name = if cursor.accept_all(&["RENAME", "TO"]) { cursor.identifier()? } else { name };
        self.member(kind, &table, &name, self.start);
        Some(())
    }

    fn alter_table(&mut self, cursor: &mut Cursor<'_>) -> Option<()> {
        cursor.accept("ONLY");
        let table = cursor.name()?;
        if cursor.accept("RENAME") {
            return self.rename(&table, cursor);
        }
        if cursor.accept_all(&["SET", "SCHEMA"]) {
            let schema = cursor.identifier()?;
            self.index.add(ObjectKind::Table, Some(&schema), &[&table.name], self.start);
            return Some(());
        }
        self.index.add_first(ObjectKind::Table, table.schema.as_deref(), &table.name, self.start);
        for mut action in cursor.elements() {
            self.alter_action(&table, &mut action);
        }
        Some(())
    }

    fn rename(&mut self, table: &Name, cursor: &mut Cursor<'_>) -> Option<()> {
        if cursor.accept("TO") {
            let new = cursor.identifier()?;
            self.index.add(ObjectKind::Table, table.schema.as_deref(), &[&new], self.start);
            return Some(());
        }
        let kind = if cursor.accept("CONSTRAINT") { ObjectKind::Constraint } else { ObjectKind::Column };
        cursor.accept("COLUMN");
        cursor.identifier()?;
        cursor.accept("TO").then_some(())?;
        let new = cursor.identifier()?;
        self.member(kind, table, &new, self.start);
        Some(())
    }

    fn alter_action(&mut self, table: &Name, action: &mut Cursor<'_>) -> Option<()> {
        let offset = action.offset();
        if action.accept("ADD") {
            action.accept("COLUMN");
            action.accept_existence();
            self.table_element(table, action)?;
        } else if action.accept_all(&["ALTER", "CONSTRAINT"]) || action.accept_all(&["VALIDATE", "CONSTRAINT"]) {
            let name = action.identifier()?;
            self.member(ObjectKind::Constraint, table, &name, offset);
        } else if action.accept("ALTER") {
            action.accept("COLUMN");
            let column = action.identifier()?;
            self.member(ObjectKind::Column, table, &column, offset);
        } else if action.accept("ENABLE") || action.accept("DISABLE") {
            action.accept_any(&["REPLICA", "ALWAYS"]);
            action.accept("TRIGGER").then_some(())?;
            let name = action.identifier()?;
            self.member(ObjectKind::Trigger, table, &name, offset);
        }
        Some(())
    }

    fn member(&mut self, kind: ObjectKind, table: &Name, name: &str, offset: usize) {
        self.index.add(kind, table.schema.as_deref(), &[&table.name, name], offset);
    }
}

/// The columns of a list; `expr` for an expression, as PostgreSQL names it (a function by its own name).
fn element_names(mut list: Cursor<'_>) -> Vec<String> {
    let elements = list.elements();
    elements
        .into_iter()
        .map(|mut element| {
            let parenthesised = element.kind() == Some(TokenKind::Open);
            if parenthesised { "expr".to_owned() } else { element.identifier().unwrap_or_else(|| "expr".to_owned()) }
        })
        .collect()
}
