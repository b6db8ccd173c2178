//! A server that the user gave: databases and roles of ours on it, dropped afterwards, swept when a run was killed.

use super::database::{Database, Ending, Names};
use super::secret::{self, random_tag};
use super::sql::{connect, identifier, literal, within};
use super::{DatabaseError, Engine, EngineKind, StartError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};
use trueup_model::secret::Secret;

/// Every database of ours is named `trueup_scratch_<unix seconds, hex>_<random>`.
const DATABASE: &str = "trueup_scratch_";
/// Every role of ours begins so.
const OWNER: &str = "trueup_owner_";
/// A database of ours that is older was left by a run that was killed.
const STALE: Duration = Duration::from_secs(6 * 3600);

/// The user's server.
#[derive(Debug)]
pub(super) struct HostServer {
    config: Config,
    superuser: bool,
    engine: Arc<Engine>,
    deadline: Duration,
}

/// One database of ours on it.
#[derive(Debug)]
pub(super) struct Guest {
    control: Config,
    names: Names,
}

impl HostServer {
    /// Connects once, to learn version and rights and to sweep.
    pub(super) async fn start(url: &Secret, deadline: Duration) -> Result<Self, StartError> {
        let mut config = parse(url)?;
        config.application_name("trueup").connect_timeout(deadline).options("-c search_path=pg_catalog");
        let work = async {
            let client = connect(&config).await?;
            let row = client.query_one(ABOUT, &[]).await?;
            sweep(&client).await?;
            Ok(row)
        };
        let row = tokio::time::timeout(deadline, work)
            .await
            .map_err(|_| StartError::Deadline { what: "the scratch server".to_owned(), deadline })?
            .map_err(|source| StartError::Sql { what: "use the scratch server", source })?;
        let (number, version, superuser, may): (i32, String, bool, bool) =
            (row.get(0), row.get(1), row.get(2), row.get(3));
        if !may {
            let reason = "its user may not create databases and roles (CREATEDB and CREATEROLE, or superuser)";
            return Err(StartError::Url { reason: reason.to_owned() });
        }
        let major = u16::try_from(number / 10_000).unwrap_or_default();
        if major < 13 {
            return Err(StartError::Url { reason: format!("it is PostgreSQL {version}; 13 or newer is needed") });
        }
        let chosen = "the scratch URL was given".to_owned();
        let engine = Arc::new(Engine { kind: EngineKind::Url, version, major, chosen });
        Ok(Self { config, superuser, engine, deadline })
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Creates a database with an owner of its own.
    pub(super) async fn database(&self) -> Result<Database, DatabaseError> {
        let (tag, password) = (random_tag(), secret::random());
        let names = Names { database: format!("{DATABASE}{:x}_{tag}", unix_seconds()), owner: format!("{OWNER}{tag}") };
        // Made first: it clears away whatever a failure or a deadline leaves half done.
        let guest = Guest { control: self.config.clone(), names: names.clone() };
        let created = within(self.deadline, "create a database", self.create(&names, &password)).await;
        if let Err(error) = created {
            // The first error says what is wrong; dropping what is not there is none.
            let _ = guest.remove(self.deadline).await;
            return Err(error);
        }
        let mut owner = self.config.clone();
        owner.user(&names.owner).password(password.expose()).dbname(&names.database).options("");
        let mut superuser = self.config.clone();
        superuser.dbname(&names.database);
        Ok(Database::new(owner, superuser, self.engine.clone(), self.deadline, Ending::Url(Box::new(guest))))
    }

    async fn create(&self, names: &Names, password: &Secret) -> Result<(), tokio_postgres::Error> {
        let client = connect(&self.config).await?;
        let Names { database, owner } = names;
        let password = literal(password.expose());
        let mut statements = vec![format!(
            "CREATE ROLE {owner} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {password}"
        )];
        if !self.superuser {
            // Who gives a database away has to be a member of the new owner.
            statements.push(format!("GRANT {owner} TO CURRENT_USER"));
        }
        statements.push(format!("CREATE DATABASE {database} OWNER {owner} TEMPLATE template0"));
        statements.push(format!("REVOKE ALL ON DATABASE {database} FROM PUBLIC"));
        statements.push(format!("COMMENT ON DATABASE {database} IS {}", literal(&comment())));
        for sql in statements {
            client.batch_execute(&sql).await?;
        }
        Ok(())
    }
}

impl Guest {
    /// Drops database and owner; what is gone already is no error.
    pub(super) async fn remove(&self, deadline: Duration) -> Result<(), DatabaseError> {
        let work = async {
            let client = connect(&self.control).await?;
            drop_both(&client, &self.names.database, &self.names.owner).await
        };
        within(deadline, "drop a database", work).await
    }
}

/// Version and rights of the user of the URL.
const ABOUT: &str = "SELECT current_setting('server_version_num')::int4, current_setting('server_version'),
  rolsuper, rolsuper OR (rolcreatedb AND rolcreaterole) FROM pg_catalog.pg_roles WHERE rolname = current_user";

fn parse(url: &Secret) -> Result<Config, StartError> {
    let refuse = |reason: &str| StartError::Url { reason: reason.to_owned() };
    let no_tls = "it asks for TLS, which trueup does not speak yet; use a server on this machine, or sslmode=disable";
    if ["sslmode=verify-ca", "sslmode=verify-full", "sslmode=require"].iter().any(|it| url.expose().contains(it)) {
        return Err(refuse(no_tls));
    }
    // The parser's messages name parameters, never their values.
    let config = Config::from_str(url.expose()).map_err(|error| {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        refuse(&source.unwrap_or_else(|| error.to_string()))
    })?;
    if config.get_ssl_mode() == SslMode::Require {
        return Err(refuse(no_tls));
    }
    if !config.get_hosts().iter().all(is_local) && config.get_ssl_mode() != SslMode::Disable {
        return Err(refuse(
            "its host is another machine, and trueup does not speak TLS yet; say sslmode=disable if \
                           the network between may read everything",
        ));
    }
    Ok(config)
}

fn is_local(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let ip = name.parse::<IpAddr>().ok();
            name == "localhost" || ip.is_some_and(|ip| ip == Ipv4Addr::LOCALHOST || ip == Ipv6Addr::LOCALHOST)
        }
    }
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// For people who look at the server.
fn comment() -> String {
    let host = nix::unistd::gethostname().unwrap_or_default();
    format!("trueup scratch {} {} {}", unix_seconds(), host.to_string_lossy(), std::process::id())
}

