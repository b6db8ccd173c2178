//! What a command that must come to its end says meanwhile. A reader that went away (`trueup info | head`), or a full
//! disk behind standard output, never ends a run in the middle: it goes on, and its exit code says that not all was told.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

static LOST: AtomicBool = AtomicBool::new(false);

/// A line for standard output.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        // The reader has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
        Err(error) if !LOST.swap(true, Ordering::Relaxed) => {
            complain(&format!("trueup: standard output cannot be written: {error}"));
        }
        Ok(()) | Err(_) => {}
    }
}

/// A line for standard error. Nobody is left to be told when that fails.
pub(crate) fn complain(line: &str) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Whether something was said that standard output could not take.
pub fn lost() -> bool {
    LOST.load(Ordering::Relaxed)
}
