//! Constraints and types as their author wrote them, for what the declared model has no word for.

use std::collections::HashMap;

use trueup_model::location::Location;

use crate::document::{Node, Value};

/// Texts of columns and indexes, by the place of the name. Only of those whose declared model does not hold all that was written:
/// most say nothing more, and with hundreds of thousands of columns they would be most of the memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    by_name: HashMap<Location, Entry>,
}

/// What stands beside the name of a column or an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `type` of either.
    pub type_text: String,
    /// `constraints` of a column; of a list of them, with commas between.
    pub constraints: String,
}

impl Written {
    /// What stands beside the name at this place.
    pub fn at(&self, name: &Location) -> Option<&Entry> {
        self.by_name.get(name)
    }

    pub(crate) fn add(&mut self, name: Location, entry: Entry) {
        self.by_name.insert(name, entry);
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.by_name.extend(other.by_name);
    }
}

/// The text of a scalar; nothing of anything else, and of YAML's null.
pub(crate) fn text(node: &Node) -> &str {
    match &node.value {
        Value::Scalar(scalar) if !scalar.is_null() => &scalar.text,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    #[test]
    fn texts_stand_beside_the_place_of_the_name_where_they_say_more() {
        let yaml = "s:\n  engine: PostgreSQL\n  table_details:\n    t:\n      columns:\n      - {name: a, type: UUID, constraints: 'members::{x}'}\n      \
                    - {name: b, constraints: NULL (note)}\n      - [c, UUID, NOT NULL]\n      indexes:\n      - name: i\n        columns: a\n        \
                    type: GiST spatial\n      - {name: j, columns: a}\nevents:\n  engine: Couchbase\n  table_details:\n    d:\n      columns:\n      \
                    - {name: e, type: map, constraints: [one, two]}\n";
        let read = crate::read(&[Source { path: "f".to_owned(), bytes: yaml.as_bytes().to_vec() }]);
        let written = &read.written;
        let at = |line, column| written.at(&Location::new("f", line, column)).cloned().unwrap_or_default();
        assert_eq!(at(6, 16).constraints, "members::{x}");
        assert_eq!(at(7, 16), Entry { type_text: String::new(), constraints: "NULL (note)".to_owned() });
        assert_eq!(at(10, 15).type_text, "GiST spatial");
        assert_eq!(at(19, 16), Entry { type_text: "map".to_owned(), constraints: "one, two".to_owned() });
        assert_eq!(written.by_name.len(), 4);
    }
}
