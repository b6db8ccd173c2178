//! PgBouncer, Debian's, in front of a server of the tests.

use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::{Server, unprivileged};

/// How long it may take to answer.
const DEADLINE: Duration = Duration::from_secs(20);

/// Runs it until standard input ends, which it does when the test process is gone. `$1` is the program, `$2` its configuration.
const KEEPER: &str = r#"
"$1" -q "$2" >/dev/null 2>&1 </dev/null &
pooler=$!
read -r _
kill -KILL $pooler 2>/dev/null
wait $pooler
"#;

/// Where Debian puts it, and who compiles it.
pub fn program() -> Option<PathBuf> {
    ["/usr/sbin/pgbouncer", "/usr/local/bin/pgbouncer"].map(PathBuf::from).into_iter().find(|path| path.is_file())
}

/// A running PgBouncer; it ends when it is dropped.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    keeper: Child,
    alive: Option<ChildStdin>,
    _directory: TempDir,
}

impl PgBouncer {
    /// Starts one on a free port of 127.0.0.1, for all databases of a server that listens on TCP. `mode` is `session`,
    /// `transaction` or `statement`; `settings` are more lines of its configuration.
    ///
    /// # Errors
    /// It is not there, or does not answer.
    pub fn start(server: &Server, mode: &str, settings: &str) -> io::Result<Self> {
        let program = program().ok_or_else(|| io::Error::other("there is no PgBouncer on this machine"))?;
        let directory = tempfile::Builder::new().prefix("trueup-test-").tempdir()?;
        unprivileged::give(directory.path())?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let (users, log) = (directory.path().join("users"), directory.path().join("log"));
        fs::write(&users, "\"postgres\" \"\"\n")?;
        let configuration = directory.path().join("pgbouncer.ini");
        // With `auth_type = any` everybody is the one user whom the server is told.
        let text = format!(
            "[databases]\n* = host=127.0.0.1 user=postgres port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = any\nauth_file = {}\nlogfile = {}\npool_mode = {mode}\n{settings}\n",
            server.port(),
            users.display(),
            log.display()
        );
        fs::write(&configuration, text)?;
        let mut keeper = unprivileged::command("/bin/sh")?
            .args(["-c", KEEPER, "keeper"])
            .arg(program)
            .arg(&configuration)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let alive = keeper.stdin.take();
        let pooler = Self { port, keeper, alive, _directory: directory };
        pooler.wait_until_it_listens(&log)?;
        Ok(pooler)
    }

    /// Where clients connect to.
    pub fn port(&self) -> u16 {
        self.port
    }

    fn wait_until_it_listens(&self, log: &std::path::Path) -> io::Result<()> {
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let log = fs::read_to_string(log).unwrap_or_default();
        Err(io::Error::other(format!("PgBouncer did not listen within {} s: {log}", DEADLINE.as_secs())))
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // Closing its standard input is what ends the keeper, and with it the pooler.
        drop(self.alive.take());
        // A keeper that is gone already cannot be waited for.
        let _ = self.keeper.wait();
    }
}
