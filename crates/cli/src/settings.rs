//! `trueup.toml`.
