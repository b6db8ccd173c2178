//! How many rows meet at each end of a reference: judged once, for our pictures, for PlantUML and for the words beside them.

use trueup_model::declared::{DeclaredColumn, TableDetails};

use crate::facts::{Nullability, is_single, nullability};

/// How many rows there are at an end of a reference, seen from one row at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Foot {
    /// Exactly one.
    One,
    /// One or none.
    OneOrNone,
    /// None, one or many.
    Any,
}

/// The feet of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Feet {
    /// At what is referenced.
    pub(crate) referenced: Foot,
    /// At the column that references. Nothing makes anybody reference a row, so there may always be none.
    pub(crate) referencing: Foot,
}

impl Feet {
    /// What the referencing column says: whether it may be empty, and whether two of its rows may share a value.
    pub(crate) fn of(column: &DeclaredColumn, table: &TableDetails) -> Self {
        let is_required = nullability(column) == Nullability::Required;
        Self {
            referenced: if is_required { Foot::One } else { Foot::OneOrNone },
            referencing: if is_single(column, table) { Foot::OneOrNone } else { Foot::Any },
        }
    }
}

#[cfg(test)]
mod tests {
    use trueup_intent::Source;

    use super::*;

    fn feet(constraints: &str) -> Feet {
        let yaml = format!(
            "s:\n  table_details:\n    a:\n      columns: [{{name: id, type: UUID, constraints: PK}}]\n    \
            b:\n      columns: [{{name: a, type: UUID, constraints: '{constraints}'}}]\n"
        );
        let reading = trueup_intent::read(&[Source { path: "f".to_owned(), bytes: yaml.into_bytes() }]);
        let table = reading.declared.services[0].tables[1].details.as_ref().expect("columns");
        Feet::of(&table.columns[0], table)
    }

    #[test]
    fn a_column_says_how_many_rows_there_are_at_both_ends() {
        for (constraints, referenced, referencing) in [
            ("FK -> a", Foot::OneOrNone, Foot::Any),
            ("NULL, FK -> a", Foot::OneOrNone, Foot::Any),
            ("NOT NULL, FK -> a", Foot::One, Foot::Any),
            ("UNIQUE, FK -> a", Foot::OneOrNone, Foot::OneOrNone),
            ("NOT NULL, UNIQUE, FK -> a", Foot::One, Foot::OneOrNone),
            ("PK, FK -> a", Foot::One, Foot::OneOrNone),
        ] {
            assert_eq!(feet(constraints), Feet { referenced, referencing }, "{constraints}");
        }
    }
}
