//! Real migrations of several projects: every file loads, splits and parses. Set TRUEUP_SHARED to the folder that
//! holds `corpora`, or let it lie beside the repository; without it these tests say that they were skipped.

#![allow(clippy::print_stdout, reason = "what was counted and what was skipped has to be seen")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use squawk_syntax::SourceFile;
use trueup_migrations::classify::classify;
use trueup_migrations::discover::{ServiceHint, discover, settings};
use trueup_migrations::load::load;
use trueup_migrations::migration::{Migration, MigrationSet};
use trueup_migrations::origin::OriginIndex;
use trueup_migrations::settings::{Settings, read_conf};
use trueup_migrations::statements::{StatementKind, split};
use trueup_model::finding::{ObjectKind, ObjectPath};
use trueup_model::name::{Identifier, QualifiedName};

fn corpus(name: &str) -> Option<PathBuf> {
    let beside = [
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared"),
    ];
    let shared = std::env::var("TRUEUP_SHARED").ok().into_iter().chain(beside.map(str::to_owned));
    let found = shared.map(|shared| Path::new(&shared).join("corpora").join(name)).find(|path| path.is_dir());
    if found.is_none() {
        println!("SKIPPED: corpus {name} is not here; set TRUEUP_SHARED to the folder that holds `corpora`");
    }
    found
}

/// What is compared: scripts, callbacks, statements, statements with COPY data, findings by rule.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    scripts: usize,
    callbacks: usize,
    statements: usize,
    copies: usize,
    findings: BTreeMap<&'static str, usize>,
}

fn examine(label: &str, set: &MigrationSet, settings: &Settings) -> Counts {
    let callbacks: Vec<&Migration> = set.callbacks.values().flatten().collect();
    let mut counts = Counts {
        scripts: set.in_order().count(),
        callbacks: callbacks.len(),
        statements: 0,
        copies: 0,
        findings: BTreeMap::new(),
    };
    for finding in &set.findings {
        *counts.findings.entry(finding.rule.name()).or_default() += 1;
    }
    for pair in set.versioned.windows(2) {
        assert!(pair[0].version < pair[1].version, "{} {}", pair[0].path, pair[1].path);
    }
    for migration in set.in_order().chain(callbacks) {
        let script = migration
            .script_with(&settings.replacements())
            .unwrap_or_else(|error| panic!("{}: {error}", migration.path));
        let split = split(&script.sql.text).unwrap_or_else(|error| panic!("{}: {error}", script.locate(error.offset)));
        counts.statements += split.statements.len();
        counts.copies += split.statements.iter().filter(|s| s.kind != StatementKind::Sql).count();
        let parse = SourceFile::parse(&script.sql.text);
        assert_eq!(parse.errors().len(), 0, "{}: {:?}", migration.path, parse.errors());
        assert_eq!(
            parse.tree().stmts().count(),
            split.statements.len(),
            "{}: the parser counts other statements",
            migration.path
        );
    }
    println!("{label}: {counts:?}");
    counts
}

fn with_conf(root: &Path, conf: &str) -> (MigrationSet, Settings) {
    let mut settings = Settings::default();
    let text = std::fs::read_to_string(root.join(conf)).expect(conf);
    assert_eq!(read_conf(&mut settings, &text, &conf.into(), &|_| None), []);
    (load(root, "svc", &settings), settings)
}

fn check(name: &str, conf: &str, expected: &Counts) {
    let Some(root) = corpus(name) else { return };
    let (set, settings) = with_conf(&root, conf);
    assert_eq!(examine(&format!("{name} {conf}"), &set, &settings), *expected);
}

