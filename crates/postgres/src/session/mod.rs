//! A session that sends ahead: simple-query messages go out without waiting, their outcomes come back in order.
//!
//! `tokio-postgres` does the ordinary work elsewhere. Scripts run here because they need what it hides: the
//! transaction status after each message, command tags, notices in order, and answers to a `COPY` inside a script.
//! Whatever the server sends, memory stays bounded: bodies are cut, unwanted rows are skipped, notices counted.

mod cancel;
mod endpoint;
mod error;
mod outcome;
mod servers;
mod startup;
mod tls;
mod wire;

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use postgres_protocol::message::frontend;
use tokio::time::Instant;

pub use cancel::CancelHandle;
pub use endpoint::{Endpoint, Host, Tcp};
pub use error::SessionError;
pub use outcome::{NOTICES_KEPT, Outcome, ROWS_KEPT, Row, ServerError, TransactionStatus};
pub use servers::{NoServer, Servers, Target, Unfit};
pub use tls::{ChannelBinding, ClientCertificate, Protection, Roots, SslMode, Tls, TlsError};
pub use trueup_model::secret::Secret;

use endpoint::Opened;
use startup::unexpected;
use tls::Way;
use wire::{Frame, Step, Wire};

/// How much may be under way at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Messages sent and not answered. Each message behind a failed one costs a line in the server's log.
    pub messages: usize,
    /// Bytes queued and not yet taken by the operating system. One message may exceed it.
    pub bytes: usize,
}

impl Default for Window {
    fn default() -> Self {
        Self { messages: 64, bytes: 1 << 20 }
    }
}

/// What a session has sent and received so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Simple-query messages sent.
    pub messages: u64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Times a message was sent with nothing in flight: each is one wait for the network.
    pub round_trips: u64,
}

/// What came first of what [`Session::progress`] waits for.
#[derive(Debug)]
pub enum Progress {
    /// The outcome of the oldest message in flight.
    Outcome(Box<Outcome>),
    /// There is room to send more.
    Room,
}

/// A message in flight.
struct Sent {
    copy_announced: bool,
    rows_wanted: usize,
}

/// One connection to a server.
pub struct Session {
    endpoint: Endpoint,
    wire: Wire,
    window: Window,
    in_flight: VecDeque<Sent>,
    building: Outcome,
    since: Instant,
    status: TransactionStatus,
    backend_key: (i32, i32),
    parameters: BTreeMap<String, String>,
    counters: Counters,
    deadline: Option<Instant>,
    protection: Protection,
}

