//! The runner beside a real Flyway, on one PostgreSQL: the same files, in both orders, rows compared.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panicking and say what they measured"
)]

mod alone;
mod beside;
mod callbacks;
mod command_line;
mod corpora;
mod dry;
mod dry_others;
mod large;
mod outside;
mod picks;
mod plan;
mod pooled;
mod reports;
mod scene;
mod settings;
mod signals;
mod states;
mod together;
mod trips;
mod undo;
mod verbs;
