//! Migrations: what each made and where it is live, on a page of their own and on each service's page.

use trueup_model::declared::DeclaredService;

use super::outward;
use super::pages::{Book, href};
use super::text::{Inline, Markdown};
use crate::arrivals::{Arrival, LATEST, arrivals, shown_migrations};
use crate::links::{Page, migration_anchors};
use crate::tally::unseen;
use crate::text::thousands;
use crate::truth::{Live, Migration, Provenance};
use crate::words::{UNSEEN, as_of_the_report, day, kind_words, made_words, migrations_words, minute, no_migrations};

impl Book<'_> {
    /// The page of all migrations.
    pub(super) fn migrations(&self) -> String {
        let mut out = Markdown::default();
        out.heading(1, "all-migrations", &Inline::of("Migrations"));
        let mut line = Inline::new();
        match migrations_words(self.input) {
            Ok(sentences) => line.text(&sentences.join(" ")),
            Err(why) => line.strong("Not verified.").text(" ").text(&why),
        };
        out.paragraph(&line);
        self.arrivals(&mut out);
        let shown = shown_migrations(self.input);
        for service in &self.input.declared.services {
            let (Some(page), Some(provenance)) =
                (self.links.service(&service.name.value), self.input.provenance(service))
            else {
                continue;
            };
            let Page::Service(slug) = &page else { continue };
            if provenance.migrations.is_empty() {
                continue;
            }
            let mut title = Inline::new();
            title.link(&format!("{}#migrations", href(&Page::Migrations, &page)), &Inline::of(&service.name.value));
            out.heading(2, &format!("of-{slug}"), &title);
            let first = provenance.migrations.len().saturating_sub(shown);
            if first > 0 {
                let before = format!("The last {shown}; {} before them are on its page.", thousands(first));
                out.paragraph(&Inline::of(&before));
            }
            self.migration_table(service, provenance, first, false, &mut out);
        }
        self.open(&Page::Migrations, "unseen", UNSEEN, &unseen(self.input), &mut out);
        out.finish()
    }

    /// What went live last, latest first.
    fn arrivals(&self, out: &mut Markdown) {
        let arrivals = arrivals(self.input);
        if arrivals.is_empty() {
            return;
        }
        let title = if arrivals.len() > LATEST { "The last that went live" } else { "What went live, latest first" };
        out.heading(2, "live", &Inline::of(title));
        let items: Vec<Inline> = arrivals.iter().take(LATEST).filter_map(|arrival| self.arrival(arrival)).collect();
        out.list(&items);
    }

    fn arrival(&self, arrival: &Arrival<'_>) -> Option<Inline> {
        let name = &arrival.service.name.value;
        let (page, migration) = (self.links.service(name)?, arrival.provenance.migrations.get(arrival.number)?);
        let anchors = migration_anchors(&arrival.provenance.migrations);
        let mut item = Inline::of(&minute(arrival.moment));
        item.text(" · ").text(arrival.environment).text(" · ").text(name).text(" ");
        let address = format!("{}#{}", href(&Page::Migrations, &page), anchors[arrival.number]);
        item.link(&address, &Inline::of_code(&migration.label())).text(" ").text(&migration.description);
        Some(item)
    }

    /// The migrations of a service, on its page.
    pub(super) fn service_migrations(&self, service: &DeclaredService, out: &mut Markdown) {
        out.heading(2, "migrations", &Inline::of("Migrations"));
        match self.input.provenance(service) {
            Some(provenance) if !provenance.migrations.is_empty() => {
                if let Some(why) = self.input.outdated(service) {
                    out.paragraph(&Inline::of(&as_of_the_report(why)));
                }
                self.migration_table(service, provenance, 0, true, out);
            }
            _ => {
                out.paragraph(&Inline::of(&no_migrations(self.input, service)));
            }
        }
    }

    /// The migrations of a service from the one with the number `first` on.
    fn migration_table(
        &self,
        service: &DeclaredService,
        provenance: &Provenance,
        first: usize,
        has_anchors: bool,
        out: &mut Markdown,
    ) {
        let mut heads: Vec<Inline> =
            ["Version", "Description", "Made or last wrote", "Merged"].into_iter().map(Inline::of).collect();
        heads.extend(self.input.known.environments.iter().map(|environment| {
            let mut head = Inline::of(&environment.name);
            if let Some(moment) = environment.as_of.get(&service.name.value) {
                head.text(", as of ").text(&minute(moment));
            }
            head
        }));
        let (anchors, counts) = (migration_anchors(&provenance.migrations), provenance.counts());
        let rows = provenance.migrations.iter().zip(&anchors).zip(&counts).skip(first);
        let rows: Vec<Vec<Inline>> = rows
            .map(|((one, anchor), counts)| self.migration_row(one, has_anchors.then_some(anchor), counts))
            .collect();
        out.grid(&heads, &rows);
    }

    fn migration_row(&self, migration: &Migration, anchor: Option<&String>, counts: &[usize; 3]) -> Vec<Inline> {
        let mut label = Inline::new();
        if let Some(anchor) = anchor {
            label.anchor(anchor);
        }
        label.code(&migration.label()).text(", ").text(kind_words(migration.kind));
        let mut description = Inline::of(&migration.description);
        description.text(" ").append(&outward::file(self.input, &migration.file));
        let merged = outward::merged(self.input, &migration.merged);
        let mut row = vec![label, description, Inline::of(&made_words(counts)), merged];
        let environments = 0..self.input.known.environments.len();
        row.extend(environments.map(|at| live(migration.live.get(at).unwrap_or(&Live::NotRecorded))));
        row
    }
}

fn live(live: &Live) -> Inline {
    Inline::of(&match live {
        Live::NotRecorded => "no record".to_owned(),
        Live::Pending => "pending".to_owned(),
        Live::Unknown(why) => format!("? {why}"),
        Live::Since(moment) => day(moment).to_owned(),
    })
}
