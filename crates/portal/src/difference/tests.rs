use proptest::prelude::*;
use trueup_intent::{Reading, Source};

use super::*;
use crate::site::Site;

fn read(yaml: &str) -> Reading {
    let reading = trueup_intent::read(&[Source { path: "f.yaml".to_owned(), bytes: yaml.as_bytes().to_vec() }]);
    assert!(reading.errors.is_empty(), "{:?}", reading.errors);
    reading
}

fn side(reading: &Reading) -> Side<'_> {
    Side { declared: &reading.declared, written: &reading.written, source: None }
}

/// Each change as `+ svc.table.column: type=INT`, in order.
fn changes(before: &str, after: &str) -> Vec<String> {
    let (before, after) = (read(before), read(after));
    let comparison = Comparison { base: "main", before: side(&before), after: side(&after) };
    let difference = Difference::of(&comparison);
    let told = |sign: Sign, name: &str, details: &[Detail]| {
        let details: Vec<String> =
            details.iter().map(|one| format!("{}={}>{}", one.what, one.before, one.after)).collect();
        format!("{} {name}: {}", sign.glyph(), details.join(" | ")).trim_end_matches([' ', ':']).to_owned()
    };
    let mut lines = Vec::new();
    for service in &difference.services {
        if service.sign != Sign::Changed || !service.details.is_empty() {
            lines.push(told(service.sign, service.name, &service.details));
        }
        for table in &service.tables {
            if table.sign != Sign::Changed || !table.details.is_empty() {
                lines.push(told(table.sign, &table.title, &table.details));
            }
            for member in table.members.iter().filter(|_| table.sign == Sign::Changed) {
                lines.push(told(member.sign, &format!("{}.{}", table.title, member.name), &member.details));
            }
        }
    }
    lines
}

const BASE: &str = "\
svc-a:
  engine: PostgreSQL 15
  schema: a
  tables: [one, two]
  features: [fast]
  table_details:
    one:
      description: first
      columns:
      - {name: id, type: UUID, constraints: PK}
      - {name: size, type: INT, constraints: 'NOT NULL, DEFAULT 1'}
      - {name: two, type: UUID, constraints: 'FK -> two'}
      indexes:
      - {name: by_size, columns: size}
    two:
      columns:
      - {name: id, type: UUID, constraints: PK}
";

#[test]
fn each_kind_of_change_is_seen_and_nothing_else() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("engine: PostgreSQL 15", "engine: PostgreSQL 16", &["~ svc-a: engine=PostgreSQL 15>PostgreSQL 16"]),
        ("schema: a", "schema: b", &["~ svc-a: schema=a>b"]),
        ("features: [fast]", "features: [fast, safe]", &["~ svc-a: key features=fast>fast; safe"]),
        ("description: first", "description: 1st", &["~ one: description=first>1st"]),
        ("size, type: INT", "size, type: BIGINT", &["~ one.size: type=INT>BIGINT"]),
        ("'NOT NULL, DEFAULT 1'", "'NULL, DEFAULT 1'", &["~ one.size: nullability=NOT NULL>NULL"]),
        ("'NOT NULL, DEFAULT 1'", "'NOT NULL'", &["~ one.size: default=1>"]),
        ("'NOT NULL, DEFAULT 1'", "'NOT NULL, DEFAULT 1, CHECK (> 0)'", &["~ one.size: check=>CHECK (> 0)"]),
        ("'NOT NULL, DEFAULT 1'", "'NOT NULL, DEFAULT 1, UNIQUE'", &["~ one.size: unique=>UNIQUE"]),
        ("'NOT NULL, DEFAULT 1'", "'NOT NULL, DEFAULT 1, ENCRYPTED'", &["~ one.size: encrypted=>ENCRYPTED"]),
        ("'NOT NULL, DEFAULT 1'", "'NOT NULL, DEFAULT 1 (in cm)'", &["~ one.size: notes=>in cm"]),
        ("'FK -> two'", "'FK -> svc-b'", &["~ one.two: reference=two>svc-b (not in the intent)"]),
        ("columns: size}", "columns: size DESC}", &["~ one.by_size: over=size>size DESC"]),
        ("columns: size}", "columns: size, type: UNIQUE}", &["~ one.by_size: kind=>UNIQUE"]),
        (
            "      - {name: two, type: UUID, constraints: 'FK -> two'}\n",
            "",
            &["− one.two: type=UUID> | nullability=NULL> | reference=two>"],
        ),
        (
            "      indexes:\n",
            "      - {name: more, type: TEXT}\n      indexes:\n",
            &["+ one.more: type=>TEXT | nullability=>NULL"],
        ),
        ("name: by_size", "name: on_size", &["+ one.on_size: over=>size", "− one.by_size: over=size>"]),
        ("name: size, type", "renamed_from: size, name: width, type", &["~ one.width"]),
        ("tables: [one, two]", "tables: [one, two, three]", &["+ three: declared=>only listed"]),
    ];
    for (old, new, expected) in cases {
        assert!(BASE.contains(old), "{old}");
        let mut after = BASE.replacen(old, new, 1);
        if *old == "name: size, type" {
            after = after.replace("columns: size}", "columns: width}");
        }
        let found = changes(BASE, &after);
        let found: Vec<&str> = found
            .iter()
            .map(String::as_str)
            .filter(|line| !line.starts_with("~ one.by_size: over=size>width"))
            .collect();
        assert_eq!(&found, expected, "{new}");
    }
}

