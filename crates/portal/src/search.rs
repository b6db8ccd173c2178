//! The index of the search, as a script that any browser loads from a file too.

use serde_json::{Value, json};
use trueup_model::declared::{DeclaredService, DeclaredTable};

use crate::facts::table_title;
use crate::input::Input;
use crate::links::{Links, Members, migration_anchors};
use crate::text::visible;

/// `window.trueupIndex = {…}`: `pages` are addresses, `entries` are `[kind, name, where, page, anchor]`.
pub(crate) fn script(input: &Input<'_>, links: &Links) -> String {
    let mut index = Index::default();
    for service in &input.declared.services {
        index.service(service, input, links);
    }
    let value = json!({"pages": index.pages, "entries": index.entries});
    format!("window.trueupIndex = {};\n", harmless(&value.to_string()))
}

#[derive(Default)]
struct Index {
    pages: Vec<String>,
    entries: Vec<Value>,
}

impl Index {
    fn service(&mut self, service: &DeclaredService, input: &Input<'_>, links: &Links) {
        let Some(page) = links.service(&service.name.value) else { return };
        self.pages.push(page.path());
        self.add("service", &service.name.value, &service.engine.text, "");
        for table in &service.tables {
            self.table(service, table, links);
        }
        let migrations = input.provenance(service).map_or(&[][..], |provenance| &provenance.migrations);
        for (migration, anchor) in migrations.iter().zip(migration_anchors(migrations)) {
            let name = format!("{} {}", migration.label(), migration.description);
            self.add("migration", &name, &service.name.value, &anchor);
        }
    }

    fn table(&mut self, service: &DeclaredService, table: &DeclaredTable, links: &Links) {
        let (title, anchor) = (table_title(table), links.table(service, table));
        self.add("table", &title, &service.name.value, &anchor);
        let Some(details) = &table.details else { return };
        let members = Members::of(&anchor, table);
        let place = format!("{title} in {}", service.name.value);
        for column in &details.columns {
            let name = column.name.value.as_str();
            self.add("column", name, &place, &members.column(name));
        }
        for index in &details.indexes {
            let name = index.name.value.as_str();
            self.add("index", name, &place, &members.index(name));
        }
    }

    fn add(&mut self, kind: &str, name: &str, place: &str, anchor: &str) {
        self.entries.push(json!([kind, visible(name), visible(place), self.pages.len() - 1, anchor]));
    }
}

/// JSON that may also stand inside a page: no `<`, `>`, `&`, and none of the line ends that JSON allows and scripts
/// once did not. All of them occur inside strings only, where an escape means the same.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn escapes_mean_the_same(text in any::<String>()) {
            let safe = harmless(&json!([text]).to_string());
            let is_safe = !safe.contains(['<', '>', '&', '\u{2028}', '\u{2029}']);
            prop_assert!(is_safe, "{}", safe);
            prop_assert_eq!(serde_json::from_str::<Value>(&safe).unwrap(), json!([text]));
        }
    }
}
