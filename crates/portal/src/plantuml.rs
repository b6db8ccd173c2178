//! Diagrams by a real PlantUML, which somebody else runs: what it is given, and what becomes of its answers.
//!
//! PlantUML draws a picture of its errors, too, and may end as if all were well. So an answer is only taken when it shows
//! every box of its source, by the names that the source gives them; words on it prove nothing, since a table may be
//! called like an error.

mod svg;

use std::collections::HashMap;
use std::sync::Arc;

use trueup_model::location::Location;

use crate::erd::draw::{FITS, description};
use crate::erd::{self, Erd};
use crate::input::Input;
use crate::links::{Links, Page};
use crate::lookup::Lookup;
use crate::markup::Markup;
use crate::{pages, puml};

/// What a diagram is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Diagram {
    /// A service, by its name.
    Service(String),
    /// All services.
    Map,
}

/// A diagram for PlantUML to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What it is of.
    pub of: Diagram,
    /// Where that stands in the intent.
    pub at: Option<Location>,
    /// Everything that the picture depends on: equal contents are drawn alike.
    pub content: Content,
}

/// What is drawn, and what the picture is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// The file of the source, relative to the site's folder, without its ending.
    pub file: String,
    /// The source. It ends with a line end.
    pub text: String,
    title: String,
    description: String,
    boxes: usize,
}

/// Everything that a site has a picture of, and can be asked of PlantUML: the diagram of each service with a table, and the map.
pub fn sources(input: &Input<'_>) -> Vec<Source> {
    let (links, lookup) = (Links::of(input.declared), Lookup::of(input));
    let services = input.declared.services.iter().filter(|service| !service.tables.is_empty());
    let mut sources: Vec<Source> = services
        .filter_map(|service| {
            let (name, erd) = (&service.name.value, Erd::of(service, input.written));
            let content = Content {
                file: stem(&links.service(name)?),
                text: puml::source(name, &erd),
                title: erd::title(name),
                description: description(&erd),
                boxes: erd.boxes.len(),
            };
            Some(Source { of: Diagram::Service(name.clone()), at: Some(service.name.at.clone()), content })
        })
        .collect();
    let map = pages::map_of_all(&lookup).filter(|map| !map.places.is_empty());
    sources.extend(map.map(|map| {
        let content = Content {
            file: stem(&Page::Map),
            text: puml::map(pages::MAP_TITLE, &map),
            title: pages::MAP_TITLE.to_owned(),
            description: map.description(),
            boxes: map.places.len(),
        };
        Source { of: Diagram::Map, at: None, content }
    }));
    sources
}

fn stem(page: &Page) -> String {
    let path = page.path();
    path.strip_suffix(".html").unwrap_or(&path).to_owned()
}

/// A picture by PlantUML: its shapes and texts, and nothing else of what it wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct Drawing {
    pub(crate) svg: String,
    /// The file's name. It lies beside the page that shows it.
    name: String,
    words: String,
    width: u32,
    height: u32,
}

impl Drawing {
    /// Reads what PlantUML answered.
    ///
    /// # Errors
    /// When it is no picture, or one that does not show what it was asked for.
    pub fn read(content: &Content, answer: &[u8]) -> Result<Self, Refused> {
        let picture = svg::read(answer, content.boxes)?;
        let (width, height) = picture.size;
        let name = content.file.rsplit_once('/').map_or(content.file.as_str(), |(_, name)| name);
        Ok(Self {
            svg: picture.file(&content.title, &content.description),
            name: format!("{name}.svg"),
            words: format!("{}: {}", content.title, content.description),
            width,
            height,
        })
    }

    /// Shows it in a page, which it is a file beside.
    pub(crate) fn image(&self, out: &mut Markup) {
        let is_narrow = i32::try_from(self.width).is_ok_and(|width| width <= FITS);
        out.void(
            "img",
            &[
                ("class", if is_narrow { "drawing fit" } else { "drawing" }),
                ("src", &self.name),
                ("alt", &self.words),
                ("width", &self.width.to_string()),
                ("height", &self.height.to_string()),
            ],
        );
    }
}

/// Why a picture was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is empty, or no SVG.
    #[error("PlantUML gave no picture: {0}")]
    NoPicture(String),
    /// It shows an error.
    #[error("PlantUML drew an error{}: {message}", line.map_or_else(String::new, |line| format!(" in line {line} of its source")))]
    Error {
        /// The line of the source, where it says so.
        line: Option<u32>,
        /// What it says.
        message: String,
    },
    /// PlantUML lacks the program that places its boxes.
    #[error("PlantUML cannot find Graphviz: {0}")]
    NoGraphviz(String),
}

/// The pictures of a site.
#[derive(Debug, Default)]
pub struct Drawings(HashMap<Diagram, Arc<Drawing>>);

impl Drawings {
    pub(crate) fn of_service(&self, name: &str) -> Option<&Drawing> {
        self.0.get(&Diagram::Service(name.to_owned())).map(Arc::as_ref)
    }

    pub(crate) fn of_map(&self) -> Option<&Drawing> {
        self.0.get(&Diagram::Map).map(Arc::as_ref)
    }
}

impl FromIterator<(Diagram, Arc<Drawing>)> for Drawings {
    fn from_iter<I: IntoIterator<Item = (Diagram, Arc<Drawing>)>>(pictures: I) -> Self {
        Self(pictures.into_iter().collect())
    }
}
