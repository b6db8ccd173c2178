//! The SVG of PlantUML, read and written again: shapes, texts, and how they look. Comments, which name the machine; styles,
//! which the pages' policy forbids; scripts, links and addresses, which have no place in a picture, are left out by not
//! being known here.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

use super::Refused;
use crate::markup::Markup;

/// Elements that are drawn, and groups of them.
const ELEMENTS: [&str; 8] = ["g", "rect", "text", "line", "path", "polygon", "ellipse", "circle"];

/// Attributes that place an element, or say how it looks; also as declarations of a `style`.
const ATTRIBUTES: [&str; 32] = [
    "x",
    "y",
    "dx",
    "dy",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "d",
    "points",
    "width",
    "height",
    "transform",
    "fill",
    "fill-opacity",
    "opacity",
    "stroke",
    "stroke-width",
    "stroke-dasharray",
    "stroke-opacity",
    "font-family",
    "font-size",
    "font-style",
    "font-weight",
    "text-decoration",
    "textLength",
    "lengthAdjust",
];

/// What a picture of errors may be long.
const LONGEST: usize = 300;

/// A picture that was read.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) size: (u32, u32),
    view: String,
    shapes: Markup,
}

/// Reads a picture that has to show so many boxes.
pub(super) fn read(answer: &[u8], boxes: usize) -> Result<Picture, Refused> {
    let none = |why: &str| Refused::NoPicture(why.to_owned());
    let text = std::str::from_utf8(answer).map_err(|error| none(&error.to_string()))?.trim();
    if text.is_empty() {
        return Err(none("its answer is empty"));
    }
    let document = Document::parse(text).map_err(|error| none(&format!("its answer is no SVG ({error})")))?;
    let root = document.root_element();
    if root.tag_name().name() != "svg" {
        return Err(none("its answer is no SVG"));
    }
    let shown: BTreeSet<&str> = root.descendants().filter_map(entity).collect();
    if (0..boxes).any(|number| !shown.contains(format!("e{number}").as_str())) {
        return Err(refusal(&texts(root)));
    }
    let size = |name: &str| root.attribute(name).and_then(pixels);
    let size = size("width").zip(size("height")).ok_or_else(|| none("it has no size"))?;
    let view = root.attribute("viewBox").filter(|view| is_plain(view));
    let view = view.map_or_else(|| format!("0 0 {} {}", size.0, size.1), str::to_owned);
    let mut shapes = Markup::default();
    root.children().for_each(|child| copy(child, &mut shapes));
    Ok(Picture { size, view, shapes })
}

impl Picture {
    /// A whole file. The ground is white, since the words are black, whatever the page around it is.
    pub(super) fn file(&self, title: &str, description: &str) -> String {
        let (w, h) = (self.size.0.to_string(), self.size.1.to_string());
        let attributes = [
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("role", "img"),
            ("aria-labelledby", "title desc"),
            ("width", w.as_str()),
            ("height", h.as_str()),
            ("viewBox", self.view.as_str()),
        ];
        let mut out = Markup::default();
        out.element("svg", &attributes, |svg| {
            svg.leaf("title", &[("id", "title")], title).leaf("desc", &[("id", "desc")], description).line();
            svg.shape("rect", &[("fill", "#ffffff"), ("width", &w), ("height", &h)]).line();
            svg.append(&self.shapes);
        });
        out.finish()
    }
}

/// The alias of the box that an element is. Each generation of PlantUML has had its own way to note it.
fn entity<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    let id = node.attribute("id").map(|id| id.strip_prefix("entity_").or(id.strip_prefix("elem_")).unwrap_or(id));
    node.attribute("data-qualified-name").or(node.attribute("data-entity")).or(id)
}

fn copy(node: Node<'_, '_>, out: &mut Markup) {
    if let Some(text) = node.text().filter(|_| node.is_text()) {
        if node.parent().is_some_and(|parent| parent.tag_name().name() == "text") {
            out.text(text);
        }
        return;
    }
    let name = node.tag_name().name();
    // A link is a group that leads somewhere.
    let name = if name == "a" { "g" } else { name };
    let Some(name) = ELEMENTS.into_iter().find(|known| *known == name) else { return };
    let mut attributes: Vec<(&'static str, &str)> = Vec::new();
    let own = node.attributes().filter(|attribute| attribute.namespace().is_none());
    let style = node.attribute("style").unwrap_or_default().split(';').filter_map(|one| one.split_once(':'));
    // What a style says outranks the attribute.
    for (key, value) in style.chain(own.map(|attribute| (attribute.name(), attribute.value()))) {
        let known = ATTRIBUTES.into_iter().find(|known| *known == key.trim());
        if let Some(known) = known.filter(|known| !attributes.iter().any(|(name, _)| name == known))
            && is_plain(value)
        {
            attributes.push((known, value.trim()));
        }
    }
    out.element(name, &attributes, |inside| node.children().for_each(|child| copy(child, inside)));
}

/// Numbers, names, colours: no address.
fn is_plain(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || " .,-+#%_()'\"".contains(c))
        && !value.to_ascii_lowercase().contains("url")
}

/// `394px`, rounded up.
fn pixels(text: &str) -> Option<u32> {
    let number: f64 = text.strip_suffix("px").unwrap_or(text).parse().ok()?;
    let is_size = number > 0.0 && number < f64::from(1_000_000);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a million")]
    is_size.then_some(number.ceil() as u32)
}

