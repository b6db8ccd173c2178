//! Our `flyway` beside Flyway's own command line: exit codes, fields of the JSON, lines for people.

use std::process::{Command, Output};
use std::sync::LazyLock;

use serde_json::{Value, json};
use tempfile::TempDir;
use trueup_testkit::flyway::CommandLine;
use trueup_testkit::skipped;

use crate::scene::{Scene, server};

const FILES: [(&str, &str); 3] = [
    ("V1__first.sql", "create table a(id int);"),
    ("V2__second_thing.sql", "create table b(id int);\ninsert into b values (1);"),
    ("R__view.sql", "create or replace view v as select 1 as x;"),
];

/// Both command lines, each on a database and a folder of its own with the same files.
struct Both {
    flyway: CommandLine,
    theirs: Scene,
    ours: Scene,
}

/// Exit code, standard output, standard error.
pub(crate) type Said = (i32, String, String);

impl Both {
    fn new(files: &[(&str, &str)]) -> Option<Self> {
        let server = server()?;
        match CommandLine::find() {
            Ok(flyway) => Some(Self { flyway, theirs: Scene::new(server, files), ours: Scene::new(server, files) }),
            Err(why) => {
                skipped(&why);
                None
            }
        }
    }

    fn theirs(&self, arguments: &[&str]) -> Said {
        said(&self.flyway.run(self.theirs.folder.path(), &with_place(&self.theirs, arguments)).unwrap())
    }

    fn ours(&self, arguments: &[&str]) -> Said {
        let mut command = flyway(&self.ours);
        said(&command.args(with_place(&self.ours, arguments)).output().unwrap())
    }

    /// What both say with `-outputType=json`, compared; the exit code.
    fn same_json(&self, arguments: &[&str]) -> i32 {
        let arguments = [arguments, &["-outputType=json"]].concat();
        let (their_code, theirs, _) = self.theirs(&arguments);
        let (our_code, ours, complaints) = self.ours(&arguments);
        let theirs = comparable(&self.theirs, &theirs);
        let ours = comparable(&self.ours, &ours);
        assert_eq!(ours, theirs, "{arguments:?}");
        assert_eq!((our_code, complaints.as_str()), (their_code, ""), "{arguments:?}");
        our_code
    }
}

/// Our binary by Flyway's name.
pub(crate) fn flyway(scene: &Scene) -> Command {
    static NAMED: LazyLock<TempDir> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_trueup"), folder.path().join("flyway")).unwrap();
        folder
    });
    let mut command = Command::new(NAMED.path().join("flyway"));
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("FLYWAY_")) {
        command.env_remove(name);
    }
    command.current_dir(scene.folder.path());
    command
}

fn with_place<'a>(scene: &'a Scene, arguments: &[&'a str]) -> Vec<&'a str> {
    [&[scene.url_setting(), "-user=postgres", "-locations=filesystem:."], arguments].concat()
}

pub(crate) fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// The document without what differs from run to run, nor what is said in other words on purpose.
fn comparable(scene: &Scene, document: &str) -> Value {
    let folder = scene.folder.path().canonicalize().unwrap();
    let document = document.replace(folder.to_str().unwrap(), "").replace(scene.folder.path().to_str().unwrap(), "");
    let document = document.replace("/./", "/");
    let mut value: Value = serde_json::from_str(&document).unwrap_or_else(|error| panic!("{error}: {document}"));
    settle(&mut value);
    value
}

fn settle(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Object(fields) => {
            for (key, value) in fields.iter_mut() {
                match (key.as_str(), &mut *value) {
                    ("timestamp" | "installedOnUTC", Value::String(text)) if !text.is_empty() => {
                        assert!(is_moment(text), "{text}");
                        *value = json!("a moment");
                    }
                    ("executionTime" | "totalMigrationTime", Value::Number(_)) => *value = json!(0),
                    ("database", Value::String(_)) => *value = json!("the database"),
                    // Java's stack, and help that leads to Flyway's site.
                    ("stackTrace", Value::String(_)) => *value = json!("a stack"),
                    ("errorMessage" | "allErrorMessages", Value::String(text)) => *value = json!(first_sentence(text)),
                    ("message" | "exception", Value::String(text)) => *value = json!(text.replace("./", "")),
                    _ => settle(value),
                }
            }
        }
        _ => {}
    }
}

