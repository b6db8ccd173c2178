//! The diagram as PlantUML source: for teams whose tools render it, and for `--erd plantuml`.
//!
//! Names are hostile here too. PlantUML reads its source line by line and gives a meaning to most punctuation, so only
//! letters, digits and a few marks that mean nothing to it are written as they are; every other character is written
//! `<U+XXXX>`, which it shows as that character and does not read.

use crate::erd::feet::Foot;
use crate::erd::map::{Group, Line, Map, Place};
use crate::erd::{Card, CardKind, Erd, Relation, Row};
use crate::facts::{Mark, Nullability};
use crate::text::cut;

/// Longest text in the source, in columns.
const LONGEST: usize = 120;

/// A whole file. It names no theme, since older releases know none.
pub(crate) fn source(service: &str, erd: &Erd) -> String {
    let mut out = head(service);
    for (node, card) in erd.boxes.iter().enumerate() {
        out.push('\n');
        entity(node, card, &mut out);
    }
    out.push('\n');
    for relation in &erd.relations {
        out.push_str(&line(relation));
    }
    out.push_str("@enduml\n");
    out
}

/// The map of all services. The domains' colours are not in it: each of them may be as dark as the words on it.
pub(crate) fn map(title: &str, map: &Map) -> String {
    let mut out = head(title);
    for (node, place) in map.places.iter().enumerate() {
        out.push('\n');
        out.push_str(&group(node, place));
    }
    out.push('\n');
    map.lines.iter().for_each(|line| out.push_str(&arrow(*line)));
    out.push_str("@enduml\n");
    out
}

fn head(title: &str) -> String {
    format!(
        "@startuml\ntitle {}\nhide circle\nhide empty members\nleft to right direction\nskinparam shadowing false\n",
        plain(title)
    )
}

fn group(node: usize, place: &Place) -> String {
    let stereotype = match place.group {
        Group::Missing(_) => " <<not in the intent>>",
        Group::Domain(_) => " <<domain>>",
        Group::Service(_) | Group::NoDomain | Group::AllMissing => "",
    };
    format!("entity \"{}\" as e{node}{stereotype} {{\n  {{field}} {}\n}}\n", name(&place.title), plain(&place.note))
}

/// It points at what is referenced, with how many references it stands for.
fn arrow(line: Line) -> String {
    format!("e{} ..> e{} : {}\n", line.from, line.to, line.references)
}

fn entity(node: usize, card: &Card, out: &mut String) {
    let stereotype = match card.kind {
        CardKind::Table(_) => "",
        CardKind::Service(_) => " <<service>>",
        CardKind::Missing => " <<not in the intent>>",
    };
    out.push_str(&format!("entity \"{}\" as e{node}{stereotype} {{\n", name(&card.title)));
    let is_key = |row: &&Row| row.marks.contains(&Mark::Primary);
    let (keys, others): (Vec<&Row>, Vec<&Row>) = card.rows.iter().partition(is_key);
    keys.iter().for_each(|row| out.push_str(&column("* ", row)));
    if !keys.is_empty() && !others.is_empty() {
        out.push_str("  --\n");
    }
    others.iter().for_each(|row| out.push_str(&column("", row)));
    if !card.left_out.is_empty() {
        out.push_str(&format!("  {{field}} {}\n", plain(&card.left_out)));
    }
    if !card.indexes.is_empty() {
        out.push_str("  ..\n");
    }
    for index in &card.indexes {
        let kind = if index.unique { "UQ index" } else { "index" };
        out.push_str(&format!("  {{field}} {kind} {}\n", plain(&index.text)));
    }
    out.push_str("}\n");
}

