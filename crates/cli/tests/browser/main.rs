//! The portal in a real Chromium, with everything that a reader could do to it. See `visit.mjs`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod books;
mod hostile;
mod large;
mod library;
mod live;
mod pictures;
mod portals;
#[path = "../served/mod.rs"]
mod served;
mod web;

use std::path::Path;

use serde_json::{Value, json};
use trueup_testkit::browser::{NoAnswer, drive};

use portals::Portal;

/// A first paint has to come sooner than this, in milliseconds.
const PAINT: f64 = 1000.0;

fn script(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(name)
}

/// What a script answers; `None` when a part is missing, which was said.
fn ask(name: &str, input: &Value) -> Option<Value> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.json");
    std::fs::write(&file, input.to_string()).unwrap();
    match drive(&script(name), &file) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(NoAnswer::Absent(why)) => {
            trueup_testkit::skipped(&why);
            None
        }
        Err(NoAnswer::Failed(why)) => panic!("{why}"),
    }
}

/// Visits the portals; `None` when a part is missing, which was said.
fn visit(portals: &[Portal], screenshots: Option<&Path>) -> Option<Value> {
    let paints: serde_json::Map<_, _> =
        portals.iter().map(|portal| (portal.name.to_owned(), Value::from(portal.largest_page()))).collect();
    let input = json!({
        "portals": portals.iter().map(Portal::plan).collect::<Vec<_>>(),
        "paints": paints,
        "shots": portals::shots(portals),
        "screenshots": screenshots,
    });
    ask("visit.mjs", &input)
}

#[test]
fn every_page_opens_and_can_be_used() {
    let portals = portals::all();
    // The pictures of the guide are made by the same run: TRUEUP_SCREENSHOTS=docs/guides.
    let screenshots = std::env::var_os("TRUEUP_SCREENSHOTS").map(std::path::PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let screenshots = screenshots.map(|folder| root.join(folder));
    let Some(answer) = visit(&portals, screenshots.as_deref()) else { return };
    let problems: Vec<_> = answer["problems"].as_array().unwrap().iter().map(|what| what.as_str().unwrap()).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    for portal in &portals {
        assert_eq!(answer["pages"][portal.name], portal.pages(), "pages of {} that a link leads to", portal.name);
        let paint = answer["paints"][portal.name].as_f64().unwrap();
        assert!(paint < PAINT, "the first paint of {} took {paint} ms", portal.name);
    }
    // In light and in dark, and not only the first page.
    assert!(answer["judged"].as_u64().unwrap() >= 20, "{answer}");
}

/// The same with a web server between, which sends the headers of `staticwebapp.config.json`.
#[test]
fn the_headers_for_web_servers_let_every_page_work() {
    let portals = [portals::served()];
    let Some(answer) = visit(&portals, None) else { return };
    let problems: Vec<_> = answer["problems"].as_array().unwrap().iter().map(|what| what.as_str().unwrap()).collect();
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
    assert_eq!(answer["pages"]["served"], portals[0].pages());
}
