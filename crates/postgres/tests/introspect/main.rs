//! Introspection against real servers.

mod scene;
mod story;
