//! Decoding files: strictly, piece by piece, with the place of what is wrong.

use std::fmt;

/// An encoding of script files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// ISO-8859-1: every byte is the character of that number.
    Latin1,
    /// US-ASCII: bytes above 127 are malformed.
    Ascii,
    /// UTF-16 with a byte-order mark; big-endian without one.
    Utf16,
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
}

impl Encoding {
    /// Reads the name of an encoding as Java spells it, aliases and any case included.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_uppercase().replace('_', "-").as_str() {
            "UTF-8" | "UTF8" => Self::Utf8,
            "ISO-8859-1" | "ISO8859-1" | "ISO88591" | "LATIN1" | "LATIN-1" | "L1" => Self::Latin1,
            "US-ASCII" | "ASCII" => Self::Ascii,
            "UTF-16" | "UTF16" => Self::Utf16,
            "UTF-16LE" | "UTF-16-LE" => Self::Utf16Le,
            "UTF-16BE" | "UTF-16-BE" => Self::Utf16Be,
            _ => return None,
        })
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Utf8 => "UTF-8",
            Self::Latin1 => "ISO-8859-1",
            Self::Ascii => "US-ASCII",
            Self::Utf16 => "UTF-16",
            Self::Utf16Le => "UTF-16LE",
            Self::Utf16Be => "UTF-16BE",
        })
    }
}

/// Bytes that are not text in the encoding they should have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {byte:#04x} is not {encoding} here")]
pub struct DecodeError {
    /// The encoding that was expected.
    pub encoding: Encoding,
    /// The first offending byte.
    pub byte: u8,
    /// 1-based line of it.
    pub line: u32,
    /// 1-based column of it, in characters.
    pub column: u32,
}

/// Decodes a stream of bytes; what a character needs from the next piece is kept back.
#[derive(Debug)]
pub struct Decoder {
    encoding: Encoding,
    pending: Vec<u8>,
    line: u32,
    column: u32,
    after_cr: bool,
}

impl Decoder {
    /// A decoder at the start of a file.
    pub fn new(encoding: Encoding) -> Self {
        Self { encoding, pending: Vec::new(), line: 1, column: 1, after_cr: false }
    }

    /// Appends the text of `bytes` to `out`.
    ///
    /// # Errors
    /// The first byte that is malformed, with its line and column.
    pub fn push(&mut self, bytes: &[u8], out: &mut String) -> Result<(), DecodeError> {
        self.pending.extend_from_slice(bytes);
        let input = std::mem::take(&mut self.pending);
        let before = out.len();
        let result = self.decode(&input, out);
        self.advance(&out[before..]);
        match result {
            Ok(used) => {
                self.pending.extend_from_slice(&input[used..]);
                Ok(())
            }
            Err(byte) => Err(self.error(byte)),
        }
    }

    /// Ends the file.
    ///
    /// # Errors
    /// The file stops in the middle of a character.
    pub fn finish(&self) -> Result<(), DecodeError> {
        self.pending.first().map_or(Ok(()), |&byte| Err(self.error(byte)))
    }

    /// 1-based line and column of the next character.
    pub fn position(&self) -> (u32, u32) {
        (self.line, self.column)
    }

    fn error(&self, byte: u8) -> DecodeError {
        DecodeError { encoding: self.encoding, byte, line: self.line, column: self.column }
    }

    /// Decodes what is complete; gives the number of bytes used, or the malformed byte.
    fn decode(&mut self, input: &[u8], out: &mut String) -> Result<usize, u8> {
        match self.encoding {
            Encoding::Utf8 => decode_utf8(input, out),
            Encoding::Latin1 => {
                out.extend(input.iter().map(|&byte| char::from(byte)));
                Ok(input.len())
            }
            Encoding::Ascii => decode_ascii(input, out),
            Encoding::Utf16 => match input {
                [] | [_] => Ok(0),
                [0xff, 0xfe, ..] => self.settle(Encoding::Utf16Le, &input[2..], out),
                [0xfe, 0xff, ..] => self.settle(Encoding::Utf16Be, &input[2..], out),
                _ => self.settle(Encoding::Utf16Be, input, out).map(|used| used - 2),
            },
            Encoding::Utf16Le => decode_utf16(input, u16::from_le_bytes, out),
            Encoding::Utf16Be => decode_utf16(input, u16::from_be_bytes, out),
        }
    }

    /// The byte order is known now: decodes `rest`, and counts the mark (2 bytes) as used.
    fn settle(&mut self, encoding: Encoding, rest: &[u8], out: &mut String) -> Result<usize, u8> {
        self.encoding = encoding;
        self.decode(rest, out).map(|used| used + 2)
    }

    fn advance(&mut self, text: &str) {
        for character in text.chars() {
            let newline = character == '\n' || character == '\r';
            if newline && !(character == '\n' && self.after_cr) {
                self.line = self.line.saturating_add(1);
            }
            self.column = if newline { 1 } else { self.column.saturating_add(1) };
            self.after_cr = character == '\r';
        }
    }
}

