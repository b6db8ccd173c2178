//! The same files and rows, taken in turns.

use crate::stage::Stage;

const FILES: &[(&str, &str)] = &[
    ("V1__person.sql", "create table person(id int primary key);\n"),
    (
        "V2__names_of__people.sql",
        "-- é ☃\r\nalter table person add name text;\r\ninsert into person values (1, 'o''b');",
    ),
    ("V3_1__no end.sql", "create table last(id int); -- end"),
    ("R__people.sql", "create or replace view people as select name from person;\n"),
];

pub(crate) fn one_migrates_the_other_is_content(stage: &mut Stage) {
    stage.files(FILES);
    assert_eq!(stage.a("migrate", &[]).ran(), 4);
    assert!(stage.b("validate", &[]).ok);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    assert_eq!(stage.see("select * from people"), "o'b");
}

pub(crate) fn and_goes_on(stage: &mut Stage) {
    stage.files(FILES);
    assert_eq!(stage.a("migrate", &[]).ran(), 4);
    stage.write("V4__more.sql", "insert into person values (2, 'more');");
    stage.write("R__people.sql", "create or replace view people as select name from person where id > 1;\n");
    assert_eq!(stage.b("migrate", &[]).ran(), 2);
    assert!(stage.a("validate", &[]).ok);
    assert_eq!(stage.a("migrate", &[]).ran(), 0);
    assert_eq!(stage.see("select * from people"), "more");
}

pub(crate) fn version_by_version(stage: &mut Stage) {
    for (number, (name, text)) in FILES.iter().enumerate() {
        stage.write(name, text);
        let ran = if number % 2 == 0 { stage.a("migrate", &[]) } else { stage.b("migrate", &[]) };
        assert_eq!(ran.ran(), 1);
    }
}
