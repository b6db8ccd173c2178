//! UNIQUE of columns: a constraint and an index over the same columns are the same thing.

use super::Sides;
use super::indexes::{Claims, columns, is_plain_unique};
use super::keys::{constraint_object, list};
use super::tables::Both;
use crate::canonical::Key;
use crate::declared::{Aspect, DeclaredColumn, DeclaredIndex, IndexTerm};
use crate::finding::{Finding, ObjectKind, ObjectPath};
use crate::name::Identifier;
use crate::rule::Rule;

/// `unique`, for each column that says so, and for each constraint that only the migrations know.
pub(super) fn compare(sides: &Sides<'_>, both: &Both<'_>, claims: &mut Claims, findings: &mut Vec<Finding>) {
    for pair in &both.pair.columns {
        let Some(name) = &pair.replayed else { continue };
        let column = &both.details.columns[pair.position];
        let uncertain = column.not_understood.contains(&Aspect::Unique);
        let Some(at) = column.unique.as_ref() else {
            if uncertain {
                claim(both, name, claims);
            }
            continue;
        };
        let satisfied = claim(both, name, claims) || is_key(both, name);
        if !satisfied && !uncertain && !said_by_index(both, column) {
            let path = ObjectPath::member(ObjectKind::Column, &both.pair.declared, &column.name.value);
            findings.push(
                Finding::new(Rule::Unique, sides.name(), path.clone())
                    .message(format!("column `{path}` is declared UNIQUE; no migration makes it so"))
                    .help("build a unique index concurrently in a migration and attach it as a constraint, or correct the YAML")
                    .sides("UNIQUE", "")
                    .in_intent(Some(at)),
            );
        }
    }
    claim_repeated(both, claims);
    let free = both.replayed.unique.iter().filter(|key| !claims.constraints.contains(&key.name));
    findings.extend(free.filter_map(|key| undeclared(sides, both, key)));
}

/// Claims every unique constraint and plain unique index over exactly this column.
fn claim(both: &Both<'_>, column: &Identifier, claims: &mut Claims) -> bool {
    let constraints = both.replayed.unique.iter().filter(|key| key.columns == [column.clone()]);
    let constraints: Vec<_> = constraints.map(|key| key.name.clone()).collect();
    let indexes =
        both.replayed.indexes.iter().filter(|index| is_plain_unique(index) && columns(index).eq([column.as_str()]));
    let indexes: Vec<_> = indexes.map(|index| index.name.clone()).collect();
    let found = !constraints.is_empty() || !indexes.is_empty();
    claims.constraints.extend(constraints);
    claims.indexes.extend(indexes);
    found
}

fn is_key(both: &Both<'_>, column: &Identifier) -> bool {
    both.replayed.primary_key.as_ref().is_some_and(|key| key.columns == [column.clone()])
}

/// The same thing said twice, as UNIQUE on the column and as a UNIQUE index: the index speaks for both.
fn said_by_index(both: &Both<'_>, column: &DeclaredColumn) -> bool {
    both.details.indexes.iter().any(|index| plain_columns(index).is_some_and(|columns| columns == [&column.name.value]))
}

/// The columns of a declared UNIQUE index that a constraint could say as well.
fn plain_columns(index: &DeclaredIndex) -> Option<Vec<&Identifier>> {
    if !index.unique || index.predicate.is_some() || index.not_understood {
        return None;
    }
    let plain = index.keys.iter().map(|key| match &key.term {
        IndexTerm::Column(column) => Some(column),
        IndexTerm::Expression(_) => None,
    });
    plain.collect()
}

/// A constraint over the columns of a declared UNIQUE index says the same thing once more.
fn claim_repeated(both: &Both<'_>, claims: &mut Claims) {
    for columns in both.details.indexes.iter().filter_map(plain_columns) {
        let columns: Vec<_> = columns.into_iter().map(|column| both.pair.replayed_column(column)).collect();
        let same = both.replayed.unique.iter().filter(|key| key.columns == columns);
        claims.constraints.extend(same.map(|key| key.name.clone()));
    }
}

/// A unique constraint that only the migrations know. On one undeclared column it is part of that column's finding.
fn undeclared(sides: &Sides<'_>, both: &Both<'_>, key: &Key) -> Option<Finding> {
    let object = constraint_object(both, &key.columns, &key.name)?;
    let finds = format!("UNIQUE ({})", list(&key.columns));
    Some(
        Finding::new(Rule::Unique, sides.name(), object.clone())
            .message(format!("a migration makes `{object}` {finds}, which the YAML does not declare"))
            .help("declare UNIQUE on the column, or a UNIQUE index over the columns; or drop the constraint in a migration")
            .sides("", finds)
            .in_migration(sides.member_origin(ObjectKind::Constraint, both.name, &key.name).as_ref()),
    )
}
