//! A generated project: services that agree with their migrations, but for one index each.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

/// Migrations of each service: real ones create a little in each of several files.
const MIGRATIONS: usize = 3;

/// Writes a project of `services` services with `tables` tables each below `root`.
pub(super) fn write(root: &Path, services: usize, tables: usize) -> io::Result<()> {
    let metadata = root.join("architecture/metadata");
    fs::create_dir_all(&metadata)?;
    let mut intent = String::new();
    for service in 0..services {
        intent.push_str(&declaration(service, tables));
        let folder = root.join(format!("services/svc-{service}/src/main/resources/db/migration"));
        fs::create_dir_all(&folder)?;
        for (number, script) in migrations(service, tables).into_iter().enumerate() {
            fs::write(folder.join(format!("V{}__step.sql", number + 1)), script)?;
        }
    }
    fs::write(metadata.join("data-stores.yaml"), intent)
}

/// The intent, with an index that no migration makes: reports are part of the work.
fn declaration(service: usize, tables: usize) -> String {
    let names: Vec<String> = (0..tables).map(|table| format!("table_{table}")).collect();
    let mut yaml = format!(
        "svc-{service}:\n  engine: PostgreSQL 15\n  schema: schema_{service}\n  tables: [{}]\n  table_details:\n",
        names.join(", ")
    );
    for name in &names {
        // Writing to a String does not fail.
        let _ = write!(
            yaml,
            "    {name}:\n      description: Generated\n      columns:\n      \
             - {{name: id, type: UUID, constraints: \"PK, DEFAULT gen_random_uuid()\"}}\n      \
             - {{name: owner_id, type: UUID, constraints: NOT NULL}}\n      \
             - {{name: code, type: VARCHAR(40), constraints: \"NOT NULL, UNIQUE\"}}\n      \
             - {{name: amount, type: \"DECIMAL(10,2)\", constraints: \"NOT NULL, CHECK (> 0)\"}}\n      \
             - {{name: state, type: VARCHAR(20), constraints: \"NOT NULL, DEFAULT 'open'\"}}\n      \
             - {{name: created_at, type: TIMESTAMPTZ, constraints: \"NOT NULL, DEFAULT NOW()\"}}\n      \
             indexes:\n      - {{name: idx_{name}_owner, columns: \"owner_id, created_at DESC\"}}\n",
        );
    }
    yaml.push_str("      - {name: idx_unmigrated, columns: state}\n");
    yaml
}

fn migrations(service: usize, tables: usize) -> Vec<String> {
    let schema = format!("schema_{service}");
    let mut scripts = vec![String::new(); MIGRATIONS];
    scripts[0] = format!("CREATE SCHEMA {schema};\n");
    for table in 0..tables {
        let name = format!("{schema}.table_{table}");
        let script = &mut scripts[table % MIGRATIONS];
        let _ = write!(
            script,
            "CREATE TABLE {name} (\n    id UUID PRIMARY KEY DEFAULT gen_random_uuid(),\n    owner_id UUID NOT NULL,\n    \
             code VARCHAR(40) NOT NULL UNIQUE,\n    amount NUMERIC(10,2) NOT NULL CHECK (amount > 0),\n    \
             state VARCHAR(20) NOT NULL DEFAULT 'open',\n    created_at TIMESTAMPTZ NOT NULL DEFAULT now()\n);\n\
             CREATE INDEX idx_table_{table}_owner ON {name} (owner_id, created_at DESC);\n"
        );
    }
    scripts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_declaration_and_its_migrations() {
        let root = tempfile::tempdir().expect("temporary folder");
        write(root.path(), 3, 5).expect("written");
        let intent = fs::read_to_string(root.path().join("architecture/metadata/data-stores.yaml")).expect("intent");
        assert_eq!(intent.matches("engine:").count(), 3);
        assert_eq!(intent.matches("idx_unmigrated").count(), 3);
        let scripts = migrations(0, 5);
        assert_eq!(scripts.concat().matches("CREATE TABLE").count(), 5);
        assert!(scripts.iter().all(|script| !script.is_empty()));
    }
}
