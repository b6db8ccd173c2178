//! The same content as Markdown: whole pages for MkDocs Material and Backstage TechDocs, and the Data Store section of
//! each service for a portal that a team keeps itself.

mod changes;
mod map;
mod migrations;
mod mkdocs;
mod outward;
mod pages;
mod picture;
pub mod place;
mod section;
mod stages;
mod table_page;
mod text;

use trueup_model::declared::DeclaredService;

use crate::erd::Erd;
use crate::input::Input;
use crate::links::{Links, Page, has_table_pages};
use crate::lookup::Lookup;
use crate::site::{Sink, Site, Stopped};
use crate::workers;
use picture::{neighbourhood, picture};
use section::Setting;
use stages::Stages;
pub(crate) use text::{Inline, Markdown};

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
    Site::of(|sink| build_into(input, flavour, sink))
}

/// The same, file by file, on all cores.
///
/// # Errors
/// When the sink takes no more.
pub fn build_into(input: &Input<'_>, flavour: Flavour, sink: &dyn Sink) -> Result<(), Stopped> {
    let (links, input) = (Links::of(input.declared), &Lookup::of(input));
    let book = pages::Book { input, links: &links };
    let page = |page: &Page, text: String| sink.file(format!("docs/{}", pages::file(page)), text.into_bytes());
    sink.file("mkdocs.yml".to_owned(), mkdocs::settings(flavour, input, &links).into_bytes())?;
    page(&Page::Home, book.home())?;
    page(&Page::Findings, book.findings())?;
    page(&Page::Guide, book.guide())?;
    page(&Page::Changes, book.changes())?;
    page(&Page::Migrations, book.migrations())?;
    let map = book.map();
    page(&Page::Map, map.page)?;
    map.pictures.into_iter().try_for_each(|(path, text)| sink.file(format!("docs/{path}"), text.into_bytes()))?;
    let order = crate::largest_first(&input.declared.services);
    workers::each(order.len(), |job| service_files(&book, order[job], sink))
}

/// The page of a service with its picture, and the pages of its tables where it is large.
fn service_files(book: &pages::Book<'_>, service: &DeclaredService, sink: &dyn Sink) -> Result<(), Stopped> {
    let Some(own @ Page::Service(slug)) = &book.links.service(&service.name.value) else { return Ok(()) };
    let stages = Stages::of(book.input, service);
    let diagram = picture(book.input, service);
    let address = diagram.as_ref().map(|_| format!("{slug}.svg"));
    let text = book.service(service, own, stages.as_ref(), address.as_deref());
    sink.file(format!("docs/{}", pages::file(own)), text.into_bytes())?;
    diagram.map_or(Ok(()), |diagram| diagram.put(&format!("docs/services/{slug}"), sink))?;
    if !has_table_pages(service) {
        return Ok(());
    }
    let neighbours = Erd::of(service, book.input.written).neighbours(service.tables.len());
    workers::each(service.tables.len(), |position| {
        let table = &service.tables[position];
        let Some(page @ Page::Table(_, anchor)) = &book.links.page_of(service, table) else { return Ok(()) };
        let diagram = neighbourhood(book.input, service, position, &neighbours[position]);
        let address = diagram.as_ref().map(|_| format!("{anchor}.svg"));
        if let Some(text) = book.table(service, position, stages.as_ref(), address.as_deref()) {
            sink.file(format!("docs/{}", pages::file(page)), text.into_bytes())?;
        }
        let path = page.path();
        let stem = path.strip_suffix(".html").unwrap_or(&path);
        diagram.map_or(Ok(()), |diagram| diagram.put(&format!("docs/{stem}"), sink))
    })
}

/// The sections of all services, for pages that somebody else keeps.
#[derive(Debug)]
pub struct Sections<'a> {
    input: Lookup<'a>,
    links: Links,
}

impl<'a> Sections<'a> {
    /// Those of an intent.
    pub fn of(input: &'a Input<'a>) -> Self {
        Self { input: Lookup::of(input), links: Links::of(input.declared) }
    }

    /// The Markdown of a service's section, from the heading on; `pictures` is what leads to the folder of the pictures, and is
    /// empty or ends with a slash. Beside other sections in one page its anchors begin with the service's. `None` for what
    /// is no service of the intent.
    pub fn section(&self, name: &str, pictures: &str, is_alone: bool) -> Option<String> {
        let service = self.input.service(name)?;
        let Page::Service(slug) = self.links.service(name)? else { return None };
        let has_picture = picture(&self.input, service).is_some();
        Some(self.text(service, &slug, has_picture.then_some(pictures), is_alone))
    }

    /// The section; `pictures` is what leads to its picture, when it has one.
    fn text(&self, service: &DeclaredService, slug: &str, pictures: Option<&str>, is_alone: bool) -> String {
        let picture = pictures.map(|pictures| format!("{pictures}{slug}.svg"));
        let prefix = if is_alone { String::new() } else { format!("{slug}--") };
        let mut out = Markdown::default();
        let stages = Stages::of(&self.input, service);
        // Where the pages of other services are is known to nobody here.
        let setting = Setting {
            input: &self.input,
            links: &self.links,
            picture: picture.as_deref(),
            other: &|_| None,
            prefix: &prefix,
            table: &|table| format!("#{prefix}{}", self.links.table(service, table)),
            stages: stages.as_ref(),
            home: None,
            lists_tables: false,
        };
        setting.write(service, &mut out);
        out.finish()
    }

    /// The pictures, for pages that have their sections put in.
    ///
    /// # Errors
    /// When the sink takes no more.
    pub fn pictures(&self, sink: &dyn Sink) -> Result<(), Stopped> {
        self.each(sink, &|_, _, _| None)
    }

    /// A file with the section of each service, and the pictures.
    ///
    /// # Errors
    /// When the sink takes no more.
    pub fn files(&self, pictures: &str, sink: &dyn Sink) -> Result<(), Stopped> {
        let text = |service: &DeclaredService, slug: &str, has_picture: bool| {
            Some(self.text(service, slug, has_picture.then_some(pictures), true))
        };
        self.each(sink, &text)
    }

    /// The picture of each service, and what `text` makes of its slug and of whether there is one.
    fn each(&self, sink: &dyn Sink, text: &Text<'_>) -> Result<(), Stopped> {
        let order = crate::largest_first(&self.input.declared.services);
        workers::each(order.len(), |job| {
            let service = order[job];
            let Some(Page::Service(slug)) = self.links.service(&service.name.value) else { return Ok(()) };
            let diagram = picture(&self.input, service);
            if let Some(text) = text(service, &slug, diagram.is_some()) {
                sink.file(format!("{slug}.md"), text.into_bytes())?;
            }
            diagram.map_or(Ok(()), |diagram| diagram.put(&slug, sink))
        })
    }
}

/// Makes the Markdown of a service from its slug, and from whether it has a picture.
type Text<'a> = dyn Fn(&DeclaredService, &str, bool) -> Option<String> + Sync + 'a;

/// Whether something can lead to the pictures: an address without blanks or marks, that ends with a slash.
pub fn is_prefix(text: &str) -> bool {
    text.is_empty() || text::is_address(text.strip_prefix("https://").unwrap_or(text)) && text.ends_with('/')
}
