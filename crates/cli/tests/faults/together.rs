//! Many runs at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::scene::{Database, Scene, answer, server};

/// One of each kind: sent ahead, awaited, outside of a transaction.
const FILES: &[(&str, &str)] = &[
    ("V1__log.sql", "create table log(what text not null);"),
    ("V2__two.sql", "insert into log values ('2');"),
    ("V3__copy.sql", "copy log from stdin;\nthree\n\\.\n"),
    ("V4__index.sql", "create index concurrently log_what on log(what);"),
    ("R__v.sql", "create or replace view v as select count(*) as lines from log;"),
];

const RUNNERS: usize = 8;
const ROUNDS: usize = 100;

#[test]
fn eight_at_once_a_hundred_times() {
    let Some(server) = server() else { return };
    let scene = Scene::new(server, FILES);
    let (next, start) = (AtomicUsize::new(0), Instant::now());
    let work = || {
        while next.fetch_add(1, Ordering::SeqCst) < ROUNDS {
            let database = Database::new(server);
            let run = || database.command(scene.folder.path(), server.port()).spawn().unwrap();
            let children: Vec<_> = (0..RUNNERS).map(|_| run()).collect();
            let answers = children.into_iter().map(|child| answer(&child.wait_with_output().unwrap()));
            let ran = answers.map(|(code, document)| {
                assert_eq!(code, 0, "{document:#}");
                document["migrationsExecuted"].as_u64().unwrap()
            });
            assert_eq!(ran.sum::<u64>(), FILES.len() as u64);
            scene.completes(&database, "eight at once");
        }
    };
    // Server processes: eight for each, of a hundred. Most of the time is pauses of those that wait for the lock.
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..6).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            worker.join().unwrap();
        }
    });
    println!("{RUNNERS} at once, {ROUNDS} times, in {:.1} s", start.elapsed().as_secs_f64());
}
