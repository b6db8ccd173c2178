//! One change, one finding, at the right place; no change, none. Thousands of generated services through the binary.

mod mutate;
mod project;
mod schema;
mod spelling;

use std::collections::BTreeMap;

use fastrand::Rng;
use mutate::{Expected, KINDS, Mutation, Side};
use project::{Case, Project, Seen};
use schema::Store;

/// Cases for each kind of change on each side.
const EACH: usize = 50;
/// How many services stand in one project: enough to keep the server busy, few enough to read when one fails.
const PROJECT: usize = 300;

/// The seed of a run; another one with `TRUEUP_SEED`.
fn seed() -> u64 {
    let given = std::env::var("TRUEUP_SEED").ok().and_then(|text| text.parse().ok());
    given.unwrap_or(20_261_122)
}

#[test]
fn one_change_makes_exactly_one_finding_at_its_place() {
    let sides = [Side::Yaml, Side::Sql];
    let only = std::env::var("TRUEUP_KIND").ok();
    let asked = |kind: &str| only.as_ref().is_none_or(|only| kind.contains(only.as_str()));
    let kinds =
        KINDS.iter().filter(|(kind, _)| asked(kind)).flat_map(|kind| sides.iter().map(move |side| (kind, *side)));
    let wanted = kinds.flat_map(|kind| std::iter::repeat_n(kind, EACH)).enumerate();
    let cases: Vec<Case> =
        wanted.map(|(number, ((kind, mutation), side))| changed(kind, *mutation, side, number)).collect();
    let mut table: BTreeMap<(&str, Side), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for chunk in cases.chunks(PROJECT) {
        let project = Project::write(chunk);
        let seen = project.check();
        for case in chunk {
            match verdict(case, &seen, &project) {
                Ok(()) => *table.entry((case.kind, case.side)).or_default() += 1,
                Err(reason) => wrong.push(format!("{} ({:?}, seed {}): {reason}", case.kind, case.side, case.seed)),
            }
        }
    }
    print_table(&table);
    assert!(wrong.is_empty(), "{} of {} cases are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    let short: Vec<_> = table.iter().filter(|(_, count)| **count < EACH).collect();
    assert!(short.is_empty() && (only.is_some() || table.len() == KINDS.len() * 2), "too few cases: {short:?}");
}

#[test]
#[allow(clippy::print_stdout, reason = "says how much was tried")]
fn equal_stores_spelled_differently_make_no_finding() {
    let cases: Vec<Case> = (0..2 * PROJECT).map(unchanged).collect();
    for chunk in cases.chunks(PROJECT) {
        let project = Project::write(chunk);
        let seen = project.check();
        let wrong: Vec<_> = seen.findings.iter().map(|(service, found)| format!("{service}: {found:?}")).collect();
        assert!(wrong.is_empty(), "seed {}: {}", seed(), wrong.join("\n"));
        assert_eq!(seen.checked, chunk.len(), "every service was compared");
    }
    println!("{} equal stores, seed {}", cases.len(), seed());
}

/// A case of one kind; draws stores until one offers a place for the change.
fn changed(kind: &'static str, mutation: Mutation, side: Side, number: usize) -> Case {
    for attempt in 0..1_000 {
        let seed = seed() ^ ((number as u64) << 20) ^ attempt;
        let mut rng = Rng::with_seed(seed);
        let store = Store::generate(&mut rng, number);
        let mut changed = store.clone();
        let Some(expected) = mutation(&mut changed, &mut rng, side) else { continue };
        let (intent, migrated) = if side == Side::Yaml { (&changed, &store) } else { (&store, &changed) };
        return Case { kind, side, seed, expected: Some(expected), ..render(number, intent, migrated, &mut rng) };
    }
    panic!("no store offers a place to {kind}");
}

fn unchanged(number: usize) -> Case {
    let seed = seed() ^ 0xfeed ^ ((number as u64) << 20);
    let mut rng = Rng::with_seed(seed);
    let store = Store::generate(&mut rng, number);
    Case { seed, ..render(number, &store, &store, &mut rng) }
}

fn render(number: usize, intent: &Store, migrated: &Store, rng: &mut Rng) -> Case {
    Case {
        number,
        kind: "nothing",
        side: Side::Yaml,
        seed: 0,
        yaml: spelling::yaml(&Case::service(number), intent),
        sql: spelling::sql(migrated, rng),
        expected: None,
        schema: intent.schema.clone(),
    }
}

/// Exactly one finding, of the right rule, about the right object, and each place it names speaks of that object.
fn verdict(case: &Case, seen: &Seen, project: &Project) -> Result<(), String> {
    let service = Case::service(case.number);
    let own: Vec<_> = seen.findings.iter().filter(|(name, _)| *name == service).map(|(_, finding)| finding).collect();
    let Some(Expected { rule, object, or }) = &case.expected else { return Ok(()) };
    let [found] = own.as_slice() else { return Err(format!("{} findings: {own:#?}", own.len())) };
    let full = |object: &str| if object.is_empty() { case.schema.clone() } else { format!("{}.{object}", case.schema) };
    let is = |rule: &str, object: &str| found.rule == rule && found.object == full(object);
    if !is(rule, object) && !or.as_ref().is_some_and(|(rule, object)| is(rule, object)) {
        let wanted = full(object);
        return Err(format!(
            "expected {rule} on {wanted}, found {} on {}: {}",
            found.rule, found.object, found.message
        ));
    }
    if found.locations.is_empty() {
        return Err("no place is named".to_owned());
    }
    found.locations.iter().try_for_each(|place| project.speaks_of(place, found))
}

#[allow(clippy::print_stdout, reason = "the table is what the run is for")]
fn print_table(table: &BTreeMap<(&str, Side), usize>) {
    println!("\nseed {}\n{:<34}{:>6}{:>6}", seed(), "one change", "YAML", "SQL");
    for (kind, _) in KINDS {
        let count = |side| table.get(&(*kind, side)).copied().unwrap_or_default();
        println!("{kind:<34}{:>6}{:>6}", count(Side::Yaml), count(Side::Sql));
    }
}
