//! The baseline file: today's findings, accepted, so that from tomorrow on only new ones fail.
//!
//! One entry accepts one finding, by its fingerprint, which survives moved lines and reworded messages. A finding that
//! is *unknown* is written like any other, but keeps counting until its entry has a reason: an unknown that nobody
//! explained is never green. An entry past its `expires` day accepts nothing.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use trueup_model::finding::{Finding, State};

use crate::report::text::count;
use crate::report::{Accepted, AcceptedBy};

mod file;

pub use file::BaselineError;

/// The version of the file format that this build writes and reads.
pub const VERSION: u32 = 1;

/// Its usual name, beside `trueup.toml`.
pub const FILE_NAME: &str = "trueup-baseline.json";

/// The accepted findings of a project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    /// Ordered by service, object, rule and fingerprint.
    pub entries: Vec<Entry>,
}

/// One accepted finding. Only the fingerprint is compared; the rest is for the people who review the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The service.
    pub service: String,
    /// The rule's name; a name that this build no longer knows is kept.
    pub rule: String,
    /// The object, as in the report.
    pub object: String,
    /// What was the case when it was accepted.
    pub message: String,
    /// 32 hexadecimal digits.
    pub fingerprint: String,
    /// Why it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last day on which it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
}

impl Entry {
    fn of(finding: &Finding) -> Self {
        Self {
            service: finding.service.clone(),
            rule: finding.rule.name().to_owned(),
            object: finding.object.to_string(),
            message: finding.message.clone(),
            fingerprint: finding.fingerprint(),
            reason: None,
            expires: None,
        }
    }

    fn is_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }

    fn has_reason(&self) -> bool {
        self.reason.as_deref().is_some_and(|reason| !reason.trim().is_empty())
    }

    /// Whether this entry stops `finding` (of the same fingerprint) from counting.
    fn accepts(&self, finding: &Finding, today: Date) -> bool {
        !self.is_expired(today) && (finding.state != State::Unknown || self.has_reason())
    }

    fn sort_key(&self) -> (&str, &str, &str, &str, &Option<String>, Option<Date>) {
        (&self.service, &self.object, &self.rule, &self.fingerprint, &self.reason, self.expires)
    }
}

/// What a comparison with the baseline yields.
#[derive(Clone, Debug, Default)]
pub struct Compared {
    /// Findings that the baseline does not accept.
    pub counted: Vec<Finding>,
    /// Findings that it accepts.
    pub accepted: Vec<Accepted>,
    /// Entries in scope that no longer occur.
    pub resolved: Vec<Entry>,
    /// How many of `counted` have an entry that is past its day.
    pub expired: usize,
    /// How many of `counted` are unknown and have an entry without a reason.
    pub unexplained: usize,
}

/// What [`Baseline::accept`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Entries that were there already and stay.
    pub kept: usize,
    /// Entries that are new.
    pub added: usize,
    /// Entries in scope that no longer occur and went.
    pub removed: usize,
    /// Unknowns among them that have no reason and so keep counting.
    pub unexplained: usize,
}

impl fmt::Display for Written {
    /// One sentence for the person who asked for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = count(self.kept + self.added, "finding");
        write!(f, "{total} accepted: {} new, {} kept, {} gone", self.added, self.kept, self.removed)?;
        if self.unexplained > 0 {
            let unknown = count(self.unexplained, "unknown");
            write!(f, ". {unknown} without a reason: counted until one is given (--reason, or in the file)")?;
        }
        Ok(())
    }
}

