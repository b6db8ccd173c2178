//! The reference repository's intent: everything that its authors wrote is read, and what is not understood is known.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod common;

use std::collections::BTreeMap;

use trueup_model::declared::{Aspect, Check, Target};
use trueup_model::rule::Rule;

use common::{column, index, reference, service, table};

#[test]
fn all_of_it_is_read() {
    let Some(reading) = reference() else { return };
    assert_eq!(reading.errors, []);
    let services = &reading.declared.services;
    let tables: Vec<_> = services.iter().flat_map(|service| &service.tables).collect();
    let details: Vec<_> = tables.iter().filter_map(|table| table.details.as_ref()).collect();
    assert_eq!(services.len(), 22);
    assert_eq!(details.len(), 69);
    assert_eq!(details.iter().map(|table| table.columns.len()).sum::<usize>(), 545);
    assert_eq!(details.iter().map(|table| table.indexes.len()).sum::<usize>(), 132);
    let undetailed =
        services.iter().filter(|service| service.tables.iter().any(|table| table.details.is_none())).count();
    assert_eq!(undetailed, 14);
    let unchecked: Vec<_> = services.iter().filter(|s| !s.engine.is_postgres).map(|s| s.name.value.as_str()).collect();
    assert_eq!(unchecked, ["svc-analytics", "svc-loyalty-rewards"]);
    assert_eq!(services.iter().filter(|service| service.engine.major == Some(15)).count(), 20);
    assert_eq!(services.iter().filter(|service| service.engine.postgis).count(), 2);
}

#[test]
fn only_the_prose_of_one_column_is_not_understood() {
    let Some(reading) = reference() else { return };
    let findings: Vec<String> = reading
        .findings
        .iter()
        .map(|finding| {
            format!(
                "{} {} {} at {}",
                finding.rule,
                finding.object,
                finding.declared,
                finding.intent_at.as_ref().unwrap()
            )
        })
        .collect();
    insta::assert_snapshot!(findings.join("\n"));
}

#[test]
fn the_counted_constructs_are_there() {
    let Some(reading) = reference() else { return };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut count = |what, times: usize| *counts.entry(what).or_default() += times;
    let services = reading.declared.services.iter();
    for column in services.flat_map(|s| &s.tables).filter_map(|t| t.details.as_ref()).flat_map(|d| &d.columns) {
        count("PK", usize::from(column.primary_key.is_some()));
        count("DEFAULT", usize::from(column.default.is_some()));
        count("UNIQUE", usize::from(column.unique.is_some()));
        count("CHECK", column.checks.len());
        count("ENCRYPTED", usize::from(column.encrypted.is_some()));
        count("GENERATED", usize::from(column.generated.is_some()));
        count("note", column.notes.len());
        match column.references.as_ref().map(|reference| &reference.target) {
            Some(Target::Table { .. }) => count("FK", 1),
            Some(Target::UnknownKey { .. } | Target::Service { .. }) => count("logical", 1),
            Some(Target::Missing { .. }) => count("missing", 1),
            None => {}
        }
    }
    insta::assert_json_snapshot!(counts);
}

#[test]
fn samples_by_hand() {
    let Some(reading) = reference() else { return };
    let declared = &reading.declared;
    let check_ins = table(declared, "svc-check-in", "check_ins");
    let pattern = column(check_ins, "check_in_pattern");
    assert_eq!(pattern.name.at.line, 41);
    assert_eq!(pattern.checks[0].value, Check::Range { low: "1".into(), high: "3".into() });
    assert_eq!((pattern.checks[0].at.line, pattern.checks[0].at.column), (43, 32));
    assert_eq!(column(check_ins, "checked_in_by").notes, ["staff ID or 'self'"]);
    assert_eq!(column(check_ins, "status").default.as_ref().unwrap().value, "'pending'");
    let reservation = column(check_ins, "reservation_id").references.as_ref().unwrap();
    assert_eq!(reservation.target, Target::Service { service: "svc-reservations".into(), table: None });
    let guest = index(check_ins, "idx_checkin_guest");
    assert_eq!(guest.keys.iter().map(|key| key.descending).collect::<Vec<_>>(), [false, true]);
    let rating = index(table(declared, "svc-guide-management", "guides"), "idx_guide_rating");
    assert_eq!((rating.keys[0].descending, rating.keys[0].nulls_first), (true, Some(false)));
    let search = index(table(declared, "svc-trip-catalog", "trips"), "idx_trip_search");
    assert_eq!(search.method.as_ref().unwrap().value, "gin");
    let outstanding = index(table(declared, "svc-gear-inventory", "gear_assignments"), "idx_assign_outstanding");
    assert_eq!(outstanding.predicate.as_ref().unwrap().value, "returned_at IS NULL");
    let region = column(table(declared, "svc-trip-catalog", "trips"), "region_id").references.as_ref().unwrap();
    assert_eq!(region.target, Target::UnknownKey { table: "regions".into() });
    let revision = column(table(declared, "svc-reviews", "reviews"), "_rev");
    assert_eq!(revision.default.as_ref().unwrap().value, "1");
    assert_eq!(revision.notes, ["optimistic lock"]);
    let metrics = table(declared, "svc-analytics", "REVENUE_METRICS");
    assert_eq!(column(metrics, "NET_REVENUE").generated.as_ref().unwrap().value, "GROSS_REVENUE - REFUND_TOTAL");
    assert_eq!(service(declared, "svc-check-in").prose.connection_pool[2], ("idle_timeout".into(), "10min".into()));
}

#[test]
fn prose_leaves_the_column_and_hides_the_rest() {
    let Some(reading) = reference() else { return };
    let body = column(table(&reading.declared, "svc-reviews", "reviews"), "body_tsvector");
    assert_eq!(body.type_sql.as_ref().unwrap().value, "TSVECTOR");
    assert!(!body.not_understood.contains(&Aspect::Type));
    assert!(body.not_understood.contains(&Aspect::Generated) && body.not_understood.contains(&Aspect::Nullability));
    assert!(reading.findings.iter().all(|finding| finding.rule == Rule::NotUnderstood));
}
