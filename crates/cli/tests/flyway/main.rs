//! The runner beside a real Flyway, on one PostgreSQL: the same files, in both orders, rows compared.
#![allow(missing_docs, reason = "tests")]

mod alone;
mod beside;
mod corpora;
mod scene;
mod states;
