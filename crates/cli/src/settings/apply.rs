//! What the settings make of the findings: other severities, rules switched off, ignores.

use jiff::civil::Date;
use trueup_model::declared::{Declared, DeclaredService};
use trueup_model::finding::{Finding, State};
use trueup_model::location::Location;
use wildmatch::WildMatch;

use super::{Ignore, Level, Settings};
use crate::report::{Accepted, AcceptedBy};

/// The findings, settled by the settings; what counts goes on to the baseline.
#[derive(Clone, Debug, Default)]
pub struct Applied {
    /// Findings that nothing accepts, with the severities of the settings.
    pub counted: Vec<Finding>,
    /// Findings that an ignore accepts, in `trueup.toml` or in the YAML.
    pub accepted: Vec<Accepted>,
    /// How many findings belonged to rules that are switched off. Unknowns are never switched off.
    pub switched_off: usize,
    /// What the reader should know: ignores past their day that would have matched.
    pub notes: Vec<String>,
    /// Ignores of `trueup.toml` that matched nothing. Says something only when every service was checked.
    pub unused: Vec<Location>,
}

impl Settings {
    /// Settles findings. `declared` holds the ignores that stand in the YAML; `today` decides what has expired.
    pub fn apply(&self, findings: Vec<Finding>, declared: &Declared, today: Date) -> Applied {
        let mut pass = Pass { today, ignores: self.ignores(), applied: Applied::default() };
        for finding in findings {
            pass.settle(self, declared, finding);
        }
        pass.finish()
    }

    /// What `[rules]` says about a finding; the service's word outranks the global one.
    fn level(&self, finding: &Finding) -> Option<Level> {
        let own = self.services.get(&finding.service).and_then(|service| service.rules.get(&finding.rule));
        own.or_else(|| self.rules.get(&finding.rule)).copied()
    }

    fn ignores(&self) -> Vec<Compiled<'_>> {
        let global = self.ignore.iter().map(|ignore| Compiled::new(ignore, None));
        let of_services = self
            .services
            .iter()
            .flat_map(|(name, service)| service.ignore.iter().map(move |ignore| Compiled::new(ignore, Some(name))));
        global.chain(of_services).collect()
    }
}

/// One run over the findings.
struct Pass<'a> {
    today: Date,
    ignores: Vec<Compiled<'a>>,
    applied: Applied,
}

impl Pass<'_> {
    fn settle(&mut self, settings: &Settings, declared: &Declared, mut finding: Finding) {
        match settings.level(&finding) {
            Some(Level::Off) if finding.state != State::Unknown => {
                self.applied.switched_off += 1;
                return;
            }
            Some(Level::Severity(severity)) => finding.severity = severity,
            _ => {}
        }
        match self.reason(declared, &finding) {
            Some(reason) => {
                self.applied.accepted.push(Accepted { finding, by: AcceptedBy::Ignore, reason: Some(reason) });
            }
            None => self.applied.counted.push(finding),
        }
    }

    /// Why a finding is ignored, if it is.
    fn reason(&mut self, declared: &Declared, finding: &Finding) -> Option<String> {
        let mut reason = None;
        for ignore in self.ignores.iter_mut().filter(|ignore| ignore.matches(finding)) {
            ignore.matched += 1;
            if reason.is_none() && ignore.ignore.expires.is_none_or(|last| last >= self.today) {
                reason = Some(ignore.ignore.reason.clone());
            }
        }
        reason.or_else(|| in_yaml(declared, finding))
    }

    fn finish(mut self) -> Applied {
        for ignore in &self.ignores {
            match (ignore.matched, ignore.ignore.expires) {
                (0, _) => self.applied.unused.push(ignore.ignore.at.clone()),
                (n, Some(last)) if last < self.today => {
                    let place = &ignore.ignore.at;
                    self.applied.notes.push(format!("the ignore at {place} ended on {last}; it would match {n}"));
                }
                _ => {}
            }
        }
        self.applied
    }
}

/// An ignore with its patterns ready.
struct Compiled<'a> {
    ignore: &'a Ignore,
    /// The service it stands under in the file.
    only: Option<&'a str>,
    rule: Option<WildMatch>,
    service: Option<WildMatch>,
    object: Option<WildMatch>,
    matched: usize,
}

impl<'a> Compiled<'a> {
    fn new(ignore: &'a Ignore, only: Option<&'a String>) -> Self {
        let compile = |pattern: &Option<String>| pattern.as_deref().map(WildMatch::new);
        Self {
            ignore,
            only: only.map(String::as_str),
            rule: compile(&ignore.rule),
            service: compile(&ignore.service),
            object: compile(&ignore.object),
            matched: 0,
        }
    }

    fn matches(&self, finding: &Finding) -> bool {
        let fits = |pattern: &Option<WildMatch>, text: &str| pattern.as_ref().is_none_or(|glob| glob.matches(text));
        self.only.is_none_or(|service| service == finding.service)
            && fits(&self.rule, finding.rule.name())
            && fits(&self.service, &finding.service)
            && fits(&self.object, &finding.object.to_string())
    }
}

/// The reason of the first `ignore` in the YAML that matches.
fn in_yaml(declared: &Declared, finding: &Finding) -> Option<String> {
    let own = |service: &&DeclaredService| service.name.value == finding.service;
    let ignores = declared.services.iter().find(own)?.ignore.iter();
    let stated = ignores.filter(|ignore| !ignore.reason.trim().is_empty());
    stated.into_iter().find(|ignore| pattern_matches(&ignore.pattern.value, finding)).map(|found| found.reason.clone())
}

