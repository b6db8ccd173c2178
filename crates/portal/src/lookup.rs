//! An input, and what is asked of it again and again, sorted once: with thousands of services nothing may be searched for in
//! all of them for each of them.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::OnceLock;

use trueup_model::declared::{DeclaredColumn, DeclaredService, DeclaredTable, Target};
use trueup_model::finding::{Finding, State};
use trueup_model::name::Identifier;

use crate::facts::find_table;
use crate::input::{Accepted, Input, Standing, Status};
use crate::stage::Judge;
use crate::text::count;
use crate::truth::Provenance;
use crate::words::{Words, flow_words};

/// An input with its indexes.
#[derive(Debug)]
pub(crate) struct Lookup<'a> {
    input: &'a Input<'a>,
    services: HashMap<&'a str, &'a DeclaredService>,
    /// The domain of each service that has one, by its position.
    domains: HashMap<&'a str, usize>,
    findings: HashMap<&'a str, Vec<&'a Finding>>,
    accepted: HashMap<&'a str, Vec<&'a Accepted>>,
    /// What references each table: by the name of its service, and its position there.
    incoming: HashMap<&'a str, HashMap<usize, Vec<Incoming<'a>>>>,
    /// The services that reference each service, with how many of their columns do, in the order of the intent.
    callers: HashMap<&'a str, Vec<(&'a DeclaredService, usize)>>,
    /// How far the tables of each service have come, once somebody asked.
    stages: HashMap<&'a str, OnceLock<Vec<Words>>>,
}

/// A column that references a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming<'a> {
    pub(crate) service: &'a DeclaredService,
    pub(crate) table: &'a DeclaredTable,
    pub(crate) column: &'a DeclaredColumn,
}

impl<'a> Deref for Lookup<'a> {
    type Target = Input<'a>;

    fn deref(&self) -> &Input<'a> {
        self.input
    }
}

impl<'a> Lookup<'a> {
    pub(crate) fn of(input: &'a Input<'a>) -> Self {
        let services = &input.declared.services;
        let mut lookup = Self {
            input,
            services: services.iter().map(|service| (service.name.value.as_str(), service)).collect(),
            domains: HashMap::new(),
            findings: HashMap::new(),
            accepted: HashMap::new(),
            incoming: HashMap::new(),
            callers: HashMap::new(),
            stages: services.iter().map(|service| (service.name.value.as_str(), OnceLock::new())).collect(),
        };
        for (at, domain) in input.domains.domains.iter().enumerate() {
            for service in &domain.services {
                lookup.domains.entry(&service.value).or_insert(at);
            }
        }
        for finding in input.report.map_or(input.reading, |report| report.findings.as_slice()) {
            lookup.findings.entry(&finding.service).or_default().push(finding);
        }
        for accepted in input.report.map_or(&[][..], |report| report.accepted.as_slice()) {
            lookup.accepted.entry(&accepted.finding.service).or_default().push(accepted);
        }
        services.iter().for_each(|service| lookup.note_references(service));
        lookup
    }

    fn note_references(&mut self, service: &'a DeclaredService) {
        for table in &service.tables {
            for column in table.details.iter().flat_map(|details| &details.columns) {
                let Some(reference) = &column.references else { continue };
                if let Target::Service { service: other, .. } = &reference.target {
                    self.note_caller(service, other);
                }
                if let Some((other, position)) = self.target(service, &reference.target) {
                    let incoming = Incoming { service, table, column };
                    self.incoming.entry(&other.name.value).or_default().entry(position).or_default().push(incoming);
                }
            }
        }
    }

    fn note_caller(&mut self, service: &'a DeclaredService, other: &'a str) {
        let callers = self.callers.entry(other).or_default();
        match callers.last_mut().filter(|(last, _)| std::ptr::eq(*last, service)) {
            Some((_, columns)) => *columns += 1,
            None => callers.push((service, 1)),
        }
    }

    /// The other services that reference a service, and how many of their columns do, in the order of the intent.
    pub(crate) fn callers(&self, service: &str) -> impl Iterator<Item = (&'a DeclaredService, usize)> {
        let callers = self.callers.get(service).map_or(&[][..], Vec::as_slice);
        callers.iter().copied().filter(move |(caller, _)| caller.name.value != service)
    }

