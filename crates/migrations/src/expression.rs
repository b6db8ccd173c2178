//! Proof that a text is one SQL expression, or one type, and nothing else, before it enters a statement.
//!
//! Two judges must agree. Ours looks at tokens only: everything that opens closes inside, nothing ends the statement,
//! no comment can swallow what follows. The parser then has to find exactly one expression (or type) that fills the
//! brackets around it. PostgreSQL stays the judge of what it means.

use squawk_syntax::ast::{self, AstNode};
use squawk_syntax::{SourceFile, SyntaxNode};

use crate::lexer::{Lexer, Token, TokenKind, clip};

/// Longer texts are refused: nothing that stands in one cell of a table needs as much.
pub const MAX_BYTES: usize = 16 << 10;
pub(crate) const MAX_DEPTH: usize = 50;
const MAX_TOKENS: usize = 4_000;
/// With at most this many tokens the parser's recursion fits any stack.
const SHALLOW_TOKENS: usize = 60;
const DEEP_STACK: usize = 128 << 20;

/// Why a text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ProofError {
    /// Byte in the text where the trouble is.
    pub offset: usize,
    /// What it is.
    pub message: String,
}

fn refuse<T>(offset: usize, message: impl Into<String>) -> Result<T, ProofError> {
    Err(ProofError { offset, message: message.into() })
}

/// Proves that a text is exactly one scalar expression, which may then stand between parentheses in a statement.
///
/// # Errors
/// It is empty, too long, more than one expression, a query, or could end the brackets or the statement around it.
pub fn prove_expression(sql: &str) -> Result<(), ProofError> {
    let tokens = tokens(sql)?;
    parsed(sql, &tokens, "SELECT (", ")", expression_fills)
}

/// Proves that a text is exactly one type name: `VARCHAR(20)`, `TIMESTAMP(3) WITH TIME ZONE`, `s."T"[]`, ….
///
/// # Errors
/// It is empty, too long, or anything else than a type.
pub fn prove_type(sql: &str) -> Result<(), ProofError> {
    let tokens = tokens(sql)?;
    for token in &tokens {
        let minus = token.kind == TokenKind::Other && token.text(sql) == "-";
        if matches!(token.kind, TokenKind::Dollar | TokenKind::BlockComment)
            || (token.kind == TokenKind::Other && !minus)
        {
            return refuse(token.start, format!("`{}` has no place in a type", clip(token.text(sql))));
        }
    }
    if let Some(first) = tokens.first().filter(|token| token.is_word(sql, "SETOF")) {
        return refuse(first.start, "a set is no type of a column");
    }
    parsed(sql, &tokens, "SELECT CAST(NULL AS ", ")", type_fills)
}

/// The tokens of a text that cannot leave the brackets it is put in.
pub(crate) fn tokens(sql: &str) -> Result<Vec<Token>, ProofError> {
    if sql.len() > MAX_BYTES {
        return refuse(0, format!("longer than {MAX_BYTES} bytes"));
    }
    if let Some(at) = sql.find('\0') {
        return refuse(at, "a NUL character");
    }
    let mut lexer = Lexer::new(sql, 0);
    let mut tokens = Vec::new();
    let mut open = Vec::new();
    loop {
        let token = match lexer.next() {
            Ok(Some(token)) => token,
            Ok(None) => break,
            Err(unclosed) => {
                return refuse(unclosed.offset, format!("the {} that opens here is never closed", unclosed.what));
            }
        };
        check_token(sql, &token, &mut open)?;
        if !token.kind.is_trivia() {
            tokens.push(token);
        }
        if tokens.len() > MAX_TOKENS || open.len() > MAX_DEPTH {
            return refuse(token.start, "too long or too deeply nested");
        }
    }
    match (open.last(), tokens.is_empty()) {
        (Some(bracket), _) => refuse(bracket.start, "a bracket that is never closed"),
        (None, true) => refuse(0, "empty"),
        (None, false) => Ok(tokens),
    }
}

fn check_token(sql: &str, token: &Token, open: &mut Vec<Token>) -> Result<(), ProofError> {
    let closes = |open: &mut Vec<Token>, kind| match open.pop() {
        Some(bracket) if bracket.kind == kind => Ok(()),
        _ => refuse(token.start, format!("`{}` closes nothing", token.text(sql))),
    };
    match token.kind {
        TokenKind::Semicolon => refuse(token.start, "`;` would end the statement"),
        TokenKind::LineComment => refuse(token.start, "a `--` comment could swallow what follows; use `/* */`"),
        TokenKind::Backslash => refuse(token.start, "`\\` is not SQL"),
        TokenKind::Other if token.text(sql) == "$" => refuse(token.start, "a parameter has no value here"),
        TokenKind::Open | TokenKind::OpenBracket => {
            open.push(*token);
            Ok(())
        }
        TokenKind::Close => closes(open, TokenKind::Open),
        TokenKind::CloseBracket => closes(open, TokenKind::OpenBracket),
        _ => Ok(()),
    }
}

