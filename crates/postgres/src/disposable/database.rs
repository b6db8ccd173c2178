//! One empty database, and what it takes to get rid of it.

use super::native::Retired;
use super::scratch_url::Guest;
use super::server::Server;
use super::sql::{connect, identifier, within};
use super::{DatabaseError, Engine, ExtensionError};
use crate::replay::CopyFolder;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config};

/// Extensions that the superuser creates for a service: well known, and none that lets SQL out of the database
/// (`dblink`, `postgres_fdw`, `file_fdw`, `adminpack`, untrusted languages).
const ALLOWED: &[&str] = &[
    "address_standardizer",
    "address_standardizer_data_us",
    "bloom",
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "fuzzystrmatch",
    "h3",
    "hll",
    "hstore",
    "hypopg",
    "intagg",
    "intarray",
    "isn",
    "lo",
    "ltree",
    "pg_partman",
    "pg_stat_statements",
    "pg_trgm",
    "pg_uuidv7",
    "pgcrypto",
    "pgrouting",
    "pgrowlocks",
    "pgstattuple",
    "plpgsql",
    "postgis",
    "postgis_raster",
    "postgis_sfcgal",
    "postgis_tiger_geocoder",
    "postgis_topology",
    "seg",
    "semver",
    "tablefunc",
    "tcn",
    "timescaledb",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "uuid-ossp",
    "vector",
];

/// Those of [`ALLOWED`] that the owner of a database creates himself: `trusted` in their control files, in every major.
const TRUSTED: &[&str] = &[
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dict_int",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "lo",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "plpgsql",
    "seg",
    "tablefunc",
    "tcn",
    "tsm_system_rows",
    "tsm_system_time",
    "unaccent",
    "uuid-ossp",
];

/// Whether an extension is well known and one that the owner of a database may not create, where production has somebody
/// who may.
pub fn needs_superuser(extension: &str) -> bool {
    ALLOWED.contains(&extension) && !TRUSTED.contains(&extension)
}

/// Objects that are neither the system's, nor an extension's, nor part of another object (array types, indexes); one is
/// enough.
const OCCUPIED: &str = "SELECT EXISTS (
  SELECT FROM pg_catalog.pg_depend d RIGHT JOIN (
    SELECT 'pg_class'::regclass AS class, oid FROM pg_catalog.pg_class
    UNION ALL SELECT 'pg_proc'::regclass, oid FROM pg_catalog.pg_proc
    UNION ALL SELECT 'pg_type'::regclass, oid FROM pg_catalog.pg_type
    UNION ALL SELECT 'pg_operator'::regclass, oid FROM pg_catalog.pg_operator
    UNION ALL SELECT 'pg_namespace'::regclass, oid FROM pg_catalog.pg_namespace
    UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_catalog.pg_cast
    UNION ALL SELECT 'pg_extension'::regclass, e.oid FROM pg_catalog.pg_extension e
      WHERE pg_catalog.pg_get_userbyid(e.extowner) <> current_user
  ) o ON d.classid = o.class AND d.objid = o.oid AND d.deptype IN ('e', 'i', 'a')
  WHERE o.oid >= 16384 AND d.objid IS NULL)";

/// How a database ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// By the native server's janitor.
    Native(mpsc::UnboundedSender<Retired>, Names),
    /// On the server that the user gave.
    Url(Box<Guest>),
    /// With its engine; the permit lets the next one start.
    Bundled(Arc<Server>, OwnedSemaphorePermit),
}

/// A database and its owner, as we named them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names {
    /// The database.
    pub(super) database: String,
    /// Its owner, who exists for it only.
    pub(super) owner: String,
}

/// An empty database, owned by a role of its own that is not a superuser, may connect to no other database and
/// create neither roles nor databases. Dropped: its sessions end and it goes, without anybody waiting for it.
#[derive(Debug)]
pub struct Database {
    owner: Config,
    superuser: Config,
    engine: Arc<Engine>,
    deadline: Duration,
    ending: Option<Ending>,
}

impl Database {
    pub(super) fn new(owner: Config, superuser: Config, engine: Arc<Engine>, limit: Duration, ending: Ending) -> Self {
        Self { owner, superuser, engine, deadline: limit, ending: Some(ending) }
    }

    /// How to connect as its owner: for everything that runs SQL of others.
    pub fn owner_config(&self) -> Config {
        self.owner.clone()
    }

    /// How to connect as superuser (on a server that the user gave: as the user of the URL). For catalogs only, never
    /// for SQL of others, not even indirectly: the owner may have left functions and operators behind, so names of
    /// functions and operators have to be qualified or `search_path` left at the `pg_catalog` that is set here.
    pub fn superuser_config(&self) -> Config {
        self.superuser.clone()
    }

