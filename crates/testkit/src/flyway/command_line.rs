//! The real command line of Flyway: one JVM for each call, so only for what is about the command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::cache;

/// The version of the command line that `cargo xtask fetch` gets: the newest that can be put together from Maven
/// Central.
pub const COMMAND_LINE_VERSION: &str = "12.4.0";

/// Where the command line's jars are, or would be.
pub fn command_line_jars() -> PathBuf {
    cache::root()
        .join("flyway")
        .join(format!("command-line-{COMMAND_LINE_VERSION}-{}-with-verbs", super::DRIVER_VERSION))
}

/// Flyway's command line.
#[derive(Clone, Debug)]
pub struct CommandLine {
    jars: PathBuf,
}

impl CommandLine {
    /// The command line that was fetched.
    ///
    /// # Errors
    /// Why there is none. Say [`crate::skipped`] then.
    pub fn find() -> Result<Self, String> {
        let jars = command_line_jars();
        if !jars.is_dir() {
            return Err("the jars of Flyway's command line are not there: run `cargo xtask fetch`".to_owned());
        }
        let java = Command::new("java").arg("-version").output();
        java.map_err(|error| format!("java: {error}"))?;
        Ok(Self { jars })
    }

    /// A call with these arguments, in `folder`, with none of the caller's variables for Flyway. It does not ask the
    /// network for a newer Flyway, and takes the folder `home` below this one for the user's home.
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("java");
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLYWAY_")) {
            command.env_remove(name);
        }
        command
            .args(["-XX:TieredStopAtLevel=1", "-Xshare:auto"])
            .arg(format!("-Duser.home={}", folder.join("home").display()))
            .arg("-cp")
            .arg(format!("{}/*", self.jars.display()))
            .args(["org.flywaydb.commandline.Main", "-skipCheckForUpdate"])
            .args(arguments)
            .env("REDGATE_DISABLE_TELEMETRY", "true")
            .current_dir(folder);
        command
    }

    /// Runs a call to its end.
    ///
    /// # Errors
    /// Java does not start.
    pub fn run(&self, folder: &Path, arguments: &[&str]) -> std::io::Result<Output> {
        self.command(folder, arguments).output()
    }
}
