//! The same content as Markdown: whole pages for MkDocs Material and Backstage TechDocs, and the Data Store section of
//! each service for a portal that a team keeps itself.

mod mkdocs;
mod pages;
pub mod place;
mod section;
mod text;

use std::collections::BTreeMap;

use trueup_model::declared::DeclaredService;

use crate::erd::Erd;
use crate::erd::draw::Picture;
use crate::erd::elk::Elk;
use crate::input::Input;
use crate::links::{Links, Page};
use crate::site::Site;
use section::Setting;
use text::Markdown;

/// What reads the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// MkDocs with the Material theme.
    Mkdocs,
    /// TechDocs of Backstage.
    TechDocs,
}

/// Makes `mkdocs.yml` and every page and picture below `docs`.
pub fn build(input: &Input<'_>, flavour: Flavour) -> Site {
    let links = Links::of(input.declared);
    let book = pages::Book { input, links: &links };
    let mut files = BTreeMap::new();
    let mut add = |path: String, text: String| files.insert(path, text.into_bytes());
    add("mkdocs.yml".to_owned(), mkdocs::settings(flavour, input, &links));
    for (page, text) in [(Page::Home, book.home()), (Page::Findings, book.findings()), (Page::Guide, book.guide())] {
        add(format!("docs/{}", pages::file(&page)), text);
    }
    for service in &input.declared.services {
        let Some(page @ Page::Service(slug)) = &links.service(&service.name.value) else { continue };
        let svg = picture(input, service);
        let address = svg.as_ref().map(|_| format!("{slug}.svg"));
        add(format!("docs/{}", pages::file(page)), book.service(service, page, address.as_deref()));
        if let Some(svg) = svg {
            add(format!("docs/services/{slug}.svg"), svg);
        }
    }
    Site { files }
}

/// The sections of all services, for pages that somebody else keeps.
#[derive(Debug)]
pub struct Sections<'a> {
    input: &'a Input<'a>,
    links: Links,
    /// The diagram of each service, by name.
    pictures: BTreeMap<&'a str, String>,
}

impl<'a> Sections<'a> {
    /// Draws the diagrams.
    pub fn of(input: &'a Input<'a>) -> Self {
        let services = input.declared.services.iter();
        let pictures = services.filter_map(|service| Some((service.name.value.as_str(), picture(input, service)?)));
        Self { input, links: Links::of(input.declared), pictures: pictures.collect() }
    }

    /// The Markdown of a service's section, from the heading on; `pictures` is what leads to the folder of the pictures, and is
    /// empty or ends with a slash. `None` for what is no service of the intent.
    pub fn section(&self, name: &str, pictures: &str) -> Option<String> {
        let service = self.input.declared.services.iter().find(|service| service.name.value == name)?;
        let Page::Service(slug) = self.links.service(name)? else { return None };
        let picture = self.pictures.contains_key(name).then(|| format!("{pictures}{slug}.svg"));
        let mut out = Markdown::default();
        // Where the pages of other services are is known to nobody here.
        let setting =
            Setting { input: self.input, links: &self.links, picture: picture.as_deref(), other: &|_| None };
        setting.write(service, &mut out);
        Some(out.finish())
    }

    /// A file with the section of each service, and the pictures beside them.
    pub fn files(&self, pictures: &str) -> Site {
        let mut files = BTreeMap::new();
        for service in &self.input.declared.services {
            let name = &service.name.value;
            let (Some(Page::Service(slug)), Some(text)) = (self.links.service(name), self.section(name, pictures)) else {
                continue;
            };
            files.insert(format!("{slug}.md"), text.into_bytes());
            if let Some(svg) = self.pictures.get(name.as_str()) {
                files.insert(format!("{slug}.svg"), svg.clone().into_bytes());
            }
        }
        Site { files }
    }
}

/// The diagram of a service as a file of its own.
fn picture(input: &Input<'_>, service: &DeclaredService) -> Option<String> {
    let picture = Picture::of(Erd::of(service, input.written), &Elk);
    let colour = input.domains.of(&service.name.value).and_then(|at| input.domains.domains[at].color);
    picture.file(&format!("Entity relationship diagram of {}", service.name.value), colour)
}
