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

/// Peak memory of ours: what it takes anyway, and the text of a file a few times over while it is made ready.
const OURS: u64 = (40 << 20) + 5 * SIZE as u64;

/// Statements of about a kilobyte each.
fn inserts() -> String {
    let mut sql = "create table inserted(id int, t text);\n".to_owned();
    let text = "lorem; ipsum ''dolor'' ".repeat(45);
    let mut number = 0;
    while sql.len() < SIZE {
        number += 1;
        writeln!(sql, "insert into inserted values ({number}, '{text}');").unwrap();
    }
    sql
}

fn copy() -> String {
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
fn a_large_file_takes_little_memory_in_the_server_and_little_more_than_its_text_here() {
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
