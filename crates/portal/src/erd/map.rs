//! The map of all services: a box for each service, or each domain, and one line for all references between two of them.

use std::collections::{BTreeMap, HashMap};

use trueup_model::declared::{Declared, DeclaredService, Target};

use super::layout::{Edge, End, Graph, Size};
use super::pixels;
use crate::domains::Domains;
use crate::text::{columns, count, cut};

/// More services than this are shown by domain.
pub(crate) const BY_DOMAIN_ABOVE: usize = 60;
/// More boxes than this are no picture that anybody could read.
pub(crate) const MOST_BOXES: usize = 150;

/// Pixels of a box's height, and of the room left and right of its words.
pub(super) const HEIGHT: i32 = 46;
const SIDE: i32 = 14;
/// The longest name in a box, in columns.
pub(super) const LONGEST: usize = 40;

/// What is said of services that no domain names.
const NO_DOMAIN: &str = "In no domain";

/// What a box stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Group {
    /// One service of the intent.
    Service(String),
    /// All services of a domain, by its position.
    Domain(usize),
    /// All services that no domain names.
    NoDomain,
    /// What references name and the intent does not have.
    Missing(String),
    /// All of those.
    AllMissing,
}

/// A box of the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) group: Group,
    pub(crate) title: String,
    /// How much is in it, in words.
    pub(crate) note: String,
    /// The position of the domain that gives it its colour.
    pub(crate) domain: Option<usize>,
    pub(super) size: Size,
}

/// All references from one box to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// The box that references.
    pub(crate) from: usize,
    /// The box that is referenced.
    pub(crate) to: usize,
    pub(crate) references: usize,
}

/// What a colour of the map stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Colour {
    /// The position of the domain; none of what is in no domain.
    pub(super) domain: Option<usize>,
    pub(super) name: String,
}

/// Boxes and lines, before they are laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map {
    pub(crate) places: Vec<Place>,
    pub(crate) lines: Vec<Line>,
    /// The domains of the boxes, in their order, and that some are in none. Empty when no box is in a domain.
    pub(super) colours: Vec<Colour>,
}

/// The class that gives a box the colour of its domain.
pub(super) fn class(domain: Option<usize>) -> String {
    domain.map_or_else(|| "no-domain".to_owned(), |domain| format!("d{domain}"))
}

/// How many references lead from one service to another.
pub(crate) type Across<'a> = BTreeMap<(&'a str, &'a str), usize>;

/// All references that leave their service, counted by service.
pub(crate) fn across(declared: &Declared) -> Across<'_> {
    let mut all = Across::new();
    for service in &declared.services {
        for target in targets(service) {
            *all.entry((service.name.value.as_str(), target)).or_default() += 1;
        }
    }
    all
}

fn targets(service: &DeclaredService) -> impl Iterator<Item = &str> {
    let details = service.tables.iter().filter_map(|table| table.details.as_ref());
    let columns = details.flat_map(|details| &details.columns);
    columns.filter_map(|column| match &column.references.as_ref()?.target {
        Target::Service { service, .. } => Some(service.as_str()),
        Target::Table { .. } | Target::UnknownKey { .. } | Target::Missing { .. } => None,
    })
}

/// What a map is made from.
#[derive(Clone, Copy)]
pub(crate) struct Land<'a> {
    /// The services of the intent, each with the position of its domain.
    pub(crate) services: &'a HashMap<&'a str, (&'a DeclaredService, Option<usize>)>,
    pub(crate) across: &'a Across<'a>,
    pub(crate) domains: &'a Domains,
}

impl Map {
    /// Every service as a box, whether it has a line or not.
    pub(crate) fn of_services(land: Land<'_>) -> Self {
        let mut making = Making::new(land);
        let mut names: Vec<&str> = land.services.keys().copied().collect();
        names.sort_unstable();
        names.iter().for_each(|name| {
            making.place(&Group::Service((*name).to_owned()));
        });
        making.lines(&|name| land.alone(name), &|_, _| true)
    }

    /// Only services with a line.
    pub(crate) fn of_referring(land: Land<'_>) -> Self {
        Making::new(land).lines(&|name| land.alone(name), &|_, _| true)
    }

