//! All that is pending in one transaction.

use crate::stage::Stage;

pub(crate) fn one_of_a_group_fails(stage: &mut Stage) {
    stage.set("group", "true");
    stage.files(&[
        ("V1__a.sql", "create table a(id int);"),
        ("V2__b.sql", "create table b(id int);\ninsert into nowhere values (1);"),
        ("R__r.sql", "create view r as select 1 as x;"),
    ]);
    assert!(!stage.a("migrate", &[]).ok);
    assert_eq!(stage.see("select to_regclass('a'), to_regclass('b')"), "|");
    assert!(!stage.b("migrate", &[]).ok);
    stage.write("V2__b.sql", "create table b(id int);");
    assert_eq!(stage.b("migrate", &[]).ran(), 3);
    stage.files(&[("V3__c.sql", "create table c();"), ("V4__d.sql", "create table d();")]);
    assert_eq!(stage.a("migrate", &[]).ran(), 2);
}

pub(crate) fn a_mixed_group(stage: &mut Stage) {
    stage.set("group", "true");
    stage.set("postgresql.transactional.lock", "false");
    stage.files(&[
        ("V1__t.sql", "create table t(id int);"),
        ("V2__v.sql", "vacuum;"),
        ("V3__u.sql", "create table u(id int);"),
    ]);
    // Ours refuses before there is a history, Flyway once there is one.
    stage.apart = true;
    assert!(!stage.a("migrate", &[]).ok);
    assert!(!stage.b("migrate", &[]).ok);
    stage.apart = false;
    assert_eq!(stage.see("select to_regclass('t'), to_regclass('u')"), "|");
    assert_eq!(stage.b("migrate", &[("mixed", "true")]).ran(), 3);
    assert_eq!(stage.see("select to_regclass('t'), to_regclass('u')"), "t|u");
}
