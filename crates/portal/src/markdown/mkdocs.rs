//! `mkdocs.yml`: the nav, and the few settings that the pages need.

use trueup_model::declared::DeclaredService;

use super::Flavour;
use super::pages::{file, groups};
use crate::links::{Links, Page};
use crate::lookup::Lookup;
use crate::text::visible;

/// The whole file.
pub(super) fn settings(flavour: Flavour, input: &Lookup<'_>, links: &Links) -> String {
    let mut out = String::from(
        "# Written by `trueup portal build`, which replaces it. A site with other settings can inherit it: `INHERIT: mkdocs.yml`.\n",
    );
    out.push_str(&format!("site_name: {}\ndocs_dir: docs\n", title(input.known.title())));
    out.push_str(match flavour {
        Flavour::Mkdocs => MATERIAL,
        Flavour::TechDocs => "plugins:\n  - techdocs-core\n",
    });
    out.push_str(COMMON);
    out.push_str("nav:\n");
    entry(2, "Services", &file(&Page::Home), &mut out);
    for (name, services) in groups(input) {
        out.push_str(&format!("  - {}:\n", title(name)));
        services.iter().for_each(|service| service_entry(service, links, &mut out));
    }
    for (title, page) in
        [("Map", Page::Map), ("Changes", Page::Changes), ("Migrations", Page::Migrations), ("Findings", Page::Findings)]
    {
        entry(2, title, &file(&page), &mut out);
    }
    entry(2, "How to read", &file(&Page::Guide), &mut out);
    out
}

/// No font and no script from elsewhere.
const MATERIAL: &str = "\
theme:
  name: material
  font: false
  features: [navigation.indexes, toc.follow, search.highlight]
  palette:
    - media: '(prefers-color-scheme: light)'
      scheme: default
    - media: '(prefers-color-scheme: dark)'
      scheme: slate
plugins:
  - search
";

/// What the pages are written for, and links that lead nowhere as warnings, which `--strict` makes errors.
const COMMON: &str = "\
markdown_extensions:
  - attr_list
  - toc:
      toc_depth: 4
# Pages of single tables are led to by the pages of their services.
not_in_nav: |
  /services/*/*.md
validation:
  nav:
    omitted_files: warn
    not_found: warn
  links:
    not_found: warn
    anchors: warn
";

fn service_entry(service: &DeclaredService, links: &Links, out: &mut String) {
    if let Some(page) = links.service(&service.name.value) {
        entry(6, &service.name.value, &file(&page), out);
    }
}

fn entry(indent: usize, name: &str, file: &str, out: &mut String) {
    out.push_str(&format!("{}- {}: {file}\n", " ".repeat(indent), title(name)));
}

/// A title of the nav. MkDocs puts it into its pages as HTML; and it stands in YAML, as JSON.
fn title(name: &str) -> String {
    let mut text = String::new();
    for c in visible(name).chars() {
        match c {
            '&' | '<' | '>' | '"' | '\'' | '`' | '{' | '}' => text.push_str(&format!("&#{};", u32::from(c))),
            _ => text.push(c),
        }
    }
    let text = if text.trim().is_empty() { "–".to_owned() } else { text };
    serde_json::Value::from(text).to_string()
}
