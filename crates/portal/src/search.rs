//! The index of the search, as scripts that any browser loads from a file too.
//!
//! It is a tree, so that nothing is said twice: services hold tables, and tables hold the names of columns and indexes. An anchor
//! is only written where it is not made of the name. A large index is several files: the first says how many, and the
//! search works with those that are there.

use serde_json::{Value, json};
use trueup_model::declared::{DeclaredService, DeclaredTable};

use crate::facts::table_title;
use crate::links::{Links, Members, Page, has_table_pages, migration_anchors};
use crate::lookup::Lookup;
use crate::site::{Sink, Stopped};
use crate::text::visible;

/// A file of the index is ended once it has so many bytes.
const PART: usize = 512 << 10;

/// Writes the files of the index.
pub(crate) fn write(input: &Lookup<'_>, links: &Links, sink: &dyn Sink) -> Result<(), Stopped> {
    write_parts(input, links, PART, sink)
}

fn write_parts(input: &Lookup<'_>, links: &Links, part: usize, sink: &dyn Sink) -> Result<(), Stopped> {
    let (mut first, mut number, mut services) = (None, 1, String::new());
    let finish = |services: &mut String, number: usize, first: &mut Option<String>| {
        let done = std::mem::take(services);
        if number > 1 {
            return sink.file(path(number), script(0, &done).into_bytes());
        }
        // It says how many there are, so it comes last.
        *first = Some(done);
        Ok(())
    };
    for service in &input.declared.services {
        let Some(entry) = entry(service, input, links) else { continue };
        if services.len() >= part {
            finish(&mut services, number, &mut first)?;
            number += 1;
        }
        services.push_str(if services.is_empty() { "\n" } else { ",\n" });
        services.push_str(&harmless(&entry.to_string()));
    }
    finish(&mut services, number, &mut first)?;
    sink.file(path(1), script(number, &first.unwrap_or_default()).into_bytes())
}

/// The file of a part; the scripts of the pages know the names too.
fn path(part: usize) -> String {
    if part == 1 { "assets/search-index.js".to_owned() } else { format!("assets/search-index-{part}.js") }
}

/// `parts` is how many files there are, in the first of them.
fn script(parts: usize, services: &str) -> String {
    let parts = if parts == 0 { String::new() } else { format!("\"parts\":{parts},") };
    format!("(window.trueupIndex ||= []).push({{{parts}\"services\":[{services}\n]}});\n")
}

/// `[name, engine, slug, whether tables have pages, tables, migrations]`.
fn entry(service: &DeclaredService, input: &Lookup<'_>, links: &Links) -> Option<Value> {
    let Page::Service(slug) = links.service(&service.name.value)? else { return None };
    let tables: Vec<Value> = service.tables.iter().map(|each| table(service, each, links)).collect();
    let migrations = input.provenance(service).map_or(&[][..], |provenance| &provenance.migrations);
    let migrations = migrations.iter().zip(migration_anchors(migrations)).map(|(migration, anchor)| {
        json!([visible(&format!("{} {}", migration.label(), migration.description)), anchor])
    });
    let migrations: Vec<Value> = migrations.collect();
    Some(json!([
        visible(&service.name.value),
        visible(&service.engine.text),
        slug,
        u8::from(has_table_pages(service)),
        tables,
        migrations
    ]))
}

/// `[title, columns, indexes, anchor]`; no anchor where it is `t-` and the title.
fn table(service: &DeclaredService, table: &DeclaredTable, links: &Links) -> Value {
    let (title, anchor) = (table_title(table), links.table(service, table));
    let members = Members::of(&anchor, table);
    let details = || table.details.iter();
    let columns = details().flat_map(|details| &details.columns).map(|column| column.name.value.as_str());
    let indexes = details().flat_map(|details| &details.indexes).map(|index| index.name.value.as_str());
    let columns: Vec<Value> = columns.map(|name| member(name, &members.column(name), &anchor, "--")).collect();
    let indexes: Vec<Value> = indexes.map(|name| member(name, &members.index(name), &anchor, "--i-")).collect();
    let mut entry = vec![json!(visible(&title)), json!(columns), json!(indexes)];
    if anchor != format!("t-{title}") {
        entry.push(json!(anchor));
    }
    Value::from(entry)
}

/// The name of a column or an index; `[name, anchor]` where the anchor is not made of it.
fn member(name: &str, anchor: &str, table: &str, joint: &str) -> Value {
    if anchor == format!("{table}{joint}{name}") { json!(visible(name)) } else { json!([visible(name), anchor]) }
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
