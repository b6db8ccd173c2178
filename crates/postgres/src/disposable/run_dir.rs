//! The directory of one server: where it lies, who owns it, and the lock that says its owner lives.

use super::StartError;
use super::user::{RunAs, uid_of};
use fs4::fs_std::FileExt;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

/// Every directory of ours begins so; the sweep looks at no other.
pub(super) const PREFIX: &str = "trueup-scratch-";
/// Held locked by the trueup that owns the directory, for as long as it lives.
pub(super) const LOCK: &str = "owner.lock";
/// Memory-backed storage is used when it has at least this much room, in bytes.
const ROOM_IN_MEMORY: u64 = 1 << 30;
/// `sockaddr_un.sun_path` holds 108 bytes on Linux and 104 on macOS, with the final NUL.
const SOCKET_PATH_LIMIT: usize = 103;

/// One server's directory (mode 0700): `data`, `socket`, `server.log`, `owner.lock`.
#[derive(Debug)]
pub(super) struct RunDir {
    path: PathBuf,
    _lock: File,
}

impl RunDir {
    /// Makes an empty one, still ours; [`RunDir::give_to`] hands it to the server's user.
    pub(super) fn create(user: Option<RunAs>) -> Result<Self, StartError> {
        let base = base_for(user)?;
        let io = StartError::io("cannot create a directory in", &base);
        let ours_alone = fs::Permissions::from_mode(0o700);
        let path =
            tempfile::Builder::new().prefix(PREFIX).permissions(ours_alone).tempdir_in(&base).map_err(io)?.keep();
        let lock = lock_new(&path).map_err(StartError::io("cannot lock", &path))?;
        let dir = Self { path, _lock: lock };
        fs::create_dir(dir.socket()).map_err(StartError::io("cannot create", &dir.socket()))?;
        fs::set_permissions(dir.socket(), fs::Permissions::from_mode(0o700))
            .map_err(StartError::io("cannot protect", &dir.socket()))?;
        own(&dir.socket(), user)?;
        Ok(dir)
    }

    /// Hands the directory itself to the server's user: the last step before the server starts, so that nobody
    /// else can have put anything in while we wrote to it.
    pub(super) fn give_to(&self, user: Option<RunAs>) -> Result<(), StartError> {
        own(&self.path, user)
    }

    /// The directory.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The cluster.
    pub(super) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    /// Where the server's Unix socket is.
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join("socket")
    }

    /// What the server wrote on its standard output and error.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("server.log")
    }

    /// The last lines of the log, for an error message.
    pub(super) fn log_tail(&self) -> String {
        let text = fs::read(self.log()).unwrap_or_default();
        let start = text.len().saturating_sub(2000);
        String::from_utf8_lossy(&text[start..]).trim().to_owned()
    }

    /// Bytes on disk below the directory. What vanishes meanwhile counts nothing.
    pub(super) fn bytes(&self) -> u64 {
        bytes_below(&self.path)
    }

    /// Removes it all. What is gone already is no error.
    pub(super) fn remove(&self) -> std::io::Result<()> {
        match fs::remove_dir_all(&self.path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }
}

fn lock_new(dir: &Path) -> std::io::Result<File> {
    // Locked before it has its name: a sweep that found it in between would take its owner for dead.
    let unnamed = dir.join("owner.lock.new");
    let lock = File::create_new(&unnamed)?;
    lock.lock_exclusive()?;
    fs::rename(unnamed, dir.join(LOCK))?;
    Ok(lock)
}

/// Gives `path` to the server's user, when that is another one than ourselves.
pub(super) fn own(path: &Path, user: Option<RunAs>) -> Result<(), StartError> {
    let Some(RunAs { uid, gid }) = user else { return Ok(()) };
    chown(path, Some(uid), Some(gid)).map_err(StartError::io("cannot give to the server's user", path))
}

fn bytes_below(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    entries
        .flatten()
        .filter_map(|entry| Some((entry.path(), fs::symlink_metadata(entry.path()).ok()?)))
        .map(|(path, meta)| if meta.is_dir() { bytes_below(&path) } else { meta.blocks() * 512 })
        .sum()
}

/// The directories that may hold a [`RunDir`], best first: memory, the temporary directory, `/tmp`.
pub(super) fn bases() -> Vec<PathBuf> {
    let mut bases = vec![PathBuf::from("/dev/shm"), std::env::temp_dir(), PathBuf::from("/tmp")];
    bases.dedup();
    bases
}

fn base_for(user: Option<RunAs>) -> Result<PathBuf, StartError> {
    let fits = |base: &PathBuf| {
        let memory = base.starts_with("/dev/shm");
        (!memory || fs4::available_space(base).is_ok_and(|room| room >= ROOM_IN_MEMORY))
            && fs::metadata(base).is_ok_and(|meta| meta.is_dir())
            && reachable(base, user)
            && socket_path_length(base) <= SOCKET_PATH_LIMIT
            && tempfile::tempfile_in(base).is_ok()
    };
    bases().into_iter().find(fits).ok_or_else(|| StartError::NoPlace { tried: bases() })
}

/// `<base>/trueup-scratch-XXXXXX/socket/.s.PGSQL.5432`
fn socket_path_length(base: &Path) -> usize {
    base.as_os_str().len() + 1 + PREFIX.len() + 6 + "/socket/.s.PGSQL.5432".len()
}

/// Can the server's user walk to `base`? Ourselves: yes, or creating a file there fails.
fn reachable(base: &Path, user: Option<RunAs>) -> bool {
    user.is_none()
        || base.ancestors().all(|dir| {
            fs::metadata(dir).is_ok_and(|meta| {
                meta.permissions().mode() & 0o001 != 0 || (meta.uid() == uid_of(user) && meta.mode() & 0o100 != 0)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_directory_is_not_reachable_for_another_user() {
        let dir = tempfile::tempdir().unwrap();
        let user = Some(RunAs { uid: 65534, gid: 65534 });
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert!(!reachable(dir.path(), user) || nix::unistd::geteuid().as_raw() == 65534);
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(reachable(dir.path(), user));
    }

    #[test]
    fn the_socket_path_fits_where_we_put_it() {
        let dir = RunDir::create(None).unwrap();
        assert!(dir.socket().join(".s.PGSQL.5432").as_os_str().len() <= SOCKET_PATH_LIMIT);
        assert_eq!(fs::metadata(dir.path()).unwrap().mode() & 0o777, 0o700);
        dir.remove().unwrap();
        assert!(!dir.path().exists());
    }
}
