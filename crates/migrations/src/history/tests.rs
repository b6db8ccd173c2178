use std::path::Path;

use trueup_model::location::{Located, Location};

use super::*;
use crate::load::load;
use crate::migration::MigrationSet;
use crate::settings::Settings;

/// Files of these names in a folder of their own, each with its own name as a comment.
fn files(names: &[&str]) -> (tempfile::TempDir, MigrationSet) {
    let folder = tempfile::tempdir().unwrap();
    for name in names {
        std::fs::write(folder.path().join(name), format!("-- {name}\n")).unwrap();
    }
    let set = read(folder.path());
    (folder, set)
}

fn read(folder: &Path) -> MigrationSet {
    let mut settings = Settings::default();
    settings.set("locations", Located::new("filesystem:.".into(), Location::whole("x"))).unwrap();
    let set = load(folder, "s", &settings);
    assert_eq!(set.findings, []);
    set
}

fn sum(name: &str) -> Option<i32> {
    Some(crate::checksum::of_text(&format!("-- {name}\n")))
}

/// `rank version description type ok`, with the checksum of the file `V<version>__<description>.sql` or `R__…`.
fn row(rank: i32, version: &str, description: &str, kind: &str, success: bool) -> AppliedMigration {
    let name =
        if version.is_empty() { format!("R__{description}.sql") } else { format!("V{version}__{description}.sql") };
    let columns = [
        Some(rank.to_string()),
        Some(version.to_owned()).filter(|version| !version.is_empty()),
        Some(description.to_owned()),
        Some(kind.to_owned()),
        Some(name.clone()),
        sum(&name).filter(|_| kind == "SQL").map(|sum| sum.to_string()),
        Some("me".into()),
        Some("2026-01-01 00:00:00".into()),
        Some("3".into()),
        Some(if success { "t" } else { "f" }.into()),
    ];
    AppliedMigration::from_texts(&columns).unwrap()
}

fn applied(rank: i32, version: &str, description: &str) -> AppliedMigration {
    row(rank, version, description, "SQL", true)
}

struct Answer {
    /// `version-or-description:State`, in order.
    states: String,
    errors: Vec<ErrorCode>,
    pending: String,
}

fn ask(names: &[&str], rows: &[AppliedMigration], policy: &Policy) -> Answer {
    let (_folder, set) = files(names);
    let resolved = resolve(&set, &Settings::default().replacements()).unwrap();
    let all = reconcile(&resolved, rows, policy).unwrap();
    let name = |entry: &Entry<'_>| entry.version().map_or(entry.description().to_owned(), ToString::to_string);
    Answer {
        states: all.entries.iter().map(|e| format!("{}:{}", name(e), e.state)).collect::<Vec<_>>().join(" "),
        errors: all.validate(&policy.ignore).iter().map(|error| error.code).collect(),
        pending: all.pending().map(|file| file.migration.script.as_str()).collect::<Vec<_>>().join(" "),
    }
}

fn usual(names: &[&str], rows: &[AppliedMigration]) -> Answer {
    ask(names, rows, &Policy::default())
}

fn to(target: &str) -> Policy {
    Policy { target: Target::parse(target).unwrap(), ..Policy::default() }
}

#[test]
fn an_empty_history_has_everything_pending_in_order() {
    let answer = usual(&["V10__b.sql", "V9__a.sql", "R__z.sql", "R__a.sql"], &[]);
    assert_eq!(answer.states, "9:Pending 10:Pending a:Pending z:Pending");
    assert_eq!(answer.pending, "V9__a.sql V10__b.sql R__a.sql R__z.sql");
    use ErrorCode::*;
    assert_eq!(
        answer.errors,
        [
            ResolvedVersionedMigrationNotApplied,
            ResolvedVersionedMigrationNotApplied,
            ResolvedRepeatableMigrationNotApplied,
            ResolvedRepeatableMigrationNotApplied
        ]
    );
}

#[test]
fn what_is_applied_is_success_and_valid() {
    let mut same = applied(1, "1", "a");
    same.version = crate::version::Version::parse("1.0");
    let answer = usual(&["V1__a.sql", "R__r.sql"], &[same, applied(2, "", "r")]);
    assert_eq!((answer.states.as_str(), answer.errors.len()), ("1.0:Success r:Success", 0));
    assert_eq!(answer.pending, "");
}

#[test]
fn a_checksum_of_null_matches_a_version_and_no_repeatable() {
    let mut rows = [applied(1, "1", "a"), applied(2, "", "r")];
    rows.iter_mut().for_each(|row| row.checksum = None);
    let answer = usual(&["V1__a.sql", "R__r.sql"], &rows);
    assert_eq!(answer.states, "1:Success r:Outdated r:Pending");
    assert_eq!(answer.pending, "R__r.sql");
}

