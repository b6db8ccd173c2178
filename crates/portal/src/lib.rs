//! The portal: the intent and what is known about it, as typed pages and diagrams, to the bytes of a site.
//!
//! [`build`] is pure: values in, paths and bytes out, and equal values give equal bytes. It reads no file, asks no clock
//! and knows no database. Everything in its input is hostile: text becomes markup in one place only (`markup`), names
//! become paths in one place only (`slug`).

pub mod domains;
mod erd;
mod facts;
pub mod input;
mod links;
pub mod markdown;
mod markup;
mod pages;
mod search;
mod site;
mod slug;
pub mod source;
mod stage;
mod text;
pub mod truth;
pub mod written;

pub use erd::elk::Elk;
pub use erd::layout;
pub use site::Site;

use input::Input;
use links::{Links, Page};

/// Makes every file of the standalone HTML site.
pub fn build(input: &Input<'_>) -> Site {
    let links = Links::of(input.declared);
    let mut site = Site::default();
    site.add(site::STYLE, site::style(input.domains));
    site.add(site::SCRIPT, include_str!("../assets/portal.js"));
    site.add(site::INDEX, search::script(input, &links));
    let site_pages = pages::Pages { input, links: &links, layout: &Elk };
    site.add(Page::Home.path(), site_pages.home());
    site.add(Page::Findings.path(), site_pages.findings());
    site.add(Page::Changes.path(), site_pages.changes());
    site.add(Page::Migrations.path(), site_pages.migrations());
    site.add(Page::Guide.path(), site_pages.guide());
    for service in &input.declared.services {
        if let Some(page) = links.service(&service.name.value) {
            site.add(page.path(), site_pages.service(service, &page));
        }
    }
    site
}
