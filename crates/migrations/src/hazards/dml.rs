//! Data that a statement takes away as such: the rules about DDL do not see it.

use std::ops::Range;

use crate::origin::cursor::{Cursor, tokens};

use super::{Danger, Raw};

/// `TRUNCATE`, and `DELETE` without a condition. With `CASCADE`, a rule of squawk tells of it.
pub(super) fn hazard(text: &str, range: &Range<usize>) -> Option<Raw> {
    let tokens = tokens(text, range);
    let mut cursor = Cursor::new(text, &tokens);
    let (rule, message, help) = match () {
        () if cursor.accept("TRUNCATE") && !cursor.skip_past("CASCADE") => {
            ("truncate", "Every row of the table is removed.", None)
        }
        () if cursor.accept("DELETE") && !cursor.skip_past("WHERE") => (
            "delete-all",
            "Every row of the table is removed.",
            Some("Add a condition, if some rows are meant to stay."),
        ),
        () => return None,
    };
    Some(Raw {
        offset: range.start,
        danger: Danger::Data,
        rule: rule.to_owned(),
        message: message.to_owned(),
        help: help.map(str::to_owned),
    })
}
