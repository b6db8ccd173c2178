//! The finished site: relative paths and bytes.

use std::collections::BTreeMap;

use crate::domains::Domains;

/// Files of a site, by path. Paths are relative, with `/`, made of slugs and names of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Path and content.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Site {
    /// Adds a file.
    pub(crate) fn add(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.files.insert(path.into(), content.into());
    }
}

/// Where the assets lie, relative to the site's folder.
pub(crate) const STYLE: &str = "assets/portal.css";
pub(crate) const SCRIPT: &str = "assets/portal.js";
pub(crate) const INDEX: &str = "assets/search-index.js";

/// The stylesheet, with the domains' colours: the pages have no style of their own, so a strict policy holds.
pub(crate) fn style(domains: &Domains) -> String {
    let mut css = String::from(include_str!("../assets/portal.css")) + "\n" + include_str!("../assets/truth.css");
    for (position, domain) in domains.domains.iter().enumerate() {
        if let Some(color) = domain.color {
            css.push_str(&format!(".d{position}{{--domain:{}}}\n", color.hex()));
        }
    }
    css
}

/// The class that gives a service its domain's colour.
pub(crate) fn domain_class(domains: &Domains, service: &str) -> String {
    domains.of(service).map_or_else(|| "no-domain".to_owned(), |position| format!("d{position}"))
}
