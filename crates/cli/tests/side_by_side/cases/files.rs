//! Names, places and bytes of files.

use crate::stage::Stage;

/// Bytes, and the checksum that Flyway keeps of them.
const CHECKSUMS: &[(&[u8], i32)] = &[
    (b"select 1;\n", -690_524_359),
    (b"select 1;\nselect 2;\n", -593_479_011),
    (b"select 1;\r\nselect 2;\r\n", -593_479_011),
    (b"select 1;\rselect 2;\r", -593_479_011),
    (b"select 1;\nselect 2;", -593_479_011),
    (b"\xef\xbb\xbfselect 1;\nselect 2;\n", -593_479_011),
    (b"select 1;select 2;", -593_479_011),
    (b"select 1; \nselect 2;\n", 1_691_610_383),
    ("-- é ☃ 😀\nselect 1;\n".as_bytes(), 1_067_902_040),
    (b"create table person(id int primary key);\n", 1_201_944_598),
    (b"", 0),
    (b"\n\n", 0),
    (b"\xef\xbb\xbf", 0),
];

pub(crate) fn checksums(stage: &mut Stage) {
    for (number, (bytes, _)) in CHECKSUMS.iter().enumerate() {
        stage.write(&format!("V{}__x.sql", number + 1), bytes);
    }
    stage.write("V80__latin.sql", b"-- \xe9\nselect 1;\n");
    stage.write("V80__latin.sql.conf", "encoding=ISO-8859-1\n");
    assert_eq!(stage.a("migrate", &[]).ran(), CHECKSUMS.len() as u64 + 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    let kept = stage.see("select checksum from flyway_schema_history order by installed_rank");
    let expected = CHECKSUMS.iter().map(|(_, sum)| *sum).chain([446_599_626]);
    assert_eq!(kept, expected.map(|sum| sum.to_string()).collect::<Vec<_>>().join("\n"));
}

pub(crate) fn encodings(stage: &mut Stage) {
    let text = "insert into said values ('é');\n";
    let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    stage.write("V1__said.sql", "create table said(what text);");
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    for (name, encoding, bytes) in [
        ("V2__latin.sql", "ISO-8859-1", latin),
        ("V3__big.sql", "UTF-16BE", utf16(u16::to_be_bytes)),
        ("V4__little.sql", "UTF-16LE", utf16(u16::to_le_bytes)),
        ("V5__marked.sql", "UTF-16", [vec![0xfe, 0xff], utf16(u16::to_be_bytes)].concat()),
    ] {
        stage.write(name, bytes);
        stage.write(&format!("{name}.conf"), format!("encoding={encoding}\n"));
    }
    assert_eq!(stage.a("migrate", &[]).ran(), 5);
    assert!(stage.b("validate", &[]).ok);
    assert_eq!(stage.see("select distinct what, (select count(*) from said) from said"), "é|4");
}

pub(crate) fn malformed(stage: &mut Stage) {
    stage.write("V1__fine.sql", "create table fine();");
    stage.write("V2__bad.sql", b"create table bad(); -- \xff\n");
    let outcome = stage.a("migrate", &[]);
    assert!(!outcome.ok);
    outcome.says("V2__bad.sql");
    assert!(!stage.b("info", &[]).ok);
    assert_eq!(stage.see("select to_regclass('fine'), to_regclass('bad')"), "|");
}

/// Names, and what is said of each.
const INVALID: &[(&str, &str)] = &[
    (
        "V__x.sql",
        "Invalid versioned migration name format: V__x.sql (It must contain a version and should look like this: V1.2__x.sql)",
    ),
    ("V_5__x.sql", "Invalid versioned migration name format: V_5__x.sql (could not recognise version number _5)"),
    ("V7_x__d.sql", "Invalid versioned migration name format: V7_x__d.sql (could not recognise version number 7_x)"),
    ("V14.__d.sql", "Invalid versioned migration name format: V14.__d.sql (could not recognise version number 14.)"),
    (
        "V15..1__d.sql",
        "Invalid versioned migration name format: V15..1__d.sql (could not recognise version number 15..1)",
    ),
    ("Vabc__d.sql", "Invalid versioned migration name format: Vabc__d.sql (could not recognise version number abc)"),
    ("V13-1__d.sql", "Invalid versioned migration name format: V13-1__d.sql (could not recognise version number 13-1)"),
    (
        "R1__x.sql",
        "Invalid repeatable migration / callback name format: R1__x.sql (It cannot contain a version and should look like this: R__x.sql)",
    ),
    ("foo.sql", "Unrecognised migration name format: foo.sql"),
    ("v2__x.sql", "Unrecognised migration name format: v2__x.sql"),
    (".hidden.sql", "Unrecognised migration name format: .hidden.sql"),
];

pub(crate) fn invalid_names(stage: &mut Stage) {
    stage.write("V1__fine.sql", "create table fine();");
    stage.write("R.sql", "create table never();");
    for (name, _) in INVALID {
        stage.write(name, "create table never();");
    }
    for verb in ["migrate", "info", "validate"] {
        let outcome = stage.a(verb, &[("validateMigrationNaming", "true")]);
        assert!(!outcome.ok);
        for (_, said) in INVALID {
            outcome.says(said);
        }
    }
    assert_eq!(stage.a("migrate", &[("validateMigrationNaming", "false")]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
}

pub(crate) fn undo_file(stage: &mut Stage) {
    stage.files(&[("V1__t.sql", "create table t();"), ("U1__t.sql", "drop table t;")]);
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    assert_eq!(stage.see("select to_regclass('t')"), "t");
}

pub(crate) fn one_version_twice(stage: &mut Stage) {
    stage.files(&[("V1__one.sql", "select 1;"), ("V1.0__other.sql", "select 2;")]);
    for verb in ["migrate", "info", "validate"] {
        stage.a(verb, &[]).says("Found more than one migration with version 1");
    }
    stage.remove("V1.0__other.sql");
    // Flyway only compares neighbours in its order: a versioned file between the two would hide them, or not.
    stage.remove("V1__one.sql");
    stage.files(&[("B1__one.sql", "select 1;"), ("B01__other.sql", "select 2;")]);
    stage.a("migrate", &[]).says("Found more than one migration with version");
    stage.remove("B01__other.sql");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
}

pub(crate) fn one_repeatable_twice(stage: &mut Stage) {
    stage.files(&[("R__a_b.sql", "select 1;"), ("R__a b.sql", "select 2;")]);
    for verb in ["migrate", "info", "validate"] {
        stage.a(verb, &[]).says("Found more than one repeatable migration with description a b");
    }
    stage.remove("R__a b.sql");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
}

pub(crate) fn order_of_versions(stage: &mut Stage) {
    let in_order = ["-1", "0", "0.9", "1.9", "1_10", "2", "9", "010", "20190410103000", "1234567890123456789012345"];
    for (index, version) in in_order.iter().rev().enumerate() {
        stage.write(&format!("V{version}__n{index}.sql"), "select 1;");
    }
    for description in ["b", "a", "Z_a", "B", "9", "10", "_", "é"] {
        stage.write(&format!("R__{description}.sql"), "select 2;");
    }
    assert_eq!(stage.a("migrate", &[]).ran(), in_order.len() as u64 + 8);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    let ran = stage.see("select string_agg(version, ' ' order by installed_rank) from flyway_schema_history");
    assert_eq!(ran, in_order.join(" ").replace('_', "."));
    let ran = stage.see(
        "select string_agg(description, ',' order by installed_rank) from flyway_schema_history where version is null",
    );
    assert_eq!(ran, " ,10,9,B,Z a,a,b,é");
}

pub(crate) fn long_version(stage: &mut Stage) {
    let version = "1".repeat(51);
    stage.write("V1__fine.sql", "create table fine();");
    stage.write(&format!("V{version}__long.sql"), "create table long();");
    // Who comes first has another code for it than who comes second.
    stage.apart = true;
    stage.a("migrate", &[]).says("value too long");
    stage.b("migrate", &[]).says("value too long");
    stage.apart = false;
    stage.b("validate", &[]).refused(&["RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"]);
    assert_eq!(stage.see("select to_regclass('fine'), to_regclass('long')"), "fine|");
}

pub(crate) fn long_description(stage: &mut Stage) {
    stage.write(&format!("V1__{}.sql", "d".repeat(210)), "select 1;");
    stage.write(&format!("V2__{}.sql", "e".repeat(200)), "select 1;");
    assert_eq!(stage.a("migrate", &[]).ran(), 2);
    assert!(stage.b("validate", &[]).ok);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    assert_eq!(
        stage.see("select max(length(description)), min(length(description)) from flyway_schema_history"),
        "200|200"
    );
}

pub(crate) fn folders_below(stage: &mut Stage) {
    stage.write("a/V1__one.sql", "select 1;");
    stage.write("a/b/c/V2__two.sql", "select 1;");
    stage.write("R__top.sql", "select 1;");
    stage.write("x y/R__below.sql", "select 1;");
    let deep = ["d".repeat(240), "e".repeat(240), "f".repeat(240), "g".repeat(240), "h".repeat(60)].join("/");
    stage.write(&format!("{deep}/V3__deep.sql"), "select 1;");
    assert_eq!(stage.a("migrate", &[]).ran(), 5);
    assert!(stage.b("validate", &[]).ok);
    let longest = stage.see("select max(length(script)) from flyway_schema_history");
    assert_eq!(longest, "1000");
}

pub(crate) fn wildcards(stage: &mut Stage) {
    for (number, path) in ["m1/sql", "m2/deep/sql", "m22/sql", "m/sql", "other"].iter().enumerate() {
        stage.write_in(path, &format!("V{}__x.sql", number + 1), "select 1;");
    }
    let patterns: &[(&str, &str)] = &[
        ("m?/sql", "V1__x.sql"),
        ("m*/sql", "V1__x.sql V3__x.sql"),
        ("m?", "sql/V1__x.sql deep/sql/V2__x.sql"),
        ("**/sql", "V1__x.sql V2__x.sql V3__x.sql V4__x.sql"),
        ("m2/**/V*.sql", "m2/deep/sql/V2__x.sql"),
        ("m1/**", ""),
        ("**/V?__x.sql", "m1/sql/V1__x.sql m2/deep/sql/V2__x.sql m22/sql/V3__x.sql m/sql/V4__x.sql other/V5__x.sql"),
    ];
    for (index, (pattern, scripts)) in patterns.iter().enumerate() {
        let location = format!("filesystem:{{root}}/{pattern}");
        let schema = format!("s{index}");
        stage.history_in(&schema, "flyway_schema_history");
        stage.set("locations", &location);
        stage.set("defaultSchema", &schema);
        assert!(stage.a("migrate", &[]).ok);
        assert_eq!(stage.b("migrate", &[]).ran(), 0);
        let ran = stage.see(&format!(
            "select coalesce(string_agg(script, ' ' order by installed_rank), '') from {schema}.flyway_schema_history \
             where version is not null"
        ));
        assert_eq!(
            ran.split(' ').map(|s| s.rsplit('/').next().unwrap()).collect::<Vec<_>>().join(" "),
            scripts.split(' ').map(|s| s.rsplit('/').next().unwrap()).collect::<Vec<_>>().join(" "),
            "{pattern}"
        );
    }
}

pub(crate) fn hidden_folders(stage: &mut Stage) {
    stage.write("V1__seen.sql", "create table seen();");
    stage.write(".hidden/V2__not.sql", "create table hidden();");
    stage.write("a/.git/V3__not.sql", "create table hidden();");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
}

pub(crate) fn missing_location(stage: &mut Stage) {
    stage.write("V1__t.sql", "create table t();");
    stage.set("locations", "filesystem:{root}/sql,filesystem:{root}/nowhere");
    assert!(!stage.a("migrate", &[("failOnMissingLocations", "true")]).ok);
    assert!(!stage.a("info", &[("failOnMissingLocations", "true")]).ok);
    assert_eq!(stage.a("migrate", &[("failOnMissingLocations", "false")]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
}

pub(crate) fn one_callback_twice(stage: &mut Stage) {
    stage.write("V1__t.sql", "create table t();");
    stage.write("afterMigrate__x.sql", "select 1;");
    stage.write("below/afterMigrate__x.sql", "select 2;");
    let outcome = stage.a("migrate", &[]);
    outcome.says("Found more than 1 SQL callback script called afterMigrate__x");
    stage.remove("below/afterMigrate__x.sql");
    stage.write("below/afterMigrate.sql", "select 2;");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
}

pub(crate) fn another_table(stage: &mut Stage) {
    stage.files(&[("V1__t.sql", "create table t();"), ("R__r.sql", "select '${flyway:table}';")]);
    stage.set("table", "Our History");
    stage.history_in("public", "Our History");
    assert_eq!(stage.a("migrate", &[]).ran(), 2);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    let described = stage.see("\\pset tuples_only off\n\\d \"Our History\"");
    assert!(described.contains("Our History_s_idx"), "{described}");
}