    /// Every domain as a box.
    pub(crate) fn of_domains(land: Land<'_>) -> Self {
        let mut making = Making::new(land);
        let mut groups: Vec<Group> = land.services.keys().map(|name| land.together(name)).collect();
        groups.sort();
        groups.dedup();
        groups.iter().for_each(|group| {
            making.place(group);
        });
        making.lines(&|name| land.together(name), &|_, _| true)
    }

    /// The services of one domain that have a line, among themselves and with other domains.
    pub(crate) fn inside(land: Land<'_>, domain: usize) -> Self {
        let is_inside = |name: &str| land.domain(name) == Some(domain);
        let group = |name: &str| if is_inside(name) { land.alone(name) } else { land.together(name) };
        Making::new(land).lines(&group, &|from, to| is_inside(from) || is_inside(to))
    }

    /// The question for the layout engine: what is referenced stands left of what references it.
    pub(super) fn graph(&self) -> Graph {
        let end = |node| End { node, y: HEIGHT / 2 };
        let edges = self.lines.iter().map(|line| Edge { from: end(line.to), to: end(line.from) }).collect();
        Graph { boxes: self.places.iter().map(|place| place.size).collect(), edges }
    }

    /// What the map shows, in a sentence.
    pub(crate) fn description(&self) -> String {
        let references = self.lines.iter().map(|line| line.references).sum();
        let (boxes, lines) = (count(self.places.len(), "box"), count(self.lines.len(), "line"));
        format!("{boxes}, {lines} for {}. They are listed as text below the picture.", count(references, "reference"))
    }
}

impl Land<'_> {
    fn alone(&self, name: &str) -> Group {
        let is_known = self.services.contains_key(name);
        if is_known { Group::Service(name.to_owned()) } else { Group::Missing(name.to_owned()) }
    }

    fn domain(&self, name: &str) -> Option<usize> {
        self.services.get(name).and_then(|(_, domain)| *domain)
    }

    fn together(&self, name: &str) -> Group {
        match self.services.get(name) {
            None => Group::AllMissing,
            Some((_, Some(domain))) => Group::Domain(*domain),
            Some((_, None)) => Group::NoDomain,
        }
    }
}

/// A map that is being put together.
struct Making<'a> {
    land: Land<'a>,
    map: Map,
    known: HashMap<Group, usize>,
}

impl<'a> Making<'a> {
    fn new(land: Land<'a>) -> Self {
        Self { land, map: Map::default(), known: HashMap::new() }
    }

    fn lines(mut self, group: &dyn Fn(&str) -> Group, wanted: &dyn Fn(&str, &str) -> bool) -> Map {
        let mut lines: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for ((from, to), references) in self.land.across {
            if wanted(from, to) {
                let ends = (self.place(&group(from)), self.place(&group(to)));
                *lines.entry(ends).or_default() += references;
            }
        }
        for ((from, to), references) in lines {
            if from == to {
                self.map.places[from].within(references);
            } else {
                self.map.lines.push(Line { from, to, references });
            }
        }
        self.map.colours = self.colours();
        self.map
    }

    fn colours(&self) -> Vec<Colour> {
        let has = |domain: Option<usize>| {
            let is_of_intent = |place: &&Place| !matches!(place.group, Group::Missing(_) | Group::AllMissing);
            self.map.places.iter().filter(is_of_intent).any(|place| place.domain == domain)
        };
        let domains = self.land.domains.domains.iter().enumerate().filter(|(at, _)| has(Some(*at)));
        let mut all: Vec<Colour> =
            domains.map(|(at, domain)| Colour { domain: Some(at), name: domain.name.clone() }).collect();
        if !all.is_empty() && has(None) {
            all.push(Colour { domain: None, name: NO_DOMAIN.to_owned() });
        }
        all
    }

