//! The reference repository: nothing that its own Data Store sections say is missing on our pages, and equal input
//! gives equal bytes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use scraper::{ElementRef, Html, Selector};
use trueup_intent::Source;
use trueup_portal::domains::{self, Domains};
use trueup_portal::input::{Input, Known};
use trueup_portal::markdown::Sections;
use trueup_portal::{Site, build};
use trueup_testkit::{shared_corpora, skipped};

fn source(root: &Path, name: &str) -> Source {
    let path = format!("architecture/metadata/{name}");
    Source { bytes: std::fs::read(root.join(&path)).unwrap(), path }
}

fn site(root: &Path) -> Site {
    made_of(root, build)
}

/// What is made of the reference repository.
fn made_of<T>(root: &Path, make: impl FnOnce(&Input<'_>) -> T) -> T {
    let sources = [source(root, "data-stores.yaml")];
    let reading = trueup_intent::read(&sources);
    let domains: Domains = domains::read(&source(root, "domains.yaml")).unwrap();
    assert_eq!(domains.notes, []);
    make(&Input {
        declared: &reading.declared,
        files: &[sources[0].path.clone()],
        written: &reading.written,
        reading: &reading.findings,
        domains: &domains,
        report: None,
        drawings: None,
        known: Known::default(),
    })
}

fn words(element: ElementRef<'_>) -> String {
    element.text().collect::<Vec<_>>().join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn select<'a>(within: ElementRef<'a>, selector: &str) -> Vec<ElementRef<'a>> {
    within.select(&Selector::parse(selector).unwrap()).collect()
}

/// Text of Markdown without its marks.
fn plain(text: &str) -> String {
    text.replace(['`', '*'], "").trim().to_owned()
}

/// The row of a table whose head is `name`.
fn row<'a>(section: ElementRef<'a>, name: &str) -> ElementRef<'a> {
    let rows = select(section, "tr").into_iter();
    let mut named = rows.filter(|row| select(*row, "th[scope=row]").iter().any(|head| words(*head) == name));
    named.next().unwrap_or_else(|| panic!("no row {name}"))
}

/// One clause of the original's constraints, in the words of our row.
fn clause(clause: &str) -> String {
    let (clause, note) =
        clause.split_once(" (").map_or((clause, ""), |(before, note)| (before, note.trim_end_matches(')')));
    match clause {
        "PK" => "PK".to_owned(),
        "UNIQUE" => "UQ".to_owned(),
        "ENCRYPTED" => "encrypted".to_owned(),
        "CHECK" => format!("CHECK ({note})"),
        "NOT NULL" | "NULL" if note.is_empty() => clause.to_owned(),
        "NOT NULL" | "NULL" => note.to_owned(),
        _ => {
            let rest = clause.strip_prefix("DEFAULT ").or_else(|| clause.strip_prefix("FK -> ")).unwrap_or(clause);
            if note.is_empty() { rest.to_owned() } else { format!("{rest} ({note}") }
        }
    }
}

fn holds(row: ElementRef<'_>, expected: &str) {
    let text = words(row);
    assert!(text.contains(expected), "{expected:?} is not in {text:?}");
}

/// Walks an original section line by line and looks for each thing on our page; how many things were looked for.
fn compare(original: &str, page: &Html) -> usize {
    let root = page.root_element();
    let svg = words(select(root, "svg.erd")[0]);
    let (mut section, mut seen) = (root, 0);
    for line in original.lines() {
        if let Some(table) = line.strip_prefix("#### ").map(plain) {
            assert!(svg.contains(&table), "{table} is drawn");
            let all = select(root, "section.table").into_iter();
            section =
                all.into_iter().find(|one| words(select(*one, "h3")[0]) == table).expect("a section for the table");
        } else if let Some(title) = line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")) {
            let ours = if title.contains("data-store") { "#data-store".to_owned() } else { "h2".to_owned() };
            let heads = select(root, &ours);
            assert!(ours != "h2" || heads.iter().any(|head| words(*head).eq_ignore_ascii_case(title)), "{title}");
            assert!(!heads.is_empty(), "{title}");
        } else if line.starts_with("| **") || line.starts_with("| `") {
            let cells: Vec<String> = line.trim_matches('|').split(" | ").map(plain).collect();
            seen += compare_row(&cells, if cells.len() == 2 { root } else { section }, &svg);
            continue;
        } else if let Some(index) = line.strip_prefix("- `") {
            compare_index(index, section);
        } else if let Some(feature) = line.strip_prefix("- ") {
            assert!(select(root, ".features li").iter().any(|item| words(*item) == feature), "{feature}");
        } else if line.starts_with('*') && !line.starts_with("**") {
            holds(section, &plain(line));
        } else if line.contains("Generated from") {
            holds(root, "architecture/metadata/data-stores.yaml");
        } else {
            continue;
        }
        seen += 1;
    }
    seen
}

