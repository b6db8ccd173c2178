//! Scripts of every form, and of no form.

use proptest::prelude::*;

use super::*;

fn texts(sql: &str) -> Vec<&str> {
    let split = split(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    split.statements.iter().map(|statement| &sql[statement.range.clone()]).collect()
}

fn error(sql: &str) -> (usize, String) {
    let error = split(sql).expect_err(sql);
    (error.offset, error.message)
}

#[test]
fn quotes_comments_and_parentheses_hide_semicolons() {
    assert_eq!(texts("-- a;\nselect ';' /* ; */ ; ;; select 2 -- x"), ["select ';'", "select 2"]);
    assert_eq!(texts("select E'\\';' ; select e'\\';'"), ["select E'\\';'", "select e'\\';'"]);
    assert_eq!(texts("select U&'\\003b;' , \"a;\"\"b\";x"), ["select U&'\\003b;' , \"a;\"\"b\"", "x"]);
    assert_eq!(texts("do $$ ; $a$ ; $$; do $a$ ; $$ ; $a$;"), ["do $$ ; $a$ ; $$", "do $a$ ; $$ ; $a$"]);
    assert_eq!(
        texts("create rule r as on insert to t do (select 1; select 2); x"),
        ["create rule r as on insert to t do (select 1; select 2)", "x"]
    );
    assert_eq!(texts("select a$b; select $1"), ["select a$b", "select $1"]);
    assert_eq!(texts("/* /* ; */ ; */ select 1;"), ["select 1"]);
    assert_eq!(texts(""), [""; 0]);
    assert_eq!(texts("-- only a comment"), [""; 0]);
}

#[test]
fn begin_atomic_with_nested_case() {
    let body = "create or replace function f(begin int) returns int begin atomic select case when case when true then true end then 1 end; select x.end as case from t; end";
    assert_eq!(texts(&format!("{body}; select 2")), [body, "select 2"]);
    assert_eq!(texts("begin; select 1; end; commit"), ["begin", "select 1", "end", "commit"]);
    assert!(error("create function f() returns int begin atomic select 1;").1.contains("BEGIN ATOMIC has no END"));
}

#[test]
fn copy_data_is_cut_out() {
    let sql = "copy t (a, b) from stdin; -- data\n1\t';'\n(\n\\.\nselect 1;";
    let split = split(sql).expect("split");
    assert_eq!(split.statements.len(), 2);
    let StatementKind::CopyFromStdin { data } = split.statements[0].kind.clone() else { panic!("not a copy") };
    assert_eq!(&sql[data], "1\t';'\n(\n");
    assert!(split.has_copy_data());
    assert_eq!(texts("COPY t FROM stdin WITH (format csv);\r\na,b\r\n \\. \r\nselect 1").len(), 2);
    assert_eq!(texts("copy t to stdout; copy t from '/x'; copy (select a from stdin) to '/y'").len(), 3);
    assert_eq!(error("select 1;\ncopy t from stdin;\n1\n2\n").0, 10);
    assert!(error("copy t from stdin").1.contains("lacks"));
    assert!(error("copy t from stdin; select 1;\n\\.\n").1.contains("must end its line"));
}

#[test]
fn meta_commands_are_named_and_restrict_is_skipped() {
    assert!(error("\\i other.sql").1.contains("`\\i`"));
    assert!(error("select 1 \\gexec").1.contains("`\\gexec`"));
    assert!(error("\\.\n").1.contains("COPY"));
    let sql = "\\restrict é1\nselect 1;\n\\unrestrict é1\n";
    let split = split(sql).expect("split");
    assert_eq!(split.skipped.iter().map(|s| s.command.as_str()).collect::<Vec<_>>(), ["\\restrict", "\\unrestrict"]);
    assert_eq!(split.sendable(sql), "            \nselect 1;\n              \n");
}

#[test]
fn what_is_never_closed_is_found_where_it_opens() {
    for (sql, offset) in [
        ("select 'a", 7),
        ("select \"a", 7),
        ("x; /* /* */", 3),
        ("do $x$ $$", 3),
        ("select ((1)", 7),
        ("select E'\\'", 7),
    ] {
        let (at, message) = error(sql);
        assert_eq!(at, offset, "{sql}");
        assert!(message.starts_with("Incomplete statement"), "{message}");
    }
}

#[test]
fn windows_give_what_is_complete() {
    let (split, used) = split_window("select 1; select 2; select 'abc").expect("window");
    assert_eq!((split.statements.len(), used), (2, 19));
    let (split, used) = split_window("copy t from stdin;\n1\n").expect("window");
    assert_eq!((split.statements.len(), used), (0, 0));
    assert!(split_window("select 1; \\i x").is_err());
}

/// Quadratic behaviour would take minutes on these.
#[test]
fn ten_megabytes_of_anything_take_linear_time() {
    const SIZE: usize = 10 << 20;
    for unit in [
        "(",
        "'",
        "''",
        "\"",
        "$a$",
        "$a",
        "/*",
        "*/",
        "-- \n",
        "a",
        "E'\\'",
        "''\n",
        "begin atomic ",
        "copy t from stdin;\n",
        "copy t from stdin;\n\\.\n",
        "create function begin atomic case ",
        "'' --\n",
        "select 1;\n",
    ] {
        let text = unit.repeat(SIZE / unit.len());
        let begun = std::time::Instant::now();
        let _ = split(&text);
        let seconds = begun.elapsed().as_secs_f64();
        assert!(seconds < 20.0, "{unit:?} took {seconds} s");
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "select",
        " ",
        "1",
        ";",
        "(",
        ")",
        "'a;'",
        "'",
        "\"",
        "$$",
        "$t$",
        "/*",
        "*/",
        "--",
        "\n",
        "E'\\'",
        "copy t from stdin;\n",
        "\\.",
        "begin atomic",
        "end",
        "case",
        "create function",
        "é",
        "\\restrict x\n",
        ".",
        "as",
    ])
}

