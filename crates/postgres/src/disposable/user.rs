//! Who the server runs as. PostgreSQL refuses to run as root, so root lends it somebody unprivileged.

use super::StartError;
use nix::unistd::{User, geteuid};
use tokio::process::Command;

/// A user and group to run a child process as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunAs {
    /// User id, never 0.
    pub(super) uid: u32,
    /// Primary group id.
    pub(super) gid: u32,
}

/// Users that own nothing worth stealing. `postgres` is missing on purpose: it may own a real server's data.
const UNPRIVILEGED: [&str; 3] = ["nobody", "daemon", "bin"];

/// Whom the server runs as: `None` = as ourselves.
///
/// The user must be listed in the user database: `postgres` runs without, `initdb` does not.
pub(super) fn server_user() -> Result<Option<RunAs>, StartError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    UNPRIVILEGED
        .iter()
        .filter_map(|name| User::from_name(name).ok().flatten())
        .find(|user| !user.uid.is_root())
        .map(|user| Some(RunAs { uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
        .ok_or(StartError::NoUnprivilegedUser)
}

/// The user id that the server's files and processes have.
pub(super) fn uid_of(user: Option<RunAs>) -> u32 {
    user.map_or_else(|| geteuid().as_raw(), |user| user.uid)
}

/// A command of the server's: its user, and nothing of our environment, which may hold secrets.
pub(super) fn command(program: impl AsRef<std::ffi::OsStr>, user: Option<RunAs>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").env("PATH", "/usr/bin:/bin").current_dir("/");
    if let Some(RunAs { uid, gid }) = user {
        // The standard library also empties the supplementary groups when root sets a uid.
        command.uid(uid).gid(gid);
    }
    // A group of its own: Ctrl-C in the terminal is for trueup, which stops the server in order.
    command.process_group(0);
    command
}
