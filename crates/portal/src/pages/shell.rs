//! What every page has around its content.

use super::Pages;
use crate::links::Page;
use crate::markup::Markup;
use crate::site::{SCRIPT, STYLE};

/// Nothing from elsewhere, nothing inline. `file:` is there for browsers that take no two files for one origin.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'self' file:; script-src 'self' file:; img-src 'self' file: data:; \
                      base-uri 'none'; form-action 'none'";

/// The pages that every page leads to, and what they are called there.
const PAGES: [(Page, &str); 6] = [
    (Page::Home, "Services"),
    (Page::Map, "Map"),
    (Page::Changes, "Changes"),
    (Page::Migrations, "Migrations"),
    (Page::Findings, "Findings"),
    (Page::Guide, "How to read"),
];

impl Pages<'_> {
    /// A whole page.
    pub(super) fn shell(&self, page: &Page, title: &str, main: impl FnOnce(&mut Markup)) -> String {
        let mut out = Markup::document();
        out.element("html", &[("lang", "en")], |html| {
            html.line()
                .element("head", &[], |head| head_of(page, &format!("{title} · {}", self.input.known.title()), head))
                .line();
            html.element("body", &[], |body| {
                body.leaf("a", &[("class", "skip"), ("href", "#main")], "Skip to the content").line();
                body.element("header", &[("class", "bar")], |header| bar(page, header)).line();
                body.element("main", &[("id", "main"), ("tabindex", "-1")], main).line();
                body.element("footer", &[], |footer| self.footer(footer)).line();
            });
        });
        out.finish()
    }

    fn footer(&self, out: &mut Markup) {
        out.element("p", &[], |p| {
            p.text("Made by trueup from ");
            for (position, file) in self.input.files.iter().enumerate() {
                p.text(if position == 0 { "" } else { ", " });
                self.file(file, p);
            }
            p.text(". ");
            p.text(match self.input.report {
                None => "Not verified: it shows what is intended.",
                Some(_) => "What is verified is as of the report that it was built with.",
            });
        });
    }
}

fn head_of(page: &Page, title: &str, head: &mut Markup) {
    preamble(head);
    head.leaf("title", &[], title);
    let (style, script) = (format!("{}{STYLE}", page.root()), format!("{}{SCRIPT}", page.root()));
    head.line().void("link", &[("rel", "stylesheet"), ("href", &style)]).line();
    head.shape("script", &[("src", &script), ("defer", "")]).line();
}

/// What the head of every page begins with.
pub(crate) fn preamble(head: &mut Markup) {
    head.line().void("meta", &[("charset", "utf-8")]).line();
    head.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]).line();
    head.void("meta", &[("http-equiv", "Content-Security-Policy"), ("content", POLICY)]).line();
    head.void("meta", &[("name", "color-scheme"), ("content", "light dark")]).line();
}

fn bar(page: &Page, out: &mut Markup) {
    out.element("nav", &[("aria-label", "Pages")], |nav| {
        for (other, words) in PAGES {
            let href = page.to(&other);
            if *page == other {
                nav.leaf("a", &[("href", &href), ("aria-current", "page")], words);
            } else {
                nav.leaf("a", &[("href", &href)], words);
            }
        }
    });
    search(out);
}

/// The search is shown by the script, since it is nothing without it.
fn search(out: &mut Markup) {
    out.element("div", &[("class", "search"), ("role", "search"), ("hidden", "")], |search| {
        search.leaf("label", &[("class", "sr"), ("for", "q")], "Search services, tables, columns and indexes");
        search.void(
            "input",
            &[
                ("id", "q"),
                ("type", "text"),
                ("role", "combobox"),
                ("aria-expanded", "false"),
                ("aria-controls", "hits"),
                ("aria-autocomplete", "list"),
                ("aria-keyshortcuts", "/"),
                ("autocomplete", "off"),
                ("spellcheck", "false"),
                ("placeholder", "Search ( / )"),
            ],
        );
        search.shape("ul", &[("id", "hits"), ("role", "listbox"), ("aria-label", "Results"), ("hidden", "")]);
        search.shape("p", &[("class", "sr"), ("id", "found"), ("role", "status")]);
    });
}