impl Baseline {
    /// A baseline of these entries, put in order.
    pub fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        Self { entries }
    }

    /// Sets the findings against the entries, one entry for one finding.
    ///
    /// `in_scope` says of a service whether this run compared it (or whether it is gone from the project): only there
    /// does a missing finding mean that it is resolved.
    pub fn compare(&self, findings: Vec<Finding>, today: Date, in_scope: impl Fn(&str) -> bool) -> Compared {
        let mut open = self.by_fingerprint();
        let mut compared = Compared::default();
        for finding in findings {
            match open.get_mut(&finding.fingerprint()).and_then(Vec::pop) {
                Some(entry) => compared.settle(finding, entry, today),
                None => compared.counted.push(finding),
            }
        }
        let left = open.into_values().flatten().filter(|entry| in_scope(&entry.service)).cloned();
        compared.resolved = Self::new(left.collect()).entries;
        compared
    }

    /// The baseline that accepts these findings: entries that stay keep their reason and expiry, entries out of scope
    /// stay, entries in scope that no longer occur go. `reason` is given to the entries that have none.
    pub fn accept(
        &self,
        findings: &[Finding],
        reason: Option<&str>,
        in_scope: impl Fn(&str) -> bool,
    ) -> (Self, Written) {
        let mut open = self.by_fingerprint();
        let mut written = Written::default();
        let mut entries = Vec::new();
        for finding in findings {
            let former = open.get_mut(&finding.fingerprint()).and_then(Vec::pop);
            let entry = renewed(finding, former, reason);
            *(if former.is_some() { &mut written.kept } else { &mut written.added }) += 1;
            written.unexplained += usize::from(finding.state == State::Unknown && !entry.has_reason());
            entries.push(entry);
        }
        for entry in open.into_values().flatten() {
            if in_scope(&entry.service) {
                written.removed += 1;
            } else {
                entries.push(entry.clone());
            }
        }
        (Self::new(entries), written)
    }

    /// Entries by fingerprint; of several alike the one with a reason is taken first (it stands last).
    fn by_fingerprint(&self) -> BTreeMap<String, Vec<&Entry>> {
        let mut map: BTreeMap<String, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            map.entry(entry.fingerprint.clone()).or_default().push(entry);
        }
        map.values_mut().for_each(|entries| entries.sort_by_key(|entry| entry.has_reason()));
        map
    }
}

/// The entry of a finding, with what a former entry says about it.
fn renewed(finding: &Finding, former: Option<&Entry>, reason: Option<&str>) -> Entry {
    let mut entry = Entry::of(finding);
    if let Some(former) = former {
        entry.reason.clone_from(&former.reason);
        entry.expires = former.expires;
    }
    if !entry.has_reason() {
        entry.reason = reason.filter(|reason| !reason.trim().is_empty()).map(str::to_owned);
    }
    entry
}

impl Compared {
    /// What the reader should know about entries that did not hold.
    pub fn notes(&self) -> Vec<String> {
        let expired = (self.expired > 0)
            .then(|| format!("{} accepted until a day that is past: counted again", count(self.expired, "finding")));
        let unexplained = (self.unexplained > 0).then(|| {
            let findings = count(self.unexplained, "unknown finding");
            format!("{findings} in the baseline without a reason: counted until `reason` is filled in")
        });
        expired.into_iter().chain(unexplained).collect()
    }

    fn settle(&mut self, finding: Finding, entry: &Entry, today: Date) {
        if entry.accepts(&finding, today) {
            self.accepted.push(Accepted { finding, by: AcceptedBy::Baseline, reason: entry.reason.clone() });
            return;
        }
        self.expired += usize::from(entry.is_expired(today));
        self.unexplained += usize::from(!entry.is_expired(today));
        self.counted.push(finding);
    }
}

