//! Which files of settings are read, and which of them wins, down to the database. Flyway's files are played beside Flyway in case
//! 57 of those side by side.

use std::process::Command;

use crate::command_line::{flyway, said};
use crate::scene::{Scene, answer, server};

const MIGRATION: (&str, &str) = ("V1__a.sql", "create table ${name}();");

/// A scene with files below its folder.
fn scene(files: &[(&str, &str)]) -> Option<Scene> {
    let scene = Scene::new(server()?, &[]);
    for (name, text) in files {
        let file = scene.folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    Some(scene)
}

/// Our command where the files decide, but for the database.
fn ours(scene: &Scene, verb: &str, more: &[&str], variables: &[(&str, &str)]) -> (i32, serde_json::Value) {
    let mut command: Command = scene.command(verb, scene.folder.path());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SPRING_")) {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    answer(&command.args(more).output().unwrap())
}

/// What is typed, the variables, and the name that then is made.
type Case<'c> = (&'c [&'c str], &'c [(&'c str, &'c str)], &'c str);

#[test]
fn springs_profiles_decide_what_is_made() {
    let resources = "src/main/resources";
    let main = "spring.flyway.placeholders.name: main\n---\nspring.config.activate.on-profile: test\nspring.flyway.placeholders.name: of_document\n";
    let files = [
        (format!("{resources}/db/migration/{}", MIGRATION.0), MIGRATION.1),
        (format!("{resources}/application.yml"), main),
        (format!("{resources}/application-prod.properties"), "spring.flyway.placeholders.name=of_file\n"),
    ];
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    const ACTIVE: &str = "SPRING_PROFILES_ACTIVE";
    const JSON: &str = "SPRING_APPLICATION_JSON";
    let variable = ("SPRING_FLYWAY_PLACEHOLDERS_NAME", "of_variable");
    let cases: [Case<'_>; 9] = [
        (&[], &[], "main"),
        (&[], &[(ACTIVE, "test")], "of_document"),
        (&["--spring-profiles", "prod"], &[(ACTIVE, "test")], "of_file"),
        (&[], &[(ACTIVE, "prod,test")], "of_file"),
        (&[], &[("SPRING_PROFILES_DEFAULT", "test")], "of_document"),
        (&[], &[(ACTIVE, "prod"), variable], "of_variable"),
        (&[], &[(JSON, r#"{"spring": {"flyway": {"placeholders": {"name": "of_json"}}}}"#), variable], "of_json"),
        (&[], &[(JSON, r#"{"spring.profiles.active": "test"}"#), (ACTIVE, "prod")], "of_document"),
        (&[], &[(JSON, r#"{"NAME": "of_json"}"#), ("NAME", "lost"), (variable.0, "${NAME}")], "of_json"),
    ];
    for (more, variables, expected) in cases {
        let Some(scene) = scene(&files) else { return };
        let (code, document) = ours(&scene, "migrate", more, variables);
        assert_eq!((code, scene.tables().as_str()), (0, expected), "{document:#}");
    }
    let Some(scene) = scene(&files) else { return };
    let elsewhere = ("SPRING_CONFIG_ADDITIONAL_LOCATION", "file:/etc/app/");
    let (code, document) = ours(&scene, "migrate", &[], &[elsewhere, (JSON, "{\"a\": secret}")]);
    assert_eq!((code, scene.tables().as_str()), (1, ""), "{document:#}");
    let said = document.to_string();
    assert!(said.contains("`spring.config.additional-location` is set in the environment"), "{said}");
    assert!(said.contains("SPRING_APPLICATION_JSON") && !said.contains("secret"), "{said}");
}

/// Files in which each one overrules the ones before it.
const LAYERS: [(&str, &str); 7] = [
    ("home/flyway.toml", "[flyway.placeholders]\nname = \"home\"\n"),
    ("flyway.toml", "[flyway]\nlocations = [\"filesystem:sql\"]\n[flyway.placeholders]\nname = \"current\"\n"),
    ("wd/flyway.toml", "[flyway.placeholders]\nname = \"working\"\n"),
    (
        "wd/flyway.user.toml",
        "[flyway.placeholders]\nname = \"personal\"\n[environments.ci.flyway.placeholders]\nname = \"ci\"\n",
    ),
    ("wd/more.toml", "[flyway.placeholders]\nname = \"named\"\n"),
    ("sql/V1__a.sql", MIGRATION.1),
    ("wd/sql/V1__a.sql", MIGRATION.1),
];

/// What is typed, and the table that is then made.
const CALLS: [(&[&str], &str); 3] = [
    (&["-workingDirectory=wd"], "personal"),
    (&["-workingDirectory=wd", "-configFiles=more.toml"], "named"),
    (&["-workingDirectory=wd", "-placeholders.name=typed"], "typed"),
];

fn typed<'s>(scene: &'s Scene, more: &[&'s str]) -> Vec<&'s str> {
    [&[scene.url_setting(), "-user=postgres"], more, &["migrate"]].concat()
}

#[test]
fn flyways_files_overrule_each_other() {
    let cases = CALLS.iter().map(|(more, expected)| (more.to_vec(), *expected));
    let alone: [(Vec<&str>, &str); 2] = [(vec![], "current"), (vec!["-workingDirectory=wd", "-environment=ci"], "ci")];
    for (more, expected) in cases.chain(alone) {
        let Some(scene) = scene(&LAYERS) else { return };
        let mut command = flyway(&scene);
        command.env("HOME", scene.folder.path().join("home"));
        let (code, out, err) = said(&command.args(typed(&scene, &more)).output().unwrap());
        assert_eq!((code, scene.tables().as_str()), (0, expected), "{more:?}: {out}{err}");
    }
}

#[test]
fn what_cannot_be_read_stops_the_run_with_its_place() {
    let files = [
        ("flyway.toml", "[flyway]\nlocations = [\"filesystem:sql\"]\n[environments.ci]\npassword = \"${vault.pw}\"\n"),
        ("sql/V1__a.sql", "create table a();"),
    ];
    let cases: [(&str, &str, &str); 4] = [
        ("environment=nope", "--set", "there is no environment `nope`; the files have: ci"),
        ("environment=ci", "flyway.toml", "`vault`"),
        ("configFiles=nope.toml", "--set", "nope.toml: cannot read it"),
        ("configFiles=a.toml,b.conf", "--set", "never both"),
    ];
    for (set, place, what) in cases {
        let Some(scene) = scene(&files) else { return };
        let (code, document) = ours(&scene, "migrate", &["--location", "sql", "--set", set], &[]);
        let text = document["error"]["problems"].to_string();
        assert!(code == 1 && text.contains(place) && text.contains(what), "{set}: {document:#}");
        assert_eq!(scene.tables(), "");
    }
}
