//! The rows of one answer, sorted by what they hang on.

use std::collections::{HashMap, HashSet};

use serde::Deserialize;
use trueup_model::name::{Identifier, QualifiedName};

use super::Options;
use super::row;

/// All rows. Members stand under the oid of what they belong to; what belongs to something that was left out is
/// simply never asked for.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub server: row::Server,
    pub schemas: Vec<row::Schema>,
    pub extensions: Vec<row::Extension>,
    pub relations: HashMap<i64, row::Relation>,
    pub parents: HashMap<i64, Vec<row::Inherits>>,
    pub columns: HashMap<i64, Vec<row::Column>>,
    pub constraints: HashMap<i64, Vec<row::Constraint>>,
    pub indexes: HashMap<i64, Vec<row::Index>>,
    pub index_keys: HashMap<i64, Vec<row::IndexKey>>,
    pub triggers: HashMap<i64, Vec<row::Trigger>>,
    pub policies: HashMap<i64, Vec<row::Policy>>,
    pub sequences: Vec<row::Sequence>,
    /// Relation and column number of serial columns, known once the sequences are.
    pub serials: HashSet<(i64, i16)>,
    pub types: Vec<row::Type>,
    pub domain_checks: HashMap<i64, Vec<row::DomainCheck>>,
    pub routines: Vec<row::Routine>,
    pub comments: HashMap<(String, i64, i16), String>,
    pub others: Vec<row::Other>,
    pub default_privileges: Vec<row::DefaultPrivilege>,
}

fn parse<'a, T: Deserialize<'a>>(item: &'a str) -> Result<T, serde_json::Error> {
    serde_json::from_str(item)
}

/// Adds a row under the oid it hangs on.
fn hang<T>(on: &mut HashMap<i64, Vec<T>>, row: T, oid: impl Fn(&T) -> i64) {
    on.entry(oid(&row)).or_default().push(row);
}

impl Catalog {
    /// Takes one row of one section.
    pub(super) fn take(&mut self, section: &str, item: &str) -> Result<(), serde_json::Error> {
        match section {
            "server" => self.server = parse(item)?,
            "schema" => self.schemas.push(parse(item)?),
            "extension" => self.extensions.push(parse(item)?),
            "relation" => {
                let relation: row::Relation = parse(item)?;
                self.relations.insert(relation.oid, relation);
            }
            "sequence" => self.sequences.push(parse(item)?),
            "type" => self.types.push(parse(item)?),
            "routine" => self.routines.push(parse(item)?),
            "other" => self.others.push(parse(item)?),
            "default_privileges" => self.default_privileges.push(parse(item)?),
            "comment" => {
                let row::Comment { class, oid, number, text } = parse(item)?;
                self.comments.insert((class, oid, number), text);
            }
            member => return self.take_member(member, item),
        }
        Ok(())
    }

    /// Takes one row that hangs on another.
    fn take_member(&mut self, section: &str, item: &str) -> Result<(), serde_json::Error> {
        match section {
            "inherits" => hang(&mut self.parents, parse(item)?, |row| row.child),
            "column" => hang(&mut self.columns, parse(item)?, |row| row.relation),
            "constraint" => hang(&mut self.constraints, parse(item)?, |row| row.relation),
            "index" => hang(&mut self.indexes, parse(item)?, |row| row.relation),
            "index_key" => hang(&mut self.index_keys, parse(item)?, |row| row.index),
            "trigger" => hang(&mut self.triggers, parse(item)?, |row| row.relation),
            "policy" => hang(&mut self.policies, parse(item)?, |row| row.relation),
            "domain_check" => hang(&mut self.domain_checks, parse(item)?, |row| row.domain),
            unheard => return Err(serde::de::Error::custom(format!("no section is called {unheard}"))),
        }
        Ok(())
    }

    /// Drops what the options leave out. Members go with what they hang on.
    pub(super) fn leave_out(&mut self, options: &Options) {
        if let Some(history) = &options.history_table {
            self.relations.retain(|_, relation| &relation.qualified() != history);
        }
        if let Some(schemas) = &options.schemas {
            let wanted = |schema: &str| schemas.contains(&Identifier::from(schema));
            self.schemas.retain(|row| wanted(&row.name));
            self.relations.retain(|_, row| wanted(&row.schema));
            self.types.retain(|row| wanted(&row.schema));
            self.routines.retain(|row| wanted(&row.schema));
            self.others.retain(|row| row.schema.as_deref().is_none_or(wanted));
            self.default_privileges.retain(|row| row.schema.is_empty() || wanted(&row.schema));
        }
    }

    /// The comment on an object (`number` 0) or on one of its columns, once.
    pub(super) fn comment(&mut self, class: &str, oid: i64, number: i16) -> Option<String> {
        self.comments.remove(&(class.to_owned(), oid, number))
    }

    /// The name of a column by its number.
    pub(super) fn column_name(&self, relation: i64, number: i16) -> Option<Identifier> {
        let columns = self.columns.get(&relation)?;
        columns.iter().find(|column| column.number == number).map(|column| Identifier::from(column.name.as_str()))
    }

    /// The names of columns by their numbers, in the order of the numbers.
    pub(super) fn column_names(&self, relation: i64, numbers: &[i16]) -> Vec<Identifier> {
        numbers.iter().filter_map(|&number| self.column_name(relation, number)).collect()
    }
}

impl row::Relation {
    /// Schema and name.
    pub(super) fn qualified(&self) -> QualifiedName {
        QualifiedName::new(self.schema.as_str(), self.name.as_str())
    }
}

/// Schema and name out of a row, where both are there.
pub(super) fn qualified(schema: Option<&String>, name: Option<&String>) -> Option<QualifiedName> {
    Some(QualifiedName::new(schema?.as_str(), name?.as_str()))
}

/// Options sorted, so that the order in which they were set does not show.
pub(super) fn sorted(options: Option<Vec<String>>) -> Vec<String> {
    let mut options = options.unwrap_or_default();
    options.sort();
    options
}
