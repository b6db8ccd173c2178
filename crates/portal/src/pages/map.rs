//! The map of all services and the references between them.

use super::Pages;
use super::diagram::files;
use super::service::section;
use crate::erd::draw::Title;
use crate::erd::draw_map::MapPicture;
use crate::erd::map::{Across, BY_DOMAIN_ABOVE, Group, Land, MOST_BOXES, Map, across};
use crate::links::Page;
use crate::lookup::Lookup;
use crate::markup::Markup;
use crate::puml;
use crate::text::count;

/// What the map is called.
pub(crate) const TITLE: &str = "Map of all services";

impl Pages<'_> {
    /// The page of the map, and the map as files where there is one.
    pub(crate) fn map(&self) -> MapFiles {
        with_land(self.input, |land| self.map_of(land))
    }

    fn map_of(&self, land: Land<'_>) -> MapFiles {
        let picture = whole(land).map(|map| MapPicture::of_all(map, self.input.drawings, self.layout));
        let page = self.shell(&Page::Map, TITLE, |main| {
            main.leaf("h1", &[], TITLE);
            main.leaf("p", &[("class", "quiet")], &words(land));
            match &picture {
                Some(picture) => {
                    self.map_frame(picture, &Title { id: "map", text: TITLE }, main);
                    if !picture.map.places.is_empty() {
                        files(&Page::Map, main);
                    }
                }
                None => {
                    main.leaf("p", &[("class", "note")], &too_many());
                }
            }
            if is_by_domain(land) {
                self.domain_maps(land, main);
            }
            section("references", "References between services", main, |section| self.pairs(land.across, section));
        });
        let rules = crate::site::domain_rules(self.input.domains);
        MapFiles {
            page,
            svg: picture.as_ref().and_then(|picture| picture.file(TITLE, &rules)),
            puml: picture
                .filter(|picture| !picture.map.places.is_empty())
                .map(|picture| puml::map(TITLE, &picture.map)),
        }
    }

    fn map_frame(&self, picture: &MapPicture<'_>, title: &Title<'_>, out: &mut Markup) {
        let target = |group: &Group| match group {
            Group::Service(name) => self.links.service(name).map(|page| Page::Map.to(&page)),
            Group::Domain(at) => Some(format!("#domain-{at}")),
            Group::NoDomain | Group::Missing(_) | Group::AllMissing => None,
        };
        let frame = [("class", "diagram"), ("role", "region"), ("tabindex", "0"), ("aria-label", title.text)];
        out.element("div", &frame, |frame| picture.inline(title, &target, frame));
    }

    /// A map of each domain, closed until somebody wants it.
    fn domain_maps(&self, land: Land<'_>, out: &mut Markup) {
        section("domains", "Domain by domain", out, |section| {
            for (at, domain) in land.domains.domains.iter().enumerate() {
                if !land.services.values().any(|(_, domain)| *domain == Some(at)) {
                    continue;
                }
                let map = Map::inside(land, at);
                section.line().element("details", &[("class", "near"), ("id", &format!("domain-{at}"))], |details| {
                    details.leaf("summary", &[], &format!("{}: {}", domain.name, inside_words(&map)));
                    if map.places.len() > MOST_BOXES {
                        details.leaf("p", &[("class", "note")], &too_many());
                    } else if !map.places.is_empty() {
                        let picture = MapPicture::of(map, self.layout);
                        let title = format!("Map of {}", domain.name);
                        self.map_frame(&picture, &Title { id: &format!("map-{at}"), text: &title }, details);
                    }
                });
            }
        });
    }

    /// The lines of the map in words.
    fn pairs(&self, across: &Across<'_>, out: &mut Markup) {
        if across.is_empty() {
            out.leaf("p", &[("class", "note")], "No reference leads from one service to another.");
            return;
        }
        out.leaf(
            "p",
            &[("class", "quiet")],
            "They are documented and their types are compared; no database enforces them.",
        );
        out.element("ul", &[("class", "across")], |list| {
            for ((from, to), references) in across {
                list.line().element("li", &[], |item| {
                    self.named(from, item);
                    item.text(" → ");
                    self.named(to, item);
                    item.text(&format!(": {}", count(*references, "reference")));
                });
            }
        });
    }

    fn named(&self, service: &str, out: &mut Markup) {
        match self.links.service(service) {
            Some(page) => out.leaf("a", &[("href", &Page::Map.to(&page))], service),
            None => out.text(service).text(" (not in the intent)"),
        };
    }
}

/// The page of the map, and what lies beside it.
pub(crate) struct MapFiles {
    pub(crate) page: String,
    pub(crate) svg: Option<String>,
    pub(crate) puml: Option<String>,
}

/// The one map of everything, before anybody draws it.
pub(crate) fn map_of_all(input: &Lookup<'_>) -> Option<Map> {
    with_land(input, whole)
}

pub(crate) fn with_land<T>(input: &Lookup<'_>, then: impl FnOnce(Land<'_>) -> T) -> T {
    let services = input.declared.services.iter().map(|service| {
        let name = service.name.value.as_str();
        (name, (service, input.domain(name)))
    });
    let (services, across) = (services.collect(), across(input.declared));
    then(Land { services: &services, across: &across, domains: input.domains })
}

pub(crate) fn is_by_domain(land: Land<'_>) -> bool {
    land.services.len() > BY_DOMAIN_ABOVE && !land.domains.domains.is_empty()
}

/// The one picture of everything; none when nobody could read it.
pub(crate) fn whole(land: Land<'_>) -> Option<Map> {
    let map = if land.services.len() <= BY_DOMAIN_ABOVE {
        Map::of_services(land)
    } else if is_by_domain(land) {
        Map::of_domains(land)
    } else {
        Map::of_referring(land)
    };
    (map.places.len() <= MOST_BOXES).then_some(map)
}

pub(crate) fn words(land: Land<'_>) -> String {
    let arrows = "An arrow points at what is referenced.";
    if land.services.len() <= BY_DOMAIN_ABOVE {
        return format!("Each box is a service. {arrows}");
    }
    if is_by_domain(land) {
        return format!(
            "More than {BY_DOMAIN_ABOVE} services: each box is a domain, and each domain has a map of its own below. {arrows}"
        );
    }
    format!("More than {BY_DOMAIN_ABOVE} services: those without a reference to or from another are left out. {arrows}")
}

pub(crate) fn too_many() -> String {
    format!(
        "There is no picture: it would have more than {MOST_BOXES} boxes. Name domains in domains.yaml, or smaller ones, to see \
        a map by domain. All references are listed below."
    )
}

pub(crate) fn inside_words(map: &Map) -> String {
    match map.lines.len() {
        0 => "no reference leads in or out".to_owned(),
        lines => count(lines, "line"),
    }
}