/// The current day, in UTC: the same for everybody, wherever they run.
pub fn today() -> Date {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use trueup_model::finding::{ObjectKind, ObjectPath};
    use trueup_model::location::Location;
    use trueup_model::name::QualifiedName;
    use trueup_model::rule::Rule;

    use super::*;

    const TODAY: Date = Date::constant(2026, 6, 15);

    fn everywhere(_: &str) -> bool {
        true
    }

    fn finding(rule: Rule, service: u8, member: u8) -> Finding {
        let member = format!("m{member}");
        let path = ObjectPath::member(ObjectKind::Column, &QualifiedName::new("s", "t"), &member.as_str().into());
        Finding::new(rule, format!("svc-{service}"), path).message("said")
    }

    fn any_finding() -> impl Strategy<Value = Finding> {
        let rule = prop::sample::select(Rule::ALL);
        // Few names, so that equal findings turn up.
        (rule, 0..3_u8, 0..3_u8, 1..50_u32).prop_map(|(rule, service, member, line)| {
            finding(rule, service, member).in_intent(Some(&Location::new("a.yaml", line, 1)))
        })
    }

    fn through_a_file(baseline: &Baseline) -> Baseline {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE_NAME);
        baseline.write(&file).unwrap();
        Baseline::read(&file).unwrap().unwrap()
    }

    proptest! {
        #[test]
        fn what_was_accepted_is_not_new(findings in prop::collection::vec(any_finding(), 0..30)) {
            let (baseline, written) = Baseline::default().accept(&findings, Some("why"), everywhere);
            prop_assert_eq!(written, Written { added: findings.len(), ..Written::default() });
            let compared = through_a_file(&baseline).compare(findings.clone(), TODAY, everywhere);
            prop_assert_eq!(compared.counted, vec![]);
            prop_assert_eq!(compared.resolved, vec![]);
            prop_assert_eq!(compared.accepted.len(), findings.len());
        }

        #[test]
        fn one_more_is_exactly_one_new(
            findings in prop::collection::vec(any_finding(), 0..30), more in any_finding(), at in any::<prop::sample::Index>(),
        ) {
            let (baseline, _) = Baseline::default().accept(&findings, Some("why"), everywhere);
            let mut today = findings;
            today.insert(at.index(today.len() + 1), more.clone());
            let compared = baseline.compare(today, TODAY, everywhere);
            prop_assert_eq!(compared.counted.len(), 1);
            prop_assert_eq!(compared.counted[0].fingerprint(), more.fingerprint());
        }

        #[test]
        fn one_less_is_exactly_one_resolved(
            findings in prop::collection::vec(any_finding(), 1..30), at in any::<prop::sample::Index>(),
        ) {
            let (baseline, _) = Baseline::default().accept(&findings, Some("why"), everywhere);
            let mut today = findings;
            let gone = today.remove(at.index(today.len()));
            let compared = baseline.compare(today.clone(), TODAY, everywhere);
            prop_assert_eq!(compared.counted, vec![]);
            prop_assert_eq!(compared.resolved.len(), 1);
            prop_assert_eq!(&compared.resolved[0].fingerprint, &gone.fingerprint());
            let (renewed, written) = baseline.accept(&today, None, everywhere);
            prop_assert_eq!((written.removed, written.added, written.kept), (1, 0, today.len()));
            prop_assert!(renewed.entries.iter().all(|entry| entry.reason.as_deref() == Some("why")));
        }

        #[test]
        fn the_file_does_not_depend_on_order(findings in prop::collection::vec(any_finding(), 0..30)) {
            let (baseline, _) = Baseline::default().accept(&findings, None, everywhere);
            let turned: Vec<Finding> = findings.into_iter().rev().collect();
            let (other, _) = Baseline::default().accept(&turned, None, everywhere);
            prop_assert_eq!(baseline.render(), other.render());
        }

        #[test]
        fn lines_may_move(findings in prop::collection::vec(any_finding(), 0..30), by in 0..1000_u32) {
            let (baseline, _) = Baseline::default().accept(&findings, Some("why"), everywhere);
            let moved = findings.into_iter().map(|mut finding| {
                finding.intent_at = finding.intent_at.map(|at| Location::new(at.file, at.line + by, at.column));
                finding.message("reworded")
            });
            prop_assert_eq!(baseline.compare(moved.collect(), TODAY, everywhere).counted, vec![]);
        }
    }

    #[test]
    fn an_unknown_counts_until_it_has_a_reason() {
        let unknown = vec![finding(Rule::NotUnderstood, 0, 0)];
        let (silent, written) = Baseline::default().accept(&unknown, None, everywhere);
        assert_eq!((silent.entries.len(), written.unexplained), (1, 1));
        assert!(
            written.to_string().starts_with("1 finding accepted: 1 new, 0 kept, 0 gone. 1 unknown without a reason")
        );
        let compared = silent.compare(unknown.clone(), TODAY, everywhere);
        assert_eq!((compared.counted.len(), compared.unexplained, compared.resolved.len()), (1, 1, 0));
        assert!(compared.notes()[0].contains("without a reason"));
        let (explained, written) = silent.accept(&unknown, Some("prose"), everywhere);
        assert_eq!((written.kept, written.unexplained), (1, 0));
        let compared = explained.compare(unknown, TODAY, everywhere);
        assert_eq!(compared.accepted[0].reason.as_deref(), Some("prose"));
    }

    #[test]
    fn an_entry_past_its_day_counts_again() {
        let findings = vec![finding(Rule::MissingTable, 0, 0)];
        for (last, counted) in [(TODAY, 0), (TODAY.yesterday().unwrap(), 1)] {
            let (mut baseline, _) = Baseline::default().accept(&findings, None, everywhere);
            baseline.entries[0].expires = Some(last);
            let compared = through_a_file(&baseline).compare(findings.clone(), TODAY, everywhere);
            assert_eq!((compared.counted.len(), compared.expired), (counted, counted));
        }
    }

    #[test]
    fn services_out_of_scope_are_neither_resolved_nor_dropped() {
        let findings = vec![finding(Rule::MissingTable, 0, 0), finding(Rule::MissingTable, 1, 0)];
        let (baseline, _) = Baseline::default().accept(&findings, None, everywhere);
        let only_0 = |service: &str| service == "svc-0";
        assert_eq!(baseline.compare(vec![], TODAY, only_0).resolved.len(), 1);
        let (renewed, written) = baseline.accept(&[], None, only_0);
        assert_eq!((renewed.entries.len(), written.removed), (1, 1));
        assert_eq!(renewed.entries[0].service, "svc-1");
    }
}
