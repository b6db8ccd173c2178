//! `psql` and `pg_dump`, the reference clients.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::{MAJORS, postgres};

/// A client program such as `psql` or `pg_dump`: of 15 when it is there (the goldens are), else the newest, else from PATH.
pub fn client_tool(name: &str) -> Option<PathBuf> {
    let majors = [15].into_iter().chain(MAJORS.into_iter().rev());
    let installed = majors.filter_map(postgres).map(|bin| bin.join(name)).find(|tool| tool.is_file());
    installed.or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|dir| dir.join(name)).find(|tool| tool.is_file())
    })
}

/// `psql` on one database, stopping at the first error.
#[derive(Clone, Debug)]
pub struct Psql {
    conninfo: String,
}

impl Psql {
    /// For a connection string such as [`crate::Server::database`] gives.
    pub fn new(conninfo: impl Into<String>) -> Self {
        Self { conninfo: conninfo.into() }
    }

    /// Runs a script, and gives what it printed, unaligned and without headers.
    pub fn run(&self, script: &str) -> io::Result<String> {
        let mut child = self.command()?.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            let script = script.to_owned();
            // From a thread of its own, or both sides wait for each other once a pipe is full.
            std::thread::spawn(move || stdin.write_all(script.as_bytes()));
        }
        let output = child.wait_with_output()?;
        success(&output)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
    }

    fn command(&self) -> io::Result<Command> {
        let psql = client_tool("psql").ok_or_else(|| io::Error::other("psql is not installed"))?;
        let mut command = Command::new(psql);
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.conninfo]);
        command.env("PGOPTIONS", "-c client_min_messages=warning").env("PGCLIENTENCODING", "UTF8");
        Ok(command)
    }
}

/// The failure of a client program, with what it said.
pub(crate) fn success(output: &Output) -> io::Result<()> {
    if output.status.success() {
        return Ok(());
    }
    Err(io::Error::other(format!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr))))
}
