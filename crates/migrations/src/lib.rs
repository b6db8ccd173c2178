//! Migrations: names, versions, checksums, settings, placeholders, statements. Confines the SQL parser.
