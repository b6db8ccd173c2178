//! What is under way: a board with a column for each stage, and a card for each change.

use std::collections::BTreeMap;

use trueup_model::declared::DeclaredService;
use trueup_model::finding::{Finding, State};

use super::Pages;
use super::findings::anchor_of;
use crate::facts::table_title;
use crate::links::{Page, migration_anchors};
use crate::markup::Markup;
use crate::stage::{Stage, reached};
use crate::text::{count, thousands};
use crate::truth::{Merged, Migration, Provenance};

/// How many findings a card lists; the others are on the service's page.
const SHOWN: usize = 5;

/// How many cards a lane shows.
const SHOWN_CARDS: usize = 300;

/// A column of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Designed,
    Written,
    Merged,
    Live(usize),
    Unknown,
}

/// What a card is about.
enum Card<'a> {
    /// What is declared for one object, and not so in the migrations.
    Owed { service: &'a DeclaredService, object: String, findings: Vec<&'a Finding> },
    /// A migration that is not everywhere yet.
    Migration { service: &'a DeclaredService, provenance: &'a Provenance, number: usize, why: Option<String> },
}

/// The cards by lane, and what has none.
#[derive(Default)]
struct Board<'a> {
    lanes: BTreeMap<Lane, Vec<Card<'a>>>,
    /// Migrations that are merged and live everywhere.
    done: usize,
    /// Migrations of which nobody recorded where they are live.
    unrecorded: usize,
}

