//! A proxy between a client and a server of PostgreSQL, which delays, holds or cuts a connection at a message.
//!
//! It reads the frames of the protocol and nothing more: what a message means is the caller's to judge.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The client.
    Client,
    /// The server.
    Server,
}

/// A message: its type, and what is in it. The messages before a login have the type 0.
#[derive(Clone, Copy, Debug)]
pub struct Message<'m> {
    /// Who sent it.
    pub from: From,
    /// `Q` for a query, `C` for the end of a command, `Z` when the server is ready, …
    pub tag: u8,
    /// What is behind the length.
    pub body: &'m [u8],
}

impl Message<'_> {
    /// Whether it is the client's query with this text in it.
    pub fn is_query(&self, text: &str) -> bool {
        self.from == From::Client && self.tag == b'Q' && self.holds(text)
    }

    /// Whether it is the server's word that a command like this one is done.
    pub fn is_done(&self, command: &str) -> bool {
        self.from == From::Server && self.tag == b'C' && self.body.starts_with(command.as_bytes())
    }

    /// Whether a text is in it.
    pub fn holds(&self, text: &str) -> bool {
        self.body.windows(text.len()).any(|window| window == text.as_bytes())
    }
}

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is passed on.
    Pass,
    /// Neither it nor anything behind it is passed on, on any connection.
    Hold,
    /// It is passed on, and nothing behind it.
    PassAndHold,
    /// All connections end.
    Cut,
    /// It is passed on, and all connections end.
    PassAndCut,
}

