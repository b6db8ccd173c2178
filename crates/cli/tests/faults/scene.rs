//! Files that make a run of every kind, databases to run them on, and what an undisturbed run leaves.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use trueup_testkit::{Psql, Server, client_tool, skipped};

const MAJOR: u16 = 15;

/// Longest time for anything to happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The lock on `public.flyway_schema_history`.
pub(crate) const LOCK: &str = "77433833903597";

/// Every script leaves a line in `log`, so that one that ran twice is seen. `/*n*/` marks the script with that version.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("V1__log.sql", "/*1*/ create table log(what text not null);"),
    ("V2__t.sql", "/*2*/ create table t2(id int primary key); insert into log values ('2'); select pg_sleep(0.004);"),
    ("V3__t.sql", "/*3*/ create table t3(id int primary key); insert into log values ('3'); select pg_sleep(0.004);"),
    ("V4__copy.sql", "insert /*4*/ into log values ('4');\ncopy log from stdin;\nfrom four\nfrom four too\n\\.\n"),
    ("V5__history.sql", "insert /*5*/ into log select 'rows: ' || count(*) from flyway_schema_history;"),
    ("V6__t.sql", "/*6*/ create table t6(id int primary key); insert into log values ('6'); select pg_sleep(0.004);"),
    ("V7__index.sql", "create index concurrently log_what on log(what);"),
    (
        "V8__steps.sql",
        "insert into log values ('8');\nbegin; insert into log values ('8 too'); commit;\n\
         create index concurrently log_length on log(length(what));\nvacuum log;\ninsert into log values ('8 last');",
    ),
    ("V8__steps.sql.conf", "executeInTransaction=false\n"),
    ("V9__t.sql", "/*9*/ create table t9(id int primary key); insert into log values ('9'); select pg_sleep(0.004);"),
    ("V10__t.sql", "/*10*/ create table t10(id int primary key); insert into log values ('10');"),
    ("R__v.sql", "/*R*/ create or replace view v as select count(*) as lines from log;"),
];

/// The server of all tests but those that restart one.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start_with_tcp(MAJOR).ok());
    if server.is_none() {
        skipped("there is no PostgreSQL 15 on this machine");
    }
    server.as_ref()
}

/// A server of its own, for a test that ends it.
pub(crate) fn own_server() -> Option<Server> {
    Server::start_with_tcp(MAJOR).inspect_err(|_| skipped("there is no PostgreSQL 15 on this machine")).ok()
}

pub(crate) fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// A folder of migrations, and what they leave.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    /// What an undisturbed run leaves.
    undisturbed: String,
}

impl Scene {
    pub(crate) fn new(server: &Server, files: &[(&str, &str)]) -> Self {
        let mut scene = Self { folder: folder(files), undisturbed: String::new() };
        let database = Database::new(server);
        database.migrate(scene.folder.path(), &[]);
        scene.undisturbed = database.state();
        scene
    }

    /// Runs to the end, undisturbed, and compares.
    pub(crate) fn completes(&self, database: &Database, what: &str) {
        database.migrate(self.folder.path(), &[]);
        let state = database.state();
        assert!(state == self.undisturbed, "{what}\n{}", difference(&self.undisturbed, &state));
        assert_eq!(database.migrate(self.folder.path(), &[]), 0, "{what}");
    }
}

fn difference(expected: &str, found: &str) -> String {
    let missing = expected.lines().filter(|line| !found.contains(line)).map(|line| format!("- {line}"));
    let added = found.lines().filter(|line| !expected.contains(line)).map(|line| format!("+ {line}"));
    let lines: Vec<_> = missing.chain(added).collect();
    if lines.is_empty() { format!("the same lines, otherwise often\n{found}") } else { lines.join("\n") }
}

/// A database, which goes with this.
pub(crate) struct Database {
    conninfo: String,
    name: String,
    port: u16,
}

impl Database {
    pub(crate) fn new(server: &Server) -> Self {
        Self::at(server.database().unwrap(), server.port())
    }

