//! The map of all services as SVG.

use super::draw::{Sheet, Title, label, rect};
use super::layout::{Layout, LayoutError, Placement, Point};
use super::map::{Group, HEIGHT, LONGEST, Map, Place};
use super::{file, opening, path, shelves};
use crate::markup::Markup;
use crate::plantuml::{Drawing, Drawings};
use crate::text::{count, cut};

/// Where the box of a group leads; a box that leads nowhere is no link.
pub(crate) type MapTarget<'a> = &'a dyn Fn(&Group) -> Option<String>;

/// A map with its places, or drawn by PlantUML.
pub(crate) struct MapPicture<'a> {
    pub(crate) map: Map,
    form: Form<'a>,
}

enum Form<'a> {
    Placed(Placement),
    Failed(LayoutError),
    PlantUml(&'a Drawing),
}

impl<'a> MapPicture<'a> {
    /// Lays a map out.
    pub(crate) fn of(map: Map, layout: &dyn Layout) -> Self {
        let form = match shelves::place(&map.graph(), layout) {
            Ok(placement) => Form::Placed(placement),
            Err(error) => Form::Failed(error),
        };
        Self { map, form }
    }

    /// The one map of everything, by whoever draws it.
    pub(crate) fn of_all(map: Map, drawings: Option<&'a Drawings>, layout: &dyn Layout) -> Self {
        match drawings.and_then(Drawings::of_map) {
            Some(drawing) => Self { map, form: Form::PlantUml(drawing) },
            None => Self::of(map, layout),
        }
    }

    /// Draws it into a page; without a placement, says so.
    pub(crate) fn inline(&self, title: &Title<'_>, target: MapTarget<'_>, out: &mut Markup) {
        let placement = match &self.form {
            Form::Placed(placement) => placement,
            Form::PlantUml(drawing) => return drawing.image(out),
            Form::Failed(error) => {
                out.leaf("p", &[("class", "note")], &format!("There is no picture: {error}. All is listed below."));
                return;
            }
        };
        let Some(size) = placement.size else { return };
        let boxes = self.map.places.iter().map(|place| place.size);
        let sheet = Sheet { size, opening: opening::size(size, boxes, placement) };
        super::draw::svg(title, &self.map.description(), sheet, out, |svg| self.contents(placement, target, svg));
    }

    /// The map as a file of its own, with the rules of the domains' colours; its boxes lead nowhere.
    pub(crate) fn file(&self, title: &str, rules: &str) -> Option<String> {
        let placement = match &self.form {
            Form::Placed(placement) => placement,
            Form::PlantUml(drawing) => return Some(drawing.svg.clone()),
            Form::Failed(_) => return None,
        };
        let inside = |svg: &mut Markup| self.contents(placement, &|_| None, svg);
        Some(file::wrap(title, &self.map.description(), rules, placement.size?, inside))
    }

    fn contents(&self, placement: &Placement, target: MapTarget<'_>, svg: &mut Markup) {
        for (line, corners) in self.map.lines.iter().zip(&placement.lines) {
            let [from, to] = [line.from, line.to].map(|end| self.map.places[end].title.as_str());
            let words = format!("{from} → {to}: {}", count(line.references, "reference"));
            let Some(first) = corners.first() else { continue };
            svg.element("g", &[], |group| {
                group.leaf("title", &[], &words);
                group.shape("path", &[("class", "edge logical"), ("d", &path::rounded(corners))]);
                let arrow =
                    format!("M{} {}L{} {}L{} {}", first.x + 9, first.y - 5, first.x, first.y, first.x + 9, first.y + 5);
                group.shape("path", &[("class", "foot"), ("d", &arrow)]);
            });
            svg.line();
        }
        for (place, corner) in self.map.places.iter().zip(&placement.boxes) {
            draw_place(place, *corner, target(&place.group), svg);
            svg.line();
        }
    }
}

fn draw_place(place: &Place, at: Point, href: Option<String>, svg: &mut Markup) {
    let class = place.domain.map_or_else(|| "no-domain".to_owned(), |domain| format!("d{domain}"));
    svg.element("g", &[("class", &class)], |svg| {
        match href {
            Some(href) => {
                let named = [("href", href.as_str()), ("aria-label", place.title.as_str())];
                svg.element("a", &named, |link| frame(place, at, link));
            }
            None => frame(place, at, svg),
        }
        // Outside of the link: its name is the whole title, which the picture may shorten. Clicks fall through.
        svg.element("g", &[("class", "rows")], |svg| {
            let x = at.x + 14;
            label("table-name", Point { x, y: at.y + 20 }, &cut(&place.title, LONGEST), svg);
            label("index", Point { x, y: at.y + 36 }, &place.note, svg);
        });
    });
}

fn frame(place: &Place, at: Point, svg: &mut Markup) {
    let missing = matches!(place.group, Group::Missing(_) | Group::AllMissing);
    rect(if missing { "pill missing" } else { "box" }, at, place.size.width, HEIGHT, 7, svg);
    rect("band", Point { x: at.x, y: at.y + 6 }, 5, HEIGHT - 12, 2, svg);
}
