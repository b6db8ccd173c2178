//! A server process that cannot outlive its owner.

use super::StartError;
use super::run_dir::RunDir;
use super::user::{RunAs, command};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::{Duration, Instant};
use tokio::process::{Child, ChildStdin};

/// Run by `/bin/sh` between us and the server. Its standard input is a pipe from us: when we end, however that
/// comes about, the pipe closes, and the shell kills the server (its child, so the pid is nobody else's) and
/// removes the directory. `PR_SET_PDEATHSIG` would do half of it, on Linux only, and not across a change of uid.
const GUARD: &str = r#"
exec 3<&0
dir=$1; log=$2; memory=$3; signal=$4; shift 4
umask 077
ulimit -c 0
ulimit -v "$memory" 2>/dev/null
"$@" </dev/null >"$log" 2>&1 3<&- &
server=$!
{ read -r _ <&3; kill -"$signal" "$server"; sleep 5; kill -KILL "$server"; } 2>/dev/null &
watch=$!
wait "$server"
status=$?
kill "$watch"
echo "$status" >"$dir/exited"
read -r _ <&3
rm -rf "$dir"
"#;

/// Data on disk (or in memory) beyond which a server is stopped, in bytes.
const LARGEST: u64 = if cfg!(test) { 256 << 20 } else { 4 << 30 };
/// Room that is left to others on the same file system, in bytes.
const FLOOR: u64 = 256 << 20;
/// Address space of one native server process, in KiB: `work_mem` is for everybody to set. A WASM engine reserves
/// far more than it uses, so it has no such limit.
pub(super) const MEMORY: &str = if cfg!(test) { "1048576" } else { "4194304" };
/// How often the room is looked at.
const WATCH_EVERY: Duration = Duration::from_millis(200);

/// A running server, its guard and its directory. Dropped: killed, and its directory removed soon after.
#[derive(Debug)]
pub(super) struct Server {
    dir: RunDir,
    child: Mutex<Child>,
    /// Closing it is what stops the server.
    leash: Mutex<Option<ChildStdin>>,
    /// Why we stopped it ourselves.
    reason: OnceLock<String>,
}

impl Server {
    /// Starts `program` in `dir` and waits until `ready` says so, or until it ended, or for `deadline`. `memory` is the
    /// limit of each process's address space as `ulimit -v` takes it.
    pub(super) async fn start(
        dir: RunDir,
        program: &Path,
        arguments: &[&OsStr],
        user: Option<RunAs>,
        memory: &str,
        deadline: Duration,
        ready: impl Fn(&RunDir) -> bool,
    ) -> Result<Arc<Self>, StartError> {
        // The bundled engine hears no other; PostgreSQL ends its backends on this one.
        let bundled = arguments.iter().any(|argument| *argument == super::BUNDLED_SUBCOMMAND);
        let signal = OsStr::new(if bundled { "KILL" } else { "QUIT" });
        let mut child = command("/bin/sh", user)
            .args(["-c", GUARD, "trueup-guard"])
            .args([dir.path().as_os_str(), dir.log().as_os_str(), memory.as_ref(), signal, program.as_os_str()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(StartError::io("cannot run", Path::new("/bin/sh")))?;
        let leash = Mutex::new(child.stdin.take());
        let server = Arc::new(Self { dir, child: Mutex::new(child), leash, reason: OnceLock::new() });
        server.wait_until(ready, deadline).await?;
        tokio::spawn(watch_room(Arc::downgrade(&server)));
        Ok(server)
    }

    async fn wait_until(&self, ready: impl Fn(&RunDir) -> bool, deadline: Duration) -> Result<(), StartError> {
        let start = Instant::now();
        while !ready(&self.dir) {
            if self.dir.path().join("exited").exists() || self.guard_ended() {
                return Err(StartError::ServerDied { log: self.dir.log_tail() });
            }
            if start.elapsed() > deadline {
                return Err(StartError::Deadline { what: "the start of the server".to_owned(), deadline });
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    fn guard_ended(&self) -> bool {
        self.child.lock().is_ok_and(|mut child| !matches!(child.try_wait(), Ok(None)))
    }

    /// Its directory.
    pub(super) fn dir(&self) -> &RunDir {
        &self.dir
    }

    /// Why it is gone: our own reason, or the end of its log.
    pub(super) fn epitaph(&self) -> String {
        match self.reason.get() {
            Some(reason) => reason.clone(),
            None => Some(self.dir.log_tail()).filter(|log| !log.is_empty()).unwrap_or("it does not answer".to_owned()),
        }
    }

    /// Lets go: the guard kills the server and removes the directory.
    pub(super) fn release(&self, reason: &str) {
        // The first reason is the true one; a later release only repeats it.
        let _ = self.reason.set(reason.to_owned());
        if let Ok(mut leash) = self.leash.lock() {
            *leash = None;
        }
    }

    /// Stops it, and waits until process and directory are gone.
    pub(super) async fn stop(&self, deadline: Duration) -> Result<(), StartError> {
        self.release("it was stopped");
        let start = Instant::now();
        while !self.guard_ended() {
            if start.elapsed() > deadline {
                return Err(StartError::Deadline { what: "the end of the server".to_owned(), deadline });
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.dir.remove().map_err(StartError::io("cannot remove", self.dir.path()))
    }
}

/// Stops a server that fills the disk: PostgreSQL has no quota, and its files may lie in memory.
async fn watch_room(server: Weak<Server>) {
    let mut largest = None;
    loop {
        tokio::time::sleep(WATCH_EVERY).await;
        let Some(server) = server.upgrade() else { return };
        let Ok(room) = fs4::available_space(server.dir.path()) else { return };
        let at_start = *largest.get_or_insert(room);
        let suspicious = at_start.saturating_sub(room) > LARGEST || room < FLOOR;
        // Others write to the same file system: look at our own files before blaming our server.
        let ours = if suspicious { server.dir.bytes() } else { 0 };
        if ours > LARGEST || (room < FLOOR && ours > FLOOR) {
            server.release(&format!("it was stopped because its databases grew to {} MiB", ours >> 20));
            return;
        }
    }
}
