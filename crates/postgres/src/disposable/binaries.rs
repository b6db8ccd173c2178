//! Finding the PostgreSQL server binaries of this machine, and choosing among them.

use super::StartError;
use super::user::{RunAs, command};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The oldest major that is supported.
const OLDEST: u16 = 13;

/// `initdb` and `postgres` of one version, symbolic links resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    /// The `initdb` binary.
    pub(super) initdb: PathBuf,
    /// The `postgres` binary.
    pub(super) postgres: PathBuf,
    /// `15.18 (Debian 15.18-0+deb12u1)`.
    pub(super) version: String,
    /// 15.
    pub(super) major: u16,
}

/// The binaries to use, and a sentence that says how they were chosen.
pub(super) async fn choose(
    given: Option<&Path>,
    prefer_major: Option<u16>,
    cache_dir: &Path,
    user: Option<RunAs>,
    deadline: Duration,
) -> Result<(Binaries, String), StartError> {
    let prober = Prober { cache_dir, user, deadline };
    if let Some(dir) = given {
        let binaries = prober.probe(dir).await?;
        return Ok((binaries, format!("{} was given", dir.display())));
    }
    let searched = places();
    let (found, failures) = prober.probe_all(&searched).await;
    let Some(best) = best(&found, prefer_major) else {
        return Err(failures.into_iter().next().unwrap_or(StartError::NoEngine { searched }));
    };
    let why = why(best, &found, prefer_major);
    Ok((best.clone(), why))
}

/// The preferred major, or the nearest newer one, or the newest there is; the first found of several.
fn best(found: &[Binaries], prefer_major: Option<u16>) -> Option<&Binaries> {
    let wanted = prefer_major.unwrap_or(u16::MAX);
    found
        .iter()
        .enumerate()
        .min_by_key(|(at, it)| (it.major < wanted, it.major.abs_diff(wanted), *at))
        .map(|(_, it)| it)
}

fn why(best: &Binaries, found: &[Binaries], prefer_major: Option<u16>) -> String {
    let place = best.postgres.parent().unwrap_or(Path::new("/")).display();
    let majors: BTreeSet<u16> = found.iter().map(|it| it.major).collect();
    match prefer_major {
        Some(major) if major == best.major => format!("{place} has the preferred major {major}"),
        Some(major) => format!("{place} is the nearest to the preferred major {major}, which is not installed"),
        None if majors.len() > 1 => format!("{place} is the newest of the {} majors installed", majors.len()),
        None => format!("{place} is installed"),
    }
}

/// Directories that may hold the binaries, in order: PATH, then where packages put them, newest first.
fn places() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    places.extend(versioned("/usr/lib/postgresql", "", "bin"));
    places.extend(versioned("/usr/libexec", "postgresql", ""));
    places.extend(versioned("/usr", "pgsql-", "bin"));
    places.extend(versioned("/opt/homebrew/opt", "postgresql@", "bin"));
    places.extend(versioned("/usr/local/opt", "postgresql@", "bin"));
    places.extend(versioned("/Applications/Postgres.app/Contents/Versions", "", "bin"));
    places.extend(["/opt/homebrew/bin", "/usr/local/bin", "/usr/local/pgsql/bin", "/usr/bin"].map(PathBuf::from));
    let mut seen = BTreeSet::new();
    places.retain(|dir| seen.insert(dir.clone()));
    places
}

/// `<parent>/<prefix><number>/<below>`, highest number first.
fn versioned(parent: &str, prefix: &str, below: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let number = |entry: &fs::DirEntry| entry.file_name().to_str()?.strip_prefix(prefix)?.parse::<u16>().ok();
    let mut found: Vec<_> = entries.flatten().filter_map(|entry| Some((number(&entry)?, entry.path()))).collect();
    found.sort_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path.join(below)).collect()
}

/// Asks binaries for their version, and remembers the answer as long as the file stays the same.
struct Prober<'a> {
    cache_dir: &'a Path,
    user: Option<RunAs>,
    deadline: Duration,
}

