//! `trueup check` as its users meet it: the real binary on repositories in temporary folders.

mod project;
mod stories;
mod txtar;
