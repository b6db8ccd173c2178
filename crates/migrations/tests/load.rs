//! Loading a set of migrations: order, collisions, names, and all that can be wrong with a file.

use std::path::Path;
use std::sync::Arc;

use trueup_migrations::load::load;
use trueup_migrations::migration::MigrationSet;
use trueup_migrations::settings::{Settings, read_conf};
use trueup_model::finding::{Finding, Severity};
use trueup_model::rule::Rule;

fn write(root: &Path, files: &[(&str, &[u8])]) {
    for (path, bytes) in files {
        let file = root.join(path);
        std::fs::create_dir_all(file.parent().expect("parent")).expect("mkdir");
        std::fs::write(file, bytes).expect("write");
    }
}

fn loaded(conf: &str, files: &[(&str, &[u8])]) -> MigrationSet {
    let dir = tempfile::tempdir().expect("tempdir");
    write(dir.path(), files);
    let mut settings = Settings::default();
    let problems =
        read_conf(&mut settings, &format!("flyway.locations=filesystem:m\n{conf}"), &Arc::from("flyway.conf"), &|_| {
            None
        });
    assert_eq!(problems, []);
    load(dir.path(), "svc", &settings)
}

fn scripts(set: &MigrationSet) -> Vec<&str> {
    set.in_order().map(|migration| migration.script.as_str()).collect()
}

fn places(findings: &[Finding]) -> Vec<(Rule, String)> {
    findings.iter().map(|f| (f.rule, f.migration_at.as_ref().expect("place").to_string())).collect()
}

#[test]
fn order_of_versions_and_repeatables() {
    let set = loaded(
        "",
        &[
            ("m/V10__x.sql", b""),
            ("m/V9__x.sql", b""),
            ("m/sub/V1.10__x.sql", b""),
            ("m/V1_9__x.sql", b""),
            ("m/R__10.sql", b""),
            ("m/R__9.sql", b""),
            ("m/R__a.sql", b""),
            ("m/R__B.sql", b""),
            ("m/R__Z_a.sql", b""),
            ("m/B5__base.sql", b""),
            ("m/.hidden/V3__x.sql", b""),
            ("m/notes.md", b""),
            ("m/afterMigrate__b.sql", b""),
            ("m/afterMigrate.sql", b""),
            ("m/beforeEachMigrate.sql", b""),
        ],
    );
    assert_eq!(
        scripts(&set),
        [
            "V1_9__x.sql",
            "sub/V1.10__x.sql",
            "V9__x.sql",
            "V10__x.sql",
            "R__10.sql",
            "R__9.sql",
            "R__B.sql",
            "R__Z_a.sql",
            "R__a.sql"
        ]
    );
    assert_eq!(set.baselines.len(), 1);
    let after: Vec<_> = set.callbacks_of("afterMigrate").iter().map(|m| m.script.as_str()).collect();
    assert_eq!(after, ["afterMigrate.sql", "afterMigrate__b.sql"]);
    assert_eq!(set.callbacks_of("beforeEachMigrate").len(), 1);
    assert_eq!(set.findings, []);
}

#[test]
fn collisions_name_both_files() {
    let set = loaded(
        "",
        &[
            ("m/V1__a.sql", b""),
            ("m/V1.0__b.sql", b""),
            ("m/B1__c.sql", b""),
            ("m/R__a_b.sql", b""),
            ("m/x/R__a b.sql", b""),
            ("m/afterMigrate.sql", b""),
            ("m/x/afterMigrate.sql", b""),
        ],
    );
    assert!(set.findings.iter().all(|f| f.rule == Rule::VersionCollision), "{:?}", set.findings);
    let texts: Vec<_> = set.findings.iter().map(|f| f.message.as_str()).collect();
    assert_eq!(
        texts,
        [
            "Found more than one migration with version 1.0\nOffenders:\n-> m/V1.0__b.sql\n-> m/V1__a.sql",
            "Found more than one repeatable migration with description a b\nOffenders:\n-> m/R__a_b.sql\n-> m/x/R__a b.sql",
            "Found more than 1 SQL callback script called afterMigrate.sql!\nOffenders:\n-> m/afterMigrate.sql\n-> m/x/afterMigrate.sql",
        ]
    );
    assert_eq!(set.versioned.len(), 2);
}

