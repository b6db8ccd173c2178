//! Introspection against real servers.

mod alterations;
mod flat;
mod golden;
mod majors;
mod newer;
mod scene;
mod session;
mod story;
