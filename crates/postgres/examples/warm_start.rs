//! How long a disposable PostgreSQL takes, warm, until its first database answers:
//! `cargo run --release -p trueup-postgres --example warm_start [RUNS [PG_BIN]]`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a measurement talks to the terminal")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use trueup_postgres::client;
use trueup_postgres::disposable::{self, Choice};

/// One run: the server is there, a database is there, it answered, all is gone again.
type Times = [Duration; 4];

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let runs: usize = arguments.next().map_or(20, |text| text.parse().unwrap());
    let cache = tempfile::tempdir().unwrap();
    let choice = Choice {
        scratch_url: None,
        pg_bin: arguments.next().map(PathBuf::from),
        prefer_major: None,
        bundled: None,
        only_bundled: false,
        cache_dir: cache.path().to_owned(),
        deadline: Duration::from_secs(60),
    };
    let cold = measure(&choice).await;
    println!("cold, template included: {} ms", cold[2].as_millis());
    let before = cpu();
    let mut all = Vec::new();
    for _ in 0..runs {
        all.push(measure(&choice).await);
    }
    let spent = cpu() - before;
    for (at, name) in ["server", "database", "first answer", "stopped"].into_iter().enumerate() {
        let mut times: Vec<Duration> = all.iter().map(|times| times[at]).collect();
        times.sort();
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "{name}: best {:.1}, median {:.1}, worst {:.1} ms",
            ms(times[0]),
            ms(times[runs / 2]),
            ms(times[runs - 1])
        );
    }
    println!("processor time of each run, ours and the server's: {} ms", spent / i64::try_from(runs).unwrap());
}

async fn measure(choice: &Choice) -> Times {
    let start = Instant::now();
    let scratch = disposable::start(choice.clone()).await.unwrap();
    let server = start.elapsed();
    let database = scratch.database().await.unwrap();
    let born = start.elapsed();
    client::connect(&database.owner_config()).await.unwrap().batch_execute("SELECT 1").await.unwrap();
    let answered = start.elapsed();
    drop(database);
    scratch.stop().await.unwrap();
    [server, born, answered, start.elapsed()]
}

/// User and system time, in milliseconds.
fn cpu() -> i64 {
    [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN]
        .into_iter()
        .map(|who| getrusage(who).unwrap())
        .map(|usage| usage.user_time().num_milliseconds() + usage.system_time().num_milliseconds())
        .sum()
}
