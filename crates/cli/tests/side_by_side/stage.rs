//! Where a case is played: a database, a folder of migrations, and the two parties who take turns.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use trueup_testkit::{Psql, Server, client_tool};

use crate::look::Sight;
use crate::outcome::Outcome;
use crate::parts::flyway;

/// Who performs a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Flyway,
    Ours,
}

/// Keys and values, as Flyway spells them; `{root}` is the case's folder.
pub(crate) type Settings<'s> = &'s [(&'s str, &'s str)];

/// One thing that was done, and everything that could be seen afterwards.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) what: String,
    pub(crate) by: Party,
    /// Whether the parties differ here on purpose; the case says how, and the steps are not compared.
    pub(crate) apart: bool,
    pub(crate) seen: Vec<String>,
}

/// A case while it is played.
pub(crate) struct Stage {
    pub(crate) a: Party,
    pub(crate) b: Party,
    pub(crate) root: TempDir,
    conninfo: String,
    pub(crate) url: String,
    /// Given to every command.
    settings: Vec<(String, String)>,
    /// Environment variables of our commands.
    environment: Vec<(String, String)>,
    /// Schema and name of the history.
    history: (String, String),
    looks: bool,
    pub(crate) apart: bool,
    pub(crate) log: Vec<Step>,
}

