//! Schemas and tables: those with a partner, and those without.

use super::pairing::TablePair;
use super::{Comparison, Produced, Sides, columns, indexes, keys, likely, refusals, uniqueness};
use crate::canonical::Table;
use crate::declared::{DeclaredTable, TableDetails};
use crate::finding::{Finding, ObjectKind, ObjectPath};
use crate::lowered::LoweredTable;
use crate::name::QualifiedName;
use crate::rule::Rule;

/// A detailed table that exists on both sides, with everything its members' comparison reads.
#[derive(Clone, Copy)]
pub(super) struct Both<'a> {
    pub(super) pair: &'a TablePair,
    pub(super) details: &'a TableDetails,
    pub(super) lowered: &'a LoweredTable,
    /// The name on the replayed side.
    pub(super) name: &'a QualifiedName,
    pub(super) replayed: &'a Table,
}

/// `schema-name`, once for the service.
pub(super) fn schema(sides: &Sides<'_>, findings: &mut Vec<Finding>) {
    let pair = &sides.pairing.schema;
    let Some(declared) = sides.service.schema.as_ref().filter(|_| !pair.agrees()) else { return };
    let (message, help) = if pair.renamed {
        (
            format!("schema `{}` is to be renamed to `{}`, and no migration does so yet", pair.replayed, pair.declared),
            "write a migration with ALTER SCHEMA … RENAME TO; everything is compared inside the pair meanwhile"
                .to_owned(),
        )
    } else {
        (
            format!("the YAML names schema `{}`, the migrations put everything in `{}`", pair.declared, pair.replayed),
            format!(
                "correct `schema: {}` to `{}` if the migrations are right; everything is compared inside the pair meanwhile",
                pair.declared, pair.replayed
            ),
        )
    };
    let made = sides.origins.origin(&ObjectPath::schema(&pair.replayed));
    let first_table = || sides.replayed.tables.keys().find_map(|table| sides.table_origin(table));
    findings.push(
        Finding::new(Rule::SchemaName, sides.name(), ObjectPath::schema(&pair.declared))
            .message(message)
            .help(help)
            .sides(pair.declared.as_str(), pair.replayed.as_str())
            .in_intent(Some(&declared.at))
            .in_migration(made.or_else(first_table).as_ref()),
    );
}

/// A declared table: missing, to be renamed, or there; in the last two cases its members too.
pub(super) fn declared(sides: &Sides<'_>, pair: &TablePair, comparison: &mut Comparison) {
    let findings = &mut comparison.findings;
    let table = &sides.service.tables[pair.position];
    let lowered = sides.lowered.tables.get(&pair.position);
    if let (Some(details), Some(lowered)) = (&table.details, lowered) {
        refusals::report(sides, table, details, lowered, pair, findings);
    }
    let Some(name) = &pair.replayed else {
        findings.push(missing(sides, table, pair));
        return;
    };
    if pair.renamed {
        findings.push(rename_owed(sides, table, pair, name));
    }
    produced(pair, name, &mut comparison.produced);
    if let (Some(details), Some(lowered)) = (&table.details, lowered) {
        let both = Both { pair, details, lowered, name, replayed: &sides.replayed.tables[name] };
        members(sides, &both, comparison);
    }
}

/// The table and those of its columns that have a partner.
fn produced(pair: &TablePair, name: &QualifiedName, produced: &mut Vec<Produced>) {
    produced.push(Produced { declared: ObjectPath::table(&pair.declared), replayed: ObjectPath::table(name) });
    let columns = pair.columns.iter().filter_map(|column| Some((&column.declared, column.replayed.as_ref()?)));
    produced.extend(columns.map(|(declared, replayed)| Produced {
        declared: ObjectPath::member(ObjectKind::Column, &pair.declared, declared),
        replayed: ObjectPath::member(ObjectKind::Column, name, replayed),
    }));
}

fn members(sides: &Sides<'_>, both: &Both<'_>, comparison: &mut Comparison) {
    let findings = &mut comparison.findings;
    columns::compare(sides, both, findings);
    keys::primary_key(sides, both, findings);
    keys::foreign_keys(sides, both, findings);
    keys::checks(sides, both, findings);
    let mut claims = indexes::declared(sides, both, findings);
    uniqueness::compare(sides, both, &mut claims, findings);
    indexes::undeclared(sides, both, &claims, findings);
    comparison.produced.append(&mut claims.produced);
}

fn missing(sides: &Sides<'_>, table: &DeclaredTable, pair: &TablePair) -> Finding {
    let view = sides.replayed.views.keys().find(|view| {
        view.name == pair.declared.name
            && (view.schema == sides.pairing.schema.replayed || view.schema == pair.declared.schema)
    });
    let likely = likely::table_for_missing(sides, table);
    let message = match (view, &likely) {
        (Some(view), _) => {
            format!("table `{}` is declared; the migrations create a view of that name, `{view}`", pair.declared)
        }
        (None, Some(other)) => {
            format!("table `{}` is declared and no migration creates it; `{other}` looks like it", pair.declared)
        }
        (None, None) => format!("table `{}` is declared and no migration creates it", pair.declared),
    };
    let help = match &likely {
        Some(other) => format!(
            "write a migration that creates it; if `{}` is meant, say `renamed_from: {}` or correct the name in the YAML",
            other, other.name
        ),
        None => "write a migration that creates it, or take it out of the YAML".to_owned(),
    };
    Finding::new(Rule::MissingTable, sides.name(), ObjectPath::table(&pair.declared))
        .message(message)
        .help(help)
        .in_intent(Some(&table.name.at))
}

fn rename_owed(sides: &Sides<'_>, table: &DeclaredTable, pair: &TablePair, former: &QualifiedName) -> Finding {
    let at = table.renamed_from.as_ref().map_or(&table.name.at, |renamed| &renamed.at);
    Finding::new(Rule::TableName, sides.name(), ObjectPath::table(&pair.declared))
        .message(format!("table `{former}` is to be renamed to `{}`, and no migration does so yet", pair.declared.name))
        .help("write a migration with ALTER TABLE … RENAME TO")
        .sides(pair.declared.name.as_str(), former.name.as_str())
        .in_intent(Some(at))
        .in_migration(sides.table_origin(former).as_ref())
        .fix(format!("ALTER TABLE {} RENAME TO {};", former.quoted(), pair.declared.name.quoted()))
}

/// Tables that only the migrations know.
pub(super) fn undeclared(sides: &Sides<'_>, findings: &mut Vec<Finding>) {
    for name in &sides.pairing.undeclared {
        let message = match likely::table_for_undeclared(sides, name) {
            Some(other) => format!(
                "a migration creates table `{name}`, which the YAML does not declare; declared `{other}` looks like it"
            ),
            None => format!("a migration creates table `{name}`, which the YAML does not declare"),
        };
        findings.push(
            Finding::new(Rule::UndeclaredTable, sides.name(), ObjectPath::table(name))
                .message(message)
                .help("declare it under `table_details`, or plan its removal; `ignore` with a reason leaves a technical table out")
                .in_migration(sides.table_origin(name).as_ref()),
        );
    }
}
