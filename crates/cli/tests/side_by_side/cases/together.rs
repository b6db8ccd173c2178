//! At the same time, at another hour, and rows that nobody expects.

use crate::outcome::Outcome;
use crate::stage::{Party, Stage};

/// What the key of `"public"."flyway_schema_history"` is.
const KEY: &str = "77433833903597";

pub(crate) fn waiting(stage: &mut Stage) {
    stage.files(&[("V1__a.sql", "create table a(); select pg_sleep(1.2);"), ("V2__b.sql", "create table b();")]);
    let (a, b) = together(stage, true);
    // Flyway's default takes the lock anew for each migration: the other may come in between.
    assert_eq!(a.ran() + b.ran(), 2);
    let both = Outcome { ran: 2, ..a };
    stage.note("a migrate, b waits", stage.a, &both);

    let conninfo = stage.conninfo().to_owned();
    let holder = std::thread::spawn(move || {
        trueup_testkit::Psql::new(conninfo).run(&format!("select pg_advisory_lock({KEY}), pg_sleep(4)"))
    });
    stage.wait_for_lock();
    stage.write("V3__c.sql", "create table c();");
    assert!(!stage.a("migrate", &[("lockRetryCount", "2")]).ok);
    holder.join().unwrap().unwrap();
    assert_eq!(stage.b("migrate", &[("lockRetryCount", "2")]).ran(), 1);
}

/// Both migrate; the second starts when the first holds the lock, or at once.
fn together(stage: &Stage, one_after_the_other: bool) -> (Outcome, Outcome) {
    std::thread::scope(|scope| {
        let a = scope.spawn(|| stage.perform(stage.a, "migrate", &[]));
        if one_after_the_other {
            stage.wait_for_lock();
        }
        let b = stage.perform(stage.b, "migrate", &[]);
        (a.join().unwrap(), b)
    })
}

pub(crate) fn at_once(stage: &mut Stage) {
    for round in 0..3 {
        for number in 0..20 {
            let name = format!("V{round}.{number}__t.sql");
            stage.write(&name, format!("create table t{round}_{number}(); select pg_sleep(0.005);"));
        }
        stage.write("R__r.sql", format!("create or replace view r as select {round} as round;"));
        let (a, b) = together(stage, false);
        assert_eq!(a.ran() + b.ran(), 21);
        stage.note("both migrate", stage.a, &Outcome { ran: 21, ..a });
    }
    assert!(stage.b("validate", &[]).ok);
}

pub(crate) fn another_zone(stage: &mut Stage) {
    stage.environment("TZ", "Asia/Tokyo");
    stage.set("driver.timeZone", "Asia/Tokyo");
    stage.write("V1__t.sql", "create table t as select current_setting('TimeZone') as zone;");
    assert_eq!(stage.a("migrate", &[]).ran(), 1);
    stage.write(
        "V2__u.sql",
        "create table u as select current_setting('TimeZone') as zone, '${flyway:timestamp}' as run;",
    );
    assert_eq!(stage.b("migrate", &[]).ran(), 1);
    assert_eq!(stage.see("select zone from t union select zone from u"), "Asia/Tokyo");
    let off = "select bool_and(abs(extract(epoch from installed_on - (now() at time zone 'Asia/Tokyo'))) < 600) \
               from flyway_schema_history";
    assert_eq!(stage.see(off), "t");
    let run = "select abs(extract(epoch from run::timestamp - (now() at time zone 'Asia/Tokyo'))) < 600 from u";
    assert_eq!(stage.see(run), "t");
}

pub(crate) fn undone_by_a_paid_edition(stage: &mut Stage) {
    stage.files(&[("V1__a.sql", "create table a();"), ("V2__b.sql", "create table b();")]);
    assert_eq!(stage.a("migrate", &[]).ran(), 2);
    stage.sql(
        "drop table b; insert into flyway_schema_history values \
         (3, '2', 'b', 'UNDO_SQL', 'U2__b.sql', 1, 'postgres', now(), 1, true)",
    );
    stage.apart = true;
    stage.without_looks();
    for verb in ["info", "validate", "migrate"] {
        let outcome = stage.b(verb, &[]);
        match stage.b {
            Party::Ours => assert_eq!(outcome.ok, verb != "validate", "{outcome:#?}"),
            Party::Flyway => {
                outcome.says("UNDO_SQL");
                assert!(!outcome.ok);
            }
        }
    }
    let there = stage.sql("select to_regclass('b'), count(*) from flyway_schema_history");
    assert_eq!(there, if stage.b == Party::Ours { "b|4" } else { "|3" });
}
