//! The reference repository: what its files say when a person reads them, against what the binary says.
//!
//! The sample was written down from reading the YAML and the SQL side by side, before the tool was run on them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

const YAML: &str = "architecture/metadata/data-stores.yaml";

/// A difference that is really there: rule, object, line in the YAML (0: only the SQL has it), line in the service's
/// `V1__baseline.sql` (0: only the YAML has it).
type Difference = (&'static str, &'static str, u64, u64);

const RESERVATIONS: &[Difference] = &[
    ("missing-table", "reservations.status_history", 216, 0),
    ("missing-column", "reservations.reservations.reservation_id", 144, 0),
    ("undeclared-column", "reservations.reservations.id", 0, 17),
    ("primary-key", "reservations.reservations", 146, 17),
    ("missing-column", "reservations.reservations.confirmation_code", 153, 0),
    ("column-type", "reservations.reservations.status", 157, 20),
    ("column-default", "reservations.reservations.status", 158, 20),
    ("column-nullability", "reservations.reservations.total_amount", 167, 25),
    ("column-type", "reservations.reservations.currency", 169, 26),
    ("column-type", "reservations.reservations._rev", 172, 27),
    ("column-default", "reservations.reservations.created_at", 174, 28),
    ("missing-index", "reservations.reservations.idx_res_guest_date", 181, 0),
    ("primary-key", "reservations.participants", 195, 4),
    ("undeclared-column", "reservations.participants.medical_clearance", 0, 7),
    ("column-default", "reservations.participants.guest_id", 199, 4),
];

const PAYMENTS: &[Difference] = &[
    ("missing-table", "payments.payment_methods", 1391, 0),
    ("missing-table", "payments.daily_summaries", 1307, 0),
    ("column-nullability", "payments.payments.amount", 1335, 27),
    ("column-type", "payments.payments.currency", 1337, 28),
    ("missing-foreign-key", "payments.refunds.payment_id", 1372, 0),
    ("column-nullability", "payments.refunds.payment_id", 1372, 40),
    ("column-type", "payments.refunds.reason", 1377, 42),
    ("missing-index", "payments.refunds.idx_refund_payment", 1389, 0),
];

const GEAR: &[Difference] = &[
    ("schema-name", "gear", 894, 1),
    ("column-nullability", "gear.gear_items.size", 926, 20),
    ("column-default", "gear.gear_items.condition", 929, 21),
    ("missing-index", "gear.gear_assignments.idx_assign_outstanding", 973, 0),
    ("undeclared-column", "gear.gear_assignments.damage_notes", 0, 10),
];

const SAFETY: &[Difference] = &[
    ("missing-table", "safety.audit_log", 863, 0),
    ("undeclared-table", "safety_compliance.incident_reports", 0, 3),
    ("column-nullability", "safety.waivers.signed_at", 810, 38),
    ("column-type", "safety.waivers.waiver_type", 806, 37),
];

/// Objects about which both files say the same, so nothing may be found.
const AGREE: &[(&str, &str)] = &[
    ("svc-reservations", "reservations.reservations.guest_id"),
    ("svc-reservations", "reservations.reservations.trip_id"),
    ("svc-payments", "payments.disputes"),
    ("svc-gear-inventory", "gear.gear_items.location_id"),
    ("svc-gear-inventory", "gear.gear_assignments.assigned_at"),
    ("svc-gear-inventory", "gear.gear_assignments.returned_at"),
    ("svc-gear-inventory", "gear.gear_packages"),
    ("svc-gear-inventory", "gear.maintenance_records.notes"),
    ("svc-gear-inventory", "gear.maintenance_records.next_due"),
    ("svc-safety-compliance", "safety.waivers.guest_id"),
];

fn reference() -> Option<PathBuf> {
    let root = trueup_testkit::shared_corpora().map(|corpora| corpora.join("novatrek"));
    if root.is_none() {
        trueup_testkit::skipped("the reference repository is not beside this clone");
    }
    root
}

fn check(root: &PathBuf) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_trueup"))
        .args(["check", "--no-cache", "--format", "json"])
        .current_dir(root)
        .output()
        .expect("trueup runs");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a report")
}

fn line(finding: &Value, yaml: bool) -> u64 {
    let places = finding["locations"].as_array().expect("locations");
    let mine = places.iter().find(|place| (place["file"] == YAML) == yaml);
    mine.and_then(|place| place["line"].as_u64()).unwrap_or(0)
}

#[test]
fn the_differences_that_a_reader_finds_are_found_at_their_lines() {
    let Some(root) = reference() else { return };
    let report = check(&root);
    let findings = report["findings"].as_array().expect("findings");
    let samples = [
        ("svc-reservations", RESERVATIONS),
        ("svc-payments", PAYMENTS),
        ("svc-gear-inventory", GEAR),
        ("svc-safety-compliance", SAFETY),
    ];
    let mut wrong = Vec::new();
    for (service, differences) in samples {
        for (rule, object, yaml, sql) in differences {
            let is_it = |finding: &&Value| {
                finding["service"] == service && finding["rule"] == *rule && finding["object"] == *object
            };
            let found: Vec<_> =
                findings.iter().filter(is_it).map(|finding| (line(finding, true), line(finding, false))).collect();
            if found != [(*yaml, *sql)] {
                wrong.push(format!("{rule} {object}: expected lines {yaml}/{sql}, found {found:?}"));
            }
        }
    }
    for (service, object) in AGREE {
        let about = findings.iter().filter(|finding| finding["service"] == *service && finding["object"] == *object);
        wrong.extend(about.map(|finding| format!("{object} agrees, and yet: {}", finding["message"])));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_service_is_accounted_for() {
    let Some(root) = reference() else { return };
    let report = check(&root);
    let services = report["services"].as_array().expect("services");
    let with = |status: &str| services.iter().filter(|service| service["status"] == status).count();
    assert_eq!((services.len(), with("checked"), with("not-checked")), (22, 20, 2));
    let findings = report["findings"].as_array().expect("findings");
    let named = |rule: &str| findings.iter().filter(|finding| finding["rule"] == rule).count();
    // Counted by hand: 15 of the 20 schemas differ, and `GIN (tsvector)` on two texts, `GIST (PostGIS)` on two
    // doubles and the prose of `body_tsvector` cannot be understood.
    assert_eq!(named("schema-name"), 15);
    assert_eq!(named("not-understood"), 3);
    assert_eq!(named("replay-failed"), 0);
}
