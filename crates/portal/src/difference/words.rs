//! How much changed, in words.

use super::{Difference, MemberKind, ServiceChange, Sign};
use crate::text::{count, thousands};

/// How many things of one kind were added, changed and removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    added: usize,
    changed: usize,
    removed: usize,
}

impl Tally {
    fn of(signs: impl Iterator<Item = Sign>) -> Self {
        signs.fold(Self::default(), |mut tally, sign| {
            match sign {
                Sign::Added => tally.added += 1,
                Sign::Changed => tally.changed += 1,
                Sign::Removed => tally.removed += 1,
            }
            tally
        })
    }

    /// `2 columns added, 1 changed`; empty when nothing was.
    fn words(self, noun: &str) -> String {
        let parts = [(self.added, "added"), (self.changed, "changed"), (self.removed, "removed")];
        let some = parts.into_iter().filter(|(number, _)| *number > 0).enumerate();
        let words = some.map(|(place, (number, word))| {
            let counted = if place == 0 { count(number, noun) } else { thousands(number) };
            format!("{counted} {word}")
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// Members of tables that are new or gone are not counted: the table is what changed.
pub(super) fn summary(difference: &Difference<'_>) -> String {
    of_services(&difference.services)
}

/// The same of one service.
pub(super) fn of_service(service: &ServiceChange<'_>) -> String {
    of_services(std::slice::from_ref(service))
}

fn of_services(services: &[ServiceChange<'_>]) -> String {
    let tables = || services.iter().flat_map(|service| &service.tables);
    let members = |kind: MemberKind| {
        let changed = tables().filter(|table| table.sign == Sign::Changed);
        Tally::of(
            changed.flat_map(|table| &table.members).filter(|member| member.kind == kind).map(|member| member.sign),
        )
    };
    // A table with nothing but changed members is told by those.
    let own = tables().filter(|table| table.sign != Sign::Changed || !table.details.is_empty());
    let parts = [
        Tally::of(own.map(|table| table.sign)).words("table"),
        members(MemberKind::Column).words("column"),
        members(MemberKind::Index).words("index"),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("; ")
}
