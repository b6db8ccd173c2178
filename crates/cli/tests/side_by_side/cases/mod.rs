//! What is done in each case.

pub(crate) mod turns;
