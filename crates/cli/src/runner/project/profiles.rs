//! Which of Spring's documents hold for which profiles.

use trueup_intent::properties::FlatDocument;
use trueup_migrations::problem::Problem;
use trueup_model::location::Located;

/// How a key about profiles is written, whatever its spelling.
fn plain(key: &str) -> String {
    let base = key.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')).map_or(key, |(base, _)| base);
    base.replace(['-', '_'], "").to_ascii_lowercase()
}

/// The values of a key in a document, a list's items each.
pub(super) fn values<'d>(document: &'d FlatDocument, key: &str) -> Vec<&'d Located<String>> {
    let mut found: Vec<_> = document.values.iter().filter(|(written, _)| plain(written) == key).collect();
    // `[10]` comes behind `[9]`.
    found.sort_by_key(|(written, _)| (written.len(), written.as_str()));
    found.into_iter().map(|(_, value)| value).collect()
}

/// What a document says about when it holds: `None` when it always does.
fn conditions(document: &FlatDocument) -> Option<Vec<&Located<String>>> {
    let mut found = values(document, "spring.config.activate.onprofile");
    // Until Spring Boot 2.4.
    found.extend(values(document, "spring.profiles"));
    Some(found).filter(|found| !found.is_empty())
}

/// Whether a document holds only under some condition.
pub(super) fn is_conditional(document: &FlatDocument) -> bool {
    conditions(document).is_some() || on_cloud_platform(document)
}

fn on_cloud_platform(document: &FlatDocument) -> bool {
    !values(document, "spring.config.activate.oncloudplatform").is_empty()
}

/// Whether a document holds with these profiles. One for a cloud's platform never does: trueup is on none.
pub(super) fn holds(document: &FlatDocument, active: &[String], problems: &mut Vec<Problem>) -> bool {
    if on_cloud_platform(document) {
        return false;
    }
    let Some(conditions) = conditions(document) else { return true };
    let mut any = false;
    for condition in conditions {
        for expression in condition.value.split(',').filter(|part| !part.trim().is_empty()) {
            match evaluate(expression, active) {
                Ok(holds) => any |= holds,
                Err(why) => problems.push(Problem::blocking(
                    condition.at.clone(),
                    format!("`{}` is no expression of profiles: {why}", condition.value),
                    "write names, with ! & | and parentheses",
                )),
            }
        }
    }
    any
}

/// How deeply expressions may be nested.
const DEEPEST: usize = 32;

/// Spring's expressions: names, `!`, `&`, `|`, parentheses; `&` and `|` are not mixed without them.
fn evaluate(expression: &str, active: &[String]) -> Result<bool, &'static str> {
    let mut reader = Expression { rest: expression.trim_start(), active };
    let holds = reader.terms(0)?;
    if reader.rest.is_empty() { Ok(holds) } else { Err("something follows its end") }
}

struct Expression<'e> {
    rest: &'e str,
    active: &'e [String],
}

impl Expression<'_> {
    fn takes(&mut self, symbol: char) -> bool {
        let Some(rest) = self.rest.strip_prefix(symbol) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn terms(&mut self, depth: usize) -> Result<bool, &'static str> {
        let mut holds = self.term(depth)?;
        let mut operator = None;
        while let Some(next) = self.rest.chars().next().filter(|next| matches!(next, '&' | '|')) {
            if operator.is_some_and(|before| before != next) {
                return Err("& and | need parentheses");
            }
            operator = Some(next);
            self.takes(next);
            let term = self.term(depth)?;
            holds = if next == '&' { holds & term } else { holds | term };
        }
        Ok(holds)
    }

    fn term(&mut self, depth: usize) -> Result<bool, &'static str> {
        if depth > DEEPEST {
            return Err("it is nested too deeply");
        }
        if self.takes('!') {
            return self.term(depth + 1).map(|holds| !holds);
        }
        if self.takes('(') {
            let holds = self.terms(depth + 1)?;
            return if self.takes(')') { Ok(holds) } else { Err("a parenthesis is not closed") };
        }
        let end = self.rest.find(|c: char| matches!(c, '!' | '&' | '|' | '(' | ')') || c.is_whitespace());
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() {
            return Err("a name is missing");
        }
        self.rest = rest.trim_start();
        Ok(self.active.iter().any(|active| active == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_springs() {
        let active = ["prod".to_owned(), "eu".to_owned()];
        for (expression, expected) in [
            ("prod", true),
            ("dev", false),
            ("!dev", true),
            (" prod & !us ", true),
            ("dev | (prod & eu)", true),
            ("!(prod | dev)", false),
            ("dev & prod", false),
            ("!!prod", true),
        ] {
            assert_eq!(evaluate(expression, &active), Ok(expected), "{expression}");
        }
        for wrong in ["a & b | c", "(a", "a)", "", "a b", "!", "a &"] {
            assert!(evaluate(wrong, &active).is_err(), "{wrong}");
        }
        assert!(evaluate(&"!".repeat(100_000), &active).is_err());
    }
}
