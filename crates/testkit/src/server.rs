//! A throw-away server: copied from an initdb template, on a Unix socket, gone when it is dropped or we die.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{Psql, success};
use crate::{cache, postgres, unprivileged};

/// How long a server may take to answer.
const START_DEADLINE: Duration = Duration::from_secs(60);

/// Runs the server and waits for standard input to end, which it does when the test process is gone, however it
/// went; or for a line with a signal, with which the server ends and its data stays. `$1` is the program, `$2` the data directory, `$3` the directory of the socket, `$4` the port, `$5` the
/// addresses to listen on.
const KEEPER: &str = r#"
"$1" -D "$2" -k "$3" -p "$4" -c listen_addresses="$5" -c fsync=off -c full_page_writes=off \
    -c synchronous_commit=off -c autovacuum=off -c shared_buffers=32MB -c max_connections=100 -c logging_collector=off \
    >"$3/log" 2>&1 </dev/null &
server=$!
read -r signal
kill -"${signal:-QUIT}" $server 2>/dev/null
wait $server
[ -n "$signal" ] || rm -rf "$3"
"#;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// `cargo xtask fetch` was not run, or could not get it.
    #[error("there is no PostgreSQL {0} on this machine: run `cargo xtask fetch`")]
    Missing(u16),
    /// A file or process could not be handled.
    #[error("{what}")]
    Io {
        /// What was being done.
        what: String,
        /// What went wrong.
        #[source]
        source: io::Error,
    },
    /// It did not answer before the deadline.
    #[error("PostgreSQL {major} did not answer within {seconds} s: {log}")]
    Deaf {
        /// Which.
        major: u16,
        /// The deadline.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
}

fn during(what: &str) -> impl FnOnce(io::Error) -> ServerError {
    let what = what.to_owned();
    move |source| ServerError::Io { what, source }
}

/// A running server of one major.
#[derive(Debug)]
pub struct Server {
    major: u16,
    port: u16,
    addresses: &'static str,
    directory: TempDir,
    keeper: Child,
    alive: Option<ChildStdin>,
    databases: AtomicU32,
}

impl Server {
    /// Starts one. The superuser is `postgres`, without a password; the directory is closed to others.
    pub fn start(major: u16) -> Result<Self, ServerError> {
        Self::start_on(major, 5432, "")
    }

    /// Starts one that can also be reached over TCP, on a free port of 127.0.0.1: for clients without Unix sockets.
    pub fn start_with_tcp(major: u16) -> Result<Self, ServerError> {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        Self::start_on(major, free.map_err(during("looking for a free port"))?.port(), "127.0.0.1")
    }

    fn start_on(major: u16, port: u16, addresses: &'static str) -> Result<Self, ServerError> {
        let bin = postgres(major).ok_or(ServerError::Missing(major))?;
        let template = template(&bin)?;
        let directory = tempfile::Builder::new()
            .prefix("trueup-test-")
            .tempdir()
            .map_err(during("making a directory for the server"))?;
        unprivileged::give(directory.path()).map_err(during("giving the directory away"))?;
        let data = directory.path().join("data");
        copy(&template, &data)?;
        let mut keeper =
            keep(&bin, &data, directory.path(), (port, addresses)).map_err(during("starting the server"))?;
        let alive = keeper.stdin.take();
        let server = Self { major, port, addresses, directory, keeper, alive, databases: AtomicU32::new(0) };
        server.wait_until_it_answers()?;
        Ok(server)
    }

    /// Its major.
    pub fn major(&self) -> u16 {
        self.major
    }

    /// Its port, part of the socket's name too.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection string for one of its databases, as the superuser.
    pub fn conninfo(&self, database: &str) -> String {
        format!("host={} port={} user=postgres dbname={database}", self.directory.path().display(), self.port)
    }

