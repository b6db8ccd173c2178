//! From the TOML document to [`Settings`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use trueup_model::finding::{Severity, State};
use trueup_model::location::Located;
use trueup_model::rule::Rule;

use super::reader::{Reader, Table};
use super::{CheckSettings, Ignore, Level, PortalSettings, Secret, ServiceSettings, Settings};
use crate::args::ErdEngine;
use crate::report::InputError;
use crate::suggest::nearest;

/// Reads the whole file; all of its mistakes, or none.
pub(super) fn settings(name: &str, text: &str) -> Result<Settings, Vec<InputError>> {
    let reader = Reader::new(name, text);
    let (document, syntax) = DeTable::parse_recoverable(text);
    for error in &syntax {
        reader.wrong(error.span().map_or(0, |span| span.start), error.message(), "");
    }
    let settings = top(&Table::new(&reader, String::new(), document.get_ref(), 0..0));
    let errors = reader.into_errors();
    if errors.is_empty() { Ok(settings) } else { Err(errors) }
}

fn top(table: &Table<'_, '_>) -> Settings {
    let settings = Settings {
        intent: table.strings("intent"),
        baseline: table.string("baseline"),
        check: table.table("check").map(|table| check(&table)).unwrap_or_default(),
        before: table.table("replay").map(|table| before(&table)).unwrap_or_default(),
        rules: table.table("rules").map(|rules| levels(&rules)).unwrap_or_default(),
        ignore: table.tables("ignore").into_iter().filter_map(|entry| ignore(&entry, true)).collect(),
        portal: table.table("portal").map(|table| portal(&table)).unwrap_or_default(),
        services: table.table("services").map(|all| services(&all)).unwrap_or_default(),
    };
    table.finish();
    settings
}

fn check(table: &Table<'_, '_>) -> CheckSettings {
    let small = |n: u64| usize::try_from(n).ok();
    let settings = CheckSettings {
        postgres: table.number("postgres", 13..=99).and_then(|major| u16::try_from(major).ok()),
        pg_bin: table.string("pg_bin").map(|path| PathBuf::from(path.value)),
        scratch_url: table.string("scratch_url").map(|url| Secret::new(url.value)),
        deadline: deadline(table),
        jobs: table.number("jobs", 1..=1024).and_then(small),
        cache: table.boolean("cache"),
    };
    table.finish();
    settings
}

fn portal(table: &Table<'_, '_>) -> PortalSettings {
    let settings = PortalSettings {
        environments: table.strings("environments"),
        main: table.string("main"),
        source: table.string("source"),
        source_ref: table.string("source_ref"),
        title: table.string("title"),
        erd: table.get("erd").and_then(|value| engine(table.reader, value)),
        plantuml: table.string("plantuml"),
    };
    table.finish();
    settings
}

fn engine(reader: &Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<ErdEngine> {
    match value.get_ref().as_str() {
        Some("trueup") => Some(ErdEngine::Trueup),
        Some("plantuml") => Some(ErdEngine::Plantuml),
        _ => {
            reader.wrong(value.span().start, "`portal.erd` needs \"trueup\" or \"plantuml\"", "");
            None
        }
    }
}

/// `90s`, `2m`, or a number of seconds.
fn deadline(table: &Table<'_, '_>) -> Option<Duration> {
    let value = table.get("deadline")?;
    let parsed = match value.get_ref() {
        DeValue::String(text) => text.parse::<SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok()),
        DeValue::Integer(number) => number.as_str().parse().ok().map(Duration::from_secs),
        _ => None,
    };
    parsed
        .filter(|span| !span.is_zero())
        .or_else(|| table.expected("deadline", "a span of time such as \"90s\" or \"5m\"", value))
}

fn before(table: &Table<'_, '_>) -> Vec<Located<String>> {
    let files = table.strings("before");
    table.finish();
    files
}

fn levels(table: &Table<'_, '_>) -> BTreeMap<Rule, Level> {
    table.entries().filter_map(|(name, offset, value)| level(table, name, offset, value)).collect()
}

fn level(table: &Table<'_, '_>, name: &str, offset: usize, value: &Spanned<DeValue<'_>>) -> Option<(Rule, Level)> {
    let Ok(rule) = name.parse::<Rule>() else {
        unknown_rule(table.reader, name, offset);
        return None;
    };
    let level = match value.get_ref().as_str() {
        Some("error") => Level::Severity(Severity::Error),
        Some("warning") => Level::Severity(Severity::Warning),
        Some("info") => Level::Severity(Severity::Info),
        Some("off") => Level::Off,
        _ => {
            let message = format!("`{name}` needs a level: \"error\", \"warning\", \"info\" or \"off\"");
            table.reader.wrong(value.span().start, message, "");
            return None;
        }
    };
    if level == Level::Off && rule.info().state == State::Unknown {
        let message = format!("`{name}` cannot be switched off: it says that something is unknown");
        table.reader.wrong(value.span().start, message, "accept it with a reason, by [[ignore]] or in the baseline");
        return None;
    }
    Some((rule, level))
}

