//! "Did you mean": the nearest known word.

/// The candidate nearest to `word`, when it is near enough to be a misspelling.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing is quadratic in length: nobody misspells a short word as a long one.
    if word.chars().count() > 64 {
        return None;
    }
    let distance = |candidate: &&str| strsim::damerau_levenshtein(&word.to_lowercase(), candidate);
    let best = candidates.into_iter().min_by_key(distance)?;
    let bound = (best.chars().count() / 3).max(2);
    (distance(&best) <= bound || (word.len() >= 4 && best.contains(word))).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let words = ["missing-table", "missing-index", "column-type"];
        assert_eq!(nearest("mising-tabel", words), Some("missing-table"));
        assert_eq!(nearest("Column_Type", words), Some("column-type"));
        assert_eq!(nearest("index", words), Some("missing-index"));
        assert_eq!(nearest("whatever", words), None);
        assert_eq!(nearest(&"x".repeat(100_000), words), None);
    }
}
