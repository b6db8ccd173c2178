//! Reports for tests: a small one made by hand, and one of the size of a first run on a grown repository.

use std::sync::Arc;
use std::time::Duration;

use trueup_model::finding::{Finding, ObjectKind, ObjectPath};
use trueup_model::location::Location;
use trueup_model::name::QualifiedName;
use trueup_model::rule::Rule;

use super::provenance::{Kind, MigrationFile, ProducedObject, Provenance};
use super::{Accepted, AcceptedBy, EngineInfo, Report, ServiceReport, ServiceStatus};
use crate::baseline::{Baseline, Entry};
use crate::check::digest::InputDigest;

const YAML: &str = "architecture/metadata/data-stores.yaml";

/// The lines that the small report points at.
pub(crate) fn sources(file: &str) -> Option<Arc<str>> {
    match file {
        YAML => Some("svc-check-in:\n  engine: PostgreSQL 15\n  schema: checkin\n  table_details:\n    check_ins:\n      columns:\n      - {name: status, type: VARCHAR(20), constraints: NOT NULL}\n      - {name: note, type: TEXT, constraints: \"for the desk\"}\n".into()),
        SQL => Some("CREATE SCHEMA check_in;\n\nCREATE TABLE check_in.check_ins (\n    status         VARCHAR(30) NOT NULL,\n\tversion        INTEGER NOT NULL DEFAULT 0\n);\n".into()),
        _ => None,
    }
}

const SQL: &str = "services/svc-check-in/src/main/resources/db/migration/V1__baseline.sql";

fn engine() -> EngineInfo {
    EngineInfo {
        kind: "native".into(),
        version: "15.14".into(),
        major: 15,
        chosen: "found in /usr/lib/postgresql/15/bin".into(),
    }
}

fn yaml(line: u32, column: u32) -> Location {
    Location::new(YAML, line, column)
}

fn sql(line: u32, column: u32) -> Location {
    Location::new(SQL, line, column)
}

fn checked(name: &str, tables: usize) -> ServiceReport {
    ServiceReport {
        engine: "PostgreSQL 15".into(),
        tables,
        columns: tables * 8,
        indexes: tables * 2,
        elapsed: Duration::from_millis(84),
        ..ServiceReport::new(name, ServiceStatus::Checked)
    }
}

/// One migration, a table under another name, and a column whose line is in a callback.
fn with_provenance(service: ServiceReport) -> ServiceReport {
    let table = ObjectPath::table(&QualifiedName::new("checkin", "check_ins"));
    let replayed = ObjectPath::table(&QualifiedName::new("check_in", "check_ins"));
    let object = |declared: &ObjectPath, line| ProducedObject {
        kind: declared.kind,
        path: declared.path.clone(),
        replayed: None,
        migration: Some(0),
        file: None,
        line: Some(line),
        column: Some(5),
    };
    let migration = MigrationFile {
        version: Some("1".into()),
        description: "baseline".into(),
        script: "V1__baseline.sql".into(),
        kind: Kind::Versioned,
        file: SQL.into(),
        checksum: Some(-1_839_273_421),
    };
    let made = Provenance {
        migrations: vec![migration],
        objects: vec![
            ProducedObject { replayed: Some(replayed), ..object(&table, 3) },
            ProducedObject { file: Some("callbacks/afterEachMigrate.sql".into()), ..object(&column("status"), 4) },
        ],
    };
    let inputs = InputDigest { declared: "d".repeat(64), migrations: "e".repeat(64) };
    ServiceReport { provenance: made.to_raw().ok(), inputs: Some(inputs), ..service }
}

fn column(name: &str) -> ObjectPath {
    ObjectPath::member(ObjectKind::Column, &QualifiedName::new("checkin", "check_ins"), &name.into())
}

