//! Independent jobs on all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The layout engine recurses with the size of a diagram: threads have what a main thread has.
const STACK: usize = 16 << 20;

/// Runs jobs `0..jobs`, each once. The calling thread works too, so that it goes on when no thread can be started.
pub(crate) fn each(jobs: usize, work: impl Fn(usize) + Sync) {
    let next = AtomicUsize::new(0);
    let turn = || {
        loop {
            let job = next.fetch_add(1, Ordering::Relaxed);
            if job >= jobs {
                break;
            }
            work(job);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_job_is_done_once() {
        for jobs in [0, 1, 7, 1000] {
            let done: Vec<AtomicUsize> = (0..jobs).map(|_| AtomicUsize::new(0)).collect();
            each(jobs, |job| {
                done[job].fetch_add(1, Ordering::Relaxed);
            });
            assert!(done.iter().all(|times| times.load(Ordering::Relaxed) == 1));
        }
    }
}
