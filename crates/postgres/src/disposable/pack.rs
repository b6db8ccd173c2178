//! A template cluster as one file: a tar archive, what it is, and a checksum at the end.
//!
//! One file, because then it is either there or not: written beside its place and renamed into it, read without
//! a lock, and every damage shows in the checksum.

use super::StartError;
use super::user::RunAs;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

/// The last bytes of every whole file.
const MAGIC: &[u8; 8] = b"trueupT1";
/// Checksum, length of the description, magic.
const TRAILER: usize = 4 + 4 + MAGIC.len();

/// What a pack holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Description {
    /// As the binary says it: `15.18 (Debian 15.18-0+deb12u1)`.
    pub(super) version: String,
    /// The superuser's password in the template; each run sets another.
    pub(super) password: String,
}

/// A pack in memory, checked.
#[derive(Debug)]
pub(super) struct Pack {
    bytes: Vec<u8>,
    archive: usize,
    /// What it holds.
    pub(super) description: Description,
}

impl Pack {
    /// Reads and checks the file. `None`: it is missing or damaged, and has to be made again.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let bytes = fs::read(path).ok()?;
        let (rest, trailer) = bytes.split_at_checked(bytes.len().checked_sub(TRAILER)?)?;
        let sum = u32::from_le_bytes(trailer[0..4].try_into().ok()?);
        let length = u32::from_le_bytes(trailer[4..8].try_into().ok()?);
        if trailer[8..] != MAGIC[..] || crc32fast::hash(rest) != sum {
            return None;
        }
        let archive = rest.len().checked_sub(usize::try_from(length).ok()?)?;
        let description = serde_json::from_slice(&rest[archive..]).ok()?;
        Some(Self { bytes, archive, description })
    }

    /// Packs the cluster at `data` into the file `path`, atomically. `replace` gives files their content by name.
    pub(super) fn write(
        path: &Path,
        data: &Path,
        replace: &[(&str, &str)],
        description: &Description,
    ) -> Result<(), StartError> {
        let failed = |source| StartError::Io { what: "cannot write the template", path: path.to_owned(), source };
        let mut bytes = archive(data, replace).map_err(failed)?;
        let json = serde_json::to_vec(description).map_err(|error| failed(error.into()))?;
        let length = u32::try_from(json.len()).map_err(|error| failed(io::Error::other(error)))?;
        bytes.extend(json);
        let sum = crc32fast::hash(&bytes);
        bytes.extend(sum.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend(MAGIC);
        let dir = path.parent().unwrap_or(Path::new("."));
        // tempfile makes it 0600: it holds a password.
        let mut file = tempfile::NamedTempFile::new_in(dir).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Writes the cluster to the new directory `data`, owned by the server's user. Two threads, as the work is
    /// the kernel's: a thousand small files.
    pub(super) fn unpack(&self, data: &Path, user: Option<RunAs>) -> Result<(), StartError> {
        let failed = |source| StartError::Io { what: "cannot unpack the template to", path: data.to_owned(), source };
        let files = self.make_directories(data, user).map_err(failed)?;
        let (left, right) = files.split_at(files.len() / 2);
        std::thread::scope(|scope| {
            let other = scope.spawn(|| write_files(right, user));
            write_files(left, user)?;
            other.join().map_err(|_| io::Error::other("a thread that writes files panicked"))?
        })
        .map_err(failed)
    }

    /// Makes `data` and all directories below, and lists the files.
    fn make_directories(&self, data: &Path, user: Option<RunAs>) -> io::Result<Vec<(PathBuf, &[u8])>> {
        make_directory(data, user)?;
        let mut files = Vec::new();
        let archive = &self.bytes[..self.archive];
        for entry in tar::Archive::new(archive).entries()? {
            let entry = entry?;
            let path = data.join(entry.path()?);
            if entry.header().entry_type().is_dir() {
                make_directory(&path, user)?;
            } else {
                let start = usize::try_from(entry.raw_file_position()).map_err(io::Error::other)?;
                let length = usize::try_from(entry.size()).map_err(io::Error::other)?;
                let content = archive.get(start..start + length).ok_or(io::ErrorKind::UnexpectedEof)?;
                files.push((path, content));
            }
        }
        Ok(files)
    }
}

fn make_directory(path: &Path, user: Option<RunAs>) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)?;
    match user {
        Some(RunAs { uid, gid }) => std::os::unix::fs::chown(path, Some(uid), Some(gid)),
        None => Ok(()),
    }
}

