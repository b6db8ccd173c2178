//! Every corpus migrates with ours and with Flyway to the same history, and each is content with what the other did.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use trueup_testkit::flyway::Flyway;
use trueup_testkit::{client_tool, shared_corpora, skipped};

use crate::scene::{Scene, answer, flyway, server, strings};

/// A folder with a `flyway.conf`, or with migrations and none.
struct Corpus {
    label: String,
    folder: PathBuf,
    /// Flyway's keys and values.
    settings: Vec<(String, String)>,
}

fn corpora(root: &Path) -> Vec<Corpus> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let folder = entry.unwrap().path();
        let files = std::fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path());
        let confs = files.filter(|file| file.extension().is_some_and(|end| end == "conf"));
        found.extend(confs.map(|conf| from_conf(&folder, &conf)));
        let services = std::fs::read_dir(folder.join("services")).into_iter().flatten();
        let services = services.map(|service| service.unwrap().path());
        found.extend(services.filter_map(|service| {
            let migrations = service.join("src/main/resources/db/migration");
            let label = service.strip_prefix(root).unwrap().display().to_string();
            let locations = ("locations".to_owned(), format!("filesystem:{}", migrations.display()));
            migrations.is_dir().then(|| Corpus { label, folder: service, settings: vec![locations] })
        }));
    }
    found.sort_by(|a, b| a.label.cmp(&b.label));
    found
}

fn from_conf(folder: &Path, conf: &Path) -> Corpus {
    let text = std::fs::read_to_string(conf).unwrap();
    let pairs = text.lines().filter_map(|line| line.strip_prefix("flyway.")?.split_once('='));
    let settings = pairs.map(|(key, value)| {
        let value = if key == "locations" {
            let absolute = |location: &str| {
                format!("filesystem:{}", folder.join(location.trim_start_matches("filesystem:")).display())
            };
            value.split(',').map(absolute).collect::<Vec<_>>().join(",")
        } else {
            value.to_owned()
        };
        (key.to_owned(), value)
    });
    Corpus { label: conf.display().to_string(), folder: folder.to_owned(), settings: settings.collect() }
}

fn ours(scene: &Scene, corpus: &Corpus, verb: &str) -> (i32, Value) {
    // From an empty folder, so that the settings are these and no others.
    let mut command = scene.command(verb, scene.folder.path());
    for (key, value) in &corpus.settings {
        if key == "locations" {
            command.args(value.split(',').flat_map(|location| ["--location", location]));
        } else {
            command.arg("--set").arg(format!("{key}={value}"));
        }
    }
    answer(&command.output().unwrap())
}

/// The schema, without data: random identifiers and times differ in every run.
fn dump(scene: &Scene) -> String {
    let output = std::process::Command::new(client_tool("pg_dump").unwrap())
        .args(["--schema-only", "--no-owner", "-d", scene.conninfo()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let kept = text.lines().filter(|line| !line.starts_with("--") && !line.starts_with('\\'));
    kept.collect::<Vec<_>>().join("\n")
}

/// Every file and row with its state, as both say it of a database; they say the same.
fn states(flyway: &mut Flyway, scene: &Scene, corpus: &Corpus, settings: &[(&str, &str)]) -> Vec<String> {
    let theirs = strings(&scene.theirs(flyway, "info", settings)["items"]);
    let (code, document) = ours(scene, corpus, "info");
    assert_eq!(code, 0, "{}: {document:#}", corpus.label);
    let of = |item: &Value| {
        let text = |key: &str| item[key].as_str().unwrap_or_default();
        let name = item["version"].as_str().unwrap_or_else(|| text("description"));
        format!("{name}|{}|{}|{}", text("description"), text("type"), text("state"))
    };
    let ours: Vec<_> = document["migrations"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(ours, theirs, "{}: ours, then Flyway's", corpus.label);
    ours
}

/// Flyway is given the lock with which `CREATE INDEX CONCURRENTLY` ends: with its default it hangs on Marquez for ever.
/// Ours is given no such thing.
#[test]
fn every_corpus_in_both_orders() {
    let Some(root) = shared_corpora() else { return skipped("no corpora beside the repository; set TRUEUP_SHARED") };
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let all = corpora(&root);
    assert!(all.len() > 20, "{}", all.len());
    assert!(all.iter().any(|corpus| corpus.label.contains("marquez")), "the corpus on which Flyway hangs");
    for corpus in &all {
        assert!(corpus.folder.is_dir());
        let extra: Vec<(&str, &str)> = corpus
            .settings
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .chain([("postgresql.transactional.lock", "false")])
            .collect();
        let schema = extra.iter().find(|(key, _)| *key == "defaultSchema").map_or("public", |(_, value)| value);
        let (first, second) = (Scene::new(server, &[]), Scene::new(server, &[]));
        let start = std::time::Instant::now();
        let theirs = first.theirs(&mut flyway, "migrate", &extra);
        let theirs_took = start.elapsed();
        assert_eq!(theirs["ok"], true, "{}: {theirs:#}", corpus.label);
        let start = std::time::Instant::now();
        let (code, migrated) = ours(&second, corpus, "migrate");
        let ours_took = start.elapsed();
        assert_eq!(code, 0, "{}: {migrated:#}", corpus.label);
        assert_eq!(migrated["migrationsExecuted"], theirs["executed"], "{}", corpus.label);
        assert_eq!(second.rows_in(schema), first.rows_in(schema), "{}", corpus.label);
        assert_eq!(dump(&second), dump(&first), "{}", corpus.label);
        assert_eq!(
            second.theirs(&mut flyway, "validate", &extra),
            json!({"ok": true, "codes": []}),
            "{}",
            corpus.label
        );
        assert_eq!(second.theirs(&mut flyway, "migrate", &extra)["executed"], 0, "{}", corpus.label);
        let shown = states(&mut flyway, &first, corpus, &extra);
        assert!(!shown.is_empty(), "{}", corpus.label);
        assert_eq!(states(&mut flyway, &second, corpus, &extra), shown, "{}", corpus.label);
        let (code, validated) = ours(&first, corpus, "validate");
        assert_eq!(code, 0, "{}: {validated:#}", corpus.label);
        let (code, again) = ours(&first, corpus, "migrate");
        assert_eq!((code, &again["migrationsExecuted"]), (0, &json!(0)), "{}: {again:#}", corpus.label);
        println!(
            "{}: {} migrations, Flyway {theirs_took:.2?}, ours {ours_took:.2?}, {} round trips; no-op {} round trips",
            corpus.label, migrated["migrationsExecuted"], migrated["roundTrips"], again["roundTrips"]
        );
    }
}
