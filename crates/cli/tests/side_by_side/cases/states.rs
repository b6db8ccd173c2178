//! Files that changed, went, or came too late.

use crate::stage::{Party, Stage};

const THREE: &[(&str, &str)] = &[
    ("V1__a.sql", "create table a(id int);"),
    ("V2__b.sql", "create table b(id int);"),
    ("V3__c.sql", "create table c(id int);"),
];

/// The three are applied.
fn three(stage: &mut Stage) {
    stage.files(THREE);
    assert_eq!(stage.a("migrate", &[]).ran(), 3);
}

pub(crate) fn ignored_then_out_of_order(stage: &mut Stage) {
    three(stage);
    stage.write("V2.5__late.sql", "create table late();");
    stage.b("validate", &[]).refused(&["RESOLVED_VERSIONED_MIGRATION_NOT_APPLIED"]);
    stage.b("migrate", &[]).refused(&["VALIDATE_ERROR"]);
    assert_eq!(stage.b("migrate", &[("ignoreMigrationPatterns", "*:ignored")]).ran(), 0);
    assert_eq!(stage.b("migrate", &[("outOfOrder", "true")]).ran(), 1);
    assert_eq!(stage.a("migrate", &[]).ran(), 0);
}

pub(crate) fn missing(stage: &mut Stage) {
    three(stage);
    stage.remove("V2__b.sql");
    stage.b("validate", &[]).refused(&["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED"]);
    stage.b("migrate", &[]).refused(&["VALIDATE_ERROR"]);
    stage.write("V4__d.sql", "create table d();");
    assert_eq!(stage.b("migrate", &[("ignoreMigrationPatterns", "versioned:missing")]).ran(), 1);
    assert_eq!(stage.a("migrate", &[("ignoreMigrationPatterns", "*:missing")]).ran(), 0);
}

pub(crate) fn future(stage: &mut Stage) {
    three(stage);
    stage.remove("V3__c.sql");
    assert!(stage.b("validate", &[]).ok);
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    let strict = [("ignoreMigrationPatterns", "")];
    stage.b("validate", &strict).refused(&["APPLIED_VERSIONED_MIGRATION_NOT_RESOLVED"]);
    stage.a("migrate", &strict).refused(&["VALIDATE_ERROR"]);
}

pub(crate) fn changed_repeatable(stage: &mut Stage) {
    stage.files(THREE);
    stage.write("R__view.sql", "create or replace view v as select 1 as one;");
    assert_eq!(stage.a("migrate", &[]).ran(), 4);
    stage.write("R__view.sql", "create or replace view v as select 2 as one;");
    stage.b("validate", &[]).refused(&["OUTDATED_REPEATABLE_MIGRATION", "RESOLVED_REPEATABLE_MIGRATION_NOT_APPLIED"]);
    assert_eq!(stage.b("migrate", &[]).ran(), 1);
    stage.write("R__view.sql", "create or replace view v as select 3 as one;");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    stage.write("R__view.sql", "create or replace view v as select 1 as one;");
    assert_eq!(stage.b("migrate", &[]).ran(), 1);
    assert_eq!(stage.see("select one from v"), "1");
}

pub(crate) fn placeholder_of_repeatable(stage: &mut Stage) {
    stage.write("V1__t.sql", "create table t as select '${what}' as what;");
    stage.write("R__view.sql", "create or replace view v as select '${what}' as what;");
    stage.write("R__fixed.sql", "select '${what}';");
    stage.write("R__fixed.sql.conf", "placeholderReplacement=false\n");
    stage.set("placeholders.what", "one");
    assert_eq!(stage.a("migrate", &[]).ran(), 3);
    stage.set("placeholders.what", "two");
    assert_eq!(stage.b("migrate", &[]).ran(), 1);
    stage.set("placeholderReplacement", "false");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    stage.set("placeholderReplacement", "true");
    stage.apart = true;
    let outcome = stage.b("migrate", &[]);
    match stage.b {
        Party::Ours => assert_eq!(outcome.ran(), 0),
        Party::Flyway => {
            outcome.refused(&["VALIDATE_ERROR"]);
        }
    }
    stage.apart = false;
    assert_eq!(stage.see("select what from v union all select what from t"), "${what}\none");
}

pub(crate) fn repeatable_gone_and_back(stage: &mut Stage) {
    stage.files(THREE);
    stage.write("R__r.sql", "create or replace view r as select 1 as one;");
    assert_eq!(stage.a("migrate", &[]).ran(), 4);
    stage.remove("R__r.sql");
    stage.b("validate", &[]).refused(&["APPLIED_REPEATABLE_MIGRATION_NOT_RESOLVED"]);
    stage.b("migrate", &[]).refused(&["VALIDATE_ERROR"]);
    stage.write("R__r.sql", "create or replace view r as select 1 as one;");
    assert_eq!(stage.b("migrate", &[]).ran(), 0);
    assert!(stage.a("validate", &[]).ok);
}

pub(crate) fn null_checksums(stage: &mut Stage) {
    stage.files(THREE);
    stage.write("R__r.sql", "create or replace view r as select 1 as one;");
    assert_eq!(stage.a("migrate", &[]).ran(), 4);
    stage.sql("update flyway_schema_history set checksum = null");
    stage.b("validate", &[]);
    assert_eq!(stage.b("migrate", &[]).ran(), 1);
    assert_eq!(stage.a("migrate", &[]).ran(), 0);
}

pub(crate) fn targets(stage: &mut Stage) {
    stage.files(THREE);
    stage.files(&[("V4__d.sql", "create table d();"), ("V5__e.sql", "create table e();")]);
    stage.a("migrate", &[("target", "2.5")]);
    assert_eq!(stage.a("migrate", &[("target", "2")]).ran(), 2);
    assert_eq!(stage.b("migrate", &[("target", "current")]).ran(), 0);
    assert_eq!(stage.b("migrate", &[("target", "next")]).ran(), 1);
    assert_eq!(stage.a("migrate", &[("target", "1")]).ran(), 0);
    assert!(!stage.a("migrate", &[("target", "4.5")]).ok);
    assert_eq!(stage.a("migrate", &[("target", "4.5?")]).ran(), 1);
    stage.write("R__r.sql", "create view r as select 1 as one;");
    assert_eq!(stage.b("migrate", &[("target", "4")]).ran(), 1);
    stage.apart = true;
    assert!(!stage.a("migrate", &[("target", "nonsense")]).ok);
    stage.apart = false;
    for target in ["current", "next", "3", "9?"] {
        stage.a("info", &[("target", target)]);
        stage.b("validate", &[("target", target)]);
    }
    assert_eq!(stage.b("migrate", &[("target", "latest")]).ran(), 1);
}

pub(crate) fn extra_column(stage: &mut Stage) {
    three(stage);
    stage.sql("alter table flyway_schema_history add column reviewed_by text default 'nobody'");
    stage.write("V4__d.sql", "create table d();");
    assert_eq!(stage.b("migrate", &[]).ran(), 1);
    stage.write("V5__e.sql", "create table e();");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    assert_eq!(stage.see("select distinct reviewed_by, count(*) from flyway_schema_history group by 1"), "nobody|5");
}
