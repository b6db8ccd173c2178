//! A native server: databases are created ahead of the asking, and dropped behind it.
//!
//! Creating a database costs the kernel some 220 small files (about 15-20 ms), so one is always being made while
//! the last one is in use. They are not used twice: `DROP OWNED` and proving that nothing was left costs as much.

use super::binaries::{self, Binaries};
use super::database::{Database, Ending, Names};
use super::run_dir::RunDir;
use super::secret::{self, scram_verifier};
use super::server::{MEMORY, Server};
use super::sql::{connect, literal, within};
use super::user::{RunAs, server_user, uid_of};
use super::{Choice, DatabaseError, Engine, EngineKind, StartError, sweep, template};
use trueup_model::secret::Secret;

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, SimpleQueryMessage};

/// Dropped databases that may wait for their `DROP DATABASE` (6 ms, and needless if the server stops soon), at some
/// 8 MB each.
pub(super) const RETIRED: usize = 32;

/// Where an installation has its shared files, the extensions' control files among them.
const SHARE_DIR: &str = "SELECT setting FROM pg_catalog.pg_config() WHERE name = 'SHAREDIR'";

/// The engine that a start would use.
pub(super) async fn identify(choice: &Choice) -> Result<Engine, StartError> {
    let user = server_user()?;
    let (binaries, chosen) =
        binaries::choose(choice.pg_bin.as_deref(), choice.prefer_major, &choice.cache_dir, user, choice.deadline)
            .await?;
    Ok(Engine { kind: EngineKind::Native, version: binaries.version, major: binaries.major, chosen })
}

/// What may differ between two servers from one template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owners {
    /// Services share the server: an owner creates no roles.
    Plain,
    /// One service has the server to itself: its owner may create roles.
    CreateRoles,
}

/// A running native server.
#[derive(Debug)]
pub(super) struct Native {
    engine: Arc<Engine>,
    server: Arc<Server>,
    superuser: Config,
    share_dir: PathBuf,
    ready: Mutex<mpsc::Receiver<Result<Born, DatabaseError>>>,
    janitor: mpsc::UnboundedSender<Retired>,
    tasks: Vec<JoinHandle<()>>,
    deadline: Duration,
    /// For [`Native::another`].
    source: Source,
}

/// Where servers come from.
#[derive(Debug, Clone)]
struct Source {
    binaries: Binaries,
    cache_dir: PathBuf,
    user: Option<RunAs>,
    deadline: Duration,
}

/// A database nobody has used yet.
#[derive(Debug)]
struct Born {
    names: Names,
    password: Secret,
}

/// A database nobody uses any more, and who waits for that.
#[derive(Debug)]
pub(super) struct Retired {
    pub(super) names: Names,
    pub(super) done: Option<oneshot::Sender<Result<(), DatabaseError>>>,
}

impl Native {
    /// Finds binaries, makes the template if need be, starts a server.
    pub(super) async fn start(choice: &Choice) -> Result<Self, StartError> {
        let user = server_user()?;
        // Beside the start, not before it: usually there is nothing to sweep.
        tokio::task::spawn_blocking(move || sweep::sweep(uid_of(user)));
        let (binaries, chosen) =
            binaries::choose(choice.pg_bin.as_deref(), choice.prefer_major, &choice.cache_dir, user, choice.deadline)
                .await?;
        let source = Source { binaries, cache_dir: choice.cache_dir.clone(), user, deadline: choice.deadline };
        source.start(chosen, Owners::Plain).await
    }

