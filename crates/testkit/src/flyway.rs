//! A real Flyway: its engine in a JVM that lives as long as the tests, driven over a pipe.

use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::cache;

mod command_line;

pub use command_line::{COMMAND_LINE_VERSION, CommandLine, command_line_jars};

/// The version of the engine that `cargo xtask fetch` gets.
pub const VERSION: &str = "13.12.0";

/// The version of the JDBC driver beside it.
pub const DRIVER_VERSION: &str = "42.7.14";

const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/flyway/Driver.java");

/// Where the engine's jars are, or would be.
pub fn jars() -> PathBuf {
    cache::root().join("flyway").join(format!("{VERSION}-{DRIVER_VERSION}"))
}

/// A running engine.
#[derive(Debug)]
pub struct Flyway {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Flyway {
    /// Starts the JVM.
    ///
    /// # Errors
    /// Why there is none: no jars, or no Java that can run them. Say [`crate::skipped`] then.
    pub fn start() -> Result<Self, String> {
        let jars = jars();
        if !jars.is_dir() {
            return Err("Flyway's jars are not there: run `cargo xtask fetch`".to_owned());
        }
        let mut process = Command::new("java")
            .args(["-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp"])
            .arg(format!("{}/*", jars.display()))
            .arg(DRIVER)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("java: {error}"))?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let output = BufReader::new(output.ok_or("no pipe from java")?);
        let mut flyway = Self { process, input, output };
        // Any answer will do: a Java that cannot compile the driver gives none.
        flyway.ask("hello", &[]).map_err(|error| format!("java does not run the driver: {error}"))?;
        Ok(flyway)
    }

    /// Gives a command (`migrate`, `validate`, `info`, `repair`, `baseline`) with settings (keys without `flyway.`).
    /// The answer has `ok`, and then `executed`, `codes` or `states`, or `code` and `message`.
    pub fn ask(&mut self, verb: &str, settings: &[(&str, &str)]) -> io::Result<serde_json::Value> {
        let pairs = settings.iter().map(|(key, value)| format!("\t{}={}", encoded(key), encoded(value)));
        let line = format!("{verb}{}\n", pairs.collect::<String>());
        let input = self.input.as_mut().ok_or_else(|| io::Error::other("no pipe to java"))?;
        input.write_all(line.as_bytes())?;
        input.flush()?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        serde_json::from_str(&answer).map_err(|error| io::Error::other(format!("{error}: {answer:?}")))
    }
}

impl Drop for Flyway {
    fn drop(&mut self) {
        // Closing its standard input ends it.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_".contains(byte);
    text.bytes().map(|byte| if plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
