//! One server and one Flyway for all tests of this binary, and a folder and a database for each.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;
use tempfile::TempDir;
use trueup_testkit::flyway::Flyway;
use trueup_testkit::{Link, Psql, Server, skipped};

const MAJOR: u16 = 15;

pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start_with_tcp(MAJOR).ok());
    if server.is_none() {
        skipped("there is no PostgreSQL 15 on this machine");
    }
    server.as_ref()
}

/// The one Flyway, for one test at a time.
pub(crate) fn flyway() -> Option<MutexGuard<'static, Flyway>> {
    static FLYWAY: OnceLock<Result<Mutex<Flyway>, String>> = OnceLock::new();
    match FLYWAY.get_or_init(|| Flyway::start().map(Mutex::new)) {
        Ok(flyway) => Some(flyway.lock().unwrap_or_else(PoisonError::into_inner)),
        Err(why) => {
            skipped(why);
            None
        }
    }
}

/// A database and a folder of migrations.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    /// Who runs our commands.
    pub(crate) user: &'static str,
    conninfo: String,
    url: String,
    url_setting: String,
}

impl Scene {
    /// An empty database, and files: name and text.
    pub(crate) fn new(server: &Server, files: &[(&str, &str)]) -> Self {
        let conninfo = server.database().unwrap();
        let name = conninfo.rsplit("dbname=").next().unwrap();
        let url = format!("jdbc:postgresql://127.0.0.1:{}/{name}", server.port());
        let url_setting = format!("-url={url}");
        let scene = Self { folder: tempfile::tempdir().unwrap(), user: "postgres", url, url_setting, conninfo };
        files.iter().for_each(|(name, text)| scene.write(name, text));
        scene
    }

    /// The same database, over a link.
    pub(crate) fn reached_through(self, link: &Link) -> Self {
        self.reached_on(link.port())
    }

    /// The same database, on another port of 127.0.0.1.
    pub(crate) fn reached_on(mut self, port: u16) -> Self {
        let name = self.url.rsplit('/').next().unwrap();
        self.url = format!("jdbc:postgresql://127.0.0.1:{port}/{name}");
        self.url_setting = format!("-url={}", self.url);
        self
    }

    /// The same database, with a parameter in its URL.
    pub(crate) fn with_parameter(mut self, parameter: &str) -> Self {
        self.url = format!("{}?{parameter}", self.url);
        self
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    /// The database, as Flyway's command line is given it.
    pub(crate) fn url_setting(&self) -> &str {
        &self.url_setting
    }

    /// For libpq's programs.
    pub(crate) fn conninfo(&self) -> &str {
        &self.conninfo
    }

    /// Runs SQL with psql and gives what it printed.
    pub(crate) fn sql(&self, sql: &str) -> String {
        Psql::new(&self.conninfo).run(sql).unwrap()
    }

    /// The history, all columns but times.
    pub(crate) fn rows(&self) -> String {
        self.rows_in("public")
    }

    pub(crate) fn rows_in(&self, schema: &str) -> String {
        self.sql(&format!(
            "SELECT installed_rank,version,description,type,script,checksum,installed_by,success,execution_time>=0,\
             abs(extract(epoch FROM installed_on - localtimestamp)) < 600 \
             FROM {schema}.flyway_schema_history ORDER BY 1"
        ))
    }

    pub(crate) fn tables(&self) -> String {
        let sql = "SELECT string_agg(relname,' ' ORDER BY relname) FROM pg_class WHERE relkind='r' \
                   AND relnamespace='public'::regnamespace AND relname<>'flyway_schema_history'";
        self.sql(sql)
    }

    /// Waits until somebody holds an advisory lock in this database.
    pub(crate) fn wait_for_lock(&self) {
        let held = "select count(*) from pg_locks where locktype = 'advisory' and granted \
                    and database = (select oid from pg_database where datname = current_database())";
        while self.sql(held) == "0" {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// Our command, in another folder than the files' when `folder` says so.
    pub(crate) fn command(&self, verb: &str, folder: &Path) -> Command {
        let mut command = self.for_people(verb, folder);
        command.args(["--format", "json"]);
        command
    }

    /// The same, with what people read for an answer.
    pub(crate) fn for_people(&self, verb: &str, folder: &Path) -> Command {
        self.through(&self.url, verb, folder)
    }

    /// The same over another way to the database: the port of 127.0.0.1.
    pub(crate) fn on_port(&self, port: u16, verb: &str) -> Command {
        let name = self.url.rsplit('/').next().unwrap();
        let url = format!("jdbc:postgresql://127.0.0.1:{port}/{name}");
        let mut command = self.through(&url, verb, self.folder.path());
        command.args(["--format", "json"]);
        command
    }

    fn through(&self, url: &str, verb: &str, folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLYWAY_")) {
            command.env_remove(name);
        }
        command.arg("-C").arg(folder).args([verb, "--user", self.user, "--url", url]);
        command
    }

    /// Runs our command on the scene's folder; the exit code and the document.
    pub(crate) fn ours(&self, verb: &str, more: &[&str]) -> (i32, Value) {
        let mut command = self.command(verb, self.folder.path());
        answer(&command.args(["--location", "."]).args(more).output().unwrap())
    }

    /// Runs our migrate, which must work, and gives how many migrations it ran.
    pub(crate) fn migrate(&self) -> u64 {
        let (code, answer) = self.ours("migrate", &[]);
        assert_eq!((code, &answer["success"]), (0, &Value::Bool(true)), "{answer:#}");
        answer["migrationsExecuted"].as_u64().unwrap()
    }

    /// Gives Flyway a command with the scene's folder and database, and the lock that CONCURRENTLY needs.
    pub(crate) fn theirs(&self, flyway: &mut Flyway, verb: &str, more: &[(&str, &str)]) -> Value {
        let locations = format!("filesystem:{}", self.folder.path().display());
        let mut settings = vec![
            ("url", self.url.as_str()),
            ("user", "postgres"),
            ("password", ""),
            ("locations", &locations),
            ("postgresql.transactional.lock", "false"),
        ];
        // Later ones win: Flyway is given a map.
        settings.retain(|(key, _)| !more.iter().any(|(other, _)| other == key));
        settings.extend(more);
        flyway.ask(verb, &settings).unwrap()
    }
}

pub(crate) fn answer(output: &Output) -> (i32, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{errors}"));
    (output.status.code().unwrap_or(-1), value)
}

/// A list of strings in a document.
pub(crate) fn strings(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
