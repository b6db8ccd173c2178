//! Introspection against real servers.

mod alone;
mod alterations;
mod flat;
mod golden;
mod majors;
mod newer;
mod scene;
mod session;
mod speed;
mod story;
