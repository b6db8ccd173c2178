//! The map of all services, and of each domain where there are many.

use super::pages::{Book, href};
use super::text::{Inline, Markdown};
use crate::erd::draw_map::MapPicture;
use crate::erd::elk::Elk;
use crate::erd::map::{Across, Land, MOST_BOXES, Map};
use crate::links::Page;
use crate::pages::MAP_TITLE;
use crate::pages::map::{inside_words, is_by_domain, too_many, whole, with_land, words};
use crate::puml;
use crate::text::count;

/// The page, and the pictures and their sources that lie beside it, by path.
pub(super) struct MapFiles {
    pub(super) page: String,
    pub(super) pictures: Vec<(String, String)>,
}

impl Book<'_> {
    /// The page of the map.
    pub(super) fn map(&self) -> MapFiles {
        with_land(self.input, |land| self.map_of(land))
    }

    fn map_of(&self, land: Land<'_>) -> MapFiles {
        let (mut out, mut pictures) = (Markdown::default(), Vec::new());
        out.heading(1, "map", &Inline::of(MAP_TITLE));
        out.paragraph(&Inline::of(&words(land)));
        let picture = whole(land).map(|map| MapPicture::of_all(map, self.input.drawings, &Elk));
        match picture {
            Some(picture) => self.drawn(&picture, MAP_TITLE, "map", &mut out, &mut pictures),
            None => {
                out.paragraph(&Inline::of(&too_many()));
            }
        }
        if is_by_domain(land) {
            self.by_domain(land, &mut out, &mut pictures);
        }
        out.heading(2, "references", &Inline::of("References between services"));
        self.pairs(land.across, &mut out);
        MapFiles { page: out.finish(), pictures }
    }

    fn drawn(
        &self,
        picture: &MapPicture<'_>,
        title: &str,
        stem: &str,
        out: &mut Markdown,
        pictures: &mut Vec<(String, String)>,
    ) {
        let Some(svg) = picture.file(title, &crate::site::domain_rules(self.input.domains)) else {
            out.paragraph(&Inline::of("There is no picture."));
            return;
        };
        let mut line = Inline::new();
        line.picture(&format!("{stem}.svg"), title);
        out.paragraph(&line);
        pictures.push((format!("{stem}.svg"), svg));
        pictures.push((format!("{stem}.puml"), puml::map(title, &picture.map)));
    }

    fn by_domain(&self, land: Land<'_>, out: &mut Markdown, pictures: &mut Vec<(String, String)>) {
        for (at, domain) in land.domains.domains.iter().enumerate() {
            if !land.services.values().any(|(_, domain)| *domain == Some(at)) {
                continue;
            }
            let map = Map::inside(land, at);
            out.heading(2, &format!("domain-{at}"), &Inline::of(&domain.name));
            out.paragraph(&Inline::of(&format!("Inside: {}.", inside_words(&map))));
            if map.places.len() > MOST_BOXES {
                out.paragraph(&Inline::of(&too_many()));
            } else if !map.places.is_empty() {
                let title = format!("Map of {}", domain.name);
                self.drawn(&MapPicture::of(map, &Elk), &title, &format!("map-{at}"), out, pictures);
            }
        }
    }

    fn pairs(&self, across: &Across<'_>, out: &mut Markdown) {
        if across.is_empty() {
            out.paragraph(&Inline::of("No reference leads from one service to another."));
            return;
        }
        out.paragraph(&Inline::of("They are documented and their types are compared; no database enforces them."));
        let items: Vec<Inline> = across
            .iter()
            .map(|((from, to), references)| {
                let mut item = self.named(from);
                item.text(" → ").append(&self.named(to)).text(&format!(": {}", count(*references, "reference")));
                item
            })
            .collect();
        out.list(&items);
    }

    fn named(&self, service: &str) -> Inline {
        let mut name = Inline::new();
        match self.links.service(service) {
            Some(page) => name.link(&href(&Page::Map, &page), &Inline::of(service)),
            None => name.text(service).text(" (not in the intent)"),
        };
        name
    }
}
