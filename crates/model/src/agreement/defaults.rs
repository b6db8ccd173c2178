//! Defaults: equal as stored, or equal in meaning where the rulings say so.

use super::Sides;
use super::columns::{Column, column_of, expected};
use super::pairing::Pairing;
use super::tables::Both;
use crate::canonical::{self, Canonical};
use crate::declared::{Aspect, DeclaredService};
use crate::finding::Finding;
use crate::lowered::{Constant, Item, Lowered};
use crate::rule::Rule;

/// The constants whose values decide whether two defaults that are spelled differently are the same.
///
/// The caller evaluates those that are constants indeed, and leaves out the others.
pub fn questions(
    service: &DeclaredService,
    lowered: &Lowered,
    replayed: &Canonical,
    pairing: &Pairing,
) -> Vec<Constant> {
    let mut questions = Vec::new();
    for pair in &pairing.tables {
        let table = &service.tables[pair.position];
        let (Some(details), Some(lowered)) = (&table.details, lowered.tables.get(&pair.position)) else { continue };
        let Some(name) = &pair.replayed else { continue };
        let both = Both { pair, details, lowered, name, replayed: &replayed.tables[name] };
        for column in pair.columns.iter().filter_map(|column| column_of(&both, column)) {
            questions.extend(ask(&both, &column));
        }
    }
    questions
}

fn ask(both: &Both<'_>, column: &Column<'_>) -> Vec<Constant> {
    let (Some(declared), Some(replayed)) = (declared_default(both, column), stored_default(column.replayed)) else {
        return Vec::new();
    };
    if same_text(declared, replayed) {
        return Vec::new();
    }
    let type_name = &column.replayed.type_name;
    let constant = |expression: &str| Constant { expression: expression.to_owned(), type_name: type_name.clone() };
    vec![constant(declared), constant(replayed)]
}

/// `column-default`, when the two sides differ.
pub(super) fn differs(sides: &Sides<'_>, both: &Both<'_>, column: &Column<'_>) -> Option<Finding> {
    let name = &column.written.name.value;
    if column.unknown(both, Aspect::Default, &Item::Default(name.clone())) || equal(sides, both, column) {
        return None;
    }
    let says = declared_default(both, column);
    let finds = stored_default(column.replayed);
    let words = |default: Option<&str>| default.map_or("no default".to_owned(), |text| format!("DEFAULT {text}"));
    let (declared, found) = (words(says), words(finds));
    let at = column.written.default.as_ref().map_or(&column.written.name.at, |sql| &sql.at);
    let table = both.name.quoted();
    let quoted = column.replayed.name.quoted();
    let fix = match says {
        Some(default) => format!("ALTER TABLE {table} ALTER COLUMN {quoted} SET DEFAULT {default};"),
        None => format!("ALTER TABLE {table} ALTER COLUMN {quoted} DROP DEFAULT;"),
    };
    let finding = column
        .finding(sides, both, Rule::ColumnDefault)
        .message(format!(
            "column `{}.{name}` is declared with {declared}; the migrations give it {found}",
            both.pair.declared
        ))
        .help("correct the YAML, or write a migration with ALTER COLUMN … SET DEFAULT; existing rows do not change")
        .sides(declared, found)
        .in_intent(Some(at));
    // The default of a serial draws on a sequence that would have to be made first.
    Some(if says.is_some_and(is_sequence) { finding } else { finding.fix(fix) })
}

fn equal(sides: &Sides<'_>, both: &Both<'_>, column: &Column<'_>) -> bool {
    match (declared_default(both, column), stored_default(column.replayed)) {
        (None, None) => true,
        (Some(declared), Some(replayed)) => {
            let type_name = &column.replayed.type_name;
            same_text(declared, replayed) || sides.evaluated.same(declared, replayed, type_name)
        }
        _ => false,
    }
}

/// The declared default on the replayed side's type; on the declared type when the other refuses it.
fn declared_default<'a>(both: &Both<'a>, column: &Column<'a>) -> Option<&'a str> {
    let refused = both.lowered.refused_paired.contains(&Item::Default(column.written.name.value.clone()));
    let paired = expected(both, column).filter(|_| !refused);
    stored_default(paired.or(column.declared)?)
}

/// A column's default; `DEFAULT NULL`, with or without a cast, is none.
fn stored_default(column: &canonical::Column) -> Option<&str> {
    let text = column.default.as_deref()?;
    (text != "NULL" && !text.starts_with("NULL::")).then_some(text)
}

/// Equal as stored, or two spellings of now, or two sequence defaults.
fn same_text(one: &str, other: &str) -> bool {
    one == other || (is_sequence(one) && is_sequence(other)) || now_spelled_once(one) == now_spelled_once(other)
}

fn is_sequence(default: &str) -> bool {
    default.starts_with("nextval(")
}

/// `CURRENT_TIMESTAMP` and `transaction_timestamp()` are `now()`; inside string literals they are just text.
fn now_spelled_once(expression: &str) -> String {
    let parts = expression.split('\'').enumerate();
    let spelled = parts.map(|(position, part)| if position % 2 == 0 { now_in_code(part) } else { part.to_owned() });
    spelled.collect::<Vec<_>>().join("'")
}

fn now_in_code(code: &str) -> String {
    // With a precision, CURRENT_TIMESTAMP(3) rounds: not the same.
    let protected = code.replace("CURRENT_TIMESTAMP(", "\u{0}");
    let spelled = protected.replace("CURRENT_TIMESTAMP", "now()").replace("transaction_timestamp()", "now()");
    spelled.replace('\u{0}', "CURRENT_TIMESTAMP(")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_now_are_one() {
        assert!(same_text("now()", "CURRENT_TIMESTAMP"));
        assert!(same_text("(now() + '1 day'::interval)", "(CURRENT_TIMESTAMP + '1 day'::interval)"));
        assert!(!same_text("now()", "CURRENT_TIMESTAMP(3)"));
        assert!(!same_text("'now()'::text", "'CURRENT_TIMESTAMP'::text"));
        assert!(!same_text("now()", "clock_timestamp()"));
    }

    #[test]
    fn any_sequence_default_equals_any_other() {
        assert!(same_text("nextval('a.t_id_seq'::regclass)", "nextval('b.other'::regclass)"));
        assert!(!same_text("nextval('a.t_id_seq'::regclass)", "0"));
    }
}
