//! `trueup portal serve` over plain HTTP: what is answered and what is not, what is noticed, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod served;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;
use scraper::{Html, Selector};
use serde_json::json;
use served::Served;
use trueup_cli::check::{digest, inputs};
use trueup_cli::settings::Settings;

const YAML: &str = "architecture/metadata/data-stores.yaml";
const DOMAINS: &str = "architecture/metadata/domains.yaml";

const INTENT: &str = "\
svc-loans:
  engine: PostgreSQL 15
  schema: loans
  tables: [loans]
  table_details:
    loans:
      columns:
      - {name: loan_id, type: UUID, constraints: PK}
svc-members:
  engine: PostgreSQL 15
  schema: members
  tables: [members]
";

/// The same with a mistake in line 8.
fn broken() -> String {
    INTENT.replace("constraints: PK}", "constraints: PK")
}

fn project() -> tempfile::TempDir {
    let project = tempfile::tempdir().unwrap();
    write(project.path(), YAML, INTENT);
    write(project.path(), DOMAINS, "Lending:\n  color: '#2563eb'\n  services: [svc-loans]\n");
    project
}

fn write(project: &Path, path: &str, text: &str) {
    let path = project.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn files(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            all.extend(files(&entry));
        }
        all.push(entry.display().to_string());
    }
    all.sort();
    all
}

