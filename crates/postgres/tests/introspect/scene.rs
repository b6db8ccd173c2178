//! A server for all tests of one major, databases on it, and the question what is in them.

use std::sync::OnceLock;

use testkit::{Psql, Server, ServerError};
use tokio_postgres::{Client, NoTls};
use trueup_model::name::QualifiedName;
use trueup_postgres::introspect::{Introspected, Options, introspect};
use trueup_testkit as testkit;

/// The role that owns what the stories make; not a superuser, but trusted with extensions through the template.
pub(crate) const OWNER: &str = "story_owner";

/// The server of a major, shared by the tests of this process; `None`, said aloud, when it is not on this machine.
pub(crate) fn server(major: u16) -> Option<&'static Server> {
    static SERVERS: OnceLock<[OnceLock<Option<Server>>; 6]> = OnceLock::new();
    let slot = usize::from(major - 13);
    let server = SERVERS.get_or_init(Default::default)[slot].get_or_init(|| start(major));
    if server.is_none() {
        testkit::skipped(&format!("PostgreSQL {major} is not on this machine; `cargo xtask fetch` gets it"));
    }
    server.as_ref()
}

fn start(major: u16) -> Option<Server> {
    match Server::start(major) {
        Ok(server) => {
            let roles =
                format!("CREATE ROLE {OWNER} LOGIN; CREATE ROLE story_reader LOGIN; CREATE ROLE other_owner LOGIN;");
            Psql::new(server.conninfo("postgres")).run(&roles).expect("roles");
            Some(server)
        }
        Err(ServerError::Missing(_)) => None,
        Err(failure) => panic!("PostgreSQL {major} did not start: {failure:?}"),
    }
}

/// A new database that `owner` owns; connection strings as that owner.
pub(crate) fn database(server: &Server, owner: &str) -> String {
    let conninfo = server.database().expect("a database");
    let name = conninfo.rsplit('=').next().expect("dbname=").to_owned();
    // Before 15 only the superuser may create in "public"'s place; a plain owner of the database suffices since.
    let script = format!("ALTER DATABASE {name} OWNER TO {owner}; ALTER SCHEMA public OWNER TO {owner};");
    Psql::new(&conninfo).run(&script).expect("the new owner");
    conninfo.replace("user=postgres", &format!("user={owner}"))
}

/// Connects; the connection ends with the client.
pub(crate) async fn connect(conninfo: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(conninfo, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

/// The options of all stories: the history table is left out.
pub(crate) fn options() -> Options {
    Options {
        history_table: Some(QualifiedName::new("app", "flyway_schema_history")),
        with_provenance: true,
        ..Options::default()
    }
}

/// What is in a database, asked by a role that owns nothing there.
pub(crate) async fn inside(conninfo: &str) -> Introspected {
    let reader = conninfo.replace(&format!("user={OWNER}"), "user=story_reader");
    introspect(&connect(&reader).await, &options()).await.expect("an answer")
}