#[test]
fn changes_of_an_applied_version_are_mismatches() {
    let mut rows = [applied(1, "1", "a"), applied(2, "2", "b"), applied(3, "", "c")];
    rows[0].checksum = Some(7);
    rows[1].description = "other".into();
    rows[2].kind = AppliedKind::parse("JDBC").unwrap();
    let answer = usual(&["V1__a.sql", "V2__b.sql", "R__c.sql"], &rows);
    assert_eq!(answer.states, "1:Success 2:Success c:Success");
    use ErrorCode::*;
    assert_eq!(answer.errors, [ChecksumMismatch, DescriptionMismatch, TypeMismatch]);
    assert_eq!(answer.pending, "", "nothing that was applied runs again");
}

#[test]
fn a_version_that_was_no_sql_file_is_not_the_one_of_the_file() {
    let mut rows = [applied(1, "1", "a"), applied(2, "2", "b")];
    rows[0].kind = AppliedKind::parse("JDBC").unwrap();
    let answer = usual(&["V1__a.sql", "V2__b.sql"], &rows);
    assert_eq!(answer.states, "1:Missing 2:Success 1:Ignored");
    assert_eq!(answer.errors[0], ErrorCode::AppliedVersionedMigrationNotResolved);
}

#[test]
fn failed_rows() {
    let rows = [row(1, "1", "a", "SQL", false), row(2, "", "r", "SQL", false)];
    let answer = usual(&["V1__a.sql", "R__r.sql"], &rows);
    assert_eq!(answer.states, "1:Failed r:Failed");
    use ErrorCode::*;
    assert_eq!(answer.errors, [FailedVersionedMigration, FailedRepeatableMigration]);
}

#[test]
fn missing_and_future() {
    let rows = [
        applied(1, "1", "a"),
        row(2, "2", "b", "SQL", false),
        applied(3, "3", "c"),
        applied(4, "4", "d"),
        row(5, "5", "e", "SQL", false),
        applied(6, "", "gone"),
    ];
    let answer = usual(&["V3__c.sql"], &rows);
    assert_eq!(answer.states, "1:Missing 2:Failed (Missing) 3:Success 4:Future 5:Failed (Future) gone:Missing");
    use ErrorCode::*;
    assert_eq!(
        answer.errors,
        [AppliedVersionedMigrationNotResolved, FailedVersionedMigration, AppliedRepeatableMigrationNotResolved]
    );
    let strict = Policy { ignore: vec![], ..Policy::default() };
    assert_eq!(ask(&["V3__c.sql"], &rows, &strict).errors.len(), 5);
    let lenient = Policy { ignore: IgnorePattern::parse_list("*:missing, *:future").unwrap(), ..Policy::default() };
    assert_eq!(ask(&["V3__c.sql"], &rows, &lenient).errors, [FailedVersionedMigration]);
}

#[test]
fn ignored_then_out_of_order() {
    let files = ["V1__a.sql", "V2__b.sql", "V3__c.sql"];
    let answer = usual(&files, &[applied(1, "1", "a"), applied(2, "3", "c")]);
    assert_eq!(answer.states, "1:Success 3:Success 2:Ignored");
    assert_eq!(answer.errors, [ErrorCode::ResolvedVersionedMigrationNotApplied]);
    assert_eq!(answer.pending, "");
    let allowed = Policy { out_of_order: true, ..Policy::default() };
    assert_eq!(ask(&files, &[applied(1, "1", "a"), applied(2, "3", "c")], &allowed).pending, "V2__b.sql");
    let answer = usual(&files, &[applied(1, "1", "a"), applied(2, "3", "c"), applied(3, "2", "b")]);
    assert_eq!(answer.states, "1:Success 3:Success 2:Out of Order");
}

#[test]
fn targets() {
    let files = ["V1__a.sql", "V2__b.sql", "V3__c.sql", "R__r.sql"];
    let one = [applied(1, "1", "a")];
    assert_eq!(ask(&files, &one, &to("2")).states, "1:Success 2:Pending 3:Above Target r:Pending");
    assert_eq!(ask(&files, &one, &to("current")).pending, "R__r.sql");
    assert_eq!(ask(&files, &[], &to("current")).pending, "R__r.sql");
    assert_eq!(ask(&files, &one, &to("next")).pending, "V2__b.sql R__r.sql");
    assert_eq!(ask(&files, &one, &to("9?")).pending, "V2__b.sql V3__c.sql R__r.sql");
    assert_eq!(ask(&files, &one, &to("2")).errors.len(), 2, "what is above the target is not judged");
    let (_folder, set) = super::tests::files(&files);
    let resolved = resolve(&set, &Settings::default().replacements()).unwrap();
    assert_eq!(reconcile(&resolved, &one, &to("9")).unwrap_err(), TargetError::NoSuchVersion("9".into()));
    assert!(Target::parse("soon").is_err());
}

#[test]
fn a_baseline_row_covers_versions_up_to_its_own() {
    let files = ["V1__a.sql", "V2__b.sql", "V3__c.sql"];
    let answer = usual(&files, &[row(1, "2", "<< Flyway Baseline >>", "BASELINE", true)]);
    assert_eq!(answer.states, "1:Below Baseline 2:Ignored (Baseline) 2:Baseline 3:Pending");
    assert_eq!(answer.pending, "V3__c.sql");
}

