//! Trying again what could not have its locks in time.

use std::time::Duration;

use crate::session::Outcome;

use super::Event;
use super::outcome::{Cause, Failure, RunError};
use super::runner::Runner;

/// `lock_not_available`
const NO_LOCK: &str = "55P03";

/// The first pause; each one is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Runner<'_> {
    /// Whether to try again after a failure, after a pause that has passed by then.
    pub(super) async fn wait_for_locks(&mut self, failure: &Failure, tries: &mut u32) -> bool {
        let timed_out = match &failure.cause {
            Cause::Statement(error) | Cause::Commit(error) => error.sqlstate == NO_LOCK,
            _ => false,
        };
        timed_out && self.pause(tries).await
    }

    /// Runs a statement of ours that may wait for locks, and that a run which is to end cancels.
    pub(super) async fn patiently(&mut self, sql: &str, tries: &mut u32) -> Result<Outcome, RunError> {
        loop {
            self.session().send_for_rows(sql)?;
            let outcome = self.outcome().await?;
            let timed_out = outcome.error.as_ref().is_some_and(|error| error.sqlstate == NO_LOCK);
            if timed_out && self.pause(tries).await {
                continue;
            }
            return if outcome.error.is_some() && self.interrupted { Err(RunError::Interrupted) } else { Ok(outcome) };
        }
    }

    /// Passes the time before another try; `false` when there is to be none.
    async fn pause(&mut self, tries: &mut u32) -> bool {
        let retries = self.inputs.lock_retries;
        if self.interrupted || *tries >= retries {
            return false;
        }
        let pause = pause(*tries);
        *tries += 1;
        let path = self.current.clone().unwrap_or_default();
        self.emit(Event::Retrying { path: &path, retry: (*tries, retries), pause });
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            () = self.stop.asked() => {
                self.interrupted = true;
                false
            }
        }
    }
}

fn pause(tries: u32) -> Duration {
    FIRST_PAUSE.saturating_mul(1_u32.checked_shl(tries).unwrap_or(u32::MAX)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        assert_eq!(pause(0), FIRST_PAUSE);
        assert_eq!(pause(3), FIRST_PAUSE * 8);
        assert_eq!((pause(20), pause(40)), (LONGEST_PAUSE, LONGEST_PAUSE));
    }
}