#[test]
fn bad_names_are_warnings_unless_naming_is_validated() {
    let files: &[(&str, &[u8])] = &[("m/foo.sql", b""), ("m/V__x.sql", b""), ("m/R.sql", b"")];
    let set = loaded("", files);
    assert_eq!(set.findings.len(), 3);
    assert!(set.findings.iter().all(|f| f.rule == Rule::MigrationName && f.severity == Severity::Warning));
    let strict = loaded("flyway.validateMigrationNaming=true\n", files);
    assert!(strict.findings.iter().all(|f| f.severity == Severity::Error));
}

#[test]
fn other_languages_are_named() {
    let set = loaded(
        "",
        &[
            ("m/V1__A.java", b""),
            ("m/V2__b.sh", b""),
            ("m/V3__c", b""),
            ("m/R__D.class", b""),
            ("m/Helper.java", b""),
            ("m/README", b""),
        ],
    );
    assert_eq!(
        places(&set.findings),
        ["m/R__D.class", "m/V1__A.java", "m/V2__b.sh", "m/V3__c"].map(|f| (Rule::JavaMigration, format!("{f}:1:1")))
    );
}

#[test]
fn what_is_wrong_inside_a_file_has_its_place() {
    let set = loaded(
        "flyway.placeholders.ok=1\n",
        &[
            ("m/V1__a.sql", b"select 1;\n-- \xe9\n"),
            ("m/V2__b.sql", b"select ${ok};\nselect ${no}, ${NO}, ${flyway:user}, ${no};"),
            ("m/V3__c.sql", b"select 1;\n a\0"),
            ("m/V4__d.sql", b""),
            ("m/V4__d.sql.conf", b"executeInTransaction=false\nnope=1"),
            ("m/V5__e.sql", b"select ${raw}"),
            ("m/V5__e.sql.conf", b"placeholderReplacement=false"),
            ("m/V6__f.sql", b"select '\xe9'"),
            ("m/V6__f.sql.conf", b"encoding=ISO-8859-1\nexecuteInTransaction=FALSE"),
        ],
    );
    assert_eq!(
        places(&set.findings),
        [
            (Rule::MigrationFile, "m/V1__a.sql:2:4".into()),
            (Rule::MigrationFile, "m/V2__b.sql:2:8".into()),
            (Rule::MigrationFile, "m/V2__b.sql:2:15".into()),
            (Rule::MigrationFile, "m/V3__c.sql:2:3".into()),
            (Rule::MigrationFile, "m/V4__d.sql.conf:2:1".into()),
        ]
    );
    assert_eq!(scripts(&set), ["V2__b.sql", "V5__e.sql", "V6__f.sql"]);
    let latin = &set.versioned[2];
    assert_eq!(latin.text().expect("text"), "select 'é'");
    assert_eq!(latin.config.execute_in_transaction, Some(false));
}

#[test]
fn checksums_of_repeatables_follow_their_placeholders() {
    let set = loaded(
        "flyway.placeholders.a=1\n",
        &[
            ("m/R__a.sql", b"select ${a};"),
            ("m/R__b.sql", b"select '${flyway:timestamp}';"),
            ("m/R__c.sql", b"-- ${flyway:filename}"),
            ("m/V1__d.sql", b"select ${a};"),
        ],
    );
    let sum = trueup_migrations::checksum::of_text;
    assert_eq!(set.repeatables[0].checksum, Some(sum("select 1;")));
    assert_eq!(set.repeatables[0].raw_checksum(), sum("select ${a};"));
    assert_eq!(set.repeatables[1].checksum, None, "known only to a run");
    assert_eq!(set.repeatables[2].checksum, Some(sum("-- R__c.sql")));
    assert_eq!(set.versioned[0].checksum, Some(sum("select ${a};")));
}