    /// A copy of a database that nobody uses.
    pub(crate) fn copy_of(server: &Server, original: &Self) -> Self {
        let copy = Self::new(server);
        let maintenance = copy.conninfo.replace(&copy.name, "postgres");
        let (name, from) = (&copy.name, &original.name);
        let sql = format!("drop database {name};\ncreate database {name} template {from}");
        Psql::new(maintenance).run(&sql).unwrap();
        copy
    }

    fn at(conninfo: String, port: u16) -> Self {
        let name = conninfo.rsplit("dbname=").next().unwrap().to_owned();
        Self { conninfo, name, port }
    }

    pub(crate) fn sql(&self, sql: &str) -> String {
        Psql::new(&self.conninfo).run(sql).unwrap()
    }

    /// A run of ours through this port.
    pub(crate) fn command(&self, folder: &Path, port: u16) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLYWAY_")) {
            command.env_remove(name);
        }
        let url = format!("jdbc:postgresql://127.0.0.1:{port}/{}?sslmode=disable", self.name);
        command.arg("-C").arg(folder).args(["migrate", "--format", "json", "--user", "postgres"]);
        command.args(["--location", ".", "--url", &url]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs undisturbed, which must work; how many migrations ran.
    pub(crate) fn migrate(&self, folder: &Path, more: &[&str]) -> u64 {
        let (code, document) = answer(&self.command(folder, self.port).args(more).output().unwrap());
        assert_eq!(code, 0, "{document:#}");
        document["migrationsExecuted"].as_u64().unwrap()
    }

    /// Everything in it, as the lines that `pg_dump` tells it with, and the history but for times.
    pub(crate) fn state(&self) -> String {
        let dump = Command::new(client_tool("pg_dump").unwrap())
            .args(["--exclude-table-data=flyway_schema_history", "-d", &self.conninfo])
            .output()
            .unwrap();
        assert!(dump.status.success(), "{}", String::from_utf8_lossy(&dump.stderr));
        // Recent ones put a random word into their output. Rows stand where there was room for them: in any order.
        let dump = String::from_utf8(dump.stdout).unwrap();
        let mut dump: Vec<_> = dump.lines().filter(|line| !line.starts_with('\\')).collect();
        dump.sort_unstable();
        let history = self.sql(
            "select installed_rank, version, description, type, script, checksum, installed_by, success \
             from flyway_schema_history order by 1",
        );
        let invalid = self.sql("select indexrelid::regclass, 'is invalid' from pg_index where not indisvalid");
        format!("{}\n{history}\n{invalid}", dump.join("\n"))
    }

    /// The successes of the history.
    pub(crate) fn applied(&self) -> u64 {
        if self.sql("select to_regclass('flyway_schema_history') is null") == "t" {
            return 0;
        }
        self.sql("select count(*) from flyway_schema_history where success").parse().unwrap()
    }

    /// Waits until a query gives this.
    pub(crate) fn wait_for(&self, sql: &str, value: &str) {
        let end = Instant::now() + PATIENCE;
        while self.sql(sql) != value {
            assert!(
                Instant::now() < end,
                "{sql} is not {value}: {}",
                self.sql("select pid, state, query from pg_stat_activity")
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until nobody else is connected: until then a killed runner's server process may still be at work.
    pub(crate) fn is_left_alone(&self) {
        self.wait_for(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
            "0",
        );
    }

    /// Another session, which runs SQL in a transaction and keeps it open until it is dropped.
    pub(crate) fn other(&self, sql: &str) -> Other {
        let mut child = Command::new(client_tool("psql").unwrap())
            .args(["-X", "-q", "-A", "-t", "-d", &self.conninfo])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        writeln!(child.stdin.as_mut().unwrap(), "begin; {sql}; select 'ready';").unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "ready"));
        Other(child)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let maintenance = self.conninfo.replace(&self.name, "postgres");
        // What is still connected after a failure keeps its database.
        let _ = Psql::new(maintenance).run(&format!("drop database {}", self.name));
    }
}

/// Somebody else's open transaction.
pub(crate) struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

pub(crate) fn answer(output: &Output) -> (i32, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{errors}"));
    (output.status.code().unwrap_or(-1), value)
}