    /// Another server from the same template, for one service that creates roles.
    pub(super) async fn another(&self) -> Result<Self, StartError> {
        self.source.clone().start(self.engine.chosen.clone(), Owners::CreateRoles).await
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where the installation has its shared files.
    pub(super) fn share_dir(&self) -> &Path {
        &self.share_dir
    }

    /// The server's directory.
    #[cfg(test)]
    pub(super) fn directory(&self) -> &std::path::Path {
        self.server.dir().path()
    }

    /// An empty database: the next of those created ahead.
    pub(super) async fn database(&self) -> Result<Database, DatabaseError> {
        let next = async { self.ready.lock().await.recv().await };
        let late = DatabaseError::Deadline { what: "create a database", deadline: self.deadline };
        let born = tokio::time::timeout(self.deadline, next).await.map_err(|_| late)?;
        let born = born.ok_or_else(|| DatabaseError::ServerGone { reason: self.server.epitaph() })??;
        let mut owner = base_config(&self.server);
        owner.user(&born.names.owner).password(born.password.expose()).dbname(&born.names.database);
        let mut superuser = self.superuser.clone();
        superuser.dbname(&born.names.database);
        let ending = Ending::Native(self.janitor.clone(), born.names);
        Ok(Database::new(owner, superuser, self.engine.clone(), self.deadline, ending))
    }

    /// Stops the server and waits until it and its directory are gone.
    pub(super) async fn stop(self) -> Result<(), StartError> {
        self.server.stop(self.deadline).await
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
        self.server.release("it was stopped");
    }
}

impl Source {
    async fn start(self, chosen: String, owners: Owners) -> Result<Native, StartError> {
        let pack = template::obtain(&self.binaries, &self.cache_dir, self.user, self.deadline).await?;
        let old_password = Secret::new(&pack.description.password);
        let user = self.user;
        let unpacked = tokio::task::spawn_blocking(move || {
            let dir = RunDir::create(user)?;
            pack.unpack(&dir.data(), user).inspect_err(|_| drop(dir.remove()))?;
            dir.give_to(user)?;
            Ok(dir)
        });
        let dir = unpacked.await.map_err(|error| StartError::ServerDied { log: error.to_string() })??;
        let server = self.launch(dir).await?;
        let taken = take_over(&server, &old_password, self.deadline).await?;
        Ok(self.assemble(server, taken, chosen, owners))
    }

    async fn launch(&self, dir: RunDir) -> Result<Arc<Server>, StartError> {
        let (data, socket) = (dir.data(), dir.socket());
        let arguments: [&OsStr; 4] = ["-D".as_ref(), data.as_os_str(), "-k".as_ref(), socket.as_os_str()];
        let ready = accepts_connections;
        Server::start(dir, &self.binaries.postgres, &arguments, self.user, MEMORY, self.deadline, ready).await
    }

