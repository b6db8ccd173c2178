//! Flyway's checksum of a script: CRC-32 (IEEE) over the lines, their ends left out.

/// Computes the checksum piece by piece, so that a file of any size needs no memory.
#[derive(Clone, Debug, Default)]
pub struct Checksum {
    crc: crc32fast::Hasher,
    started: bool,
}

impl Checksum {
    /// Adds decoded text. One U+FEFF at the very start is left out; so is every `\n` and `\r`, which is what makes
    /// the sum the same for all line endings. Pieces may be cut anywhere between characters.
    pub fn update(&mut self, text: &str) {
        let kept = if self.started { text } else { text.strip_prefix('\u{feff}').unwrap_or(text) };
        self.started |= !text.is_empty();
        for line in kept.as_bytes().split(|&byte| byte == b'\n' || byte == b'\r') {
            self.crc.update(line);
        }
    }

    /// The sum as the history table keeps it.
    pub fn value(&self) -> i32 {
        self.crc.clone().finalize().cast_signed()
    }
}

/// The checksum of a whole decoded text.
pub fn of_text(text: &str) -> i32 {
    let mut sum = Checksum::default();
    sum.update(text);
    sum.value()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn table_of_known_values() {
        for (text, expected) in [
            ("select 1;\n", -690_524_359),
            ("select 1;\nselect 2;\n", -593_479_011),
            ("select 1;\r\nselect 2;\r\n", -593_479_011),
            ("select 1;\rselect 2;\r", -593_479_011),
            ("select 1;\nselect 2;", -593_479_011),
            ("\u{feff}select 1;\nselect 2;\n", -593_479_011),
            ("select 1;select 2;", -593_479_011),
            ("select 1; \nselect 2;\n", 1_691_610_383),
            ("-- é ☃ 😀\nselect 1;\n", 1_067_902_040),
            ("-- é\nselect 1;\n", 446_599_626),
            ("create table person(id int primary key);\n", 1_201_944_598),
            ("", 0),
            ("\n\n", 0),
            ("\u{feff}", 0),
            ("\u{feff}\u{feff}-- x\nselect 1;", 68_707_481),
        ] {
            assert_eq!(of_text(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_mark_in_the_second_line_counts() {
        assert_ne!(of_text("\n\u{feff}x"), of_text("\nx"));
    }

    proptest! {
        #[test]
        fn cutting_changes_nothing(pieces in prop::collection::vec("[\u{feff}a-c\r\n é]{0,5}", 0..6)) {
            let mut sum = Checksum::default();
            for piece in &pieces {
                sum.update(piece);
            }
            // An empty first piece must not use up the mark.
            prop_assert_eq!(sum.value(), of_text(&pieces.concat()));
        }
    }
}