#[test]
fn services_come_and_go_and_moved_lines_are_no_change() {
    let other = BASE.replace("svc-a", "svc-b");
    assert_eq!(changes(BASE, &format!("# moved\n\n{BASE}")), Vec::<String>::new());
    let both = format!("{other}{BASE}");
    assert_eq!(changes(&format!("{BASE}{other}"), &both), Vec::<String>::new());
    let added = changes(BASE, &both);
    assert_eq!(added[0], "+ svc-b: engine=>PostgreSQL 15 | schema=>a | key features=>fast");
    assert_eq!(
        added[1..],
        ["+ one: declared=>columns are declared | description=>first", "+ two: declared=>columns are declared"]
    );
    assert!(changes(&both, BASE).iter().all(|line| line.starts_with('−')));
    let renamed = BASE.replace("svc-a:\n", "svc-c:\n  renamed_from: svc-a\n");
    assert_eq!(changes(BASE, &renamed), ["~ svc-c: name=svc-a>svc-c"]);
}

#[test]
fn the_summary_counts_what_changed_itself() {
    let after = BASE
        .replace("type: INT", "type: BIGINT")
        .replace("      - {name: by_size, columns: size}\n", "      - {name: by_two, columns: two}\n")
        .replace("tables: [one, two]", "tables: [one, two, x, y]");
    let (before, after) = (read(BASE), read(&after));
    let comparison = Comparison { base: "main", before: side(&before), after: side(&after) };
    let difference = Difference::of(&comparison);
    assert_eq!(difference.summary(), "2 tables added; 1 column changed; 1 index added, 1 removed");
}

fn site(before: &str, after: &str, pictures: Option<&str>) -> Site {
    let (before, after) = (read(before), read(after));
    let comparison = Comparison { base: "main (abc)", before: side(&before), after: side(&after) };
    let difference = Difference::of(&comparison);
    Site::of(|sink| build_into(&comparison, &difference, pictures, sink))
}

fn text(site: &Site, path: &str) -> String {
    String::from_utf8(site.files[path].clone()).expect("text")
}

