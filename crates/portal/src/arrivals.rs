//! What went live and when, and how many migrations a page of all of them shows.

use trueup_model::declared::DeclaredService;

use crate::lookup::Lookup;
use crate::truth::{Live, Provenance};

/// How many of the latest arrivals are listed.
pub(crate) const LATEST: usize = 100;

/// The page of all migrations shows all of them up to so many; of more, the last of each service.
const MOST: usize = 2_000;
const SHOWN_OF_MANY: usize = 5;

/// One migration that went live somewhere.
pub(crate) struct Arrival<'a> {
    pub(crate) moment: &'a str,
    pub(crate) environment: &'a str,
    pub(crate) service: &'a DeclaredService,
    pub(crate) provenance: &'a Provenance,
    pub(crate) number: usize,
}

/// Everything that went live, latest first.
pub(crate) fn arrivals<'a>(input: &Lookup<'a>) -> Vec<Arrival<'a>> {
    let mut arrivals: Vec<Arrival<'a>> =
        input.declared.services.iter().flat_map(|service| of_service(input, service)).collect();
    arrivals.sort_by(|a, b| b.moment.cmp(a.moment));
    arrivals
}

fn of_service<'a>(input: &Lookup<'a>, service: &'a DeclaredService) -> Vec<Arrival<'a>> {
    let Some(provenance) = input.provenance(service) else { return Vec::new() };
    let mut arrivals = Vec::new();
    for (number, migration) in provenance.migrations.iter().enumerate() {
        for (environment, live) in input.known.environments.iter().zip(&migration.live) {
            if let Live::Since(moment) = live {
                arrivals.push(Arrival { moment, environment: &environment.name, service, provenance, number });
            }
        }
    }
    arrivals
}

/// How many migrations of one service stand on the page of all: fewer, where there are more than one page can show.
pub(crate) fn shown_migrations(input: &Lookup<'_>) -> usize {
    let all = input.declared.services.iter().filter_map(|service| input.provenance(service));
    if all.map(|provenance| provenance.migrations.len()).sum::<usize>() > MOST { SHOWN_OF_MANY } else { MOST }
}
