//! What pages have more while they are served to their author: a script that reloads them, and what is wrong with the
//! state of the files that could not be read. Pages that are built have none of it.

use crate::markup::Markup;
use crate::pages::POLICY;
use crate::text::count;

/// Where the script lies on the server. No page of a site has a dot in front of its name.
pub const SCRIPT: &str = "/.trueup/live.js";
/// Where the style of the banner lies.
pub const STYLE: &str = "/.trueup/live.css";
/// Where the script listens: an event `state` with the name of each state that is served, the present one first.
pub const EVENTS: &str = "/.trueup/events";

/// The script.
pub const SCRIPT_TEXT: &str = include_str!("../assets/live.js");
/// The style of the banner, with its colours: it is there when no page could be made yet.
pub const STYLE_TEXT: &str = concat!(include_str!("../assets/colours.css"), include_str!("../assets/live.css"));

/// The policy of the served pages, for a header: they may ask their own server for news, and nobody may frame them.
pub const LIVE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                               connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Something that is wrong with the files, as `check` tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// `file:line:column`, when it is about a place in a file.
    pub at: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do next; may be empty.
    pub help: String,
}

/// What is served, and whether it is the present state of the files.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// The name of the state: a page reloads when another one is served.
    pub state: &'a str,
    /// What is wrong with the files; the pages are then of an earlier state.
    pub troubles: &'a [Trouble],
}

impl Served<'_> {
    /// A page of the site as it is served. `html` comes from [`crate::build`].
    pub fn page(&self, html: &str) -> String {
        // The first of each is ours: texts are escaped, and stand below.
        let policy = |policy: &str| policy.replace('\'', "&#39;");
        let (ours, live) = (policy(POLICY), policy(&format!("{POLICY}; connect-src 'self'")));
        let page = html.replacen(&ours, &live, 1).replacen("</head>", &format!("{}</head>", self.head()), 1);
        if self.troubles.is_empty() {
            return page;
        }
        let words = "This page is not current: it shows the last state of the files that could be read.";
        page.replacen("<body>", &format!("<body>{}", self.banner(words)), 1)
    }

    /// A page where the site has none at this address.
    pub fn missing(&self) -> String {
        self.bare("There is no such page", |main| {
            main.leaf("h1", &[], "There is no such page").element("p", &[], |p| {
                p.text("It may have had another name before the files changed. ");
                p.leaf("a", &[("href", "/")], "All services");
            });
        })
    }

    /// A page where there is no site yet.
    pub fn nothing_yet(&self) -> String {
        self.bare("There are no pages yet", |main| {
            main.leaf("h1", &[], "There are no pages yet");
            main.leaf("p", &[], "They come by themselves when the files can be read.");
        })
    }

    fn bare(&self, title: &str, main: impl FnOnce(&mut Markup)) -> String {
        let mut out = Markup::document();
        out.element("html", &[("lang", "en")], |html| {
            html.line().element("head", &[], |head| {
                head.void("meta", &[("charset", "utf-8")]);
                head.void("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
                head.leaf("title", &[], title);
            });
            html.line().element("body", &[("class", "bare")], |body| {
                body.line().element("main", &[], main);
            });
        });
        let page = out.finish().replacen("</head>", &format!("{}</head>", self.head()), 1);
        if self.troubles.is_empty() {
            return page;
        }
        let body = "<body class=\"bare\">";
        page.replacen(body, &format!("{body}{}", self.banner("The files cannot be read.")), 1)
    }

    fn head(&self) -> String {
        let mut head = Markup::default();
        head.void("link", &[("rel", "stylesheet"), ("href", STYLE)]).line();
        head.shape("script", &[("src", SCRIPT), ("data-state", self.state), ("defer", "")]);
        head.finish()
    }

    /// It scrolls by itself when there is much to say, and can be reached with the keyboard.
    fn banner(&self, words: &str) -> String {
        let mut out = Markup::default();
        let label = ("aria-label", "What is wrong with the files");
        out.line().element("section", &[("class", "trouble"), label, ("tabindex", "0")], |section| {
            section.element("p", &[("role", "alert")], |p| {
                p.leaf("strong", &[], words).text(" ").text(&count(self.troubles.len(), "error")).text(":");
            });
            section.element("ol", &[], |list| {
                for trouble in self.troubles {
                    list.line().element("li", &[], |item| one(trouble, item));
                }
            });
        });
        out.finish()
    }
}

fn one(trouble: &Trouble, out: &mut Markup) {
    if let Some(at) = &trouble.at {
        out.leaf("code", &[], at).text(" ");
    }
    out.text(&trouble.message);
    if !trouble.help.is_empty() {
        out.leaf("small", &[], &trouble.help);
    }
}

#[cfg(test)]
mod tests {
    use scraper::{Html, Selector};

    use super::*;
    use crate::domains::Domains;
    use crate::input::{Input, Known};
    use trueup_intent::written::Written;

    fn home() -> String {
        let (declared, written, domains) = (Default::default(), Written::default(), Domains::default());
        let site = crate::build(&Input {
            declared: &declared,
            files: &["architecture/<b>.yaml".to_owned()],
            written: &written,
            reading: &[],
            domains: &domains,
            report: None,
            drawings: None,
            known: Known::default(),
        });
        String::from_utf8(site.files["index.html"].clone()).unwrap()
    }

    fn texts(page: &str, selector: &str) -> Vec<String> {
        let page = Html::parse_document(page);
        page.select(&Selector::parse(selector).unwrap()).map(|element| element.text().collect()).collect()
    }

    fn trouble(message: &str) -> Trouble {
        Trouble { at: Some("a<b.yaml:3:9".to_owned()), message: message.to_owned(), help: "do <i>this</i>".to_owned() }
    }

    #[test]
    fn a_served_page_has_the_script_and_may_ask_its_server_and_a_built_one_may_not() {
        let built = home();
        assert!(!built.contains(".trueup/") && !built.contains("connect-src"));
        let served = Served { state: "17", troubles: &[] }.page(&built);
        let page = Html::parse_document(&served);
        let script = page.select(&Selector::parse("head script[data-state]").unwrap()).next().unwrap();
        assert_eq!((script.attr("src"), script.attr("data-state")), (Some(SCRIPT), Some("17")));
        let policy = page.select(&Selector::parse("meta[http-equiv]").unwrap()).next().unwrap();
        assert!(policy.attr("content").unwrap().ends_with("; connect-src 'self'"));
        assert_eq!(texts(&served, ".trouble"), Vec::<String>::new());
        // Nothing else differs.
        assert_eq!(texts(&served, "body"), texts(&built, "body"));
    }

    #[test]
    fn what_is_wrong_is_on_every_page_as_text() {
        let troubles = [trouble("</section></body><script>alert(1)</script>"), trouble("two")];
        let served = Served { state: "17", troubles: &troubles };
        for page in [served.page(&home()), served.missing(), served.nothing_yet()] {
            let items = texts(&page, ".trouble li");
            assert_eq!(items[0], "a<b.yaml:3:9 </section></body><script>alert(1)</script>do <i>this</i>");
            assert_eq!((items.len(), texts(&page, "script:not([src])").len()), (2, 0), "{page}");
        }
    }
}
