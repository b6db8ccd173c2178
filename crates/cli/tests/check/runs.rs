//! Runs: what they are limited to, where they write, how they end.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::project::{Project, Run, TRUEUP, YAML, list, text};
use crate::stories::Story;

const INTENT: &str = "\
svc-a:
  engine: PostgreSQL 15
  tables: [t, absent]
svc-b:
  engine: PostgreSQL 15
  tables: [t, absent]
";

fn two_services() -> Project {
    let sql = "CREATE TABLE t (a int);\n";
    Project::with(&[(YAML, INTENT), ("svc-a/V1__a.sql", sql), ("svc-b/V1__a.sql", sql)])
}

fn services(run: &Run) -> Vec<String> {
    list(&run.json(), "services").iter().map(|service| text(service, "name")).collect()
}

#[test]
fn a_service_can_be_singled_out() {
    let run = two_services().check(&["--service", "svc-b"]);
    assert_eq!((run.code, services(&run)), (1, vec!["svc-b".to_owned()]));
    assert_eq!(run.findings().len(), 1);
    let unknown = two_services().check(&["--service", "scv-b"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""));
    assert!(unknown.stderr.contains("no service `scv-b`") && unknown.stderr.contains("`svc-b`"), "{}", unknown.stderr);
}

/// Nothing is wrong, and nothing is shown as right.
#[test]
fn what_was_not_compared_is_not_shown_as_good() {
    let project = Project::with(&[(YAML, "svc-a:\n  engine: Couchbase 7\n  tables: [t]\n")]);
    let run = project.trueup(&["check"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.starts_with("- no service was compared"), "{}", run.stdout);
    assert!(!run.stdout.contains('✓'), "{}", run.stdout);
}

/// A repository with one commit.
fn committed() -> Project {
    let project = two_services();
    git(&project, &["init", "-q", "-b", "main"]);
    commit(&project);
    project
}

fn commit(project: &Project) {
    git(project, &["add", "-A"]);
    git(project, &["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "x"]);
}

fn git(project: &Project, arguments: &[&str]) {
    let status = project.command("git").args(arguments).status().expect("git runs");
    assert!(status.success(), "git {arguments:?}");
}

#[test]
fn the_gate_can_be_limited_to_what_a_branch_touched() {
    let since = ["--changed-since", "main"];
    let project = committed();
    git(&project, &["checkout", "-q", "-b", "work"]);
    let nothing = project.check(&since);
    assert_eq!((nothing.code, services(&nothing)), (0, vec![]), "{nothing:?}");
    project.write(YAML, format!("# lines move, and that is all\n{INTENT}"));
    assert_eq!(services(&project.check(&since)), Vec::<String>::new());
    project.write(YAML, INTENT.replacen("absent", "gone", 1));
    let intent = project.check(&since);
    assert_eq!((intent.code, intent.findings()), (1, vec!["missing-table public.gone".to_owned()]));
    project.write(YAML, INTENT);
    project.write("svc-b/V2__new.sql", "CREATE TABLE absent (a int);\n");
    let untracked = project.check(&since);
    assert_eq!((untracked.code, services(&untracked)), (0, vec!["svc-b".to_owned()]), "{untracked:?}");
    commit(&project);
    assert_eq!(services(&project.check(&since)), ["svc-b"]);
    let unknown = project.check(&["--changed-since", "no-such-ref"]);
    assert_eq!((unknown.code, unknown.stdout.as_str()), (2, ""));
    assert!(unknown.stderr.contains("no-such-ref"), "{}", unknown.stderr);
    let outside = two_services().check(&since);
    assert_eq!(outside.code, 2, "{outside:?}");
}

/// One story's report in a format.
fn report(format: &str) -> String {
    let stories = Story::all();
    let story = stories.iter().find(|story| story.name == "replay-failed").expect("the story");
    let run = story.project().trueup(&["check", "--no-cache", "--format", format]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    run.stdout
}

fn assert_valid(schema: &str, document: &str) {
    let schema: Value = serde_json::from_str(schema).expect("a schema");
    let document: Value = serde_json::from_str(document).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let errors: Vec<_> = validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn json_and_sarif_are_what_their_schemas_say() {
    assert_valid(include_str!("../../../../docs/reference/report.schema.json"), &report("json"));
    let sarif = report("sarif");
    assert_valid(include_str!("../data/sarif-2.1.0.schema.json"), &sarif);
    assert!(sarif.contains("svc-a/V2__b.sql") && sarif.contains("column-type"));
}

#[test]
fn the_other_formats_name_every_finding() {
    let junit = report("junit");
    let document = roxmltree::Document::parse(&junit).expect("XML");
    let failed = |node: &roxmltree::Node<'_, '_>| node.has_tag_name("failure") || node.has_tag_name("error");
    assert_eq!(document.descendants().filter(failed).count(), 2, "{junit}");
    let gitlab: Value = serde_json::from_str(&report("gitlab")).expect("JSON");
    let places = gitlab.as_array().expect("a list").iter().map(|one| text(&one["location"], "path"));
    assert!(places.clone().any(|path| path == "svc-a/V2__b.sql"), "{gitlab:#}");
    assert_eq!(places.count(), 2);
    let github = report("github");
    let annotations = github.lines().filter(|line| line.starts_with("::error") || line.starts_with("::warning"));
    assert!(annotations.clone().any(|line| line.contains("file=svc-a/V2__b.sql,line=4")), "{github}");
    let markdown = report("markdown").replace("&#95;", "_");
    for format in [markdown, report("human")] {
        assert!(format.contains("replay-failed") && format.contains("column-type"), "{format}");
        assert!(format.contains("svc-a/V2__b.sql:4"), "{format}");
    }
}

#[test]
fn a_report_goes_to_a_file() {
    let project = two_services();
    let run = project.check(&["--output", "report.json"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    let written: Value = serde_json::from_str(&project.read("report.json")).expect("JSON");
    assert_eq!(list(&written, "findings").len(), 2);
    let nowhere = project.check(&["--output", "no/such/folder/report.json"]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.stderr.contains("no/such/folder/report.json"), "{}", nowhere.stderr);
}

#[test]
fn a_reader_that_leaves_changes_nothing() {
    let project = two_services();
    let mut command = project.command(TRUEUP);
    command.args(["check", "--no-cache"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("trueup runs");
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
    assert_eq!(child.wait().expect("ended").code(), Some(1));
    assert_eq!(said, "");
}

#[test]
fn mistakes_on_the_command_line_are_exit_2() {
    let project = two_services();
    let nowhere = project.trueup(&["-C", "no-such-folder", "check"]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.stderr.contains("no-such-folder"), "{}", nowhere.stderr);
    assert_eq!(project.trueup(&["check", "--no-such-flag"]).code, 2);
    let no_engine = project.check(&["--pg-bin", "no-such-folder"]);
    assert_eq!(no_engine.code, 2, "{no_engine:?}");
    assert!(no_engine.stdout.contains("no-such-folder"), "{}", no_engine.stdout);
    let empty = Project::new().check(&[]);
    assert_eq!((empty.code, list(&empty.json(), "errors").len()), (2, 1), "{empty:?}");
}

#[test]
fn another_folder_is_as_good_as_being_there() {
    let project = two_services();
    let root = project.root().to_str().expect("UTF-8");
    let elsewhere = Project::new();
    let run = elsewhere.trueup(&["-C", root, "check", "--no-cache", "--format", "json"]);
    assert_eq!((run.code, run.findings().len()), (1, 2));
}

#[test]
fn windows_lines_and_a_byte_order_mark_mean_nothing() {
    for story in Story::all().iter().filter(|story| ["indexes", "positional", "foreign-keys"].contains(&&*story.name)) {
        let project = story.project();
        for file in [YAML, "svc-a/V1__a.sql"] {
            let text = project.read(file).replace('\n', "\r\n");
            project.write(file, format!("\u{feff}{text}"));
        }
        let differences = story.differences(&story.run(&project));
        assert!(differences.is_empty(), "{}: {differences:#?}", story.name);
    }
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    for signal in ["INT", "TERM"] {
        let project = Project::with(&[
            (YAML, "svc-a:\n  engine: PostgreSQL 15\n  tables: [t]\n"),
            ("svc-a/V1__a.sql", "SELECT pg_sleep(120);\n"),
        ]);
        let mut command = project.command(TRUEUP);
        command.args(["check", "--no-cache"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().expect("trueup runs");
        let servers = wait_for("the server starts", || {
            let replaying = descendants(child.id()).iter().any(|process| process.command.contains("SELECT"));
            replaying.then(|| descendants(child.id()))
        });
        let sent = Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        let status = wait_for("trueup ends", || child.try_wait().expect("a child"));
        assert_eq!(status.code(), Some(130), "SIG{signal}");
        wait_for("the server is gone", || {
            let alive = processes();
            (!servers.iter().any(|server| alive.contains(server))).then_some(())
        });
    }
}

fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + Duration::from_secs(60);
    while Instant::now() < until {
        if let Some(found) = found() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("not within a minute: {what}");
}

#[derive(Clone, Debug)]
struct Process {
    id: u32,
    parent: u32,
    command: String,
}

impl PartialEq for Process {
    /// Titles and parents change.
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// All processes but those that have ended and wait to be asked for.
fn processes() -> Vec<Process> {
    let output = Command::new("ps").args(["-eo", "pid=,ppid=,stat=,args="]).output().expect("ps runs");
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    let process = |line: &str| {
        let mut words = line.split_whitespace();
        let (id, parent) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let ended = words.next()?.starts_with('Z');
        (!ended).then(|| Process { id, parent, command: words.collect::<Vec<_>>().join(" ") })
    };
    listed.lines().filter_map(process).collect()
}

/// Everything that a process started, and what that started.
fn descendants(ancestor: u32) -> Vec<Process> {
    let all = processes();
    let mut found: Vec<Process> = Vec::new();
    let mut open = vec![ancestor];
    while let Some(parent) = open.pop() {
        let children = all.iter().filter(|process| process.parent == parent);
        for child in children {
            open.push(child.id);
            found.push(child.clone());
        }
    }
    found
}
