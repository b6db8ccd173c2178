//! One source line with a mark under the place that is meant.

use std::sync::Arc;

use crate::report::text;

/// A file with the places where its lines start.
pub(super) struct Indexed {
    text: Arc<str>,
    starts: Vec<usize>,
}

impl Indexed {
    pub(super) fn new(text: Arc<str>) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    /// A 1-based line without its end.
    pub(super) fn line(&self, line: u32) -> Option<&str> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        self.text.get(start..end).map(|line| line.trim_end_matches('\r'))
    }
}

/// A line cut to `room` columns around 1-based `column`, and the mark that belongs under it.
///
/// The indent of the source is dropped when the mark is not inside it: on a page it only pushes the text away.
pub(super) fn excerpt(line: &str, column: u32, room: usize) -> (String, String) {
    let column = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
    let indent = line.chars().take_while(|c| c.is_whitespace()).count().min(column);
    let start = if column - indent > room * 2 / 3 { column - room / 3 } else { indent };
    let lead = if start > indent { "…" } else { "" };
    let before: String = line.chars().skip(start).take(column - start).collect();
    let rest: String = line.chars().skip(start).take(room * 4).collect();
    let shown = format!("{lead}{}", text::clean(&rest, room - text::width(lead)));
    let offset = text::width(lead) + text::width(&text::clean(&before, room));
    let mark = format!("{}{}", " ".repeat(offset.min(room)), "^".repeat(word(line, column, room - offset.min(room))));
    (shown, mark)
}

/// Columns of the word that starts at a place: 1 when there is none.
fn word(line: &str, column: usize, room: usize) -> usize {
    let part = |c: &char| c.is_alphanumeric() || "_-".contains(*c);
    let columns: usize = line.chars().skip(column).take_while(part).take(room.max(1)).map(text::char_width).sum();
    columns.clamp(1, room.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_whatever_ends_them() {
        let file = Indexed::new("a\r\nb\n\nlast".into());
        assert_eq!((file.line(1), file.line(2), file.line(3)), (Some("a"), Some("b"), Some("")));
        assert_eq!((file.line(4), file.line(5), file.line(0)), (Some("last"), None, None));
    }

    #[test]
    fn the_mark_stands_under_the_word() {
        let (shown, mark) = excerpt("      - name: status", 15, 40);
        assert_eq!(shown, "- name: status");
        assert_eq!(mark, "        ^^^^^^");
    }

    #[test]
    fn a_place_far_to_the_right_is_brought_into_view() {
        let line = format!("{}target{}", "x ".repeat(5000), "y".repeat(5000));
        let (shown, mark) = excerpt(&line, 10_001, 40);
        assert!(text::width(&shown) <= 40 && shown.contains("target"), "{shown}");
        let at = mark.len() - mark.trim_start().len();
        assert!(shown.chars().skip(at).collect::<String>().starts_with("target"), "{shown}\n{mark}");
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_line_the_page_holds(line in ".{0,200}", column in 0..300_u32, room in 20..120_usize) {
            let (shown, mark) = excerpt(&line, column, room);
            proptest::prop_assert!(text::width(&shown) <= room, "{shown}");
            proptest::prop_assert!(text::width(&mark) <= room + 1, "{mark}");
            proptest::prop_assert!(mark.ends_with('^'));
            proptest::prop_assert!(!shown.chars().any(text::is_hidden));
        }
    }

    #[test]
    fn a_column_beyond_the_line_is_no_trouble() {
        let (shown, mark) = excerpt("ab", 4_000_000_000, 30);
        assert!(text::width(&shown) <= 30 && text::width(&mark) <= 31, "{shown} {mark}");
    }
}