fn compare_row(cells: &[String], section: ElementRef<'_>, svg: &str) -> usize {
    match cells {
        [property, detail] => {
            let title = property.to_lowercase();
            let found =
                select(section, ".facts tr").into_iter().find(|row| words(*row).to_lowercase().starts_with(&title));
            let squeezed = |text: &str| text.replace(' ', "");
            let row = words(found.unwrap_or_else(|| panic!("{property}")));
            assert!(squeezed(&row).contains(&squeezed(detail)), "{property}: {detail} is not in {row}");
        }
        [name, type_text, constraints] => {
            let row = row(section, name);
            assert!(svg.contains(name.as_str()) && svg.contains(type_text.as_str()), "{name} is drawn");
            holds(row, type_text);
            constraints.split(", ").for_each(|text| holds(row, &clause(text)));
        }
        _ => panic!("{cells:?}"),
    }
    cells.len()
}

/// `idx` on `a, b` (KIND)
fn compare_index(line: &str, section: ElementRef<'_>) {
    let mut parts = line.split('`');
    let (name, _, columns, kind) = (parts.next().unwrap(), parts.next(), parts.next().unwrap(), parts.next().unwrap());
    let row = row(section, name);
    holds(row, columns);
    holds(row, kind.trim().trim_start_matches('(').trim_end_matches(')'));
}

#[test]
fn nothing_of_the_original_sections_is_missing() {
    let Some(corpora) = shared_corpora() else { return skipped("there is no ../shared") };
    let root = corpora.join("novatrek");
    let site = site(&root);
    for (service, things) in [("svc-check-in", 100), ("svc-guest-profiles", 140), ("svc-trail-management", 90)] {
        let original = std::fs::read_to_string(root.join(format!("reference-portal/{service}.md"))).unwrap();
        let page = String::from_utf8(site.files[&format!("services/{service}.html")].clone()).unwrap();
        let seen = compare(&original, &Html::parse_document(&page.replace("<wbr>", "")));
        assert!(seen >= things, "{service}: only {seen} things were compared");
    }
}

/// A line of our Markdown as people read it.
fn read(line: &str) -> String {
    words(Html::parse_fragment(&line.replace('`', "")).root_element())
}

