//! What is under way, as lists.

use trueup_model::declared::DeclaredService;
use trueup_model::finding::Finding;

use super::pages::{Book, href};
use super::text::{Inline, Markdown};
use crate::board::{Board, Card, Lane};
use crate::facts::table_title;
use crate::links::{Page, migration_anchors};
use crate::pages::changes::{SHOWN, SHOWN_CARDS};
use crate::tally::unseen;
use crate::text::thousands;
use crate::words::{NO_BOARD, UNSEEN, board_words, whereabouts};

impl Book<'_> {
    /// The page of what is under way: a list for each stage.
    pub(super) fn changes(&self) -> String {
        let mut out = Markdown::default();
        out.heading(1, "changes", &Inline::of("Changes in flight"));
        let board = Board::of(self.input);
        let mut line = Inline::new();
        if self.input.report.is_none() {
            line.strong("Not verified.").text(" ").text(NO_BOARD);
        } else {
            line.text(&board_words(self.input, &board).join(" ")).text(" ");
            line.link(&href(&Page::Changes, &Page::Migrations), &Inline::of("All migrations"));
        }
        out.paragraph(&line);
        if board.len() > 0 {
            Lane::all(self.input)
                .into_iter()
                .enumerate()
                .for_each(|(number, lane)| self.lane(number, lane, &board, &mut out));
        }
        self.open(&Page::Changes, "unseen", UNSEEN, &unseen(self.input), &mut out);
        out.finish()
    }

    fn lane(&self, number: usize, lane: Lane, board: &Board<'_>, out: &mut Markdown) {
        let cards = board.lane(lane);
        let title = format!("{} ({})", lane.words(self.input), thousands(cards.len()));
        out.heading(2, &format!("lane-{number}"), &Inline::of(&title));
        out.paragraph(&Inline::of(lane.meaning()));
        let items: Vec<Inline> = cards.iter().take(SHOWN_CARDS).filter_map(|card| self.card(card)).collect();
        if items.is_empty() {
            out.paragraph(&Inline::of("Nothing."));
        }
        out.list(&items);
        if let Some(more) = cards.len().checked_sub(SHOWN_CARDS).filter(|more| *more > 0) {
            out.paragraph(&Inline::of(&format!("and {} more, on the pages of their services", thousands(more))));
        }
    }

    fn card(&self, card: &Card<'_>) -> Option<Inline> {
        let service = card.service();
        let page = self.links.service(&service.name.value)?;
        let mut item = Inline::new();
        item.link(&href(&Page::Changes, &page), &Inline::of(&service.name.value));
        if let Some(owner) = &service.owner {
            item.text(" (").text(&owner.value).text(")");
        }
        item.text(": ");
        match card {
            Card::Owed { object, findings, .. } => self.owed(service, object, findings, &mut item),
            Card::Migration { provenance, number, why, .. } => {
                let migration = provenance.migrations.get(*number)?;
                let anchors = migration_anchors(&provenance.migrations);
                let address = format!("{}#{}", href(&Page::Changes, &page), anchors[*number]);
                item.link(&address, &Inline::of_code(&migration.label())).text(" ").text(&migration.description);
                for part in why.iter().cloned().chain(whereabouts(self.input, migration)) {
                    item.text(" · ").text(&part);
                }
            }
        }
        Some(item)
    }

    fn owed(&self, service: &DeclaredService, object: &str, findings: &[&Finding], item: &mut Inline) {
        let table = service.tables.iter().find(|table| table.name.value.as_str() == object);
        match table.and_then(|table| Some((table, self.to_table(&Page::Changes, service, table)?))) {
            Some((table, address)) => item.link(&address, &Inline::of_code(&table_title(table))),
            None if object.is_empty() => item.text("the service"),
            None => item.code(object),
        };
        for finding in findings.iter().take(SHOWN) {
            item.text(" · ").text(finding.rule.name());
            if let Some(member) = finding.object.path.get(2) {
                item.text(" ").code(member.as_str());
            }
        }
        if findings.len() > SHOWN {
            item.text(&format!(" · and {} more", findings.len() - SHOWN));
        }
    }
}
