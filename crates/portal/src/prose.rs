//! Sentences of ours in which names and code stand between backticks.

/// The parts of a sentence, and whether each is code. Where a backtick has no other one, it is a character of a name,
/// and nothing is code.
pub(crate) fn spans(text: &str) -> impl Iterator<Item = (bool, &str)> {
    let is_paired = text.matches('`').count().is_multiple_of(2);
    let parts = text.split(move |c| is_paired && c == '`');
    parts.enumerate().map(|(number, part)| (number % 2 == 1, part)).filter(|(_, part)| !part.is_empty())
}

/// A name or a path in pieces: between them a line may break.
pub(crate) fn pieces(code: &str) -> impl Iterator<Item = &str> {
    code.split_inclusive(['.', '_', '/', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let of = |text| spans(text).collect::<Vec<_>>();
        assert_eq!(of("a `b` c `d`"), [(false, "a "), (true, "b"), (false, " c "), (true, "d")]);
        assert_eq!(of("`a` b"), [(true, "a"), (false, " b")]);
        assert_eq!(of("a ` b"), [(false, "a ` b")]);
        assert_eq!(of(""), []);
    }

    #[test]
    fn pieces_are_the_whole() {
        assert_eq!(pieces("a_b.c/d-e").collect::<Vec<_>>(), ["a_", "b.", "c/", "d-", "e"]);
        assert_eq!(pieces("__x").collect::<String>(), "__x");
    }
}
