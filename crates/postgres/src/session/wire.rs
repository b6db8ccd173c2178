//! Frames on a byte stream: written and read at the same time, and never more of a body kept than its use needs.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::endpoint::Stream;

/// Bytes of a body kept for errors, notices, rows and everything else of no fixed size; the rest is skipped unread.
const BODY_KEPT: usize = 64 * 1024;

/// Bytes asked for in one read.
const READ_SIZE: usize = 32 * 1024;

/// One message of the server, its body cut to at most [`BODY_KEPT`] bytes.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) tag: u8,
    pub(super) body: Bytes,
}

/// What came of one poll.
#[derive(Debug)]
pub(super) enum Step {
    Frame(Frame),
    /// Less than the low-water mark is waiting to be written.
    Drained,
    /// The server closed the stream.
    Closed,
}

/// A body that is being read: how much of it to keep and how much to skip still.
struct Body {
    tag: u8,
    keep: usize,
    skip: usize,
}

/// The stream with what waits to be written and what has been read.
pub(super) struct Wire {
    stream: Box<dyn Stream>,
    pub(super) out: BytesMut,
    input: BytesMut,
    body: Option<Body>,
    /// Whether row bodies are kept.
    pub(super) keep_rows: bool,
    unflushed: bool,
    write_failed: Option<io::Error>,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
}

impl Wire {
    pub(super) fn new(stream: Box<dyn Stream>) -> Self {
        Self {
            stream,
            out: BytesMut::new(),
            input: BytesMut::new(),
            body: None,
            keep_rows: false,
            unflushed: false,
            write_failed: None,
            bytes_sent: 0,
            bytes_received: 0,
        }
    }

    /// Writes what can be written and reads until there is a frame; neither waits for the other, so two full
    /// buffers cannot block each other. With `low_water`, also returns once less than that waits to be written.
    pub(super) fn poll_step(&mut self, cx: &mut Context<'_>, low_water: Option<usize>) -> Poll<io::Result<Step>> {
        self.poll_write(cx);
        loop {
            if let Some(frame) = self.next_frame()? {
                return Poll::Ready(Ok(Step::Frame(frame)));
            }
            if low_water.is_some_and(|mark| self.out.len() < mark) {
                return Poll::Ready(Ok(Step::Drained));
            }
            if ready!(self.poll_read(cx))? == 0 {
                return Poll::Ready(match self.write_failed.take() {
                    Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
                    _ => Ok(Step::Closed),
                });
            }
        }
    }

    /// A failed write is kept for later: the server's last words may still be waiting to be read.
    fn poll_write(&mut self, cx: &mut Context<'_>) {
        while !self.out.is_empty() && self.write_failed.is_none() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.out) {
                Poll::Ready(Ok(0)) => self.write_failed = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => {
                    self.out.advance(written);
                    self.bytes_sent += written as u64;
                    self.unflushed = true;
                }
                Poll::Ready(Err(error)) => self.write_failed = Some(error),
                Poll::Pending => return,
            }
        }
        if self.write_failed.is_some() {
            self.out.clear();
        } else if self.unflushed {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unflushed = false,
                Poll::Ready(Err(error)) => self.write_failed = Some(error),
                Poll::Pending => {}
            }
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let filled = self.input.len();
        self.input.resize(filled + READ_SIZE, 0);
        let mut buffer = ReadBuf::new(&mut self.input[filled..]);
        let polled = Pin::new(&mut self.stream).poll_read(cx, &mut buffer);
        let read = buffer.filled().len();
        self.input.truncate(filled + read);
        self.bytes_received += read as u64;
        match ready!(polled) {
            Ok(()) => Poll::Ready(Ok(read)),
            // A server that dies with unread bytes in its buffer resets the connection: closed, all the same.
            // So does one that ends without the goodbye of TLS; a cut message is noticed by its length.
            Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof) => {
                Poll::Ready(Ok(0))
            }
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// The next whole frame in the buffer; consumes what is to be skipped on the way.
    fn next_frame(&mut self) -> io::Result<Option<Frame>> {
        if self.body.is_none() {
            self.body = self.header()?;
        }
        let Some(body) = &mut self.body else { return Ok(None) };
        if self.input.len() < body.keep {
            return Ok(None);
        }
        // The kept part stays at the front of the buffer while what follows it is thrown away.
        let mut rest = self.input.split_off(body.keep);
        let skipped = body.skip.min(rest.len());
        rest.advance(skipped);
        body.skip -= skipped;
        if body.skip > 0 {
            return Ok(None);
        }
        let tag = body.tag;
        self.body = None;
        let body = std::mem::replace(&mut self.input, rest).freeze();
        Ok(Some(Frame { tag, body }))
    }

    fn header(&mut self) -> io::Result<Option<Body>> {
        let Some((header, _)) = self.input.split_first_chunk::<5>() else { return Ok(None) };
        let tag = header[0];
        let length = u32::from_be_bytes([header[1], header[2], header[3], header[4]]) as usize;
        let Some(length) = length.checked_sub(4) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message shorter than its own header"));
        };
        self.input.advance(5);
        let keep = length.min(self.kept(tag));
        Ok(Some(Body { tag, keep, skip: length - keep }))
    }

    fn kept(&self, tag: u8) -> usize {
        match tag {
            b'D' if self.keep_rows => BODY_KEPT,
            // Rows, row descriptions, COPY data and notifications that nobody reads.
            b'D' | b'T' | b'd' | b'A' => 0,
            _ => BODY_KEPT,
        }
    }
}
