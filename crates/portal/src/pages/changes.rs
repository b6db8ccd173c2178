//! What is under way: a board with a column for each stage, and a card for each change.

use trueup_model::declared::DeclaredService;
use trueup_model::finding::Finding;

use super::Pages;
use super::findings::anchor_of;
use crate::board::{Board, Card, Lane};
use crate::facts::table_title;
use crate::links::{Page, migration_anchors};
use crate::markup::Markup;
use crate::tally::unseen;
use crate::text::thousands;
use crate::truth::Migration;
use crate::words::{NO_BOARD, UNSEEN, board_words, whereabouts};

/// How many findings a card lists; the others are on the service's page.
pub(crate) const SHOWN: usize = 5;

/// How many cards a lane shows.
pub(crate) const SHOWN_CARDS: usize = 300;

impl Pages<'_> {
    /// The page of what is under way.
    pub(crate) fn changes(&self) -> String {
        self.shell(&Page::Changes, "Changes", |main| {
            main.leaf("h1", &[], "Changes in flight");
            let board = Board::of(self.input);
            self.board_banner(&board, main);
            if board.len() > 0 {
                main.element("div", &[("class", "board")], |lanes| {
                    for lane in Lane::all(self.input) {
                        self.lane(lane, board.lane(lane), lanes);
                    }
                });
            }
            self.open(&Page::Changes, "unseen", UNSEEN, &unseen(self.input), main);
        })
    }

    fn board_banner(&self, board: &Board<'_>, out: &mut Markup) {
        if self.input.report.is_none() {
            out.element("p", &[("class", "banner unverified")], |p| {
                p.leaf("strong", &[], "Not verified. ").text(NO_BOARD);
            });
            return;
        }
        out.element("p", &[("class", "banner")], |p| {
            p.text(&board_words(self.input, board).join(" ")).text(" ");
            p.leaf("a", &[("href", &Page::Changes.to(&Page::Migrations))], "All migrations");
        });
    }

    fn lane(&self, lane: Lane, cards: &[Card<'_>], out: &mut Markup) {
        out.line().element("section", &[("class", "lane")], |section| {
            section.element("h2", &[], |title| {
                title.text(&lane.words(self.input)).text(" ");
                title.leaf("span", &[("class", "quiet")], &thousands(cards.len()));
            });
            section.leaf("p", &[("class", "quiet")], lane.meaning());
            section.element("ul", &[("class", "lane-cards")], |list| {
                cards.iter().take(SHOWN_CARDS).for_each(|card| self.change(card, list));
            });
            if cards.len() > SHOWN_CARDS {
                let more = thousands(cards.len() - SHOWN_CARDS);
                section.leaf("p", &[("class", "quiet")], &format!("and {more} more, on the pages of their services"));
            }
        });
    }

    fn change(&self, card: &Card<'_>, out: &mut Markup) {
        let service = card.service();
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
            for part in whereabouts(self.input, migration) {
                list.leaf("li", &[("class", "quiet")], &part);
            }
        });
    }
}
