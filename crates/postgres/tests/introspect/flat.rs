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
            items.iter().enumerate().for_each(|(position, item)| match item.as_array().map(Vec::as_slice) {
                Some([key @ Value::Object(_), value]) => walk(&format!("{path}/{}", name(key)), value, leaves),
                _ => walk(&format!("{path}/{}", item.get("name").map_or(position.to_string(), name)), item, leaves),
            })
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
