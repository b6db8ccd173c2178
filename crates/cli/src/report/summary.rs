//! The counts that every format shows.

use std::collections::BTreeMap;

use trueup_model::finding::{Finding, Severity, State};
use trueup_model::rule::Rule;

use super::{Report, ServiceReport, ServiceStatus};

/// The four ways in which two sides stand apart, and the fifth: not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Declared, and not made by the migrations.
    Missing,
    /// Made by the migrations, and not declared.
    Undeclared,
    /// On both sides, and not the same.
    Different,
    /// About how a file is written.
    Lint,
    /// Not understood, or not verified.
    Unknown,
}

impl Class {
    /// The class of a finding; its state outranks its rule.
    pub fn of(finding: &Finding) -> Self {
        match finding.state {
            State::Unknown => Self::Unknown,
            State::Lint => Self::Lint,
            _ => Self::of_rule(finding.rule),
        }
    }

    fn of_rule(rule: Rule) -> Self {
        match rule {
            Rule::MissingTable
            | Rule::MissingColumn
            | Rule::MissingIndex
            | Rule::MissingForeignKey
            | Rule::NoMigrations => Self::Missing,
            Rule::UndeclaredTable | Rule::UndeclaredColumn | Rule::UndeclaredIndex | Rule::UndeclaredService => {
                Self::Undeclared
            }
            _ => Self::Different,
        }
    }
}

/// Counts over one service, or over everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Findings that count, by class.
    pub by_class: BTreeMap<Class, usize>,
    /// Findings that count, by severity.
    pub by_severity: BTreeMap<Severity, usize>,
    /// Findings that count, by rule.
    pub by_rule: BTreeMap<Rule, usize>,
    /// Findings that count, by state.
    pub by_state: BTreeMap<State, usize>,
    /// Findings that count.
    pub findings: usize,
    /// Findings that are accepted.
    pub accepted: usize,
    /// Of the accepted ones, how many are unknown.
    pub accepted_unknown: usize,
}

impl Counts {
    fn add(&mut self, finding: &Finding) {
        *self.by_class.entry(Class::of(finding)).or_default() += 1;
        *self.by_severity.entry(finding.severity).or_default() += 1;
        *self.by_rule.entry(finding.rule).or_default() += 1;
        *self.by_state.entry(finding.state).or_default() += 1;
        self.findings += 1;
    }

    fn accept(&mut self, finding: &Finding) {
        self.accepted += 1;
        self.accepted_unknown += usize::from(finding.state == State::Unknown);
    }

    /// How many findings of a class count.
    pub fn class(&self, class: Class) -> usize {
        self.by_class.get(&class).copied().unwrap_or(0)
    }

    /// How many findings of a severity count.
    pub fn severity(&self, severity: Severity) -> usize {
        self.by_severity.get(&severity).copied().unwrap_or(0)
    }

    /// How many findings are unknown and count.
    pub fn unknown(&self) -> usize {
        self.class(Class::Unknown)
    }

    /// How many findings are known differences, or lint, and count.
    pub fn known(&self) -> usize {
        self.findings - self.unknown()
    }
}

/// One service with its counts.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// The service; `None` for findings that name a service which the report does not list (or none at all).
    pub service: Option<&'a ServiceReport>,
    /// Its name; empty for what concerns whole files.
    pub name: &'a str,
    /// Its counts.
    pub counts: Counts,
}

impl Row<'_> {
    /// Whether it was compared; findings without a listed service count as checked.
    pub fn status(&self) -> ServiceStatus {
        self.service.map_or(ServiceStatus::Checked, |service| service.status)
    }

    /// Orders rows worst first: unread, then by errors, findings, and last by name.
    fn badness(&self) -> impl Ord + use<> {
        let status = match self.status() {
            ServiceStatus::Unknown => 2,
            ServiceStatus::Checked => 1,
            ServiceStatus::NotChecked => 0,
        };
        (self.counts.findings > 0, status, self.counts.findings, self.counts.severity(Severity::Error))
    }
}

/// All counts of a report.
#[derive(Clone, Debug)]
pub struct Summary<'a> {
    /// One row a service, worst first.
    pub rows: Vec<Row<'a>>,
    /// Counts over everything.
    pub total: Counts,
}

impl<'a> Summary<'a> {
    /// Counts a report.
    pub fn of(report: &'a Report) -> Self {
        let mut total = Counts::default();
        let mut rows: BTreeMap<&str, Row<'a>> = BTreeMap::new();
        for service in &report.services {
            rows.insert(&service.name, Row { service: Some(service), name: &service.name, counts: Counts::default() });
        }
        let empty = |name: &'a str| Row { service: None, name, counts: Counts::default() };
        for finding in &report.findings {
            total.add(finding);
            rows.entry(&finding.service).or_insert_with(|| empty(&finding.service)).counts.add(finding);
        }
        for accepted in &report.accepted {
            let finding = &accepted.finding;
            total.accept(finding);
            rows.entry(&finding.service).or_insert_with(|| empty(&finding.service)).counts.accept(finding);
        }
        let mut rows: Vec<Row<'a>> = rows.into_values().collect();
        rows.sort_by(|a, b| b.badness().cmp(&a.badness()).then_with(|| a.name.cmp(b.name)));
        Self { rows, total }
    }

    /// How many services have a status.
    pub fn services(&self, status: ServiceStatus) -> usize {
        self.rows.iter().filter(|row| row.service.is_some_and(|service| service.status == status)).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn rows_add_up_to_the_total() {
        let report = sample::large();
        let summary = Summary::of(&report);
        let sum: usize = summary.rows.iter().map(|row| row.counts.findings).sum();
        assert_eq!(sum, report.findings.len());
        assert_eq!(summary.total.findings, report.findings.len());
        assert_eq!(summary.total.by_class.values().sum::<usize>(), report.findings.len());
        assert_eq!(summary.rows.len(), report.services.len());
    }

    #[test]
    fn a_state_that_is_unknown_outranks_the_rule() {
        let mut finding = sample::small().findings[0].clone();
        finding.rule = Rule::MissingTable;
        finding.state = State::Unknown;
        assert_eq!(Class::of(&finding), Class::Unknown);
    }
}
