//! Runs that are killed with SIGKILL, at moments that a proxy makes certain.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use trueup_testkit::Server;
use trueup_testkit::proxy::{From, Message, Proxy, Verdict};

use crate::scene::{Database, FILES, LOCK, PATIENCE, Scene, folder, server};

/// What the run was doing when it was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// Its script was sent, and no COMMIT.
    InAScript,
    /// COMMIT was sent, and its answer never came.
    BetweenCommitAndItsAnswer,
    /// It had sent one message of its own and had to wait for the answer.
    AtABarrier,
    /// The server was building, or had just built, an index.
    InCreateIndexConcurrently,
    /// Somebody else held the lock.
    WaitingForTheLock,
    /// Any message of either side.
    Anywhere,
}

const PHASES: [Phase; 6] = [
    Phase::InAScript,
    Phase::BetweenCommitAndItsAnswer,
    Phase::AtABarrier,
    Phase::InCreateIndexConcurrently,
    Phase::WaitingForTheLock,
    Phase::Anywhere,
];

/// Kills for each phase but `Anywhere`, and altogether.
const EACH: usize = 28;
const ALL: usize = 200;

#[test]
fn killed_two_hundred_times() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    // Where an index is next.
    let before = Database::new(server);
    before.migrate(folder(&FILES[..6]).path(), &[]);
    before.is_left_alone();
    let (next, counts) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let work = || {
        loop {
            let round = next.fetch_add(1, Ordering::SeqCst);
            if round >= ALL {
                break;
            }
            let phase = PHASES.get(round / EACH).copied().unwrap_or(Phase::Anywhere);
            let told = killed(server, &scene, &before, phase, round);
            *counts.lock().unwrap().entry(told).or_insert(0_usize) += 1;
        }
    };
    std::thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        for worker in workers {
            worker.join().unwrap();
        }
    });
    let counts = counts.into_inner().unwrap();
    for (phase, count) in &counts {
        println!("killed {phase:?}: {count}");
    }
    assert_eq!(counts.values().sum::<usize>(), ALL);
    for phase in &PHASES[..5] {
        assert!(counts.get(phase).is_some_and(|count| *count >= 25), "{phase:?}: {counts:?}");
    }
}

/// Kills one run, lets a plain one complete it, and compares.
fn killed(server: &Server, scene: &Scene, before: &Database, phase: Phase, round: usize) -> Phase {
    let database = match phase {
        Phase::InCreateIndexConcurrently => Database::copy_of(server, before),
        _ => Database::new(server),
    };
    let holder =
        (phase == Phase::WaitingForTheLock).then(|| database.other(&format!("select pg_advisory_lock({LOCK})")));
    // A transaction that has written to the table keeps the index from being finished.
    let blocked = phase == Phase::InCreateIndexConcurrently && !round.is_multiple_of(3);
    let proxy = Proxy::start(server.port(), Duration::ZERO, judge(phase, blocked)).unwrap();
    let writer = blocked.then(|| database.other("insert into log values ('never'); savepoint s"));
    let mut child = database.command(scene.folder.path(), proxy.port()).spawn().unwrap();
    let held = proxy.wait_until_held(PATIENCE);
    assert!(held, "{phase:?}, round {round}: {:?}", child.wait_with_output());
    if blocked {
        database.wait_for("select count(*) from pg_index where not indisvalid", "1");
    } else {
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..12)));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    if round % 3 == 1 && blocked {
        // What it was building stays half-done.
        database.sql(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() \
                      and query like 'create index concurrently%'",
        );
    }
    drop((writer, holder));
    proxy.cut();
    database.is_left_alone();
    scene.completes(&database, &format!("{phase:?}, round {round}"));
    phase
}

/// Finds the moment: somewhere at random among those of the phase.
fn judge(phase: Phase, blocked: bool) -> impl FnMut(&Message<'_>) -> Verdict + Send + 'static {
    let last = if fastrand::bool() { Verdict::Hold } else { Verdict::PassAndHold };
    let mut left = match phase {
        // Scripts in a transaction, the one with data of a COPY among them.
        Phase::InAScript => fastrand::usize(1..=10),
        // That of the history's table is one more.
        Phase::BetweenCommitAndItsAnswer => fastrand::usize(1..=12),
        Phase::AtABarrier => fastrand::usize(1..=18),
        // The first one, when it is kept from being finished.
        Phase::InCreateIndexConcurrently => fastrand::usize(1..=if blocked { 1 } else { 2 }),
        // With the first try nobody knows yet that the lock is held.
        Phase::WaitingForTheLock => fastrand::usize(2..=5),
        Phase::Anywhere => fastrand::usize(1..=150),
    };
    move |message| {
        let (is_moment, verdict) = match phase {
            Phase::InAScript => (is_script(message), Verdict::PassAndHold),
            Phase::BetweenCommitAndItsAnswer => (ends_with_commit(message), Verdict::PassAndHold),
            Phase::AtABarrier => (is_barrier(message), last),
            Phase::InCreateIndexConcurrently => (message.is_query("create index concurrently"), Verdict::PassAndHold),
            Phase::WaitingForTheLock => (is_wait(message), last),
            Phase::Anywhere => (message.tag != 0, last),
        };
        if is_moment {
            left -= 1;
        }
        if is_moment && left == 0 { verdict } else { Verdict::Pass }
    }
}

fn is_script(message: &Message<'_>) -> bool {
    let marked = message.is_query("/*") && message.is_query("*/");
    marked || (message.from == From::Client && message.tag == b'd')
}

fn ends_with_commit(message: &Message<'_>) -> bool {
    message.from == From::Client && message.tag == b'Q' && message.body.to_ascii_lowercase().ends_with(b"commit\0")
}

/// What is sent alone, and is neither a script nor a COMMIT.
fn is_barrier(message: &Message<'_>) -> bool {
    let is = |text: &str| message.is_query(text);
    let begins = is("BEGIN\0") || is("BEGIN;\0");
    let notes = is("flyway_schema_history_progress") && !is("COMMIT") && !is("insert into log");
    let settles = is("SET CONSTRAINTS ALL IMMEDIATE;SELECT pg_catalog") || (is("SELECT CASE WHEN") && !is("BEGIN"));
    (begins || notes || settles || is("SELECT (SELECT COALESCE")) && !is_script(message)
}

fn is_wait(message: &Message<'_>) -> bool {
    message.is_query("pg_try_advisory_lock") || message.is_query("pg_catalog.pg_locks")
}
