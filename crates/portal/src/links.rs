//! Addresses inside the site: which page and anchor each thing has. All of them are made from slugs.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::declared::{Declared, DeclaredService, DeclaredTable};

use crate::facts::table_title;
use crate::slug::Slugs;
use crate::truth::Migration;

/// A page of the site.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Page {
    /// All services.
    Home,
    /// All services, and the references between them.
    Map,
    /// What is under way, by how far it has come.
    Changes,
    /// All migrations.
    Migrations,
    /// All findings.
    Findings,
    /// How to read it.
    Guide,
    /// One service, by its slug.
    Service(String),
    /// One table of a large service: the service's slug, and the table's anchor.
    Table(String, String),
}

impl Page {
    /// The file, relative to the site's folder.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Home => "index.html".to_owned(),
            Self::Map => "map.html".to_owned(),
            Self::Changes => "changes.html".to_owned(),
            Self::Migrations => "migrations.html".to_owned(),
            Self::Findings => "findings.html".to_owned(),
            Self::Guide => "how-to-read.html".to_owned(),
            Self::Service(slug) => format!("services/{slug}.html"),
            Self::Table(service, anchor) => format!("services/{service}/{anchor}.html"),
        }
    }

    /// A file beside this page, of the same name but for its ending.
    pub(crate) fn beside(&self, ending: &str) -> String {
        let path = self.path();
        format!("{}.{ending}", path.strip_suffix(".html").unwrap_or(&path))
    }

    /// What leads from this page to the site's folder.
    pub(crate) fn root(&self) -> &'static str {
        match self {
            Self::Service(_) => "../",
            Self::Table(..) => "../../",
            _ => "",
        }
    }

    /// The address of another page, as this page links it.
    pub(crate) fn to(&self, other: &Self) -> String {
        format!("{}{}", self.root(), other.path())
    }

    /// The address of an anchor, which may be on this page.
    pub(crate) fn to_anchor(&self, other: &Self, anchor: &str) -> String {
        if self == other { format!("#{anchor}") } else { format!("{}#{anchor}", self.to(other)) }
    }
}

/// A service with more tables than this has a page for each of them, and only keys in the boxes of its diagram.
pub(crate) const LARGE_ABOVE: usize = 40;

/// Whether each table of a service has a page of its own.
pub(crate) fn has_table_pages(service: &DeclaredService) -> bool {
    service.tables.len() > LARGE_ABOVE
}

/// The slugs of everything that can be linked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    services: Slugs,
    tables: BTreeMap<String, Slugs>,
}

impl Links {
    /// Assigns slugs to every service and table.
    pub(crate) fn of(declared: &Declared) -> Self {
        let services = Slugs::of(declared.services.iter().map(|service| service.name.value.as_str()));
        let tables = declared.services.iter().map(|service| {
            let titles: Vec<String> = service.tables.iter().map(table_title).collect();
            (service.name.value.clone(), Slugs::of(titles.iter().map(String::as_str)))
        });
        Self { services, tables: tables.collect() }
    }

    /// The page of a service of the intent.
    pub(crate) fn service(&self, name: &str) -> Option<Page> {
        self.services.has(name).then(|| Page::Service(self.services.get(name)))
    }

    /// The page that a table's columns stand on: its own in a large service, else its service's.
    pub(crate) fn page_of(&self, service: &DeclaredService, table: &DeclaredTable) -> Option<Page> {
        let Page::Service(slug) = self.service(&service.name.value)? else { return None };
        Some(if has_table_pages(service) { Page::Table(slug, self.table(service, table)) } else { Page::Service(slug) })
    }

    /// The address of a table, as a page links it.
    pub(crate) fn to_table(&self, from: &Page, service: &DeclaredService, table: &DeclaredTable) -> Option<String> {
        Some(from.to_anchor(&self.page_of(service, table)?, &self.table(service, table)))
    }

    /// The anchor of a table, wherever it stands.
    pub(crate) fn table(&self, service: &DeclaredService, table: &DeclaredTable) -> String {
        let title = table_title(table);
        let slug = self.tables.get(&service.name.value).map_or_else(String::new, |slugs| slugs.get(&title));
        format!("t-{slug}")
    }
}

/// Anchors of columns and indexes below a table's.
pub(crate) struct Members<'a> {
    table: &'a str,
    columns: Slugs,
    indexes: Slugs,
}

impl<'a> Members<'a> {
    /// The anchors of one table's members.
    pub(crate) fn of(anchor: &'a str, table: &DeclaredTable) -> Self {
        let details = table.details.as_ref();
        let columns = details.into_iter().flat_map(|details| &details.columns).map(|column| column.name.value.as_str());
        let indexes = details.into_iter().flat_map(|details| &details.indexes).map(|index| index.name.value.as_str());
        Self { table: anchor, columns: Slugs::of(columns), indexes: Slugs::of(indexes) }
    }

    /// The anchor of a column.
    pub(crate) fn column(&self, name: &str) -> String {
        format!("{}--{}", self.table, self.columns.get(name))
    }

    /// The anchor of an index.
    pub(crate) fn index(&self, name: &str) -> String {
        format!("{}--i-{}", self.table, self.indexes.get(name))
    }
}

/// The anchors of a service's migrations.
pub(crate) fn migration_anchors(migrations: &[Migration]) -> Vec<String> {
    let slugs = Slugs::of(migrations.iter().map(|migration| migration.script.as_str()));
    let mut taken = BTreeSet::new();
    let anchors = migrations.iter().enumerate().map(|(number, migration)| {
        let anchor = format!("m-{}", slugs.get(&migration.script));
        // Two files of one name are a mistake of their own; each has an anchor all the same.
        if taken.insert(anchor.clone()) { anchor } else { format!("{anchor}--{number}") }
    });
    anchors.collect()
}