    fn assemble(self, server: Arc<Server>, taken: Taken, chosen: String, owners: Owners) -> Native {
        let Taken { superuser, control, share_dir } = taken;
        let (send, ready) = mpsc::channel(parallelism());
        let (janitor, retired) = mpsc::unbounded_channel();
        let limit = self.deadline;
        let tasks = vec![
            tokio::spawn(create_ahead(control, send, self.binaries.major, owners, limit)),
            tokio::spawn(clear_away(control_config(&superuser), retired, limit)),
        ];
        let Binaries { version, major, .. } = &self.binaries;
        let engine = Engine { kind: EngineKind::Native, version: version.clone(), major: *major, chosen };
        let (engine, ready) = (Arc::new(engine), Mutex::new(ready));
        Native { engine, server, superuser, share_dir, ready, janitor, tasks, deadline: limit, source: self }
    }
}

/// How many replays keep this machine busy.
pub(super) fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The eighth line of `postmaster.pid` is the server's state.
fn accepts_connections(dir: &RunDir) -> bool {
    std::fs::read_to_string(dir.data().join("postmaster.pid"))
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready"))
}

fn base_config(server: &Server) -> Config {
    let mut config = Config::new();
    config.host_path(server.dir().socket()).application_name("trueup");
    config
}

fn control_config(superuser: &Config) -> Config {
    let mut config = superuser.clone();
    config.dbname("postgres");
    config
}

/// What the first connection brings.
struct Taken {
    superuser: Config,
    control: Client,
    share_dir: PathBuf,
}

/// Connects as superuser and gives him a password of this run, so that the one in the cache opens nothing.
async fn take_over(server: &Server, old: &Secret, deadline: Duration) -> Result<Taken, StartError> {
    let work = async {
        let mut superuser = base_config(server);
        // Connection options outrank what an owner may set with ALTER DATABASE … SET search_path.
        superuser.user("postgres").options("-c search_path=pg_catalog");
        // The first connection to a database writes down what every later one starts with (`pg_internal.init`), and a
        // copy of the database has it too: each first connection to a copy then takes 4 ms less of CPU.
        // `CREATE DATABASE` accepts a session in its template only when it is its own.
        let control = connect(superuser.clone().dbname("template1").password(old.expose())).await?;
        let new = secret::random();
        // In one round trip.
        let sql = format!("ALTER ROLE postgres PASSWORD {}; {SHARE_DIR}", literal(&scram_verifier(&new)));
        let answers = control.simple_query(&sql).await?;
        superuser.password(new.expose());
        let share_dir = answers.iter().find_map(|answer| match answer {
            SimpleQueryMessage::Row(row) => row.get(0).map(PathBuf::from),
            _ => None,
        });
        Ok(Taken { superuser, control, share_dir: share_dir.unwrap_or_default() })
    };
    match tokio::time::timeout(deadline, work).await {
        Ok(result) => result.map_err(|source| StartError::Sql { what: "connect to the server just started", source }),
        Err(_) => Err(StartError::Deadline { what: "the first connection".to_owned(), deadline }),
    }
}

/// Keeps the channel full of empty databases, until nobody listens or the server fails.
async fn create_ahead(
    client: Client,
    ready: mpsc::Sender<Result<Born, DatabaseError>>,
    major: u16,
    owners: Owners,
    deadline: Duration,
) {
    for number in 1.. {
        let Ok(place) = ready.reserve().await else { return };
        let born = within(deadline, "create a database", create(&client, number, major, owners)).await;
        let failed = born.is_err();
        place.send(born);
        if failed {
            return;
        }
    }
}

async fn create(client: &Client, number: u32, major: u16, owners: Owners) -> Result<Born, tokio_postgres::Error> {
    let password = secret::random();
    let names = Names { database: format!("trueup_{number}"), owner: format!("trueup_owner_{number}") };
    let Names { database, owner } = &names;
    let roles = if owners == Owners::CreateRoles { "CREATEROLE" } else { "NOCREATEROLE" };
    let verifier = literal(&scram_verifier(&password));
    // WAL would log every page once more; copying files is what every major before 15 does anyway.
    let strategy = if major >= 15 { "STRATEGY file_copy" } else { "" };
    for sql in [
        format!(
            "CREATE ROLE {owner} LOGIN NOSUPERUSER NOCREATEDB {roles} NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 16 \
             PASSWORD {verifier}"
        ),
        format!("CREATE DATABASE {database} OWNER {owner} TEMPLATE template1 {strategy}"),
        format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC"),
    ] {
        client.batch_execute(&sql).await?;
    }
    Ok(Born { names, password })
}

/// Ends the sessions of retired databases at once, and drops the databases when too many wait.
async fn clear_away(control: Config, mut retired: mpsc::UnboundedReceiver<Retired>, deadline: Duration) {
    let mut client = None;
    let mut waiting = VecDeque::new();
    while let Some(Retired { names, done }) = retired.recv().await {
        let result = retire(&control, &mut client, names, &mut waiting, deadline).await;
        if result.is_err() {
            client = None; // the next one connects again
        }
        if let Some(done) = done {
            // Whoever waited may have given up.
            let _ = done.send(result);
        }
    }
}

async fn retire(
    control: &Config,
    client: &mut Option<Client>,
    names: Names,
    waiting: &mut VecDeque<Names>,
    deadline: Duration,
) -> Result<(), DatabaseError> {
    let client = match client {
        Some(client) => client,
        None => client.insert(within(deadline, "connect", connect(control)).await?),
    };
    within(deadline, "end the sessions of a database", end_sessions(client, &names)).await?;
    waiting.push_back(names);
    while waiting.len() > RETIRED {
        let Some(oldest) = waiting.pop_front() else { break };
        within(deadline, "drop a database", drop_database(client, &oldest)).await?;
    }
    Ok(())
}

async fn end_sessions(client: &Client, Names { database, owner }: &Names) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(&format!("ALTER ROLE {owner} NOLOGIN")).await?;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
    while !client.query(terminate, &[database]).await?.is_empty() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}

async fn drop_database(client: &Client, Names { database, owner }: &Names) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)")).await?;
    // With what it owns elsewhere gone: it owns nothing elsewhere.
    client.batch_execute(&format!("DROP ROLE IF EXISTS {owner}")).await
}
