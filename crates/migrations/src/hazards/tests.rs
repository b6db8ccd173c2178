use super::*;
use crate::statements::split;

fn tables() -> Vec<Table> {
    let table = |schema: &str, name: &str| Table { schema: schema.into(), name: name.into(), rows: Some(7) };
    vec![table("public", "old"), table("audit", "log")]
}

/// Danger, rule, line, column and table of each hazard, and the places of what is not seen.
fn found(sql: &str) -> (Vec<String>, Vec<u32>) {
    of(&mut Hazards::new(15, "public", tables()), sql)
}

fn of(hazards: &mut Hazards, sql: &str) -> (Vec<String>, Vec<u32>) {
    let script = Script::of_text("V1__x.sql", sql);
    let statements: Vec<_> = split(sql).unwrap().statements.into_iter().map(|statement| statement.range).collect();
    let found = hazards.of(&script, &statements, true);
    let lines = found.hazards.iter().map(|hazard| {
        let at = format!("{}:{}", hazard.at.line, hazard.at.column);
        let table = hazard.table.as_ref().map_or("?", |table| table.name.as_str());
        format!("{} {} {at} {table}", hazard.danger.name(), hazard.rule)
    });
    (lines.collect(), found.unseen.iter().map(|unseen| unseen.at.line).collect())
}

#[test]
fn what_is_in_danger_and_where() {
    let sql = "ALTER TABLE old DROP COLUMN a;\n\
               CREATE INDEX i ON old (b);\n\
               ALTER TABLE old\n  ALTER COLUMN c TYPE bigint;\n\
               ALTER TABLE old RENAME COLUMN d TO e;\n\
               ALTER TABLE old ADD COLUMN f int NOT NULL;\n\
               TRUNCATE audit.log;\nDELETE FROM old;\nDELETE FROM old WHERE a = 1;\nDROP TABLE old";
    let (hazards, unseen) = found(sql);
    insta::assert_snapshot!(hazards.join("\n"));
    assert_eq!(unseen, Vec::<u32>::new());
}

#[test]
fn tables_that_are_not_there_are_in_no_danger() {
    let sql = "CREATE TABLE new (a int);CREATE INDEX ON new (a);ALTER TABLE new ALTER a TYPE text;TRUNCATE new;\
               ALTER TABLE unknown_to_all ALTER COLUMN a TYPE bigint;DROP TABLE new";
    assert_eq!(found(sql), (vec![], vec![]));
}

#[test]
fn names_move_with_renames() {
    let mut hazards = Hazards::new(15, "public", tables());
    let sql = "ALTER TABLE old RENAME TO older;CREATE TABLE old (a int);CREATE INDEX ON old (a);\nTRUNCATE older";
    let (first, _) = of(&mut hazards, sql);
    assert_eq!(first, ["callers renaming-table 1:17 old", "data truncate 2:1 older"]);
    assert_eq!(of(&mut hazards, "DROP TABLE IF EXISTS older").0, ["data ban-drop-table 1:1 older"]);
    assert_eq!(of(&mut hazards, "DROP TABLE IF EXISTS older").0, Vec::<String>::new());
}

#[test]
fn what_is_not_seen_is_said() {
    let (hazards, unseen) =
        found("SELECT 1;\nDO $$BEGIN EXECUTE 'DROP TABLE old'; END$$;\nCALL p();\nCREATE NONSENSE x");
    assert_eq!((hazards, unseen), (vec![], vec![2, 3, 4]));
}

#[test]
fn an_author_may_accept_a_hazard() {
    let sql = "-- squawk-ignore ban-drop-column\nALTER TABLE old DROP COLUMN a;";
    assert_eq!(found(sql).0, Vec::<String>::new());
}

#[test]
fn depth_and_length_do_no_harm() {
    let deep = format!("ALTER TABLE old ADD CHECK ({}a{})", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(found(&deep), (vec![], vec![1]));
    let long = format!("ALTER TABLE old ADD CHECK ({} a)", "NOT ".repeat(7_900));
    assert_eq!(found(&long).1, Vec::<u32>::new());
    let longer = format!("ALTER TABLE old ADD CHECK ({} a)", "NOT ".repeat(9_000));
    assert_eq!(found(&longer).1, [1]);
}
