//! Disposable PostgreSQL: a server to replay hostile SQL on, there in a tenth of a second, gone without a trace.
//!
//! Three ways, in this order: a server that the user gives ([`Choice::scratch_url`]); native binaries of this
//! machine, started from a cached template cluster; the bundled engine. Whatever it is, callers get empty
//! databases, each owned by a role of its own that is not a superuser.
//!
//! ```text
//! binaries ─▶ template (cached pack) ─▶ run_dir ─▶ server (guarded process) ─▶ native (databases ahead)
//!                                          ▲                                      │
//!                                        sweep                                 Database
//! ```

mod binaries;
mod bundled;
mod database;
mod error;
mod native;
mod pack;
mod run_dir;
mod scratch_url;
mod secret;
mod server;
mod settings;
mod sql;
mod sweep;
mod template;
mod user;

#[cfg(test)]
mod tests;

pub use bundled::{BUNDLED_READY_FILE, BUNDLED_SUBCOMMAND};
pub use database::{Database, needs_superuser};
pub use error::{DatabaseError, ExtensionError, StartError};
use trueup_model::secret::Secret;

use bundled::Bundled;
use native::Native;
use scratch_url::HostServer;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// What decides which PostgreSQL is started.
#[derive(Debug, Clone)]
pub struct Choice {
    /// A server to use instead of starting one; its user may create databases and roles.
    pub scratch_url: Option<Secret>,
    /// The directory with `initdb` and `postgres` to use, instead of looking for them.
    pub pg_bin: Option<PathBuf>,
    /// The major to prefer where several are installed: the one that production has.
    pub prefer_major: Option<u16>,
    /// Our own executable, if the bundled engine is part of it: run with [`BUNDLED_SUBCOMMAND`] where no binaries are found.
    pub bundled: Option<PathBuf>,
    /// Only the bundled engine will do, whatever else is installed.
    pub only_bundled: bool,
    /// Where templates are kept. It holds passwords of templates, which open nothing once a server runs.
    pub cache_dir: PathBuf,
    /// How long any single step may take: making the template, the start, creating or dropping a database.
    pub deadline: Duration,
}

/// Which kind of server it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineKind {
    /// A server that the user gave.
    Url,
    /// Native binaries of this machine.
    Native,
    /// The engine that is part of trueup.
    Bundled,
}

/// What runs the SQL; part of every report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// Which kind of server it is.
    pub kind: EngineKind,
    /// As the server says it: `15.18 (Debian 15.18-0+deb12u1)`.
    pub version: String,
    /// The major version.
    pub major: u16,
    /// How it was chosen, as half a sentence for people: `/usr/lib/postgresql/15/bin is installed`.
    pub chosen: String,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            EngineKind::Url => "scratch URL",
            EngineKind::Native => "native",
            EngineKind::Bundled => "bundled",
        };
        write!(f, "PostgreSQL {}, {kind}", self.version)
    }
}

/// The engine that [`start`] would use, without starting it: what an answer from a cache has to match.
pub async fn identify(choice: &Choice) -> Result<Engine, StartError> {
    if let Some(url) = &choice.scratch_url {
        return Ok(HostServer::start(url, choice.deadline).await?.engine().clone());
    }
    if choice.only_bundled {
        return Ok(Bundled::start(choice).await?.engine().clone());
    }
    match native::identify(choice).await {
        Err(StartError::NoEngine { .. }) if choice.bundled.is_some() => {
            Ok(Bundled::start(choice).await?.engine().clone())
        }
        native => native,
    }
}

/// Starts a disposable PostgreSQL, or connects to the given one.
pub async fn start(choice: Choice) -> Result<Scratch, StartError> {
    let inner = if let Some(url) = &choice.scratch_url {
        Inner::Url(Box::new(HostServer::start(url, choice.deadline).await?))
    } else {
        start_own(&choice).await?
    };
    Ok(Scratch { inner })
}

/// Native binaries if there are any, else the bundled engine. Binaries that were found but fail are an error: another
/// engine than the one expected would be a surprise.
async fn start_own(choice: &Choice) -> Result<Inner, StartError> {
    if choice.only_bundled {
        return Ok(Inner::Bundled(Arc::new(Bundled::start(choice).await?)));
    }
    match Native::start(choice).await {
        Err(StartError::NoEngine { .. }) if choice.bundled.is_some() => {
            Ok(Inner::Bundled(Arc::new(Bundled::start(choice).await?)))
        }
        native => Ok(Inner::Native(Box::new(native?))),
    }
}

/// A disposable PostgreSQL. Dropped: the server is killed and its directory removed, by a process of its own that
/// outlives us; [`Scratch::stop`] waits for that.
#[derive(Debug)]
pub struct Scratch {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Url(Box<HostServer>),
    Native(Box<Native>),
    Bundled(Arc<Bundled>),
}

impl Scratch {
    /// What it is.
    pub fn engine(&self) -> &Engine {
        match &self.inner {
            Inner::Url(host) => host.engine(),
            Inner::Native(native) => native.engine(),
            Inner::Bundled(bundled) => bundled.engine(),
        }
    }

    /// Where a native server's installation has its shared files, as the server says itself: below it are the control
    /// files `extension/<name>.control` of the extensions that are installed. `None` for every other kind.
    pub fn share_dir(&self) -> Option<&Path> {
        match &self.inner {
            Inner::Native(native) => Some(native.share_dir()).filter(|path| path.is_absolute()),
            Inner::Url(_) | Inner::Bundled(_) => None,
        }
    }

    /// How many databases are worth having in use at a time.
    pub fn parallelism(&self) -> usize {
        native::parallelism()
    }

    /// An empty database, as new as the server itself. Any number may be in use at a time; with the bundled engine
    /// [`Scratch::parallelism`] of them, each with one connection at a time, and the next one waits.
    pub async fn database(&self) -> Result<Database, DatabaseError> {
        self.database_offering(&[]).await
    }

    /// As [`Scratch::database`], for SQL that creates these extensions: the bundled engine has to be started with them.
    /// Native servers offer whatever is installed anyway.
    pub async fn database_offering(&self, extensions: &[String]) -> Result<Database, DatabaseError> {
        match &self.inner {
            Inner::Url(host) => host.database().await,
            Inner::Native(native) => native.database().await,
            Inner::Bundled(bundled) => bundled.database(extensions).await,
        }
    }

    /// A server for one service alone, whose database owners may create roles: roles are per server.
    pub async fn isolated(&self) -> Result<Scratch, StartError> {
        match &self.inner {
            Inner::Url(_) => Err(StartError::CannotIsolate { reason: "the scratch URL names just one" }),
            // Each of its databases has a server of its own anyway, whose owner may create roles.
            Inner::Bundled(bundled) => Ok(Scratch { inner: Inner::Bundled(bundled.clone()) }),
            Inner::Native(native) => Ok(Scratch { inner: Inner::Native(Box::new(native.another().await?)) }),
        }
    }

    /// Stops it, and returns when its processes and files are gone.
    pub async fn stop(self) -> Result<(), StartError> {
        match self.inner {
            Inner::Url(_) | Inner::Bundled(_) => Ok(()),
            Inner::Native(native) => native.stop().await,
        }
    }
}
