//! Independent jobs on all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use crate::site::Stopped;

/// The layout engine recurses with the size of a diagram: threads have what a main thread has.
const STACK: usize = 16 << 20;

/// Runs jobs `0..jobs`, each once, until one is told to stop. The calling thread works too, so that it goes on when no
/// thread can be started.
pub(crate) fn each(jobs: usize, work: impl Fn(usize) -> Result<(), Stopped> + Sync) -> Result<(), Stopped> {
    let (next, is_stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let turn = || {
        while !is_stopped.load(Ordering::Relaxed) {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                break;
            }
            if work(job).is_err() {
                is_stopped.store(true, Ordering::Relaxed);
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get).min(jobs);
    thread::scope(|scope| {
        for _ in 1..cores {
            // One thread fewer is slower, not wrong.
            let _ = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, turn);
        }
        turn();
    });
    if is_stopped.into_inner() { Err(Stopped) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once() {
        for jobs in [0, 1, 7, 1000] {
            let done: Vec<AtomicUsize> = (0..jobs).map(|_| AtomicUsize::new(0)).collect();
            let all = each(jobs, |job| {
                done[job].fetch_add(1, Ordering::Relaxed);
                Ok(())
            });
            assert_eq!(all, Ok(()));
            assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 1));
        }
    }

    #[test]
    fn after_a_stop_no_job_is_begun() {
        let begun = AtomicUsize::new(0);
        let all = each(100_000, |_| if begun.fetch_add(1, Ordering::Relaxed) == 6 { Err(Stopped) } else { Ok(()) });
        assert_eq!(all, Err(Stopped));
        assert!(begun.into_inner() < 100_000);
    }
}
