//! Constraints and types as their author wrote them, for what the declared model has no word for.

use std::collections::HashMap;

use trueup_intent::{Source, properties};
use trueup_model::location::Location;

/// Texts of the entries of columns and indexes, by the place of the entry's name.
#[derive(Clone, Debug, Default)]
pub struct Written {
    by_name: HashMap<Location, Entry>,
}

/// What stands beside the name of a column or an index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// `type` of either.
    pub type_text: String,
    /// `constraints` of a column.
    pub constraints: String,
}

impl Written {
    /// Reads the texts of all files; one that cannot be read this way gives none.
    pub fn of(sources: &[Source]) -> Self {
        let mut written = Self::default();
        for source in sources {
            for document in properties::flatten(&source.path, &source.bytes).unwrap_or_default() {
                for (key, name) in &document.values {
                    if let Some(entry) = entry(&document, key) {
                        written.by_name.insert(name.at.clone(), entry);
                    }
                }
            }
        }
        written
    }

    /// What stands beside the name at this place.
    pub fn at(&self, name: &Location) -> Option<&Entry> {
        self.by_name.get(name)
    }
}

/// The entry that `key` names, in its usual form (`{name, type, constraints}`) or the older one (`[name, type, …]`).
fn entry(document: &properties::FlatDocument, key: &str) -> Option<Entry> {
    let (prefix, fields) = if let Some(prefix) = key.strip_suffix(".name") {
        (prefix, [".type", ".constraints"])
    } else {
        (key.strip_suffix("[0]")?, ["[1]", "[2]"])
    };
    if !prefix.ends_with(']') || !prefix.contains(".table_details.") {
        return None;
    }
    let text = |field: &str| document.get(&format!("{prefix}{field}")).map_or(String::new(), |text| text.value.clone());
    Some(Entry { type_text: text(fields[0]), constraints: text(fields[1]) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_beside_the_place_of_the_name() {
        let yaml = "s:\n  table_details:\n    t:\n      columns:\n      - {name: a, type: UUID, constraints: 'members::{x}'}\n      \
                    - [b, TEXT, 'NULL (note)']\n      indexes:\n      - name: i\n        columns: a\n        type: GiST spatial\n";
        let written = Written::of(&[Source { path: "f".to_owned(), bytes: yaml.as_bytes().to_vec() }]);
        let at = |line, column| written.at(&Location::new("f", line, column)).cloned().unwrap_or_default();
        assert_eq!(at(5, 16).constraints, "members::{x}");
        assert_eq!(at(6, 10), Entry { type_text: "TEXT".to_owned(), constraints: "NULL (note)".to_owned() });
        assert_eq!(at(8, 15).type_text, "GiST spatial");
        assert_eq!(written.by_name.len(), 3);
    }
}