    /// The table that a reference of a service means, where it means one of the intent: its service, and its position there.
    pub(crate) fn target(&self, service: &'a DeclaredService, target: &Target) -> Option<(&'a DeclaredService, usize)> {
        let found =
            |service: &'a DeclaredService, table: &Identifier| Some((service, find_table(&service.tables, table)?));
        match target {
            Target::Table { table, .. } | Target::UnknownKey { table } => found(service, table),
            Target::Service { service, table: Some(table) } => found(self.service(service)?, table),
            Target::Service { table: None, .. } | Target::Missing { .. } => None,
        }
    }

    /// A service of the intent.
    pub(crate) fn service(&self, name: &str) -> Option<&'a DeclaredService> {
        self.services.get(name).copied()
    }

    /// The domain of a service, by its position.
    pub(crate) fn domain(&self, service: &str) -> Option<usize> {
        self.domains.get(service).copied()
    }

    /// What references a table of a service, in the order of the intent.
    pub(crate) fn incoming(&self, service: &str, table: usize) -> &[Incoming<'a>] {
        self.incoming.get(service).and_then(|tables| tables.get(&table)).map_or(&[], Vec::as_slice)
    }

    /// Where a service stands, as far as is known.
    pub(crate) fn standing(&self, service: &DeclaredService) -> Standing {
        let name = &service.name.value;
        let verdict = self.report.and_then(|report| report.services.get(name));
        let reason = |or: &str| verdict.and_then(|verdict| verdict.reason.clone()).unwrap_or_else(|| or.to_owned());
        match verdict.map(|verdict| verdict.status) {
            _ if !service.engine.is_postgres => {
                Standing::NotChecked(reason(&format!("engine {}", service.engine.text)))
            }
            None => Standing::NotVerified,
            Some(Status::NotChecked) => Standing::NotChecked(reason("left out of the check")),
            Some(Status::Unknown) => Standing::Unknown(reason("could not be compared")),
            Some(Status::Checked) => match self.outdated(service) {
                Some(why) => Standing::Unknown(why.to_owned()),
                None => self.compared(name),
            },
        }
    }

    /// Why the report does not speak of the service as it is there now, where it was compared at all.
    pub(crate) fn outdated(&self, service: &DeclaredService) -> Option<&'a str> {
        let verdict = self.input.report?.services.get(&service.name.value)?;
        verdict.outdated.as_deref().filter(|_| verdict.status == Status::Checked && service.engine.is_postgres)
    }

    fn compared(&self, service: &str) -> Standing {
        let findings = self.findings(service);
        let unknown = findings.iter().filter(|finding| finding.state == State::Unknown).count();
        match findings.len() {
            0 => Standing::Agrees { accepted: self.accepted(service).len() },
            all if all == unknown => Standing::Unknown(count(unknown, "item") + " not understood"),
            all => Standing::Differs { findings: all },
        }
    }

    /// How far a table of a service has come, in the words of its badge. All tables of the service are judged when the first
    /// is asked for: each of them may have a page with a picture of many.
    pub(crate) fn stage(&self, service: &'a DeclaredService, table: usize) -> Option<&Words> {
        let judged = self.stages.get(service.name.value.as_str())?.get_or_init(|| {
            let judge = Judge::of(self, service);
            let words = |table: &DeclaredTable| {
                let flow = judge.table(table);
                flow_words(self, &flow)
            };
            service.tables.iter().map(words).collect()
        });
        judged.get(table)
    }

    /// The findings of a service that count; without a report, what reading the intent found.
    pub(crate) fn findings(&self, service: &str) -> &[&'a Finding] {
        self.findings.get(service).map_or(&[], Vec::as_slice)
    }

    /// The findings of a service that are accepted.
    pub(crate) fn accepted(&self, service: &str) -> &[&'a Accepted] {
        self.accepted.get(service).map_or(&[], Vec::as_slice)
    }

    /// The migrations of a service of the intent that is on PostgreSQL, and what they made, where the report says so.
    pub(crate) fn provenance(&self, service: &DeclaredService) -> Option<&'a Provenance> {
        let verdict = self.input.report?.services.get(&service.name.value)?;
        verdict.provenance.as_ref().filter(|_| service.engine.is_postgres)
    }
}