#[test]
fn pictures_mark_what_changed_on_their_side() {
    let after = BASE.replace("      - {name: two,", "      - {name: three,").replace("type: INT", "type: BIGINT");
    let site = site(BASE, &after, Some("./"));
    let paths: Vec<&str> = site.files.keys().map(String::as_str).collect();
    let pictures = ["svc-a-after.puml", "svc-a-after.svg", "svc-a-before.puml", "svc-a-before.svg"];
    assert_eq!(paths, [&["assets/portal.css", "diff.md", "index.html"][..], &pictures].concat());
    let (before, after) = (text(&site, "svc-a-before.svg"), text(&site, "svc-a-after.svg"));
    for (picture, has, lacks) in [(&before, "row removed", "row added"), (&after, "row added", "row removed")] {
        assert!(picture.contains(has) && !picture.contains(&format!("\"{lacks}")), "{picture}");
        assert!(picture.contains("\"row changed\"") && picture.contains("~ changed"), "{picture}");
    }
    let markdown = text(&site, "diff.md");
    assert!(markdown.contains("](./svc-a-before.svg)") && markdown.contains("](./svc-a-after.svg)"), "{markdown}");
    assert!(markdown.contains("type `INT` → `BIGINT`"), "{markdown}");
    assert_eq!(
        site,
        self::site(
            BASE,
            &BASE.replace("      - {name: two,", "      - {name: three,").replace("type: INT", "type: BIGINT"),
            Some("./")
        )
    );
}

#[test]
fn of_a_large_service_what_changed_and_its_neighbours_are_shown() {
    let mut yaml = "svc-a:\n  table_details:\n".to_owned();
    for n in 0..60 {
        let reference = if n == 0 {
            String::new()
        } else {
            format!("      - {{name: r, type: UUID, constraints: FK -> t{}}}\n", n - 1)
        };
        yaml.push_str(&format!(
            "    t{n}:\n      columns:\n      - {{name: id, type: UUID, constraints: PK}}\n{reference}"
        ));
    }
    let after =
        yaml.replace("    t31:\n      columns:\n", "    t31:\n      columns:\n      - {name: more, type: TEXT}\n");
    let site = site(&yaml, &after, None);
    let picture = text(&site, "svc-a-after.svg");
    let shown = |name: &str| picture.contains(&format!(">{name}<"));
    assert!(shown("t30") && shown("t31") && shown("t32") && !shown("t33") && !shown("t29"), "{picture}");
    assert!(text(&site, "index.html").contains("Of 60 tables only those that changed and their neighbours are shown."));
    assert!(!text(&site, "diff.md").contains("]("), "no picture without an address");
}

#[test]
fn no_difference_is_said() {
    let site = site(BASE, BASE, None);
    assert_eq!(site.files.keys().collect::<Vec<_>>(), ["assets/portal.css", "diff.md", "index.html"]);
    for path in ["index.html", "diff.md"] {
        assert!(text(&site, path).contains("Nothing is different"), "{path}");
    }
}

/// A service of tables with columns, some of one name.
fn intent() -> impl Strategy<Value = String> {
    let column = (0..4_u8, prop::sample::select(vec!["INT", "TEXT"]), any::<bool>());
    let table = prop::collection::vec(column, 1..5);
    prop::collection::btree_map(0..4_u8, table, 0..4).prop_map(|tables| {
        let mut yaml = "svc-a:\n  engine: PostgreSQL 15\n  table_details:\n".to_owned();
        if tables.is_empty() {
            yaml.push_str("    none:\n");
        }
        for (table, columns) in tables {
            yaml.push_str(&format!("    t{table}:\n      columns:\n"));
            for (name, kind, null) in columns {
                let null = if null { "NULL" } else { "NOT NULL" };
                yaml.push_str(&format!("      - {{name: c{name}, type: {kind}, constraints: {null}}}\n"));
            }
        }
        yaml
    })
}

proptest! {
    #[test]
    fn equal_is_no_difference_and_the_way_back_is_the_reverse(one in intent(), other in intent()) {
        prop_assert_eq!(changes(&one, &one), Vec::<String>::new());
        let count = |lines: &[String], glyph: char| lines.iter().filter(|line| line.starts_with(glyph)).count();
        let (there, back) = (changes(&one, &other), changes(&other, &one));
        prop_assert_eq!(count(&there, '+'), count(&back, '−'));
        prop_assert_eq!(count(&there, '~'), count(&back, '~'));
        prop_assert_eq!(there.is_empty(), back.is_empty());
    }
}
