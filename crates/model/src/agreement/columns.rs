//! Columns: name, type, nullability, generation, default.

use super::pairing::ColumnPair;
use super::tables::Both;
use super::{Sides, defaults, likely};
use crate::canonical::{self, Generated};
use crate::declared::{Aspect, DeclaredColumn, Identity};
use crate::finding::{Finding, ObjectKind, ObjectPath};
use crate::lowered::Item;
use crate::name::Identifier;
use crate::rule::Rule;

/// A declared column and its partner, with what PostgreSQL made of the former.
pub(super) struct Column<'a> {
    pub(super) written: &'a DeclaredColumn,
    /// With its declared type; `None` when the whole table was refused.
    pub(super) declared: Option<&'a canonical::Column>,
    pub(super) replayed: &'a canonical::Column,
}

pub(super) fn compare(sides: &Sides<'_>, both: &Both<'_>, findings: &mut Vec<Finding>) {
    for pair in &both.pair.columns {
        let Some(column) = column_of(both, pair) else {
            findings.push(missing(sides, both, pair));
            continue;
        };
        if pair.renamed {
            findings.push(rename_owed(sides, both, &column));
        }
        findings.extend(type_differs(sides, both, &column));
        findings.extend(nullability_differs(sides, both, &column));
        match generation_differs(sides, both, &column) {
            Some(finding) => findings.push(finding),
            None => findings.extend(defaults::differs(sides, both, &column)),
        }
    }
    for name in &both.pair.undeclared {
        findings.push(undeclared(sides, both, name));
    }
}

/// The column and its partner, when it has one.
pub(super) fn column_of<'a>(both: &Both<'a>, pair: &ColumnPair) -> Option<Column<'a>> {
    Some(Column {
        written: &both.details.columns[pair.position],
        declared: both.lowered.declared.column(&pair.declared),
        replayed: both.replayed.column(pair.replayed.as_ref()?)?,
    })
}

impl Column<'_> {
    /// Whether something about this aspect was not understood, by us or by PostgreSQL.
    pub(super) fn unknown(&self, both: &Both<'_>, aspect: Aspect, item: &Item) -> bool {
        self.written.not_understood.contains(&aspect) || both.lowered.refusal(item).is_some()
    }

    /// A finding about this column, at both its places.
    pub(super) fn finding(&self, sides: &Sides<'_>, both: &Both<'_>, rule: Rule) -> Finding {
        let name = &self.written.name;
        let origin = sides.member_origin(ObjectKind::Column, both.name, &self.replayed.name);
        Finding::new(rule, sides.name(), ObjectPath::member(ObjectKind::Column, &both.pair.declared, &name.value))
            .in_intent(Some(&name.at))
            .in_migration(origin.as_ref())
    }
}

fn missing(sides: &Sides<'_>, both: &Both<'_>, pair: &ColumnPair) -> Finding {
    let written = &both.details.columns[pair.position];
    let path = ObjectPath::member(ObjectKind::Column, &both.pair.declared, &pair.declared);
    let likely = likely::column_for_missing(both, pair);
    let (message, help) = match &likely {
        Some(other) => (
            format!("column `{path}` is declared and no migration creates it; `{other}` looks like it"),
            format!(
                "write a migration that adds it; if `{other}` is meant, say `renamed_from: {other}` or correct the name in the YAML"
            ),
        ),
        None => (
            format!("column `{path}` is declared and no migration creates it"),
            "write a migration that adds it, or take it out of the YAML".to_owned(),
        ),
    };
    let declared = written.type_sql.as_ref().map_or("", |sql| sql.value.as_str());
    let finding = Finding::new(Rule::MissingColumn, sides.name(), path)
        .message(message)
        .help(help)
        .sides(declared, "")
        .in_intent(Some(&written.name.at));
    match add_column(both, written) {
        Some(sql) => finding.fix(sql),
        None => finding,
    }
}

/// The statement that adds the column, when it is safe on a table with rows: nullable, or with a default.
fn add_column(both: &Both<'_>, written: &DeclaredColumn) -> Option<String> {
    let lowered = both.lowered.declared.column(&written.name.value)?;
    let plain = lowered.generated.is_none() && lowered.identity.is_none() && !lowered.serial;
    if !plain || !written.not_understood.is_empty() || !(lowered.nullable || lowered.default.is_some()) {
        return None;
    }
    let default = lowered.default.as_ref().map_or(String::new(), |default| format!(" DEFAULT {default}"));
    let not_null = if lowered.nullable { "" } else { " NOT NULL" };
    let (table, column) = (both.name.quoted(), lowered.name.quoted());
    Some(format!("ALTER TABLE {table} ADD COLUMN {column} {}{default}{not_null};", lowered.type_name))
}

fn rename_owed(sides: &Sides<'_>, both: &Both<'_>, column: &Column<'_>) -> Finding {
    let (name, former) = (&column.written.name.value, &column.replayed.name);
    column
        .finding(sides, both, Rule::ColumnName)
        .message(format!("column `{}.{former}` is to be renamed to `{name}`, and no migration does so yet", both.name))
        .help("write a migration with ALTER TABLE … RENAME COLUMN")
        .sides(name.as_str(), former.as_str())
        .in_intent(column.written.renamed_from.as_ref().map(|renamed| &renamed.at))
        .fix(format!("ALTER TABLE {} RENAME COLUMN {} TO {};", both.name.quoted(), former.quoted(), name.quoted()))
}

