//! Reading a script: in bounded memory, whatever its size.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::checksum::Checksum;
use crate::encoding::{self, DecodeError, Decoder, Encoding};

/// Text of scripts up to this size stays in memory; larger ones are read again when they are needed.
pub const HELD_BYTES: u64 = 4 << 20;

const PIECE: usize = 64 << 10;

/// A script on disk: its checksum, and its text when it is small.
#[derive(Clone, Debug)]
pub struct Source {
    file: PathBuf,
    encoding: Encoding,
    held: Option<Arc<str>>,
    checksum: i32,
    size: u64,
}

/// Why a script cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file system said no.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// It is no text in its encoding.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A device, a pipe or a folder.
    #[error("it is no ordinary file")]
    NotAFile,
    /// PostgreSQL cannot take U+0000 in a script.
    #[error("it contains a NUL character")]
    Nul {
        /// 1-based line.
        line: u32,
        /// 1-based column, in characters.
        column: u32,
    },
    /// Its text is not the one its checksum was taken of.
    #[error("it changed while it was being used")]
    Changed,
}

impl SourceError {
    /// Line and column of what is wrong, 1-based; the start of the file when it is about the whole.
    pub fn line_column(&self) -> (u32, u32) {
        match self {
            Self::Decode(error) => (error.line, error.column),
            Self::Nul { line, column } => (*line, *column),
            _ => (1, 1),
        }
    }
}

impl Source {
    /// Reads a script once: checksum, and text when it is at most [`HELD_BYTES`] long. `None` as encoding guesses it.
    ///
    /// # Errors
    /// It cannot be read or decoded, or is no ordinary file.
    pub fn read(file: &Path, encoding: Option<Encoding>) -> Result<Self, SourceError> {
        let size = ordinary(file)?;
        let encoding = match encoding {
            Some(encoding) => encoding,
            None => guess(file)?,
        };
        let mut sum = Checksum::default();
        let mut held = (size <= HELD_BYTES).then(String::new);
        stream(file, encoding, |piece| {
            sum.update(piece);
            match &mut held {
                // A file that grew since its size was taken is not held.
                Some(text)
                    if text.len() + piece.len() > 4 * PIECE + 3 * usize::try_from(HELD_BYTES).unwrap_or(usize::MAX) =>
                {
                    held = None;
                }
                Some(text) => text.push_str(piece),
                None => {}
            }
        })?;
        let held = held.map(without_mark).map(Arc::from);
        Ok(Self { file: file.to_owned(), encoding, held, checksum: sum.value(), size })
    }

    /// The decoded text, one byte-order mark removed.
    ///
    /// # Errors
    /// A large file cannot be read again, or differs from what was read first.
    pub fn text(&self) -> Result<Cow<'_, str>, SourceError> {
        if let Some(text) = &self.held {
            return Ok(Cow::Borrowed(text));
        }
        let mut text = String::new();
        let mut sum = Checksum::default();
        stream(&self.file, self.encoding, |piece| {
            sum.update(piece);
            text.push_str(piece);
        })?;
        if sum.value() != self.checksum {
            return Err(SourceError::Changed);
        }
        Ok(Cow::Owned(without_mark(text)))
    }

    /// Gives the decoded text piece by piece, in bounded memory; the byte-order mark is part of it.
    ///
    /// # Errors
    /// It cannot be read or decoded any more.
    pub fn stream(&self, take: impl FnMut(&str)) -> Result<(), SourceError> {
        stream(&self.file, self.encoding, take)
    }

    /// The decoded text, piece by piece.
    pub(crate) fn pieces(&self) -> Result<Pieces, SourceError> {
        Ok(Pieces::open(&self.file, self.encoding)?)
    }

    /// Whether the text is in memory.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Flyway's checksum of the text as it stands.
    pub fn checksum(&self) -> i32 {
        self.checksum
    }

    /// Size on disk, in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The encoding it was read in.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Where it is, as the operating system has it.
    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// The size of an ordinary file; opening anything else could wait for ever.
fn ordinary(file: &Path) -> Result<u64, SourceError> {
    let metadata = std::fs::metadata(file)?;
    if metadata.is_file() { Ok(metadata.len()) } else { Err(SourceError::NotAFile) }
}