/// Drops databases of ours that are too old to be in use. Another run may sweep at the same time.
async fn sweep(client: &Client) -> Result<(), tokio_postgres::Error> {
    let ours = "SELECT datname::text, pg_get_userbyid(datdba)::text FROM pg_catalog.pg_database WHERE datname LIKE $1";
    let rows = client.query(ours, &[&format!("{}%", DATABASE.replace('_', "\\_"))]).await?;
    for row in rows {
        let (database, owner): (String, String) = (row.get(0), row.get(1));
        if is_stale(&database, unix_seconds()) {
            // Another sweep may have been faster, or it is not ours to drop: not this run's trouble.
            let _ = drop_both(client, &database, &owner).await;
        }
    }
    Ok(())
}

fn is_stale(database: &str, now: u64) -> bool {
    let born = database.strip_prefix(DATABASE).and_then(|rest| rest.split_once('_'));
    born.and_then(|(hex, _)| u64::from_str_radix(hex, 16).ok()).is_some_and(|born| now > born + STALE.as_secs())
}

async fn drop_both(client: &Client, database: &str, owner: &str) -> Result<(), tokio_postgres::Error> {
    client.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", identifier(database))).await?;
    if owner.starts_with(OWNER) {
        client.batch_execute(&format!("DROP ROLE IF EXISTS {}", identifier(owner))).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        parse(&Secret::new(url)).unwrap_err().to_string()
    }

    #[test]
    fn tls_is_refused_and_not_left_out() {
        for mode in ["require", "verify-ca", "verify-full"] {
            assert!(refusal(&format!("postgresql://u:geheim@localhost/d?sslmode={mode}")).contains("TLS"));
            assert!(refusal(&format!("host=/tmp user=u password=geheim sslmode={mode}")).contains("TLS"));
        }
        assert!(refusal("postgresql://u:geheim@db.example.com/d").contains("another machine"));
    }

    #[test]
    fn a_refusal_does_not_repeat_the_url() {
        for url in ["postgresql://u:geheim@h:x/d", "postgresql://u:geheim@h/d?geheim=geheim2", "geheim"] {
            assert!(!refusal(url).contains("geheim2") && !refusal(url).contains("u:geheim"), "{}", refusal(url));
        }
    }

    #[test]
    fn local_ones_and_explicit_ones_are_taken() {
        for url in [
            "postgresql://u@localhost/d",
            "postgresql://u@127.0.0.1/d",
            "postgresql://u@[::1]/d",
            "host=/run/postgresql user=u",
            "postgresql://u@db.example.com/d?sslmode=disable",
        ] {
            assert!(parse(&Secret::new(url)).is_ok(), "{url}");
        }
    }

    #[test]
    fn only_old_databases_of_ours_are_stale() {
        let now = 2_000_000_000;
        let named = |born: u64| format!("{DATABASE}{born:x}_0123abcd");
        assert!(is_stale(&named(now - STALE.as_secs() - 1), now));
        assert!(!is_stale(&named(now - 60), now));
        assert!(!is_stale("trueup_scratch_mine", now));
        assert!(!is_stale("production", now));
    }
}
