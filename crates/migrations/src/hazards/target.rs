//! Which table a statement is about, and which tables there are when it runs.

use std::ops::Range;

use crate::origin::cursor::{Cursor, Name, tokens};

/// What a statement does to a table.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// Makes it.
    Created(Name),
    /// Gives it another name, in the same schema.
    Renamed(Name, String),
    /// Drops it.
    Dropped(Name),
    /// Anything else.
    Of(Name),
}

/// A table that the database has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Table {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// How many rows the last ANALYZE estimated; none when there was none.
    pub rows: Option<u64>,
}

/// The tables of the database, as they are when the next statement runs. Those that the statements make are not among
/// them: they are empty, and nobody knows them.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    default_schema: String,
    old: Vec<Table>,
}

impl Tables {
    pub(super) fn new(default_schema: &str, old: Vec<Table>) -> Self {
        Self { default_schema: default_schema.to_owned(), old }
    }

    /// The table of the database that a name stands for; none for a new one. A name without a schema is of the default
    /// schema, else of any: the rest of the search path is up to the session.
    pub(super) fn find(&self, target: &Target) -> Option<&Table> {
        let (Target::Created(name) | Target::Renamed(name, _) | Target::Dropped(name) | Target::Of(name)) = target;
        self.position(name).map(|at| &self.old[at])
    }

    fn position(&self, name: &Name) -> Option<usize> {
        let of_schema =
            |schema: &str| self.old.iter().position(|table| table.schema == schema && table.name == name.name);
        match &name.schema {
            Some(schema) => of_schema(schema),
            None => {
                of_schema(&self.default_schema).or_else(|| self.old.iter().position(|table| table.name == name.name))
            }
        }
    }

    /// Takes in what a statement did.
    pub(super) fn note(&mut self, target: Target) {
        match target {
            Target::Renamed(name, to) => {
                if let Some(at) = self.position(&name) {
                    self.old[at].name = to;
                }
            }
            Target::Dropped(name) => {
                if let Some(at) = self.position(&name) {
                    self.old.swap_remove(at);
                }
            }
            Target::Created(_) | Target::Of(_) => {}
        }
    }
}

/// The table that a statement is about; none for those about several tables, or none.
pub(super) fn of(text: &str, range: &Range<usize>) -> Option<Target> {
    let tokens = tokens(text, range);
    let mut cursor = Cursor::new(text, &tokens);
    if cursor.accept("CREATE") {
        return created(&mut cursor);
    }
    if cursor.accept_all(&["ALTER", "TABLE"]) {
        cursor.accept_existence();
        let name = table(&mut cursor)?;
        if cursor.accept_all(&["RENAME", "TO"]) {
            return Some(Target::Renamed(name, cursor.identifier()?));
        }
        return Some(Target::Of(name));
    }
    if cursor.accept_all(&["DROP", "TABLE"]) {
        cursor.accept_existence();
        let name = cursor.name()?;
        return alone(&cursor).then_some(Target::Dropped(name));
    }
    if cursor.accept("TRUNCATE") {
        cursor.accept("TABLE");
        let name = table(&mut cursor)?;
        return alone(&cursor).then_some(Target::Of(name));
    }
    cursor.accept_all(&["DELETE", "FROM"]).then(|| table(&mut cursor))?.map(Target::Of)
}

/// Nothing but options behind the name.
fn alone(cursor: &Cursor<'_>) -> bool {
    cursor.peek().is_none() || cursor.is_any(&["CASCADE", "RESTRICT", "RESTART", "CONTINUE"])
}

fn table(cursor: &mut Cursor<'_>) -> Option<Name> {
    cursor.accept("ONLY");
    cursor.name()
}

fn created(cursor: &mut Cursor<'_>) -> Option<Target> {
    while cursor.accept_any(&["GLOBAL", "LOCAL", "TEMP", "TEMPORARY", "UNLOGGED", "UNIQUE"]) {}
    if cursor.accept("TABLE") {
        cursor.accept_existence();
        return cursor.name().map(Target::Created);
    }
    if cursor.accept("INDEX") {
        return cursor.skip_past("ON").then(|| table(cursor))?.map(Target::Of);
    }
    None
}
