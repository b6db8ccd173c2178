//! Real migrations replay completely, give the schema that plain `psql` gives, and take less time than it does.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail by panicking and say what they measured")]
#![allow(clippy::single_range_in_vec_init, reason = "statements are lists of ranges")]

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use support::{BIN, Database, corpora, server};
use trueup_migrations::load::load;
use trueup_migrations::migration::MigrationSet;
use trueup_migrations::settings::{Settings, read_conf};
use trueup_model::location::Located;
use trueup_model::location::Location;
use trueup_postgres::replay::{Prepared, ReplayOutcome, replay, scripts_from};

struct Corpus {
    label: String,
    set: MigrationSet,
    settings: Settings,
    golden: Option<PathBuf>,
}

fn corpus(root: &Path, folder: &str, conf: &str, golden: &str) -> Corpus {
    let root = root.join(folder);
    let mut settings = Settings::default();
    let text = std::fs::read_to_string(root.join(conf)).expect(conf);
    assert_eq!(read_conf(&mut settings, &text, &conf.into(), &|_| None), []);
    let set = load(&root, folder, &settings);
    Corpus { label: format!("{folder}/{conf}"), set, settings, golden: Some(root.join(golden)) }
}

fn all() -> Vec<Corpus> {
    let Some(root) = corpora() else { return Vec::new() };
    let mut found = vec![
        corpus(&root, "marquez", "flyway.conf", "golden-schema.sql"),
        corpus(&root, "ohdsi-webapi", "flyway.conf", "golden-schema.sql"),
        corpus(&root, "mulighetsrommet", "flyway.conf", "golden-schema.sql"),
    ];
    for side in ["arena-adapter", "tiltakshistorikk", "tiltaksokonomi"] {
        let (conf, golden) = (format!("flyway-{side}.conf"), format!("golden-schema-{side}.sql"));
        found.push(corpus(&root, "mulighetsrommet", &conf, &golden));
    }
    found.extend(novatrek(&root.join("novatrek")));
    found
}

fn novatrek(root: &Path) -> Vec<Corpus> {
    let services = std::fs::read_dir(root.join("services")).expect("services");
    let mut folders: Vec<PathBuf> = services.map(|entry| entry.expect("entry").path()).collect();
    folders.sort();
    let found = folders.iter().filter_map(|folder| {
        let migrations = folder.join("src/main/resources/db/migration");
        let relative = migrations.strip_prefix(root).ok()?.to_str()?.to_owned();
        let mut settings = Settings::default();
        let locations = Located::new(format!("filesystem:{relative}"), Location::whole("x"));
        settings.set("locations", locations).expect("locations");
        let label = format!("novatrek/{}", folder.file_name()?.to_str()?);
        migrations.is_dir().then(|| Corpus { label, set: load(root, "s", &settings), settings, golden: None })
    });
    found.collect()
}

fn prepare(corpus: &Corpus) -> Prepared {
    scripts_from(&corpus.set, &corpus.settings, &corpus.settings.replacements())
}

async fn replayed(database: &Database, prepared: &Prepared) -> ReplayOutcome {
    let mut session = database.connect().await;
    let outcome = replay(&mut session, &prepared.scripts, &prepared.options).await.expect("surroundings");
    session.close().await;
    outcome
}

#[tokio::test]
async fn all_corpora_replay_and_give_the_golden_schema() {
    for corpus in all() {
        let prepared = prepare(&corpus);
        assert_eq!(prepared.refused, None, "{}", corpus.label);
        assert!(!prepared.scripts.is_empty(), "{}", corpus.label);
        let database = server().database().await;
        let outcome = replayed(&database, &prepared).await;
        let place = outcome.failure.as_ref().and_then(|failure| prepared.locate(failure));
        assert_eq!(outcome.failure, None, "{} {place:?}", corpus.label);
        assert_eq!(outcome.applied.len(), prepared.scripts.len());
        println!("{}: {} scripts, {} round trips", corpus.label, outcome.applied.len(), outcome.round_trips);
        if let Some(golden) = &corpus.golden {
            let expected = statements(&std::fs::read_to_string(golden).expect("golden"));
            let found = dump(&database);
            if expected != found {
                let (mut expected, mut found) = (expected.lines(), found.lines());
                let first = (&mut expected).zip(&mut found).find(|(one, other)| one != other);
                panic!("{}: {first:?}", corpus.label);
            }
        }
    }
}

fn dump(database: &Database) -> String {
    let dump =
        client(database, "pg_dump").args(["--schema-only", "--no-owner", "-T", "*flyway_schema_history"]).output();
    statements(&String::from_utf8(dump.expect("pg_dump").stdout).expect("UTF-8"))
}