proptest! {
    #[test]
    fn never_panics(sql in any::<String>()) {
        let _ = split(&sql);
        let _ = split_window(&sql);
    }

    #[test]
    fn statements_cover_all_that_is_not_blank_or_comment(pieces in prop::collection::vec(piece(), 0..30)) {
        let sql = pieces.concat();
        if let Ok(found) = split(&sql) {
            let mut rest = sql.clone().into_bytes();
            let mut last = 0;
            for statement in &found.statements {
                prop_assert!(statement.range.start >= last && !statement.range.is_empty());
                last = statement.range.end;
                rest[statement.range.clone()].fill(b' ');
                if let StatementKind::CopyFromStdin { data } = &statement.kind {
                    prop_assert!(data.start >= last);
                    last = data.end;
                    rest[data.clone()].fill(b' ');
                    rest[data.end..data.end + 2].fill(b' ');
                }
            }
            for skipped in &found.skipped {
                rest[skipped.range.clone()].fill(b' ');
            }
            let rest = String::from_utf8(rest).expect("whole characters");
            let mut lexer = Lexer::new(&rest, 0);
            while let Some(token) = lexer.next_significant().map_err(|e| TestCaseError::fail(e.what))? {
                prop_assert_eq!(token.kind, TokenKind::Semicolon, "{:?} left of {:?}", token, &sql);
            }
        }
    }
}

#[test]
fn where_stdin_stands() {
    let of = |copy: &'static str| stdin_of(copy).map(|range| &copy[range]);
    assert_eq!(of("COPY t (\"from\", stdin) FROM /* stdin */ Stdin WITH (FORMAT csv)"), Some("Stdin"));
    assert_eq!(stdin_of("copy \"from stdin\" from stdin"), Some(23..28));
    assert_eq!(of("COPY t FROM 'stdin'"), None);
}