/// What stands in the picture, line by line.
fn texts(root: Node<'_, '_>) -> Vec<String> {
    let lines = root.descendants().filter(|node| node.tag_name().name() == "text").map(|node| {
        let text: String = node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
        text.replace('\u{a0}', " ").trim().to_owned()
    });
    lines.filter(|line| !line.is_empty()).collect()
}

/// What a picture says that does not show its boxes.
fn refusal(texts: &[String]) -> Refused {
    let all = || {
        let all = texts.join("; ");
        if all.is_empty() { "a picture that does not show the tables".to_owned() } else { cut(&all) }
    };
    if texts.iter().any(|text| text.starts_with("Cannot find Graphviz") || text.starts_with("Dot Executable:")) {
        let what: Vec<&str> =
            texts.iter().map(String::as_str).filter(|text| text.to_lowercase().contains("dot executable")).collect();
        return Refused::NoGraphviz(if what.is_empty() { all() } else { cut(&what.join("; ")) });
    }
    let line = texts.iter().find_map(|text| {
        let (_, rest) = text.strip_prefix("[From ")?.split_once("(line ")?;
        rest.split_once(')')?.0.trim().parse().ok()
    });
    // The picture of a syntax error shows the source up to the error, and then what is wrong.
    match (line, texts.last()) {
        (Some(line), Some(last)) => Refused::Error { line: Some(line), message: cut(last) },
        _ => Refused::Error { line: None, message: all() },
    }
}

fn cut(text: &str) -> String {
    crate::text::cut(text, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(inside: &str) -> String {
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' width='20.2px' height='10px' viewBox='0 0 20 10'>{inside}</svg>"
        )
    }

    fn shapes(inside: &str) -> String {
        let picture = read(around(inside).as_bytes(), 0).unwrap();
        assert_eq!(picture.size, (21, 10));
        picture.shapes.finish().trim_end().to_owned()
    }

    #[test]
    fn styles_become_attributes_and_comments_are_left_out() {
        let drawn = "<defs/><g><!--class e0--><rect id='e0' fill='red' style='stroke: #A80036; stroke-width: 1.5;fill:#fff' x='1'/><text x='2'>a &lt; b</text></g>";
        let expected = "<g><rect stroke=\"#A80036\" stroke-width=\"1.5\" fill=\"#fff\" x=\"1\"></rect><text x=\"2\">a &lt; b</text></g>";
        assert_eq!(shapes(drawn), expected);
    }

    #[test]
    fn what_acts_or_leads_elsewhere_is_left_out() {
        let hostile = "<script>x()</script><style>*{}</style><foreignObject><p>x</p></foreignObject><image xlink:href='http://x/'/>\
            <a xlink:href='javascript:x()' onclick='x()'><circle onload='x()' r='1' fill='url(http://x/)' stroke='UrL(#f)'/></a><use href='#x'/>";
        assert_eq!(shapes(hostile), "<g><circle r=\"1\"></circle></g>");
    }

    #[test]
    fn a_picture_is_taken_when_it_shows_every_box() {
        for marks in [
            "<rect id='e0'/><rect id='e1'/>",
            "<g id='elem_e0'/><g id='elem_e1'/>",
            "<g id='entity_e0'/><g id='entity_e1'/>",
            "<g class='entity' data-qualified-name='e0' id='ent0002'/><g data-qualified-name='e1'/>",
        ] {
            assert!(read(around(marks).as_bytes(), 2).is_ok(), "{marks}");
            assert!(read(around(marks).as_bytes(), 3).is_err(), "{marks}");
        }
        // Words of errors are words like others.
        assert!(
            read(around("<rect id='e0'/><text>Syntax Error?</text><text>Cannot find Graphviz</text>").as_bytes(), 1)
                .is_ok()
        );
    }

    #[test]
    fn what_an_error_says_is_told() {
        let refused = |inside: &str| read(around(inside).as_bytes(), 1).unwrap_err().to_string();
        let syntax =
            "<text>[From string (line 5) ]</text><text>entity \"id='e0'\"</text><text fill='#F00'>Syntax Error?</text>";
        assert_eq!(refused(syntax), "PlantUML drew an error in line 5 of its source: Syntax Error?");
        let dot = "<text>Dot Executable: /x</text><text>File does not exist</text><text>Cannot find Graphviz. You should try</text>";
        assert_eq!(refused(dot), "PlantUML cannot find Graphviz: Dot Executable: /x");
        let crash = "<text>An error has occured : java.lang.Error</text><text>&#160;</text><text>Please report</text>";
        let said = "PlantUML drew an error: An error has occured : java.lang.Error; Please report";
        assert_eq!(refused(crash), said);
        assert_eq!(refused("<g/>"), "PlantUML drew an error: a picture that does not show the tables");
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for (answer, why) in [
            ("", "is empty"),
            ("\n", "is empty"),
            ("usage: cat", "is no SVG ("),
            ("<html/>", "is no SVG"),
            ("<svg width='x'/>", "has no size"),
            ("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg>&a;</svg>", "is no SVG ("),
        ] {
            let refused = read(answer.as_bytes(), 0).unwrap_err().to_string();
            assert!(refused.starts_with("PlantUML gave no picture: ") && refused.contains(why), "{answer}: {refused}");
        }
    }
}
