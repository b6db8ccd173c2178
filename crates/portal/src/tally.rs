//! What the pages say of all services together: how many stand where, and of which nothing is known, with the reason.

use trueup_model::declared::DeclaredService;

use crate::input::Standing;
use crate::lookup::Lookup;
use crate::pages::standing_sentence;
use crate::text::{count, thousands};
use crate::words::minute;

/// How many services of which nothing is known are listed.
pub(crate) const SHOWN: usize = 100;

/// A service, and why nothing is known of it.
pub(crate) type Open<'a> = (&'a DeclaredService, String);

/// A word of the tally, and which standings it counts.
type Kind = (&'static str, fn(&Standing) -> bool);

/// `Of 22 services: 3 agree, 17 differ, 2 unknown.`
pub(crate) fn tally(input: &Lookup<'_>) -> String {
    let standings: Vec<Standing> = input.declared.services.iter().map(|service| input.standing(service)).collect();
    let kinds: [Kind; 5] = [
        ("agree", |standing| matches!(standing, Standing::Agrees { .. })),
        ("differ", |standing| matches!(standing, Standing::Differs { .. })),
        ("unknown", |standing| matches!(standing, Standing::Unknown(_))),
        ("not checked", |standing| matches!(standing, Standing::NotChecked(_))),
        ("not verified", |standing| *standing == Standing::NotVerified),
    ];
    let counted = kinds.iter().map(|(words, is)| (words, standings.iter().filter(|standing| is(standing)).count()));
    let shown: Vec<String> =
        counted.filter(|(_, n)| *n > 0).map(|(words, n)| format!("{} {words}", thousands(n))).collect();
    format!("Of {}: {}.", count(standings.len(), "service"), shown.join(", "))
}

/// Each environment with how many services are recorded there, and from when to when.
pub(crate) fn environments<'a>(input: &Lookup<'a>) -> Vec<(&'a str, String)> {
    let words = |as_of: &std::collections::BTreeMap<String, String>| {
        let services = count(as_of.len(), "service");
        match (as_of.values().min(), as_of.values().max()) {
            (Some(first), Some(last)) if minute(first) == minute(last) => {
                format!("{services}, as of {}", minute(first))
            }
            (Some(first), Some(last)) => format!("{services}, as of {} to {}", minute(first), minute(last)),
            _ => services,
        }
    };
    input.known.environments.iter().map(|one| (one.name.as_str(), words(&one.as_of))).collect()
}

/// What is said where no environment is recorded.
pub(crate) const NO_ENVIRONMENT: &str = "No environment is recorded: nothing here says what is live anywhere.";

/// The services that are not checked, or could not be, and why; without a report none is.
pub(crate) fn unchecked<'a>(input: &Lookup<'a>) -> Vec<Open<'a>> {
    let services = input.report.iter().flat_map(|_| &input.declared.services);
    services.filter_map(|service| Some((service, reason(&input.standing(service))?))).collect()
}

/// The services on PostgreSQL of which the report does not say which migrations there are, and why.
pub(crate) fn unseen<'a>(input: &Lookup<'a>) -> Vec<Open<'a>> {
    let services = input.declared.services.iter().filter(|service| service.engine.is_postgres);
    let unseen = services.filter(|service| input.report.is_some() && input.provenance(service).is_none());
    unseen.map(|service| (service, why_unseen(input, service))).collect()
}

/// Why the report does not say which migrations a service on PostgreSQL has.
pub(crate) fn why_unseen(input: &Lookup<'_>, service: &DeclaredService) -> String {
    reason(&input.standing(service)).unwrap_or_else(|| "the report does not list its migrations".to_owned())
}

/// Why nothing is known of a service that stands so; none where a check compared it.
fn reason(standing: &Standing) -> Option<String> {
    match standing {
        Standing::Agrees { .. } | Standing::Differs { .. } => None,
        Standing::NotVerified => Some("not verified: the report does not speak of it".to_owned()),
        other => Some(standing_sentence(other)),
    }
}

/// That services changed since the check; none where all are as they were.
pub(crate) fn outdated(input: &Lookup<'_>) -> Option<String> {
    let changed = input.declared.services.iter().filter(|service| input.outdated(service).is_some()).count();
    (changed > 0).then(|| format!("Not as it was checked, so unknown: {}.", count(changed, "service")))
}

/// That there are more than are listed; none where there are not.
pub(crate) fn more(all: usize) -> Option<String> {
    let more = all.checked_sub(SHOWN).filter(|more| *more > 0)?;
    Some(format!("And {} more, with the reason on their pages.", thousands(more)))
}
