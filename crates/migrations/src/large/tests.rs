use std::io::Write;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::encoding::Encoding;
use crate::migration::MigrationKind;
use crate::settings::ScriptConfig;
use crate::source::Source;

fn placeholders() -> Placeholders {
    let mut placeholders = Placeholders::new("${", "}", ":");
    placeholders.insert("a", "1 ; select\n2");
    placeholders.insert("empty", "");
    placeholders
}

fn migration(file: &tempfile::NamedTempFile) -> Migration {
    Migration {
        kind: MigrationKind::Versioned,
        version: None,
        description: String::new(),
        script: "V1__x.sql".to_owned(),
        path: Arc::from("V1__x.sql"),
        checksum: None,
        config: ScriptConfig::default(),
        replaces_placeholders: true,
        source: Source::read(file.path(), Some(Encoding::Utf8)).expect("read"),
    }
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("file");
    file.write_all(text.as_bytes()).expect("write");
    file
}

/// Each statement with its place and data.
type Found = Vec<(String, (u32, u32), Option<String>)>;

fn whole(migration: &Migration) -> Result<Found, String> {
    let script = migration.script_with(&placeholders()).map_err(|error| error.to_string())?;
    let text = &script.sql.text;
    let split = statements::split(text).map_err(|error| error.to_string())?;
    Ok(of_part(&script, &split).chain(split.skipped.iter().map(|one| skipped(&script, one))).collect())
}

fn skipped(script: &Script, one: &statements::Skipped) -> (String, (u32, u32), Option<String>) {
    let at = script.locate(one.range.start);
    (one.command.clone(), (at.line, at.column), None)
}

fn of_part<'p>(
    script: &'p Script,
    split: &'p Split,
) -> impl Iterator<Item = (String, (u32, u32), Option<String>)> + 'p {
    split.statements.iter().map(|statement| {
        let at = script.locate(statement.range.start);
        let data = match &statement.kind {
            StatementKind::Sql => None,
            StatementKind::CopyFromStdin { data } => Some(script.sql.text[data.clone()].to_owned()),
        };
        (script.sql.text[statement.range.clone()].to_owned(), (at.line, at.column), data)
    })
}

fn in_parts(migration: &Migration, window: usize, piece: usize) -> Result<Found, String> {
    let mut parts = Parts { window, ..Parts::of(migration, &placeholders()).map_err(|error| error.to_string())? };
    parts.text.in_pieces(piece);
    let (mut found, mut skips) = (Found::new(), Found::new());
    while let Some(part) = parts.next_part().map_err(|error| error.to_string())? {
        let (script, split) = part.cut();
        found.extend(of_part(script, split));
        skips.extend(split.skipped.iter().map(|one| skipped(script, one)));
        while let Some(data) = parts.data().map_err(|error| error.to_string())? {
            found.last_mut().and_then(|last| last.2.as_mut()).expect("a COPY").push_str(&data);
        }
    }
    found.extend(skips);
    Ok(found)
}

fn piece() -> impl Strategy<Value = String> {
    let texts = vec![
        "select 1;",
        "select ${a};",
        "select 'é;☃';",
        "select $$ ; $$;",
        "-- a; ${empty}\n",
        "/* ; /* ; */ */",
        "\r\n",
        "\r",
        "\n",
        "copy t from stdin;\n1;2\n\n3\\.\n\\.\n",
        "copy t from stdin; -- x\r\n${a}\r\n\\. \r\n",
        "copy t from stdin;\r4\r\\.\r",
        "\\restrict abc\n",
        "\\unrestrict abc\r\n",
        "${empty}",
        "$",
        "$$ x $$;",
        " ",
        ";",
        "create function f() returns int begin atomic select 1; end;",
        "select E'\\';';",
        "values ('${a}');",
    ];
    prop::sample::select(texts).prop_map(str::to_owned)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    /// However a file is cut, the same statements come out of it at the same places, with the same data.
    #[test]
    fn parts_hold_what_the_whole_holds(
        pieces in prop::collection::vec(piece(), 0..12),
        window in 1_usize..60,
        size in 1_usize..40,
        bom in any::<bool>(),
    ) {
        let text = format!("{}{}", if bom { "\u{feff}" } else { "" }, pieces.concat());
        let file = file(&text);
        let migration = migration(&file);
        match (whole(&migration), in_parts(&migration, window, size)) {
            (Ok(whole), Ok(parts)) => prop_assert_eq!(whole, parts, "{:?}", text),
            (Err(_), Err(_)) => {}
            (whole, parts) => prop_assert!(false, "{:?}: {:?} and {:?}", text, whole, parts),
        }
    }
}

#[test]
fn all_placeholders_without_a_value_are_told_with_their_places() {
    let file = file(&format!("select ${{b}};\n{} ${{a}}\n  ${{c}} ${{b}}", "-- long\n".repeat(50)));
    let mut parts = Parts { window: 16, ..Parts::of(&migration(&file), &placeholders()).expect("parts") };
    parts.text.in_pieces(10);
    let Err(ScriptError::Placeholders(errors)) = parts.next_part() else { panic!("no error") };
    let found: Vec<_> = errors.iter().map(|(at, error)| (at.line, at.column, error.key.as_str())).collect();
    assert_eq!(found, [(1, 8, "b"), (53, 3, "c")]);
}

#[test]
fn what_cannot_be_cut_is_told_with_its_place() {
    for (text, line, column) in [
        ("select 1;\n select 'abc", 2, 9),
        ("select 1;\n copy t from stdin;\n1\n2\n", 2, 2),
        ("select 1;\n  \\i other.sql\n", 2, 3),
        ("select 1;\n\nselect (2;", 3, 8),
    ] {
        for window in [1, 7, 100] {
            let file = file(text);
            let mut parts = Parts { window, ..Parts::of(&migration(&file), &placeholders()).expect("parts") };
            parts.text.in_pieces(3);
            let error = loop {
                match parts.next_part() {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("{text:?} was cut"),
                    Err(error) => break error,
                }
            };
            let ScriptError::Split { at, .. } = error else { panic!("{error}") };
            assert_eq!((at.line, at.column), (line, column), "{text:?} {window}");
        }
    }
}

#[test]
fn a_file_that_changed_is_not_read_to_its_end() {
    let mut file = file("select 1;\nselect 2;\n");
    let migration = migration(&file);
    file.write_all(b"select 3;\n").expect("write");
    let mut parts = Parts { window: 4, ..Parts::of(&migration, &placeholders()).expect("parts") };
    let error = loop {
        match parts.next_part() {
            Ok(Some(_)) => {}
            Ok(None) => panic!("nothing was noticed"),
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("changed"), "{error}");
}

#[test]
fn the_checksum_is_that_of_the_replaced_text() {
    let file = file("select ${a};\r\nselect '${empty}';\n");
    let migration = Migration { kind: MigrationKind::Repeatable, ..migration(&file) };
    let expected = migration.checksum_with(&placeholders()).expect("checksum");
    let mut parts = Parts { window: 3, ..Parts::of(&migration, &placeholders()).expect("parts") };
    parts.text.in_pieces(2);
    assert_eq!(parts.checksum().expect("checksum"), expected);
}
