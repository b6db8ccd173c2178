//! Dry runs of the commands beside migrate: psql makes of the script what the command makes.

use trueup_testkit::{Psql, client_tool, skipped};

use crate::dry::{dump, told};
use crate::scene::{Scene, server};

const FILES: &[(&str, &str)] = &[
    ("V1__a.sql", "create table a (id int); create table trace (n serial, what text);"),
    ("V2__b.sql", "create index concurrently b on a (id);"),
    ("V3__c.sql", "create table c (id int);"),
    ("R__r.sql", "create or replace view r as select 1 as one;"),
    ("U3__c.sql", "drop table c; insert into trace(what) values ('${note}');"),
    ("U2__b.sql", "drop index concurrently b"),
];

const NOTE: [&str; 2] = ["--set", "placeholders.note=it''s"];

/// Two databases with the same in them.
struct Pair {
    psql: Scene,
    ours: Scene,
}

impl Pair {
    fn new(files: &[(&str, &str)], prepare: impl Fn(&Scene)) -> Option<Self> {
        let server = server()?;
        if client_tool("psql").is_none() || client_tool("pg_dump").is_none() {
            skipped("there is no psql or pg_dump on this machine");
            return None;
        }
        let pair = Self { psql: Scene::new(server, files), ours: Scene::new(server, files) };
        [&pair.psql, &pair.ours].into_iter().for_each(prepare);
        Some(pair)
    }

    /// Runs the dry run's script in one and the command in the other, and compares; gives the script.
    fn same(&self, verb: &str, more: &[&str]) -> String {
        let history = |scene: &Scene| match scene.sql("select to_regclass('flyway_schema_history')").as_str() {
            "" => "none".to_owned(),
            _ => scene.rows(),
        };
        let all = |scene: &Scene| (dump(scene), history(scene));
        let before = all(&self.psql);
        let (code, script, errors) = told(&self.psql, verb, &[&["--dry-run"], more].concat());
        assert_eq!(code, 0, "{errors}");
        assert!(script.starts_with(&format!("-- What `trueup {verb}` would send,")), "{script}");
        assert_eq!(all(&self.psql), before, "a dry run changes nothing");
        Psql::new(self.psql.conninfo()).run(&script).unwrap_or_else(|error| panic!("{error}\n{script}"));
        let (code, _, errors) = told(&self.ours, verb, more);
        assert_eq!(code, 0, "{errors}");
        assert_eq!(all(&self.psql), all(&self.ours), "{script}");
        assert_ne!(all(&self.psql), before, "{script}");
        script
    }

    /// The script does no harm when it comes a second time.
    fn again(&self, script: &str) {
        let error = Psql::new(self.psql.conninfo()).run(script).unwrap_err().to_string();
        assert!(error.contains("division by zero") || error.contains("already exists"), "{error}");
        assert_eq!(dump(&self.psql), dump(&self.ours));
    }
}

#[test]
fn an_undo_is_written_down() {
    let callbacks = [
        ("beforeUndo.sql", "insert into trace(what) values ('before');"),
        ("beforeEachUndo.sql", "insert into trace(what) values ('each');"),
        ("afterUndo.sql", "insert into trace(what) values ('after')"),
    ];
    let pair = Pair::new(FILES, |scene| {
        assert_eq!(told(scene, "migrate", &NOTE).0, 0);
        callbacks.iter().for_each(|(name, text)| scene.write(name, text));
    });
    let Some(pair) = pair else { return };
    let script = pair.same("undo", &["--target", "2", NOTE[0], NOTE[1]]);
    assert!(script.contains("\n-- U2__b.sql\n-- outside of a transaction"), "{script}");
    pair.again(&script);
    assert_eq!(pair.psql.sql("select string_agg(what, ' ' order by n) from trace"), "before each it's each after");
    let (code, _, errors) = told(&pair.psql, "undo", &["--dry-run", NOTE[0], NOTE[1]]);
    assert!(code == 1 && errors.contains("write U1__a.sql"), "{errors}");
}

