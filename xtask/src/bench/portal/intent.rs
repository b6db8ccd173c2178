//! A generated intent: services whose tables reference each other and, now and then, a table of another service.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

/// Services of each domain.
const DOMAIN: usize = 40;

/// Writes the intent of `services` services with `tables` tables each below `root`, and their domains.
pub(super) fn write(root: &Path, services: usize, tables: usize) -> io::Result<()> {
    let metadata = root.join("architecture/metadata");
    fs::create_dir_all(&metadata)?;
    let (mut intent, mut domains) = (String::new(), String::new());
    for service in 0..services {
        declare(service, services, tables, &mut intent);
        // A file of the intent holds a million values at most: there is one for each domain.
        if (service + 1).is_multiple_of(DOMAIN) || service + 1 == services {
            fs::write(metadata.join(format!("stores-{:03}.yaml", service / DOMAIN)), std::mem::take(&mut intent))?;
        }
        if service.is_multiple_of(DOMAIN) {
            let names: Vec<String> = (service..services.min(service + DOMAIN)).map(name).collect();
            // Writing to a String does not fail.
            let _ = writeln!(
                domains,
                "Domain {}:\n  color: '#{:06x}'\n  icon: database\n  services: [{}]",
                service / DOMAIN,
                0x20_40_60 + service * 997,
                names.join(", ")
            );
        }
    }
    fs::write(root.join("trueup.toml"), "intent = [\"architecture/metadata/stores-*.yaml\"]\n")?;
    fs::write(metadata.join("domains.yaml"), domains)
}

fn name(service: usize) -> String {
    format!("svc-{service:04}")
}

fn declare(service: usize, services: usize, tables: usize, yaml: &mut String) {
    let names: Vec<String> = (0..tables).map(|table| format!("table_{table}")).collect();
    let _ = writeln!(
        yaml,
        "{}:\n  engine: PostgreSQL 15\n  schema: schema_{service}\n  volume: 'about {service} rows a day'\n  \
         features:\n  - 'Keeps {tables} tables'\n  tables: [{}]\n  table_details:",
        name(service),
        names.join(", ")
    );
    for (table, own) in names.iter().enumerate() {
        let _ = writeln!(
            yaml,
            "    {own}:\n      description: What service {service} keeps in its table {table}\n      columns:\n      \
             - {{name: id, type: UUID, constraints: \"PK, DEFAULT gen_random_uuid()\"}}\n      \
             {}\n      \
             - {{name: code_{table}, type: VARCHAR(40), constraints: \"NOT NULL, UNIQUE\"}}\n      \
             - {{name: amount, type: \"DECIMAL(10,2)\", constraints: \"NOT NULL, CHECK (> 0)\"}}\n      \
             - {{name: state_of_{table}, type: VARCHAR(20), constraints: \"NOT NULL, DEFAULT 'open'\"}}\n      \
             - {{name: note, type: TEXT, constraints: \"NULL\"}}\n      \
             - {{name: created_at, type: TIMESTAMPTZ, constraints: \"NOT NULL, DEFAULT now()\"}}\n      \
             indexes:\n      \
             - {{name: idx_{service}_{table}_state, columns: \"state_of_{table}, created_at\"}}\n      \
             - {{name: idx_{service}_{table}_ref, columns: ref_id}}",
            reference(service, services, table),
        );
    }
}

/// Most tables reference an earlier one of their service; the first references another service.
fn reference(service: usize, services: usize, table: usize) -> String {
    let target = match table {
        0 => format!("{}.table_0", name((service + 7) % services)),
        _ => format!("table_{}", table * (service % 3 + 1) / 4),
    };
    format!("- {{name: ref_id, type: UUID, constraints: \"NOT NULL, FK -> {target}\"}}")
}