fn type_differs(sides: &Sides<'_>, both: &Both<'_>, column: &Column<'_>) -> Option<Finding> {
    let name = &column.written.name.value;
    if column.unknown(both, Aspect::Type, &Item::Type(name.clone())) {
        return None;
    }
    let (declared, replayed) = (&column.declared?.type_name, &column.replayed.type_name);
    (declared != replayed).then(|| {
        let finding = column
            .finding(sides, both, Rule::ColumnType)
            .message(format!(
                "column `{}.{name}` is declared {declared}; the migrations make it {replayed}",
                both.pair.declared
            ))
            .help("change the type in the YAML, or write a migration that converts the column without losing data")
            .sides(declared, replayed);
        match &column.written.type_sql {
            Some(sql) => finding.in_intent(Some(&sql.at)),
            None => finding,
        }
    })
}

fn nullability_differs(sides: &Sides<'_>, both: &Both<'_>, column: &Column<'_>) -> Option<Finding> {
    let declared = column.declared?;
    // A key implies NOT NULL: when only one side has the column in its key, the key's own finding says it all.
    let declared_key = column.written.primary_key.is_some();
    let replayed_key = in_primary_key(both, &column.replayed.name);
    let explained = declared_key || (replayed_key && !column.written.not_null);
    let unknown = column.written.not_understood.contains(&Aspect::Nullability);
    if declared.nullable == column.replayed.nullable || explained || unknown {
        return None;
    }
    let words = |nullable: bool| if nullable { "nullable" } else { "NOT NULL" };
    let (says, finds) = (words(declared.nullable), words(column.replayed.nullable));
    let name = &column.written.name.value;
    let help = if declared.nullable {
        "write NOT NULL in the YAML, or a migration with ALTER COLUMN … DROP NOT NULL"
    } else {
        "fill the missing values and add the constraint in a migration, or drop NOT NULL from the YAML"
    };
    Some(
        column
            .finding(sides, both, Rule::ColumnNullability)
            .message(format!(
                "column `{}.{name}` is declared {says}; the migrations make it {finds}",
                both.pair.declared
            ))
            .help(help)
            .sides(says, finds)
            .in_intent(Some(&column.written.nullability_at)),
    )
}

fn in_primary_key(both: &Both<'_>, column: &Identifier) -> bool {
    both.replayed.primary_key.as_ref().is_some_and(|key| key.columns.contains(column))
}

/// Generation expression or identity; a plain default beside one is the same difference, not a second one.
fn generation_differs(sides: &Sides<'_>, both: &Both<'_>, column: &Column<'_>) -> Option<Finding> {
    let name = &column.written.name.value;
    if column.unknown(both, Aspect::Generated, &Item::Generated(name.clone())) {
        return None;
    }
    let expected = expected(both, column)?;
    let refused = both.lowered.refused_paired.contains(&Item::Generated(name.clone()));
    let declared = words(expected.generated.as_ref(), expected.identity);
    let replayed = words(column.replayed.generated.as_ref(), column.replayed.identity);
    if declared == replayed && !refused {
        return None;
    }
    let at = column.written.generated.as_ref().map(|sql| &sql.at);
    let at = at.or(column.written.identity.as_ref().map(|identity| &identity.at)).unwrap_or(&column.written.name.at);
    Some(
        column
            .finding(sides, both, Rule::GeneratedColumn)
            .message(format!(
                "column `{}.{name}` is declared {declared}; the migrations make it {replayed}",
                both.pair.declared
            ))
            .help("a generation expression cannot be changed in place: correct the YAML, or plan a new column")
            .sides(declared, replayed)
            .in_intent(Some(at)),
    )
}

/// The declared column with its expressions on the replayed side's names and types.
pub(super) fn expected<'a>(both: &Both<'a>, column: &Column<'_>) -> Option<&'a canonical::Column> {
    match &both.lowered.paired {
        Some(paired) => paired.column(&column.replayed.name),
        None => both.lowered.declared.column(&column.written.name.value),
    }
}

fn words(generated: Option<&Generated>, identity: Option<Identity>) -> String {
    match (generated, identity) {
        (Some(generated), _) if generated.stored => format!("GENERATED ALWAYS AS ({}) STORED", generated.expression),
        (Some(generated), _) => format!("GENERATED ALWAYS AS ({}) VIRTUAL", generated.expression),
        (None, Some(Identity::Always)) => "GENERATED ALWAYS AS IDENTITY".to_owned(),
        (None, Some(Identity::ByDefault)) => "GENERATED BY DEFAULT AS IDENTITY".to_owned(),
        (None, None) => "not generated".to_owned(),
    }
}

fn undeclared(sides: &Sides<'_>, both: &Both<'_>, name: &Identifier) -> Finding {
    let path = ObjectPath::member(ObjectKind::Column, &both.pair.declared, name);
    let type_name = both.replayed.column(name).map_or("", |column| column.type_name.as_str());
    let message = match likely::column_for_undeclared(both, name) {
        Some(other) => format!(
            "a migration creates column `{path}`, which the YAML does not declare; declared `{other}` looks like it"
        ),
        None => format!("a migration creates column `{path}`, which the YAML does not declare"),
    };
    Finding::new(Rule::UndeclaredColumn, sides.name(), path)
        .message(message)
        .help(format!("declare it (`type: {type_name}`), or plan its removal"))
        .sides("", type_name)
        .in_migration(sides.member_origin(ObjectKind::Column, both.name, name).as_ref())
}
