//! An example of the two sides for every rule. A new rule does not compile until it has one.

use trueup_model::rule::Rule;

/// Two sides that make a rule speak; a side that plays no part is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Example {
    /// Inside the service's entry in the YAML.
    pub yaml: &'static str,
    /// In a migration.
    pub sql: &'static str,
}

const fn sides(yaml: &'static str, sql: &'static str) -> Example {
    Example { yaml, sql }
}

/// The example of a rule. A table, as long as the list of rules.
pub const fn example(rule: Rule) -> Example {
    match rule {
        Rule::SchemaName => sides("schema: checkin", "CREATE SCHEMA check_in;"),
        Rule::MissingTable => sides("tables: [check_ins, wristbands]", "CREATE TABLE check_ins (…);"),
        Rule::UndeclaredTable => {
            sides("tables: [check_ins]", "CREATE TABLE check_ins (…);\nCREATE TABLE gear_items (…);")
        }
        Rule::TableName => {
            sides("table_details:\n  arrivals: {renamed_from: check_ins, …}", "CREATE TABLE check_ins (…);")
        }
        Rule::NoMigrations => sides("svc-check-in:\n  engine: PostgreSQL 15", ""),
        Rule::UndeclaredService => {
            sides("", "-- services/svc-new/src/main/resources/db/migration/V1__baseline.sql\nCREATE TABLE t (…);")
        }
        Rule::MissingColumn => sides("- {name: guest_id, type: UUID}", "CREATE TABLE check_ins (id uuid PRIMARY KEY);"),
        Rule::UndeclaredColumn => sides(
            "columns:\n- {name: id, type: UUID, constraints: PK}",
            "CREATE TABLE check_ins (id uuid PRIMARY KEY, version integer);",
        ),
        Rule::ColumnName => sides(
            "- {name: check_in_id, renamed_from: id, type: UUID, constraints: PK}",
            "CREATE TABLE check_ins (id uuid PRIMARY KEY);",
        ),
        Rule::ColumnType => sides("- {name: status, type: VARCHAR(20)}", "status varchar(30)"),
        Rule::ColumnNullability => sides("- {name: status, type: TEXT, constraints: NOT NULL}", "status text"),
        Rule::ColumnDefault => {
            sides("- {name: status, type: TEXT, constraints: DEFAULT 'pending'}", "status text DEFAULT 'new'")
        }
        Rule::GeneratedColumn => sides(
            "- name: total\n  type: INTEGER\n  constraints: GENERATED ALWAYS AS (price * quantity)",
            "total integer",
        ),
        Rule::PrimaryKey => sides(
            "- {name: trip_id, type: UUID, constraints: PK}\n- {name: day, type: DATE, constraints: PK}",
            "PRIMARY KEY (day, trip_id)",
        ),
        Rule::MissingForeignKey => {
            sides("- {name: check_in_id, type: UUID, constraints: FK -> check_ins}", "check_in_id uuid")
        }
        Rule::ForeignKey => sides(
            "- name: check_in_id\n  type: UUID\n  constraints: FK -> check_ins\n  on_delete: cascade",
            "check_in_id uuid REFERENCES check_ins",
        ),
        Rule::LogicalReference => sides("- {name: guest_id, type: UUID, constraints: FK -> svc-guests}", ""),
        Rule::Unique => sides("- {name: code, type: TEXT, constraints: UNIQUE}", "code text"),
        Rule::CheckConstraint => {
            sides("- {name: rating, type: SMALLINT, constraints: CHECK (1-5)}", "rating smallint CHECK (rating > 0)")
        }
        Rule::MissingIndex => sides("indexes:\n- {name: idx_guest, columns: \"guest_id, checked_in_at DESC\"}", ""),
        Rule::UndeclaredIndex => sides("indexes: []", "CREATE INDEX idx_guest ON check_ins (guest_id);"),
        Rule::IndexDefinition => sides(
            "indexes:\n- {name: idx_guest, columns: guest_id, type: UNIQUE}",
            "CREATE INDEX idx_guest ON check_ins (guest_id);",
        ),
        Rule::IndexName => sides(
            "indexes:\n- {name: idx_guest, columns: guest_id}",
            "CREATE INDEX check_ins_guest_idx ON check_ins (guest_id);",
        ),
        Rule::InvalidIndex => {
            sides("", "-- and none on its partitions\nCREATE INDEX idx_day ON ONLY measurements (day);")
        }
        Rule::NotUnderstood => {
            sides("- name: search\n  type: TSVECTOR\n  constraints: Generated column for full-text search", "")
        }
        Rule::UnknownKey => sides("table_detials: {…}", ""),
        Rule::ReplayFailed => sides("", "ALTER TABLE made_elsewhere ADD COLUMN note text;"),
        Rule::MissingExtension => {
            sides("- {name: place, type: \"GEOMETRY(Point, 4326)\"}", "CREATE EXTENSION postgis;")
        }
        Rule::JavaMigration => sides("", "-- V3__fill.java beside V1__a.sql and V2__b.sql"),
        Rule::VersionCollision => sides("", "-- V2__add_note.sql and V2__add_index.sql"),
        Rule::MigrationName => sides("", "-- V2_add_note.sql: one underscore"),
        Rule::MigrationFile => sides("", "CREATE TABLE ${prefix}_log (…);  -- and no placeholder `prefix` is set"),
    }
}
