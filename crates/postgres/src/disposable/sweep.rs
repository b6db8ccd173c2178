//! Clearing away what killed runs left behind: servers first, then their directories.

use super::run_dir::{LOCK, PREFIX, bases};
use fs4::fs_std::FileExt;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A directory without a lock file is being made, unless it is as old as this.
const YOUNG: Duration = Duration::from_secs(60);

/// Removes every directory of ours whose owner is dead, and its server if that still runs. `uid` is whom our
/// servers run as. Best effort: what cannot be removed now is left to the next run.
pub(super) fn sweep(uid: u32) {
    for base in bases() {
        let Ok(entries) = fs::read_dir(&base) else { continue };
        for entry in entries.flatten().filter(|it| it.file_name().to_string_lossy().starts_with(PREFIX)) {
            sweep_one(&entry.path(), uid);
        }
    }
}

fn sweep_one(dir: &Path, uid: u32) {
    let ours = |meta: &fs::Metadata| meta.is_dir() && [uid, nix::unistd::geteuid().as_raw()].contains(&meta.uid());
    if !fs::symlink_metadata(dir).is_ok_and(|meta| ours(&meta)) {
        return;
    }
    // Held until we return: two sweeps at once do not meet in one directory.
    let Some(_lock) = abandoned(dir) else { return };
    if end_server(dir) {
        // What is left is the next sweep's.
        let _ = fs::remove_dir_all(dir);
    }
}

/// The lock of a directory whose owner is dead. `None`: he lives, or is just making it.
fn abandoned(dir: &Path) -> Option<Option<File>> {
    match File::options().write(true).open(dir.join(LOCK)) {
        Ok(lock) => lock.try_lock_exclusive().unwrap_or(false).then_some(Some(lock)),
        Err(_) => {
            let made = fs::symlink_metadata(dir).ok()?.modified().ok()?;
            (SystemTime::now().duration_since(made).ok()? > YOUNG).then_some(None)
        }
    }
}

/// Kills the server of `dir` if it is provably that. True when none runs any more.
fn end_server(dir: &Path) -> bool {
    let data = dir.join("data");
    let Some(pid) = server_pid(&data) else { return true };
    for signal in [Signal::SIGQUIT, Signal::SIGKILL] {
        if !works_in(pid, &data) {
            return true;
        }
        // It may have ended in between: the check above is repeated.
        let _ = kill(Pid::from_raw(pid), signal);
        wait_for_end(pid, &data);
    }
    !works_in(pid, &data)
}

fn server_pid(data: &Path) -> Option<i32> {
    let text = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    text.lines().next()?.trim().parse().ok().filter(|pid| *pid > 1)
}

fn wait_for_end(pid: i32, data: &Path) {
    for _ in 0..100 {
        if !works_in(pid, data) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Is `pid` a process whose working directory is `data`? `postgres` goes there, and nobody else has a reason to.
#[cfg(target_os = "linux")]
fn works_in(pid: i32, data: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data)
}

/// Is `pid` a process that was started with `data` among its arguments?
#[cfg(not(target_os = "linux"))]
fn works_in(pid: i32, data: &Path) -> bool {
    let output = std::process::Command::new("/bin/ps").args(["-o", "command=", "-p", &pid.to_string()]).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&data.display().to_string()))
}
