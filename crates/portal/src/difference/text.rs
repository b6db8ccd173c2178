//! The same as Markdown, for a pull request or the summary of a job.

use super::rows::{self, Row};
use super::words::of_service;
use super::{Comparison, Detail, Difference, Pictures, ServiceChange, Sign};
use crate::markdown::{Inline, Markdown};

/// Rows of one service that the Markdown shows; hosts cut longer texts off.
const MOST_ROWS: usize = 200;

pub(super) fn markdown(
    comparison: &Comparison<'_>,
    difference: &Difference<'_>,
    drawn: &[Pictures],
    prefix: Option<&str>,
) -> String {
    let mut out = Markdown::default();
    out.title(2, &Inline::of("What changes in the data stores"));
    let mut first = Inline::of("Compared with ");
    first.code(comparison.base).text(". ").text(&rows::sentence(difference));
    out.paragraph(&first);
    for (change, pictures) in difference.services.iter().zip(drawn) {
        service(comparison, change, pictures, prefix, &mut out);
    }
    out.finish()
}

fn service(
    comparison: &Comparison<'_>,
    change: &ServiceChange<'_>,
    pictures: &Pictures,
    prefix: Option<&str>,
    out: &mut Markdown,
) {
    let mut title = Inline::of(change.name);
    title.text(" ").append(&sign(change.sign));
    out.title(3, &title);
    let words = of_service(change);
    if !words.is_empty() {
        out.paragraph(&Inline::of(&format!("{words}.")));
    }
    if let Some(prefix) = prefix {
        for (when, picture) in [("before", &pictures.before), ("after", &pictures.after)] {
            let Some(picture) = picture else { continue };
            let mut line = Inline::of(if when == "before" { "Before: " } else { "After: " });
            line.picture(&format!("{prefix}{picture}"), &format!("{} {when}", change.name));
            out.paragraph(&line);
        }
        out.paragraph(&Inline::of(&pictures.note));
    }
    let rows = rows::of(comparison, change);
    let cells: Vec<Vec<Inline>> = rows.iter().take(MOST_ROWS).map(cells).collect();
    out.table(&["What", "Where", "How"], &cells);
    if let Some(more) = rows.len().checked_sub(MOST_ROWS + 1) {
        out.paragraph(&Inline::of(&format!("{} more are on the page.", crate::text::thousands(more + 1))));
    }
}

fn sign(sign: Sign) -> Inline {
    let mut inline = Inline::of(sign.glyph());
    inline.text(" ").text(sign.word());
    inline
}

fn cells(row: &Row<'_>) -> Vec<Inline> {
    let mut place = Inline::of(row.kind);
    place.text(" ").code(&row.name);
    if let Some(former) = &row.former {
        place.text(", formerly ").code(former);
    }
    let mut how = Inline::of(&row.has);
    for (number, detail) in row.details.iter().enumerate() {
        if number > 0 || !row.has.is_empty() {
            how.text("; ");
        }
        told(detail, row.sign, &mut how);
    }
    vec![sign(row.sign), place, how]
}

fn told(detail: &Detail, sign: Sign, out: &mut Inline) {
    let Detail { what, before, after } = detail;
    out.text(what).text(" ");
    let mut said = |text: &str| {
        if text.is_empty() {
            out.text("nothing")
        } else {
            out.code(text)
        };
    };
    match sign {
        Sign::Added => said(after),
        Sign::Removed => said(before),
        Sign::Changed => {
            said(before);
            out.text(" → ");
            if after.is_empty() {
                out.text("nothing")
            } else {
                out.code(after)
            };
        }
    }
}