fn unknown_rule(reader: &Reader<'_>, name: &str, offset: usize) {
    let help = nearest(name, Rule::ALL.iter().map(|rule| rule.name())).map_or_else(
        || "`trueup check --explain` lists the rules".to_owned(),
        |rule| format!("did you mean `{rule}`?"),
    );
    reader.wrong(offset, format!("no rule is named `{name}`"), help);
}

/// One `[[ignore]]`; `service` is no key inside `[services.NAME]`.
fn ignore(table: &Table<'_, '_>, with_service: bool) -> Option<Ignore> {
    let rule = table.string("rule").map(|pattern| pattern.value);
    let service = if with_service { table.string("service").map(|pattern| pattern.value) } else { None };
    let object = table.string("object").map(|pattern| pattern.value);
    let (expires, reason) = (expires(table), table.string("reason"));
    let (reader, start) = (table.reader, table.span.start);
    known_rule(reader, start, rule.as_deref());
    if rule.is_none() && service.is_none() && object.is_none() {
        let keys = if with_service { "`rule`, `service` or `object`" } else { "`rule` or `object`" };
        reader.wrong(start, format!("this ignore names nothing; give {keys}"), "`*` stands for any characters");
    }
    let reason = reason.map(|reason| reason.value).filter(|reason| !reason.trim().is_empty());
    if reason.is_none() {
        reader.wrong(start, "this ignore has no reason", "add `reason = \"…\"`: the next reader will want to know");
    }
    table.finish();
    Some(Ignore { at: reader.at(start), rule, service, object, reason: reason?, expires })
}

/// A pattern without wildcards has to name a rule.
fn known_rule(reader: &Reader<'_>, offset: usize, pattern: Option<&str>) {
    if let Some(name) = pattern.filter(|name| !name.contains(['*', '?']) && name.parse::<Rule>().is_err()) {
        unknown_rule(reader, name, offset);
    }
}

/// A day, as a TOML date or as a string.
fn expires(table: &Table<'_, '_>) -> Option<Date> {
    let value = table.get("expires")?;
    let text = match value.get_ref() {
        DeValue::Datetime(date) if date.time.is_none() => date.to_string(),
        DeValue::String(text) => text.to_string(),
        _ => String::new(),
    };
    text.parse().ok().or_else(|| table.expected("expires", "a day such as 2027-01-31", value))
}

fn services(table: &Table<'_, '_>) -> BTreeMap<String, ServiceSettings> {
    let mut all = BTreeMap::new();
    for (name, offset, value) in table.entries() {
        if let Some(entry) = table.as_table(name, value) {
            let mut settings = service(&entry);
            settings.at = Some(table.reader.at(offset));
            all.insert(name.to_owned(), settings);
        }
    }
    all
}

