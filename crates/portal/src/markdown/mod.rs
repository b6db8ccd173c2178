//! The same content as Markdown: whole pages for MkDocs Material and Backstage TechDocs, and the Data Store section of
//! each service for a portal that a team keeps itself.

mod mkdocs;
mod pages;
mod picture;
pub mod place;
mod section;
mod text;

use std::collections::BTreeMap;

use crate::input::Input;
use crate::links::{Links, Page};
use crate::site::Site;
use picture::picture;
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
    /// empty or ends with a slash. Beside other sections in one page its anchors begin with the service's. `None` for what
    /// is no service of the intent.
    pub fn section(&self, name: &str, pictures: &str, is_alone: bool) -> Option<String> {
        let service = self.input.declared.services.iter().find(|service| service.name.value == name)?;
        let Page::Service(slug) = self.links.service(name)? else { return None };
        let picture = self.pictures.contains_key(name).then(|| format!("{pictures}{slug}.svg"));
        let prefix = if is_alone { String::new() } else { format!("{slug}--") };
        let mut out = Markdown::default();
        // Where the pages of other services are is known to nobody here.
        let setting = Setting {
            input: self.input,
            links: &self.links,
            picture: picture.as_deref(),
            other: &|_| None,
            prefix: &prefix,
        };
        setting.write(service, &mut out);
        Some(out.finish())
    }

    /// The pictures, for pages that have their sections put in.
    pub fn pictures(&self) -> Site {
        let named = self.pictures.iter().filter_map(|(name, svg)| match self.links.service(name) {
            Some(Page::Service(slug)) => Some((format!("{slug}.svg"), svg.clone().into_bytes())),
            _ => None,
        });
        Site { files: named.collect() }
    }

    /// A file with the section of each service, and the pictures.
    pub fn files(&self, pictures: &str) -> Site {
        let mut site = self.pictures();
        for service in &self.input.declared.services {
            let name = &service.name.value;
            if let (Some(Page::Service(slug)), Some(text)) =
                (self.links.service(name), self.section(name, pictures, true))
            {
                site.files.insert(format!("{slug}.md"), text.into_bytes());
            }
        }
        site
    }
}

/// Whether something can lead to the pictures: an address without blanks or marks, that ends with a slash.
pub fn is_prefix(text: &str) -> bool {
    text.is_empty() || text::is_address(text.strip_prefix("https://").unwrap_or(text)) && text.ends_with('/')
}
