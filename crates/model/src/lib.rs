//! The nouns of trueup, and the pure functions over them.
//!
//! Nothing here reads a file, talks to a server, or looks at a clock: every function is a value in,
//! a value out. That is what lets the agreement be tested with generated schemas.

pub mod agreement;
pub mod canonical;
pub mod declared;
pub mod finding;
pub mod location;
pub mod lowered;
pub mod name;
pub mod provenance;
pub mod rule;
pub mod secret;
