//! Compares two states: things of one name are the same thing, and so are those that say what they were called.

use std::collections::HashMap;

use trueup_intent::written::Written;
use trueup_model::declared::{DeclaredColumn, DeclaredIndex, DeclaredService, DeclaredTable};

use super::facts::{self, Facts, all_gone, all_new, differing};
use super::{Comparison, Difference, MemberChange, MemberKind, ServiceChange, Sign, TableChange};
use crate::facts::table_title;

pub(super) fn all<'a>(comparison: &Comparison<'a>) -> Difference<'a> {
    let (before, after) = (&comparison.before.declared.services, &comparison.after.declared.services);
    let former = |service: &DeclaredService| service.renamed_from.as_ref().map(|name| name.value.clone());
    let pairs = pairs(before, after, |service| service.name.value.clone(), former);
    let changes = pairs
        .into_iter()
        .filter_map(|(old, new)| Sides { comparison }.service(old.map(|at| &before[at]), new.map(|at| &after[at])));
    Difference { services: changes.collect() }
}

/// Which of the former things is which of those that are there now, by position: those that are there now in their order, then
/// those that are gone. Of several that have one name, the first is the first, and so on.
fn pairs<T>(
    before: &[T],
    after: &[T],
    name: impl Fn(&T) -> String,
    former: impl Fn(&T) -> Option<String>,
) -> Vec<(Option<usize>, Option<usize>)> {
    let mut left: HashMap<(String, usize), usize> = numbered(before, &name).zip(0..).collect();
    // Whoever has a name keeps it: only what is left over can have been renamed.
    let mut found: Vec<Option<usize>> = numbered(after, &name).map(|key| left.remove(&key)).collect();
    for (place, thing) in found.iter_mut().zip(after).filter(|(place, _)| place.is_none()) {
        *place = former(thing).and_then(|former| left.remove(&(former, 0)));
    }
    let mut gone: Vec<usize> = left.into_values().collect();
    gone.sort_unstable();
    let there = found.into_iter().enumerate().map(|(position, place)| (place, Some(position)));
    there.chain(gone.into_iter().map(|position| (Some(position), None))).collect()
}

/// The name of each thing, and how many of that name stand before it.
fn numbered<T>(things: &[T], name: impl Fn(&T) -> String) -> impl Iterator<Item = (String, usize)> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    things.iter().map(move |thing| {
        let name = name(thing);
        let number = seen.entry(name.clone()).or_default();
        *number += 1;
        (name, *number - 1)
    })
}

struct Sides<'c, 'a> {
    comparison: &'c Comparison<'a>,
}

