//! A `trueup portal serve` that runs, and what can be asked of it without a browser.

#![allow(dead_code, reason = "each test takes what it needs")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long anything may take on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program, killed when dropped.
pub(crate) struct Served {
    child: Child,
    /// Such as `127.0.0.1:40123`.
    pub(crate) authority: String,
    printed: Arc<Mutex<String>>,
}

/// Status, headers in lower case, and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Served {
    /// Serves a project on a free port, and waits until it says where.
    pub(crate) fn start(project: &Path, arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        command.current_dir(project).env_remove("NO_COLOR").args(["portal", "serve", "--listen", "0"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
        let printed = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(child.stdout.take().unwrap()).lines(), Arc::clone(&printed));
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                kept.lock().unwrap().push_str(&(line + "\n"));
            }
        });
        let mut served = Self { child, authority: String::new(), printed };
        let text = served.printed_with("serving http://");
        let (_, rest) = text.split_once("serving http://").unwrap();
        served.authority = rest.split('/').next().unwrap().to_owned();
        served
    }

    /// What was printed, as soon as this is in it.
    pub(crate) fn printed_with(&self, words: &str) -> String {
        let started = Instant::now();
        loop {
            let printed = self.printed.lock().unwrap().clone();
            if printed.contains(words) {
                return printed;
            }
            assert!(started.elapsed() < PATIENCE, "`{words}` was not printed:\n{printed}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Sends these bytes and reads to the end.
    pub(crate) fn raw(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn ask(&self, method: &str, path: &str) -> Answer {
        self.raw(&format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.authority))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path)
    }

    /// Listens for states; the first one that comes is the present one.
    pub(crate) fn listen(&self) -> States {
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!("GET /.trueup/events HTTP/1.1\r\nHost: {}\r\n\r\n", self.authority);
        stream.write_all(request.as_bytes()).unwrap();
        States(BufReader::new(stream))
    }

    /// Sends a signal; how it ended, which has to be at once.
    pub(crate) fn end(&mut self, signal: Signal) -> ExitStatus {
        let sent = Instant::now();
        kill(Pid::from_raw(i32::try_from(self.child.id()).unwrap()), signal).unwrap();
        let status = self.child.wait().unwrap();
        assert!(sent.elapsed() < Duration::from_secs(2), "{:?}", sent.elapsed());
        status
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// States as the server tells them.
pub(crate) struct States(BufReader<TcpStream>);

impl States {
    /// The next one.
    pub(crate) fn next(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the server hung up");
            if let Some(state) = line.trim_end().strip_prefix("data: ") {
                return state.to_owned();
            }
        }
    }
}
