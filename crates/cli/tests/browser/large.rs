//! A repository with a service so large that each of its tables has a page, and so wide that the index of the search has
//! several files.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::portals::Portal;
use crate::visit;

/// Tables of few columns. The others of the service are two wide ones, and one that is only listed.
pub(crate) const TABLES: usize = 44;
/// Columns of a wide table. With names of sixty letters two such tables are more than one file of the index.
const COLUMNS: usize = 4_300;

/// Pages of tables that are opened: with neighbours on both sides, without any, and without columns.
const OPENED: [&str; 3] = ["entry_07", "alone", "listed_only"];

pub(crate) fn intent() -> String {
    let mut yaml = String::from("svc-atlas:\n  engine: PostgreSQL 15\n  tables: [listed_only]\n  table_details:\n");
    for table in 0..TABLES {
        let other = (table + 1) % TABLES;
        let _ = write!(
            yaml,
            "    entry_{table:02}:\n      description: Entries of the {table}th kind\n      columns:\n      \
             - {{name: entry_id, type: UUID, constraints: PK}}\n      \
             - {{name: other_id, type: UUID, constraints: 'FK -> entry_{other:02}'}}\n      \
             - {{name: told_on_{table:02}, type: DATE}}\n      indexes:\n      \
             - {{name: idx_entry_{table:02}, columns: other_id}}\n"
        );
    }
    yaml.push_str("    alone:\n      columns:\n      - {name: alone_id, type: UUID, constraints: PK}\n");
    for table in ["wide_a", "wide_b"] {
        let _ = write!(yaml, "    {table}:\n      columns:\n");
        for column in 0..COLUMNS {
            let _ = writeln!(yaml, "      - {{name: {table}_{:_<48}{column:05}, type: TEXT}}", "measured_in");
        }
    }
    yaml + "svc-zenith:\n  engine: PostgreSQL 15\n  tables: [summits]\n  table_details:\n    summits:\n      columns:\n      \
            - {name: summit_id, type: UUID, constraints: PK}\n      \
            - {name: highest_point, type: INTEGER, constraints: 'NOT NULL'}\n"
}

fn portal() -> Portal {
    let project = tempfile::tempdir().unwrap();
    let folder = project.path().join("architecture/metadata");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("data-stores.yaml"), intent()).unwrap();
    let searches = [
        ["svc-atlas", "service", "svc-atlas"],
        ["entry_31", "table", "entry_31"],
        ["told_on_07", "column", "told_on_07"],
        ["idx_entry_12", "index", "idx_entry_12"],
        // Nothing of these is in the first file of the index.
        ["summits", "table", "summits"],
        ["highest_point", "column", "highest_point"],
    ];
    let mut portal = Portal::build("large", project.path(), &[], &searches);
    portal.tables = Some(OPENED.map(|table| format!("services/svc-atlas/t-{table}.html")).to_vec());
    portal.forwards = forwards();
    portal
}

/// Addresses, and where they lead: a column's from when its table stood on the page of the service leads on; a table's is
/// that of its row; and what is nowhere stays.
fn forwards() -> Value {
    let (service, table) = ("services/svc-atlas.html", "services/svc-atlas/t-entry_07.html");
    json!([
        {"from": format!("{service}#t-entry_07--told_on_07"), "to": format!("{table}#t-entry_07--told_on_07")},
        {"from": format!("{service}#t-entry_07--i-idx_entry_07"), "to": format!("{table}#t-entry_07--i-idx_entry_07")},
        {"from": format!("{service}#t-entry_07"), "to": format!("{service}#t-entry_07")},
        {"from": format!("{service}#t-nowhere--x"), "to": format!("{service}#t-nowhere--x"), "nowhere": true},
    ])
}

fn assert_is_large(root: &Path) {
    let pages = std::fs::read_dir(root.join("services/svc-atlas")).unwrap().count();
    assert_eq!(pages, TABLES + 4, "a page for each table");
    assert!(root.join("assets/search-index-2.js").exists(), "the index has one file only");
    let first = std::fs::read_to_string(root.join("assets/search-index.js")).unwrap();
    assert!(
        first.contains("told_on_07") && !first.contains("summits"),
        "the first file has what the second is to have"
    );
}

#[test]
fn a_large_service_has_pages_of_tables_that_open_and_are_found() {
    let portal = portal();
    assert_is_large(&portal.root());
    let portals = [portal];
    let Some(answer) = visit(&portals, None) else { return };
    let problems: Vec<_> = answer["problems"].as_array().unwrap().iter().map(|what| what.as_str().unwrap()).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert_eq!(answer["pages"]["large"], portals[0].pages());
    assert_eq!(portals[0].pages(), 6 + 2 + OPENED.len(), "common pages, two services, and tables");
    assert_eq!(answer["forwarded"]["large"], 2 * 4, "opened, and changed to on an open page");
    // In light and in dark: the first page, the large service, and the pages of tables at the least.
    assert!(answer["judged"].as_u64().unwrap() >= 2 * 5, "{answer}");
}
