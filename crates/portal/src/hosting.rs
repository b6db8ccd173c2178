//! What a web server is told about the site: the headers of its answers, and which page stands for those that are not there.

use serde_json::{Map, Value, json};

use crate::markup::Markup;
use crate::pages::{POLICY, preamble};

/// The settings of Azure Static Web Apps, in the site's folder, where it looks for them.
pub const SETTINGS: &str = "staticwebapp.config.json";

/// What is answered for an address without a page. GitHub Pages looks for this name by itself.
pub(crate) const MISSING: &str = "404.html";

/// Headers that every answer has when the site is on a web server.
///
/// The policy is that of the pages, without what only pages from a disk need, and with what only a header can say. No file
/// has its version in its name, so browsers are to ask each time; when nothing changed the answer is empty.
#[must_use]
pub fn headers() -> [(&'static str, String); 7] {
    let policy = format!("{}; frame-ancestors 'none'", POLICY.replace(" file:", ""));
    [
        ("Cache-Control", "no-cache".to_owned()),
        ("Content-Security-Policy", policy),
        ("Cross-Origin-Opener-Policy", "same-origin".to_owned()),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()".to_owned()),
        ("Referrer-Policy", "no-referrer".to_owned()),
        ("X-Content-Type-Options", "nosniff".to_owned()),
        ("X-Frame-Options", "DENY".to_owned()),
    ]
}

/// The text of the settings. Nothing in it comes from the intent.
pub(crate) fn settings() -> String {
    let headers: Map<String, Value> =
        headers().into_iter().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
    let settings = json!({
        "globalHeaders": headers,
        "mimeTypes": {".puml": "text/plain"},
        "responseOverrides": {"404": {"rewrite": format!("/{MISSING}")}},
    });
    format!("{settings:#}\n")
}

/// The page for addresses without one. It is shown at any depth below an unknown root: so it asks for no other file, and
/// has no link that could lead elsewhere.
pub(crate) fn missing() -> String {
    let mut out = Markup::document();
    out.element("html", &[("lang", "en")], |html| {
        html.line()
            .element("head", &[], |head| {
                preamble(head);
                head.leaf("title", &[], "Not there · data stores").line();
            })
            .line();
        html.element("body", &[], |body| {
            body.element("main", &[], |main| {
                main.leaf("h1", &[], "There is no such page").line();
                main.leaf(
                    "p",
                    &[],
                    "A service that is no longer in the intent has no page. Shorten the address to come to the first page, \
                     where the search is.",
                );
            });
        });
    });
    out.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;

    fn directives(policy: &str) -> Vec<&str> {
        policy.split(';').map(str::trim).collect()
    }

    /// Both policies hold for a page at the same time: what the header forbids the page cannot allow.
    #[test]
    fn the_header_says_what_the_pages_say() {
        let settings: Value = serde_json::from_str(&settings()).unwrap();
        let header = settings["globalHeaders"]["Content-Security-Policy"].as_str().unwrap();
        let (header, page) = (directives(header), directives(POLICY));
        let served: Vec<String> = page.iter().map(|directive| directive.replace(" file:", "")).collect();
        assert_eq!(header[..served.len()], served);
        assert_eq!(header[served.len()..], ["frame-ancestors 'none'"]);
    }

    #[test]
    fn the_page_for_missing_ones_has_the_policy_and_asks_for_nothing() {
        let page = scraper::Html::parse_document(&missing());
        let all = |what: &str| page.select(&scraper::Selector::parse(what).unwrap()).collect::<Vec<_>>();
        let meta = all("meta[http-equiv='Content-Security-Policy']");
        assert_eq!(meta.iter().map(|meta| meta.value().attr("content")).collect::<Vec<_>>(), [Some(POLICY)]);
        assert_eq!(all("[href], [src]").len(), 0);
    }

    #[test]
    fn nothing_inline_and_nothing_from_elsewhere_is_allowed() {
        let headers = headers();
        let policy = &headers.iter().find(|(name, _)| *name == "Content-Security-Policy").unwrap().1;
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        for word in ["unsafe", "*", "http", "file:", "blob:"] {
            assert!(!policy.contains(word), "{word} in {policy}");
        }
    }
}
