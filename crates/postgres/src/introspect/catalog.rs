//! The rows of one answer, sorted by what they hang on.

use std::collections::{HashMap, HashSet};

use trueup_model::name::Identifier;

use super::Options;
use super::{raw, row};

/// All rows. Members stand under the oid of what they belong to; what belongs to something that was left out is
/// simply never asked for.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub snapshot_xmax: u64,
    pub schemas: Vec<raw::Namespace>,
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

impl Catalog {
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
        columns
            .iter()
            .find(|column| column.raw.number == number)
            .map(|column| Identifier::from(column.raw.name.as_str()))
    }

    /// The names of columns by their numbers, in the order of the numbers.
    pub(super) fn column_names(&self, relation: i64, numbers: &[i16]) -> Vec<Identifier> {
        numbers.iter().filter_map(|&number| self.column_name(relation, number)).collect()
    }
}

/// Options sorted, so that the order in which they were set does not show.
pub(super) fn sorted(options: Option<Vec<String>>) -> Vec<String> {
    let mut options = options.unwrap_or_default();
    options.sort();
    options
}
