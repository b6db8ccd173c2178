//! The bundled engine: our own executable as a child process, one for each database.
//!
//! One connection at a time, `statement_timeout` and cancel ignored: what ends a runaway is the kill of its process.
//! Inside, everybody can become superuser (the engine answers a startup user with `SET ROLE`), so its sandbox is the
//! wall: there are no programs to run and no files but the database's.

use super::binaries::identity;
use super::database::{Database, Ending};
use super::pack::{Description, Pack};
use super::run_dir::RunDir;
use super::server::Server;
use super::sql::connect;
use super::template::{self, lock};
use super::user::uid_of;
use super::{Choice, DatabaseError, Engine, EngineKind, StartError, binaries, sweep};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_postgres::{Client, Config};

/// The hidden subcommand of our executable: `<exe> __bundled-postgres DATA SOCKET_DIR [EXTENSION…]` runs the
/// engine until killed.
pub const BUNDLED_SUBCOMMAND: &str = "__bundled-postgres";
/// The file that the engine makes in SOCKET_DIR once its socket answers.
pub const BUNDLED_READY_FILE: &str = "ready";
/// The owner's and the database's name: each engine has just one.
const NAME: &str = "trueup_1";
const OWNER: &str = "trueup_owner_1";

/// Where engines come from.
#[derive(Debug)]
pub(super) struct Bundled {
    executable: PathBuf,
    cache_dir: PathBuf,
    pack: Pack,
    engine: Arc<Engine>,
    /// One engine for each core: an engine takes a core and some 340 MB.
    slots: Arc<Semaphore>,
    deadline: Duration,
}