/// A pattern over `rule`, `schema.table.member`, or `rule:schema.table.member`.
fn pattern_matches(pattern: &str, finding: &Finding) -> bool {
    let (rule, object) = (finding.rule.name(), finding.object.to_string());
    let both = pattern
        .split_once(':')
        .is_some_and(|(left, right)| WildMatch::new(left).matches(rule) && WildMatch::new(right).matches(&object));
    both || WildMatch::new(pattern).matches(rule) || WildMatch::new(pattern).matches(&object)
}

#[cfg(test)]
mod tests {
    use trueup_model::declared::{Engine, Ignore as YamlIgnore, Prose};
    use trueup_model::finding::{ObjectPath, Severity};
    use trueup_model::location::Located;
    use trueup_model::name::QualifiedName;
    use trueup_model::rule::Rule;

    use super::*;

    const TODAY: Date = Date::constant(2026, 6, 15);

    fn finding(rule: Rule, service: &str, table: &str) -> Finding {
        Finding::new(rule, service, ObjectPath::table(&QualifiedName::new("s", table)))
    }

    fn apply(toml: &str, findings: Vec<Finding>) -> Applied {
        let settings = crate::settings::parse("trueup.toml", toml).unwrap();
        settings.apply(findings, &Declared::default(), TODAY)
    }

    #[test]
    fn a_service_outranks_the_global_severity() {
        let toml = "[rules]\nmissing-table='info'\n[services.b.rules]\nmissing-table='warning'\n";
        let applied = apply(toml, vec![finding(Rule::MissingTable, "a", "t"), finding(Rule::MissingTable, "b", "t")]);
        let severities: Vec<Severity> = applied.counted.iter().map(|finding| finding.severity).collect();
        assert_eq!(severities, [Severity::Info, Severity::Warning]);
    }

    #[test]
    fn switched_off_is_counted_and_unknown_stays() {
        let mut unknown = finding(Rule::ColumnType, "a", "t");
        unknown.state = State::Unknown;
        let applied = apply("[rules]\ncolumn-type='off'\n", vec![finding(Rule::ColumnType, "a", "t"), unknown.clone()]);
        assert_eq!((applied.switched_off, applied.counted), (1, vec![unknown]));
    }

    #[test]
    fn an_ignore_needs_every_pattern_to_match() {
        let toml = "[[ignore]]\nrule='undeclared-*'\nservice='a'\nobject='s.fly*'\nreason='tool'\n";
        let hit = finding(Rule::UndeclaredTable, "a", "flyway_x");
        let misses = vec![
            finding(Rule::MissingTable, "a", "flyway_x"),
            finding(Rule::UndeclaredTable, "b", "flyway_x"),
            finding(Rule::UndeclaredTable, "a", "other"),
        ];
        let applied = apply(toml, misses.iter().cloned().chain([hit.clone()]).collect());
        assert_eq!(applied.counted, misses);
        assert_eq!(applied.accepted, [Accepted { finding: hit, by: AcceptedBy::Ignore, reason: Some("tool".into()) }]);
    }

    #[test]
    fn an_ignore_ends_after_its_day_and_says_so() {
        for (day, counted, notes) in [("2026-06-15", 0, 0), ("2026-06-14", 1, 1)] {
            let toml = format!("[[ignore]]\nrule='missing-table'\nreason='x'\nexpires={day}\n");
            let applied = apply(&toml, vec![finding(Rule::MissingTable, "a", "t")]);
            assert_eq!((applied.counted.len(), applied.notes.len()), (counted, notes), "{day}");
        }
    }

    #[test]
    fn an_ignore_that_matches_nothing_is_named() {
        let applied = apply("\n[[ignore]]\nrule='missing-table'\nreason='x'\n", vec![]);
        assert_eq!(applied.unused[0].to_string(), "trueup.toml:2:1");
    }

    #[test]
    fn an_ignore_of_a_service_stays_in_it() {
        let toml = "[[services.a.ignore]]\nrule='*'\nreason='x'\n";
        let applied = apply(toml, vec![finding(Rule::MissingTable, "a", "t"), finding(Rule::MissingTable, "b", "t")]);
        assert_eq!(applied.counted[0].service, "b");
        assert_eq!(applied.accepted[0].finding.service, "a");
    }

    fn declared(pattern: &str) -> Declared {
        let at = Location::new("a.yaml", 1, 1);
        let engine = Engine { text: String::new(), at: at.clone(), is_postgres: true, major: None, postgis: false };
        Declared {
            services: vec![DeclaredService {
                name: Located::new("a".into(), at.clone()),
                engine,
                schema: None,
                schema_renamed_from: None,
                renamed_from: None,
                tables: vec![],
                extensions: vec![],
                migrations: None,
                owner: None,
                ignore: vec![YamlIgnore { pattern: Located::new(pattern.into(), at), reason: "y".into() }],
                prose: Prose::default(),
            }],
        }
    }

    #[test]
    fn ignores_in_the_yaml_come_in_three_forms_and_stay_in_their_service() {
        let table = [
            ("missing-*", true),
            ("s.t", true),
            ("missing-table:s.*", true),
            ("column-*:s.t", false),
            ("s.other", false),
        ];
        for (pattern, hit) in table {
            let findings = vec![finding(Rule::MissingTable, "a", "t"), finding(Rule::MissingTable, "b", "t")];
            let applied = Settings::default().apply(findings, &declared(pattern), TODAY);
            assert_eq!(applied.accepted.len(), usize::from(hit), "{pattern}");
            assert_eq!(applied.counted.last().map(|finding| finding.service.as_str()), Some("b"), "{pattern}");
        }
    }
}
