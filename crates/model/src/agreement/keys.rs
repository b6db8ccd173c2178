//! Primary keys, foreign keys and checks.

use std::collections::BTreeSet;

use super::Sides;
use super::tables::Both;
use crate::canonical::{CheckConstraint, ForeignKey};
use crate::declared::{Aspect, DeclaredColumn, Reference, Target};
use crate::finding::{Finding, ObjectKind, ObjectPath};
use crate::lowered::Item;
use crate::name::{Identifier, QualifiedName};
use crate::rule::Rule;

/// `primary-key`, once for the table, whatever the key's name.
pub(super) fn primary_key(sides: &Sides<'_>, both: &Both<'_>, findings: &mut Vec<Finding>) {
    if both.lowered.refusal(&Item::PrimaryKey).is_some() {
        return;
    }
    let declared: Vec<_> = both.details.primary_key().map(|column| column.name.value.clone()).collect();
    let expected: Vec<_> = declared.iter().map(|column| both.pair.replayed_column(column)).collect();
    let replayed = both.replayed.primary_key.as_ref();
    let found = replayed.map_or(&[][..], |key| &key.columns);
    if expected == found {
        return;
    }
    let words = |columns: &[Identifier]| {
        if columns.is_empty() { "no primary key".to_owned() } else { format!("PRIMARY KEY ({})", list(columns)) }
    };
    let (says, finds) = (words(&declared), words(found));
    let table = &sides.service.tables[both.pair.position];
    let at = both.details.primary_key().next().and_then(|column| column.primary_key.as_ref()).unwrap_or(&table.name.at);
    let origin = replayed.and_then(|key| sides.member_origin(ObjectKind::Constraint, both.name, &key.name));
    findings.push(
        Finding::new(Rule::PrimaryKey, sides.name(), ObjectPath::table(&both.pair.declared))
            .message(format!("table `{}` is declared with {says}; the migrations give it {finds}", both.pair.declared))
            .help("correct the `PK` marks in the YAML, or write a migration that changes the key")
            .sides(says, finds)
            .in_intent(Some(at))
            .in_migration(origin.or_else(|| sides.table_origin(both.name)).as_ref()),
    );
}

/// `missing-foreign-key` and `foreign-key`.
pub(super) fn foreign_keys(sides: &Sides<'_>, both: &Both<'_>, findings: &mut Vec<Finding>) {
    let mut claimed = BTreeSet::new();
    for pair in &both.pair.columns {
        let Some(name) = &pair.replayed else { continue };
        let column = &both.details.columns[pair.position];
        let found = partner(sides, both, column, name);
        claimed.extend(found.filter(|_| claims(both, column, found)).map(|key| key.name.clone()));
        if let Some(reference) = &column.references {
            findings.extend(reference_differs(sides, both, column, reference, found));
        }
    }
    for key in both.replayed.foreign_keys.iter().filter(|key| !claimed.contains(&key.name)) {
        findings.extend(undeclared_reference(sides, both, key));
    }
}

/// The foreign key on a column that is compared with what the YAML says: the one that equals it, else the first.
fn partner<'a>(
    sides: &Sides<'_>,
    both: &Both<'a>,
    column: &DeclaredColumn,
    replayed: &Identifier,
) -> Option<&'a ForeignKey> {
    let mut on_column = both.replayed.foreign_keys.iter().filter(|key| key.columns == [replayed.clone()]);
    let declared = column.references.as_ref().and_then(|reference| declared_words(sides, both, column, reference));
    let equal = on_column.clone().find(|key| Some(key_words(key)) == declared);
    equal.or_else(|| on_column.next())
}

/// What a declared reference says, by the names on the replayed side; `None` when it is no constraint.
fn declared_words(
    sides: &Sides<'_>,
    both: &Both<'_>,
    column: &DeclaredColumn,
    reference: &Reference,
) -> Option<String> {
    let (target, target_columns) = expected_target(sides, both, &column.name.value)?;
    let on_delete = reference.on_delete.as_ref().map_or("NO ACTION", |action| action.value.as_str());
    Some(reference_words(&target, &target_columns, on_delete))
}

fn key_words(key: &ForeignKey) -> String {
    reference_words(&key.target, &key.target_columns, &key.on_delete)
}