impl Session {
    /// Connects and logs in, within the endpoint's `connect_timeout`.
    ///
    /// Where the endpoint's mode allows both, TLS and a connection without it are tried in the mode's order.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self, SessionError> {
        let deadline = Instant::now() + endpoint.connect_timeout;
        let (first, others) = endpoint.ways().split_first().unwrap_or((&Way::Plain, &[]));
        let (mut tried, mut result) = Self::try_way(endpoint, *first, deadline).await;
        for way in others {
            match &result {
                // The same again would end the same.
                Err(error) if another_may_do(error) && is_tls(*way) != (tried != Protection::None) => {
                    (tried, result) = Self::try_way(endpoint, *way, deadline).await;
                }
                _ => break,
            }
        }
        result
    }

    /// One try, and what protected it as far as it came.
    async fn try_way(endpoint: &Endpoint, way: Way, deadline: Instant) -> (Protection, Result<Self, SessionError>) {
        let opened = match endpoint.open(way, deadline).await {
            Ok(opened) => opened,
            Err(error) => {
                let tried = if is_tls(way) { Protection::Encrypted } else { Protection::None };
                return (tried, Err(error));
            }
        };
        (opened.protection, Self::on(endpoint, opened, deadline).await)
    }

    async fn on(endpoint: &Endpoint, opened: Opened, deadline: Instant) -> Result<Self, SessionError> {
        let mut session = Self {
            endpoint: endpoint.clone(),
            wire: Wire::new(opened.stream),
            window: Window::default(),
            in_flight: VecDeque::new(),
            building: Outcome::empty(),
            since: Instant::now(),
            status: TransactionStatus::Idle,
            backend_key: (0, 0),
            parameters: BTreeMap::new(),
            counters: Counters::default(),
            deadline: Some(deadline),
            protection: opened.protection,
        };
        session.log_in(opened.certificate.as_deref()).await?;
        session.deadline = None;
        Ok(session)
    }

    /// Where it is connected to.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// What protects the connection.
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// Replaces the window; takes effect with the next message.
    pub fn set_window(&mut self, window: Window) {
        self.window = window;
    }

    /// Nothing waits beyond this moment; waits then end with [`SessionError::Deadline`] and the session stays usable.
    pub fn set_deadline(&mut self, deadline: Option<Instant>) {
        self.deadline = deadline;
    }

    /// The server process that serves this session.
    pub fn pid(&self) -> i32 {
        self.backend_key.0
    }

    /// The value the server last reported for a setting, such as `server_encoding` or `is_superuser`.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The transaction status after the last outcome.
    pub fn status(&self) -> TransactionStatus {
        self.status
    }

    /// What was sent and received so far.
    pub fn counters(&self) -> Counters {
        Counters { bytes_sent: self.wire.bytes_sent, bytes_received: self.wire.bytes_received, ..self.counters }
    }

    /// How many messages have no outcome yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// What has come of the message being answered, for when the connection ends in the middle of it.
    pub fn unfinished(&self) -> &Outcome {
        &self.building
    }

    /// Whether another message may be queued now: always when nothing is in flight, since what is still queued then is
    /// the data of a COPY that the server has given up, and nothing else would ever make room.
    pub fn has_room(&self) -> bool {
        self.in_flight.is_empty() || (self.in_flight.len() < self.window.messages && self.has_room_for_bytes())
    }

    /// Whether COPY data may be queued now, however many messages are in flight.
    pub fn has_room_for_bytes(&self) -> bool {
        self.wire.out.is_empty() || self.wire.out.len() < self.window.bytes / 2
    }

    /// Queues a message; it goes out while outcomes are awaited. Rows it returns are dropped.
    ///
    /// # Errors
    /// [`SessionError::WindowFull`] without [`Session::has_room`], [`SessionError::Nul`] for text with a NUL byte.
    pub fn send_simple(&mut self, sql: &str) -> Result<(), SessionError> {
        self.send(&[sql], Sent { copy_announced: false, rows_wanted: 0 })
    }

    /// As [`Session::send_simple`], keeping the rows (in text format, bounded).
    pub fn send_for_rows(&mut self, sql: &str) -> Result<(), SessionError> {
        self.send(&[sql], Sent { copy_announced: false, rows_wanted: ROWS_KEPT })
    }

    /// Queues one message made of several texts put together, keeping the first `rows_wanted` rows of it all.
    pub fn send_joined(&mut self, texts: &[&str], rows_wanted: usize) -> Result<(), SessionError> {
        self.send(texts, Sent { copy_announced: false, rows_wanted })
    }

    /// Queues a message with exactly one `COPY … FROM STDIN` in it, whose data follows in
    /// [`Session::send_copy_data`] and [`Session::finish_copy`], also without waiting: a server whose `COPY` failed
    /// ignores the data. The first row of the message is kept.
    pub fn send_copy(&mut self, texts: &[&str]) -> Result<(), SessionError> {
        self.send(texts, Sent { copy_announced: true, rows_wanted: 1 })
    }

    /// Queues COPY data, raw as it stands in the file; keep pieces small and wait for room between them.
    pub fn send_copy_data(&mut self, data: &[u8]) -> Result<(), SessionError> {
        frontend::CopyData::new(data)?.write(&mut self.wire.out);
        Ok(())
    }

    /// Ends the data of one COPY.
    pub fn finish_copy(&mut self) {
        frontend::copy_done(&mut self.wire.out);
    }

    fn send(&mut self, texts: &[&str], sent: Sent) -> Result<(), SessionError> {
        if !self.has_room() {
            return Err(SessionError::WindowFull);
        }
        check_nul(texts)?;
        let length = texts.iter().map(|text| text.len()).sum::<usize>() + 5;
        let length = u32::try_from(length).ok().filter(|length| *length < 1 << 30);
        let length = length.ok_or_else(|| SessionError::Protocol("a message over 1 GiB".to_owned()))?;
        self.wire.out.put_u8(b'Q');
        self.wire.out.put_u32(length);
        texts.iter().for_each(|text| self.wire.out.put_slice(text.as_bytes()));
        self.wire.out.put_u8(0);
        self.counters.messages += 1;
        if self.in_flight.is_empty() {
            self.counters.round_trips += 1;
            self.since = Instant::now();
            self.wire.keep_rows = sent.rows_wanted > 0;
        }
        self.in_flight.push_back(sent);
        Ok(())
    }

    /// Waits for the outcome of the oldest message in flight; what is queued goes out meanwhile.
    pub async fn next_outcome(&mut self) -> Result<Outcome, SessionError> {
        if self.in_flight.is_empty() {
            return Err(SessionError::NothingInFlight);
        }
        loop {
            if let Some(outcome) = self.take(None).await? {
                return Ok(outcome);
            }
        }
    }

    /// Waits for an outcome or for room for more bytes, whichever comes first.
    ///
    /// # Errors
    /// [`SessionError::NothingInFlight`] when there is neither anything in flight nor anything to write.
    pub async fn progress(&mut self) -> Result<Progress, SessionError> {
        if self.in_flight.is_empty() && self.wire.out.is_empty() {
            return Err(SessionError::NothingInFlight);
        }
        let low_water = (!self.has_room_for_bytes()).then_some(self.window.bytes / 2);
        loop {
            if let Some(outcome) = self.take(low_water).await? {
                return Ok(Progress::Outcome(Box::new(outcome)));
            }
            if low_water.is_some() && self.has_room_for_bytes() {
                return Ok(Progress::Room);
            }
        }
    }

    /// Sends one message and waits for its outcome, rows included.
    pub async fn query(&mut self, sql: &str) -> Result<Outcome, SessionError> {
        self.send_for_rows(sql)?;
        self.next_outcome().await
    }

    /// A handle that cancels what this session runs.
    pub fn cancel_handle(&self) -> CancelHandle {
        let way = if self.protection == Protection::None { Way::Plain } else { Way::Tls };
        CancelHandle { endpoint: self.endpoint.clone(), backend_key: self.backend_key, way }
    }

    /// Cancels what is running and repeats it until nothing is in flight, at most for `within`.
    ///
    /// Gives the outcomes of everything that was in flight, oldest first.
    pub async fn cancel(&mut self, within: Duration) -> Result<Vec<Outcome>, SessionError> {
        let end = Instant::now() + within;
        let handle = self.cancel_handle();
        let mut outcomes = Vec::new();
        while !self.in_flight.is_empty() {
            if Instant::now() >= end {
                return Err(SessionError::Deadline);
            }
            handle.cancel().await?;
            self.deadline = Some(end.min(Instant::now() + CANCEL_AGAIN));
            while !self.in_flight.is_empty() {
                match self.next_outcome().await {
                    Ok(outcome) => outcomes.push(outcome),
                    Err(SessionError::Deadline) => break,
                    Err(other) => return Err(other),
                }
            }
        }
        self.deadline = None;
        Ok(outcomes)
    }

    /// Says goodbye; whatever is in flight is given up.
    pub async fn close(mut self) {
        frontend::terminate(&mut self.wire.out);
        self.deadline = Some(Instant::now() + Duration::from_secs(1));
        // Nothing is left to be done about a goodbye that does not arrive.
        while self.step(None).await.is_ok_and(|step| !matches!(step, Step::Closed)) {}
    }

    /// Sends a last message, waits for its answer and no longer: the server's process ends in its own time.
    pub async fn leave_behind(mut self, last: &str) {
        if self.send(&[last], Sent { copy_announced: false, rows_wanted: 1 }).is_err() {
            return self.close().await;
        }
        frontend::terminate(&mut self.wire.out);
        self.deadline = Some(Instant::now() + Duration::from_secs(1));
        // Nothing is left to be done about a goodbye that does not arrive.
        drop(self.next_outcome().await);
    }

    /// Handles one step; gives the outcome when the step completed one.
    async fn take(&mut self, low_water: Option<usize>) -> Result<Option<Outcome>, SessionError> {
        match self.step(low_water).await? {
            Step::Frame(frame) => self.receive(frame),
            Step::Drained => Ok(None),
            Step::Closed => Err(SessionError::Closed(self.building.error.clone().map(Box::new))),
        }
    }

    async fn step(&mut self, low_water: Option<usize>) -> Result<Step, SessionError> {
        let silence = self.endpoint.silence;
        let silent = silence.map(|silence| Instant::now() + silence);
        let step = poll_fn(|cx| self.wire.poll_step(cx, low_water));
        let (end, error) = match (self.deadline, silent.zip(silence)) {
            (None, None) => return Ok(step.await?),
            (Some(deadline), Some((silent, silence))) if silent < deadline => (silent, SessionError::Silent(silence)),
            (Some(deadline), _) => (deadline, SessionError::Deadline),
            (None, Some((silent, silence))) => (silent, SessionError::Silent(silence)),
        };
        match tokio::time::timeout_at(end, step).await {
            Ok(step) => Ok(step?),
            Err(_) => Err(error),
        }
    }

    async fn next_frame(&mut self) -> Result<Frame, SessionError> {
        match self.step(None).await? {
            Step::Frame(frame) => Ok(frame),
            Step::Drained | Step::Closed => Err(SessionError::Closed(None)),
        }
    }

    fn receive(&mut self, Frame { tag, mut body }: Frame) -> Result<Option<Outcome>, SessionError> {
        match tag {
            b'C' => self.building.tags.push(text_before_nul(&body)),
            b'I' => self.building.tags.push(String::new()),
            b'D' => self.receive_row(&mut body),
            b'E' => self.note_error(ServerError::from_body(&body)),
            b'N' => self.building.push_notice(&body),
            b'S' => self.note_parameter(&body),
            b'G' => self.answer_copy_in()?,
            // Row descriptions, COPY OUT and its data, notifications.
            b'T' | b'H' | b'd' | b'c' | b'A' => {}
            b'Z' => {
                self.note_status(&body)?;
                return self.complete().map(Some);
            }
            _ => return Err(unexpected(tag, "running a script")),
        }
        Ok(None)
    }

    fn receive_row(&mut self, body: &mut Bytes) {
        let wanted = self.in_flight.front().map_or(0, |sent| sent.rows_wanted);
        if self.building.rows.len() < wanted {
            self.building.rows.push(read_row(body));
        }
        self.wire.keep_rows = self.building.rows.len() < wanted;
    }

    fn note_error(&mut self, error: ServerError) {
        // A dying server may add a FATAL to the ERROR: the first says what the statement did.
        self.building.error.get_or_insert(error);
    }

    /// A COPY that was announced has its data under way already; any other is refused.
    fn answer_copy_in(&mut self) -> Result<(), SessionError> {
        let Some(front) = self.in_flight.front_mut() else {
            return Err(unexpected(b'G', "nothing is in flight"));
        };
        if std::mem::take(&mut front.copy_announced) {
            return Ok(());
        }
        self.building.unexpected_copy = true;
        Ok(frontend::copy_fail("no data was found for this COPY", &mut self.wire.out)?)
    }

    fn note_status(&mut self, body: &Bytes) -> Result<(), SessionError> {
        let status = body.first().copied().and_then(TransactionStatus::from_byte);
        self.status = status.ok_or_else(|| SessionError::Protocol("an unknown transaction status".to_owned()))?;
        Ok(())
    }

    fn note_parameter(&mut self, body: &[u8]) {
        let mut parts = body.split(|&byte| byte == 0);
        if let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
            self.parameters.insert(text(name), text(value));
        }
    }

    fn complete(&mut self) -> Result<Outcome, SessionError> {
        if self.in_flight.pop_front().is_none() {
            return Err(unexpected(b'Z', "nothing is in flight"));
        }
        self.wire.keep_rows = self.in_flight.front().is_some_and(|sent| sent.rows_wanted > 0);
        let now = Instant::now();
        let mut outcome = std::mem::replace(&mut self.building, Outcome::empty());
        outcome.status = self.status;
        outcome.elapsed = now.duration_since(self.since);
        self.since = now;
        Ok(outcome)
    }
}