impl Pages<'_> {
    /// The page of what is under way.
    pub(crate) fn changes(&self) -> String {
        self.shell(&Page::Changes, "Changes", |main| {
            main.leaf("h1", &[], "Changes in flight");
            let board = self.board();
            self.board_banner(&board, main);
            if board.lanes.is_empty() {
                return;
            }
            main.element("div", &[("class", "board")], |lanes| {
                for lane in self.lanes() {
                    self.lane(lane, board.lanes.get(&lane).map_or(&[], Vec::as_slice), lanes);
                }
            });
        })
    }

    /// The lanes that can have cards, in the order in which changes move.
    fn lanes(&self) -> Vec<Lane> {
        let environments = self.input.known.environments.len();
        let mut lanes = vec![Lane::Designed, Lane::Written];
        if environments > 0 {
            lanes.push(Lane::Merged);
            lanes.extend((0..environments).map(Lane::Live));
            lanes.push(Lane::Unknown);
        }
        lanes
    }

    fn board(&self) -> Board<'_> {
        let mut board = Board::default();
        if self.input.report.is_none() {
            return board;
        }
        for service in self.input.declared.services.iter().filter(|service| service.engine.is_postgres) {
            let owed = owed(service, self.input.findings(&service.name.value));
            if !owed.is_empty() {
                board.lanes.entry(Lane::Designed).or_default().extend(owed);
            }
            if let Some(provenance) = self.input.provenance(service) {
                self.place_migrations(service, provenance, &mut board);
            }
        }
        board
    }

    fn place_migrations<'a>(&self, service: &'a DeclaredService, provenance: &'a Provenance, board: &mut Board<'a>) {
        let environments = self.input.known.environments.len();
        for (number, migration) in provenance.migrations.iter().enumerate() {
            if migration.is_everywhere(environments) {
                board.done += 1;
                continue;
            }
            let (lane, why) = match reached(migration) {
                // Without environments, what is merged may be live or not: it is no card, and is counted.
                Stage::Merged | Stage::Written if environments == 0 && migration.merged != Merged::No => {
                    board.unrecorded += 1;
                    continue;
                }
                Stage::Live(environment) => (Lane::Live(environment), None),
                Stage::Merged => (Lane::Merged, None),
                Stage::Unknown(why) => (Lane::Unknown, Some(why)),
                _ => (Lane::Written, None),
            };
            board.lanes.entry(lane).or_default().push(Card::Migration { service, provenance, number, why });
        }
    }

    fn board_banner(&self, board: &Board<'_>, out: &mut Markup) {
        if self.input.report.is_none() {
            out.element("p", &[("class", "banner unverified")], |p| {
                p.leaf("strong", &[], "Not verified. ");
                p.text("What is under way is the difference between the YAML, the migrations and the environments. ");
                p.text("Build the pages with the report of a check, and with records of the environments.");
            });
            return;
        }
        let cards: usize = board.lanes.values().map(Vec::len).sum();
        out.element("p", &[("class", "banner")], |p| {
            p.text(&format!("{} as of the report. ", count(cards, "change")));
            if board.done > 0 {
                p.text(&format!("Merged, and live in every environment: {}. ", count(board.done, "migration")));
            }
            if board.unrecorded > 0 {
                let many = count(board.unrecorded, "migration");
                p.text(&format!("No environment is recorded: for {many} it is unknown where they are live. "));
            }
            p.leaf("a", &[("href", &Page::Changes.to(&Page::Migrations))], "All migrations");
        });
    }

    fn lane(&self, lane: Lane, cards: &[Card<'_>], out: &mut Markup) {
        out.line().element("section", &[("class", "lane")], |section| {
            section.element("h2", &[], |title| {
                title.text(&self.lane_words(lane)).text(" ");
                title.leaf("span", &[("class", "quiet")], &thousands(cards.len()));
            });
            section.element("ul", &[("class", "lane-cards")], |list| {
                cards.iter().take(SHOWN_CARDS).for_each(|card| self.change(card, list));
            });
            if cards.len() > SHOWN_CARDS {
                let more = thousands(cards.len() - SHOWN_CARDS);
                section.leaf("p", &[("class", "quiet")], &format!("and {more} more, on the pages of their services"));
            }
        });
    }

    fn lane_words(&self, lane: Lane) -> String {
        let name = |position: usize| self.input.known.environments.get(position).map_or("", |known| &known.name);
        match lane {
            Lane::Designed => "Designed".to_owned(),
            Lane::Written => "Written".to_owned(),
            Lane::Merged => "Merged".to_owned(),
            Lane::Live(position) => format!("Live in {}", name(position)),
            Lane::Unknown => "Unknown".to_owned(),
        }
    }

    fn change(&self, card: &Card<'_>, out: &mut Markup) {
        let (Card::Owed { service, .. } | Card::Migration { service, .. }) = card;
        let Some(page) = self.links.service(&service.name.value) else { return };
        let class = format!("change {}", crate::site::domain_class(self.input, &service.name.value));
        out.line().element("li", &[("class", &class)], |item| {
            item.element("p", &[("class", "quiet")], |p| {
                p.leaf("a", &[("href", &Page::Changes.to(&page))], &service.name.value);
                if let Some(owner) = &service.owner {
                    p.text(" · ").text(&owner.value);
                }
            });
            match card {
                Card::Owed { object, findings, .. } => self.owed_card(service, &page, object, findings, item),
                Card::Migration { provenance, number, why, .. } => {
                    if let Some(migration) = provenance.migrations.get(*number) {
                        let anchors = migration_anchors(&provenance.migrations);
                        let href = Page::Changes.to_anchor(&page, &anchors[*number]);
                        self.migration_card(migration, &href, why.as_deref(), item);
                    }
                }
            }
        });
    }

    fn owed_card(&self, service: &DeclaredService, page: &Page, object: &str, findings: &[&Finding], out: &mut Markup) {
        let table = service.tables.iter().find(|table| table.name.value.as_str() == object);
        out.element("h3", &[], |title| match table {
            Some(table) => {
                let href = self.links.to_table(&Page::Changes, service, table).unwrap_or_default();
                title.leaf("a", &[("href", &href)], &table_title(table));
            }
            None => {
                title.text(if object.is_empty() { "the service" } else { object });
            }
        });
        out.element("ul", &[], |list| {
            for finding in findings.iter().take(SHOWN) {
                list.element("li", &[], |item| {
                    let href = Page::Changes.to_anchor(page, &anchor_of(finding));
                    item.leaf("a", &[("href", &href)], finding.rule.name());
                    if let Some(member) = finding.object.path.get(2) {
                        item.text(" ").leaf("code", &[], member.as_str());
                    }
                });
            }
            if findings.len() > SHOWN {
                list.leaf("li", &[("class", "quiet")], &format!("and {} more", findings.len() - SHOWN));
            }
        });
    }

    fn migration_card(&self, migration: &Migration, href: &str, why: Option<&str>, out: &mut Markup) {
        out.element("h3", &[], |title| {
            title.leaf("a", &[("href", href)], &migration.label()).text(" ").text(&migration.description);
        });
        out.element("ul", &[], |list| {
            if let Some(why) = why {
                list.leaf("li", &[], why);
            }
            for part in self.whereabouts(migration) {
                list.leaf("li", &[("class", "quiet")], &part);
            }
        });
    }
}

/// What is owed, one card for each object directly below the schema.
fn owed<'a>(service: &'a DeclaredService, findings: &[&'a Finding]) -> Vec<Card<'a>> {
    let mut by_object: Vec<(String, Vec<&Finding>)> = Vec::new();
    let mut places = BTreeMap::new();
    for finding in findings.iter().copied().filter(|finding| finding.state == State::Unmigrated) {
        let path = &finding.object.path;
        let object = path.get(1).or(path.first()).map_or("", |name| name.as_str());
        let place = *places.entry(object.to_owned()).or_insert_with(|| {
            by_object.push((object.to_owned(), Vec::new()));
            by_object.len() - 1
        });
        by_object[place].1.push(finding);
    }
    by_object.into_iter().map(|(object, findings)| Card::Owed { service, object, findings }).collect()
}