impl Prober<'_> {
    async fn probe_all(&self, places: &[PathBuf]) -> (Vec<Binaries>, Vec<StartError>) {
        let (mut found, mut failures): (Vec<Binaries>, Vec<_>) = (Vec::new(), Vec::new());
        for dir in places.iter().filter(|dir| dir.join("initdb").is_file() && dir.join("postgres").is_file()) {
            match self.probe(dir).await {
                Ok(binaries) if found.contains(&binaries) => {}
                Ok(binaries) => found.push(binaries),
                Err(error) => failures.push(error),
            }
        }
        (found, failures)
    }

    /// The binaries in `dir`; an error when one is missing or does not run as the server's user.
    async fn probe(&self, dir: &Path) -> Result<Binaries, StartError> {
        let resolve = |name: &str| {
            let path = dir.join(name);
            path.canonicalize().map_err(StartError::io("cannot use", &path))
        };
        let (initdb, postgres) = (resolve("initdb")?, resolve("postgres")?);
        let version = self.version(&postgres).await?;
        let major = major(&version)
            .ok_or_else(|| StartError::Binary { path: postgres.clone(), reason: format!("version `{version}`?") })?;
        if major < OLDEST {
            return Err(StartError::TooOld { path: postgres, major });
        }
        Ok(Binaries { initdb, postgres, version, major })
    }

    async fn version(&self, postgres: &Path) -> Result<String, StartError> {
        let remembered = self.cache_dir.join("versions").join(identity(postgres)?);
        if let Ok(version) = fs::read_to_string(&remembered)
            && major(&version).is_some()
        {
            return Ok(version);
        }
        let version = self.ask(postgres).await?;
        // Only a shortcut: without it the next run asks again.
        let _ = remember(&remembered, &version);
        Ok(version)
    }

    async fn ask(&self, postgres: &Path) -> Result<String, StartError> {
        let failed = |reason: String| StartError::Binary { path: postgres.to_owned(), reason };
        let run = command(postgres, self.user).arg("--version").kill_on_drop(true).output();
        let output = tokio::time::timeout(self.deadline, run)
            .await
            .map_err(|_| failed(format!("`--version` gave no answer in {} s", self.deadline.as_secs_f32())))?
            .map_err(|error| failed(self.not_executable(&error)))?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match text.strip_prefix("postgres (PostgreSQL) ") {
            Some(version) if output.status.success() => Ok(version.to_owned()),
            _ => Err(failed(format!("{text} {}", String::from_utf8_lossy(&output.stderr).trim()).trim().to_owned())),
        }
    }

    fn not_executable(&self, error: &std::io::Error) -> String {
        match self.user {
            Some(RunAs { uid, .. }) => format!("it cannot be run as user id {uid} (PostgreSQL refuses root): {error}"),
            None => error.to_string(),
        }
    }
}

fn remember(file: &Path, version: &str) -> std::io::Result<()> {
    let dir = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    let staged = tempfile::NamedTempFile::new_in(dir)?;
    fs::write(staged.path(), version)?;
    staged.persist(file).map_err(|error| error.error).map(drop)
}

/// Names one build of a binary: changes when the file at `path` is replaced.
pub(super) fn identity(path: &Path) -> Result<String, StartError> {
    let meta = fs::metadata(path).map_err(StartError::io("cannot use", path))?;
    let text = format!("{}|{}|{}|{}|{}", path.display(), meta.len(), meta.mtime(), meta.mtime_nsec(), meta.ino());
    Ok(blake3::hash(text.as_bytes()).to_hex()[..32].to_owned())
}

/// `15.18 (Debian …)`, `18beta1` -> 15, 18.
pub(super) fn major(version: &str) -> Option<u16> {
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(major: u16) -> Binaries {
        let path = PathBuf::from(format!("/{major}/postgres"));
        Binaries { initdb: path.clone(), postgres: path, version: format!("{major}.1"), major }
    }

    #[test]
    fn the_preferred_major_or_the_nearest_newer_or_the_newest() {
        let found = [of(14), of(17), of(15)];
        let pick = |wanted| best(&found, wanted).map(|it| it.major);
        assert_eq!(pick(Some(15)), Some(15));
        assert_eq!(pick(Some(16)), Some(17));
        assert_eq!(pick(Some(18)), Some(17));
        assert_eq!(pick(Some(13)), Some(14));
        assert_eq!(pick(None), Some(17));
        assert_eq!(best(&[], None), None);
    }

    #[test]
    fn majors() {
        assert_eq!(major("15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("18beta1"), Some(18));
        assert_eq!(major("devel"), None);
    }
}
