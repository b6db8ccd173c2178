//! Text from authors made fit to show: nothing invisible, nothing that drives a terminal, nothing endless.

use std::fmt::Write as _;

use trueup_model::location::Location;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Shows at most this many columns of one name.
pub const NAME: usize = 80;
/// Shows at most this many columns of one sentence.
pub const SENTENCE: usize = 600;

/// One line of visible text, at most `max` terminal columns wide; what was cut is marked with `…`.
///
/// Line ends and tabs become blanks; control, bidirectional and other invisible characters are spelled `\u{…}`, so
/// that a name can neither move the cursor nor pass for another.
pub fn clean(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut width = 0;
    // Marks that take no room are bounded too: a pile of them would hide the lines around it.
    let mut chars = text.chars().take(max.saturating_mul(4)).peekable();
    while let Some(c) = chars.next() {
        let shown = visible(c);
        let room = if chars.peek().is_some() { max.saturating_sub(1) } else { max };
        if width + shown.width() > room {
            out.push('…');
            return out;
        }
        width += shown.width();
        out.push_str(&shown);
    }
    if text.chars().nth(max.saturating_mul(4)).is_some() {
        out.push('…');
    }
    out
}

/// How one character is shown.
fn visible(c: char) -> String {
    match c {
        '\t' | '\n' | '\r' => " ".to_owned(),
        _ if is_hidden(c) => c.escape_unicode().to_string(),
        _ => c.to_string(),
    }
}

/// Control and format characters, which change how the text around them looks without being seen.
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}')
}

/// `file:line:column` in visible text; a long path is cut, the numbers never.
pub fn place(at: &Location, max: usize) -> String {
    format!("{}:{}:{}", clean(&at.file, max), at.line, at.column)
}

/// Several lines of visible text, each at most `max` columns; at most `lines` of them.
pub fn clean_lines(text: &str, max: usize, lines: usize) -> Vec<String> {
    let mut shown: Vec<String> = text.lines().take(lines).map(|line| clean(&line.replace('\t', "    "), max)).collect();
    let rest = text.lines().skip(lines).count();
    if rest > 0 {
        shown.push(format!("… {} more", count(rest, "line")));
    }
    shown
}

/// Terminal columns of a text that is already clean.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Terminal columns of one character; control characters take none.
pub fn char_width(c: char) -> usize {
    c.width().unwrap_or(0)
}

/// `text` filled up with blanks to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `text` pushed to the right edge of `columns`.
pub fn pad_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// `1 table`, `2 tables`, `1,200 tables`, `3 entries`.
pub fn count(n: usize, noun: &str) -> String {
    let noun = match noun {
        _ if n == 1 => noun.to_owned(),
        "index" => "indexes".to_owned(),
        "entry" => "entries".to_owned(),
        _ => format!("{noun}s"),
    };
    format!("{} {noun}", thousands(n))
}

/// `1234567` as `1,234,567`.
pub fn thousands(n: usize) -> String {
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

/// `a, b, c and 4 more`: at most `shown` items, each already clean.
pub fn list(items: &[String], shown: usize) -> String {
    let mut out = items.iter().take(shown).cloned().collect::<Vec<_>>().join(", ");
    if items.len() > shown {
        let _ = write!(out, " and {} more", thousands(items.len() - shown));
    }
    out
}

/// A word as a shell takes it: bare when it is plain, else in single quotes.
pub fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_invisible_survives() {
        let hostile = "a\u{1b}[31mb\u{202e}c\u{200b}d\re\u{9b}f\u{0}g\u{feff}";
        let shown = clean(hostile, 200);
        assert!(!shown.chars().any(is_hidden), "{shown:?}");
        assert!(shown.contains("\\u{1b}[31mb\\u{202e}c"), "{shown}");
    }

    proptest::proptest! {
        #[test]
        fn clean_text_fits_and_shows_everything(hostile in "\\PC{0,60}\\pC{0,20}.{0,60}", max in 1..120_usize) {
            let shown = clean(&hostile, max);
            proptest::prop_assert!(width(&shown) <= max, "{shown}");
            proptest::prop_assert!(!shown.chars().any(is_hidden), "{shown:?}");
            proptest::prop_assert_eq!(clean(&shown, max), shown.clone(), "clean text stays as it is");
        }
    }

    #[test]
    fn long_text_is_cut_to_the_column() {
        assert_eq!(clean("abcdef", 6), "abcdef");
        assert_eq!(clean("abcdefg", 6), "abcde…");
        assert_eq!(width(&clean(&"漢".repeat(9000), 11)), 11);
        let marks = format!("e{}", "\u{301}".repeat(10_000));
        assert!(clean(&marks, 10).chars().count() < 50);
    }

    #[test]
    fn a_long_path_keeps_its_numbers() {
        let at = Location::new("p".repeat(1000), 12, 3);
        assert_eq!(place(&at, 10), format!("{}…:12:3", "p".repeat(9)));
    }

    #[test]
    fn numbers_and_nouns() {
        assert_eq!(count(1, "index"), "1 index");
        assert_eq!(count(1_234_567, "index"), "1,234,567 indexes");
        assert_eq!(count(0, "table"), "0 tables");
    }

    #[test]
    fn shell_words_cannot_break_out() {
        assert_eq!(shell_word("svc-check-in"), "svc-check-in");
        assert_eq!(shell_word("a'; rm -rf ~"), r"'a'\''; rm -rf ~'");
        assert_eq!(shell_word("-x"), "'-x'");
    }
}