/// Whether what the YAML says about a column already accounts for the foreign key that was found on it.
fn claims(both: &Both<'_>, column: &DeclaredColumn, found: Option<&ForeignKey>) -> bool {
    let unknown = column.not_understood.contains(&Aspect::Reference);
    let refused = both.lowered.refusal(&Item::Reference(column.name.value.clone())).is_some();
    match column.references.as_ref().map(|reference| &reference.target) {
        Some(Target::Table { .. }) => true,
        Some(Target::UnknownKey { table }) => found.is_some_and(|key| &key.target.name == table),
        _ => unknown || refused,
    }
}

/// A declared reference against what was found on its column.
fn reference_differs(
    sides: &Sides<'_>,
    both: &Both<'_>,
    column: &DeclaredColumn,
    reference: &Reference,
    found: Option<&ForeignKey>,
) -> Option<Finding> {
    let name = &column.name.value;
    if both.lowered.refusal(&Item::Reference(name.clone())).is_some() {
        return None;
    }
    let says = declared_words(sides, both, column, reference)?;
    let path = ObjectPath::member(ObjectKind::Column, &both.pair.declared, name);
    let Some(found) = found else {
        return Some(
            Finding::new(Rule::MissingForeignKey, sides.name(), path.clone())
                .message(format!("column `{path}` is declared to reference {says}; no migration creates that foreign key"))
                .help("write a migration that adds it NOT VALID and validates it afterwards, or take the FK out of the YAML")
                .sides(&says, "")
                .in_intent(Some(&reference.at)),
        );
    };
    let finds = key_words(found);
    let origin = sides.member_origin(ObjectKind::Constraint, both.name, &found.name);
    (says != finds).then(|| {
        Finding::new(Rule::ForeignKey, sides.name(), path.clone())
            .message(format!(
                "column `{path}` is declared to reference {says}; the migrations make it reference {finds}"
            ))
            .help("correct the YAML, or write a migration that replaces the foreign key")
            .sides(&says, &finds)
            .in_intent(Some(&reference.at))
            .in_migration(origin.as_ref())
    })
}

/// Table and columns that a declared reference means, by their names on the replayed side.
fn expected_target(
    sides: &Sides<'_>,
    both: &Both<'_>,
    column: &Identifier,
) -> Option<(QualifiedName, Vec<Identifier>)> {
    let constraint = Item::Reference(column.clone()).constraint_name(&both.pair.declared.name)?;
    let lowered = both.lowered.declared.foreign_keys.iter().find(|key| key.name == constraint)?;
    let target = sides.pairing.tables.iter().find(|pair| pair.declared == lowered.target)?;
    let name = target.replayed.clone().unwrap_or_else(|| QualifiedName {
        schema: sides.pairing.schema.replayed.clone(),
        name: target.declared.name.clone(),
    });
    Some((name, lowered.target_columns.iter().map(|column| target.replayed_column(column)).collect()))
}

fn reference_words(target: &QualifiedName, columns: &[Identifier], on_delete: &str) -> String {
    let action = if on_delete == "NO ACTION" { String::new() } else { format!(" ON DELETE {on_delete}") };
    format!("{target}({}){action}", list(columns))
}

/// A foreign key that only the migrations know. On one undeclared column it is part of that column's finding.
fn undeclared_reference(sides: &Sides<'_>, both: &Both<'_>, key: &ForeignKey) -> Option<Finding> {
    let object = constraint_object(both, &key.columns, &key.name)?;
    let finds = key_words(key);
    Some(
        Finding::new(Rule::ForeignKey, sides.name(), object.clone())
            .message(format!("a migration makes `{object}` reference {finds}, which the YAML does not declare"))
            .help("declare it (`FK -> table` in the column's constraints), or drop the constraint in a migration")
            .sides("", finds)
            .in_migration(sides.member_origin(ObjectKind::Constraint, both.name, &key.name).as_ref()),
    )
}

/// `check-constraint`, for each declared check, and for each that only the migrations know.
pub(super) fn checks(sides: &Sides<'_>, both: &Both<'_>, findings: &mut Vec<Finding>) {
    let mut free: Vec<&CheckConstraint> = both.replayed.checks.iter().collect();
    let mut open = Vec::new();
    for pair in &both.pair.columns {
        let column = &both.details.columns[pair.position];
        if pair.replayed.is_none() {
            continue;
        }
        if column.not_understood.contains(&Aspect::Check) {
            forget(&mut free, &both.pair.replayed_column(&column.name.value));
        }
        for position in 0..column.checks.len() {
            match expected_check(both, column, position) {
                Expected::Unknown => forget(&mut free, &both.pair.replayed_column(&column.name.value)),
                Expected::Text(text) => match free.iter().position(|check| check.expression == text) {
                    Some(found) => drop(free.remove(found)),
                    None => open.push((column, position, text)),
                },
            }
        }
    }
    for (column, position, text) in open {
        let name = both.pair.replayed_column(&column.name.value);
        let partner = free.iter().position(|check| check.columns == [name.clone()]).map(|found| free.remove(found));
        findings.push(check_differs(sides, both, column, position, &text, partner));
    }
    findings.extend(free.into_iter().filter_map(|check| undeclared_check(sides, both, check)));
}

