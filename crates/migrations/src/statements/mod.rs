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

/// The complete statements at the beginning of a longer script.
pub(crate) struct Window {
    pub(crate) split: Split,
    /// How many bytes they take up.
    pub(crate) consumed: usize,
    /// A COPY behind them, whose data begins in this text and does not end there.
    pub(crate) copy: Option<OpenCopy>,
}

/// A COPY whose data is not all there.
pub(crate) struct OpenCopy {
    /// Bytes of the statement.
    pub(crate) statement: Range<usize>,
    /// Where its data begins.
    pub(crate) data: usize,
}

/// The same as [`split_window`], with the COPY that it ends in. What could be cut short, such as the line of a meta-command, is
/// left for later.
pub(crate) fn window(text: &str) -> Result<Window, SplitError> {
    let mut splitter = Splitter { is_window: true, ..Splitter::new(text) };
    match splitter.drive() {
        Err(stop) if !stop.incomplete => return Err(stop.error),
        _ => {}
    }
    Ok(Window { split: splitter.split, consumed: splitter.consumed, copy: splitter.copy })
}

/// The lines of a COPY's data at the beginning of a text: how many bytes of it are data, and how many are done with. When
/// more are done with, the data is over. Of a longer text, unless it `is_all`, only whole lines count.
pub(crate) fn copy_lines(text: &str, is_all: bool) -> (usize, usize, bool) {
    let mut at = 0;
    while at < text.len() {
        let (end, next) = line_end(text, at);
        if !is_all && !is_whole(text, end, next) {
            break;
        }
        if text[at..end].trim() == "\\." {
            return (at, next, true);
        }
        at = next;
    }
    (at, at, false)
}

/// Whether a line of a longer text is seen to its end; behind a lone `\r` there may come a `\n`.
fn is_whole(text: &str, end: usize, next: usize) -> bool {
    next > end && (next < text.len() || text.ends_with('\n'))
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
    /// Whether more text follows.
    is_window: bool,
    copy: Option<OpenCopy>,
}

impl<'a> Splitter<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            lexer: Lexer::new(text, 0),
            current: Current::default(),
            split: Split::default(),
            consumed: 0,
            is_window: false,
            copy: None,
        }
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
        if self.is_window && !is_whole(self.text, rest_end, start) {
            return Err(incomplete(semicolon.start, "the data of a COPY".to_owned()));
        }
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
        let (data, done, is_over) = copy_lines(&self.text[start..], !self.is_window);
        if is_over {
            self.finish_statement(Some(start..start + data));
            self.lexer.seek(start + done);
            self.consumed = start + done;
            return Ok(());
        }
        if is_whole(self.text, rest_end, start) {
            let statement = self.current.start.unwrap_or(semicolon.start)..self.current.end;
            self.copy = Some(OpenCopy { statement, data: start });
        }
        let offset = self.current.start.unwrap_or(semicolon.start);
        Err(incomplete(
            offset,
            "Incomplete statement: the data of this `COPY … FROM STDIN` lacks its last line `\\.`".into(),
        ))
    }

    fn meta_command(&mut self, backslash: &Token) -> Result<(), Stop> {
        let (end, next) = line_end(self.text, backslash.start);
        if self.is_window && !is_whole(self.text, end, next) {
            return Err(incomplete(backslash.start, "a psql meta-command".to_owned()));
        }
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

/// Where `STDIN` stands in a `COPY … FROM STDIN`, in bytes of the statement.
pub fn stdin_of(copy: &str) -> Option<Range<usize>> {
    let mut lexer = Lexer::new(copy, 0);
    let (mut depth, mut from) = (0_usize, false);
    while let Ok(Some(token)) = lexer.next_significant() {
        let is = |word: &str| token.kind == TokenKind::Word && token.text(copy).eq_ignore_ascii_case(word);
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ if depth == 0 && from && is("STDIN") => return Some(token.start..token.end),
            _ => {}
        }
        from = depth == 0 && is("FROM");
    }
    None
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
mod tests;
