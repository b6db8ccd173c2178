//! The map of all services as SVG.

use super::draw::{Sheet, Title, label, rect};
use super::grid::Heading;
use super::layout::{Layout, LayoutError, Placement, Point, Size};
use super::legend::Legend;
use super::map::{Group, HEIGHT, LONGEST, Map, Place, class};
use super::{file, grid, opening, path};
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
    Placed(Placed),
    Failed(LayoutError),
    PlantUml(&'a Drawing),
}

/// Where everything goes, with the words around it.
struct Placed {
    placement: Placement,
    headings: Vec<Heading>,
    legend: Legend,
}

impl<'a> MapPicture<'a> {
    /// Lays a map out.
    pub(crate) fn of(mut map: Map, layout: &dyn Layout) -> Self {
        let form = match grid::place(&mut map, layout) {
            Ok((placement, headings)) => {
                let legend = Legend::of(&map, placement.size.unwrap_or(Size { width: 0, height: 0 }));
                Form::Placed(Placed { placement, headings, legend })
            }
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
        let placed = match &self.form {
            Form::Placed(placed) => placed,
            Form::PlantUml(drawing) => return drawing.image(out),
            Form::Failed(error) => {
                out.leaf("p", &[("class", "note")], &format!("There is no picture: {error}. All is listed below."));
                return;
            }
        };
        if placed.placement.size.is_none() {
            return;
        }
        let (size, boxes) = (placed.legend.size, self.map.places.iter().map(|place| place.size));
        let sheet = Sheet { size, opening: opening::size(size, boxes, &placed.placement) };
        super::draw::svg(title, &self.map.description(), sheet, out, |svg| self.contents(placed, target, svg));
    }

    /// The map as a file of its own, with the rules of the domains' colours; its boxes lead nowhere.
    pub(crate) fn file(&self, title: &str, rules: &str) -> Option<String> {
        let placed = match &self.form {
            Form::Placed(placed) => placed,
            Form::PlantUml(drawing) => return Some(drawing.svg.clone()),
            Form::Failed(_) => return None,
        };
        placed.placement.size?;
        let inside = |svg: &mut Markup| self.contents(placed, &|_| None, svg);
        Some(file::wrap(title, &self.map.description(), rules, placed.legend.size, inside))
    }

    fn contents(&self, placed: &Placed, target: MapTarget<'_>, svg: &mut Markup) {
        let placement = &placed.placement;
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
        placed.headings.iter().for_each(|heading| draw_heading(heading, svg));
        placed.legend.draw(svg);
    }
}

/// Words above boxes, in as much room as the boxes take.
fn draw_heading(heading: &Heading, svg: &mut Markup) {
    let class = if heading.domain.is_some() { "plot" } else { "legend" };
    let columns = usize::try_from(heading.room / 7).unwrap_or(0);
    label(class, heading.at, &cut(&heading.text, columns), svg);
    svg.line();
}

fn draw_place(place: &Place, at: Point, href: Option<String>, svg: &mut Markup) {
    svg.element("g", &[("class", &class(place.domain))], |svg| {
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
