//! Flyway's table: cells in a frame of `+`, `-` and `|`.

use crate::report::text::{clean, pad, width};

/// Draws a table; `rows` begins with the head. Cells are made safe for a terminal.
pub(super) fn draw<const COLUMNS: usize>(rows: &[[String; COLUMNS]], without_rows: &str) -> String {
    let rows: Vec<[String; COLUMNS]> =
        rows.iter().map(|row| std::array::from_fn(|column| clean(&row[column], 200))).collect();
    let widths: [usize; COLUMNS] =
        std::array::from_fn(|column| rows.iter().map(|row| width(&row[column])).max().unwrap_or_default());
    let rule = format!("+{}+", widths.map(|width| "-".repeat(width + 2)).join("+"));
    let line = |row: &[String; COLUMNS]| {
        let cells: [String; COLUMNS] = std::array::from_fn(|column| format!(" {} ", pad(&row[column], widths[column])));
        format!("|{}|", cells.join("|"))
    };
    let mut lines = vec![rule.clone()];
    let mut rows = rows.iter();
    lines.extend(rows.next().map(line));
    lines.push(rule.clone());
    if rows.len() == 0 {
        lines.push(format!("| {} |", pad(without_rows, rule.len().saturating_sub(4))));
    }
    lines.extend(rows.map(line));
    lines.push(rule);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned);
        let table = draw(&[row(["Version", "State"]), row(["1", "Out of Order"]), row(["é", ""])], "");
        let expected = "\
+---------+--------------+
| Version | State        |
+---------+--------------+
| 1       | Out of Order |
| é       |              |
+---------+--------------+";
        assert_eq!(table, expected);
        assert!(!draw(&[row(["\u{1b}[2J", ""])], "").contains('\u{1b}'));
        let empty = draw(&[row(["Version", "State"])], "No migrations found");
        assert_eq!(empty.lines().nth(3), Some("| No migrations found |"));
    }
}
