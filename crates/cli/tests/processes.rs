//! What runs beside the binary, and what is left of it: many at once, killed, with secrets around it.

mod runs;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use runs::{Project, Runner, comparable, differences};
use trueup_testkit::{MAJORS, postgres, skipped};

const TRUEUP: &str = env!("CARGO_BIN_EXE_trueup");
/// In the environment of the runs below; nothing that SQL can reach may hold it.
const SECRET: &str = "s3cr3t-dGhpcyBpcyBub3Q";
const SLOW: &str = "CREATE TABLE t (a int); SELECT pg_sleep(120);";

fn any_postgres() -> Option<PathBuf> {
    let found = [15].into_iter().chain(MAJORS).find_map(postgres);
    if found.is_none() {
        skipped("no PostgreSQL is here: run `cargo xtask fetch`");
    }
    found
}

#[test]
fn ten_at_once_on_an_empty_cache_say_the_same() {
    let Some(bin) = any_postgres() else { return };
    let runner = Runner::new(TRUEUP);
    let project = &Project::example("brownfield");
    let start = || {
        let mut command = runner.command(project.path());
        command.args(["check", "--format", "json", "--pg-bin"]).arg(&bin);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("trueup runs")
    };
    let children: Vec<Child> = (0..10).map(|_| start()).collect();
    let outputs = children.into_iter().map(|child| child.wait_with_output().expect("it ends"));
    let reports: Vec<_> = outputs.map(|output| comparable(&runs::report(&output))).collect();
    assert_eq!(reports[0]["errors"], serde_json::json!([]));
    assert_eq!(reports[0]["summary"]["exit_code"], 1);
    for report in &reports[1..] {
        assert!(differences(&reports[0], report).is_empty(), "{}", differences(&reports[0], report).join("\n"));
    }
    let again = comparable(&runner.check(project.path(), &["--pg-bin", &bin.to_string_lossy()]));
    assert!(differences(&reports[0], &again).is_empty(), "what they left in the cache says something else");
}

/// A run in the middle of a migration, and what belongs to it.
struct Underway {
    child: Child,
    guard: i32,
    directory: PathBuf,
    server: i32,
}

impl Underway {
    /// Starts `trueup check`, and returns when its server replays.
    fn start(runner: &Runner, project: &Project, bin: &Path) -> Self {
        let mut command = runner.command(project.path());
        command.env("AWS_SECRET_ACCESS_KEY", SECRET).env("DATABASE_URL", format!("postgres://u:{SECRET}@db/app"));
        command.args(["check", "--no-cache", "--pg-bin"]).arg(bin).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().expect("trueup runs");
        let pid = i32::try_from(child.id()).expect("a pid");
        let (guard, directory) = wait_for("its guard", || guard_of(pid));
        let server = wait_for("its server", || {
            let text = std::fs::read_to_string(directory.join("data/postmaster.pid")).ok()?;
            text.lines().next()?.trim().parse().ok()
        });
        wait_for("the replay", || titles_below(server).contains("SELECT").then_some(()));
        Self { child, guard, directory, server }
    }

    /// Kills trueup the hard way.
    fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }

    fn is_gone(&self) -> bool {
        !self.directory.exists() && !runs_in(self.server, &self.directory)
    }
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(90), "{what}: not seen in 90 s");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All processes, each with its parent.
fn processes() -> Vec<(i32, i32)> {
    let entries = std::fs::read_dir("/proc").expect("/proc");
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let parent = stat.rsplit(')').next()?.split_whitespace().nth(1)?.parse().ok()?;
        Some((pid, parent))
    })
    .collect()
}

fn below(root: i32) -> BTreeSet<i32> {
    let all = processes();
    let mut found = BTreeSet::from([root]);
    // Parents need not come before their children.
    while all.iter().any(|(pid, parent)| found.contains(parent) && found.insert(*pid)) {}
    found.remove(&root);
    found
}

fn arguments(pid: i32) -> Vec<String> {
    let text = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&text).split('\0').map(str::to_owned).collect()
}

/// PostgreSQL writes what a process does where its arguments were.
fn titles_below(server: i32) -> String {
    below(server).into_iter().flat_map(arguments).collect::<Vec<_>>().join("\n")
}

/// The guard of a run's server, and the directory that it is told to remove.
fn guard_of(trueup: i32) -> Option<(i32, PathBuf)> {
    below(trueup).into_iter().find_map(|pid| {
        let arguments = arguments(pid);
        let name = arguments.iter().position(|argument| argument == "trueup-guard")?;
        Some((pid, PathBuf::from(arguments.get(name + 1)?)))
    })
}

fn runs_in(pid: i32, directory: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(directory))
}

fn has_proc() -> bool {
    let there = Path::new("/proc/self/stat").exists();
    if !there {
        skipped("there is no /proc to look for processes in");
    }
    there
}

#[test]
fn a_killed_run_leaves_no_server_and_no_directory() {
    let (Some(bin), true) = (any_postgres(), has_proc()) else { return };
    let (runner, project) = (Runner::new(TRUEUP), Project::written(&[("svc-slow", SLOW)]));
    let mut run = Underway::start(&runner, &project, &bin);
    assert!(!run.is_gone());
    run.kill();
    wait_for("its end", || run.is_gone().then_some(()));
}