fn service(table: &Table<'_, '_>) -> ServiceSettings {
    let settings = ServiceSettings {
        at: None,
        migrations: table.strings("migrations"),
        before: table.table("replay").map(|table| before(&table)).unwrap_or_default(),
        rules: table.table("rules").map(|rules| levels(&rules)).unwrap_or_default(),
        ignore: table.tables("ignore").into_iter().filter_map(|entry| ignore(&entry, false)).collect(),
    };
    table.finish();
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
intent = ["architecture/metadata/*.yaml"]
baseline = "ci/baseline.json"

[check]
postgres = 15
pg_bin = "/opt/pg/bin"
deadline = "2m"
jobs = 4
cache = false

[replay]
before = "sql/roles.sql"

[rules]
index-name = "off"
column-type = "warning"

[[ignore]]
rule = "undeclared-*"
object = "*.flyway_*"
reason = "Flyway's own"
expires = 2027-01-31

[portal]
environments = ["dev=records/dev", "prod=records/prod"]
main = "trunk"
erd = "plantuml"

[services.svc-x]
migrations = "db/x"
replay.before = ["sql/x.sql"]
rules = { column-type = "error" }
[[services.svc-x.ignore]]
rule = "column-default"
reason = "set by the ORM"
"#;

    #[test]
    fn a_whole_file_is_understood() {
        let settings = settings("trueup.toml", GOOD).unwrap();
        assert_eq!(settings.intent[0].at.to_string(), "trueup.toml:2:11");
        assert_eq!(settings.check.deadline, Some(Duration::from_secs(120)));
        assert_eq!((settings.check.postgres, settings.check.jobs), (Some(15), Some(4)));
        assert_eq!(settings.before[0].value, "sql/roles.sql");
        assert_eq!(settings.rules[&Rule::IndexName], Level::Off);
        assert_eq!(settings.ignore[0].expires, Some(Date::constant(2027, 1, 31)));
        let environments: Vec<_> = settings.portal.environments.iter().map(|one| one.value.as_str()).collect();
        assert_eq!(environments, ["dev=records/dev", "prod=records/prod"]);
        assert_eq!(settings.portal.erd, Some(ErdEngine::Plantuml));
        assert_eq!(settings.portal.main.as_ref().map(|name| name.value.as_str()), Some("trunk"));
        let service = &settings.services["svc-x"];
        assert_eq!(service.migrations[0].value, "db/x");
        assert_eq!(service.before[0].value, "sql/x.sql");
        assert_eq!(service.rules[&Rule::ColumnType], Level::Severity(Severity::Error));
        assert_eq!(service.ignore[0].reason, "set by the ORM");
    }

    /// The mistakes of a text, one a line.
    fn mistakes(text: &str) -> String {
        let line = |error: InputError| {
            let help = if error.help.is_empty() { String::new() } else { format!(" ({})", error.help) };
            format!("{}: {}{help}\n", error.location.unwrap(), error.message)
        };
        settings("trueup.toml", text).unwrap_err().into_iter().map(line).collect()
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let table = [
            ("inten = 'x'", "1:1: unknown key `inten` at the top (did you mean `intent`?)"),
            ("intent = 7", "1:10: `intent` is 7; expected a list of strings"),
            ("intent = ['a', 7]", "1:16: `intent` is 7; expected a list of strings"),
            ("check = 1", "1:9: `check` is 1; expected a table"),
            ("[check]\njob = 1", "2:1: unknown key `job` in [check] (did you mean `jobs`?)"),
            ("[check]\njobs = 0", "2:8: `check.jobs` is 0; expected a whole number from 1 to 1024"),
            ("[check]\njobs = -1", "2:8: `check.jobs` is -1; expected a whole number from 1 to 1024"),
            ("[check]\npostgres = 9", "2:12: `check.postgres` is 9; expected a whole number from 13 to 99"),
            ("[check]\ncache = 'yes'", "2:9: `check.cache` is \"yes\"; expected true or false"),
            ("[check]\ndeadline = '-5s'", "2:12: `check.deadline` is \"-5s\"; expected a span of time"),
            ("[check]\ndeadline = 0", "2:12: `check.deadline` is 0; expected a span of time"),
            ("[rules]\nmissing-tabel = 'off'", "2:1: no rule is named `missing-tabel` (did you mean `missing-table`?)"),
            ("[rules]\nmissing-table = 'fatal'", "2:17: `missing-table` needs a level"),
            (
                "[rules]\nreplay-failed = 'off'",
                "2:17: `replay-failed` cannot be switched off: it says that something is unknown",
            ),
            ("[[ignore]]\nreason = 'x'", "1:1: this ignore names nothing; give `rule`, `service` or `object`"),
            ("[[ignore]]\nrule = 'missing-table'\nreason = ' '", "1:1: this ignore has no reason"),
            ("[[ignore]]\nrule = 'nope'\nreason = 'x'", "no rule is named `nope`"),
            (
                "[[ignore]]\nrule = '*'\nreason = 'x'\nexpires = 'soon'",
                "4:11: `ignore.expires` is \"soon\"; expected a day",
            ),
            ("[[ignore]]\nrule = '*'\nreason = 'x'\nexpires = 2027-02-30", "4:11: "),
            ("ignore = 1", "1:10: `ignore` is 1; expected a list of tables, [[ignore]]"),
            (
                "[services.x]\nmigration = 'a'",
                "2:1: unknown key `migration` in [services.x] (did you mean `migrations`?)",
            ),
            ("[services]\nx = 1", "2:5: `services.x` is 1; expected a table"),
            (
                "[portal]\nenvironment = 'a=b'",
                "2:1: unknown key `environment` in [portal] (did you mean `environments`?)",
            ),
            ("[portal]\nerd = 'dot'", "2:7: `portal.erd` needs \"trueup\" or \"plantuml\""),
            ("[portal]\nmain = 7", "2:8: `portal.main` is 7; expected a string in quotes"),
            ("é = 'x' \nintent = 1", "2:10: `intent` is 1"),
            ("intent = [", "1:"),
            ("a = 1\na = 2", "2:1: duplicate key"),
        ];
        for (text, expected) in table {
            let found = mistakes(text);
            assert!(
                found.contains(&format!("trueup.toml:{expected}")) || found.contains(&format!(": {expected}")),
                "{text}\n{found}"
            );
        }
    }

    #[test]
    fn all_mistakes_come_at_once_in_the_order_of_the_file() {
        let found = mistakes("intent = 1\nbaselin = 'x'\n[check]\njobs = 'many'\n[rules]\nnope = 'off'\n");
        let lines: Vec<&str> = found.lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(lines, ["trueup.toml:1:10", "trueup.toml:2:1", "trueup.toml:4:8", "trueup.toml:6:1"]);
    }

    #[test]
    fn a_syntax_error_hides_no_other_mistake() {
        let found = mistakes("intent = = 1\n[check]\njobs = 'many'\n");
        assert!(found.contains("trueup.toml:1:") && found.contains("trueup.toml:3:8"), "{found}");
    }

    #[test]
    fn hostile_files_are_refused_quickly() {
        for text in ["[".repeat(100_000), format!("a = {}", "[".repeat(100_000)), "a.".repeat(50_000), "\u{0}".into()] {
            let start = std::time::Instant::now();
            assert!(settings("trueup.toml", &text).is_err());
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", &text[..4.min(text.len())]);
        }
    }
}