fn findings(all: &[(&'static str, usize)]) -> BTreeMap<&'static str, usize> {
    all.iter().copied().collect()
}

#[test]
fn marquez() {
    check(
        "marquez",
        "flyway.conf",
        &Counts { scripts: 84, callbacks: 0, statements: 307, copies: 0, findings: findings(&[]) },
    );
}

#[test]
fn mulighetsrommet() {
    for (conf, scripts, callbacks, statements) in [
        ("flyway.conf", 529, 15, 1777),
        ("flyway-arena-adapter.conf", 48, 0, 103),
        ("flyway-tiltakshistorikk.conf", 30, 0, 77),
        ("flyway-tiltaksokonomi.conf", 26, 0, 60),
    ] {
        check("mulighetsrommet", conf, &Counts { scripts, callbacks, statements, copies: 0, findings: findings(&[]) });
    }
}

#[test]
fn ohdsi_webapi() {
    let expected = Counts {
        scripts: 196,
        callbacks: 0,
        statements: 5957,
        copies: 0,
        findings: findings(&[("migration-name", 3)]),
    };
    check("ohdsi-webapi", "flyway.conf", &expected);
}

#[test]
fn novatrek_is_discovered() {
    let Some(root) = corpus("novatrek") else { return };
    let hints = [ServiceHint { name: "svc-check-in".into(), migrations: None }];
    let discovery = discover(&root, &hints);
    assert_eq!((discovery.services.len(), discovery.problems.len()), (22, 0));
    for service in &discovery.services {
        assert_eq!(service.declared, service.name == "svc-check-in");
        let (settings, problems) = settings(&root, service, &[], &|_| None);
        assert_eq!(problems, []);
        let set = load(&root, &service.name, &settings);
        let counts = examine(&service.name, &set, &settings);
        assert_eq!((counts.scripts, counts.findings.len()), (1, 0));
    }
}

/// Every table, column and named index of a `CREATE TABLE` or `CREATE INDEX` in the plain layout of these files,
/// found by looking at the lines, has to be found at exactly that line by the index too.
#[test]
fn every_object_of_novatrek_is_found_at_its_line() {
    let Some(root) = corpus("novatrek") else { return };
    let (mut tables, mut columns, mut indexes) = (0, 0, 0);
    for service in discover(&root, &[]).services {
        let (settings, _) = settings(&root, &service, &[], &|_| None);
        for migration in &load(&root, &service.name, &settings).versioned {
            let script = migration.script_with(&settings.replacements()).expect("script");
            let origins = OriginIndex::new(&script);
            let mut table = None;
            for (line, number) in script.sql.text.lines().zip(1_u32..) {
                let words: Vec<&str> = line.split([' ', '(', ';']).filter(|word| !word.is_empty()).collect();
                let object = match (words.as_slice(), &table) {
                    (["CREATE", "TABLE", name, ..], _) => {
                        let name = name
                            .split_once('.')
                            .map(|(schema, name)| QualifiedName::new(schema, name))
                            .expect("qualified");
                        tables += 1;
                        table = Some(name.clone());
                        ObjectPath::table(&name)
                    }
                    (
                        ["CREATE", "INDEX", name, "ON", on, ..] | ["CREATE", "UNIQUE", "INDEX", name, "ON", on, ..],
                        _,
                    ) => {
                        let on = on
                            .split_once('.')
                            .map(|(schema, name)| QualifiedName::new(schema, name))
                            .expect("qualified");
                        indexes += 1;
                        ObjectPath::member(ObjectKind::Index, &on, &Identifier::from(*name))
                    }
                    ([name, _, ..], Some(table))
                        if line.starts_with("    ")
                            && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit()) =>
                    {
                        columns += 1;
                        ObjectPath::member(ObjectKind::Column, table, &Identifier::from(*name))
                    }
                    _ => continue,
                };
                let found = origins
                    .find(&object)
                    .unwrap_or_else(|| panic!("{}:{number}: {object} is not found", migration.path));
                assert_eq!((found.line, &*found.file), (number, &*migration.path), "{object}");
            }
        }
    }
    println!("novatrek: {tables} tables, {columns} columns, {indexes} indexes at their lines");
    assert!(tables > 50 && columns > 500, "{tables} {columns}");
}

/// How fast all files are read, cut, classified and indexed: printed, not judged.
#[test]
fn time_over_all_corpora() {
    let Some(root) = corpus("ohdsi-webapi") else { return };
    let begun = std::time::Instant::now();
    let (set, settings) = with_conf(&root, "flyway.conf");
    let mut laps = vec![("load", begun.elapsed())];
    let scripts: Vec<_> = set.in_order().map(|m| m.script_with(&settings.replacements()).expect("script")).collect();
    laps.push(("replace", begun.elapsed()));
    let bytes: usize = scripts.iter().map(|script| script.sql.text.len()).sum();
    let splits: Vec<_> = scripts.iter().map(|script| split(&script.sql.text)).collect();
    laps.push(("cut", begun.elapsed()));
    let classified =
        scripts.iter().zip(&splits).map(|(script, split)| classify(&script.sql.text, split, "flyway_schema_history"));
    let facts: Vec<_> = classified.collect();
    laps.push(("classify", begun.elapsed()));
    let indexed = scripts.iter().map(OriginIndex::new).count();
    laps.push(("origins", begun.elapsed()));
    println!("ohdsi-webapi: {bytes} bytes, {indexed} scripts; since the start: {laps:?}");
    assert_eq!(facts.len(), 196);
}

/// The corpora's README: one CONCURRENTLY file each; mulighetsrommet needs btree_gist and touches the history.
#[test]
fn what_the_corpora_need() {
    let needs = |name: &str, conf: &str| {
        let root = corpus(name)?;
        let (set, settings) = with_conf(&root, conf);
        let facts = set.in_order().map(|migration| {
            let script = migration.script_with(&settings.replacements()).expect("script");
            (migration.script.clone(), classify(&script.sql.text, &split(&script.sql.text), "flyway_schema_history"))
        });
        Some(facts.collect::<Vec<_>>())
    };
    for (name, conf, expected, extensions, roles) in [
        ("marquez", "flyway.conf", 1, "", 0),
        ("mulighetsrommet", "flyway.conf", 0, "btree_gist", 1),
        ("mulighetsrommet", "flyway-arena-adapter.conf", 1, "", 0),
        ("ohdsi-webapi", "flyway.conf", 0, "", 0),
    ] {
        let Some(facts) = needs(name, conf) else { return };
        let outside: Vec<_> =
            facts.iter().filter(|(_, facts)| !facts.is_transactional()).map(|(script, _)| script.as_str()).collect();
        let mut barriers: BTreeMap<String, usize> = BTreeMap::new();
        for barrier in facts.iter().flat_map(|(_, facts)| &facts.barriers) {
            *barriers.entry(format!("{barrier:?}")).or_default() += 1;
        }
        let found: Vec<_> =
            facts.iter().flat_map(|(_, facts)| &facts.extensions).map(|created| created.name.as_str()).collect();
        let cluster: Vec<_> =
            facts.iter().filter(|(_, facts)| !facts.cluster_wide.is_empty()).map(|(script, _)| script).collect();
        println!(
            "{name}: outside of transactions {outside:?}, barriers {barriers:?}, extensions {found:?}, cluster-wide {cluster:?}"
        );
        assert_eq!((outside.len(), cluster.len()), (expected, roles), "{name}");
        assert!(found.iter().all(|name| *name == extensions), "{name}");
        let history = barriers.contains_key("HistoryTable");
        assert_eq!(history, (name, conf) == ("mulighetsrommet", "flyway.conf"), "V445 deletes rows of the history");
    }
}
