//! Text from authors made fit to show: nothing invisible, nothing that turns the text around it.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

/// Replaces line ends and tabs with blanks, and spells control, bidirectional and other invisible characters `\u{…}`.
///
/// A name can then neither reorder the words beside it nor pass for another. Letters of every script stay as they are.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| is_hidden(c) || c == '\t') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => out.push(' '),
            _ if is_hidden(c) => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Control and format characters, which change how the text around them looks without being seen.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Columns of a fixed-width font that visible text takes: two for wide characters of East Asia, none for marks.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Visible text of at most `max` columns; what was cut is marked with `…`.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let visible = visible(text);
    // Marks that take no room are bounded too.
    if columns(&visible) <= max && visible.chars().count() <= max * 4 {
        return visible.into_owned();
    }
    let mut width = 0;
    let fits = |c: &char| {
        width += c.width().unwrap_or(0);
        width < max
    };
    let mut out: String = visible.chars().take(max * 4).take_while(fits).collect();
    out.push('…');
    out
}

/// Visible text of at most `max` columns, of which the middle is left out: names that begin alike often end differently.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    let visible = visible(text);
    if columns(&visible) <= max && visible.chars().count() <= max * 4 {
        return visible.into_owned();
    }
    let room = max.saturating_sub(1);
    let end: Vec<char> = take(visible.chars().rev(), room / 3);
    let start: Vec<char> = take(visible.chars(), room - room / 3);
    start.into_iter().chain(['…']).chain(end.into_iter().rev()).collect()
}

/// As many characters as fit into so many columns.
fn take(chars: impl Iterator<Item = char>, max: usize) -> Vec<char> {
    let mut width = 0;
    let fits = |c: &char| {
        width += c.width().unwrap_or(0);
        width <= max
    };
    chars.take(max * 4).take_while(fits).collect()
}

/// `1 table`, `2 tables`, `1,200 indexes`, `3 references`.
pub(crate) fn count(n: usize, noun: &str) -> String {
    let plural = match noun {
        _ if n == 1 => noun.to_owned(),
        "index" => "indexes".to_owned(),
        "box" => "boxes".to_owned(),
        "is" => "are".to_owned(),
        _ => format!("{noun}s"),
    };
    format!("{} {plural}", thousands(n))
}

/// `1234567` as `1,234,567`.
pub(crate) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_survives_and_letters_do() {
        let shown = visible("a\u{202e}b\u{0}c\u{200f}d\u{1b}[31m\te\u{feff}");
        assert!(!shown.chars().any(is_hidden), "{shown}");
        assert!(shown.contains("\\u{202e}b\\u{0}c"), "{shown}");
        assert_eq!(visible("Größe مرحبا 表"), "Größe مرحبا 表");
    }

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("表表表表", 6), "表表…");
        assert!(cut(&format!("a{}", "\u{301}".repeat(10_000)), 10).chars().count() <= 41);
    }

    #[test]
    fn shortening_keeps_both_ends() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abcdefghijklmn", 10), "abcdef…lmn");
        assert_eq!(shorten("表表表表表表", 8), "表表…表");
        assert!(shorten(&format!("a{}", "\u{301}".repeat(10_000)), 10).chars().count() <= 41);
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(1, "index"), "1 index");
        assert_eq!(count(1_234_567, "index"), "1,234,567 indexes");
    }
}
