//! Large files: what they cost in memory, here and in the server.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use trueup_testkit::skipped;

use crate::scene::{Scene, server};

/// Size of each file: in one message, the server would take more than 80 MB for it.
const SIZE: usize = 8 << 20;
/// Peak memory of a backend: 32 MB of shared buffers, which count as soon as they are touched, and its own.
const BACKEND: u64 = 72 << 20;

/// Peak memory of ours: what it takes anyway, whatever the size of the file.
const OURS: u64 = 32 << 20;

/// Statements of about a kilobyte each.
pub(crate) fn inserts() -> String {
    let mut sql = "create table inserted(id int, t text);\n".to_owned();
    let text = "lorem; ipsum ''dolor'' ".repeat(45);
    let mut number = 0;
    while sql.len() < SIZE {
        number += 1;
        writeln!(sql, "insert into inserted values ({number}, '{text}');").unwrap();
    }
    sql
}

pub(crate) fn copy() -> String {
    let line = format!("1\t{}\n", "x;'y ".repeat(20));
    format!("create table copied(id int, t text);\ncopy copied from stdin;\n{}\\.\n", line.repeat(SIZE / line.len()))
}

/// The peak that the kernel keeps, while the process is there.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
}

/// Peaks of our process and of its backend.
fn migrate(scene: &Scene) -> (u64, u64) {
    let mut command = scene.command("migrate", scene.folder.path());
    let mut child = command.args(["--location", "."]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (mut ours, mut backend, mut pid) = (0, 0, None);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        ours = peak(child.id()).unwrap_or(ours);
        let asked = "select max(pid) from pg_stat_activity where datname = current_database() \
                     and pid <> pg_backend_pid()";
        pid = pid.or_else(|| scene.sql(asked).parse().ok());
        backend = pid.and_then(peak).unwrap_or(backend);
        std::thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{status}");
    (ours, backend)
}

#[test]
fn a_large_file_takes_little_memory_here_and_in_the_server() {
    if !cfg!(target_os = "linux") {
        return skipped("peak memory is read from /proc");
    }
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &[("V1__inserts.sql", &inserts())]);
    let (ours, backend) = migrate(&scene);
    println!("8 MiB of INSERT: {} MB here, {} MB in the server", ours >> 20, backend >> 20);
    assert!(backend > 0 && backend < BACKEND, "{backend}");
    assert!(ours < OURS, "{ours}");
    scene.write("V2__copy.sql", &copy());
    scene.remove("V1__inserts.sql");
    scene.sql("delete from flyway_schema_history");
    let (ours, backend) = migrate(&scene);
    println!("8 MiB of COPY: {} MB here, {} MB in the server", ours >> 20, backend >> 20);
    assert!(backend > 0 && backend < BACKEND, "{backend}");
    assert!(ours < OURS, "{ours}");
    assert_eq!(
        scene.sql("select count(*) > 7000, min(t) = max(t), (select count(*) > 70000 from copied) from inserted"),
        "t|t|t"
    );
}

