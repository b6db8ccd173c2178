//! The baseline: today's findings are accepted, new ones count, gone ones are said.

use std::path::Path;

use crate::project::{Project, YAML, list, text, title};

/// The reference repository in a temporary folder.
fn novatrek() -> Option<Project> {
    let Some(corpus) = trueup_testkit::shared_corpora().map(|corpora| corpora.join("novatrek")) else {
        trueup_testkit::skipped("the corpora are not there");
        return None;
    };
    let project = Project::new();
    for part in ["architecture/metadata", "services"] {
        copy(&corpus.join(part), &project.path(part));
    }
    Some(project)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::write(target, std::fs::read(entry.path()).expect("read")).expect("written");
        }
    }
}

#[test]
fn the_reference_repository_is_accepted_and_then_kept() {
    let Some(project) = novatrek() else { return };
    let first = project.check(&[]);
    assert_eq!(first.code, 1);
    assert!(first.findings().len() > 400, "{} findings", first.findings().len());
    let written = project.check(&["--write-baseline", "--reason", "the first run"]);
    assert_eq!((written.code, written.findings().len()), (0, 0), "{}", written.stderr);
    let kept = project.check(&[]);
    assert_eq!((kept.code, kept.findings().len()), (0, 0));
    let report = kept.json();
    assert_eq!(list(&report, "accepted").len(), first.findings().len(), "accepted and still named");
    // Every line of the YAML moves down, and nothing else changes.
    let before = project.read(YAML);
    project.write(YAML, format!("# moved\n\n\n{before}"));
    assert_eq!(project.check(&[]).code, 0);
    let place = "      - name: idx_checkin_reservation\n";
    project.replace(YAML, place, &format!("      - name: idx_new_one\n        columns: checked_in_at\n{place}"));
    let one_more = project.check(&[]);
    assert_eq!(
        (one_more.code, one_more.findings()),
        (1, vec!["missing-index checkin.check_ins.idx_new_one".to_owned()])
    );
    project.write(YAML, before);
    assert_eq!(project.check(&[]).code, 0);
}

const SMALL: &str =
    "svc-a:\n  engine: PostgreSQL 15\n  tables: [t, absent]\n  table_details:\n    t:\n      columns:\n";

fn small() -> Project {
    let intent = format!("{SMALL}      - {{name: a, type: INTEGER, constraints: nobody knows}}\n");
    Project::with(&[(YAML, &intent), ("svc-a/V1__a.sql", "CREATE TABLE t (a int);\n")])
}

#[test]
fn an_unknown_needs_a_reason() {
    let known = "known when the baseline was written";
    for (arguments, reason) in
        [(&["--write-baseline"][..], known), (&["--write-baseline", "--reason", "prose"], "prose")]
    {
        let project = small();
        assert_eq!(project.check(arguments).code, 0);
        let report = project.check(&[]).json();
        let accepted: Vec<_> = list(&report, "accepted").iter().map(|one| (title(one), text(one, "reason"))).collect();
        assert!(accepted.contains(&("not-understood public.t.a".to_owned(), reason.to_owned())), "{accepted:?}");
        assert_eq!(report["summary"]["accepted_unknown"], 1);
    }
    // Whoever takes the reason away is asked again.
    let project = small();
    assert_eq!(project.check(&["--write-baseline"]).code, 0);
    project.replace("trueup-baseline.json", known, " ");
    assert_eq!(project.check(&[]).code, 2);
}

#[test]
fn what_is_gone_is_reported_as_resolved() {
    let project = small();
    assert_eq!(project.check(&["--write-baseline", "--reason", "prose"]).code, 0);
    project.write("svc-a/V2__b.sql", "CREATE TABLE absent (a int);\n");
    let run = project.check(&[]);
    let report = run.json();
    let resolved: Vec<_> = list(&report, "resolved").iter().map(|one| text(one, "rule")).collect();
    assert_eq!((run.code, resolved), (0, vec!["missing-table".to_owned()]), "{report:#}");
}

#[test]
fn another_difference_at_the_same_place_is_new() {
    let project = Project::with(&[
        (YAML, &format!("{SMALL}      - {{name: a, type: INTEGER}}\n")),
        ("svc-a/V1__a.sql", "CREATE TABLE t (a bigint);\nCREATE TABLE absent ();\n"),
    ]);
    assert_eq!(project.check(&["--write-baseline"]).code, 0);
    project.replace("svc-a/V1__a.sql", "bigint", "text");
    let run = project.check(&[]);
    assert_eq!((run.code, run.findings()), (1, vec!["column-type public.t.a".to_owned()]));
}

/// "Settle the schema's name" is the first advice of a first run: following it must not undo the baseline.
#[test]
fn correcting_the_schema_keeps_what_was_accepted_inside() {
    let yaml = "svc-a:\n  engine: PostgreSQL 15\n  schema: circulation\n  table_details:\n    loans:\n      columns:\n      \
                - {name: id, type: UUID, constraints: PK}\n      - {name: due, type: SOON}\n    absent:\n      columns:\n      \
                - {name: id, type: UUID, constraints: PK}\n";
    let sql = "CREATE SCHEMA lending;\nCREATE TABLE lending.loans (id bigint PRIMARY KEY, extra text);\n";
    let project = Project::with(&[(YAML, yaml), ("svc-a/V1__a.sql", sql)]);
    let first = project.check(&[]);
    assert!(first.findings().len() > 4, "{:?}", first.findings());
    assert_eq!(project.check(&["--write-baseline", "--reason", "day one"]).code, 0);
    project.replace(YAML, "schema: circulation", "schema: lending");
    let run = project.check(&[]);
    assert_eq!((run.code, run.findings()), (0, vec![]));
    let resolved: Vec<_> = list(&run.json(), "resolved").iter().map(|entry| text(entry, "rule")).collect();
    assert_eq!(resolved, ["schema-name"]);
}

#[test]
fn a_damaged_baseline_fails_the_run() {
    let project = small();
    project.write("trueup-baseline.json", "{ not json");
    let run = project.check(&[]);
    assert_eq!((run.code, list(&run.json(), "errors").len()), (2, 1), "{run:?}");
}