impl Stage {
    /// An empty database and an empty folder.
    pub(crate) fn new(server: &Server, a: Party, b: Party) -> Self {
        let conninfo = server.database().unwrap();
        let name = conninfo.rsplit("dbname=").next().unwrap();
        let url = format!("jdbc:postgresql://127.0.0.1:{}/{name}", server.port());
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("sql")).unwrap();
        Self {
            a,
            b,
            root,
            conninfo,
            url,
            settings: Vec::new(),
            environment: Vec::new(),
            history: ("public".to_owned(), "flyway_schema_history".to_owned()),
            looks: true,
            apart: false,
            log: Vec::new(),
        }
    }

    /// Writes a migration.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        self.write_in("sql", name, text);
    }

    /// Writes a file in a folder of the case's own.
    pub(crate) fn write_in(&self, folder: &str, name: &str, text: impl AsRef<[u8]>) {
        let path = self.root.path().join(folder).join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Writes several migrations.
    pub(crate) fn files(&self, files: &[(&str, &str)]) {
        files.iter().for_each(|(name, text)| self.write(name, text));
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.root.path().join("sql").join(name)).unwrap();
    }

    /// For libpq's programs.
    pub(crate) fn conninfo(&self) -> &str {
        &self.conninfo
    }

    /// Sets one of Flyway's settings for all commands from here on.
    pub(crate) fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// Sets an environment variable for our commands from here on.
    pub(crate) fn environment(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Where the history stands.
    pub(crate) fn history_in(&mut self, schema: &str, table: &str) {
        self.history = (schema.to_owned(), table.to_owned());
    }

    /// What stands behind the database's name in the URL.
    pub(crate) fn parameters(&mut self, query: &str) {
        self.url.truncate(self.url.find('?').unwrap_or(self.url.len()));
        if !query.is_empty() {
            self.url.push('?');
            self.url.push_str(query);
        }
    }

    /// No `info` and `validate` after each step from here on: where asking changes what is asked about.
    pub(crate) fn without_looks(&mut self) {
        self.looks = false;
    }

    /// Runs SQL with psql and gives what it printed.
    pub(crate) fn sql(&self, sql: &str) -> String {
        Psql::new(&self.conninfo).run(sql).unwrap()
    }

    /// Asks the database, and holds the answer against the other order's.
    pub(crate) fn see(&mut self, sql: &str) -> String {
        let answer = self.sql(sql);
        let seen = answer.lines().map(str::to_owned).collect();
        self.log.push(Step { what: sql.to_owned(), by: self.a, apart: self.apart, seen });
        answer
    }

    /// The first party's turn.
    pub(crate) fn a(&mut self, verb: &str, settings: Settings<'_>) -> Outcome {
        self.turn("a", self.a, verb, settings)
    }

    /// The second party's turn.
    pub(crate) fn b(&mut self, verb: &str, settings: Settings<'_>) -> Outcome {
        self.turn("b", self.b, verb, settings)
    }

    fn turn(&mut self, part: &str, party: Party, verb: &str, settings: Settings<'_>) -> Outcome {
        let outcome = self.perform(party, verb, settings);
        let with: String = settings.iter().map(|(key, value)| format!(" {key}={value}")).collect();
        self.note(&format!("{part} {verb}{with}"), party, &outcome);
        outcome
    }

    /// Puts down what a party was answered, and what can be seen now.
    pub(crate) fn note(&mut self, what: &str, by: Party, outcome: &Outcome) {
        let mut seen = vec![outcome.seen()];
        seen.extend(self.rows());
        if self.looks {
            seen.extend(self.look());
        }
        self.log.push(Step { what: what.to_owned(), by, apart: self.apart, seen });
    }

    /// What both parties say about files and rows; they must say the same, whoever did what before.
    fn look(&self) -> Vec<String> {
        let sight = |party| Sight {
            info: self.perform_raw(party, "info", &[]),
            validate: self.perform_raw(party, "validate", &[]),
        };
        let ours = sight(Party::Ours).lines();
        if !self.apart && self.is_live() {
            let theirs = sight(Party::Flyway).lines();
            assert_eq!(ours.join("\n"), theirs.join("\n"), "ours, then Flyway's, after: {:#?}", self.log.last());
        }
        ours
    }

    fn is_live(&self) -> bool {
        self.a == Party::Flyway || self.b == Party::Flyway
    }

    /// The history, column by column; times are only looked at for being plausible.
    pub(crate) fn rows(&self) -> Vec<String> {
        let (schema, table) = &self.history;
        let table = format!("\"{schema}\".\"{table}\"");
        if self.sql(&format!("select to_regclass('{table}') is not null")) == "f" {
            return vec!["no history".to_owned()];
        }
        let rows = self.sql(&format!(
            "select installed_rank, version, description, type, script, checksum, installed_by, success, \
             case when execution_time < 0 then 'a negative time' end, \
             case when abs(extract(epoch from installed_on - localtimestamp)) > 600 then 'another hour' end \
             from {table} order by 1"
        ));
        rows.lines().map(str::to_owned).collect()
    }

    /// A command, without putting anything down.
    pub(crate) fn perform(&self, party: Party, verb: &str, settings: Settings<'_>) -> Outcome {
        self.perform_raw(party, verb, settings).0
    }

    /// The outcome, and the whole answer.
    fn perform_raw(&self, party: Party, verb: &str, settings: Settings<'_>) -> (Outcome, Value) {
        let mut all: Vec<(String, String)> = self.settings.clone();
        all.retain(|(key, _)| !settings.iter().any(|(other, _)| other == key));
        all.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        let root = self.root.path().display().to_string();
        all.iter_mut().for_each(|(_, value)| *value = value.replace("{root}", &root));
        match party {
            Party::Flyway => self.theirs(verb, all),
            Party::Ours => self.ours(verb, &all),
        }
    }

    fn theirs(&self, verb: &str, settings: Vec<(String, String)>) -> (Outcome, Value) {
        let mut all = vec![
            ("url".to_owned(), self.url.clone()),
            ("user".to_owned(), "postgres".to_owned()),
            ("password".to_owned(), String::new()),
            ("locations".to_owned(), format!("filesystem:{}", self.root.path().join("sql").display())),
        ];
        all.extend(settings);
        let pairs: Vec<(&str, &str)> = all.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        let answer = flyway().expect("a party to the case").ask(verb, &pairs).unwrap();
        (Outcome::of_flyway(&answer), answer)
    }

    fn ours(&self, verb: &str, settings: &[(String, String)]) -> (Outcome, Value) {
        let mut command = self.command(verb);
        let mut locations = vec![self.root.path().join("sql").display().to_string()];
        for (key, value) in settings {
            match key.as_str() {
                "locations" => locations = value.split(',').map(str::to_owned).collect(),
                // The JVM's; ours has the variable TZ.
                "driver.timeZone" => {}
                _ => {
                    command.arg("--set").arg(format!("{key}={value}"));
                }
            }
        }
        command.args(locations.iter().flat_map(|location| ["--location", location]));
        let (exit, document) = answer(&command.output().unwrap());
        (Outcome::of_ours(exit, &document), document)
    }

    /// Our command on the case's database, without settings.
    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLYWAY_")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.arg("-C").arg(self.root.path());
        command.args([verb, "--format", "json", "--user", "postgres", "--url", &self.url]);
        command
    }

    /// Waits until somebody holds an advisory lock in this database.
    pub(crate) fn wait_for_lock(&self) {
        let held = "select count(*) from pg_locks where locktype = 'advisory' and granted \
                    and database = (select oid from pg_database where datname = current_database())";
        while self.sql(held) == "0" {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }

    /// The schema, the history's table included, without what every dump has.
    pub(crate) fn dump(&self) -> String {
        let pg_dump: PathBuf = client_tool("pg_dump").unwrap();
        let output =
            Command::new(pg_dump).args(["--schema-only", "--no-owner", "-d", &self.conninfo]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout);
        let kept = text.lines().filter(|line| !line.starts_with("--") && !line.starts_with('\\') && !line.is_empty());
        kept.collect::<Vec<_>>().join("\n")
    }
}

/// Our exit code and document.
fn answer(output: &Output) -> (i32, Value) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}\n{errors}"));
    (output.status.code().unwrap_or(-1), value)
}
