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

/// Text that means something elsewhere, and nothing inside of quotes.
fn bait() -> impl Strategy<Value = String> {
    let pieces = vec![";", "'", "\"", "$", "$$", "$a$", "/*", "*/", "--", "\n", "(", ")", "\\", "end", "é", "E'", "x"];
    prop::collection::vec(prop::sample::select(pieces), 0..8).prop_map(|pieces| pieces.concat())
}

fn plain_string() -> impl Strategy<Value = String> {
    bait().prop_map(|text| format!("'{}'", text.replace('\'', "''")))
}

fn escape_string() -> impl Strategy<Value = String> {
    (bait(), prop::sample::select(vec!["E", "e"]), prop::sample::select(vec!["\\'", "''"]))
        .prop_map(|(text, prefix, quote)| format!("{prefix}'{}'", text.replace('\\', "\\\\").replace('\'', quote)))
}

fn quoted_name() -> impl Strategy<Value = String> {
    bait().prop_map(|text| format!("\"{}\"", text.replace('"', "\"\"")))
}

fn dollar_quote() -> impl Strategy<Value = String> {
    (bait(), prop::sample::select(vec!["$$", "$a$", "$_1$", "$é$"])).prop_filter_map(
        "it closes itself",
        |(text, tag)| {
            let closed = format!("{text}{tag}");
            (closed.find(tag) == Some(text.len())).then(|| format!("{tag}{closed}"))
        },
    )
}

/// Comments as deep as they come, with quotes in them that open nothing.
fn comment() -> impl Strategy<Value = String> {
    let text = bait().prop_map(|text| format!(" {} ", text.replace(['/', '*'], "")));
    let nested = text.prop_map(|text| format!("/*{text}*/")).prop_recursive(4, 8, 2, |inner| {
        (inner.clone(), inner).prop_map(|(first, second)| format!("/*;{first}'{second}$$*/"))
    });
    prop_oneof![nested, bait().prop_map(|text| format!("--{}\n", text.replace('\n', "")))]
}

/// Something that stands in a statement and holds no `;` that counts.
fn part() -> impl Strategy<Value = String> {
    let names = vec!["a$b", "t$$x", "x$1$", "_$", "é$é", "begin", "atomic", "1.5e3", "$1", "::", "e", "u&1"];
    let simple = prop_oneof![
        plain_string(),
        escape_string(),
        quoted_name(),
        dollar_quote(),
        comment(),
        prop::sample::select(names).prop_map(str::to_owned),
    ];
    simple.prop_recursive(3, 12, 3, |inner| {
        prop::collection::vec(inner, 0..3).prop_map(|parts| format!("( {} ; )", parts.join(" ")))
    })
}

fn case_expression() -> impl Strategy<Value = String> {
    part().prop_map(|part| format!("case when {part} = 1 then 2 end")).prop_recursive(4, 8, 2, |inner| {
        (inner.clone(), inner).prop_map(|(when, then)| format!("case when {when} then {then} else 0 END"))
    })
}

fn routine() -> impl Strategy<Value = String> {
    let statement = prop_oneof![case_expression(), part()].prop_map(|inner| format!("select {inner} as case, x.end;"));
    (prop::collection::vec(statement, 0..4), prop::sample::select(vec!["function", "or replace procedure"]))
        .prop_map(|(body, what)| format!("create {what} f$1(a int) begin atomic {} end", body.join("\n")))
}

fn statement() -> impl Strategy<Value = String> {
    let simple = prop::collection::vec(part(), 0..6).prop_map(|parts| format!("select {} z", parts.join(" ")));
    prop_oneof![3 => simple, 1 => routine()]
}

proptest! {
    /// Whatever is put together of closed things comes apart where it was put together, and nowhere else.
    #[test]
    fn never_cuts_in_the_wrong_place(
        statements in prop::collection::vec((statement(), prop::option::of(comment())), 0..6),
    ) {
        let mut sql = String::new();
        for (statement, comment) in &statements {
            sql.push_str(statement);
            sql.push_str(" ;");
            sql.push_str(comment.as_deref().unwrap_or_default());
        }
        let found = split(&sql).map_err(|error| TestCaseError::fail(format!("{error} in {sql:?}")))?;
        let texts: Vec<_> = found.statements.iter().map(|statement| &sql[statement.range.clone()]).collect();
        let expected: Vec<_> = statements.iter().map(|(statement, _)| statement.as_str()).collect();
        prop_assert_eq!(&texts, &expected, "{:?}", sql);
        // A window at any place finds the same statements, as far as it sees them.
        let middle = (0..=sql.len() / 2).rev().find(|at| sql.is_char_boundary(*at)).unwrap_or_default();
        let (window, used) = split_window(&sql[..middle]).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert!(used <= middle && found.statements.starts_with(&window.statements), "{:?}", window);
    }
}

#[test]
fn where_stdin_stands() {
    let of = |copy: &'static str| stdin_of(copy).map(|range| &copy[range]);
    assert_eq!(of("COPY t (\"from\", stdin) FROM /* stdin */ Stdin WITH (FORMAT csv)"), Some("Stdin"));
    assert_eq!(stdin_of("copy \"from stdin\" from stdin"), Some(23..28));
    assert_eq!(of("COPY t FROM 'stdin'"), None);
}
