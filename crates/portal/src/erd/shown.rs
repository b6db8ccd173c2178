//! Names as they are drawn: short enough for a box, and never so that two of them look the same.

use std::collections::HashMap;

use super::LONGEST_INDEX;
use crate::text::{columns, cut, shorten};

/// What is left of an index's keys at the least, in columns.
const FEWEST: usize = 8;

/// An index's name, whole as far as that goes, and as much of its keys as there is room for. `keys` may be empty.
pub(super) fn index(name: &str, keys: &str) -> String {
    let name = shorten(name, LONGEST_INDEX);
    let room = LONGEST_INDEX - columns(&name).min(LONGEST_INDEX);
    if room < FEWEST && columns(keys) > room { name } else { name + &cut(keys, room) }
}

/// Numbers those of different names that look the same when they are shortened.
pub(super) fn tell_apart<'a>(shown: impl Iterator<Item = &'a mut String>) {
    // How often each text was met: thousands of equal ones are numbered one by one.
    let mut seen: HashMap<String, usize> = HashMap::new();
    for text in shown {
        let original = text.clone();
        while let Some(number) = seen.get_mut(&original).filter(|_| *text == original) {
            *number += 1;
            *text = format!("{original} #{number}");
            if seen.contains_key(text) {
                text.clone_from(&original);
            }
        }
        seen.entry(text.clone()).or_insert(1);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_that_postgresql_takes_is_shortened() {
        let name = "i".repeat(63);
        assert_eq!(index(&name, " (member_id, lent_at DESC)"), name);
        assert_eq!(index("idx", " (member_id, lent_at DESC)"), "idx (member_id, lent_at DESC)");
        assert_eq!(index(&"i".repeat(50), " (member_id, lent_at)"), format!("{} (member_id, …", "i".repeat(50)));
        assert_eq!(index("idx", ""), "idx");
    }

    #[test]
    fn names_that_differ_stay_different() {
        let long = |middle: &str, end: &str| format!("{}{middle}{}{end}", "a".repeat(60), "b".repeat(60));
        let mut shown = [long("x", "1"), long("x", "2"), long("y", "2"), long("z", "2")].map(|name| index(&name, ""));
        assert_ne!(shown[0], shown[1], "their ends are kept");
        tell_apart(shown.iter_mut());
        assert!(shown[2].ends_with("2 #2") && shown[3].ends_with("2 #3"), "{shown:?}");
        let different: HashSet<&String> = shown.iter().collect();
        assert_eq!(different.len(), 4);
        let mut taken = ["a", "a #2", "a", "a"].map(str::to_owned);
        tell_apart(taken.iter_mut());
        assert_eq!(taken, ["a", "a #2", "a #3", "a #4"]);
    }
}
