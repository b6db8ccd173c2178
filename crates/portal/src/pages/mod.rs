//! The pages: what stands on each of them, as markup.

pub(crate) mod changes;
mod diagram;
pub(crate) mod findings;
mod flow;
pub(crate) mod guide;
mod home;
pub(crate) mod icons;
pub(crate) mod map;
mod migrations;
pub(crate) mod overview;
mod service;
mod shell;
mod table_list;
mod table_page;
mod tables;

pub(crate) use home::{NO_SERVICE, standing_sentence};
pub(crate) use map::{TITLE as MAP_TITLE, map_of_all};
pub(crate) use overview::service_rows;
pub(crate) use service::target_text;
pub(crate) use shell::{POLICY, preamble};
pub(crate) use tables::Subject;

use crate::erd::layout::Layout;
use crate::input::Standing;
use crate::links::Links;
use crate::lookup::Lookup;
use crate::markup::Markup;
use crate::text::count;

/// Makes pages from one input.
pub(crate) struct Pages<'a> {
    pub(crate) input: &'a Lookup<'a>,
    pub(crate) links: &'a Links,
    pub(crate) layout: &'a dyn Layout,
}

/// Class, sign and words of a standing. Signs and words say it without the colour.
pub(crate) fn standing_words(standing: &Standing) -> (&'static str, &'static str, String) {
    match standing {
        Standing::NotVerified => ("badge unverified", "○", "not verified".to_owned()),
        Standing::NotChecked(_) => ("badge unchecked", "–", "not checked".to_owned()),
        Standing::Unknown(_) => ("badge unknown", "?", "unknown".to_owned()),
        Standing::Differs { findings } => ("badge differs", "✗", count(*findings, "finding")),
        Standing::Agrees { accepted: 0 } => ("badge agrees", "✓", "agrees".to_owned()),
        Standing::Agrees { accepted } => ("badge accepted", "✓", format!("agrees, {accepted} accepted")),
    }
}

/// The badge of a standing.
fn badge(standing: &Standing, out: &mut Markup) {
    let (class, sign, words) = standing_words(standing);
    out.element("span", &[("class", class)], |badge| {
        badge.leaf("span", &[("aria-hidden", "true")], sign).text(" ").text(&words);
    });
}