fn differences() -> Vec<Finding> {
    vec![
        Finding::new(Rule::SchemaName, "svc-check-in", ObjectPath::schema(&"checkin".into()))
            .message("The YAML says schema checkin, the migrations create check_in")
            .help("Correct `schema:` in the YAML, or rename the schema in a migration.")
            .sides("checkin", "check_in")
            .in_intent(Some(&yaml(3, 11)))
            .in_migration(Some(&sql(1, 1)))
            .fix("ALTER SCHEMA \"check_in\" RENAME TO \"checkin\";"),
        Finding::new(Rule::ColumnType, "svc-check-in", column("status"))
            .message("The YAML says VARCHAR(20), the migrations make character varying(30)")
            .help("Change one of them; narrowing a column rewrites nothing but may refuse existing rows.")
            .sides("character varying(20)", "character varying(30)")
            .in_intent(Some(&yaml(7, 16)))
            .in_migration(Some(&sql(4, 5))),
        Finding::new(Rule::UndeclaredColumn, "svc-check-in", column("version"))
            .message("The migrations create the column version, the YAML does not list it")
            .help("Declare it, or plan its removal.")
            .sides("", "integer")
            .in_migration(Some(&sql(5, 2))),
        Finding::new(Rule::NotUnderstood, "svc-check-in", column("note"))
            .message("`for the desk` is not a constraint")
            .help("Write notes in brackets.")
            .sides("for the desk", "")
            .in_intent(Some(&yaml(8, 48))),
        Finding::new(Rule::ReplayFailed, "svc-payments", ObjectPath::new(ObjectKind::Migration, ["V2__x.sql".into()]))
            .message("V2__x.sql fails: relation \"ledger\" does not exist (SQLSTATE 42P01)")
            .help("Name SQL that makes it in `[replay] before` of trueup.toml.")
            .in_migration(Some(&Location::new("services/svc-payments/db/V2__x.sql", 3, 1))),
    ]
}

/// Five findings, one accepted unknown, one resolved entry; every status.
pub(crate) fn small() -> Report {
    let accepted = Accepted {
        finding: Finding::new(
            Rule::NotUnderstood,
            "svc-reviews",
            ObjectPath::table(&QualifiedName::new("reviews", "r")),
        )
        .message("`Generated column for full-text search` is prose")
        .in_intent(Some(&yaml(99, 9))),
        by: AcceptedBy::Baseline,
        reason: Some("prose for the portal".into()),
    };
    let unknown = ServiceReport {
        reason: Some("V2__x.sql fails".into()),
        ..ServiceReport::new("svc-payments", ServiceStatus::Unknown)
    };
    let oracle = ServiceReport {
        engine: "Oracle Database 19c".into(),
        reason: Some("engine Oracle Database 19c".into()),
        ..ServiceReport::new("svc-legacy", ServiceStatus::NotChecked)
    };
    Report {
        engine: Some(engine()),
        services: vec![with_provenance(checked("svc-check-in", 3)), unknown, oracle, checked("svc-reviews", 2)],
        findings: differences(),
        accepted: vec![accepted],
        resolved: vec![entry()],
        baseline: Some("trueup-baseline.json".into()),
        elapsed: Duration::from_millis(1234),
        ..Report::default()
    }
}

fn entry() -> Entry {
    let gone = Finding::new(Rule::MissingIndex, "svc-reviews", ObjectPath::table(&QualifiedName::new("reviews", "x")))
        .message("The YAML declares index idx_x");
    Baseline::default().accept(&[gone], Some("planned"), |_| true).0.entries.remove(0)
}

/// About 700 findings in 22 services, in the proportions of a real first run.
pub(crate) fn large() -> Report {
    let mut report = Report { engine: Some(engine()), elapsed: Duration::from_millis(1402), ..Report::default() };
    for (number, name) in NAMES.iter().enumerate() {
        let name = format!("svc-{name}");
        if number >= 20 {
            let reason = Some("engine Couchbase 7".into());
            report.services.push(ServiceReport { reason, ..ServiceReport::new(name, ServiceStatus::NotChecked) });
            continue;
        }
        report.services.push(checked(&name, 4));
        report.findings.extend(service_findings(number, &name));
    }
    report
}

