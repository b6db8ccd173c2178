//! Introspection against real servers.

mod flat;
mod golden;
mod majors;
mod scene;
mod story;
