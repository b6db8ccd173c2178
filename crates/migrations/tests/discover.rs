//! Discovery and settings of services, on layouts made on the spot.

use std::path::Path;

use trueup_migrations::discover::{DiscoveredService, ServiceHint, discover, settings};
use trueup_migrations::load::load;

fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("tempdir");
    for (path, text) in files {
        let file = dir.path().join(path);
        std::fs::create_dir_all(file.parent().expect("parent")).expect("mkdir");
        std::fs::write(file, text).expect("write");
    }
    dir
}

fn hint(name: &str) -> ServiceHint {
    ServiceHint { name: name.into(), migrations: None }
}

fn found(root: &Path, hints: &[ServiceHint]) -> Vec<DiscoveredService> {
    let discovery = discover(root, hints);
    assert_eq!(discovery.problems, []);
    discovery.services
}

fn summary(services: &[DiscoveredService]) -> Vec<(String, bool, String, String)> {
    services.iter().map(|s| (s.name.clone(), s.declared, s.base.clone(), s.folders.join(" "))).collect()
}

fn row(name: &str, declared: bool, base: &str, folders: &str) -> (String, bool, String, String) {
    (name.into(), declared, base.into(), folders.into())
}

#[test]
fn usual_layouts_are_found_and_junk_is_not() {
    let dir = project(&[
        ("services/svc-a/src/main/resources/db/migration/V1__a.sql", ""),
        ("services/svc-a/src/main/resources/application.yml", ""),
        ("services/svc-a/src/test/resources/db/migration/V9__t.sql", ""),
        ("services/svc-a/target/classes/db/migration/V1__a.sql", ""),
        ("services/svc-b/db/migration/core/V1__a.sql", ""),
        ("svc-c/migrations/R__v.sql", ""),
        ("svc-d/app/src/main/resources/db/migration/V1__a.sql", ""),
        ("svc-e/src/main/resources/db/migration/.gitkeep", ""),
        ("svc-f/src/main/java/db/migration/V1__J.java", ""),
        ("svc-f/src/main/resources/db/migration/notes.txt", ""),
        ("svc-g/src/main/kotlin/db/migration/V1__K.kt", ""),
        ("node_modules/x/V1__a.sql", ""),
        (".git/V1__a.sql", ""),
        ("docs/notes.sql", ""),
    ]);
    let services = found(dir.path(), &[hint("svc-a"), hint("svc-d"), hint("svc-gone")]);
    assert_eq!(
        summary(&services),
        [
            row("svc-a", true, "services/svc-a", "services/svc-a/src/main/resources/db/migration"),
            row("svc-b", false, "services/svc-b", "services/svc-b/db/migration"),
            row("svc-c", false, "svc-c", "svc-c/migrations"),
            row("svc-d", true, "svc-d/app", "svc-d/app/src/main/resources/db/migration"),
            row("svc-e", false, "svc-e", "svc-e/src/main/resources/db/migration"),
            row("svc-f", false, "svc-f", "svc-f/src/main/resources/db/migration"),
            row("svc-g", false, "svc-g", "svc-g/src/main/resources/db/migration"),
            row("svc-gone", true, "", ""),
        ]
    );
    assert_eq!(services[0].settings_files, ["services/svc-a/src/main/resources/application.yml"]);
    for (at, file) in
        [(5, "svc-f/src/main/java/db/migration/V1__J.java"), (6, "svc-g/src/main/kotlin/db/migration/V1__K.kt")]
    {
        let (own, _) = settings(dir.path(), &services[at], &[], &|_| None);
        let set = load(dir.path(), &services[at].name, &own);
        assert!(set.is_empty());
        let found: Vec<_> = set
            .findings
            .iter()
            .map(|f| (f.rule.name(), f.migration_at.as_ref().expect("place").file.to_string()))
            .collect();
        assert_eq!(found, [("java-migration", file.to_owned())]);
    }
}

#[test]
fn a_single_service_is_the_repository() {
    let dir = project(&[("src/main/resources/db/migration/V1__a.sql", "select 1;")]);
    assert_eq!(
        summary(&found(dir.path(), &[hint("shop")])),
        [row("shop", true, "", "src/main/resources/db/migration")]
    );
    let services = found(dir.path(), &[]);
    assert_eq!(services[0].name, dir.path().file_name().expect("name").to_string_lossy());
}

#[test]
fn equal_names_are_told_apart_and_a_root_file_claims_only_its_locations() {
    let dir = project(&[
        ("team1/api/db/migration/V1__a.sql", ""),
        ("team2/api/db/migration/V1__a.sql", ""),
        ("flyway.toml", "[flyway]\nlocations = [\"filesystem:core/migration\", \"filesystem:core/views\"]\n"),
        ("core/migration/V1__a.sql", ""),
        ("core/views/afterMigrate__v.sql", ""),
        ("core/other/V1__a.sql", ""),
    ]);
    assert_eq!(
        summary(&found(dir.path(), &[hint("shop")])),
        [
            row("api", false, "team1/api", "team1/api/db/migration"),
            row("other", false, "core/other", "core/other"),
            row("shop", true, "", "core/migration core/views"),
            row("team2/api", false, "team2/api", "team2/api/db/migration"),
        ]
    );
}

#[test]
fn declared_folders_win() {
    let dir = project(&[("infra/db/orders/V1__a.sql", ""), ("svc-x/db/migration/V1__a.sql", "")]);
    let hints = [ServiceHint { name: "svc-orders".into(), migrations: Some("./infra/db/orders/".into()) }];
    let services = found(dir.path(), &hints);
    let names: Vec<_> = services.iter().map(|s| (s.name.as_str(), s.folders.join(" "))).collect();
    assert_eq!(names, [("svc-orders", "infra/db/orders".to_owned()), ("svc-x", "svc-x/db/migration".to_owned())]);
}

#[test]
fn flyway_files_say_where_and_spring_is_overruled() {
    let dir = project(&[
        ("api/flyway.conf", "flyway.locations=filesystem:one,filesystem:two\nflyway.placeholders.s=web\n"),
        ("api/one/V1__a.sql", "create schema ${s};"),
        ("api/two/V2__b.sql", ""),
        ("api/three/V3__c.sql", ""),
        ("api/application.properties", "spring.flyway.locations=classpath:nope\nspring.flyway.out-of-order=true\n"),
    ]);
    let discovery = discover(dir.path(), &[]);
    let notices: Vec<_> =
        discovery.problems.iter().map(|problem| (problem.at.file.to_string(), problem.blocking)).collect();
    assert_eq!(notices, [("api/three".to_owned(), false)]);
    let services = discovery.services;
    assert_eq!(services.len(), 1, "{services:?}");
    let (settings, problems) = settings(dir.path(), &services[0], &[], &|_| None);
    assert_eq!(problems, []);
    assert!(settings.out_of_order.value);
    let set = load(dir.path(), "api", &settings);
    assert_eq!(set.findings, []);
    let scripts: Vec<_> = set.versioned.iter().map(|m| (m.script.as_str(), &*m.path)).collect();
    assert_eq!(scripts, [("V1__a.sql", "api/one/V1__a.sql"), ("V2__b.sql", "api/two/V2__b.sql")]);
}
