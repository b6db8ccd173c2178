//! The bundled PostgreSQL engine, run as a killable child process. Confines the WASM runtime.
//!
//! PostgreSQL 18 compiled to WebAssembly: one process, one connection at a time. It ignores `statement_timeout` and
//! cancel requests, so whoever starts it keeps a deadline and kills the process. Its sandbox holds the data directory
//! and nothing else of the machine.

use oliphaunt_pgwire_server::{DatabaseStorage, OliphauntServer, ServerListen};
use oliphaunt_wasix::Extension;
use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

/// Extensions that the engine is built with, by their SQL names. Others of the engine's catalogue are published
/// without their parts (`vector`, `postgis`), or reach out of the database (`file_fdw`).
pub const EXTENSIONS: &[&str] = &[
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "tablefunc",
    "unaccent",
    "uuid-ossp",
];

/// Why the engine does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The engine refused to start: its message.
    #[error("the bundled PostgreSQL does not start: {0}")]
    Start(String),
}

/// How often the engine looks whether its parent still lives.
const LOOK_UP_EVERY: Duration = Duration::from_millis(250);

/// Runs the engine on the cluster in `data` (made if it is empty), listening on `<socket_dir>/.s.PGSQL.5432`, until the process, or the one that started it, is killed. `extensions` are those that SQL may create; what is not among [`EXTENSIONS`] is left out, and
/// `CREATE EXTENSION` then says that the server has no such extension. The file `ready` is made once the socket answers:
/// the socket's own file is there a moment before that.
pub fn serve(data: &Path, socket_dir: &Path, ready: &Path, extensions: &[String]) -> Result<Infallible, ServeError> {
    let offered = extensions.iter().filter(|name| EXTENSIONS.contains(&name.as_str()));
    let extensions = offered.filter_map(|name| Extension::by_sql_name(name));
    let io = |error: std::io::Error| ServeError::Start(error.to_string());
    let _server = OliphauntServer::builder()
        .storage(DatabaseStorage::Directory(data.to_owned()))
        .listen(ServerListen::unix(socket_dir))
        .extensions(extensions)
        // The data is worth nothing when the machine goes down.
        .startup_gucs([("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off")])
        .start()
        .map_err(|error| ServeError::Start(format!("{error:?}")))?;
    std::fs::write(ready, "").map_err(io)?;
    while_started_by(std::os::unix::process::parent_id());
    std::process::exit(1)
}

/// Returns when the process that started us is gone: its guard kills us first, unless the guard was killed too.
fn while_started_by(parent: u32) {
    while std::os::unix::process::parent_id() == parent {
        std::thread::sleep(LOOK_UP_EVERY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_extension_is_built_in() {
        for name in EXTENSIONS {
            assert!(Extension::by_sql_name(name).is_some(), "{name}");
        }
    }
}