/// A migration that fails, and what is said of it.
fn failure(scene: &Scene) -> String {
    let output = scene.for_people("migrate", scene.folder.path()).args(["--location", "."]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_fails_in_a_large_file_is_told_with_its_place_and_nothing_of_it_stays() {
    let Some(server) = server() else { return };
    let (good, data) = (inserts(), copy());
    let scene = Scene::new(server, &[("V1__placeholder.sql", &format!("{good}select 1,\n  ${{nobody}};\n"))]);
    let line = good.lines().count() + 1;
    let said = failure(&scene);
    assert!(said.contains(&format!("V1__placeholder.sql:{}:3: No value provided", line + 1)), "{said}");
    scene.remove("V1__placeholder.sql");

    // Behind a placeholder of several lines the places are still those of the file.
    scene.write("V1__statement.sql", &format!("{good}/* ${{flyway:filename}} */ select 1,\n  nowhere;\n"));
    let said = failure(&scene);
    assert!(said.contains(&format!("V1__statement.sql:{}:3", line + 1)), "{said}");
    assert!(said.contains("select 1,") && said.contains("42703"), "{said}");
    scene.remove("V1__statement.sql");

    let wrong = data.replacen("\n\\.\n", "\nno number\tx\n\\.\nselect 1;\n", 1);
    scene.write("V1__copy.sql", &wrong);
    let said = failure(&scene);
    assert!(said.contains("V1__copy.sql:2:1") && said.contains("copy copied from stdin"), "{said}");
    scene.write("V1__copy.sql", &data.replace("\\.\n", ""));
    let said = failure(&scene);
    assert!(said.contains("V1__copy.sql:2:1: Incomplete statement: the data of this `COPY"), "{said}");
    assert_eq!((scene.tables().as_str(), scene.rows().as_str()), ("", ""));
}

#[test]
fn a_large_file_that_changes_while_it_runs_is_rolled_back() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, &[("V1__a.sql", &format!("select pg_sleep(3);\n{}", inserts()))]);
    let mut command = scene.for_people("migrate", scene.folder.path());
    let child = command.args(["--location", "."]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let sleeps = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'";
    while scene.sql(sleeps) != "1" {
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut file = std::fs::OpenOptions::new().append(true).open(scene.folder.path().join("V1__a.sql")).unwrap();
    std::io::Write::write_all(&mut file, b"create table more();\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("V1__a.sql") && said.contains("it changed while it was being used"), "{said}");
    assert!(said.contains("rolled back") || said.contains("nothing of it"), "{said}");
    assert_eq!((scene.tables().as_str(), scene.rows().as_str()), ("", ""));
}

/// Each statement is committed with a note of everything before it: that must not be gone through anew each time.
#[test]
fn many_statements_outside_of_a_transaction_take_linear_time() {
    let Some(server) = server() else { return };
    let mut sql = String::new();
    let text = "lorem ipsum ".repeat(200);
    for number in 0..4_000 {
        writeln!(sql, "-- {text}\nselect {number}, '{text}';").unwrap();
    }
    let scene = Scene::new(server, &[("V1__many.sql", &sql), ("V1__many.sql.conf", "executeInTransaction=false")]);
    let start = std::time::Instant::now();
    let (ours, _) = migrate(&scene);
    println!("{} MiB outside of a transaction: {} MB here", sql.len() >> 20, ours >> 20);
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    assert!(ours < OURS || !cfg!(target_os = "linux"), "{ours}");
    assert_eq!(scene.rows().lines().count(), 1);
}

#[test]
fn a_large_script_outside_of_a_transaction_goes_on_where_it_failed() {
    let Some(server) = server() else { return };
    let (data, text) = (copy(), "lorem ipsum ".repeat(400));
    let many: String = (0..200).map(|number| format!("select {number}, '{text}';\n")).collect();
    let before = format!("set work_mem = '7MB';\ncreate table a(id int);\n{many}{data}");
    let last = "insert into a select (current_setting('work_mem') = '7MB')::int;\n";
    let wrong = format!("{before}insert into a\n select 1/0;\n{last}");
    let files = [("V1__a.sql", wrong.as_str()), ("V1__a.sql.conf", "executeInTransaction=false")];
    let scene = Scene::new(server, &files);
    let said = failure(&scene);
    let line = before.lines().count() + 1;
    assert!(said.contains(&format!("V1__a.sql:{line}:")) && said.contains("22012"), "{said}");
    assert_eq!(scene.sql("select count(*) > 70000, (select count(*) from a) from copied"), "t|0");
    // What ran must be what it was, even far in front.
    scene.write("V1__a.sql", &wrong.replace("select 100, '", "select 101, '"));
    assert!(failure(&scene).contains("statements before it, which ran, are not in the file any more as they were"));
    scene.write("V1__a.sql", &wrong.replace("select 1/0", "select 7"));
    let output = scene.for_people("migrate", scene.folder.path()).args(["--location", "."]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    // The 205th: SET, CREATE TABLE, 200 times SELECT, CREATE TABLE and COPY stand before it.
    assert!(output.status.success() && said.contains("statement 205"), "{said}");
    // The setting was made again, and nothing ran twice.
    assert_eq!(scene.sql("select string_agg(id::text, ' ' order by id) from a"), "1 7");
    assert_eq!(scene.rows().lines().count(), 1);
    assert!(!scene.tables().contains("progress"), "{}", scene.tables());
}

#[test]
fn statement_callbacks_and_plans_see_every_statement_of_a_large_file() {
    let Some(server) = server() else { return };
    let sql = format!("{}drop table old;\n{}", inserts(), copy());
    let scene = Scene::new(server, &[("V1__a.sql", &sql)]);
    scene.sql("create table old(id int); create table said(n serial)");
    let statements = sql.lines().filter(|line| line.ends_with(';')).count();
    scene.write("afterEachMigrateStatement.sql", "insert into said default values;");
    let set = ["--set", "baselineOnMigrate=true", "--set", "baselineVersion=0"];
    let output = scene.command("migrate", scene.folder.path()).args(["--location", ".", "--plan"]).args(set).output();
    let (code, plan) = crate::scene::answer(&output.unwrap());
    assert_eq!((code, &plan["migrations"][0]["statements"]), (0, &serde_json::json!(statements)), "{plan}");
    let at = sql.lines().position(|line| line.starts_with("drop")).unwrap() + 1;
    assert_eq!(plan["migrations"][0]["hazards"][0]["lineNumber"], at, "{plan}");
    let (code, said) = scene.ours("migrate", &[set[0], set[1], set[2], set[3]]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(scene.sql("select count(*) from said"), statements.to_string());
}

#[test]
fn meta_commands_are_named_with_their_place_and_restrict_is_skipped() {
    let Some(server) = server() else { return };
    // Two dumps, one behind the other.
    let dump = "\\restrict abc\ncreate table a(id int);\ncopy a from stdin;\n1\n\\.\n\\unrestrict abc\n";
    let dump = format!("{dump}create table b();\n\\restrict d\ncreate table c();\n\\unrestrict d\n");
    let scene = Scene::new(server, &[("V1__dump.sql", &dump)]);
    let output = scene.for_people("migrate", scene.folder.path()).args(["--location", "."]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    for (line, command) in [(1, "restrict"), (6, "unrestrict"), (8, "restrict"), (10, "unrestrict")] {
        let note = format!("V1__dump.sql:{line}:1: note: `\\{command}` is for psql, means nothing to a server");
        assert!(said.contains(&note), "{note} in {said}");
    }
    assert_eq!((scene.sql("select count(*) from a").as_str(), scene.tables().as_str()), ("1", "a b c"));
    for (text, named) in [
        ("select 1;\n  \\i other.sql\n", ":2:3: psql meta-command `\\i`"),
        ("select 1;\nselect 2 \\gexec\n", ":2:10: psql meta-command `\\gexec`"),
        ("\\copy a from 'x'\n", ":1:1: psql meta-command `\\copy`"),
        ("\\set x 1\n", ":1:1: psql meta-command `\\set`"),
        ("select 1;\n\\.\n", ":2:1: `\\.` ends the data"),
    ] {
        scene.write("V2__meta.sql", text);
        let output = scene.for_people("migrate", scene.folder.path()).args(["--location", "."]).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text:?}: {said}");
        assert!(said.contains(&format!("V2__meta.sql{named}")), "{text:?}: {said}");
    }
    assert_eq!(scene.rows().lines().count(), 1);
}

#[test]
fn a_string_goes_on_behind_a_comment() {
    let Some(server) = server() else { return };
    let sql = "create table s as select E'a;' -- c\n'b\\';' as x;\ncreate table t();";
    let scene = Scene::new(server, &[("V1__s.sql", sql)]);
    assert_eq!((scene.migrate(), scene.sql("select x from s").as_str()), (1, "a;b';"));
    assert_eq!(scene.tables(), "s t");
}