    /// Where data of `COPY … FROM STDIN` has to lie, in files that start with `prefix`, for the engine that ends a connection
    /// which sends it.
    pub fn copy_folder(&self, prefix: &'static str) -> Option<CopyFolder> {
        match &self.ending {
            Some(Ending::Bundled(server, _)) => {
                Some(CopyFolder { here: server.dir().data().join("pgdata"), there: "/base".to_owned(), prefix })
            }
            _ => None,
        }
    }

    /// Its name on the server.
    pub fn name(&self) -> &str {
        self.owner.get_dbname().unwrap_or_default()
    }

    /// Creates an extension, and those it requires, as superuser in schema `public`. To be called before anything
    /// else is created in the database, as the scripts of extensions trust the names they use.
    pub async fn create_extension(&self, name: &str) -> Result<(), ExtensionError> {
        if !ALLOWED.contains(&name) {
            return Err(ExtensionError::NotAllowed { name: name.to_owned() });
        }
        let client = within(self.deadline, "connect as superuser", connect(&self.superuser)).await?;
        let asked = within(self.deadline, "look for objects", client.query_one(OCCUPIED, &[])).await?;
        if asked.get(0) {
            return Err(ExtensionError::NotEmpty { name: name.to_owned() });
        }
        self.run_create_extension(&client, name).await
    }

    async fn run_create_extension(&self, client: &Client, name: &str) -> Result<(), ExtensionError> {
        let sql = format!("CREATE EXTENSION IF NOT EXISTS {} SCHEMA public CASCADE", identifier(name));
        // An extension that insists on a schema of its own says so with 0A000; that is not a missing one.
        let own_schema = format!("CREATE EXTENSION IF NOT EXISTS {} CASCADE", identifier(name));
        let mut result = within(self.deadline, "create an extension", client.batch_execute(&sql)).await;
        if matches!(&result, Err(DatabaseError::Sql { source, .. }) if says(source, "must be installed in schema")) {
            result = within(self.deadline, "create an extension", client.batch_execute(&own_schema)).await;
        }
        match result {
            Err(DatabaseError::Sql { source, .. }) => Err(self.explain(name, source)),
            other => {
                other?;
                self.keep(client).await
            }
        }
    }

    /// The bundled engine forgets, between two connections, what no checkpoint wrote down.
    async fn keep(&self, client: &Client) -> Result<(), ExtensionError> {
        if matches!(self.ending, Some(Ending::Bundled(..))) {
            within(self.deadline, "write down an extension", client.batch_execute("CHECKPOINT")).await?;
        }
        Ok(())
    }

    fn explain(&self, name: &str, source: tokio_postgres::Error) -> ExtensionError {
        let missing = source.code() == Some(&SqlState::UNDEFINED_FILE)
            || (source.code() == Some(&SqlState::FEATURE_NOT_SUPPORTED) && says(&source, "is not available"));
        let name = name.to_owned();
        if missing {
            ExtensionError::ExtensionMissing { name, engine: self.engine.to_string() }
        } else {
            ExtensionError::Failed { name, source }
        }
    }

    /// Ends its sessions, whatever they are doing, and gives it up. Returns when nothing of it runs any more.
    pub async fn drop(mut self) -> Result<(), DatabaseError> {
        match self.ending.take() {
            Some(Ending::Native(janitor, names)) => {
                let (done, wait) = oneshot::channel();
                let gone = || DatabaseError::ServerGone { reason: "its last connection ended".to_owned() };
                janitor.send(Retired { names, done: Some(done) }).map_err(|_| gone())?;
                let answer = tokio::time::timeout(self.deadline, wait).await;
                let late = DatabaseError::Deadline { what: "end the sessions of a database", deadline: self.deadline };
                answer.map_err(|_| late)?.map_err(|_| gone())?
            }
            Some(Ending::Url(guest)) => guest.remove(self.deadline).await,
            Some(Ending::Bundled(server, permit)) => {
                let stopped = server.stop(self.deadline).await;
                drop(permit);
                Ok(stopped?)
            }
            None => Ok(()),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        match self.ending.take() {
            // A janitor that is gone took the database along.
            Some(Ending::Native(janitor, names)) => drop(janitor.send(Retired { names, done: None })),
            Some(Ending::Url(guest)) => {
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    let deadline = self.deadline;
                    // What fails here is swept by a later run.
                    runtime.spawn(async move { guest.remove(deadline).await.is_ok() });
                }
            }
            Some(Ending::Bundled(server, _permit)) => server.release("its database was dropped"),
            None => {}
        }
    }
}

fn says(error: &tokio_postgres::Error, words: &str) -> bool {
    error
        .as_db_error()
        .is_some_and(|db| db.message().contains(words) || db.detail().is_some_and(|it| it.contains(words)))
}