fn is_tls(way: Way) -> bool {
    way != Way::Plain
}

/// Whether the server may do with TLS what it did not without, or the other way round. A wrong password is wrong in
/// both, and is not said twice.
fn another_may_do(error: &SessionError) -> bool {
    match error {
        SessionError::Refused(error) => error.sqlstate == "28000",
        SessionError::Tls(_) | SessionError::ClearPassword => true,
        _ => false,
    }
}

/// How long to wait for a cancel to show before sending another.
const CANCEL_AGAIN: Duration = Duration::from_millis(50);

impl Outcome {
    fn empty() -> Self {
        Self {
            rows: Vec::new(),
            tags: Vec::new(),
            error: None,
            notices: Vec::new(),
            notice_count: 0,
            unexpected_copy: false,
            status: TransactionStatus::Idle,
            elapsed: Duration::ZERO,
        }
    }

    fn push_notice(&mut self, body: &Bytes) {
        self.notice_count += 1;
        if self.notices.len() < NOTICES_KEPT {
            self.notices.push(ServerError::from_body(body));
        }
    }
}

/// The columns of a `DataRow`; a row that was cut short loses its last columns.
fn read_row(body: &mut Bytes) -> Row {
    let columns = if body.len() >= 2 { body.get_u16() } else { 0 };
    let mut row = Row::new();
    for _ in 0..columns {
        if body.len() < 4 {
            break;
        }
        let length = body.get_i32();
        row.push(usize::try_from(length).ok().map(|length| {
            let value = body.split_to(length.min(body.len()));
            String::from_utf8_lossy(&value).into_owned()
        }));
    }
    row
}

fn text_before_nul(body: &[u8]) -> String {
    let end = body.iter().position(|&byte| byte == 0).unwrap_or(body.len());
    String::from_utf8_lossy(&body[..end]).into_owned()
}

fn check_nul(texts: &[&str]) -> Result<(), SessionError> {
    let mut before = 0;
    for text in texts {
        if let Some(at) = text.bytes().position(|byte| byte == 0) {
            return Err(SessionError::Nul(before + at));
        }
        before += text.len();
    }
    Ok(())
}
