//! What a run must survive: killed, cut off, restarted under, without room on the disk, many at once. After a plain re-run
//! the database and its history are those of an undisturbed run, and nothing was applied twice.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panicking and say what they measured"
)]

mod kills;
mod others;
mod scene;
mod together;