#[test]
fn a_script_maps_back_to_its_file() {
    let set = loaded(
        "flyway.placeholders.schema=a_long_name\n",
        &[("m/V1__a.sql", "-- é\nselect * from ${schema}.t, nope;".as_bytes())],
    );
    let mut placeholders = trueup_migrations::placeholders::Placeholders::new("${", "}", ":");
    placeholders.insert("schema", "a_long_name");
    let script = set.versioned[0].script_with(&placeholders).expect("script");
    let at = script.sql.text.find("nope").expect("nope");
    assert_eq!(script.locate(at).to_string(), "m/V1__a.sql:2:28");
}

#[test]
fn missing_locations_are_said_and_nested_ones_dropped() {
    let set = loaded("flyway.locations=filesystem:m,filesystem:m/sub,filesystem:none\n", &[("m/sub/V1__a.sql", b"")]);
    assert_eq!(scripts(&set), ["sub/V1__a.sql"]);
    assert_eq!((set.findings.len(), set.findings[0].severity), (1, Severity::Warning));
    let strict = loaded("flyway.locations=filesystem:none\nflyway.failOnMissingLocations=true\n", &[]);
    assert_eq!(strict.findings[0].severity, Severity::Error);
}

#[test]
fn callback_locations_replace_the_others_for_callbacks() {
    let set = loaded(
        "flyway.callbackLocations=filesystem:c\n",
        &[("m/V1__a.sql", b""), ("m/afterMigrate.sql", b""), ("c/afterMigrate__own.sql", b""), ("c/V2__no.sql", b"")],
    );
    assert_eq!(scripts(&set), ["V1__a.sql"]);
    let callbacks: Vec<_> = set.callbacks_of("afterMigrate").iter().map(|m| &*m.path).collect();
    assert_eq!(callbacks, ["c/afterMigrate__own.sql"]);
}

#[test]
fn wildcard_locations() {
    let files: &[(&str, &[u8])] = &[("m/a/V1__a.sql", b""), ("m/b/x/V2__b.sql", b""), ("m/V3__c.sql", b"")];
    assert_eq!(scripts(&loaded("flyway.locations=filesystem:m/*\n", files)), ["V1__a.sql", "x/V2__b.sql"]);
    assert_eq!(
        scripts(&loaded("flyway.locations=filesystem:m/**/*.sql\n", files)),
        ["a/V1__a.sql", "b/x/V2__b.sql", "V3__c.sql"]
    );
    assert_eq!(scripts(&loaded("flyway.locations=filesystem:m/**\n", files)), [""; 0]);
}

#[cfg(unix)]
#[test]
fn links_out_of_the_project_and_pipes_are_not_read() {
    let dir = tempfile::tempdir().expect("tempdir");
    let outside = tempfile::tempdir().expect("tempdir");
    write(outside.path(), &[("secret.sql", b"s3cret")]);
    write(dir.path(), &[("m/V1__a.sql", b""), ("shared/V4__d.sql", b"")]);
    let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, dir.path().join("m").join(name)).expect("link");
    link(&outside.path().join("secret.sql"), "V2__b.sql");
    link(outside.path(), "all");
    link(Path::new("/dev/zero"), "V3__c.sql");
    link(&dir.path().join("shared/V4__d.sql"), "V4__d.sql");
    let mut settings = Settings::default();
    read_conf(&mut settings, "flyway.locations=filesystem:m", &Arc::from("flyway.conf"), &|_| None);
    let set = load(dir.path(), "svc", &settings);
    assert_eq!(scripts(&set), ["V1__a.sql", "V4__d.sql"]);
    assert_eq!(set.findings.len(), 3, "{:?}", set.findings);
}
