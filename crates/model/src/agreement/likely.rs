//! Likely renames: mentioned in the messages of both findings, never assumed.

use std::collections::BTreeSet;

use super::Sides;
use super::pairing::{ColumnPair, TablePair};
use super::tables::Both;
use crate::canonical::Table;
use crate::declared::DeclaredTable;
use crate::name::{Identifier, QualifiedName};

/// The one undeclared column that a missing one could be.
pub(super) fn column_for_missing(both: &Both<'_>, missing: &ColumnPair) -> Option<Identifier> {
    let mut candidates = both.pair.undeclared.iter().filter(|name| columns_alike(both, missing, name));
    only(&mut candidates).cloned()
}

/// The one missing column that an undeclared one could be.
pub(super) fn column_for_undeclared(both: &Both<'_>, undeclared: &Identifier) -> Option<Identifier> {
    let missing = both.pair.columns.iter().filter(|pair| pair.replayed.is_none());
    let mut candidates = missing.filter(|pair| columns_alike(both, pair, undeclared));
    let found = only(&mut candidates)?;
    // Said on both sides or on neither.
    (column_for_missing(both, found).as_ref() == Some(undeclared)).then(|| found.declared.clone())
}

/// Same type, and either both are their table's only key or one name contains the other's words.
fn columns_alike(both: &Both<'_>, missing: &ColumnPair, undeclared: &Identifier) -> bool {
    let written = &both.details.columns[missing.position];
    let types = (both.lowered.declared.column(&missing.declared), both.replayed.column(undeclared));
    let (Some(declared), Some(replayed)) = types else { return false };
    if declared.type_name != replayed.type_name {
        return false;
    }
    let key = both.replayed.primary_key.as_ref().is_some_and(|key| key.columns == [undeclared.clone()]);
    let declared_key = written.primary_key.is_some() && both.details.primary_key().count() == 1;
    (key && declared_key) || (key == declared_key && names_alike(&missing.declared, undeclared))
}

/// The one undeclared table that a missing one could be.
pub(super) fn table_for_missing(sides: &Sides<'_>, missing: &DeclaredTable) -> Option<QualifiedName> {
    let mut candidates = sides.pairing.undeclared.iter().filter(|name| tables_alike(sides, missing, name));
    only(&mut candidates).cloned()
}

/// The one missing table that an undeclared one could be.
pub(super) fn table_for_undeclared(sides: &Sides<'_>, undeclared: &QualifiedName) -> Option<Identifier> {
    let missing = sides.pairing.tables.iter().filter(|pair| pair.replayed.is_none());
    let table = |pair: &TablePair| &sides.service.tables[pair.position];
    let mut candidates = missing.map(table).filter(|table| tables_alike(sides, table, undeclared));
    let found = only(&mut candidates)?;
    (table_for_missing(sides, found).as_ref() == Some(undeclared)).then(|| found.name.value.clone())
}

/// Similar names, or most columns in common.
fn tables_alike(sides: &Sides<'_>, missing: &DeclaredTable, undeclared: &QualifiedName) -> bool {
    let replayed = &sides.replayed.tables[undeclared];
    names_alike(&missing.name.value, &undeclared.name) || mostly_shared(missing, replayed)
}

fn mostly_shared(missing: &DeclaredTable, replayed: &Table) -> bool {
    let Some(details) = missing.details.as_ref().filter(|details| !details.columns.is_empty()) else { return false };
    let shared = details.columns.iter().filter(|column| replayed.column(&column.name.value).is_some()).count();
    shared * 2 > details.columns.len().max(replayed.columns.len())
}

/// One name's words (`a_b_c`, a plural `s` aside) are all among the other's.
fn names_alike(one: &Identifier, other: &Identifier) -> bool {
    let words = |name: &Identifier| -> BTreeSet<String> {
        name.as_str()
            .split('_')
            .filter(|word| !word.is_empty())
            .map(|word| word.trim_end_matches('s').to_owned())
            .collect()
    };
    let (one, other) = (words(one), words(other));
    let trivial = |words: &BTreeSet<String>| words.len() == 1 && words.contains("id");
    !one.is_empty()
        && !other.is_empty()
        && !trivial(&one)
        && !trivial(&other)
        && (one.is_subset(&other) || other.is_subset(&one))
}

/// The item, when there is exactly one.
fn only<T>(items: &mut impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_alike_compares_words() {
        assert!(names_alike(&"participant_id".into(), &"participant_guest_id".into()));
        assert!(names_alike(&"guest_profiles".into(), &"guests".into()));
        assert!(!names_alike(&"id".into(), &"check_in_id".into()));
        assert!(!names_alike(&"status".into(), &"state".into()));
    }
}
