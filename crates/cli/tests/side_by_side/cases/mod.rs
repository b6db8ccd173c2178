//! What is done in each case.

pub(crate) mod corpora;
pub(crate) mod files;
pub(crate) mod schemas;
pub(crate) mod scripts;
pub(crate) mod states;
pub(crate) mod together;
pub(crate) mod turns;
