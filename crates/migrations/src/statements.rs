//! Cutting a script into statements: linear, without parsing, never guessing.

use std::borrow::Cow;
use std::ops::Range;

use crate::lexer::{Lexer, Token, TokenKind, Unclosed, clip};

/// One statement, by its bytes in the script: from its first token to its last, without `;` and without comments
/// before or after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Bytes of the statement.
    pub range: Range<usize>,
    /// What follows it in the script.
    pub kind: StatementKind,
}

/// How a statement has to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// By itself.
    Sql,
    /// `COPY … FROM STDIN`, together with its data.
    CopyFromStdin {
        /// The lines of data, the last newline included; `\.` is not part of it.
        data: Range<usize>,
    },
}

/// A psql meta-command that recent pg_dump writes and that does nothing for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Bytes of the line, without its newline.
    pub range: Range<usize>,
    /// `\restrict` or `\unrestrict`.
    pub command: String,
}

/// A script taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Statements in order; empty ones are left out.
    pub statements: Vec<Statement>,
    /// Lines to say that they were skipped.
    pub skipped: Vec<Skipped>,
}

impl Split {
    /// The script with skipped lines blanked, every character's position kept: what may be sent in one piece.
    pub fn sendable<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.skipped.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut sql = String::with_capacity(text.len());
        let mut at = 0;
        for Skipped { range, .. } in &self.skipped {
            sql.push_str(&text[at..range.start]);
            sql.extend(text[range.clone()].chars().map(|_| ' '));
            at = range.end;
        }
        sql.push_str(&text[at..]);
        Cow::Owned(sql)
    }

    /// Whether the data of a COPY stands in the script, which then cannot be sent in one piece.
    pub fn has_copy_data(&self) -> bool {
        self.statements.iter().any(|statement| matches!(statement.kind, StatementKind::CopyFromStdin { .. }))
    }
}

/// Why a script cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SplitError {
    /// Byte in the script where the trouble begins.
    pub offset: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Cuts a whole script.
///
/// # Errors
/// Something that is opened and never closed, COPY data without its end, or a psql meta-command.
pub fn split(text: &str) -> Result<Split, SplitError> {
    Splitter::new(text).run().map_err(|stop| stop.error)
}

/// The statements that are complete in a piece of a longer script, and how many bytes they take up: go on there,
/// with more text. At the end of the script use [`split`], which says what is incomplete.
///
/// # Errors
/// A psql meta-command or misplaced COPY data, which more text cannot mend.
pub fn split_window(text: &str) -> Result<(Split, usize), SplitError> {
    let mut splitter = Splitter::new(text);
    match splitter.drive() {
        Err(stop) if !stop.incomplete => return Err(stop.error),
        _ => {}
    }
    Ok((splitter.split, splitter.consumed))
}

struct Stop {
    error: SplitError,
    /// Whether more text could mend it.
    incomplete: bool,
}

fn incomplete(offset: usize, message: String) -> Stop {
    Stop { error: SplitError { offset, message }, incomplete: true }
}

fn refused(offset: usize, message: String) -> Stop {
    Stop { error: SplitError { offset, message }, incomplete: false }
}

impl From<Unclosed> for Stop {
    fn from(unclosed: Unclosed) -> Self {
        incomplete(
            unclosed.offset,
            format!("Incomplete statement: the {} that opens here is never closed", unclosed.what),
        )
    }
}

/// What has been seen of the statement that is being read.
#[derive(Default)]
struct Current {
    start: Option<usize>,
    end: usize,
    parens: usize,
    outer_paren: usize,
    words: usize,
    head: Head,
    previous: Previous,
    atomic: usize,
    atomic_start: usize,
    copy_from_stdin: bool,
}

/// Which statements need more than a `;` to end.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Head {
    #[default]
    Other,
    Copy,
    Create,
    CreateOr,
    CreateOrReplace,
    Routine,
}

/// The token before, as far as it matters.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Previous {
    #[default]
    Other,
    From,
    Begin,
    Label,
}

struct Splitter<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    current: Current,
    split: Split,
    consumed: usize,
}

