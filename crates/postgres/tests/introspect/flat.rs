//! A schema as lines, to say what differs.

use std::collections::BTreeMap;

use serde_json::Value;
use trueup_model::canonical::Canonical;

/// Path to value, one entry a leaf. Lists of `[key, value]` pairs count as maps, other lists by position.
pub(crate) fn flat(canonical: &Canonical) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    let value = serde_json::to_value(canonical).expect("a canonical is JSON");
    walk("", &value, &mut leaves);
    leaves.remove("/major");
    leaves
}

fn walk(path: &str, value: &Value, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| walk(&format!("{path}/{key}"), value, leaves)),
        Value::Array(items) => {
            for (position, item) in items.iter().enumerate() {
                match item.as_array().map(Vec::as_slice) {
                    Some([key @ Value::Object(_), value]) => walk(&format!("{path}/{}", name(key)), value, leaves),
                    _ => walk(&format!("{path}/{}", item.get("name").map_or(position.to_string(), name)), item, leaves),
                }
            }
        }
        leaf => {
            leaves.insert(path.to_owned(), leaf.as_str().map_or_else(|| leaf.to_string(), str::to_owned));
        }
    }
}

/// A qualified name, or whatever stands for one.
fn name(key: &Value) -> String {
    let parts = key.as_object().into_iter().flat_map(|fields| fields.values().filter_map(Value::as_str));
    key.as_str().map_or_else(|| parts.collect::<Vec<_>>().join("."), str::to_owned)
}

/// The leaves that are not equal on both sides, as `path: left => right`.
pub(crate) fn differences(left: &Canonical, right: &Canonical) -> Vec<String> {
    let (left, right) = (flat(left), flat(right));
    let paths: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    paths
        .into_iter()
        .filter(|path| left.get(*path) != right.get(*path))
        .map(|path| format!("{path}: {:?} => {:?}", left.get(path), right.get(path)))
        .collect()
}

/// What majors are known to print differently; `docs/reference/majors.md` says so to people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Known {
    /// Each major brings its own versions of extensions.
    ExtensionVersion,
    /// From 16 on, columns of a view over a single relation are printed without the relation's name.
    ViewQualifiers,
    /// Up to 13, `a AT TIME ZONE b` is printed as the function it calls, `timezone(b, a)`.
    TimeZoneCall,
}

/// The differences between two majors: how often each known kind occurs, and those that are not known.
pub(crate) fn beyond_known(left: &Canonical, right: &Canonical) -> (BTreeMap<Known, usize>, Vec<String>) {
    let (mut left, mut right) = (flat(left), flat(right));
    let mut counts = BTreeMap::new();
    let paths: Vec<_> = left.keys().chain(right.keys()).cloned().collect();
    for path in paths {
        let (Some(a), Some(b)) = (left.get(&path), right.get(&path)) else { continue };
        if let Some(known) = known(&path, a, b).filter(|_| a != b) {
            *counts.entry(known).or_default() += 1;
            left.remove(&path);
            right.remove(&path);
        }
    }
    let unknown = left
        .iter()
        .filter(|(path, value)| right.get(*path) != Some(*value))
        .map(|(path, value)| format!("- {path}: {value}"));
    let added = right
        .iter()
        .filter(|(path, value)| left.get(*path) != Some(*value))
        .map(|(path, value)| format!("+ {path}: {value}"));
    (counts, unknown.chain(added).collect())
}

fn known(path: &str, left: &str, right: &str) -> Option<Known> {
    if path.starts_with("/extensions/") && path.ends_with("/version") {
        return Some(Known::ExtensionVersion);
    }
    let zoned = left.contains(" AT TIME ZONE ") && right.contains("timezone(");
    if zoned && words(left, &["AT", "TIME", "ZONE"]) == words(right, &["timezone"]) {
        return Some(Known::TimeZoneCall);
    }
    let is_view = path.starts_with("/views/") && path.ends_with("/definition");
    (is_view && without_qualifiers(left) == without_qualifiers(right)).then_some(Known::ViewQualifiers)
}

/// The words of an expression in alphabetical order, without those that only one of two spellings has.
fn words<'a>(text: &'a str, without: &[&str]) -> Vec<&'a str> {
    let words = text.split(|c: char| "(), ".contains(c)).filter(|word| !word.is_empty() && !without.contains(word));
    let mut words: Vec<_> = words.collect();
    words.sort_unstable();
    words
}

/// The text without every `word.` in it.
fn without_qualifiers(text: &str) -> String {
    let mut result = String::new();
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        if !(word.ends_with('.') && word.len() > 1) {
            result.push_str(word);
        }
    }
    result
}