#[test]
fn a_baseline_is_written_down() {
    let Some(pair) = Pair::new(FILES, |scene| drop(scene.sql("create table there ()"))) else { return };
    let settings = ["--set", "baselineVersion=2", "--set", "baselineDescription=it's here"];
    let script = pair.same("baseline", &settings);
    pair.again(&script);
    let (_, script, _) = told(&pair.psql, "baseline", &[&["--dry-run"], settings.as_slice()].concat());
    assert!(script.contains("-- the history has this baseline already"), "{script}");
}

#[test]
fn a_repair_is_written_down_and_follows_picks() {
    let pair = Pair::new(FILES, |scene| {
        assert_eq!(told(scene, "migrate", &NOTE).0, 0);
        scene.write("V1__a.sql", "create table a (id bigint);");
        scene.write("V3__renamed.sql", "create table c (id int);");
        scene.remove("V3__c.sql");
        scene.remove("V2__b.sql");
        scene.write("V4__half.sql", "create index concurrently half on a (id); select 1/0;");
        assert_eq!(
            told(scene, "migrate", &[&["--set", "validateOnMigrate=false", "--set", "mixed=true"], &NOTE[..]].concat())
                .0,
            1
        );
        assert_eq!(scene.sql("select count(*) from flyway_schema_history_progress"), "1");
    });
    let Some(pair) = pair else { return };
    // One after the other: the version that is renamed, the one without a file, the one that failed half-way, and the rest.
    let checksum = "select checksum from flyway_schema_history where version = '1'";
    let old = pair.ours.sql(checksum);
    pair.same("repair", &["--cherry-pick", "3"]);
    assert_eq!(pair.ours.sql("select description from flyway_schema_history where version = '3'"), "renamed");
    pair.same("repair", &["--cherry-pick", "2"]);
    assert_eq!(pair.ours.sql("select type from flyway_schema_history where version = '2' order by 1"), "DELETE\nSQL");
    let left = "select (select count(*) from flyway_schema_history where not success), \
                to_regclass('flyway_schema_history_progress')";
    assert_eq!(pair.ours.sql(left), "1|flyway_schema_history_progress");
    pair.same("repair", &["--cherry-pick", "4"]);
    assert_eq!(pair.ours.sql(left), "0|");
    assert_eq!(pair.ours.sql(checksum), old);
    let script = pair.same("repair", &[]);
    assert_ne!(pair.ours.sql(checksum), old);
    drop(script);
    let (_, script, _) = told(&pair.psql, "repair", &["--dry-run"]);
    assert!(script.contains("-- the schema history needs no repair"), "{script}");
    let (code, _, errors) = told(&pair.psql, "repair", &["--cherry-pick", "9,sum_up,1"]);
    assert!(code == 1 && errors.contains("`9`") && errors.contains("`sum_up`"), "{errors}");
}

#[test]
fn a_clean_is_written_down_and_only_when_it_is_allowed() {
    let pair = Pair::new(FILES, |scene| {
        assert_eq!(told(scene, "migrate", &NOTE).0, 0);
        scene.sql("create type \"Odd one\" as enum ('x'); create table odd (one \"Odd one\")");
    });
    let Some(pair) = pair else { return };
    let (code, script, errors) = told(&pair.psql, "clean", &["--dry-run"]);
    assert!(code == 1 && script.is_empty() && errors.contains("cleanDisabled"), "{script}{errors}");
    let script = pair.same("clean", &["--set", "cleanDisabled=false"]);
    assert!(script.contains("\nDROP TABLE IF EXISTS public.flyway_schema_history CASCADE;\n"), "{script}");
    assert_eq!(pair.psql.sql("select count(*) from pg_class where relnamespace = 'public'::regnamespace"), "0");
    let (code, _, errors) = told(&pair.ours, "clean", &["--set", "cleanDisabled=false", "--set", "dryRunOutput=x.sql"]);
    assert!(
        code == 0 && errors.contains("x.sql has the SQL of a clean: 0 statements; nothing was executed"),
        "{errors}"
    );
}
