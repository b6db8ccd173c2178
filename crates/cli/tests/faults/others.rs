//! The connection cut, the server restarted, no room on the disk, the lock held by somebody else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use trueup_testkit::proxy::{Message, Proxy, Verdict};
use trueup_testkit::{Server, skipped};

use crate::scene::{Database, FILES, LOCK, PATIENCE, Scene, answer, folder, own_server, server};

#[test]
fn a_connection_that_is_cut_is_looked_up_and_a_plain_run_completes_it() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    let (mut looked_up, mut before) = (0, 0);
    for round in 0..40 {
        let database = Database::new(server);
        let mut left = fastrand::usize(1..=150);
        let last = if fastrand::bool() { Verdict::Cut } else { Verdict::PassAndCut };
        // Once: the next connection is left alone.
        let judge = move |_: &Message<'_>| {
            left = left.saturating_sub(1);
            match left {
                0 => {
                    left = usize::MAX;
                    last
                }
                _ => Verdict::Pass,
            }
        };
        let proxy = Proxy::start(server.port(), Duration::ZERO, judge).unwrap();
        let output = database.command(scene.folder.path(), proxy.port()).output().unwrap();
        let (code, document) = answer(&output);
        database.is_left_alone();
        let message = document["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert_eq!(code, 1, "round {round}: {document:#}");
        match document["migrationsExecuted"].as_u64() {
            // What it tells is what there is, not what was acknowledged.
            Some(told) => {
                assert_eq!(told, database.applied(), "round {round}: {document:#}");
                assert!(message.contains("read again"), "{document:#}");
                looked_up += 1;
            }
            None => before += 1,
        }
        scene.completes(&database, &format!("cut, round {round}: {message}"));
    }
    println!("cut while scripts ran: {looked_up}; before that: {before}");
    assert!(looked_up >= 10, "{looked_up}");
}

#[test]
fn a_server_that_is_restarted_or_crashes_is_survived() {
    let Some(mut server) = own_server() else { return };
    let scene = Scene::new(&server, FILES);
    for round in 0..6 {
        let database = Database::new(&server);
        // In scripts of different kinds, sent and not answered.
        let within = ["/*3*/", "copy log", "/*9*/", "create index concurrently log_what", "vacuum log", "/*R*/"][round];
        let judge = move |message: &Message<'_>| {
            if message.is_query(within) { Verdict::PassAndHold } else { Verdict::Pass }
        };
        let proxy = Proxy::start(server.port(), Duration::ZERO, judge).unwrap();
        let child = database.command(scene.folder.path(), proxy.port()).spawn().unwrap();
        assert!(proxy.wait_until_held(PATIENCE), "{within}");
        server.restart(round % 2 == 0).unwrap();
        proxy.cut();
        let (code, document) = answer(&child.wait_with_output().unwrap());
        let told = (code, document["migrationsExecuted"].as_u64());
        assert_eq!(told, (1, Some(database.applied())), "{within}: {document:#}");
        scene.completes(&database, &format!("restarted in {within}"));
    }
}

#[test]
fn somebody_elses_lock_leaves_nothing_behind() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    let database = Database::new(server);
    let holder = database.other(&format!("select pg_advisory_lock({LOCK})"));
    let mut command = database.command(scene.folder.path(), server.port());
    let (code, document) = answer(&command.args(["--set", "lockRetryCount=1"]).output().unwrap());
    assert_eq!((code, database.applied()), (1, 0), "{document:#}");
    drop(holder);
    scene.completes(&database, "locked");
}

/// A small disk, while this lives.
struct Disk(PathBuf);

impl Disk {
    fn mount(place: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir(place).unwrap();
        let options = format!("size={size},mode=0777");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(place.to_owned()))
    }

    fn grow(&self, size: &str) {
        let options = format!("remount,size={size}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.0).status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // A server that still has a file open there goes later.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_survived() {
    let files = [
        (
            "V1__t.sql",
            "create table t(id int, what text); insert into t select n, 'row' from generate_series(1, 60000) n;",
        ),
        ("V2__big.sql", "create table big tablespace small as select id, repeat('x', 100) as pad from t;"),
        ("V3__log.sql", "create table log(what text);"),
        (
            "V4__index.sql",
            "insert into log values ('before');\ncreate index concurrently wide on t(id, what, repeat(what, 40)) tablespace small;\n\
             insert into log values ('after');",
        ),
        ("V4__index.sql.conf", "executeInTransaction=false\n"),
        ("V5__end.sql", "insert into log values ('end');"),
    ];
    let Some(server) = own_server() else { return };
    let place = tempfile::tempdir().unwrap();
    let small = place.path().join("small");
    let Some(disk) = Disk::mount(&small, "4m") else {
        return skipped("no disk can be mounted here, so that it cannot be full");
    };
    std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    full(&server, &disk, &small, &files);
}

fn full(server: &Server, disk: &Disk, small: &Path, files: &[(&str, &str)]) {
    let database = Database::new(server);
    let own = small.join("own");
    std::fs::create_dir(&own).unwrap();
    trueup_testkit::give_to_servers(&own).unwrap();
    database.sql(&format!("create tablespace small location '{}'", own.display()));
    let fails = |line: u64| {
        let folder = folder(files);
        let (code, document) = answer(&database.command(folder.path(), server.port()).output().unwrap());
        let error = &document["error"];
        assert_eq!(
            (code, &error["sqlState"], &error["lineNumber"]),
            (1, &"53100".into(), &line.into()),
            "{document:#}"
        );
    };
    fails(1);
    assert_eq!((database.applied(), database.sql("select to_regclass('big') is null").as_str()), (1, "t"));
    disk.grow("11m");
    fails(2);
    assert_eq!((database.applied(), database.sql("select count(*) from log").as_str()), (3, "1"));
    assert_eq!(database.sql("select count(*) from pg_index where not indisvalid"), "1");
    disk.grow("200m");
    // The undisturbed run has its room from the start.
    let scene = Scene::new(server, files);
    scene.completes(&database, "a full disk");
}