/// `name : type`, the key starred, with its marks. `{field}` says that brackets make no method of it.
fn column(star: &str, row: &Row) -> String {
    let mut marks: Vec<&str> = row.marks.iter().map(|mark| mark.letters()).collect();
    match row.null {
        Nullability::Required => marks.push("NN"),
        Nullability::Unknown => marks.push("null unknown"),
        Nullability::Optional => {}
    }
    let marks: String = marks.iter().map(|mark| format!(" <<{mark}>>")).collect();
    format!("  {star}{{field}} {} : {}{marks}\n", plain(&row.name), plain(&row.type_text))
}

/// From the column that references to what it references.
fn line(relation: &Relation) -> String {
    let many = signs(relation.referencing()).0;
    let one = relation.referenced().map_or("", |foot| signs(foot).1);
    let dash = if relation.enforced { "--" } else { ".." };
    format!("e{} {many}{dash}{one} e{}\n", relation.to.0, relation.from.0)
}

/// A foot at the left and at the right end of a line.
fn signs(foot: Foot) -> (&'static str, &'static str) {
    match foot {
        Foot::One => ("||", "||"),
        Foot::OneOrNone => ("|o", "o|"),
        Foot::Any => ("}o", "o{"),
    }
}

/// The name of a box. What stands in pointed brackets at its end would be a type parameter, with a box of its own: after a
/// blank it is not at the end.
fn name(text: &str) -> String {
    let mut name = plain(text);
    if name.ends_with('>') {
        name.push(' ');
    }
    name
}

/// Text that PlantUML shows and does not read.
fn plain(text: &str) -> String {
    let text = cut(text, LONGEST);
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let after = rest.peek().copied().unwrap_or(' ');
        // A mark between letters is a mark; doubled or at an end it would be formatting.
        let inside = before.is_alphanumeric() && after.is_alphanumeric();
        let is_plain =
            c.is_alphanumeric() || matches!(c, ' ' | ',' | '.' | '(' | ')') || (inside && matches!(c, '_' | '-'));
        if is_plain {
            out.push(c);
        } else {
            out.push_str(&format!("<U+{:04X}>", u32::from(c)));
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use trueup_intent::Source;

    use super::*;

    #[test]
    fn the_feet_of_a_line_say_that_nobody_has_to_reference_a_row() {
        let lines = |constraints: &str| {
            let yaml = format!(
                "s:\n  table_details:\n    a:\n      columns: [{{name: id, type: UUID, constraints: PK}}]\n    \
                b:\n      columns: [{{name: a, type: UUID, constraints: '{constraints}'}}]\n"
            );
            let reading = trueup_intent::read(&[Source { path: "f".to_owned(), bytes: yaml.into_bytes() }]);
            let source = source("s", &Erd::of(&reading.declared.services[0], &reading.written));
            source.lines().filter(|line| line.starts_with('e') && !line.starts_with("en")).collect::<String>()
        };
        assert_eq!(lines("FK -> a"), "e1 }o--o| e0");
        assert_eq!(lines("NOT NULL, FK -> a"), "e1 }o--|| e0");
        assert_eq!(lines("UNIQUE, FK -> a"), "e1 |o--o| e0");
        assert_eq!(lines("NOT NULL, UNIQUE, FK -> a"), "e1 |o--|| e0");
        // The database of another service does not enforce it: what it meets there, nobody knows.
        assert_eq!(lines("NOT NULL, FK -> svc-x"), "e1 }o.. e2");
    }

    #[test]
    fn only_letters_digits_and_harmless_marks_stay() {
        assert_eq!(plain("check_in-id2"), "check_in-id2");
        assert_eq!(plain("DECIMAL(10,2)"), "DECIMAL(10,2)");
        assert_eq!(plain("__x__"), "<U+005F><U+005F>x<U+005F><U+005F>");
        assert_eq!(plain("\n!include /etc/passwd"), " <U+0021>include <U+002F>etc<U+002F>passwd");
        assert_eq!(plain("@enduml"), "<U+0040>enduml");
        assert_eq!(plain("%date()"), "<U+0025>date()");
        assert_eq!(name("a<b>"), "a<U+003C>b<U+003E> ");
    }
}