fn write_files(files: &[(PathBuf, &[u8])], user: Option<RunAs>) -> io::Result<()> {
    for (path, content) in files {
        let mut file = File::options().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(content)?;
        if let Some(RunAs { uid, gid }) = user {
            fchown(&file, Some(uid), Some(gid))?;
        }
    }
    Ok(())
}

fn archive(data: &Path, replace: &[(&str, &str)]) -> io::Result<Vec<u8>> {
    let mut tar = tar::Builder::new(Vec::new());
    append(&mut tar, data, Path::new(""), replace)?;
    tar.into_inner()
}

fn append(tar: &mut tar::Builder<Vec<u8>>, data: &Path, below: &Path, replace: &[(&str, &str)]) -> io::Result<()> {
    let mut entries = fs::read_dir(data.join(below))?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = below.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            append_entry(tar, &name, tar::EntryType::Directory, &[])?;
            append(tar, data, &name, replace)?;
        } else if kind.is_file() && wanted(&name) {
            let given = replace.iter().find(|(path, _)| name == Path::new(path));
            let content = given.map_or_else(|| fs::read(entry.path()), |(_, text)| Ok(text.as_bytes().to_vec()))?;
            append_entry(tar, &name, tar::EntryType::Regular, &content)?;
        }
    }
    Ok(())
}

fn append_entry(tar: &mut tar::Builder<Vec<u8>>, name: &Path, kind: tar::EntryType, content: &[u8]) -> io::Result<()> {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o600);
    tar.append_data(&mut header, name, content)
}

/// Free space and visibility maps are hints that PostgreSQL makes again when they are missing; they are a quarter
/// of the files, and each file costs every new database.
fn wanted(name: &Path) -> bool {
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    !(name.ends_with("_fsm") || name.ends_with("_vm") || name.starts_with("postmaster."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(dir: &Path) -> (PathBuf, Description) {
        let data = dir.join("data");
        fs::create_dir_all(data.join("base/1")).unwrap();
        fs::write(data.join("base/1/1259"), vec![7_u8; 20_000]).unwrap();
        fs::write(data.join("base/1/1259_fsm"), b"free").unwrap();
        fs::write(data.join("pg_hba.conf"), b"trust").unwrap();
        let description = Description { version: "15.18".to_owned(), password: "x".to_owned() };
        let pack = dir.join("a.pack");
        Pack::write(&pack, &data, &[("pg_hba.conf", "scram")], &description).unwrap();
        (pack, description)
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let dir = tempfile::tempdir().unwrap();
        let (path, description) = sample(dir.path());
        let pack = Pack::read(&path).unwrap();
        let out = dir.path().join("out");
        pack.unpack(&out, None).unwrap();
        assert_eq!(pack.description, description);
        assert_eq!(fs::read(out.join("base/1/1259")).unwrap(), vec![7_u8; 20_000]);
        assert_eq!(fs::read(out.join("pg_hba.conf")).unwrap(), b"scram");
        assert!(!out.join("base/1/1259_fsm").exists());
    }

    #[test]
    fn every_damage_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let (path, _) = sample(dir.path());
        let whole = fs::read(&path).unwrap();
        for cut in [0, 1, TRAILER - 1, TRAILER, whole.len() / 2, whole.len() - 1] {
            fs::write(&path, &whole[..cut]).unwrap();
            assert!(Pack::read(&path).is_none(), "cut to {cut} bytes");
        }
        for at in (0..whole.len()).step_by(997).chain([whole.len() - 1, whole.len() - TRAILER]) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1;
            fs::write(&path, &bytes).unwrap();
            assert!(Pack::read(&path).is_none(), "one bit at {at}");
        }
        fs::write(&path, &whole).unwrap();
        assert!(Pack::read(&path).is_some());
    }
}
