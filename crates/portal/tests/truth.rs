//! What is shown in green: only what agrees, is merged, and is live in every environment. And that it then is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use scraper::{Html, Selector};
use trueup_intent::{Reading, Source};
use trueup_model::finding::{Finding, ObjectKind, ObjectPath};
use trueup_model::rule::Rule;
use trueup_portal::domains::Domains;
use trueup_portal::input::{Accepted, CheckReport, Input, Known, ServiceVerdict, Status};
use trueup_portal::markdown::{self, Flavour};
use trueup_portal::truth::{Environment, Live, Made, Merged, Migration, MigrationKind, Provenance};
use trueup_portal::{Site, build};

const YAML: &str = "\
svc-loans:
  engine: PostgreSQL 15
  schema: loans
  tables: [loans]
  table_details:
    loans:
      columns:
      - {name: loan_id, type: UUID, constraints: PK}
      - {name: due_on, type: DATE, constraints: NOT NULL}
      indexes:
      - {name: idx_due, columns: due_on}
";

const OBJECTS: [(ObjectKind, &[&str]); 4] = [
    (ObjectKind::Table, &["loans", "loans"]),
    (ObjectKind::Column, &["loans", "loans", "loan_id"]),
    (ObjectKind::Column, &["loans", "loans", "due_on"]),
    (ObjectKind::Index, &["loans", "loans", "idx_due"]),
];

/// What a finding can be about.
const ABOUT: [(ObjectKind, &[&str]); 7] = [
    (ObjectKind::Service, &[]),
    (ObjectKind::Migration, &["V1__loans.sql"]),
    (ObjectKind::Schema, &["loans"]),
    (ObjectKind::Table, &["loans", "loans"]),
    (ObjectKind::Column, &["loans", "loans", "due_on"]),
    (ObjectKind::Index, &["loans", "loans", "idx_due"]),
    (ObjectKind::Constraint, &["loans", "loans", "loans_check"]),
];

/// Everything that decides about green.
#[derive(Clone, Debug)]
struct World {
    status: Option<Status>,
    failed: bool,
    merged: Merged,
    live: Vec<Live>,
    /// Which of the objects are produced, and by a migration that is known.
    made: [Option<bool>; 4],
    finding: Option<usize>,
    accepted: Option<usize>,
    outdated: Option<String>,
    /// What the finding is about.
    rule: Rule,
}

fn path((kind, names): (ObjectKind, &[&str])) -> ObjectPath {
    ObjectPath::new(kind, names.iter().map(|name| (*name).into()))
}

fn finding(rule: Rule, about: usize) -> Finding {
    Finding::new(rule, "svc-loans", path(ABOUT[about])).message("differs").help("write a migration")
}

fn provenance(world: &World) -> Provenance {
    let mut known = Provenance::of(vec![Migration {
        version: Some("1".to_owned()),
        description: "loans".to_owned(),
        script: "V1__loans.sql".to_owned(),
        kind: MigrationKind::Versioned,
        file: "db/V1__loans.sql".to_owned(),
        checksum: Some(7),
        merged: world.merged.clone(),
        live: world.live.clone(),
    }]);
    for (object, made) in OBJECTS.into_iter().zip(world.made) {
        if let Some(is_known) = made {
            let made = Made { migration: is_known.then_some(0), at: None, other_name: None };
            known.add(&path(object), made);
        }
    }
    known
}

fn site(world: &World) -> Site {
    with_input(world, build)
}

/// The same as Markdown.
fn book(world: &World) -> Site {
    with_input(world, |input| markdown::build(input, Flavour::Mkdocs))
}