/// A dump without comments, blank lines and what only some versions of pg_dump write.
fn statements(dump: &str) -> String {
    let kept = dump.lines().filter(|line| !line.is_empty() && !line.starts_with("--") && !line.starts_with('\\'));
    kept.collect::<Vec<_>>().join("\n")
}

fn client(database: &Database, program: &str) -> Command {
    let mut command = Command::new(Path::new(BIN).join(program));
    let dir = &server().dir;
    command.arg("-h").arg(dir).args(["-U", &database.owner.user, "-d", &database.owner.dbname]);
    command
}

/// The same SQL, a file per script, included one after the other in one `psql` session.
fn psql_files(prepared: &Prepared, dir: &Path) -> PathBuf {
    let mut main = "\\set ON_ERROR_STOP 1\nset client_min_messages = warning;\n".to_owned();
    for schema in &prepared.options.create_schemas {
        main += &format!("create schema {};\n", schema.quoted());
    }
    if let Some(schema) = &prepared.options.default_schema {
        main += &format!("set search_path = {}, public;\n", schema.quoted());
    }
    if let Some(history) = &prepared.options.history {
        main += &format!("create table {} (version text, script text);\n", history.quoted());
    }
    for script in &prepared.scripts {
        let file = dir.join(format!("{}.sql", script.id));
        std::fs::write(&file, format!("{}\n;\n", script.text)).expect("script");
        main += &format!("\\i {}\n", file.display());
    }
    main += &format!("\\o\n\\pset tuples_only\n{CPU};\n");
    let file = dir.join("main.sql");
    std::fs::write(&file, main).expect("main");
    file
}

/// Nanoseconds the serving process has spent on a processor: what a busy machine does not falsify.
const CPU: &str = "SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)";

async fn readable() -> Database {
    let database = server().database().await;
    let user = &database.owner.user;
    database.ask(&format!("GRANT pg_read_server_files TO {user}")).await;
    database.ask(&format!("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO {user}")).await;
    database
}

async fn psql_time(main: &Path) -> (Duration, Duration) {
    let database = readable().await;
    let start = Instant::now();
    let ran = client(&database, "psql").args(["-X", "-q", "-o", "/dev/null", "-f"]).arg(main).output().expect("psql");
    let elapsed = start.elapsed();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let output = String::from_utf8(ran.stdout).expect("UTF-8");
    (elapsed, Duration::from_nanos(output.trim().parse().expect("nanoseconds")))
}

/// Laying out, connecting and replaying; then the server's processor time, then laying out alone.
async fn replay_time(corpus: &Corpus) -> (Duration, Duration, Duration) {
    let database = readable().await;
    let start = Instant::now();
    let prepared = prepare(corpus);
    let laid_out = start.elapsed();
    let mut session = database.connect().await;
    let outcome = replay(&mut session, &prepared.scripts, &prepared.options).await.expect("surroundings");
    let elapsed = start.elapsed();
    assert_eq!(outcome.failure, None);
    let cpu = session.query(CPU).await.expect("processor time").rows[0][0].clone();
    (elapsed, Duration::from_nanos(cpu.expect("a number").parse().expect("nanoseconds")), laid_out)
}

/// A measurement: `cargo test --release -p trueup-postgres --test replay_corpora -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "a measurement, for an otherwise idle machine"]
async fn faster_than_psql() {
    const ROUNDS: usize = 3;
    let mut slow = Vec::new();
    for corpus in all().into_iter().filter(|corpus| corpus.golden.is_some()) {
        let dir = tempfile::tempdir().expect("temporary directory");
        let main = psql_files(&prepare(&corpus), dir.path());
        let (mut ours, mut psql) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            psql.push(psql_time(&main).await);
            ours.push(replay_time(&corpus).await);
        }
        ours.sort();
        psql.sort();
        let ((ours, cpu, laid_out), (psql, psql_cpu)) = (ours[ROUNDS / 2], psql[ROUNDS / 2]);
        let ratio = ours.as_secs_f64() / psql.as_secs_f64();
        let in_server = cpu.as_secs_f64() / psql_cpu.as_secs_f64();
        println!("{}: replay {ours:?} (of it laying out {laid_out:?}), psql {psql:?}, ratio {ratio:.2}", corpus.label);
        println!("    in the server {cpu:?}, psql {psql_cpu:?}, ratio {in_server:.2}");
        if ratio > 0.9 {
            slow.push(corpus.label);
        }
    }
    assert_eq!(slow, Vec::<String>::new(), "slower than 0.9 of psql");
}
