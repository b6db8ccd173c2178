//! The 61 cases beside a real Flyway: each is played twice on one PostgreSQL, Flyway first and ours first, and what
//! can be seen after every step must be the same.
//!
//! A case is declared once, in `declared.rs`; `docs/reference/flyway-compatibility.md` is made from that. Without a JVM
//! ours plays both parts, and is compared with what Flyway answered when the case was last recorded.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests fail by panicking and say what they measured"
)]

mod case;
mod cases;
mod command_line;
mod declared;
mod look;
mod outcome;
mod page;
mod parts;
mod recorded;
mod stage;