/// Has the parser look at the text inside of a statement. The trees stay on the thread that makes them.
fn parsed(
    sql: &str,
    tokens: &[Token],
    before: &str,
    after: &str,
    fills: impl Fn(&SyntaxNode, (usize, usize)) -> bool + Sync,
) -> Result<(), ProofError> {
    let wrapped = format!("{before}{sql}{after}");
    let judge = || {
        let parse = SourceFile::parse(&wrapped);
        if let Some(error) = parse.errors().first() {
            let offset = usize::from(error.range().start()).saturating_sub(before.len()).min(sql.len());
            return refuse(offset, format!("not one expression or type: {}", error.message()));
        }
        let whole =
            parse.tree().stmts().count() == 1 && fills(parse.tree().syntax(), (before.len(), before.len() + sql.len()));
        if whole { Ok(()) } else { refuse(0, "not exactly one expression or type") }
    };
    if tokens.len() <= SHALLOW_TOKENS {
        return judge();
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(DEEP_STACK).spawn_scoped(scope, judge);
        let verdict = thread.map(std::thread::ScopedJoinHandle::join);
        verdict.ok().and_then(Result::ok).unwrap_or_else(|| refuse(0, "the parser could not be run on it"))
    })
}

fn range_of(node: &SyntaxNode) -> (usize, usize) {
    let range = node.text_range();
    (range.start().into(), range.end().into())
}

/// Whether the statement is `SELECT (…)` with one expression in the parentheses, which are those around `inner`.
fn expression_fills(root: &SyntaxNode, inner: (usize, usize)) -> bool {
    let brackets = (inner.0 - 1, inner.1 + 1);
    let targets: Vec<_> =
        root.descendants().filter_map(ast::TargetList::cast).take(1).flat_map(|list| list.targets()).collect();
    let [target] = targets.as_slice() else { return false };
    let Some(ast::Expr::ParenExpr(paren)) = target.expr() else { return false };
    range_of(paren.syntax()) == brackets
        && range_of(target.syntax()) == brackets
        && paren.expr().is_some()
        && paren.select().is_none()
        && paren.compound_select().is_none()
        && paren.from_list_item().is_none()
}