    /// Makes an empty database, and gives the connection string for it.
    pub fn database(&self) -> io::Result<String> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        Psql::new(self.conninfo("postgres")).run(&format!("CREATE DATABASE {name}"))?;
        Ok(self.conninfo(&name))
    }

    /// Ends the server and starts it again on the same data and port: with `gently`, all sessions are ended first;
    /// without, it is as after a crash.
    ///
    /// # Errors
    /// It does not come back.
    pub fn restart(&mut self, gently: bool) -> Result<(), ServerError> {
        let signal = if gently { "INT" } else { "QUIT" };
        if let Some(mut alive) = self.alive.take() {
            writeln!(alive, "{signal}").map_err(during("ending the server"))?;
        }
        self.keeper.wait().map_err(during("ending the server"))?;
        let bin = postgres(self.major).ok_or(ServerError::Missing(self.major))?;
        let at = (self.port, self.addresses);
        let data = self.directory.path().join("data");
        self.keeper = keep(&bin, &data, self.directory.path(), at).map_err(during("starting the server"))?;
        self.alive = self.keeper.stdin.take();
        self.wait_until_it_answers()
    }

    fn wait_until_it_answers(&self) -> Result<(), ServerError> {
        let psql = Psql::new(self.conninfo("postgres"));
        let deadline = Instant::now() + START_DEADLINE;
        while Instant::now() < deadline {
            if self.directory.path().join(format!(".s.PGSQL.{}", self.port)).exists() && psql.run("SELECT 1").is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(self.directory.path().join("log")).unwrap_or_default();
        Err(ServerError::Deaf { major: self.major, seconds: START_DEADLINE.as_secs(), log })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Closing its standard input is what ends the keeper, and with it the server.
        drop(self.alive.take());
        let _ = self.keeper.wait();
    }
}

fn keep(bin: &Path, data: &Path, sockets: &Path, (port, addresses): (u16, &str)) -> io::Result<Child> {
    unprivileged::command("/bin/sh")?
        .args(["-c", KEEPER, "keeper"])
        .arg(bin.join("postgres"))
        .arg(data)
        .arg(sockets)
        .args([&port.to_string(), addresses])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// The initdb template of these binaries, made once and kept in the cache. Two test processes take turns.
fn template(bin: &Path) -> Result<PathBuf, ServerError> {
    let version =
        Command::new(bin.join("postgres")).arg("--version").output().map_err(during("asking for the version"))?;
    let version: String =
        String::from_utf8_lossy(&version.stdout).chars().filter(|c| c.is_ascii_alphanumeric() || *c == '.').collect();
    let templates = cache::root().join("template");
    fs::create_dir_all(&templates).map_err(during("making the cache"))?;
    let lock = File::create(templates.join("lock")).map_err(during("making the lock of the cache"))?;
    lock.lock().map_err(during("locking the cache"))?;
    let place = templates.join(version);
    if !place.join("complete").exists() {
        initdb(bin, &place)?;
    }
    Ok(place.join("data"))
}

fn initdb(bin: &Path, place: &Path) -> Result<(), ServerError> {
    let _ = fs::remove_dir_all(place);
    fs::create_dir_all(place).map_err(during("making the template's directory"))?;
    unprivileged::give(place).map_err(during("giving the template away"))?;
    let output = unprivileged::command(bin.join("initdb"))
        .map_err(during("preparing initdb"))?
        .args(["--no-locale", "--encoding=UTF8", "--username=postgres", "--auth=trust", "--no-sync", "-D"])
        .arg(place.join("data"))
        .output()
        .map_err(during("running initdb"))?;
    success(&output).map_err(during("running initdb"))?;
    File::create(place.join("complete")).map(drop).map_err(during("finishing the template"))
}

fn copy(template: &Path, data: &Path) -> Result<(), ServerError> {
    let mut cp = unprivileged::command("/bin/cp").map_err(during("preparing cp"))?;
    let output = cp.arg("-a").arg(template).arg(data).output().map_err(during("copying the template"))?;
    success(&output).map_err(during("copying the template"))
}