#[test]
fn a_baseline_file_runs_only_on_an_empty_history() {
    let files = ["V1__a.sql", "V2__b.sql", "B2__all.sql", "B1__less.sql", "V3__c.sql"];
    let answer = usual(&files, &[row(0, "", "<< Flyway Schema Creation >>", "SCHEMA", true)]);
    assert_eq!(answer.pending, "B2__all.sql V3__c.sql");
    let answer = usual(&files, &[applied(1, "1", "a")]);
    assert_eq!(answer.pending, "V2__b.sql V3__c.sql");
    assert_eq!(answer.errors.len(), 2, "B files that came too late are no error");
    let answer = usual(&files, &[row(1, "2", "all", "SQL_BASELINE", true)]);
    assert_eq!(answer.pending, "V3__c.sql");
    assert!(answer.states.contains("2:Baseline"), "{}", answer.states);
}

#[test]
fn repeatables_are_outdated_then_superseded() {
    let mut old = applied(1, "", "r");
    old.checksum = Some(1);
    let answer = usual(&["R__r.sql"], std::slice::from_ref(&old));
    assert_eq!(answer.states, "r:Outdated r:Pending");
    use ErrorCode::*;
    assert_eq!(answer.errors, [OutdatedRepeatableMigration, ResolvedRepeatableMigrationNotApplied]);
    let answer = usual(&["R__r.sql"], &[old, applied(2, "", "r")]);
    assert_eq!((answer.states.as_str(), answer.errors.len()), ("r:Superseded r:Success", 0));
}

#[test]
fn a_delete_row_takes_back_what_came_before_it() {
    let rows = [applied(1, "1", "a"), applied(2, "2", "b"), row(3, "2", "b", "DELETE", true)];
    let answer = usual(&["V1__a.sql", "V2__b.sql"], &rows);
    assert_eq!(answer.states, "1:Success 2:Deleted 2:Pending");
    let again = [rows.as_slice(), &[applied(4, "2", "b")]].concat();
    assert_eq!(usual(&["V1__a.sql", "V2__b.sql"], &again).states, "1:Success 2:Deleted 2:Success");
    let gone = [applied(1, "", "r"), row(2, "", "r", "DELETE", true)];
    let answer = usual(&[], &gone);
    assert_eq!((answer.states.as_str(), answer.errors.len()), ("r:Deleted r:Success", 0));
    assert_eq!(usual(&["R__r.sql"], &gone).pending, "R__r.sql");
}

#[test]
fn a_version_that_was_undone_is_pending_and_no_error() {
    let rows = [applied(1, "1", "a"), applied(2, "2", "b"), row(3, "2", "b", "UNDO_SQL", true)];
    let answer = usual(&["V1__a.sql", "V2__b.sql"], &rows);
    assert_eq!(answer.states, "1:Success 2:Undone 2:Success 2:Pending");
    assert_eq!(answer.pending, "V2__b.sql");
    let again = [&rows[..], &[applied(4, "2", "b")]].concat();
    let answer = usual(&["V1__a.sql", "V2__b.sql"], &again);
    assert_eq!((answer.states.as_str(), answer.errors.len()), ("1:Success 2:Undone 2:Success 2:Success", 0));
    assert_eq!(answer.pending, "");
}

#[test]
fn rows_that_cannot_be_understood_are_errors() {
    let with = |column: usize, value: Option<&str>| {
        let mut columns: Vec<Option<String>> =
            ["1", "1", "a", "SQL", "V1__a.sql", "5", "me", "now", "3", "t"].map(|text| Some(text.to_owned())).to_vec();
        columns[column] = value.map(str::to_owned);
        AppliedMigration::from_texts(&columns)
    };
    assert!(with(5, None).is_ok());
    assert_eq!(with(3, Some("UNDO_SQL")).unwrap().kind, AppliedKind::Undo("UNDO_SQL"));
    assert!(matches!(with(3, Some("sql")), Err(RowError::Kind { .. })));
    assert!(matches!(with(1, Some("x")), Err(RowError::Version { .. })));
    assert!(matches!(with(5, Some("x")), Err(RowError::Column { column: "checksum", .. })));
    assert!(matches!(with(9, Some("yes")), Err(RowError::Column { column: "success", .. })));
}

#[test]
fn long_texts_are_cut_as_flyway_cuts_them() {
    let row = NewRow::new(None, &"d".repeat(210), AppliedKind::Sql, &format!("{}z", "s".repeat(1200)), None);
    assert_eq!(row.description, format!("{}...", "d".repeat(197)));
    assert_eq!((row.script.len(), &row.script[..4]), (1000, "...s"));
    assert_eq!(NewRow::schemas(["app", "Other"]).script, "\"app\",\"Other\"");
}