#[test]
fn an_interrupted_run_leaves_nothing_either_and_says_so_with_its_code() {
    let (Some(bin), true) = (any_postgres(), has_proc()) else { return };
    let (runner, project) = (Runner::new(TRUEUP), Project::written(&[("svc-slow", SLOW)]));
    let mut run = Underway::start(&runner, &project, &bin);
    kill(Pid::from_raw(i32::try_from(run.child.id()).expect("a pid")), Signal::SIGTERM).expect("signalled");
    assert_eq!(run.child.wait().expect("it ends").code(), Some(130));
    wait_for("its end", || run.is_gone().then_some(()));
}

/// With the guard killed first, nobody is left to clear away but the next run.
#[test]
fn the_next_run_sweeps_what_a_killed_run_and_its_guard_left() {
    let (Some(bin), true) = (any_postgres(), has_proc()) else { return };
    let (runner, project) = (Runner::new(TRUEUP), Project::written(&[("svc-slow", SLOW)]));
    let mut run = Underway::start(&runner, &project, &bin);
    // The guard's own watcher has the same arguments, and would do its work.
    for guard in below(run.guard).into_iter().filter(|pid| arguments(*pid).iter().any(|it| it == "trueup-guard")) {
        kill(Pid::from_raw(guard), Signal::SIGKILL).expect("killed");
    }
    kill(Pid::from_raw(run.guard), Signal::SIGKILL).expect("killed");
    run.kill();
    assert!(runs_in(run.server, &run.directory) && run.directory.exists(), "the server should be an orphan now");
    let small = &Project::example("small");
    let report = runner.check(small.path(), &["--no-cache", "--pg-bin", &bin.to_string_lossy()]);
    assert_eq!(report["errors"], serde_json::json!([]));
    wait_for("its end", || run.is_gone().then_some(()));
}

#[test]
fn no_process_of_the_server_has_the_environment_of_the_run() {
    let (Some(bin), true) = (any_postgres(), has_proc()) else { return };
    let (runner, project) = (Runner::new(TRUEUP), Project::written(&[("svc-slow", SLOW)]));
    let mut run = Underway::start(&runner, &project, &bin);
    let own = std::fs::read(format!("/proc/{}/environ", run.child.id())).expect("readable");
    assert!(contains(&own, SECRET), "the run itself has it");
    let processes: Vec<i32> = below(run.guard).into_iter().chain([run.guard]).collect();
    let environments = processes.iter().filter_map(|pid| std::fs::read(format!("/proc/{pid}/environ")).ok());
    let environments: Vec<_> = environments.filter(|environment| !environment.is_empty()).collect();
    run.kill();
    // As a normal user the server's is ours to read as well; its own overwritten titles may leave some empty.
    assert!(!environments.is_empty() && processes.len() >= 3, "{processes:?}");
    assert!(!environments.iter().any(|environment| contains(environment, SECRET)));
}

fn contains(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}

/// Ways of a migration to the environment of the process it runs in, and the SQLSTATE that each ends with.
const WAYS: [(&str, &str, &str); 8] = [
    ("svc-read-file", "42501", "PERFORM pg_read_file('/proc/self/environ');"),
    ("svc-read-binary", "42501", "PERFORM pg_read_binary_file('/proc/self/environ');"),
    ("svc-copy", "42501", "CREATE TEMP TABLE e (e text); COPY e FROM '/proc/self/environ';"),
    ("svc-program", "42501", "CREATE TEMP TABLE e (e text); COPY e FROM PROGRAM 'env';"),
    ("svc-large-object", "42501", "PERFORM lo_import('/proc/self/environ');"),
    ("svc-execute", "42501", "EXECUTE 'SELECT pg_read' || '_file(''/proc/' || pg_backend_pid() || '/environ'')';"),
    ("svc-setting", "42704", "PERFORM current_setting('AWS_SECRET_ACCESS_KEY');"),
    ("svc-placeholder", "42704", "PERFORM current_setting('env.DATABASE_URL');"),
];

#[test]
fn a_migration_finds_no_secret() {
    let Some(bin) = any_postgres() else { return };
    let sql = |body: &str| format!("CREATE TABLE t (a int);\nDO $$ BEGIN\n{body}\nEND $$;\n");
    let found = "IF EXISTS (SELECT FROM pg_settings WHERE setting LIKE '%s3cr3t%') THEN RAISE 'found'; END IF;";
    let scripts: Vec<_> =
        WAYS.iter().map(|(name, _, body)| (*name, sql(body))).chain([("svc-all", sql(found))]).collect();
    let services: Vec<_> = scripts.iter().map(|(name, script)| (*name, script.as_str())).collect();
    let project = Project::written(&services);
    let runner = Runner::new(TRUEUP);
    let mut command = runner.command(project.path());
    command.env("AWS_SECRET_ACCESS_KEY", SECRET).env("DATABASE_URL", format!("postgres://u:{SECRET}@db/app"));
    let output = command.args(["check", "--format", "json", "--pg-bin"]).arg(&bin).output().expect("trueup runs");
    assert!(!contains(&output.stdout, SECRET) && !contains(&output.stderr, SECRET));
    let report = runs::report(&output);
    let all: Vec<_> = report["findings"].as_array().into_iter().flatten().collect();
    for (service, sqlstate, _) in WAYS {
        let failed = all.iter().find(|it| it["service"] == service && it["rule"] == "replay-failed");
        assert_eq!(failed.map(|it| it["found"].clone()), Some(sqlstate.into()), "{service}: {report:#}");
    }
    let harmless = all.iter().any(|it| it["service"] == "svc-all" && it["rule"] == "replay-failed");
    assert!(!harmless, "{report:#}");
}