/// Whether the cast's type, with the fields of an interval, takes up all of `inner`.
fn type_fills(root: &SyntaxNode, inner: (usize, usize)) -> bool {
    let Some(cast) = root.descendants().find_map(ast::CastExpr::cast) else { return false };
    let Some(ty) = cast.ty() else { return false };
    let end = cast.interval_qualifier().map_or_else(|| range_of(ty.syntax()), |fields| range_of(fields.syntax())).1;
    let text = root.text().to_string();
    let blank = |from: usize, to: usize| text.get(from..to).is_some_and(|gap| gap.trim().is_empty());
    let start = range_of(ty.syntax()).0;
    start >= inner.0
        && end <= inner.1
        && blank(inner.0, start)
        && blank(end, inner.1)
        && range_of(cast.syntax()).1 == inner.1 + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn expressions() {
        for sql in [
            "1",
            "now()",
            "'a;b--c'",
            "a > 0 AND b IN (1, 2)",
            "gen_random_uuid()",
            "'{}'::jsonb",
            "x[1]",
            "-1",
            "(SELECT 1)",
            "E'\\'' || 'x'",
            "CASE WHEN a THEN 1 ELSE 2 END",
            "a BETWEEN 1 AND 5",
            "CURRENT_TIMESTAMP",
            "to_tsvector('english', \"Name\")",
            "a /* ( */ + 1",
            "lower(a) COLLATE \"C\"",
            "$$;$$",
            "NULL",
            "ARRAY['a','b']::text[]",
            "(now() AT TIME ZONE 'utc')",
            "interval '1 day'",
            "a ~ '^\\d+$'",
            "count(*) FILTER (WHERE x)",
            "a IS NOT NULL",
            "ROW(1, 2)",
            "U&'\\0041'",
            "nextval('s'::regclass)",
        ] {
            assert_eq!(prove_expression(sql), Ok(()), "{sql}");
        }
    }

    #[test]
    fn what_is_no_single_expression() {
        for sql in [
            "",
            "  ",
            "/* c */",
            "1)",
            "(1",
            "1) --",
            "1; drop table t",
            "1 -- c",
            "1, 2",
            "SELECT 1",
            "1 2",
            "1)+(1",
            "1) FROM (t",
            "'a",
            "$$a",
            "\"a",
            "/* a",
            "1 AS x",
            "1 FROM t",
            "VALUES (1)",
            "TABLE t",
            "a[1",
            "a]",
            "(1]",
            "\\i x",
            "1 \0",
            "$1",
            "DEFAULT",
            "1 NOT NULL",
            "x int",
            "1 UNION SELECT 2",
            "1 ORDER BY 2",
            "1 +",
            "WITH a AS (SELECT 1) SELECT 2",
            "E'\\'",
            "''' ",
            "1 LIMIT 1",
        ] {
            assert!(prove_expression(sql).is_err(), "{sql}");
        }
        assert_eq!(prove_expression("a + b; c").expect_err("semicolon").offset, 5);
    }

    #[test]
    fn types() {
        for sql in [
            "int",
            "VARCHAR(20)",
            "character varying(20)",
            "DOUBLE PRECISION",
            "TIMESTAMP(3) WITH TIME ZONE",
            "timestamptz",
            "TEXT[]",
            "text[][3]",
            "int ARRAY",
            "GEOMETRY(Point, 4326)",
            "s.\"T y\"",
            "pg_catalog.int4",
            "numeric(10, 2)",
            "numeric(3,-2)",
            "interval day to second",
            "time without time zone",
            "bit varying(8)",
            "interval(3)",
            "\"char\"",
            "national character varying(3)",
            "UUID",
            "JSONB",
            "daterange",
        ] {
            assert_eq!(prove_type(sql), Ok(()), "{sql}");
        }
        for sql in [
            "",
            "int NOT NULL",
            "int DEFAULT 1",
            "int)",
            "int; drop",
            "int, b int",
            "int PRIMARY KEY",
            "int -- x",
            "int /* x */",
            "SETOF int",
            "t.c%TYPE",
            "int COLLATE \"C\"",
            "NOT",
            "int)::text::(int",
            "int = 1",
            "varchar(",
            "varchar(20",
            "int AS x",
            "$$int$$",
            "int CHECK (true)",
            "int) , (int",
            "REFERENCES t",
        ] {
            assert!(prove_type(sql).is_err(), "{sql}");
        }
    }

    #[test]
    fn depth_and_length_do_no_harm() {
        for unit in [
            "(",
            "NOT ",
            "- ",
            "CASE WHEN ",
            "a[",
            "1+",
            "ARRAY[",
            "f(",
            "x::",
            "NOT NOT(",
            "a.",
            "case a when ",
            "interval ",
        ] {
            let text = unit.repeat(MAX_BYTES / unit.len());
            assert!(prove_expression(&text).is_err(), "{unit}");
            assert!(prove_type(&text).is_err(), "{unit}");
            assert!(!crate::constant::is_constant(&text), "{unit}");
        }
        assert_eq!(prove_expression(&format!("{}1", "NOT ".repeat(1500))), Ok(()));
        assert_eq!(prove_expression(&format!("1{}", "+1".repeat(1900))), Ok(()));
        assert_eq!(prove_expression(&format!("{}1{}", "CASE WHEN a THEN ".repeat(700), " END".repeat(700))), Ok(()));
    }

    fn piece() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec![
            "a", "1", " ", "(", ")", "[", "]", "'", "''", "\"", "$$", "$t$", "--", "\n", "/*", "*/", ";", ",", "::int",
            " + ", "E'", "\\", "f(", "e", "U&", "$", "\r", "\t", "'x'", "select ",
        ])
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn nothing_that_is_accepted_leaves_its_brackets(pieces in prop::collection::vec(piece(), 1..10)) {
            let sql = pieces.concat();
            if prove_expression(&sql).is_ok() {
                let around = format!("SELECT ({sql}), 42; SELECT 'tail'");
                let parse = SourceFile::parse(&around);
                prop_assert!(parse.errors().is_empty(), "{}", &around);
                let statements: Vec<_> = parse.tree().stmts().map(|stmt| stmt.syntax().text().to_string()).collect();
                let statements: Vec<_> = statements.iter().map(|text| text.trim_end_matches(';')).collect();
                prop_assert_eq!(statements, [format!("SELECT ({sql}), 42"), "SELECT 'tail'".to_owned()]);
                let split = crate::statements::split(&around).map_err(|e| TestCaseError::fail(e.message))?;
                prop_assert_eq!(split.statements.len(), 2);
                prop_assert!(around[split.statements[0].range.clone()].ends_with("), 42"));
            }
        }

        #[test]
        fn never_panics(sql in any::<String>()) {
            let _ = (prove_expression(&sql), prove_type(&sql), crate::constant::is_constant(&sql));
        }
    }
}
