//! What is different between two states of the intent, and the pictures and words that show it.

mod compare;
mod facts;
mod page;
mod picture;
mod rows;
mod text;
mod words;

use trueup_intent::written::Written;
use trueup_model::declared::{Declared, DeclaredService};
use trueup_model::location::Location;

use crate::erd::elk::Elk;
pub use crate::erd::sign::Sign;
use crate::site::{Sink, Stopped};
use crate::slug::Slugs;
use crate::source::SourceLinks;
use crate::{site, workers};

/// One state of the intent.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// What it declares.
    pub declared: &'a Declared,
    /// Constraints and types as their author wrote them.
    pub written: &'a Written,
    /// Where lines of its files can be looked at.
    pub source: Option<&'a SourceLinks>,
}

/// Two states of the intent.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// What the former one is called, such as `origin/main (3f2a1bc)`.
    pub base: &'a str,
    /// The former one.
    pub before: Side<'a>,
    /// The one that is here.
    pub after: Side<'a>,
}

/// Everything that is different. Lines that only moved are no difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference<'a> {
    /// Services that changed: those that are there now in their order, then those that are gone.
    pub services: Vec<ServiceChange<'a>>,
}

/// A service that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceChange<'a> {
    /// Its name now, or its last one.
    pub name: &'a str,
    /// What happened to it.
    pub sign: Sign,
    /// As it was.
    pub before: Option<&'a DeclaredService>,
    /// As it is.
    pub after: Option<&'a DeclaredService>,
    /// What is different about itself.
    pub details: Vec<Detail>,
    /// Tables that changed.
    pub tables: Vec<TableChange<'a>>,
}

/// A table that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableChange<'a> {
    /// Its name now, or its last one, with its schema when it has one of its own.
    pub title: String,
    /// What happened to it.
    pub sign: Sign,
    /// Its position in the former service.
    pub before: Option<usize>,
    /// Its position in the service.
    pub after: Option<usize>,
    /// Where it is declared, now or last.
    pub at: &'a Location,
    /// What is different about itself.
    pub details: Vec<Detail>,
    /// Columns and indexes that changed; of a table that is new or gone, all of them.
    pub members: Vec<MemberChange<'a>>,
}

/// A column or an index that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberChange<'a> {
    /// What it is.
    pub kind: MemberKind,
    /// Its name now, or its last one.
    pub name: &'a str,
    /// Its former name, when that was another.
    pub former: Option<&'a str>,
    /// What happened to it.
    pub sign: Sign,
    /// Where it is declared, now or last.
    pub at: &'a Location,
    /// What is different about it; of one that is new or gone, all that is declared.
    pub details: Vec<Detail>,
}

/// Part of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemberKind {
    /// A column.
    Column,
    /// An index.
    Index,
}

/// Something that is declared otherwise than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What, such as `type`.
    pub what: &'static str,
    /// What was said; empty when nothing was.
    pub before: String,
    /// What is said; empty when nothing is.
    pub after: String,
}

impl<'a> Difference<'a> {
    /// Compares two states.
    pub fn of(comparison: &Comparison<'a>) -> Self {
        compare::all(comparison)
    }

    /// Whether nothing is different.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
    }

    /// How much changed, in words: `1 table added; 2 columns added, 1 changed`; empty when only services themselves did.
    pub fn summary(&self) -> String {
        words::summary(self)
    }
}

impl ServiceChange<'_> {
    /// The same of one service.
    pub fn summary(&self) -> String {
        words::of_service(self)
    }
}

/// The page, relative to the folder.
const PAGE: &str = "index.html";
/// The same as Markdown.
const MARKDOWN: &str = "diff.md";

/// The pictures of one service, relative to the folder.
#[derive(Clone, Debug, Default)]
struct Pictures {
    before: Option<String>,
    after: Option<String>,
    /// That not all tables are in them; empty when they are.
    note: String,
}

/// Makes the page, the Markdown and the pictures of a difference. `pictures` is what leads from the Markdown to the folder; without
/// it, the Markdown has no pictures.
///
/// # Errors
/// When the sink takes no more.
pub fn build_into(
    comparison: &Comparison<'_>,
    difference: &Difference<'_>,
    pictures: Option<&str>,
    sink: &dyn Sink,
) -> Result<(), Stopped> {
    let slugs = Slugs::of(difference.services.iter().map(|service| service.name));
    let drawn = std::sync::Mutex::new(vec![Pictures::default(); difference.services.len()]);
    workers::each(difference.services.len(), |position| {
        let change = &difference.services[position];
        let drawn_here = picture::files(comparison, change, &slugs.get(change.name), &Elk, sink)?;
        drawn.lock().unwrap_or_else(std::sync::PoisonError::into_inner)[position] = drawn_here;
        Ok(())
    })?;
    let drawn = drawn.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let file = |path: &str, text: String| sink.file(path.to_owned(), text.into_bytes());
    file(site::STYLE, site::style(&crate::domains::Domains::default()) + include_str!("../../assets/difference.css"))?;
    file(PAGE, page::page(comparison, difference, &drawn))?;
    file(MARKDOWN, text::markdown(comparison, difference, &drawn, pictures))
}

#[cfg(test)]
mod tests;
