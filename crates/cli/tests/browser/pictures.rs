//! Pictures that are larger than a window have to open where their tables are, not on the empty corner of the sheet.

use std::fmt::Write as _;

use crate::portals::Portal;
use crate::visit;

/// Tables that reference each other so that the corner of their picture is empty, for more than a window.
const TABLES: usize = 36;

fn intent() -> String {
    let mut yaml = String::from("svc-net:\n  engine: PostgreSQL 15\n  table_details:\n");
    for table in 0..TABLES {
        let _ = write!(yaml, "    t{table}:\n      columns:\n      - {{name: id, type: UUID, constraints: PK}}\n");
        let (one, other) = (table * 7 % (table / 3 + 1), table * 5 % TABLES);
        if table > 0 {
            let _ = writeln!(yaml, "      - {{name: one_id, type: UUID, constraints: 'NOT NULL, FK -> t{one}'}}");
        }
        if table % 3 == 0 {
            let _ = writeln!(yaml, "      - {{name: other_id, type: UUID, constraints: 'FK -> t{other}'}}");
        }
        for column in 0..8 {
            let _ = writeln!(
                yaml,
                "      - {{name: a_column_with_a_long_name_{column}, type: 'TIMESTAMP(6) WITH TIME ZONE'}}"
            );
        }
    }
    yaml
}

#[test]
fn a_large_picture_opens_where_its_tables_are() {
    let project = tempfile::tempdir().unwrap();
    let folder = project.path().join("architecture/metadata");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("data-stores.yaml"), intent()).unwrap();
    let portals = [Portal::build("pictures", project.path(), &[], &[])];
    let picture = std::fs::read_to_string(portals[0].root().join("services/svc-net.svg")).unwrap();
    assert_eq!(picture.match_indices("class=\"box\"").count(), TABLES);
    // `visit.mjs` looks for boxes in every frame.
    let Some(answer) = visit(&portals, None) else { return };
    let problems: Vec<_> = answer["problems"].as_array().unwrap().iter().map(|what| what.as_str().unwrap()).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