impl<'a> Splitter<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, lexer: Lexer::new(text, 0), current: Current::default(), split: Split::default(), consumed: 0 }
    }

    fn run(mut self) -> Result<Split, Stop> {
        self.drive()?;
        self.check_complete()?;
        self.finish_statement(None);
        Ok(self.split)
    }

    /// Reads to the end of the text; the last statement may lack its `;`.
    fn drive(&mut self) -> Result<(), Stop> {
        while let Some(token) = self.lexer.next_significant()? {
            match token.kind {
                TokenKind::Semicolon if self.current.parens == 0 && self.current.atomic == 0 => {
                    self.semicolon(&token)?;
                }
                TokenKind::Backslash => self.meta_command(&token)?,
                _ => self.take(&token),
            }
        }
        Ok(())
    }

    fn take(&mut self, token: &Token) {
        let current = &mut self.current;
        current.start.get_or_insert(token.start);
        current.end = token.end;
        match token.kind {
            TokenKind::Open => {
                if current.parens == 0 {
                    current.outer_paren = token.start;
                }
                current.parens += 1;
            }
            TokenKind::Close => current.parens = current.parens.saturating_sub(1),
            TokenKind::Word if current.parens == 0 => {
                current.word(token.text(self.text), token.start);
                return;
            }
            _ => {}
        }
        current.previous = if token.kind == TokenKind::Dot { Previous::Label } else { Previous::Other };
    }

    fn semicolon(&mut self, token: &Token) -> Result<(), Stop> {
        if self.current.copy_from_stdin {
            return self.copy_data(token);
        }
        self.finish_statement(None);
        self.consumed = token.end;
        Ok(())
    }

    fn finish_statement(&mut self, data: Option<Range<usize>>) {
        let current = std::mem::take(&mut self.current);
        let Some(start) = current.start else { return };
        let kind = data.map_or(StatementKind::Sql, |data| StatementKind::CopyFromStdin { data });
        self.split.statements.push(Statement { range: start..current.end, kind });
    }

    /// The data of a COPY: from the line after the `;` to a line that is `\.` but for blanks around it.
    fn copy_data(&mut self, semicolon: &Token) -> Result<(), Stop> {
        let (rest_end, start) = line_end(self.text, semicolon.end);
        let rest = self.text[semicolon.end..rest_end].trim();
        if !rest.is_empty() && !rest.starts_with("--") {
            return Err(refused(
                semicolon.end,
                format!(
                    "`COPY … FROM STDIN;` must end its line: its data starts on the next one, but `{}` follows",
                    clip(rest)
                ),
            ));
        }
        let mut at = start;
        while at < self.text.len() {
            let (end, next) = line_end(self.text, at);
            if self.text[at..end].trim() == "\\." {
                self.finish_statement(Some(start..at));
                self.lexer.seek(next);
                self.consumed = next;
                return Ok(());
            }
            at = next;
        }
        let offset = self.current.start.unwrap_or(semicolon.start);
        Err(incomplete(
            offset,
            "Incomplete statement: the data of this `COPY … FROM STDIN` lacks its last line `\\.`".into(),
        ))
    }

    fn meta_command(&mut self, backslash: &Token) -> Result<(), Stop> {
        let (end, next) = line_end(self.text, backslash.start);
        let line = &self.text[backslash.start..end];
        let command = line.split_whitespace().next().unwrap_or("\\");
        if self.current.start.is_none() && matches!(command, "\\restrict" | "\\unrestrict") {
            self.split.skipped.push(Skipped { range: backslash.start..end, command: command.to_owned() });
            self.lexer.seek(next);
            self.consumed = next;
            return Ok(());
        }
        let message = match command {
            "\\." => "`\\.` ends the data of a `COPY … FROM STDIN`, and there is none before it".to_owned(),
            _ => format!(
                "psql meta-command `{}` is not SQL: the server does not know it; write what it does as SQL, or remove it",
                clip(command)
            ),
        };
        Err(refused(backslash.start, message))
    }

    fn check_complete(&self) -> Result<(), Stop> {
        let current = &self.current;
        if current.parens > 0 {
            return Err(incomplete(
                current.outer_paren,
                "Incomplete statement: the parenthesis that opens here is never closed".into(),
            ));
        }
        if current.atomic > 0 {
            return Err(incomplete(current.atomic_start, "Incomplete statement: this BEGIN ATOMIC has no END".into()));
        }
        if current.copy_from_stdin {
            let offset = current.start.unwrap_or_default();
            return Err(incomplete(
                offset,
                "Incomplete statement: this `COPY … FROM STDIN` lacks `;`, its data, and `\\.`".into(),
            ));
        }
        Ok(())
    }
}

impl Current {
    /// Takes in a word outside of parentheses.
    fn word(&mut self, word: &str, at: usize) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        self.advance_head(&is);
        match self.previous {
            // `AS end`, `x.case`: labels, not keywords.
            Previous::Label => {}
            Previous::From if self.head == Head::Copy && is("STDIN") => self.copy_from_stdin = true,
            Previous::Begin if self.atomic == 0 && is("ATOMIC") => {
                self.atomic = 1;
                self.atomic_start = at;
            }
            _ if self.atomic > 0 && is("CASE") => self.atomic += 1,
            _ if self.atomic > 0 && is("END") => self.atomic -= 1,
            _ => {}
        }
        self.previous = match () {
            () if is("FROM") => Previous::From,
            () if is("BEGIN") && self.head == Head::Routine => Previous::Begin,
            () if is("AS") => Previous::Label,
            () => Previous::Other,
        };
    }

    fn advance_head(&mut self, is: &impl Fn(&str) -> bool) {
        self.words += 1;
        self.head = match (self.words, self.head) {
            (1, _) if is("COPY") => Head::Copy,
            (1, _) if is("CREATE") => Head::Create,
            (2, Head::Create) if is("OR") => Head::CreateOr,
            (3, Head::CreateOr) if is("REPLACE") => Head::CreateOrReplace,
            (2, Head::Create) | (4, Head::CreateOrReplace) if is("FUNCTION") || is("PROCEDURE") => Head::Routine,
            (2..=4, Head::Create | Head::CreateOr | Head::CreateOrReplace) => Head::Other,
            (_, head) => head,
        };
    }
}

/// The end of the line that `at` stands in, and the start of the next.
fn line_end(text: &str, at: usize) -> (usize, usize) {
    let bytes = text.as_bytes();
    match bytes[at..].iter().position(|&byte| byte == b'\n' || byte == b'\r') {
        None => (text.len(), text.len()),
        Some(found) => {
            let end = at + found;
            let pair = bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n');
            (end, end + 1 + usize::from(pair))
        }
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(
            split.skipped.iter().map(|s| s.command.as_str()).collect::<Vec<_>>(),
            ["\\restrict", "\\unrestrict"]
        );
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
            ";",
            "(",
            ")",
            "'",
            "''",
            "' ",
            "\"",
            "$a$",
            "$a",
            "$",
            "/*",
            "*/",
            "--",
            "-- \n",
            "\\",
            "a",
            "a$",
            "E'\\'",
            "''\n",
            "begin atomic ",
            "copy t from stdin;\n",
            "case ",
            "1.",
            "e'",
            "u&'",
            "'' --\n",
            "select 1;\n",
            "é",
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
}
