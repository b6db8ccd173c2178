//! The pages: what stands on each of them, as markup.

pub(crate) mod changes;
mod diagram;
mod findings;
mod flow;
pub(crate) mod guide;
mod home;
mod icons;
pub(crate) mod map;
mod migrations;
mod overview;
mod service;
mod shell;
mod table_list;
mod table_page;
mod tables;

pub(crate) use home::standing_sentence;
pub(crate) use map::{TITLE as MAP_TITLE, map_of_all};
pub(crate) use overview::service_rows;
pub(crate) use service::target_text;
pub(crate) use shell::{POLICY, preamble};
pub(crate) use tables::Subject;

use trueup_model::declared::{Declared, DeclaredService};

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

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    services: usize,
    /// Services with PostgreSQL in their engine.
    postgres: usize,
    tables: usize,
    /// Tables with columns.
    detailed: usize,
    columns: usize,
    indexes: usize,
    references: usize,
}

impl Counts {
    fn of(declared: &Declared) -> Self {
        declared.services.iter().fold(Self::default(), |mut sum, service| {
            let own = Self::of_service(service);
            sum.services += 1;
            sum.postgres += own.postgres;
            sum.tables += own.tables;
            sum.detailed += own.detailed;
            sum.columns += own.columns;
            sum.indexes += own.indexes;
            sum.references += own.references;
            sum
        })
    }

    fn of_service(service: &DeclaredService) -> Self {
        let details = || service.tables.iter().filter_map(|table| table.details.as_ref());
        let columns = || details().flat_map(|details| &details.columns);
        Self {
            services: 1,
            postgres: usize::from(service.engine.is_postgres),
            tables: service.tables.len(),
            detailed: details().count(),
            columns: columns().count(),
            indexes: details().map(|details| details.indexes.len()).sum(),
            references: columns().filter(|column| column.references.is_some()).count(),
        }
    }
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