fn guess(file: &Path) -> Result<Encoding, SourceError> {
    let mut start = Vec::new();
    File::open(file)?.take(HELD_BYTES).read_to_end(&mut start)?;
    Ok(encoding::detect(&start))
}

fn stream(file: &Path, encoding: Encoding, mut take: impl FnMut(&str)) -> Result<(), SourceError> {
    let mut pieces = Pieces::open(file, encoding)?;
    let mut text = String::new();
    while pieces.append_to(&mut text)? {
        take(&text);
        text.clear();
    }
    Ok(())
}

/// The decoded text of a file, piece by piece; a byte-order mark is part of it.
#[derive(Debug)]
pub(crate) struct Pieces {
    reader: File,
    decoder: Decoder,
    bytes: Vec<u8>,
}

impl Pieces {
    fn open(file: &Path, encoding: Encoding) -> io::Result<Self> {
        Ok(Self { reader: File::open(file)?, decoder: Decoder::new(encoding), bytes: vec![0; PIECE] })
    }

    /// Reads pieces of so many bytes.
    #[cfg(test)]
    pub(crate) fn set_size(&mut self, size: usize) {
        self.bytes.resize(size, 0);
    }

    /// Appends the next piece, which may be empty; whether there was one.
    pub(crate) fn append_to(&mut self, text: &mut String) -> Result<bool, SourceError> {
        let read = loop {
            match self.reader.read(&mut self.bytes) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        };
        if read == 0 {
            self.decoder.finish()?;
            return Ok(false);
        }
        let (line, column) = self.decoder.position();
        let start = text.len();
        self.decoder.push(&self.bytes[..read], text)?;
        match text[start..].find('\0') {
            Some(at) => Err(nul(&text[start..start + at], line, column)),
            None => Ok(true),
        }
    }
}

fn nul(before: &str, line: u32, column: u32) -> SourceError {
    let (lines, columns) = crate::lines::LineIndex::new(before).line_column(before, before.len());
    let column = if lines == 1 { column + columns - 1 } else { columns };
    SourceError::Nul { line: line + lines - 1, column }
}

fn without_mark(mut text: String) -> String {
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    text
}

/// Reads a small text file of settings: UTF-8, at most 1 MiB.
///
/// # Errors
/// It cannot be read or decoded, or is too large.
pub fn read_settings_file(file: &Path) -> Result<String, SourceError> {
    const LIMIT: u64 = 1 << 20;
    if ordinary(file)? > LIMIT {
        return Err(SourceError::Io(io::Error::new(io::ErrorKind::FileTooLarge, "settings of more than 1 MiB")));
    }
    let mut bytes = Vec::new();
    File::open(file)?.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(encoding::decode(&bytes, Encoding::Utf8)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn large_files_are_summed_and_not_held() {
        let mut file = tempfile::NamedTempFile::new().expect("file");
        let line = "insert into t values ('é');\r\n".repeat(1000);
        let repeats = usize::try_from(HELD_BYTES).expect("small") / line.len() + 1;
        (0..repeats).for_each(|_| file.write_all(line.as_bytes()).expect("write"));
        let source = Source::read(file.path(), Some(Encoding::Utf8)).expect("read");
        assert!(!source.is_held());
        assert_eq!(source.checksum(), crate::checksum::of_text(&line.repeat(repeats)));
        assert_eq!(source.text().expect("text").len(), line.len() * repeats);
        file.write_all(b"x").expect("write");
        assert!(matches!(source.text(), Err(SourceError::Changed)));
    }

    #[test]
    fn what_is_no_script_is_refused() {
        let dir = tempfile::tempdir().expect("dir");
        assert!(matches!(Source::read(dir.path(), None), Err(SourceError::NotAFile)));
        let file = dir.path().join("a.sql");
        std::fs::write(&file, "select 1;\n\0").expect("write");
        let error = Source::read(&file, Some(Encoding::Utf8)).expect_err("nul");
        assert_eq!(error.line_column(), (2, 1));
        std::fs::write(&file, b"\xef\xbb\xbfselect '\xe9'").expect("write");
        assert_eq!(Source::read(&file, Some(Encoding::Utf8)).expect_err("latin-1").line_column(), (1, 10));
        let guessed = Source::read(&file, None).expect("guessed");
        assert_eq!(guessed.encoding(), Encoding::Latin1);
    }
}
