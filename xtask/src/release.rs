//! The binary that people get: release, with the bundled engine.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::test::cargo;

/// What makes `cargo` build that binary.
const RELEASE: [&str; 3] = ["--release", "--features", "embedded"];

/// Builds it; some eight minutes of processor time on a machine that has not done so before. Where it lies.
pub(crate) fn build() -> Result<PathBuf, String> {
    let mut build = cargo();
    build.arg("build").args(RELEASE).arg("--message-format=json-render-diagnostics");
    let output = build.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("cargo build: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo build: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().find_map(executable).ok_or_else(|| "cargo build: it built no program".to_owned())
}

/// The program that a message of cargo's speaks of, when it is ours.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == "trueup";
    message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
}

/// Runs it as the README says; it has to end with 1, as there is drift to see.
pub(crate) fn first_command() -> Result<(), String> {
    let mut command = cargo();
    command.arg("run").args(RELEASE).args(["--", "-C", "examples/brownfield", "check"]);
    let status = command.stdin(Stdio::null()).status().map_err(|error| format!("cargo run: {error}"))?;
    if status.code() == Some(1) { Ok(()) } else { Err(format!("it should end with exit code 1: {status}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_the_messages() {
        let library = r#"{"reason":"compiler-artifact","target":{"name":"trueup_cli"},"executable":null}"#;
        let program = r#"{"reason":"compiler-artifact","target":{"name":"trueup"},"executable":"/t/release/trueup"}"#;
        let other = r#"{"reason":"compiler-artifact","target":{"name":"xtask"},"executable":"/t/release/xtask"}"#;
        assert_eq!(
            [library, other, "Compiling", program].iter().find_map(|line| executable(line)),
            Some("/t/release/trueup".into())
        );
    }
}
