//! Findings counted by rule: what kind of drift there is, before any single case of it.

use std::collections::{BTreeMap, BTreeSet};

use trueup_model::finding::Finding;
use trueup_model::rule::Rule;

use crate::text::thousands;

/// How often a rule found something, and in how many services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OfRule<'a> {
    pub(crate) rule: Rule,
    pub(crate) findings: usize,
    pub(crate) services: usize,
    /// One of the findings; all of a rule look alike.
    pub(crate) example: &'a Finding,
}

/// The rules that found something, most first; equals by name.
pub(crate) fn by_rule<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<OfRule<'a>> {
    let mut rules: BTreeMap<&str, (OfRule<'a>, BTreeSet<&str>)> = BTreeMap::new();
    for example in findings {
        let none = || (OfRule { rule: example.rule, findings: 0, services: 0, example }, BTreeSet::new());
        let (of_rule, services) = rules.entry(example.rule.name()).or_insert_with(none);
        services.insert(example.service.as_str());
        of_rule.findings += 1;
        of_rule.services = services.len();
    }
    let mut rules: Vec<_> = rules.into_values().map(|(of_rule, _)| of_rule).collect();
    rules.sort_by_key(|of_rule| std::cmp::Reverse(of_rule.findings));
    rules
}

/// `12 missing-column, 5 column-type`, most first.
pub(crate) fn sentence(findings: &[&Finding]) -> String {
    let rules = by_rule(findings.iter().copied());
    let parts = rules.iter().map(|one| format!("{} {}", thousands(one.findings), one.rule.name()));
    parts.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use trueup_model::finding::ObjectPath;

    use super::*;

    #[test]
    fn most_first_and_equals_by_name() {
        let finding = |rule, service: &str| Finding::new(rule, service, ObjectPath::service());
        let all = [
            finding(Rule::MissingTable, "a"),
            finding(Rule::ColumnType, "a"),
            finding(Rule::MissingIndex, "a"),
            finding(Rule::MissingIndex, "b"),
            finding(Rule::MissingIndex, "b"),
        ];
        let counted: Vec<_> = by_rule(&all).iter().map(|one| (one.rule.name(), one.findings, one.services)).collect();
        assert_eq!(counted, [("missing-index", 3, 2), ("column-type", 1, 1), ("missing-table", 1, 1)]);
        let all: Vec<&Finding> = all.iter().collect();
        assert_eq!(sentence(&all), "3 missing-index, 1 column-type, 1 missing-table");
        assert_eq!(sentence(&[]), "");
    }
}
