//! Watching, on a second connection, how far an index is.

use std::time::Duration;

use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinHandle;

use crate::session::{Endpoint, Session, SessionError};

use super::runner::Runner;

/// Time before the first look and between two; an index that takes less is not worth a connection.
const PAUSE: Duration = Duration::from_secs(1);

/// How far an index is, as `pg_stat_progress_create_index` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// What the server is doing.
    pub phase: String,
    /// How much of that is done, in percent, when the server says so.
    pub percent: Option<u8>,
    /// For how many sessions it waits that may still use what it changes, and the process of the one it waits for now.
    pub waits_for: Option<(u64, i32)>,
}

/// A task that watches; ends when it is dropped.
pub(super) struct Watch {
    heard: Receiver<Built>,
    task: JoinHandle<()>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Runner<'_> {
    /// Begins to watch what this run's server process builds.
    pub(super) fn watch_index(&mut self) {
        let (endpoint, process) = (self.database.endpoint.clone(), self.session().pid());
        let (tell, heard) = channel(1);
        let task = tokio::spawn(async move {
            // Without a second connection there is nothing to see, and the index is built all the same.
            let _ = watch(&endpoint, process, &tell).await;
        });
        self.watch = Some(Watch { heard, task });
    }
}

/// The next thing that is heard; never, when nobody watches.
pub(super) async fn heard(watch: Option<&mut Watch>) -> Built {
    if let Some(watch) = watch
        && let Some(built) = watch.heard.recv().await
    {
        return built;
    }
    std::future::pending().await
}

async fn watch(endpoint: &Endpoint, process: i32, tell: &tokio::sync::mpsc::Sender<Built>) -> Result<(), SessionError> {
    tokio::time::sleep(PAUSE).await;
    let mut session = Session::connect(endpoint).await?;
    let mut last = Built::default();
    while !tell.is_closed() {
        let row = session.query(&question(process)).await?.rows.into_iter().next();
        if let Some(built) = row.and_then(|row| read(&row)).filter(|built| *built != last) {
            last = built.clone();
            if tell.send(built).await.is_err() {
                break;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
    session.close().await;
    Ok(())
}

/// Blocks count while the table is read, tuples while the index is written.
fn question(process: i32) -> String {
    format!(
        "SELECT phase,CASE WHEN blocks_total>0 THEN 100*blocks_done/blocks_total \
         WHEN tuples_total>0 THEN 100*tuples_done/tuples_total END,\
         lockers_total-lockers_done,NULLIF(current_locker_pid,0) \
         FROM pg_catalog.pg_stat_progress_create_index WHERE pid={process}"
    )
}

fn read(row: &[Option<String>]) -> Option<Built> {
    let text = |column: usize| row.get(column)?.as_deref();
    let waits_for = text(2).and_then(|count| count.parse().ok()).zip(text(3).and_then(|pid| pid.parse().ok()));
    Some(Built { phase: text(0)?.to_owned(), percent: text(1).and_then(|percent| percent.parse().ok()), waits_for })
}