impl Bundled {
    /// Makes the template if it is missing or damaged. No engine runs afterwards.
    pub(super) async fn start(choice: &Choice) -> Result<Self, StartError> {
        let executable = choice.bundled.clone().ok_or(StartError::NotBuiltIn)?;
        let (cache_dir, deadline) = (choice.cache_dir.clone(), choice.deadline);
        tokio::task::spawn_blocking(|| sweep::sweep(uid_of(None)));
        let pack = obtain(&executable, &cache_dir, deadline).await?;
        let version = pack.description.version.clone();
        let major = binaries::major(&version).unwrap_or_default();
        let why = if choice.only_bundled { "it was asked for" } else { "no PostgreSQL is installed" };
        let chosen = why.to_owned();
        let engine = Arc::new(Engine { kind: EngineKind::Bundled, version, major, chosen });
        let slots = Arc::new(Semaphore::new(super::native::parallelism()));
        Ok(Self { executable, cache_dir, pack, engine, slots, deadline })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// A fresh engine with its one database; waits while all slots are taken.
    pub(super) async fn database(&self, extensions: &[String]) -> Result<Database, DatabaseError> {
        let gone = |_| DatabaseError::ServerGone { reason: "it was stopped".to_owned() };
        let permit = self.slots.clone().acquire_owned().await.map_err(gone)?;
        let dir = RunDir::create(None)?;
        self.pack.unpack(&dir.data(), None).inspect_err(|_| drop(dir.remove()))?;
        let server = launch(dir, &self.executable, &self.cache_dir, extensions, self.deadline).await?;
        let (mut owner, mut superuser) = (base_config(&server), base_config(&server));
        owner.user(OWNER).dbname(NAME);
        superuser.user("postgres").dbname(NAME).options("-c search_path=pg_catalog");
        let ending = Ending::Bundled(server, permit);
        Ok(Database::new(owner, superuser, self.engine.clone(), self.deadline, ending))
    }
}

/// The template of this executable's engine, made under the lock if need be.
async fn obtain(executable: &Path, cache_dir: &Path, deadline: Duration) -> Result<Pack, StartError> {
    let path = cache_dir.join("templates").join(format!("bundled-{}.pack", &identity(executable)?[..24]));
    if let Some(pack) = Pack::read(&path) {
        return Ok(pack);
    }
    template::make_directory(&path)?;
    let _lock = lock(&path.with_extension("lock"), deadline).await?;
    if let Some(pack) = Pack::read(&path) {
        return Ok(pack); // another process made it while we waited
    }
    let dir = RunDir::create(None)?;
    std::fs::create_dir(dir.data()).map_err(StartError::io("cannot create", &dir.data()))?;
    let server = launch(dir, executable, cache_dir, &[], deadline).await?;
    let made = tokio::time::timeout(deadline, furnish(&server, &path)).await;
    server.stop(deadline).await?;
    made.map_err(|_| StartError::Deadline { what: "making the template of the bundled engine".to_owned(), deadline })??;
    Pack::read(&path).ok_or_else(|| StartError::Bundled { reason: "its template cannot be read back".to_owned() })
}

/// Makes owner and database. The engine writes everything down when its connection ends.
async fn furnish(server: &Server, path: &Path) -> Result<(), StartError> {
    let failed = |source| StartError::Sql { what: "prepare the bundled engine", source };
    let mut config = base_config(server);
    let version = {
        let (client, connection) =
            config.user("postgres").dbname("postgres").connect(tokio_postgres::NoTls).await.map_err(failed)?;
        let connection = tokio::spawn(async move { connection.await.is_ok() });
        let version = create(&client).await.map_err(failed)?;
        drop(client);
        // The engine has closed when a second connection is answered.
        let _ = connection.await;
        version
    };
    let second = connect(config.user(OWNER).dbname(NAME)).await.map_err(failed)?;
    second.batch_execute("SELECT 1").await.map_err(failed)?;
    drop(second);
    wait_for_close(server).await;
    Pack::write(path, &server.dir().data(), &[], &Description { version, password: String::new() })
}

async fn create(client: &Client) -> Result<String, tokio_postgres::Error> {
    client.batch_execute(&format!("CREATE ROLE {OWNER} LOGIN NOSUPERUSER NOCREATEDB CREATEROLE")).await?;
    // What a connection did and no checkpoint wrote down is gone for the next one.
    client.batch_execute(&format!("GRANT pg_checkpoint TO {OWNER}")).await?;
    // COPY takes its data from files in the engine's own folder, all that its sandbox holds.
    client.batch_execute(&format!("GRANT pg_read_server_files TO {OWNER}")).await?;
    client.batch_execute(&format!("CREATE DATABASE {NAME} OWNER {OWNER}")).await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(client.query_one("SELECT current_setting('server_version')", &[]).await?.get(0))
}

/// A cluster at rest has no `postmaster.pid`; one that keeps it is not packed half written, but after a while.
async fn wait_for_close(server: &Server) {
    for _ in 0..200 {
        if !server.dir().data().join("pgdata/postmaster.pid").exists() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn launch(
    dir: RunDir,
    executable: &Path,
    cache_dir: &Path,
    extensions: &[String],
    deadline: Duration,
) -> Result<Arc<Server>, StartError> {
    let (data, socket) = (dir.data(), dir.socket());
    // `env` gives the engine the one thing of the environment it needs: where to keep its unpacked self.
    let cache = format!("XDG_CACHE_HOME={}", cache_dir.join("bundled").display());
    let mut arguments: Vec<&OsStr> =
        vec![cache.as_ref(), executable.as_os_str(), BUNDLED_SUBCOMMAND.as_ref(), data.as_os_str(), socket.as_os_str()];
    arguments.extend(extensions.iter().map(OsStr::new));
    Server::start(dir, Path::new("/usr/bin/env"), &arguments, None, "unlimited", deadline, |dir| {
        dir.socket().join(BUNDLED_READY_FILE).exists()
    })
    .await
    .map_err(|error| match error {
        StartError::ServerDied { log } => StartError::Bundled { reason: log },
        other => other,
    })
}

fn base_config(server: &Server) -> Config {
    let mut config = Config::new();
    config.host_path(server.dir().socket()).application_name("trueup");
    config
}
