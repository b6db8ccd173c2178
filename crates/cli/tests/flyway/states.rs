//! States and error codes of the same files and rows, asked of both.
#![allow(clippy::semicolon_if_nothing_returned, reason = "a case is one expression")]

use serde_json::Value;

use crate::scene::{Scene, flyway, server, strings};

const FILES: &[(&str, &str)] = &[
    ("V1__a.sql", "select 1;"),
    ("V2__b.sql", "select 2;"),
    ("V3__c.sql", "select 3;"),
    ("R__r.sql", "select 4;"),
    ("R__s.sql", "select 5;"),
];

/// What is done to files and rows after everything was applied, and with which settings both are asked.
type Case<'c> = (&'c str, &'c dyn Fn(&Scene), &'c [(&'c str, &'c str)]);

#[test]
fn info_and_validate_agree() {
    let (Some(server), Some(mut flyway)) = (server(), flyway()) else { return };
    let delete = |scene: &Scene, what: &str| {
        scene.sql(&format!("delete from flyway_schema_history where {what}"));
    };
    let insert = |scene: &Scene, values: &str| {
        scene.sql(&format!("insert into flyway_schema_history values ({values})"));
    };
    let cases: &[Case<'_>] = &[
        ("as applied", &|_| {}, &[]),
        ("pending", &|s| s.write("V4__d.sql", ""), &[]),
        ("pending is fine", &|s| s.write("V4__d.sql", ""), &[("ignoreMigrationPatterns", "*:pending")]),
        ("ignored", &|s| s.write("V1_5__d.sql", ""), &[]),
        ("ignored is fine", &|s| s.write("V1_5__d.sql", ""), &[("ignoreMigrationPatterns", "*:ignored")]),
        ("out of order allowed", &|s| s.write("V1_5__d.sql", ""), &[("outOfOrder", "true")]),
        ("missing", &|s| s.remove("V2__b.sql"), &[]),
        ("missing is fine", &|s| s.remove("V2__b.sql"), &[("ignoreMigrationPatterns", "versioned:missing")]),
        ("missing repeatable", &|s| s.remove("R__r.sql"), &[]),
        ("future", &|s| s.remove("V3__c.sql"), &[]),
        ("future counts", &|s| s.remove("V3__c.sql"), &[("ignoreMigrationPatterns", "")]),
        ("changed", &|s| s.write("V2__b.sql", "select 22;"), &[]),
        (
            "renamed",
            &|s| {
                s.remove("V2__b.sql");
                s.write("V2__bb.sql", "select 2;")
            },
            &[],
        ),
        ("outdated", &|s| s.write("R__r.sql", "select 44;"), &[]),
        (
            "NULL checksums",
            &|s| {
                s.sql("update flyway_schema_history set checksum=null");
            },
            &[],
        ),
        (
            "failed version",
            &|s| {
                s.sql("update flyway_schema_history set success=false where version='2'");
            },
            &[],
        ),
        (
            "failed repeatable",
            &|s| {
                s.sql("update flyway_schema_history set success=false where description='r'");
            },
            &[],
        ),
        (
            "failed and missing",
            &|s| {
                s.sql("update flyway_schema_history set success=false where version='2'");
                s.remove("V2__b.sql")
            },
            &[],
        ),
        (
            "failed and future",
            &|s| {
                s.sql("update flyway_schema_history set success=false where version='3'");
                s.remove("V3__c.sql")
            },
            &[],
        ),
        ("superseded", &|s| insert(s, "9,null,'r','SQL','R__r.sql',1,'x',now(),1,true"), &[]),
        (
            "above the target",
            &|s| {
                delete(s, "version='3'");
                s.write("V4__d.sql", "")
            },
            &[("target", "3")],
        ),
        ("target current", &|s| s.write("V4__d.sql", ""), &[("target", "current")]),
        (
            "target next",
            &|s| {
                s.write("V4__d.sql", "");
                s.write("V5__e.sql", "")
            },
            &[("target", "next")],
        ),
        ("deleted version", &|s| insert(s, "9,'3','c','DELETE','V3__c.sql',1,'x',now(),0,true"), &[]),
        ("deleted repeatable", &|s| insert(s, "9,null,'r','DELETE','R__r.sql',1,'x',now(),0,true"), &[]),
        (
            "deleted and gone",
            &|s| {
                insert(s, "9,'3','c','DELETE','V3__c.sql',1,'x',now(),0,true");
                s.remove("V3__c.sql")
            },
            &[],
        ),
        (
            "applied late",
            &|s| {
                s.write("V1_5__d.sql", "");
                insert(s, "9,'1.5','d','SQL','V1_5__d.sql',0,'x',now(),1,true")
            },
            &[],
        ),
        (
            "baseline row",
            &|s| {
                delete(s, "version is not null");
                insert(s, "1,'2','<< Flyway Baseline >>','BASELINE','<< Flyway Baseline >>',null,'x',now(),0,true")
            },
            &[],
        ),
        (
            "B file on an empty history",
            &|s| {
                delete(s, "true");
                s.write("B2__all.sql", "");
                s.write("B1__less.sql", "")
            },
            &[],
        ),
        (
            "B file on a history",
            &|s| {
                s.write("B2__all.sql", "");
                s.write("B9__more.sql", "")
            },
            &[],
        ),
        (
            "B file applied",
            &|s| {
                delete(s, "version is not null");
                s.write("B2__all.sql", "");
                insert(s, "1,'2','all','SQL_BASELINE','B2__all.sql',0,'x',now(),0,true")
            },
            &[],
        ),
        (
            "Java before, SQL now",
            &|s| {
                s.sql("update flyway_schema_history set type='JDBC' where version='2'");
            },
            &[],
        ),
        (
            "Java before, SQL now, the highest",
            &|s| {
                s.sql("update flyway_schema_history set type='JDBC' where version='3'");
            },
            &[],
        ),
        (
            "Java before, SQL now, repeatable",
            &|s| {
                s.sql("update flyway_schema_history set type='JDBC' where description='r'");
            },
            &[],
        ),
    ];
    let mut differ = Vec::new();
    for (name, change, settings) in cases {
        let scene = Scene::new(server, FILES);
        assert_eq!(scene.migrate(), 5);
        change(&scene);
        let pairs: Vec<String> = settings.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let more: Vec<&str> = pairs.iter().flat_map(|pair| ["--set", pair]).collect();
        let (_, info) = scene.ours("info", &more);
        let (_, validate) = scene.ours("validate", &more);
        let mut ours = (states(&info), codes(&validate));
        let theirs_info = scene.theirs(&mut flyway, "info", settings);
        let theirs_validate = scene.theirs(&mut flyway, "validate", settings);
        let mut theirs = (strings(&theirs_info["states"]), strings(&theirs_validate["codes"]));
        // Where a migration stands in the list is for people; which state it has is not.
        for side in [&mut ours, &mut theirs] {
            side.0.sort();
            side.1.sort();
        }
        if ours != theirs {
            differ.push(format!("{name}\n  ours   {ours:?}\n  Flyway {theirs:?}"));
        }
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
}

fn states(info: &Value) -> Vec<String> {
    let of = |item: &Value| {
        let name = item["version"].as_str().or(item["description"].as_str()).unwrap_or_default();
        format!("{name}:{}", item["state"].as_str().unwrap_or_default())
    };
    info["migrations"].as_array().map(|all| all.iter().map(of).collect()).unwrap_or_default()
}

fn codes(validate: &Value) -> Vec<String> {
    let of = |item: &Value| item["errorDetails"]["errorCode"].as_str().unwrap_or_default().to_owned();
    validate["invalidMigrations"].as_array().map(|all| all.iter().map(of).collect()).unwrap_or_default()
}

#[test]
fn info_is_a_record_of_the_environment_that_others_can_keep() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    assert_eq!(scene.migrate(), 5);
    scene.write("V90__later.sql", "select 1;");
    let mut command = scene.command("info", scene.folder.path());
    // Behind UTC, and the rows were written in another zone than this: read as Flyway reads them.
    let (code, info) =
        crate::scene::answer(&command.args(["--location", "."]).env("TZ", "Etc/GMT+5").output().unwrap());
    assert_eq!(code, 0);
    let schema = include_str!("../../../../docs/reference/info.schema.json");
    let validator = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let errors: Vec<_> = validator.iter_errors(&info).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}\n{info:#}");
    assert_eq!((&info["schemaName"], info["migrations"].as_array().unwrap().len()), (&"public".into(), 6));
    let first = &info["migrations"][0];
    let raw = "select to_char(installed_on + interval '5 hours', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') \
               from flyway_schema_history where installed_rank = 1";
    assert_eq!(first["installedOn"].as_str().unwrap(), scene.sql(raw));
    assert_eq!(first["installedBy"], "postgres");
    let last = &info["migrations"].as_array().unwrap().iter().find(|item| item["version"] == "90").unwrap();
    assert_eq!((&last["state"], &last["script"]), (&"Pending".into(), &"V90__later.sql".into()));
    assert!(last["installedOn"].is_null() && last["checksum"].is_i64());
}
