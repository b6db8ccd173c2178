//! The lock on a history: Flyway's key, held by the session, taken by asking again and again.
//!
//! A session that *waits* in the server for a lock holds a snapshot, which makes another's `CREATE INDEX CONCURRENTLY`
//! wait for it in turn. So the wait is here, outside of any transaction.

use std::time::{Duration, Instant};

use crate::session::{Outcome, Session};

use super::Event;
use super::database::checked;
use super::outcome::RunError;
use super::stop::Stop;

/// The longest time between two tries; the first ones come sooner, for most runs end soon.
const PAUSE: Duration = Duration::from_millis(250);

/// Time between the first two tries; each pause is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Which lock, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lock {
    pub(super) key: i64,
    /// Through a pooler it ends with the transaction: a try then only tells whether it was to be had.
    pub(super) of_transaction: bool,
}

impl Lock {
    /// One try.
    pub(super) fn attempt(self) -> String {
        let what = if self.of_transaction { "pg_try_advisory_xact_lock" } else { "pg_try_advisory_lock" };
        format!("SELECT pg_catalog.{what}({})", self.key)
    }
}

/// Takes the lock.
pub(super) async fn take(
    session: &mut Session,
    lock: Lock,
    seconds: Option<u64>,
    stop: &mut Stop,
    tell: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<(), RunError> {
    let start = Instant::now();
    let mut holder = None;
    for tries in 0_u64.. {
        if asked(session, &lock.attempt()).await?.as_deref() == Some("t") {
            return Ok(());
        }
        if tries == 0 {
            holder = asked(session, &who_holds(lock.key)).await?;
            tell(Event::Waiting { holder: holder.as_deref() });
        }
        if seconds.is_some_and(|seconds| start.elapsed() >= Duration::from_secs(seconds)) {
            break;
        }
        let pause = FIRST_PAUSE.saturating_mul(1 << tries.min(8)).min(PAUSE);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stop.asked() => return Err(RunError::Interrupted),
        }
    }
    Err(RunError::Locked { holder, seconds: start.elapsed().as_secs() })
}

/// What came of one try.
pub(super) fn is_taken(outcome: Outcome) -> Result<bool, RunError> {
    let outcome = checked(outcome, NOT_ASKED)?;
    Ok(outcome.rows.first().is_some_and(|row| row.first().is_some_and(|taken| taken.as_deref() == Some("t"))))
}

const NOT_ASKED: &str = "the lock on the schema history cannot be asked for";

/// The first column of the first row.
async fn asked(session: &mut Session, sql: &str) -> Result<Option<String>, RunError> {
    let outcome = checked(session.query(sql).await?, NOT_ASKED)?;
    Ok(outcome.rows.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
}

/// A sentence about who holds it; columns of sessions of other roles may be empty.
fn who_holds(key: i64) -> String {
    let (high, low) = (key >> 32, key & 0xFFFF_FFFF);
    format!(
        "SELECT 'process ' || l.pid || COALESCE(', ' || NULLIF(a.application_name, ''), '') || \
         COALESCE(', user ' || a.usename, '') || COALESCE(', since ' || a.backend_start::text, '') \
         FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
         WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = '{high}'::oid \
         AND l.objid = '{low}'::oid AND l.database = (SELECT oid FROM pg_catalog.pg_database \
         WHERE datname = pg_catalog.current_database()) LIMIT 1"
    )
}
