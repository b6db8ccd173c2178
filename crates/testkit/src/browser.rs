//! A real browser: Debian's Chromium, driven by a script in Node.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cache;

/// What npm installs, pinned with hashes. `cargo xtask fetch` copies both files into the cache and installs there.
pub const MANIFEST: &str = include_str!("../browser/package.json");

/// The hashes of what npm installs.
pub const LOCK: &str = include_str!("../browser/package-lock.json");

/// Where Playwright and axe are, or would be: a folder with `node_modules`.
pub fn modules() -> PathBuf {
    cache::root().join("browser").join(format!("{:016x}", cache::digest(LOCK)))
}

/// The browser.
fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all =
        std::env::split_paths(&path).flat_map(|folder| ["chromium", "chromium-browser"].map(|name| folder.join(name)));
    all.into_iter().find(|program| program.is_file())
}

/// Runs a script of Node that drives Chromium. It finds the browser in `TRUEUP_CHROMIUM`, the modules below
/// `TRUEUP_MODULES`, and `input` as its argument. What it printed comes back.
///
/// # Errors
/// [`Absent`](NoAnswer::Absent) when a part is missing: say [`crate::skipped`] then. Anything else is a failure.
pub fn drive(script: &Path, input: &Path) -> Result<String, NoAnswer> {
    let absent = |what: &str| NoAnswer::Absent(format!("{what} is not there: run `cargo xtask fetch`"));
    let browser = chromium().ok_or_else(|| absent("Chromium"))?;
    let modules = modules();
    if !modules.is_dir() {
        return Err(absent("Playwright"));
    }
    let output = Command::new("node")
        .arg(script)
        .arg(input)
        .env("TRUEUP_CHROMIUM", browser)
        .env("TRUEUP_MODULES", modules)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| NoAnswer::Absent(format!("node: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(NoAnswer::Failed(format!("{}: {text}{said}", output.status)))
}

/// Why the browser said nothing.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// A part is missing.
    #[error("{0}")]
    Absent(String),
    /// The script ended badly.
    #[error("{0}")]
    Failed(String),
}