fn texts(page: &str, selector: &str) -> Vec<String> {
    let (page, selector) = (Html::parse_document(page), Selector::parse(selector).unwrap());
    let found = page.select(&selector).map(|element| element.text().collect::<String>());
    found.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn every_file_of_a_build_is_served_as_what_it_is_and_nothing_is_written() {
    let project = project();
    let before = files(project.path());
    let served = Served::start(project.path(), &[]);
    assert!(served.printed_with("serving").contains("2 services with 2 tables, made in "));
    let out = tempfile::tempdir().unwrap();
    let build = Command::new(env!("CARGO_BIN_EXE_trueup"))
        .current_dir(project.path())
        .args(["portal", "build", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    assert!(build.status.success());
    let mut compared = 0;
    for file in files(out.path()).iter().filter(|file| Path::new(file).is_file() && !file.ends_with(".json")) {
        let path = file.strip_prefix(out.path().to_str().unwrap()).unwrap();
        let (answer, built) = (served.get(path), std::fs::read_to_string(file).unwrap());
        let kind = match path.rsplit('.').next().unwrap() {
            "html" => "text/html; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            _ => "text/plain; charset=utf-8",
        };
        assert_eq!(answer.status, 200, "{path}");
        for line in [
            format!("\r\ncontent-type: {kind}\r\n"),
            format!("\r\ncontent-length: {}\r\n", answer.body.len()),
            "\r\ncache-control: no-store\r\n".to_owned(),
            "\r\nx-content-type-options: nosniff\r\n".to_owned(),
            "\r\ncross-origin-resource-policy: same-origin\r\n".to_owned(),
            "\r\ncontent-security-policy: default-src 'none'; ".to_owned(),
        ] {
            assert!(format!("{}\r\n", answer.head).contains(&line), "{path}: {line} is not in {}", answer.head);
        }
        // Pages have a script more, and only when they are served.
        assert!(!built.contains(".trueup/"), "{path}");
        let is_page = path.ends_with(".html");
        assert_eq!((answer.body == built, answer.body.contains("/.trueup/live.js")), (!is_page, is_page), "{path}");
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
    assert_eq!(served.get("/").body, served.get("/index.html").body);
    assert_eq!(served.get("/index.html?x=1").status, 200);
    assert_eq!(files(project.path()), before);
}

#[test]
fn nobody_else_is_answered_and_nothing_leaves_the_site() {
    let project = project();
    let served = Served::start(project.path(), &[]);
    let host = &served.authority;
    let asked = |lines: &str| served.raw(&format!("{lines}Connection: close\r\n\r\n"));
    // A name that leads here by somebody's DNS.
    for hosts in
        ["Host: evil.example\r\n", "Host: localhost.evil.example\r\n", "Host: localhost\r\nHost: localhost\r\n", ""]
    {
        let answer = asked(&format!("GET / HTTP/1.1\r\n{hosts}"));
        assert_eq!((answer.status, answer.body.contains("svc-loans")), (421, false), "{hosts}");
    }
    assert_eq!(asked("GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n").status, 421);
    assert_eq!(asked("GET / HTTP/1.1\r\nHost: localhost:9\r\n").status, 200, "another port may be forwarded here");
    // Ways out.
    std::fs::write(project.path().join("secret.html"), "secret").unwrap();
    for path in [
        "/../secret.html",
        "/%2e%2e/secret.html",
        "/..%2fsecret.html",
        "/services/../../secret.html",
        "//etc/passwd",
        "/etc/passwd",
        "/services/../index.html",
        "/services/",
        "/services",
        "/.git/config",
        "/.trueup/",
        "/secret.html",
        "/index.html/",
        "/index.html%00",
    ] {
        let answer = served.get(path);
        assert_eq!(
            (answer.status, answer.body.contains("There is no such page")),
            (404, true),
            "{path}: {}",
            answer.head
        );
    }
    // Nothing but reading.
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
        let answer = served.ask(method, "/");
        assert_eq!((answer.status, answer.head.contains("\r\nallow: get, head")), (405, true), "{method}");
    }
    let (whole, head) = (served.get("/"), served.ask("HEAD", "/"));
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert!(head.head.contains(&format!("content-length: {}", whole.body.len())), "{}", head.head);
    let events = served.ask("HEAD", "/.trueup/events");
    assert!(events.status == 200 && events.head.contains("text/event-stream"), "{}", events.head);
    assert_eq!(served.get("/favicon.ico").status, 204);
    // What is no HTTP at all harms nobody.
    served.raw("\u{0}\u{1}nonsense\r\n\r\n");
    served.raw(&format!("GET / HTTP/1.1\r\nHost: {host}\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)));
    assert_eq!(served.get("/").status, 200);
}

#[test]
fn a_mistake_is_on_every_page_and_on_the_terminal_until_it_is_gone() {
    let project = project();
    let served = Served::start(project.path(), &[]);
    let mut states = served.listen();
    let first = states.next();
    write(project.path(), YAML, &broken());
    let second = states.next();
    assert_ne!(first, second);
    let check = Command::new(env!("CARGO_BIN_EXE_trueup")).current_dir(project.path()).arg("check").output().unwrap();
    let check = String::from_utf8(check.stdout).unwrap();
    for page in ["/", "/services/svc-loans.html", "/findings.html", "/gone.html"] {
        let body = served.get(page).body;
        let items = texts(&body, ".trouble li");
        assert_eq!(items.len(), 1, "{page}");
        // The place that `check` names, and the pages of before.
        let (place, _) = items[0].split_once(' ').unwrap();
        assert!(place.starts_with(&format!("{YAML}:")) && check.contains(place), "{place} is not in\n{check}");
        assert_eq!(body.contains("loan_id"), page.contains("svc-loans"), "{page}");
        assert!(served.printed_with(place).contains("the pages say so"));
    }
    write(project.path(), YAML, INTENT);
    assert_eq!(states.next(), first, "equal states have equal names");
    assert_eq!(texts(&served.get("/").body, ".trouble"), Vec::<String>::new());
}

#[test]
fn everything_that_is_read_is_watched() {
    let project = project();
    let root = project.path();
    let migration = |version: u8| format!("services/svc-loans/src/main/resources/db/migration/V{version}__loans.sql");
    write(root, &migration(1), "SELECT 1;\n");
    let services = inputs::gather(root, &Settings::default()).services;
    let inputs = digest::of_all(&services, |_| true);
    let report = |findings: serde_json::Value| {
        let service = |name: &str| {
            json!({
                "inputs": inputs[name],
                "name": name, "status": "checked", "engine": "PostgreSQL 15", "reason": null, "findings": 0, "accepted": 0,
                "compared": {"tables": 1, "columns": 1, "indexes": 1}, "elapsed_ms": 1, "cached": false,
            })
        };
        json!({"version": 1, "engine": null, "scope": findings, "baseline": null, "elapsed_ms": 1, "summary": {}, "services": [service("svc-loans"), service("svc-members")],
            "errors": [], "notes": [], "findings": [], "accepted": [], "resolved": []})
        .to_string()
    };
    let record = |day: u8| {
        let timestamp = format!("2026-11-{day:02}T00:00:00.000Z");
        json!({"version": 1, "operation": "info", "timestamp": timestamp, "migrations": []}).to_string()
    };
    write(root, "report.json", &report(json!("one")));
    write(root, "records/svc-loans.json", &record(1));
    let served = Served::start(root, &["--report", "report.json", "--environment", "prod=records"]);
    let mut states = served.listen();
    let mut last = states.next();
    let renamed = INTENT.replace("svc-members", "svc-people");
    let changes: [(&str, &dyn Fn()); 9] = [
        ("a first migration", &|| {
            write(root, "services/svc-members/src/main/resources/db/migration/V1__m.sql", "SELECT 1;\n");
        }),
        ("a migration", &|| write(root, &migration(2), "SELECT 2;\n")),
        ("the intent", &|| write(root, YAML, &INTENT.replace("loan_id", "loan_number"))),
        ("the domains", &|| write(root, DOMAINS, "Books:\n  services: [svc-loans]\n")),
        ("the report", &|| write(root, "report.json", &report(json!("two")))),
        ("a record", &|| write(root, "records/svc-loans.json", &record(2))),
        ("a new record", &|| write(root, "records/svc-members.json", &record(3))),
        ("a replaced file", &|| {
            write(root, "new.yaml", &renamed);
            std::fs::rename(root.join("new.yaml"), root.join(YAML)).unwrap();
        }),
        ("the settings", &|| write(root, "trueup.toml", "[portal]\nsource = 'https://github.com/acme/library'\n")),
    ];
    for (what, change) in changes {
        change();
        let state = states.next();
        assert_ne!(state, last, "{what}");
        assert_eq!(texts(&served.get("/").body, ".trouble"), Vec::<String>::new(), "{what}");
        last = state;
    }
    assert!(served.get("/services/svc-people.html").body.contains("github.com/acme/library"));
}

#[test]
fn without_an_intent_it_waits_for_one() {
    let project = tempfile::tempdir().unwrap();
    let served = Served::start(project.path(), &[]);
    let answer = served.get("/");
    assert_eq!((answer.status, texts(&answer.body, "h1")), (503, vec!["There are no pages yet".to_owned()]));
    assert!(texts(&answer.body, ".trouble li")[0].contains("there is no architecture/metadata/data-stores.yaml"));
    let mut states = served.listen();
    states.next();
    write(project.path(), YAML, INTENT);
    states.next();
    assert_eq!(served.get("/").status, 200);
}

#[test]
fn it_ends_at_once_also_with_somebody_listening() {
    let project = project();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let mut served = Served::start(project.path(), &[]);
        let mut states = served.listen();
        states.next();
        assert_eq!(served.end(signal).code(), Some(130), "{signal}");
    }
}

#[test]
fn an_address_that_cannot_be_had_is_refused_with_what_to_do() {
    let project = project();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (listen, words) in [(address.as_str(), "--listen 4001"), ("0.0.0.0:4000", "for this machine only")] {
        let output = Command::new(env!("CARGO_BIN_EXE_trueup"))
            .current_dir(project.path())
            .args(["portal", "serve", "--listen", listen])
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.contains(words)), (Some(2), true), "{said}");
    }
}
