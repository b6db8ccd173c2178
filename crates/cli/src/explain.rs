//! What a rule means: for `--explain RULE`, and the page of the documentation, from the same declaration.

use std::fmt::Write as _;

use trueup_model::finding::{Severity, State};
use trueup_model::rule::{Rule, UnknownRule};

use crate::report::human::{Style, Tone};
use crate::report::text;
use crate::suggest::nearest;

mod example;

pub use example::{Example, example};

/// The explanation of a rule for a terminal.
pub fn explain(rule: Rule, style: &Style) -> String {
    let info = rule.info();
    let mut out = format!("{}  {}\n", style.paint(Tone::Strong, info.name), style.paint(Tone::Faint, &facts(rule)));
    paragraph(&mut out, &format!("{}.", info.summary), style);
    paragraph(&mut out, info.explanation, style);
    let example = example(rule);
    side(&mut out, "The YAML", example.yaml, style);
    side(&mut out, "The migrations", example.sql, style);
    out.push_str("\nIn trueup.toml\n");
    for line in settings_of(rule).lines() {
        let _ = writeln!(out, "  {}", style.paint(Tone::Command, line));
    }
    out
}

/// The explanation of the rule that is called `name`, or what to type instead.
pub fn explain_named(name: &str, style: &Style) -> Result<String, String> {
    name.parse().map(|rule| explain(rule, style)).map_err(|UnknownRule(name)| {
        let shown = text::clean(&name, text::NAME);
        match nearest(&name, Rule::ALL.iter().map(|rule| rule.name())) {
            Some(rule) => format!("no rule is named `{shown}`; did you mean `{rule}`?"),
            None => format!("no rule is named `{shown}`. The rules are:\n{}", list()),
        }
    })
}

/// Every rule in one line.
pub fn list() -> String {
    let widest = Rule::ALL.iter().map(|rule| rule.name().len()).max().unwrap_or(0);
    Rule::ALL.iter().map(|rule| format!("{}  {}\n", text::pad(rule.name(), widest), rule.info().summary)).collect()
}

/// The page of the documentation about all rules, Markdown.
pub fn rules_page() -> String {
    let mut page = String::from(
        "# Rules\n\n\
         <!-- Generated from the rules' declarations: TRUEUP_UPDATE_DOCS=1 cargo test -p trueup --lib -->\n\n\
         Every finding names its rule. `trueup check --explain RULE` prints what stands here; `[rules]` in\n\
         `trueup.toml` gives a rule another severity or switches it off. A rule whose state is *unknown* cannot be\n\
         switched off: what is not known is accepted with a reason, or settled.\n\n\
         | rule | severity | state | speaks when |\n|---|---|---|---|\n",
    );
    for rule in Rule::ALL {
        let info = rule.info();
        let (severity, state) = (severity(info.severity), state(info.state));
        let _ = writeln!(page, "| [`{0}`](#{0}) | {severity} | {state} | {1} |", info.name, cell(info.summary));
    }
    Rule::ALL.iter().for_each(|&rule| section(&mut page, rule));
    page
}

fn section(page: &mut String, rule: Rule) {
    let (info, example) = (rule.info(), example(rule));
    let _ = write!(page, "\n## {}\n\n{}.\n\n{}\n", info.name, info.summary, info.explanation);
    for (title, language, text) in [("YAML", "yaml", example.yaml), ("Migrations", "sql", example.sql)] {
        if !text.is_empty() {
            let _ = write!(page, "\n{title}:\n\n```{language}\n{text}\n```\n");
        }
    }
}

/// A summary inside a table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn facts(rule: Rule) -> String {
    let info = rule.info();
    format!("{}, {}", severity(info.severity), state(info.state))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Unmigrated => "unmigrated",
        State::Pending => "pending",
        State::Drift => "drift",
        State::OutOfBand => "out-of-band",
        State::Unknown => "unknown",
        State::Lint => "lint",
    }
}

fn paragraph(out: &mut String, text: &str, style: &Style) {
    out.push('\n');
    for line in textwrap::wrap(text, style.width.clamp(40, 100)) {
        let _ = writeln!(out, "{line}");
    }
}

fn side(out: &mut String, title: &str, text: &str, style: &Style) {
    if text.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{title}");
    for line in text.lines() {
        let _ = writeln!(out, "  {}", style.paint(Tone::Command, line));
    }
}

fn settings_of(rule: Rule) -> String {
    let name = rule.name();
    if rule.info().state == State::Unknown {
        return format!("[[ignore]]\nrule = \"{name}\"\nobject = \"schema.table*\"\nreason = \"…\"");
    }
    format!("[rules]\n{name} = \"error\"   # or \"warning\", \"info\", \"off\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_rule() {
        insta::assert_snapshot!(explain(Rule::MissingForeignKey, &Style::plain(80)));
    }

    #[test]
    fn every_rule_is_explained_in_full_within_the_page() {
        for &rule in Rule::ALL {
            let info = rule.info();
            let page = explain(rule, &Style::plain(80));
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [info.name, info.summary, info.explanation, severity(info.severity), state(info.state)] {
                assert!(words(&page).contains(&words(part)), "{rule}: {part}");
            }
            assert!(page.lines().all(|line| text::width(line) <= 80), "{page}");
            let example = example(rule);
            assert!(!example.yaml.is_empty() || !example.sql.is_empty(), "{rule} has no example");
        }
    }

    #[test]
    fn settings_that_are_proposed_are_understood() {
        for &rule in Rule::ALL {
            crate::settings::parse("trueup.toml", &settings_of(rule)).unwrap();
        }
    }

    #[test]
    fn an_unknown_rule_is_answered_with_the_nearest_or_all() {
        let style = Style::plain(80);
        assert_eq!(
            explain_named("mising-table", &style),
            Err("no rule is named `mising-table`; did you mean `missing-table`?".into())
        );
        let all = explain_named("\u{1b}[31m zzz", &style).unwrap_err();
        assert!(!all.contains('\u{1b}'));
        assert!(Rule::ALL.iter().all(|rule| all.contains(rule.name())));
        assert!(explain_named("missing-table", &style).is_ok());
    }

    #[test]
    fn the_published_page_is_current() {
        crate::docs::assert_current("docs/reference/rules.md", &rules_page());
    }
}
