//! The finished site: relative paths and bytes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::domains::Domains;
use crate::lookup::Lookup;

/// Takes the files of a site as they are made, from several threads, in no order.
pub trait Sink: Sync {
    /// Takes one file. Its path is relative, with `/`, made of slugs and names of ours; no path comes twice.
    ///
    /// # Errors
    /// When it takes no more: then nothing else is made. Why, it keeps for whoever made it.
    fn file(&self, path: String, content: Vec<u8>) -> Result<(), Stopped>;
}

/// A sink takes no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// Files of a site, by path, all in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Path and content.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A site that is being filled.
#[derive(Debug, Default)]
struct Filling(Mutex<Site>);

impl Sink for Filling {
    fn file(&self, path: String, content: Vec<u8>) -> Result<(), Stopped> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).files.insert(path, content);
        Ok(())
    }
}

impl Site {
    /// Keeps in memory what is put into a sink.
    pub fn of(make: impl FnOnce(&dyn Sink) -> Result<(), Stopped>) -> Self {
        let filling = Filling::default();
        // Memory never says stop.
        let _ = make(&filling);
        filling.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where the assets lie, relative to the site's folder.
pub(crate) const STYLE: &str = "assets/portal.css";
pub(crate) const SCRIPT: &str = "assets/portal.js";

/// The scripts of the pages, as one file.
pub(crate) const SCRIPTS: &str = concat!(include_str!("../assets/portal.js"), include_str!("../assets/erd.js"));

/// The stylesheet, with the domains' colours: the pages have no style of their own, so a strict policy holds.
pub(crate) fn style(domains: &Domains) -> String {
    let mut css = String::from(crate::erd::STYLE)
        + "
" + include_str!("../assets/portal.css")
        + "
" + include_str!("../assets/truth.css");
    css.push_str(&domain_rules(domains));
    css
}

/// The rules that give each domain its colour.
pub(crate) fn domain_rules(domains: &Domains) -> String {
    let mut css = String::new();
    for (position, domain) in domains.domains.iter().enumerate() {
        if let Some(color) = domain.color {
            css.push_str(&format!(".d{position}{{--domain:{}}}\n", color.hex()));
        }
    }
    css
}

/// The class that gives a service its domain's colour.
pub(crate) fn domain_class(input: &Lookup<'_>, service: &str) -> String {
    input.domain(service).map_or_else(|| "no-domain".to_owned(), |position| format!("d{position}"))
}
