//! The order in which callbacks run: each one writes its event down.

use crate::stage::{Settings, Stage};

/// Events that a SQL file can have, those that run when something failed among them.
const EVENTS: &[&str] = &[
    "afterConnect",
    "createSchema",
    "beforeCreateSchema",
    "beforeMigrate",
    "beforeEachMigrate",
    "beforeEachMigrateStatement",
    "afterEachMigrateStatement",
    "afterEachMigrate",
    "afterVersioned",
    "beforeRepeatables",
    "afterMigrateApplied",
    "afterMigrate",
    "afterMigrateError",
    "afterMigrateOperationFinish",
    "beforeValidate",
    "afterValidate",
    "afterValidateError",
    "beforeInfo",
    "afterInfo",
    "afterInfoError",
    "afterInfoOperationFinish",
    "beforeBaseline",
    "afterBaseline",
    "afterBaselineError",
    "beforeRepair",
    "afterRepair",
    "afterRepairError",
    "beforeClean",
    "afterClean",
    "afterCleanError",
];

/// Files that are written first, a command, and its settings.
type Act<'a> = (&'a [(&'a str, &'a str)], &'a str, Settings<'a>);

const ACTS: &[Act<'_>] = &[
    // On a new database.
    (&[], "validate", &[]),
    (&[], "info", &[]),
    (&[], "repair", &[]),
    (&[], "migrate", &[]),
    // Nothing to do, then repeatables only, then a version only.
    (&[], "migrate", &[]),
    (&[("R__r.sql", "R again")], "migrate", &[]),
    (&[("V3__c.sql", "V3")], "migrate", &[]),
    (&[("V4__v.sql", "vacuum; vacuum;")], "migrate", &[]),
    (&[("V5__g.sql", "V5"), ("R__g.sql", "R g")], "migrate", &[("group", "true")]),
    (&[("V6__h.sql", "V6"), ("R__h.sql", "R h")], "migrate", &[("skipExecutingMigrations", "true")]),
    (&[], "validate", &[]),
    (&[], "info", &[]),
    (&[], "repair", &[]),
    (&[], "baseline", &[]),
    // What fails.
    (&[("V7__x.sql", "insert into trace.of(event) values ('V7'); select 1/0;")], "migrate", &[]),
    (&[], "validate", &[]),
    (&[("V1__a.sql", "changed")], "migrate", &[]),
    (&[("V7__x.sql", "V7")], "migrate", &[("validateOnMigrate", "false")]),
    (&[], "clean", &[("cleanDisabled", "false")]),
    (&[], "baseline", &[]),
    (&[], "baseline", &[]),
];

pub(crate) fn traced(stage: &mut Stage) {
    stage.without_looks();
    // Flyway's other lock is transactional, and would be in the way of VACUUM.
    stage.set("postgresql.transactional.lock", "false");
    stage.sql("create schema trace; create table trace.of(n int generated always as identity, event text)");
    let says = |event: &str| format!("insert into trace.of(event) values ('{event}');");
    EVENTS.iter().for_each(|event| stage.write(&format!("{event}.sql"), says(event)));
    stage.write("beforeMigrate__b.sql", says("beforeMigrate b"));
    stage.write("beforeMigrate__a.sql", says("beforeMigrate a"));
    stage.write("V1__a.sql", says("V1 a") + &says("V1 b"));
    stage.files(&[("V2__b.sql", &says("V2")), ("R__r.sql", &says("R r")), ("R__s.sql", &says("R s"))]);
    for (round, (files, verb, settings)) in ACTS.iter().enumerate() {
        for (name, text) in *files {
            stage.write(name, if text.ends_with(';') { (*text).to_owned() } else { says(text) });
        }
        traces(stage, round % 2 == 0, verb, settings);
    }
    // Ours refuses before it connects.
    stage.apart = true;
    traces(stage, true, "clean", &[]);
    stage.apart = false;
    stage.sql("drop table if exists flyway_schema_history; create table t()");
    traces(stage, true, "migrate", &[("baselineOnMigrate", "true")]);
    traces(stage, false, "migrate", &[("schemas", "fresh")]);
    traces(stage, true, "migrate", &[("createSchemas", "false"), ("schemas", "fresh")]);
}

/// A turn, and what was written down in it.
fn traces(stage: &mut Stage, first: bool, verb: &str, settings: Settings<'_>) {
    if first {
        stage.a(verb, settings)
    } else {
        stage.b(verb, settings)
    };
    stage.see(&format!("select event from trace.of order by n -- {verb}"));
    stage.sql("truncate trace.of");
}
