//! The portal: the intent and what is known about it, as typed pages and diagrams, to the bytes of a site.
//!
//! [`build`] is pure: values in, paths and bytes out, and equal values give equal bytes. It reads no file, asks no clock
//! and knows no database. Everything in its input is hostile: text becomes markup in one place only (`markup`), names
//! become paths in one place only (`slug`).

mod arrivals;
mod board;
mod by_rule;
mod counts;
pub mod difference;
pub mod domains;
mod erd;
mod facts;
pub mod hosting;
pub mod input;
mod links;
pub mod live;
mod lookup;
pub mod markdown;
mod markup;
mod pages;
pub mod plantuml;
mod prose;
mod puml;
mod search;
mod site;
mod slug;
pub mod source;
mod stage;
mod tally;
mod text;
pub mod truth;
mod undeclared;
mod words;
mod workers;

pub use erd::elk::Elk;
pub use erd::layout;
pub use site::{Sink, Site, Stopped};

use erd::draw::Picture;
use input::Input;
use links::{Links, Page, has_table_pages};
use lookup::Lookup;
use pages::{Pages, Subject};
use trueup_model::declared::DeclaredService;

/// Makes every file of the standalone HTML site.
pub fn build(input: &Input<'_>) -> Site {
    Site::of(|sink| build_into(input, sink))
}

/// The same, file by file, on all cores: a site of thousands of services need not fit into memory.
///
/// # Errors
/// When the sink takes no more.
pub fn build_into(input: &Input<'_>, sink: &dyn Sink) -> Result<(), Stopped> {
    let (links, lookup) = (Links::of(input.declared), Lookup::of(input));
    let pages = Pages { input: &lookup, links: &links, layout: &Elk };
    let text = |path: String, text: String| sink.file(path, text.into_bytes());
    // What takes longest comes first, and the largest service before the others: what is left for the end is small, and no
    // core waits long.
    let common: [&(dyn Fn() -> Result<(), Stopped> + Sync); 11] = [
        &|| map_files(&pages, sink),
        &|| search::write(&lookup, &links, sink),
        &|| text(Page::Home.path(), pages.home()),
        &|| text(Page::Findings.path(), pages.findings()),
        &|| text(Page::Changes.path(), pages.changes()),
        &|| text(Page::Migrations.path(), pages.migrations()),
        &|| text(Page::Guide.path(), pages.guide()),
        &|| text(site::STYLE.to_owned(), site::style(input.domains)),
        &|| text(site::SCRIPT.to_owned(), site::SCRIPTS.to_owned()),
        &|| text(hosting::SETTINGS.to_owned(), hosting::settings()),
        &|| text(hosting::MISSING.to_owned(), hosting::missing()),
    ];
    let order = largest_first(&input.declared.services);
    workers::each(common.len() + order.len(), |job| match common.get(job) {
        Some(make) => make(),
        None => service_files(order[job - common.len()], &pages, sink),
    })
}

/// Services by how many tables they have.
fn largest_first(services: &[DeclaredService]) -> Vec<&DeclaredService> {
    let mut order: Vec<&DeclaredService> = services.iter().collect();
    order.sort_by_key(|service| std::cmp::Reverse(service.tables.len()));
    order
}

/// The map's page, and the map as files.
fn map_files(pages: &Pages<'_>, sink: &dyn Sink) -> Result<(), Stopped> {
    let map = pages.map();
    sink.file(Page::Map.path(), map.page.into_bytes())?;
    let files = [("svg", map.svg), ("puml", map.puml)];
    files.into_iter().try_for_each(|(ending, text)| {
        text.map_or(Ok(()), |text| sink.file(Page::Map.beside(ending), text.into_bytes()))
    })
}

/// The page of a service, its diagram as files, and the pages of its tables where it is large.
fn service_files(service: &DeclaredService, pages: &Pages<'_>, sink: &dyn Sink) -> Result<(), Stopped> {
    let (input, name) = (pages.input, &service.name.value);
    let Some(page) = pages.links.service(name) else { return Ok(()) };
    let picture = Picture::of_service(service, input, pages.layout);
    let subject = Subject::of(pages, service, &page);
    sink.file(page.path(), pages.service(&subject, &picture).into_bytes())?;
    let colour = input.domain(name).and_then(|at| input.domains.domains[at].color);
    let title = erd::title(name);
    let is_known = |other: &str| pages.links.service(other).is_some();
    if let Some(svg) = picture.file(&title, colour, &is_known) {
        sink.file(page.beside("svg"), svg.into_bytes())?;
    }
    if !service.tables.is_empty() {
        sink.file(page.beside("puml"), puml::source(name, &picture.erd).into_bytes())?;
    }
    if !has_table_pages(service) {
        return Ok(());
    }
    let neighbours = picture.erd.neighbours(service.tables.len());
    workers::each(neighbours.len(), |position| {
        let page = pages.links.page_of(service, &service.tables[position]);
        let text = pages.table(&subject, position, &neighbours[position]);
        page.zip(text).map_or(Ok(()), |(page, text)| sink.file(page.path(), text.into_bytes()))
    })
}
