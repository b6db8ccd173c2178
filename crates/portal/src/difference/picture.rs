//! The pictures of a service before and after: what changed in them is marked.

use std::collections::{BTreeMap, BTreeSet};

use trueup_intent::written::Written;
use trueup_model::declared::DeclaredService;

use super::{Comparison, MemberKind, Pictures, ServiceChange, Sign, TableChange};
use crate::erd::draw::Picture;
use crate::erd::layout::Layout;
use crate::erd::{CardKind, Erd};
use crate::puml;
use crate::site::{Sink, Stopped};
use crate::text::{count, thousands};

/// A service with no more tables than this is shown whole; of a larger one, what changed and its neighbours.
const SHOWN_WHOLE: usize = 12;
/// Changed tables that one picture shows.
const MOST_CHANGED: usize = 40;

/// Draws both pictures into files; a side without tables has none.
pub(super) fn files(
    comparison: &Comparison<'_>,
    change: &ServiceChange<'_>,
    slug: &str,
    layout: &dyn Layout,
    sink: &dyn Sink,
) -> Result<Pictures, Stopped> {
    let mut pictures = Pictures::default();
    for when in [When::Before, When::After] {
        let Some(drawn) = draw(comparison, change, when, layout) else { continue };
        let path = format!("{slug}-{}.svg", when.word());
        sink.file(path.clone(), drawn.svg.into_bytes())?;
        sink.file(format!("{slug}-{}.puml", when.word()), drawn.puml.into_bytes())?;
        if !drawn.note.is_empty() {
            pictures.note = drawn.note;
        }
        match when {
            When::Before => pictures.before = Some(path),
            When::After => pictures.after = Some(path),
        }
    }
    Ok(pictures)
}

/// Which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    Before,
    After,
}

impl When {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }

    fn position(self, table: &TableChange<'_>) -> Option<usize> {
        match self {
            Self::Before => table.before,
            Self::After => table.after,
        }
    }
}

struct Drawn {
    svg: String,
    /// The same without what changed, for other tools.
    puml: String,
    note: String,
}

fn draw(comparison: &Comparison<'_>, change: &ServiceChange<'_>, when: When, layout: &dyn Layout) -> Option<Drawn> {
    let (service, side) = match when {
        When::Before => (change.before?, &comparison.before),
        When::After => (change.after?, &comparison.after),
    };
    let changed: BTreeMap<usize, &TableChange<'_>> =
        change.tables.iter().filter_map(|table| Some((when.position(table)?, table))).collect();
    let (mut erd, note) = shown(service, side.written, &changed);
    for (card, table) in erd.boxes.iter_mut().filter_map(|card| match card.kind {
        CardKind::Table(position) => changed.get(&position).map(|table| (card, *table)),
        CardKind::Service(_) | CardKind::Missing => None,
    }) {
        mark(card, table, when);
    }
    erd.about = Some(format!(
        "{} {}: {}, of which {} changed. {note} What changed is listed as text beside the picture.",
        service.name.value,
        when.word(),
        count(erd.boxes.iter().filter(|card| matches!(card.kind, CardKind::Table(_))).count(), "table"),
        thousands(erd.boxes.iter().filter(|card| card.sign.is_some()).count()),
    ));
    let title = format!("{} {}", service.name.value, when.word());
    let names: BTreeSet<&str> = side.declared.services.iter().map(|service| service.name.value.as_str()).collect();
    let picture = Picture::of(erd, layout);
    let svg = picture.file(&title, None, &|name| names.contains(name))?;
    Some(Drawn { svg, puml: puml::source(&title, &picture.erd), note })
}

/// The tables that are shown, and a sentence when those are not all.
fn shown(service: &DeclaredService, written: &Written, changed: &BTreeMap<usize, &TableChange<'_>>) -> (Erd, String) {
    let tables = service.tables.len();
    let whole = Erd::of(service, written);
    if tables <= SHOWN_WHOLE {
        return (whole, String::new());
    }
    let centres: BTreeSet<usize> = changed.keys().copied().take(MOST_CHANGED).collect();
    let all = whole.neighbours(tables);
    let neighbours: BTreeSet<usize> = centres.iter().flat_map(|table| &all[*table]).copied().collect();
    let erd = Erd::around(service, written, &centres, &neighbours);
    let mut note = format!("Of {} only those that changed and their neighbours are shown.", count(tables, "table"));
    if changed.len() > centres.len() {
        note.push_str(&format!(" {} more that changed are not.", thousands(changed.len() - centres.len())));
    }
    (erd, note)
}

/// Rows and indexes are marked where the table is there before and after; else all of it is new or gone.
fn mark(card: &mut crate::erd::Card, table: &TableChange<'_>, when: When) {
    card.mark(table.sign);
    if table.sign != Sign::Changed {
        return;
    }
    let signs = |kind: MemberKind| {
        let members = table.members.iter().filter(move |member| member.kind == kind);
        let named = members.map(|member| match when {
            When::Before => (member.former.unwrap_or(member.name), member.sign),
            When::After => (member.name, member.sign),
        });
        let there = |sign: &Sign| match when {
            When::Before => *sign != Sign::Added,
            When::After => *sign != Sign::Removed,
        };
        named.filter(|(_, sign)| there(sign)).collect::<BTreeMap<&str, Sign>>()
    };
    let (columns, indexes) = (signs(MemberKind::Column), signs(MemberKind::Index));
    for row in &mut card.rows {
        row.sign = columns.get(row.name.as_str()).copied();
    }
    for index in &mut card.indexes {
        index.sign = indexes.get(index.name.as_str()).copied();
    }
}
