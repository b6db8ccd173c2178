//! What a bare Debian or Ubuntu machine lacks, and how to get it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The release of cargo-deny; it builds on the pinned toolchain.
const CARGO_DENY: &str = "0.20.2";

/// Runs a command to its end, its output shown; says why when it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("{shown}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown}: {status}")) }
}

/// Whether a program is on PATH.
pub(crate) fn has(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Installs what is missing of npm, PostgreSQL, PgBouncer and git with apt-get, through sudo when we are not root.
pub(crate) fn install_packages() -> Result<(), String> {
    let clients = Path::new("/usr/share/postgresql-common").is_dir() || has("psql");
    install(&[("npm", has("npm")), ("postgresql", clients), ("pgbouncer", has_pgbouncer()), ("git", has("git"))])
}

fn has_pgbouncer() -> bool {
    trueup_testkit::pgbouncer::program().is_some()
}

/// Installs those of some packages that are not there.
pub(crate) fn install(wanted: &[(&'static str, bool)]) -> Result<(), String> {
    let missing: Vec<_> = wanted.iter().filter(|(_, there)| !there).map(|(package, _)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !has("apt-get") {
        return Err(format!("please install {}: there is no apt-get here to do it", missing.join(", ")));
    }
    println!("installing {}", missing.join(", "));
    run(apt_get().arg("update"))?;
    run(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(&missing))
}

fn apt_get() -> Command {
    let mut command = if nix::unistd::geteuid().is_root() { Command::new("apt-get") } else { sudo() };
    command.args(["-o", "DPkg::Lock::Timeout=300"]);
    command
}

fn sudo() -> Command {
    let mut command = Command::new("sudo");
    command.args(["--non-interactive", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
    command
}

/// cargo-deny in its pinned release, built once into the cache.
pub(crate) fn cargo_deny() -> Result<PathBuf, String> {
    let root = trueup_testkit::cache::root().join(format!("cargo-deny-{CARGO_DENY}"));
    let program = root.join("bin/cargo-deny");
    if !program.is_file() {
        println!("building cargo-deny {CARGO_DENY}, once");
        let mut install = Command::new("cargo");
        install
            .args(["install", "--locked", "--quiet", "--version", CARGO_DENY, "--root"])
            .arg(&root)
            .arg("cargo-deny");
        run(&mut install)?;
    }
    Ok(program)
}