/// How to mend it is said in other words.
fn first_sentence(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    first.split(". ").next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// `2026-11-26T02:03:34.583165` with or without a `Z`, and any number of digits.
fn is_moment(text: &str) -> bool {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape.starts_with("0000-00-00T00:00:00") && text.len() >= 19
}

/// The lines without times, and without what leads to Flyway's site.
fn lines(text: &str) -> Vec<String> {
    let kept = text.lines().filter(|line| {
        !line.starts_with("See release notes") && !line.starts_with("Flyway OSS") && !line.starts_with("trueup 0.")
    });
    let settled = kept.map(|line| {
        let line = line.split(" (execution time ").next().unwrap_or_default();
        // The name of the database, and the moments of the table.
        let line = if line.starts_with("Database: ") { line.rsplit_once('/').unwrap().0 } else { line };
        line.split(" | ")
            .map(|cell| if cell.starts_with("20") { "a moment" } else { cell })
            .collect::<Vec<_>>()
            .join(" | ")
    });
    settled.filter(|line| !line.is_empty()).collect()
}

#[test]
fn results_have_the_same_fields() {
    let Some(both) = Both::new(&FILES) else { return };
    let all = ["-cleanDisabled=false", "info", "baseline", "info", "clean", "migrate", "info", "validate", "repair"];
    assert_eq!(both.same_json(&all), 0);
    // One that is changed and one that is new; validate exits with 0 when JSON is asked for, and both say so.
    for scene in [&both.theirs, &both.ours] {
        scene.write("V1__first.sql", "create table a(id bigint);");
        scene.write("V3__bad.sql", "create table z(id int);\n\n  insert into nowhere\n values(1);\n");
    }
    assert_eq!(both.same_json(&["validate"]), 0);
    for scene in [&both.theirs, &both.ours] {
        scene.write("V1__first.sql", "create table a(id int);");
    }
    assert_eq!(both.same_json(&["-schemas=public,more", "migrate", "info"]), 1);
}

#[test]
fn people_read_the_same_lines() {
    let Some(both) = Both::new(&FILES) else { return };
    let (their_code, theirs, _) = both.theirs(&["migrate", "info"]);
    let (our_code, ours, complaints) = both.ours(&["migrate", "info"]);
    let mut theirs = lines(&theirs);
    // Said by Flyway before it asks for the lock, and by nobody who asks for both at once.
    theirs.retain(|line| !line.ends_with("does not exist yet"));
    assert_eq!(lines(&ours), theirs);
    assert_eq!((our_code, complaints.as_str()), (their_code, ""));
}

#[test]
fn what_is_wrong_ends_with_the_same_code() {
    let Some(both) = Both::new(&FILES) else { return };
    for (arguments, code, word) in [
        (&["bogus"][..], 1, "Invalid flag: bogus"),
        (&["-bogus", "info"], 1, "Invalid flag: -bogus"),
        (&["-bogus=1", "info"], 1, "flyway.bogus"),
        (&["-outOfOrder=perhaps", "info"], 1, "perhaps"),
        (&["-outputType=xml", "info"], 1, "'xml' is an invalid value for the -outputType option"),
        (&["check"], 35, "check"),
        (&["clean"], 1, "Unable to execute clean as it has been disabled with the 'flyway.cleanDisabled' property."),
    ] {
        let (their_code, _, theirs) = both.theirs(arguments);
        let (our_code, _, ours) = both.ours(arguments);
        assert_eq!((our_code, their_code), (code, code), "{arguments:?}: {ours}{theirs}");
        for said in [&ours, &theirs] {
            assert!(said.starts_with("ERROR: ") && said.contains(word), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn options_outrank_variables_and_variables_outrank_files() {
    let Some(both) = Both::new(&FILES) else { return };
    for scene in [&both.theirs, &both.ours] {
        scene.write("flyway.conf", "flyway.table=by_file\nflyway.schemas=by_file\nflyway.installedBy=by_file\n");
    }
    let arguments = ["-table=by_option", "migrate"];
    let theirs = {
        let mut command = both.flyway.command(both.theirs.folder.path(), &with_place(&both.theirs, &arguments));
        command.env("FLYWAY_TABLE", "by_variable").env("FLYWAY_SCHEMAS", "by_variable").output().unwrap()
    };
    let ours = {
        let mut command = flyway(&both.ours);
        let command = command.args(with_place(&both.ours, &arguments));
        command.env("FLYWAY_TABLE", "by_variable").env("FLYWAY_SCHEMAS", "by_variable").output().unwrap()
    };
    assert_eq!((said(&ours).0, said(&theirs).0), (0, 0), "{:?} {:?}", said(&ours), said(&theirs));
    let rows =
        "select string_agg(version || ' ' || installed_by, ',' order by installed_rank) from by_variable.by_option";
    assert_eq!(both.ours.sql(rows), both.theirs.sql(rows));
}

#[test]
fn the_name_and_the_word_are_one() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &FILES);
    let arguments = with_place(&scene, &["-outputFile=said.txt", "info"]);
    let by_name = said(&flyway(&scene).args(&arguments).output().unwrap());
    let kept = std::fs::read_to_string(scene.folder.path().join("said.txt")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    let by_word = said(&command.arg("-C").arg(scene.folder.path()).arg("flyway").args(&arguments).output().unwrap());
    assert_eq!((by_name.0, &by_name), (0, &by_word));
    assert_eq!(kept, by_name.1);
    let quiet = said(&flyway(&scene).args(with_place(&scene, &["-q", "migrate"])).output().unwrap());
    assert_eq!(quiet, (0, String::new(), String::new()));
    // A password on the command line reaches no message.
    let arguments =
        with_place(&scene, &["-password=hunter2", "-url=jdbc:postgresql://127.0.0.1:1/x?password=hunter2", "info"]);
    let refused = said(&flyway(&scene).args(arguments).output().unwrap());
    assert!(refused.0 == 1 && !format!("{refused:?}").contains("hunter2"), "{refused:?}");
}