const NAMES: [&str; 22] = [
    "check-in",
    "guest-profiles",
    "trail-management",
    "reservations",
    "payments",
    "notifications",
    "scheduling-orchestrator",
    "gear-inventory",
    "guide-management",
    "inventory-procurement",
    "location-services",
    "media-gallery",
    "partner-integrations",
    "reviews",
    "safety-compliance",
    "transport-logistics",
    "trip-catalog",
    "weather",
    "wildlife-tracking",
    "emergency-response",
    "analytics",
    "loyalty-rewards",
];

fn service_findings(number: usize, service: &str) -> Vec<Finding> {
    let (declared, found) = (NAMES[number].replace('-', ""), NAMES[number].replace('-', "_"));
    let mut findings = Vec::new();
    if number < 15 {
        let path = ObjectPath::schema(&declared.as_str().into());
        findings.push(Finding::new(Rule::SchemaName, service, path).sides(&declared, &found));
    }
    let rules = [
        (Rule::MissingColumn, 9 + number % 5),
        (Rule::UndeclaredColumn, 8),
        (Rule::MissingIndex, 6),
        (Rule::ColumnType, 3 + number % 3),
        (Rule::ColumnDefault, 4),
        (Rule::UndeclaredTable, 1),
        (Rule::NotUnderstood, usize::from(number.is_multiple_of(4))),
    ];
    for (rule, how_often) in rules {
        findings.extend((0..how_often).map(|n| numbered(rule, service, &declared, n)));
    }
    findings
}

fn numbered(rule: Rule, service: &str, schema: &str, n: usize) -> Finding {
    let names = ["created_at", "updated_at", "version", "tenant_id"];
    let member = if rule == Rule::UndeclaredColumn { names[n % 4].to_owned() } else { format!("m{n}") };
    let table = QualifiedName::new(schema, format!("t{}", n / 4));
    let line = u32::try_from(n).unwrap_or(0) + 10;
    Finding::new(rule, service, ObjectPath::member(ObjectKind::Column, &table, &member.as_str().into()))
        .message(format!("{rule} on {member}"))
        .help("Write a migration.")
        .sides(format!("d{n}"), format!("f{n}"))
        .in_intent(Some(&yaml(line, 9)))
}

/// Names and texts that try to break out of every format.
pub(crate) fn hostile() -> Report {
    let mut report = small();
    for text in HOSTILE {
        let table = QualifiedName::new(text, text);
        let mut finding =
            Finding::new(Rule::ColumnType, text, ObjectPath::member(ObjectKind::Column, &table, &text.into()))
                .message(text)
                .help(text)
                .sides(text, text)
                .in_intent(Some(&Location::new(text, 1, 7)))
                .in_migration(Some(&Location::new(text, 4_000_000_000, 4_000_000_000)))
                .fix(text);
        report.findings.push(finding.clone());
        finding.rule = Rule::NotUnderstood;
        finding.state = trueup_model::finding::State::Unknown;
        report.accepted.push(Accepted { finding, by: AcceptedBy::Ignore, reason: Some(text.into()) });
        report.services.push(ServiceReport {
            engine: text.into(),
            reason: Some(text.into()),
            ..ServiceReport::new(text, ServiceStatus::Unknown)
        });
        report.errors.push(super::InputError::at(Location::new(text, 1, 1), text, text));
        report.notes.push(text.into());
    }
    let long = "n".repeat(10_000);
    report.services.push(ServiceReport::new(long.as_str(), ServiceStatus::Checked));
    let table = QualifiedName::new(long.as_str(), long.as_str());
    report.findings.push(Finding::new(Rule::MissingTable, long.as_str(), ObjectPath::table(&table)).message(long));
    report
}

const HOSTILE: [&str; 8] = [
    "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m",
    "\u{202e}drowssap\u{2066}\u{200b}\u{feff}\u{0}\u{fffe}",
    "a\r\n::error file=x::owned\n::stop-commands::t",
    "</failure><script>alert(1)</script>]]>&amp;\"'",
    "| x | y |\n\n# head\n<details><img src=x onerror=y>@org/team #1 ![i](http://x) `tick` ```",
    "%0A%0D,title=x:y%25",
    "'; rm -rf ~; echo '$(id)`id`",
    "../../etc/passwd?x#y z\\n",
];
