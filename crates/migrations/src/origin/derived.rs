//! The names that PostgreSQL gives to what its author left unnamed.

/// Bytes of a name (`NAMEDATALEN - 1`).
const MAX: usize = 63;

/// `<table>_<columns>_<label>`, shortened as `makeObjectName` does: the longer part first, a byte at a time.
pub(super) fn name(table: &str, columns: &str, label: &str) -> String {
    let separators = 1 + usize::from(!columns.is_empty());
    let room = MAX.saturating_sub(label.len() + separators);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > room {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let (table, columns) = (clip(table, first), clip(columns, second));
    if columns.is_empty() { format!("{table}_{label}") } else { format!("{table}_{columns}_{label}") }
}

/// At most `length` bytes, cut between characters.
fn clip(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_lose_from_the_longer_part() {
        assert_eq!(name("t", "a_b", "key"), "t_a_b_key");
        assert_eq!(name("t", "", "pkey"), "t_pkey");
        let long = name(&"t".repeat(60), &"c".repeat(10), "fkey");
        assert_eq!(long, format!("{}_{}_fkey", "t".repeat(47), "c".repeat(10)));
        assert_eq!(long.len(), MAX);
        assert_eq!(name(&"é".repeat(40), "", "pkey"), format!("{}_pkey", "é".repeat(29)));
    }
}
