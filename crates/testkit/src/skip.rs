//! A test that could not run says so.

/// What the line of a skipped test starts with; the summary counts these.
pub const SKIPPED: &str = "SKIPPED: ";

/// What the line of a case that was played beside Flyway starts with; its number follows, then `live` or `recorded`.
pub const SIDE_BY_SIDE: &str = "beside Flyway: case ";

/// Says that a test, or a part of it, did not run, and why. Return from the test after it.
///
/// The line goes to the real standard error: `cargo test` swallows what a passing test prints.
pub fn skipped(reason: &str) {
    use std::io::Write;
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("{SKIPPED}{name}: {reason}\n");
    // Nothing can be done, nor said, when standard error is closed.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
