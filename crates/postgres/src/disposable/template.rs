//! The template cluster: made once per build of the binaries and per settings, kept in the cache.

use super::StartError;
use super::binaries::{Binaries, identity};
use super::pack::{Description, Pack};
use super::run_dir::RunDir;
use super::secret::{self, scram_verifier};
use super::settings::{HBA, settings};
use super::user::{RunAs, command};
use fs4::fs_std::FileExt;
use std::fs::{self, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use trueup_model::secret::Secret;

/// Changes whenever the way of making a template does, so that old ones are not used.
const FORMAT: &str = "1";
/// Locale of the template. Production servers are UTF-8; C.UTF-8 knows every character's case and class, sorts
/// alike everywhere, and is part of glibc, musl and macOS, unlike en_US.UTF-8.
const LOCALE: &str = "C.UTF-8";

/// The template for `binaries`, made if it is missing or damaged. Any number of processes may ask at once.
pub(super) async fn obtain(
    binaries: &Binaries,
    cache_dir: &Path,
    user: Option<RunAs>,
    deadline: Duration,
) -> Result<Pack, StartError> {
    let path = path(binaries, cache_dir)?;
    if let Some(pack) = Pack::read(&path) {
        return Ok(pack);
    }
    make_directory(&path)?;
    let _lock = lock(&path.with_extension("lock"), deadline).await?;
    if let Some(pack) = Pack::read(&path) {
        return Ok(pack); // another process made it while we waited
    }
    build(binaries, &path, user, deadline).await?;
    Pack::read(&path).ok_or_else(|| StartError::Io {
        what: "cannot read the template just written to",
        path: path.clone(),
        source: std::io::ErrorKind::InvalidData.into(),
    })
}

/// Makes the directory for the file `path`, ours alone.
pub(super) fn make_directory(path: &Path) -> Result<(), StartError> {
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(StartError::io("cannot create", dir))
}

/// Where the template lies: named by everything that went into it.
fn path(binaries: &Binaries, cache_dir: &Path) -> Result<PathBuf, StartError> {
    let parts =
        [FORMAT, LOCALE, &settings(binaries.major), HBA, &identity(&binaries.initdb)?, &identity(&binaries.postgres)?];
    let key = blake3::hash(parts.join("\0").as_bytes()).to_hex();
    Ok(cache_dir.join("templates").join(format!("{}-{}.pack", binaries.major, &key[..24])))
}

/// Waits for the lock without blocking the runtime, and not for ever. The kernel frees it with its owner.
pub(super) async fn lock(path: &Path, deadline: Duration) -> Result<File, StartError> {
    let io = || StartError::io("cannot lock", path);
    let file = File::options().write(true).create(true).truncate(false).open(path).map_err(io())?;
    let start = Instant::now();
    while !file.try_lock_exclusive().map_err(io())? {
        if start.elapsed() > deadline {
            let what = format!("waiting for another process that makes a template ({})", path.display());
            return Err(StartError::Deadline { what, deadline });
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(file)
}

async fn build(binaries: &Binaries, path: &Path, user: Option<RunAs>, deadline: Duration) -> Result<(), StartError> {
    let dir = RunDir::create(user)?;
    dir.give_to(user)?;
    let password = secret::random();
    let made = make_cluster(binaries, &dir.data(), &password, user, deadline).await.and_then(|()| {
        let description = Description { version: binaries.version.clone(), password: password.expose().to_owned() };
        Pack::write(
            path,
            &dir.data(),
            &[("pg_hba.conf", HBA), ("postgresql.conf", &settings(binaries.major))],
            &description,
        )
    });
    dir.remove().map_err(StartError::io("cannot remove", dir.path()))?;
    made
}

async fn make_cluster(
    binaries: &Binaries,
    data: &Path,
    password: &Secret,
    user: Option<RunAs>,
    deadline: Duration,
) -> Result<(), StartError> {
    let first = initdb(binaries, data, LOCALE, user, deadline).await;
    if matches!(&first, Err(StartError::Initdb { output, .. }) if output.contains("invalid locale")) {
        // An old macOS without it: C sorts the same and differs only for the case of non-ASCII letters.
        initdb(binaries, data, "C", user, deadline).await?;
    } else {
        first?;
    }
    finish(binaries, data, password, user, deadline).await
}

async fn initdb(
    binaries: &Binaries,
    data: &Path,
    locale: &str,
    user: Option<RunAs>,
    deadline: Duration,
) -> Result<(), StartError> {
    let mut command = command(&binaries.initdb, user);
    command.arg("--pgdata").arg(data).arg(format!("--locale={locale}"));
    // Trust is for the single-user session below only: the pack gets an hba file of ours.
    command.args(["--username=postgres", "--encoding=UTF8", "--auth=trust", "--no-sync", "--wal-segsize=1"]);
    run(command, "", "initdb", deadline).await
}

/// Statements that turn a fresh cluster into our template, run in single-user mode: no socket, no race.
async fn finish(
    binaries: &Binaries,
    data: &Path,
    password: &Secret,
    user: Option<RunAs>,
    deadline: Duration,
) -> Result<(), StartError> {
    let mut command = command(&binaries.postgres, user);
    command.args(["--single", "-O", "-F", "-D"]).arg(data).args(["-c", "exit_on_error=on", "template1"]);
    let mut sql = format!("ALTER ROLE postgres PASSWORD '{}'\n", scram_verifier(password));
    // template0 would be copied with every server and is of no use: template1 stays as it was born.
    sql.push_str("UPDATE pg_database SET datistemplate = false WHERE datname = 'template0'\n");
    sql.push_str("DROP DATABASE template0\n");
    sql.push_str("REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC\n");
    if binaries.major < 16 {
        // Before 16 whoever may create roles may also grant himself these, and with them the machine.
        sql.push_str(
            "DELETE FROM pg_authid WHERE rolname IN \
             ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files')\n",
        );
    }
    run(command, &sql, "postgres --single", deadline).await
}

/// Runs `command` to its end with `input`; its output only matters when it fails.
async fn run(mut command: Command, input: &str, program: &str, deadline: Duration) -> Result<(), StartError> {
    let failed = |output: String| StartError::Initdb { program: program.to_owned(), output };
    let work = async {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that ends early breaks the pipe; its output says why.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
        child.wait_with_output().await
    };
    let output = tokio::time::timeout(deadline, work)
        .await
        .map_err(|_| StartError::Deadline { what: format!("`{program}`"), deadline })?
        .map_err(|error| failed(error.to_string()))?;
    if output.status.success() { Ok(()) } else { Err(failed(end_of(&output))) }
}

fn end_of(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text[text.len().saturating_sub(2000)..]).trim().to_owned()
}