fn with_input(world: &World, then: impl FnOnce(&Input<'_>) -> Site) -> Site {
    let sources = [Source { path: "d.yaml".to_owned(), bytes: YAML.as_bytes().to_vec() }];
    let Reading { declared, findings, written, .. } = trueup_intent::read(&sources);
    let verdict = world.status.map(|status| {
        let provenance = (status == Status::Checked).then(|| provenance(world));
        ("svc-loans".to_owned(), ServiceVerdict { status, reason: None, provenance, outdated: world.outdated.clone() })
    });
    let accepted = |about| Accepted { finding: finding(world.rule, about), by: "baseline".to_owned(), reason: None };
    let report = CheckReport {
        errors: if world.failed { vec!["the deadline passed".to_owned()] } else { Vec::new() },
        services: verdict.into_iter().collect(),
        findings: world.finding.map(|about| finding(world.rule, about)).into_iter().collect(),
        accepted: world.accepted.map(accepted).into_iter().collect(),
        ..CheckReport::default()
    };
    let environments: Vec<_> = (0..world.live.len())
        .map(|number| Environment { name: format!("env{number}"), as_of: BTreeMap::new() })
        .collect();
    then(&Input {
        declared: &declared,
        files: &["d.yaml".to_owned()],
        written: &written,
        reading: &findings,
        domains: &Domains::default(),
        report: Some(&report),
        drawings: None,
        known: Known { environments: &environments, ..Known::default() },
    })
}

/// The words of every stage on the service's page (table, columns, index), and whether it is green.
fn stages(site: &Site) -> Vec<(String, bool)> {
    let page = Html::parse_document(std::str::from_utf8(&site.files["services/svc-loans.html"]).unwrap());
    let stages = Selector::parse(".stage, .step").unwrap();
    let all = page
        .select(&stages)
        .map(|stage| (stage.text().collect::<String>(), stage.value().classes().any(|class| class == "agrees")));
    all.collect()
}

/// What the only box of the picture says: the sign and its words, and whether it is green.
fn pictured(site: &Site) -> Vec<(String, bool)> {
    let page = Html::parse_document(std::str::from_utf8(&site.files["services/svc-loans.html"]).unwrap());
    let [states, sign, words] = ["svg .state", ".state-sign", "title"].map(|css| Selector::parse(css).unwrap());
    let text = |state: scraper::ElementRef<'_>, css| state.select(css).flat_map(|one| one.text()).collect::<String>();
    let all = page.select(&states).map(|state| {
        let is_green = state.value().classes().any(|class| class == "agrees");
        (format!("{} {}", text(state, &sign), text(state, &words)), is_green)
    });
    all.collect()
}

/// The only world in which things are green.
fn done() -> World {
    World {
        status: Some(Status::Checked),
        failed: false,
        merged: Merged::Yes(None),
        live: vec![Live::Since("2026-11-20T10:00:00.000Z".to_owned()); 2],
        made: [Some(true); 4],
        finding: None,
        accepted: None,
        outdated: None,
        rule: Rule::ColumnType,
    }
}

fn any_live() -> impl Strategy<Value = Live> {
    prop_oneof![
        6 => Just(Live::Since("2026-11-20T10:00:00.000Z".to_owned())),
        1 => Just(Live::Pending),
        1 => Just(Live::NotRecorded),
        1 => Just(Live::Unknown("failed".to_owned())),
    ]
}

prop_compose! {
    /// Worlds that are not far from the one in which things are green.
    fn worlds()(
        status in prop_oneof![
            8 => Just(Some(Status::Checked)), 1 => Just(Some(Status::Unknown)), 1 => Just(Some(Status::NotChecked)), 1 => Just(None),
        ],
        failed in prop::bool::weighted(0.1),
        merged in prop_oneof![6 => Just(Merged::Yes(None)), 1 => Just(Merged::No), 1 => Just(Merged::Unknown)],
        live in prop::collection::vec(any_live(), 0..3),
        made in prop::array::uniform4(prop_oneof![8 => Just(Some(true)), 1 => Just(Some(false)), 1 => Just(None)]),
        finding in prop::option::weighted(0.2, 0..ABOUT.len()),
        accepted in prop::option::weighted(0.2, 0..ABOUT.len()),
        outdated in prop::option::weighted(0.1, Just("the YAML changed since the check".to_owned())),
    ) -> World {
        World { status, failed, merged, live, made, finding, accepted, outdated, rule: Rule::ColumnType }
    }
}

/// Whether a finding casts doubt on an object of the page: the table, two columns, an index.
fn doubts(about: usize, object: usize) -> bool {
    let (kind, names) = ABOUT[about];
    match kind {
        // A table with a doubtful member is doubtful itself.
        ObjectKind::Column | ObjectKind::Index => object == 0 || OBJECTS[object].1.last() == names.last(),
        _ => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Green is what agrees, is merged, and is live everywhere: both ways.
    #[test]
    fn green_is_what_is_proven(world in worlds()) {
        let site = site(&world);
        let stages = stages(&site);
        prop_assert_eq!(stages.len(), OBJECTS.len());
        prop_assert_eq!(pictured(&site), &stages[..1], "the box of the table says what its section says");
        let everywhere = !world.live.is_empty() && world.live.iter().all(|live| matches!(live, Live::Since(_)));
        let compared = world.status == Some(Status::Checked) && !world.failed && world.outdated.is_none();
        let common = compared && everywhere && world.merged == Merged::Yes(None);
        for (object, (words, is_green)) in stages.iter().enumerate() {
            let parts = if object == 0 { &world.made[..] } else { &world.made[object..=object] };
            let made = parts.iter().all(|made| *made == Some(true));
            let doubted = world.finding.iter().chain(&world.accepted).any(|about| doubts(*about, object));
            prop_assert_eq!(*is_green, common && made && !doubted, "{} of {:?}", words, world);
        }
    }
}

#[test]
fn every_stage_has_its_words() {
    let first = |world: &World| stages(&site(world)).remove(0);
    let since = || Live::Since("2026-11-20T10:00:00.000Z".to_owned());
    assert_eq!(first(&done()), ("✓ live in env1".to_owned(), true));
    let outdated = Some("the YAML changed since the check".to_owned());
    let table: [(World, &str); 10] = [
        (World { outdated: outdated.clone(), ..done() }, "? unknown: the YAML changed since the check"),
        (World { outdated, finding: Some(3), ..done() }, "? unknown: the YAML changed since the check"),
        (World { live: vec![since(), Live::Pending], ..done() }, "◕ live in env0"),
        (World { live: vec![Live::Pending; 2], ..done() }, "◑ merged"),
        (World { live: Vec::new(), ..done() }, "◑ merged"),
        (World { live: Vec::new(), merged: Merged::No, ..done() }, "◔ written"),
        (World { finding: Some(3), ..done() }, "✗ differs"),
        (World { finding: Some(3), made: [None; 4], ..done() }, "◇ designed, no migration makes it"),
        (World { made: [None; 4], ..done() }, "? unknown: the report does not speak of it"),
        (World { status: None, ..done() }, "○ not verified"),
    ];
    for (world, words) in table {
        assert_eq!(first(&world), (words.to_owned(), false));
    }
}

#[test]
fn files_of_pictures_are_the_same_however_far_things_have_come() {
    let (done, not) = (site(&done()), site(&World { status: None, ..done() }));
    for file in ["services/svc-loans.svg", "services/svc-loans.puml"] {
        assert_eq!(done.files[file], not.files[file], "{file}");
    }
    assert_ne!(done.files["services/svc-loans.html"], not.files["services/svc-loans.html"]);
}

#[test]
fn the_board_has_a_card_for_what_is_under_way() {
    let world = World { live: vec![Live::Since("2026-11-20T10:00:00.000Z".to_owned()), Live::Pending], ..done() };
    let lanes = |world: &World| {
        let page = Html::parse_document(std::str::from_utf8(&site(world).files["changes.html"]).unwrap());
        let (lane, card) = (Selector::parse(".lane").unwrap(), Selector::parse(".change").unwrap());
        page.select(&lane).map(|lane| lane.select(&card).count()).collect::<Vec<_>>()
    };
    // Designed, to declare, written, merged, live in env0, live in env1, unknown.
    assert_eq!(lanes(&world), [0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(lanes(&World { finding: Some(4), ..world.clone() }), [1, 0, 0, 0, 1, 0, 0]);
    let undeclared = World { finding: Some(4), rule: Rule::UndeclaredColumn, ..world.clone() };
    assert_eq!(lanes(&undeclared), [0, 1, 0, 0, 1, 0, 0]);
    assert_eq!(
        lanes(&World { live: vec![Live::Unknown("failed".to_owned()); 2], ..world.clone() }),
        [0, 0, 0, 0, 0, 0, 1]
    );
    assert_eq!(lanes(&done()), [0usize; 0]);
    // Without environments, what is merged may be live or not: that is said, and is no card.
    let unrecorded = site(&World { live: Vec::new(), ..world });
    let page = std::str::from_utf8(&unrecorded.files["changes.html"]).unwrap();
    assert!(page.contains("No environment is recorded: for 1 migration"), "{page}");
}

/// The text of a page, of which the file may be HTML or Markdown.
fn text(site: &Site, file: &str) -> String {
    let text = std::str::from_utf8(&site.files[file]).unwrap();
    let text = Html::parse_document(&text.replace("<wbr>", "")).root_element().text().collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_not_known_of_a_service_is_said_wherever_it_would_be() {
    let failed = World { status: Some(Status::Unknown), ..done() };
    let (site, book) = (site(&failed), book(&failed));
    for page in ["changes", "migrations"] {
        let said = text(&site, &format!("{page}.html"));
        assert!(said.contains("Migrations not known, and why svc-loans : unknown: could not be compared"), "{said}");
        let said = text(&book, &format!("docs/{page}.md"));
        assert!(said.contains("Migrations not known, and why"), "{said}");
        assert!(said.contains("[svc-loans](services/svc-loans.md): unknown: could not be compared"), "{said}");
    }
    let why = "Unknown: could not be compared. Which migrations there are, and what they make, is known once";
    assert!(text(&site, "services/svc-loans.html").contains(why));
    assert!(text(&book, "docs/services/svc-loans.md").contains(why));
    for file in ["index.html", "migrations.html", "changes.html"] {
        assert!(!text(&self::site(&done()), file).contains("not known, and why"), "{file}");
    }
}

#[test]
fn the_first_page_of_a_book_says_how_many_stand_where_and_of_which_nothing_is_known() {
    let home = text(&book(&World { status: Some(Status::Unknown), ..done() }), "docs/index.md");
    for said in [
        "1 service, 1 table, 2 columns, 1 index, 0 references.",
        "As of the report. Of 1 service: 1 unknown. Compared on",
        "env0 0 services",
        "Not checked, and why",
        "[svc-loans](services/svc-loans.md): unknown: could not be compared",
    ] {
        assert!(home.contains(said), "{said} is not in {home}");
    }
    assert!(text(&book(&World { live: Vec::new(), ..done() }), "docs/index.md").contains("No environment is recorded"));
}

#[test]
fn what_changed_since_the_check_is_said_with_what_the_report_still_shows() {
    let outdated = World { outdated: Some("its migrations changed since the check".to_owned()), ..done() };
    let (site, book) = (site(&outdated), book(&outdated));
    let note = "As of the report, which may be wrong by now: its migrations changed since the check.";
    for (site, file) in [(&site, "services/svc-loans.html"), (&book, "docs/services/svc-loans.md")] {
        // Above the migrations, and above the findings.
        assert_eq!(text(site, file).matches(note).count(), 2, "{file}");
    }
    for file in ["changes.html", "migrations.html"] {
        assert!(text(&site, file).contains("Not as it was checked, so unknown: 1 service."), "{file}");
    }
}

#[test]
fn what_only_the_migrations_know_stands_with_its_table() {
    let world = World { rule: Rule::UndeclaredColumn, finding: Some(4), ..done() };
    let (site, book) = (site(&world), book(&world));
    let name = ABOUT[4].1[2];
    assert!(text(&site, "services/svc-loans.html").contains(&format!("In the migrations only: {name}")));
    assert!(text(&book, "docs/services/svc-loans.md").contains(&format!("In the migrations only: `{name}`")));
    let world = World { rule: Rule::UndeclaredIndex, finding: Some(5), ..done() };
    let name = ABOUT[5].1[2];
    assert!(text(&self::site(&world), "services/svc-loans.html").contains(&format!("migrations only: index {name}")));
    assert!(!text(&self::site(&done()), "services/svc-loans.html").contains("In the migrations only"));
}