/// Walks an original section and looks for each thing in our section of the same service; how many things were looked for.
fn compare_section(original: &str, ours: &str) -> usize {
    let lines: Vec<String> = ours.lines().map(read).collect();
    let has = |start: &str| lines.iter().position(|line| line.to_lowercase().starts_with(&start.to_lowercase()));
    let (mut from, mut seen) = (0, 0);
    for line in original.lines() {
        // What follows a table's heading up to the next one.
        let block = || {
            let end = lines[from + 1..].iter().position(|line| line.starts_with("#### "));
            &lines[from..end.map_or(lines.len(), |end| from + 1 + end)]
        };
        let row = |name: &str| {
            let found = block().iter().find(|line| line.starts_with(&format!("| {name} |")));
            found.unwrap_or_else(|| panic!("no row {name}")).to_lowercase()
        };
        if let Some(table) = line.strip_prefix("#### ").map(plain) {
            from = has(&format!("#### {table} {{")).unwrap_or_else(|| panic!("no heading {table}"));
        } else if let Some(title) = line.strip_prefix("### ") {
            assert!(has(&format!("### {title}")).is_some(), "{title}");
        } else if line.starts_with("## ") {
            assert!(lines[0].starts_with("## Data store { #data-store }"), "{}", lines[0]);
        } else if line.starts_with("| **") {
            let cells: Vec<String> = line.trim_matches('|').split(" | ").map(plain).collect();
            let at = has(&format!("| {}", cells[0])).unwrap_or_else(|| panic!("{}", cells[0]));
            let squeezed = |text: &str| text.replace(' ', "");
            let ours = squeezed(&lines[at]);
            // Names of tables are links of ours.
            assert!(cells[1].split(", ").all(|part| ours.contains(&squeezed(part))), "{line} is not in {ours}");
        } else if line.starts_with("| `") {
            let cells: Vec<String> = line.trim_matches('|').split(" | ").map(plain).collect();
            let row = row(&cells[0]);
            let clauses =
                cells[2].split(", ").map(|text| if text == "UNIQUE" { text.to_owned() } else { clause(text) });
            for expected in std::iter::once(cells[1].clone()).chain(clauses) {
                assert!(row.contains(&expected.to_lowercase()), "{expected} is not in {row}");
            }
        } else if let Some(index) = line.strip_prefix("- `") {
            let mut parts = index.split('`');
            let (name, columns, kind) = (parts.next().unwrap(), parts.nth(1).unwrap(), parts.next().unwrap());
            let (row, kind) = (row(name), kind.trim().trim_start_matches('(').trim_end_matches(')'));
            assert!(row.contains(&columns.to_lowercase()) && row.contains(&kind.to_lowercase()), "{index}: {row}");
        } else if let Some(feature) = line.strip_prefix("- ") {
            assert!(lines.iter().any(|line| line == &format!("- {feature}")), "{feature}");
        } else if line.starts_with('*') && !line.starts_with("**") {
            assert!(block().contains(&plain(line)), "{line}");
        } else if line.contains("Generated from") {
            assert!(lines.iter().any(|line| line.contains("Generated from architecture/metadata/data-stores.yaml")));
        } else if line.contains("relationship diagram") {
            assert!(lines.iter().any(|line| line.contains("![Entity relationship diagram of ")));
        } else {
            continue;
        }
        seen += 1;
    }
    seen
}

#[test]
fn nothing_of_the_original_sections_is_missing_in_the_markdown() {
    let Some(corpora) = shared_corpora() else { return skipped("there is no ../shared") };
    let root = corpora.join("novatrek");
    for (service, things) in [("svc-check-in", 40), ("svc-guest-profiles", 50), ("svc-trail-management", 35)] {
        let original = std::fs::read_to_string(root.join(format!("reference-portal/{service}.md"))).unwrap();
        let ours = made_of(&root, |input| Sections::of(input).section(service, "", true).unwrap());
        let seen = compare_section(&original, &ours);
        println!("{service}: {seen} things");
        assert!(seen >= things, "{service}: only {seen} things were compared");
    }
}

#[test]
fn equal_input_gives_equal_bytes() {
    let Some(corpora) = shared_corpora() else { return skipped("there is no ../shared") };
    let root = corpora.join("novatrek");
    let (one, other) = (site(&root), site(&root));
    assert!(one == other);
    // A page, a picture and its source for each service; the map has three files, and ten others are common.
    assert_eq!(one.files.len(), 22 * 3 + 13);
}

#[test]
fn without_a_report_nothing_is_green() {
    let Some(corpora) = shared_corpora() else { return skipped("there is no ../shared") };
    let site = site(&corpora.join("novatrek"));
    // These two are the same whatever is known.
    let says_nothing = |path: &str| ["how-to-read.html", "404.html"].contains(&path);
    for (path, bytes) in site.files.iter().filter(|(path, _)| path.ends_with(".html") && !says_nothing(path)) {
        let page = Html::parse_document(std::str::from_utf8(bytes).unwrap());
        assert!(select(page.root_element(), ".agrees, .accepted").is_empty(), "{path}");
        assert!(words(page.root_element()).contains("ot verified"), "{path}");
    }
}