    /// The box of a group, made when it is first met.
    fn place(&mut self, group: &Group) -> usize {
        if let Some(known) = self.known.get(group) {
            return *known;
        }
        let domains = &self.land.domains.domains;
        let (title, note, domain) = match group {
            Group::Service(name) => (name.clone(), self.tables(&|other| other == name), self.land.domain(name)),
            Group::Domain(at) => (domains[*at].name.clone(), self.services(group), Some(*at)),
            Group::NoDomain => (NO_DOMAIN.to_owned(), self.services(group), None),
            Group::Missing(name) => (name.clone(), "not in the intent".to_owned(), None),
            Group::AllMissing => ("Not in the intent".to_owned(), "named by references only".to_owned(), None),
        };
        let place = Place { group: group.clone(), title, note, domain, size: Size { width: 0, height: 0 } };
        self.map.places.push(place.measured());
        self.known.insert(group.clone(), self.map.places.len() - 1);
        self.map.places.len() - 1
    }

    fn services(&self, group: &Group) -> String {
        let is_in = |name: &&&str| self.land.together(name) == *group;
        let services = self.land.services.keys().filter(is_in).count();
        format!("{}, {}", count(services, "service"), self.tables(&|name| self.land.together(name) == *group))
    }

    fn tables(&self, wanted: &dyn Fn(&str) -> bool) -> String {
        let services = self.land.services.iter().filter(|(name, _)| wanted(name));
        count(services.map(|(_, (service, _))| service.tables.len()).sum(), "table")
    }
}

impl Place {
    fn within(&mut self, references: usize) {
        self.note.push_str(&format!(", {} inside", count(references, "reference")));
        self.size = self.clone().measured().size;
    }

    fn measured(mut self) -> Self {
        let title = pixels(columns(&cut(&self.title, LONGEST)), 80);
        let width = title.max(pixels(columns(&self.note), 67)).max(120) + 2 * SIDE;
        self.size = Size { width, height: HEIGHT };
        self
    }
}

#[cfg(test)]
pub(super) mod tests {
    use trueup_intent::Source;

    use super::*;
    use crate::domains;

    /// Calls `then` with services `s0`, `s1`, … of which each references the next two, and a domain for every ten.
    fn with_services(number: usize, then: impl FnOnce(Land<'_>)) {
        let (mut yaml, mut groups) = (String::new(), String::new());
        for n in 0..number {
            let reference =
                |to: usize| format!("{{name: r{to}, type: UUID, constraints: FK -> s{}}}", (n + to) % number);
            yaml.push_str(&format!(
                "s{n}:\n  table_details:\n    t:\n      columns: [{}, {}]\n",
                reference(1),
                reference(2)
            ));
            if n % 10 == 0 {
                let names: Vec<String> = (n..number.min(n + 10)).map(|n| format!("s{n}")).collect();
                groups.push_str(&format!("D{}:\n  services: [{}]\n", n / 10, names.join(", ")));
            }
        }
        with_land(&yaml, &groups, then);
    }

    /// Calls `then` with services and domains.
    pub(in crate::erd) fn with_land(yaml: &str, domains: &str, then: impl FnOnce(Land<'_>)) {
        let source = |text: &str| Source { path: "f".to_owned(), bytes: text.as_bytes().to_vec() };
        let reading = trueup_intent::read(&[source(yaml)]);
        assert!(reading.errors.is_empty(), "{:?}", reading.errors);
        let domains = domains::read(&source(domains)).unwrap();
        let services = reading.declared.services.iter();
        let services =
            services.map(|service| (service.name.value.as_str(), (service, domains.of(&service.name.value))));
        let across = across(&reading.declared);
        then(Land { services: &services.collect(), across: &across, domains: &domains });
    }

    #[test]
    fn few_services_are_boxes_of_their_own() {
        with_services(20, |land| {
            let map = Map::of_services(land);
            assert_eq!((map.places.len(), map.lines.len()), (20, 40));
            assert_eq!(map.places[0].note, "1 table");
        });
    }

    #[test]
    fn many_services_are_shown_by_domain_and_each_domain_by_itself() {
        with_services(2_000, |land| {
            let map = Map::of_domains(land);
            // The first service of a domain is referenced by the last two of the one before, the second by its last.
            assert_eq!((map.places.len(), map.lines.len()), (200, 200));
            assert!(map.lines.iter().all(|line| line.references == 3));
            assert_eq!(map.places[3].note, "10 services, 10 tables, 17 references inside");
            let inside = Map::inside(land, 3);
            let outside = inside.places.iter().filter(|place| matches!(place.group, Group::Domain(_))).count();
            assert_eq!((inside.places.len(), outside), (12, 2));
        });
    }
}
