//! Migrations: names, versions, checksums, settings, placeholders, statements. Confines the SQL parser.

pub mod checksum;
pub mod encoding;
mod lexer;
pub mod lines;
pub mod name;
pub mod statements;
pub mod version;
