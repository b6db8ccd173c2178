//! Names of files and anchors, made from names of services, tables and columns.

use std::collections::{BTreeMap, BTreeSet};

/// Slugs are at most this long, in bytes, whatever they are made from.
const LONGEST: usize = 60;

/// Names that Windows gives to devices, whatever follows the first dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A slug for each of a set of names: `[a-z0-9_-]`, never empty, no two alike.
///
/// A name that is a slug already stays what it is. Every other slug ends in a hash of the raw name, so that a page keeps
/// its address when others come and go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slugs {
    by_name: BTreeMap<String, String>,
}

impl Slugs {
    /// Assigns slugs; the order of the names matters only where two hashes are equal.
    pub(crate) fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut slugs = Self::default();
        let names: BTreeSet<&str> = names.into_iter().collect();
        let mut taken: BTreeSet<String> =
            names.iter().filter(|name| is_slug(name)).map(|name| (*name).to_owned()).collect();
        for name in names {
            let slug = if is_slug(name) { name.to_owned() } else { free(&hashed(name), &mut taken) };
            slugs.by_name.insert(name.to_owned(), slug);
        }
        slugs
    }

    /// The slug of a name that was assigned one; of any other, what it would have been alone.
    pub(crate) fn get(&self, name: &str) -> String {
        self.by_name.get(name).cloned().unwrap_or_else(|| if is_slug(name) { name.to_owned() } else { hashed(name) })
    }

    /// Whether this name was assigned a slug.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }
}

fn free(wanted: &str, taken: &mut BTreeSet<String>) -> String {
    let mut slug = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(slug.clone()) {
        slug = format!("{wanted}-{number}");
        number += 1;
    }
    slug
}

fn is_slug(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    !name.is_empty() && name.len() <= LONGEST && name.chars().all(allowed) && !name.starts_with('-') && !is_device(name)
}

fn is_device(name: &str) -> bool {
    let port = name.strip_prefix("com").or_else(|| name.strip_prefix("lpt"));
    DEVICES.contains(&name) || port.is_some_and(|rest| rest.len() == 1)
}

/// What can be kept of the name, and a hash of all of it.
fn hashed(name: &str) -> String {
    let mut kept = String::new();
    for c in name.chars().take(1000) {
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => kept.push(c),
            _ if kept.is_empty() || kept.ends_with('-') => {}
            _ => kept.push('-'),
        }
        if kept.len() >= LONGEST - 12 {
            break;
        }
    }
    let kept = kept.trim_end_matches('-');
    let kept = if kept.is_empty() { "x" } else { kept };
    format!("{kept}-{:08x}", fnv(name))
}

/// FNV-1a, 32 bits: stable over releases and platforms. Constants from draft-eastlake-fnv.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn plain_names_stay_and_others_are_told_apart() {
        let slugs = Slugs::of(["svc-a", "SVC-A", "svc a", "../../etc/passwd", "..", "", "con", "com1", "sv/c"]);
        assert_eq!(slugs.get("svc-a"), "svc-a");
        let all: BTreeSet<_> = slugs.by_name.values().collect();
        assert_eq!(all.len(), slugs.by_name.len());
        assert!(slugs.get("../../etc/passwd").starts_with("etc-passwd-"));
        assert_ne!(slugs.get("con"), "con");
        assert_ne!(slugs.get("com1"), "com1");
    }

    #[test]
    fn a_name_that_looks_like_another_ones_slug_collides_with_nothing() {
        let forged = hashed("SVC");
        let slugs = Slugs::of(["SVC", forged.as_str()]);
        assert_eq!(slugs.get(&forged), forged);
        assert_ne!(slugs.get("SVC"), forged);
    }

    proptest! {
        #[test]
        fn slugs_are_safe_short_and_distinct(names in proptest::collection::btree_set(any::<String>(), 0..20)) {
            let slugs = Slugs::of(names.iter().map(String::as_str));
            let all: BTreeSet<_> = slugs.by_name.values().cloned().collect();
            prop_assert_eq!(all.len(), names.len());
            for slug in all {
                prop_assert!(slug.len() <= LONGEST + 4 && !slug.is_empty());
                prop_assert!(slug.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{}", slug);
            }
        }
    }
}