/// What was not understood may have spoken about any check of the column: none of them is undeclared.
fn forget(free: &mut Vec<&CheckConstraint>, column: &Identifier) {
    free.retain(|check| check.columns != [column.clone()]);
}

enum Expected {
    /// As PostgreSQL prints it on the replayed side's names and types.
    Text(String),
    /// Refused as written.
    Unknown,
}

fn expected_check(both: &Both<'_>, column: &DeclaredColumn, position: usize) -> Expected {
    let item = Item::Check(column.name.value.clone(), position);
    if both.lowered.refusal(&item).is_some() {
        return Expected::Unknown;
    }
    let name = item.constraint_name(&both.pair.declared.name);
    let usable = both.lowered.paired.as_ref().filter(|_| !both.lowered.refused_paired.contains(&item));
    let table = usable.unwrap_or(&both.lowered.declared);
    match table.checks.iter().find(|check| Some(&check.name) == name.as_ref()) {
        Some(check) => Expected::Text(check.expression.clone()),
        None => Expected::Unknown,
    }
}

fn check_differs(
    sides: &Sides<'_>,
    both: &Both<'_>,
    column: &DeclaredColumn,
    position: usize,
    text: &str,
    found: Option<&CheckConstraint>,
) -> Finding {
    let path = ObjectPath::member(ObjectKind::Column, &both.pair.declared, &column.name.value);
    let finds = found.map_or(String::new(), |check| format!("CHECK {}", check.expression));
    let message = match found {
        Some(_) => format!("column `{path}` is declared with CHECK {text}; the migrations give it {finds}"),
        None => format!("column `{path}` is declared with CHECK {text}; no migration creates that check"),
    };
    let origin = found.and_then(|check| sides.member_origin(ObjectKind::Constraint, both.name, &check.name));
    Finding::new(Rule::CheckConstraint, sides.name(), path)
        .message(message)
        .help("write a migration that adds the check NOT VALID and validates it afterwards, or correct the YAML")
        .sides(format!("CHECK {text}"), finds)
        .in_intent(Some(&column.checks[position].at))
        .in_migration(origin.as_ref())
}

/// A check that only the migrations know. On one undeclared column it is part of that column's finding.
fn undeclared_check(sides: &Sides<'_>, both: &Both<'_>, check: &CheckConstraint) -> Option<Finding> {
    let object = constraint_object(both, &check.columns, &check.name)?;
    Some(
        Finding::new(Rule::CheckConstraint, sides.name(), object.clone())
            .message(format!(
                "a migration gives `{object}` CHECK {}, which the YAML does not declare",
                check.expression
            ))
            .help("declare it (`CHECK (…)` in the column's constraints), or drop the constraint in a migration")
            .sides("", format!("CHECK {}", check.expression))
            .in_migration(sides.member_origin(ObjectKind::Constraint, both.name, &check.name).as_ref()),
    )
}

/// What a finding about an undeclared constraint is called: its one column, as declared, or else the constraint by its
/// own name. `None` when its one column is undeclared: then it is part of that column's finding.
pub(super) fn constraint_object(both: &Both<'_>, columns: &[Identifier], name: &Identifier) -> Option<ObjectPath> {
    let [column] = columns else {
        return Some(ObjectPath::member(ObjectKind::Constraint, &both.pair.declared, name));
    };
    let declared = declared_name(both, column)?;
    Some(ObjectPath::member(ObjectKind::Column, &both.pair.declared, &declared))
}

/// What the YAML calls a replayed column. `None` when it does not declare it.
pub(super) fn declared_name(both: &Both<'_>, replayed: &Identifier) -> Option<Identifier> {
    let pair = both.pair.columns.iter().find(|pair| pair.replayed.as_ref() == Some(replayed))?;
    Some(pair.declared.clone())
}

/// `a, b, c`, for reading.
pub(super) fn list(columns: &[Identifier]) -> String {
    columns.iter().map(Identifier::as_str).collect::<Vec<_>>().join(", ")
}