impl<'a> Sides<'_, 'a> {
    fn written(&self) -> (&'a Written, &'a Written) {
        (self.comparison.before.written, self.comparison.after.written)
    }

    fn service(
        &self,
        before: Option<&'a DeclaredService>,
        after: Option<&'a DeclaredService>,
    ) -> Option<ServiceChange<'a>> {
        let (sign, details) = match (before, after) {
            (Some(before), Some(after)) => {
                (Sign::Changed, differing(facts::of_service(before), facts::of_service(after)))
            }
            (None, Some(after)) => (Sign::Added, all_new(facts::of_service(after))),
            (Some(before), None) => (Sign::Removed, all_gone(facts::of_service(before))),
            (None, None) => return None,
        };
        let tables = |service: Option<&'a DeclaredService>| service.map_or(&[][..], |service| &service.tables);
        let (old, new) = (tables(before), tables(after));
        let former = |table: &DeclaredTable| table.renamed_from.as_ref().map(|name| name.value.as_str().to_owned());
        let pairs = pairs(old, new, table_title, former);
        let tables: Vec<_> = pairs.into_iter().filter_map(|pair| self.table(pair, old, new)).collect();
        if sign == Sign::Changed && details.is_empty() && tables.is_empty() {
            return None;
        }
        let name = after.or(before).map(|service| service.name.value.as_str())?;
        Some(ServiceChange { name, sign, before, after, details, tables })
    }

    fn table(
        &self,
        (before, after): (Option<usize>, Option<usize>),
        old: &'a [DeclaredTable],
        new: &'a [DeclaredTable],
    ) -> Option<TableChange<'a>> {
        let (former, now) = (before.map(|at| &old[at]), after.map(|at| &new[at]));
        let (sign, details) = match (former, now) {
            (Some(former), Some(now)) => (Sign::Changed, differing(facts::of_table(former), facts::of_table(now))),
            (None, Some(now)) => (Sign::Added, all_new(facts::of_table(now))),
            (Some(former), None) => (Sign::Removed, all_gone(facts::of_table(former))),
            (None, None) => return None,
        };
        let members = self.members(former, now);
        if sign == Sign::Changed && details.is_empty() && members.is_empty() {
            return None;
        }
        let table = now.or(former)?;
        Some(TableChange { title: table_title(table), sign, before, after, at: &table.name.at, details, members })
    }

    fn members(&self, former: Option<&'a DeclaredTable>, now: Option<&'a DeclaredTable>) -> Vec<MemberChange<'a>> {
        let columns = |table: Option<&'a DeclaredTable>| -> &'a [DeclaredColumn] {
            table.and_then(|table| table.details.as_ref()).map_or(&[], |details| &details.columns)
        };
        let indexes = |table: Option<&'a DeclaredTable>| -> &'a [DeclaredIndex] {
            table.and_then(|table| table.details.as_ref()).map_or(&[], |details| &details.indexes)
        };
        let mut members = self.of_kind::<DeclaredColumn>(columns(former), columns(now));
        members.extend(self.of_kind::<DeclaredIndex>(indexes(former), indexes(now)));
        members
    }

    fn of_kind<M: Member>(&self, old: &'a [M], new: &'a [M]) -> Vec<MemberChange<'a>> {
        let pairs = pairs(old, new, |member| member.name().0.to_owned(), |member| member.former().map(str::to_owned));
        let written = self.written();
        let change = |(before, after): (Option<usize>, Option<usize>)| {
            let (before, after) = (before.map(|at| &old[at]), after.map(|at| &new[at]));
            let (sign, details) = match (before, after) {
                (Some(before), Some(after)) => {
                    (Sign::Changed, differing(before.facts(written.0), after.facts(written.1)))
                }
                (None, Some(after)) => (Sign::Added, all_new(after.facts(written.1))),
                (Some(before), None) => (Sign::Removed, all_gone(before.facts(written.0))),
                (None, None) => return None,
            };
            let (name, at) = after.or(before)?.name();
            let former = before.zip(after).map(|(before, _)| before.name().0).filter(|former| *former != name);
            let is_same = sign == Sign::Changed && details.is_empty() && former.is_none();
            (!is_same).then_some(MemberChange { kind: M::KIND, name, former, sign, at, details })
        };
        pairs.into_iter().filter_map(change).collect()
    }
}

/// A column or an index.
trait Member {
    const KIND: MemberKind;
    fn name(&self) -> (&str, &trueup_model::location::Location);
    fn former(&self) -> Option<&str>;
    fn facts(&self, written: &Written) -> Facts;
}

impl Member for DeclaredColumn {
    const KIND: MemberKind = MemberKind::Column;

    fn name(&self) -> (&str, &trueup_model::location::Location) {
        (self.name.value.as_str(), &self.name.at)
    }

    fn former(&self) -> Option<&str> {
        self.renamed_from.as_ref().map(|name| name.value.as_str())
    }

    fn facts(&self, written: &Written) -> Facts {
        facts::of_column(self, written)
    }
}

impl Member for DeclaredIndex {
    const KIND: MemberKind = MemberKind::Index;

    fn name(&self) -> (&str, &trueup_model::location::Location) {
        (self.name.value.as_str(), &self.name.at)
    }

    fn former(&self) -> Option<&str> {
        self.renamed_from.as_ref().map(|name| name.value.as_str())
    }

    fn facts(&self, written: &Written) -> Facts {
        facts::of_index(self, written)
    }
}