fn decode_utf8(input: &[u8], out: &mut String) -> Result<usize, u8> {
    match std::str::from_utf8(input) {
        Ok(text) => {
            out.push_str(text);
            Ok(input.len())
        }
        Err(error) => {
            let valid = error.valid_up_to();
            out.push_str(std::str::from_utf8(&input[..valid]).unwrap_or_default());
            match error.error_len() {
                None => Ok(valid),
                Some(_) => Err(input[valid]),
            }
        }
    }
}

fn decode_ascii(input: &[u8], out: &mut String) -> Result<usize, u8> {
    for &byte in input {
        if !byte.is_ascii() {
            return Err(byte);
        }
        out.push(char::from(byte));
    }
    Ok(input.len())
}

fn decode_utf16(input: &[u8], unit: fn([u8; 2]) -> u16, out: &mut String) -> Result<usize, u8> {
    let units: Vec<u16> = input.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    let mut used = 0;
    for decoded in char::decode_utf16(units.iter().copied()) {
        match decoded {
            Ok(character) => {
                out.push(character);
                used += character.len_utf16();
            }
            // A first half at the very end may be completed by the next piece.
            Err(error) if used + 1 == units.len() && (0xd800..0xdc00).contains(&error.unpaired_surrogate()) => break,
            Err(_) => return Err(input[used * 2]),
        }
    }
    Ok(used * 2)
}

/// Decodes a whole file and removes one byte-order mark.
///
/// # Errors
/// The first byte that is malformed.
pub fn decode(bytes: &[u8], encoding: Encoding) -> Result<String, DecodeError> {
    let mut decoder = Decoder::new(encoding);
    let mut text = String::with_capacity(bytes.len());
    decoder.push(bytes, &mut text)?;
    decoder.finish()?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

/// Guesses as Flyway's `detectEncoding` does: a UTF-16 mark on an even length, many zero bytes at odd places, valid
/// UTF-8, else ISO-8859-1.
pub fn detect(bytes: &[u8]) -> Encoding {
    let even = bytes.len().is_multiple_of(2);
    if even && (bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff])) {
        return Encoding::Utf16;
    }
    let zeros = |from: usize| bytes.iter().skip(from).step_by(2).filter(|&&byte| byte == 0).count();
    if even && !bytes.is_empty() && zeros(1) * 4 > bytes.len() {
        return Encoding::Utf16Le;
    }
    if even && !bytes.is_empty() && zeros(0) * 4 > bytes.len() {
        return Encoding::Utf16Be;
    }
    if std::str::from_utf8(bytes).is_ok() { Encoding::Utf8 } else { Encoding::Latin1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checksum;

    #[test]
    fn malformed_bytes_are_found_by_line_and_column() {
        let error = decode(b"select 1;\r\n-- \xc3\xa9 \xff", Encoding::Utf8).expect_err("malformed");
        assert_eq!((error.line, error.column, error.byte), (2, 6, 0xff));
        assert_eq!(decode(b"a\n\xe9", Encoding::Ascii).expect_err("malformed").line, 2);
        assert!(decode(b"abc\xe2\x98", Encoding::Utf8).is_err(), "cut off");
        assert!(decode(&[0x00, 0xd8, 0x41, 0x00], Encoding::Utf16Le).is_err(), "half a pair");
        assert!(decode(&[0x41, 0x00, 0x42], Encoding::Utf16Le).is_err(), "odd length");
    }

    #[test]
    fn latin_1_and_utf_16_give_the_same_checksum_as_utf_8() {
        let text = decode(b"-- \xe9\nselect 1;\n", Encoding::Latin1).expect("latin-1");
        assert_eq!(checksum::of_text(&text), 446_599_626);
        let sql = "-- é ☃ 😀\nselect 1;\n";
        for (encoding, bytes) in [
            (Encoding::Utf16Le, sql.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            (Encoding::Utf16Be, sql.encode_utf16().flat_map(u16::to_be_bytes).collect()),
            (Encoding::Utf16, "\u{feff}".encode_utf16().chain(sql.encode_utf16()).flat_map(u16::to_le_bytes).collect()),
            (Encoding::Utf16, sql.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ] {
            assert_eq!(checksum::of_text(&decode(&bytes, encoding).expect("utf-16")), 1_067_902_040, "{encoding}");
        }
    }

    #[test]
    fn detection() {
        assert_eq!(detect("é".as_bytes()), Encoding::Utf8);
        assert_eq!(detect(b"\xe9"), Encoding::Latin1);
        assert_eq!(detect(&[0xff, 0xfe, 0x41, 0]), Encoding::Utf16);
        assert_eq!(detect(&[0x41, 0, 0x42, 0]), Encoding::Utf16Le);
    }

    proptest! {
        #[test]
        fn pieces_decode_like_the_whole(text in "[\u{feff}a-z\r\né☃😀]{0,40}", cut in 1usize..7, which in 0usize..3) {
            let encoding = [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be][which];
            let bytes: Vec<u8> = match encoding {
                Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
                Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
                _ => text.bytes().collect(),
            };
            let mut decoder = Decoder::new(encoding);
            let mut out = String::new();
            for piece in bytes.chunks(cut) {
                decoder.push(piece, &mut out).expect("valid");
            }
            decoder.finish().expect("complete");
            prop_assert_eq!(out, text);
        }
    }
}
