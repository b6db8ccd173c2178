//! How much an intent declares.

use trueup_model::declared::{Declared, DeclaredService};

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) services: usize,
    /// Services with PostgreSQL in their engine.
    pub(crate) postgres: usize,
    pub(crate) tables: usize,
    /// Tables with columns.
    pub(crate) detailed: usize,
    pub(crate) columns: usize,
    pub(crate) indexes: usize,
    pub(crate) references: usize,
}

impl Counts {
    /// Of all services.
    pub(crate) fn of(declared: &Declared) -> Self {
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

    /// Of one service.
    pub(crate) fn of_service(service: &DeclaredService) -> Self {
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

    /// The numbers, each with what is counted.
    pub(crate) fn parts(&self) -> [(usize, &'static str); 5] {
        [
            (self.services, "service"),
            (self.tables, "table"),
            (self.columns, "column"),
            (self.indexes, "index"),
            (self.references, "reference"),
        ]
    }
}
