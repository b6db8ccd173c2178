//! Commands that must not run as root.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Gid, Uid, User, chown, geteuid};

/// The user to run servers as, when we are root.
fn nobody() -> io::Result<Option<(Uid, Gid)>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user = User::from_name("nobody").map_err(io::Error::from)?;
    user.map(|user| Some((user.uid, user.gid))).ok_or_else(|| io::Error::other("there is no user called nobody"))
}

/// A command with a clean environment that runs as `nobody` when we are root, as ourselves otherwise.
pub(crate) fn command(program: impl AsRef<OsStr>) -> io::Result<Command> {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C").current_dir("/");
    if let Some((uid, gid)) = nobody()? {
        command.uid(uid.as_raw()).gid(gid.as_raw());
    }
    Ok(command)
}

/// Gives a directory to the user that servers run as.
///
/// # Errors
/// There is no such user, or the directory cannot be given.
pub fn give(path: &Path) -> io::Result<()> {
    match nobody()? {
        Some((uid, gid)) => chown(path, Some(uid), Some(gid)).map_err(io::Error::from),
        None => Ok(()),
    }
}
