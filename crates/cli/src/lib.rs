//! The parts of the command line that can be tested without a terminal: settings, baseline, reports, explanations.

pub mod args;
pub mod baseline;
pub mod check;
pub mod engine;
pub mod explain;
pub mod flyway;
pub mod portal;
pub mod report;
pub mod runner;
pub mod settings;
pub mod stdio;
pub mod suggest;

#[cfg(test)]
mod docs;
