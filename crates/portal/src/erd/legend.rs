//! What the lines and colours of the map mean, below it.

use super::draw::{label, rect};
use super::layout::{Point, Size};
use super::map::{Colour, Group, Map};
use super::pixels;
use crate::markup::Markup;
use crate::text::{columns, cut};

/// Room between two items, around the picture, and between a sample and its words.
const GAP: i32 = 22;
const MARGIN: i32 = 4;
const BESIDE: i32 = 7;
/// Pixels of a line, and of the room above the first.
const LINE: i32 = 20;
const ABOVE: i32 = 20;
/// What lines are filled up to at the least, and at the most: a page, since a wider picture scrolls.
const NARROW: i32 = 560;
const WIDE: i32 = 1140;
/// The longest name of a domain, in columns.
const LONGEST: usize = 40;

/// A sample and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Item {
    at: Point,
    sample: Sample,
    words: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sample {
    Reference,
    Missing,
    /// The colour of a domain.
    Colour(Option<usize>),
}

/// A legend with its places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Legend {
    items: Vec<Item>,
    /// The rule above it.
    top: i32,
    /// The picture with it.
    pub(super) size: Size,
}

impl Legend {
    /// What is on a map is explained, below a picture of this size.
    pub(super) fn of(map: &Map, size: Size) -> Self {
        let mut at = Point { x: MARGIN, y: size.height + ABOVE };
        let (width, mut reach) = (size.width.clamp(NARROW, WIDE), size.width);
        let mut items = Vec::new();
        for (sample, words) in samples(map) {
            let end = |x: i32| x + sample.width() + BESIDE + pixels(columns(&words), 69);
            if at.x > MARGIN && end(at.x) + MARGIN > width {
                at = Point { x: MARGIN, y: at.y + LINE };
            }
            let next = end(at.x) + GAP;
            reach = reach.max(end(at.x) + MARGIN);
            items.push(Item { at, sample, words });
            at.x = next;
        }
        let height = if items.is_empty() { size.height } else { at.y + LINE };
        Self { items, top: size.height + ABOVE / 2, size: Size { width: reach, height } }
    }

    pub(super) fn draw(&self, svg: &mut Markup) {
        if self.items.is_empty() {
            return;
        }
        let rule = format!("M{MARGIN} {}H{}", self.top, self.size.width - MARGIN);
        svg.shape("path", &[("class", "part"), ("d", &rule)]);
        for item in &self.items {
            item.draw(svg);
        }
        svg.line();
    }
}

/// Only what there is: a map without lines needs no words about them, and a box that is a domain has its name.
fn samples(map: &Map) -> Vec<(Sample, String)> {
    let is_missing = map.places.iter().any(|place| matches!(place.group, Group::Missing(_) | Group::AllMissing));
    let lines = "Points at what is referenced; dashed, since no database enforces it";
    let fixed = [
        (!map.lines.is_empty()).then_some((Sample::Reference, lines)),
        is_missing.then_some((Sample::Missing, "Not in the intent, only named by references")),
    ];
    let fixed = fixed.into_iter().flatten().map(|(sample, words)| (sample, words.to_owned()));
    let colour = |colour: &Colour| (Sample::Colour(colour.domain), cut(&colour.name, LONGEST));
    let has_services = map.places.iter().any(|place| matches!(place.group, Group::Service(_)));
    fixed.chain(map.colours.iter().filter(|_| has_services).map(colour)).collect()
}

impl Sample {
    fn width(&self) -> i32 {
        match self {
            Self::Reference => 34,
            Self::Missing => 26,
            Self::Colour(_) => 5,
        }
    }
}

impl Item {
    fn draw(&self, svg: &mut Markup) {
        let (x, y) = (self.at.x, self.at.y + 8);
        match &self.sample {
            Sample::Reference => {
                svg.shape("path", &[("class", "edge logical"), ("d", &format!("M{x} {y}h34"))]);
                let arrow = format!("M{} {}L{x} {y}L{} {}", x + 9, y - 5, x + 9, y + 5);
                svg.shape("path", &[("class", "foot"), ("d", &arrow)]);
            }
            Sample::Missing => rect("sample missing", Point { x, y: y - 7 }, 26, 14, 7, svg),
            Sample::Colour(domain) => {
                svg.element("g", &[("class", &super::map::class(*domain))], |group| {
                    rect("band", Point { x, y: y - 7 }, 5, 14, 2, group);
                });
            }
        }
        label("legend", Point { x: x + self.sample.width() + BESIDE, y: y + 4 }, &self.words, svg);
    }
}

#[cfg(test)]
mod tests {
    use super::super::map::tests::with_land;
    use super::*;

    fn words(map: &Map) -> Vec<String> {
        let legend = Legend::of(map, Size { width: 300, height: 100 });
        let inside = |item: &Item| item.at.x > 0 && item.at.y > 100 && item.at.y + LINE <= legend.size.height;
        assert!(legend.items.iter().all(inside), "{legend:?}");
        legend.items.iter().map(|item| item.words.clone()).collect()
    }

    #[test]
    fn what_is_on_the_map_is_explained_and_nothing_else() {
        const YAML: &str =
            "a:\n  table_details:\n    t:\n      columns: [{name: b, type: UUID, constraints: FK -> b}]\nb: {}\n";
        let lines = "Points at what is referenced; dashed, since no database enforces it";
        with_land("a: {}\n", "{}\n", |land| assert_eq!(words(&Map::of_services(land)), [""; 0]));
        with_land(YAML, "{}\n", |land| assert_eq!(words(&Map::of_services(land)), [lines]));
        with_land(YAML, "D:\n  services: [a]\nE:\n  services: [z]\n", |land| {
            let mut map = Map::of_services(land);
            assert_eq!(words(&map), [lines, "D", "In no domain"]);
            assert_eq!(words(&Map::of_domains(land)), [lines]);
            map.places[1].group = Group::Missing("b".to_owned());
            assert_eq!(words(&map)[1], "Not in the intent, only named by references");
        });
    }
}
