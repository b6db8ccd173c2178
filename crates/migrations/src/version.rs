//! Versions of migrations: any number of parts, each of any size.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A version as Flyway orders it: `1` = `1.0` = `01`, `9` before `10`, `1.9` before `1.10`.
///
/// Equality and order look at the numbers; [`Version::text`] keeps what the author wrote.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    parts: Vec<Part>,
}

/// One whole number of any size: a sign, and digits without leading zeros (zero has none).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Part {
    negative: bool,
    digits: String,
}

impl Version {
    /// Reads a version as it stands in a file name (`1_2`, `1.2`, `20190410103000`).
    ///
    /// Parts are divided at each `.` that a digit follows, `_` counting as `.`; a part may carry a sign, as Java's
    /// `BigInteger` allows. Words such as `latest` and `next` are no versions of files. `None` when a part is no number.
    pub fn parse(written: &str) -> Option<Self> {
        let text = written.replace('_', ".");
        let mut parts = divide(&text).into_iter().map(Part::parse).collect::<Option<Vec<_>>>()?;
        while parts.last().is_some_and(Part::is_zero) {
            parts.pop();
        }
        Some(Self { text, parts })
    }

    /// The text as the history table keeps it: as written, with `.` for `_`, nothing else normalised.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Splits at each `.` that a digit follows; the digit stays with its part.
fn divide(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            parts.push(&text[start..at]);
            start = at + 1;
        }
    }
    parts.push(&text[start..]);
    parts
}

impl Part {
    fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let digits = digits.trim_start_matches('0').to_owned();
        Some(Self { negative: negative && !digits.is_empty(), digits })
    }

    fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        self.digits.len().cmp(&other.digits.len()).then_with(|| self.digits.cmp(&other.digits))
    }
}

impl Ord for Part {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        let zero = Part { negative: false, digits: String::new() };
        let longest = self.parts.len().max(other.parts.len());
        (0..longest)
            .map(|at| self.parts.get(at).unwrap_or(&zero).cmp(other.parts.get(at).unwrap_or(&zero)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts.hash(state);
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap_or_else(|| panic!("{text} is a version"))
    }

    #[test]
    fn equal_numbers_are_equal_and_keep_their_text() {
        for (a, b) in [("1", "1.0"), ("1", "01"), ("1_2", "1.2"), ("0", "0.0.0"), ("-0", "0"), ("+1", "1")] {
            assert_eq!(version(a), version(b), "{a} {b}");
        }
        for text in ["009", "10.0.0", "8.1.2"] {
            assert_eq!(version(text).text(), text);
        }
        assert_eq!(version("1_2").text(), "1.2");
    }

    #[test]
    fn numbers_order_versions() {
        let ascending = [
            "-1",
            "0.9",
            "1",
            "1.0.0.3.1",
            "1.9",
            "1.10",
            "2.8.0.20190410103000",
            "9",
            "10",
            "1234567890123456789012345",
        ];
        for pair in ascending.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_no_version() {
        for text in ["_5", "6_", "7_x", "14.", "15..1", "abc", "13-1", "", "latest", "next", "current", "-", "1.-2"] {
            assert_eq!(Version::parse(text).map(|v| v.to_string()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn order_is_that_of_the_numbers(a in prop::collection::vec(0u64..2000, 1..5), b in prop::collection::vec(0u64..2000, 1..5)) {
            let text = |parts: &[u64]| parts.iter().map(u64::to_string).collect::<Vec<_>>().join(".");
            let (mut x, mut y) = (a.clone(), b.clone());
            x.resize(5, 0);
            y.resize(5, 0);
            prop_assert_eq!(version(&text(&a)).cmp(&version(&text(&b))), x.cmp(&y));
            prop_assert_eq!(version(&text(&a)) == version(&text(&b)), x == y);
        }
    }
}
