//! Our `flyway` beside Flyway's own command line: lines for people. Exit codes, the JSON and what outranks what are cases 57
//! and 58 of those side by side.

use std::process::{Command, Output};
use std::sync::LazyLock;

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
