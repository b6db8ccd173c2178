//! Bytes to text: what can be refused before any YAML is read.

use std::borrow::Cow;
use std::sync::Arc;

use trueup_model::location::Location;

use crate::document::Mark;
use crate::report::Report;

/// Larger files are refused: a thousand services in the reference repository's style take 4 MB.
pub(crate) const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Decodes a file as UTF-8, and reports what does not belong into a text file.
///
/// What is reported is replaced by U+FFFD, so that reading goes on and the file's other errors are found too, at
/// their right places. `None` when nothing can be read.
pub(crate) fn decode<'b>(file: &Arc<str>, bytes: &'b [u8], report: &mut Report) -> Option<Cow<'b, str>> {
    if bytes.len() > MAX_BYTES {
        let message = format!("the file has {} bytes; trueup reads at most {MAX_BYTES}", bytes.len());
        report.error(Location::whole(Arc::clone(file)), message, "split it into several files, a few services each");
        return None;
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        report.error(Location::whole(Arc::clone(file)), "the file is UTF-16", "save it as UTF-8");
        return None;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let byte = bytes[error.valid_up_to()];
            let message = format!("the byte 0x{byte:02x} here is not UTF-8");
            report.error(end_of(&valid).in_file(file), message, "save the file as UTF-8; it may be Latin-1 now");
            String::from_utf8_lossy(bytes)
        }
    };
    Some(without_controls(file, text, report))
}

/// Characters that YAML forbids in its text, NUL among them.
pub(crate) fn is_forbidden(character: char) -> bool {
    (character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}')) || character == '\u{feff}'
}

fn without_controls<'b>(file: &Arc<str>, text: Cow<'b, str>, report: &mut Report) -> Cow<'b, str> {
    if !text.contains(is_forbidden) {
        return text;
    }
    for (line, content) in lines(&text) {
        for (column, character) in content.chars().enumerate().filter(|(_, character)| is_forbidden(*character)) {
            if report.is_full(file) {
                break;
            }
            let at = Location::new(Arc::clone(file), line, u32::try_from(column + 1).unwrap_or(u32::MAX));
            let message = format!("the control character U+{:04X} stands here", u32::from(character));
            report.error(at, message, "delete it; YAML files are plain text");
        }
    }
    Cow::Owned(text.replace(is_forbidden, "\u{fffd}"))
}

/// The lines of `text` with their numbers, from 1. A line ends at LF, CRLF or a lone CR, as in YAML.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let mut rest = Some(text);
    let mut number = 0;
    std::iter::from_fn(move || {
        let text = rest?;
        number += 1;
        let line = match text.find(['\n', '\r']) {
            None => {
                rest = None;
                text
            }
            Some(end) => {
                let length = if text[end..].starts_with("\r\n") { 2 } else { 1 };
                rest = Some(&text[end + length..]);
                &text[..end]
            }
        };
        Some((number, line))
    })
}

/// The place just behind `text`.
fn end_of(text: &str) -> Mark {
    let (line, last) = lines(text).last().unwrap_or((1, ""));
    Mark { line, column: u32::try_from(last.chars().count() + 1).unwrap_or(u32::MAX) }
}