type Judge = Box<dyn FnMut(&Message<'_>) -> Verdict + Send>;

/// Whether nothing is passed on any more, until all connections have been cut.
#[derive(Clone, Copy, Debug, Default)]
struct Held {
    /// From the verdict on, so that no answer to the last message slips through.
    from_now: bool,
    /// Once the last message is on its way.
    for_all_to_see: bool,
}

struct Shared {
    server: SocketAddr,
    delay: Duration,
    judge: Mutex<Judge>,
    held: Mutex<Held>,
    /// How often all connections were cut.
    cuts: AtomicU64,
    changed: Condvar,
    over: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
}

/// A proxy on a free port of 127.0.0.1; its connections end with it.
pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Proxy {
    /// Between clients and a server on this port of 127.0.0.1. Every message of either waits for `delay`, half of the
    /// round-trip time that this adds; `judge` sees all messages in the order in which they are passed on.
    ///
    /// # Errors
    /// There is no free port.
    pub fn start(
        server: u16,
        delay: Duration,
        judge: impl FnMut(&Message<'_>) -> Verdict + Send + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let port = listener.local_addr()?.port();
        let shared = Arc::new(Shared {
            server: SocketAddr::from(([127, 0, 0, 1], server)),
            delay,
            judge: Mutex::new(Box::new(judge)),
            held: Mutex::new(Held::default()),
            cuts: AtomicU64::new(0),
            changed: Condvar::new(),
            over: AtomicBool::new(false),
            streams: Mutex::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.over.load(Ordering::SeqCst) {
                    break;
                }
                if let Ok(client) = client {
                    // A server that is not there is for the client to notice.
                    let _ = accepting.connect(client);
                }
            }
        });
        Ok(Self { port, shared })
    }

    /// Where clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits until a message was held; whether one was in time.
    pub fn wait_until_held(&self, within: Duration) -> bool {
        let end = Instant::now() + within;
        let mut held = locked(&self.shared.held);
        while !held.for_all_to_see {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            held = self.shared.changed.wait_timeout(held, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    /// Ends all connections, for both sides; new ones are passed on again.
    pub fn cut(&self) {
        self.shared.cut();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.shared.cut();
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn cut(&self) {
        let mut streams = locked(&self.streams);
        // First, so that who connects again at once finds nothing held, and nothing of the old connections passes.
        self.cuts.fetch_add(1, Ordering::SeqCst);
        *locked(&self.held) = Held::default();
        for stream in streams.drain(..) {
            // One that has ended already cannot be ended again.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.changed.notify_all();
    }

    fn connect(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let server = TcpStream::connect(self.server)?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let mut streams = locked(&self.streams);
        streams.extend([client.try_clone()?, server.try_clone()?]);
        let born = self.cuts.load(Ordering::SeqCst);
        drop(streams);
        let asked = Arc::new(AtomicUsize::new(0));
        let ways = [(client.try_clone()?, server.try_clone()?, From::Client), (server, client, From::Server)];
        for (source, target, from) in ways {
            let (shared, asked) = (Arc::clone(self), Arc::clone(&asked));
            std::thread::spawn(move || {
                // Either side may go at any moment.
                let _ = shared.carry((from, born), &asked, source, &target);
                let _ = target.shutdown(Shutdown::Write);
            });
        }
        Ok(())
    }

    /// Passes on what one side sends over a connection that was made after so many cuts. `asked` counts questions for
    /// encryption that have no answer yet.
    fn carry(
        &self,
        (from, born): (From, u64),
        asked: &AtomicUsize,
        mut source: TcpStream,
        target: &TcpStream,
    ) -> io::Result<()> {
        let late = self.late(target.try_clone()?);
        let mut logged_in = from == From::Server;
        loop {
            let frame = if logged_in { typed(&mut source, asked)? } else { untyped(&mut source)? };
            if !logged_in {
                // A question for encryption is followed by another message without a type.
                logged_in = frame.bytes.len() != QUESTION;
                asked.fetch_add(usize::from(!logged_in), Ordering::SeqCst);
            }
            let message = Message { from, tag: frame.tag, body: &frame.bytes[frame.body..] };
            match self.verdict(&message, born) {
                Some(Verdict::Pass) => {
                    late.send(frame.bytes);
                    continue;
                }
                Some(Verdict::Hold) => self.held_from_here(born),
                Some(Verdict::PassAndHold) => {
                    late.send(frame.bytes);
                    self.held_from_here(born);
                }
                Some(Verdict::Cut) => self.cut(),
                Some(Verdict::PassAndCut) => {
                    self.send_now(target, &frame.bytes)?;
                    self.cut();
                }
                None => self.wait_for_a_cut(born),
            }
            return Ok(());
        }
    }

    /// What happens to a message; none once something is held, and over a connection that was cut.
    fn verdict(&self, message: &Message<'_>, born: u64) -> Option<Verdict> {
        let mut judge = locked(&self.judge);
        if locked(&self.held).from_now || born != self.cuts.load(Ordering::SeqCst) {
            return None;
        }
        let verdict = judge(message);
        locked(&self.held).from_now = matches!(verdict, Verdict::Hold | Verdict::PassAndHold);
        Some(verdict)
    }

    fn held_from_here(&self, born: u64) {
        locked(&self.held).for_all_to_see = true;
        self.changed.notify_all();
        self.wait_for_a_cut(born);
    }

    fn wait_for_a_cut(&self, born: u64) {
        let mut held = locked(&self.held);
        while born == self.cuts.load(Ordering::SeqCst) {
            held = self.changed.wait_timeout(held, Duration::from_millis(50)).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn send_now(&self, mut target: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        std::thread::sleep(self.delay);
        target.write_all(bytes)
    }

    /// Passes on what it is given, each after the delay.
    fn late(&self, mut target: TcpStream) -> Late {
        if self.delay.is_zero() {
            return Late::Now(Mutex::new(target));
        }
        let (give, take) = channel::<(Instant, Vec<u8>)>();
        std::thread::spawn(move || {
            for (due, bytes) in take {
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                if target.write_all(&bytes).is_err() {
                    break;
                }
            }
        });
        Late::After(self.delay, give)
    }
}

/// A way to the target.
enum Late {
    Now(Mutex<TcpStream>),
    After(Duration, Sender<(Instant, Vec<u8>)>),
}

impl Late {
    /// A target that went away is noticed by whoever reads from it.
    fn send(&self, bytes: Vec<u8>) {
        let _ = match self {
            Self::Now(target) => locked(target).write_all(&bytes).is_ok(),
            Self::After(delay, give) => give.send((Instant::now() + *delay, bytes)).is_ok(),
        };
    }
}

struct Frame {
    tag: u8,
    /// Where what is behind the length begins.
    body: usize,
    bytes: Vec<u8>,
}

/// The longest message; a length beyond it is no length.
const LONGEST: usize = 1 << 30;

/// Bytes of a question for encryption.
const QUESTION: usize = 8;

fn typed(source: &mut TcpStream, asked: &AtomicUsize) -> io::Result<Frame> {
    let mut head = [0; 5];
    source.read_exact(&mut head[..1])?;
    // The answer to a question for encryption is a single byte; these servers know none.
    if asked.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |asked| asked.checked_sub(1)).is_ok() {
        return Ok(Frame { tag: 0, body: 1, bytes: vec![head[0]] });
    }
    source.read_exact(&mut head[1..])?;
    frame(source, &head, 1)
}

fn untyped(source: &mut TcpStream) -> io::Result<Frame> {
    let mut head = [0; 4];
    source.read_exact(&mut head)?;
    frame(source, &head, 0)
}

fn frame(source: &mut TcpStream, head: &[u8], tag: usize) -> io::Result<Frame> {
    let length = head[tag..].iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
    let rest = length.checked_sub(4).filter(|rest| *rest < LONGEST);
    let rest = rest.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no message of PostgreSQL"))?;
    let mut bytes = head.to_vec();
    bytes.resize(head.len() + rest, 0);
    source.read_exact(&mut bytes[head.len()..])?;
    Ok(Frame { tag: if tag == 1 { head[0] } else { 0 }, body: head.len(), bytes })
}
