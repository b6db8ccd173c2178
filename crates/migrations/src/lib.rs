//! Migrations: names, versions, checksums, settings, placeholders, statements. Confines the SQL parser.

pub mod checksum;
pub mod classify;
pub mod constant;
pub mod discover;
pub mod encoding;
pub mod expression;
pub mod hazards;
pub mod history;
pub mod large;
mod lexer;
pub mod lines;
pub mod load;
pub mod location;
pub mod migration;
pub mod name;
pub mod origin;
pub mod placeholders;
pub mod problem;
pub mod properties;
pub mod psql;
pub mod rerun;
pub mod settings;
pub mod source;
pub mod statements;
pub mod version;
