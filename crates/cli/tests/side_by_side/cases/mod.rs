//! What is done in each case.

pub(crate) mod callbacks;
pub(crate) mod command_lines;
pub(crate) mod corpora;
pub(crate) mod files;
pub(crate) mod groups;
pub(crate) mod placeholders;
pub(crate) mod schemas;
pub(crate) mod scripts;
pub(crate) mod states;
pub(crate) mod together;
pub(crate) mod turns;
pub(crate) mod verbs;
