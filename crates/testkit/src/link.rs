//! A longer way to a server: everything arrives later, in order, and at any bandwidth; and what went over it is counted.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Bytes read at a time.
const PIECE: usize = 64 << 10;

/// A proxy between clients and a server on 127.0.0.1.
///
/// The handshake of TCP itself is not delayed: the system answers it before anybody is asked. On a real way of this
/// length, each connection takes one round trip more.
#[derive(Debug)]
pub struct Link {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    over: Arc<AtomicBool>,
}

/// What clients sent without hearing anything in between: each but the first of a connection came after a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Which connection, counted from 0.
    pub connection: usize,
    /// The first byte: the kind of its first message, or 0 at the start of a connection.
    pub kind: u8,
}

#[derive(Debug, Default)]
struct Seen {
    connections: usize,
    flights: Vec<Flight>,
}

/// Bytes, and when they arrive.
type Piece = (Instant, Vec<u8>);

impl Link {
    /// Starts one before a server on `port` of 127.0.0.1; each direction takes `delay`.
    ///
    /// # Errors
    /// There is no port to be had.
    pub fn start(port: u16, delay: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let link = Self { address: listener.local_addr()?, seen: Arc::default(), over: Arc::default() };
        let (seen, over) = (Arc::clone(&link.seen), Arc::clone(&link.over));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                // A client that finds no server behind the proxy sees its connection closed, as without one.
                if let Ok(client) = client {
                    let _ = join(client, port, delay, &seen);
                }
            }
        });
        Ok(link)
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.locked().connections
    }

    /// What clients sent since this was asked last, flight by flight. With a delay, what is sent at once is one flight.
    pub fn take_flights(&self) -> Vec<Flight> {
        std::mem::take(&mut self.locked().flights)
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts; connections that are open live as long as their two ends.
        let _ = TcpStream::connect(self.address);
    }
}

/// Joins a client with the server: a reader and a writer for each direction, so that neither waits for the other.
fn join(client: TcpStream, port: u16, delay: Duration, seen: &Arc<Mutex<Seen>>) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", port))?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let connection = {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.connections += 1;
        seen.connections - 1
    };
    let answered = Arc::new(AtomicBool::new(true));
    let note = {
        let (seen, answered) = (Arc::clone(seen), Arc::clone(&answered));
        move |bytes: &[u8]| {
            if answered.swap(false, Ordering::SeqCst) {
                let flight = Flight { connection, kind: bytes[0] };
                seen.lock().unwrap_or_else(PoisonError::into_inner).flights.push(flight);
            }
        }
    };
    carry(client.try_clone()?, server.try_clone()?, delay, note, || {});
    carry(server, client, delay, |_| {}, move || answered.store(true, Ordering::SeqCst));
    Ok(())
}

fn carry(
    from: TcpStream,
    to: TcpStream,
    delay: Duration,
    read: impl Fn(&[u8]) + Send + 'static,
    arriving: impl Fn() + Send + 'static,
) {
    let (sender, receiver) = channel();
    std::thread::spawn(move || collect(from, delay, &sender, &read));
    std::thread::spawn(move || deliver(to, &receiver, &arriving));
}

fn collect(mut from: TcpStream, delay: Duration, sender: &Sender<Piece>, read: &impl Fn(&[u8])) {
    let mut bytes = vec![0; PIECE];
    // The end of the stream, an error and a receiver that is gone all end the direction.
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        read(&bytes[..length]);
        if sender.send((Instant::now() + delay, bytes[..length].to_vec())).is_err() {
            break;
        }
    }
}

fn deliver(mut to: TcpStream, receiver: &Receiver<Piece>, arriving: &impl Fn()) {
    for (due, bytes) in receiver {
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        arriving();
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    // The other side may have closed already.
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that sends back what it gets.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("port");
        let port = listener.local_addr().expect("address").port();
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let mut client = client.expect("client");
                let mut back = client.try_clone().expect("clone");
                std::thread::spawn(move || io::copy(&mut client, &mut back));
            }
        });
        port
    }

    #[test]
    fn everything_arrives_late_in_order_and_all_at_once() {
        let delay = Duration::from_millis(30);
        let link = Link::start(echo(), delay).expect("link");
        let mut client = TcpStream::connect(("127.0.0.1", link.port())).expect("connected");
        let sent: Vec<u8> = (0..8_000_000_u32).map(|number| number.to_le_bytes()[number as usize % 3]).collect();
        let start = Instant::now();
        let mut writer = client.try_clone().expect("clone");
        let copy = sent.clone();
        let writing = std::thread::spawn(move || writer.write_all(&copy));
        let mut got = vec![0; sent.len()];
        client.read_exact(&mut got).expect("echo");
        writing.join().expect("thread").expect("written");
        assert!(got == sent, "changed on the way");
        assert!(start.elapsed() >= 2 * delay, "{:?}", start.elapsed());
        // A window of 64 KiB for each round trip would take 7 s.
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }

    #[test]
    fn flights_are_counted() {
        let link = Link::start(echo(), Duration::from_millis(30)).expect("link");
        let mut client = TcpStream::connect(("127.0.0.1", link.port())).expect("connected");
        for word in ["ab", "cd"] {
            // Two writes and one wait.
            client.write_all(&word.as_bytes()[..1]).expect("written");
            client.write_all(&word.as_bytes()[1..]).expect("written");
            let mut back = [0; 2];
            client.read_exact(&mut back).expect("echo");
        }
        let kinds: Vec<u8> = link.take_flights().iter().map(|flight| flight.kind).collect();
        assert_eq!((kinds.as_slice(), link.connections()), (b"ac".as_slice(), 1));
    }
}
