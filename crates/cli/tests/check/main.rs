//! `trueup check` as its users meet it: the real binary on repositories in temporary folders.

mod baseline;
mod cache;
mod project;
mod runs;
mod stories;
mod txtar;
