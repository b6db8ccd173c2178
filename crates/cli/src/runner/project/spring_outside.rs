//! What the environment says to Spring Boot itself: `SPRING_APPLICATION_JSON`, which profiles there are, and where else to look.
//!
//! Spring's order: the JSON outranks variables, and those outrank files.

use serde_json::Value;
use trueup_migrations::problem::Problem;
use trueup_model::location::{Located, Location};

const JSON: &str = "SPRING_APPLICATION_JSON";

/// Keys that lead Spring to other settings than those that are read here.
const ELSEWHERE: [&str; 5] = [
    "spring.config.location",
    "spring.config.additional-location",
    "spring.config.name",
    "spring.config.import",
    "spring.profiles.include",
];

/// What was said outside of files.
#[derive(Debug, Default)]
pub(super) struct SpringOutside {
    /// `spring.profiles.active`.
    pub(super) active: Vec<String>,
    /// `spring.profiles.default`.
    pub(super) default: Vec<String>,
    /// What the JSON sets, as entries of a file would be.
    pub(super) json: Vec<(String, Located<String>)>,
}

impl SpringOutside {
    /// Reads the variables; what keeps the settings from being known is in `problems`.
    pub(super) fn of(variables: &[(String, String)], problems: &mut Vec<Problem>) -> Self {
        let texts = variables.iter().filter(|(name, text)| name == JSON && !text.is_empty());
        let json: Vec<_> = texts.flat_map(|(_, text)| read(text, problems)).collect();
        let of_json = json.iter().map(|(key, value)| (plain(key), value));
        let of_variables = variables.iter().map(|(name, value)| {
            // `SPRING_PROFILES_ACTIVE_0_` is an item of the list, as `spring.profiles.active[0]` is.
            (plain(&name.replace('_', ".")), Located::new(value.clone(), Location::whole(name.as_str())))
        });
        let of_variables: Vec<_> = of_variables.collect();
        let set: Vec<_> = of_json.chain(of_variables.iter().map(|(key, value)| (key.clone(), value))).collect();
        for key in ELSEWHERE {
            let led = set.iter().filter(|(written, value)| *written == plain(key) && !value.value.trim().is_empty());
            problems.extend(led.map(|(_, value)| elsewhere(key, &value.at)));
        }
        let list = |key: &str| {
            // All of the first that says it: lists are not mixed.
            let mut found = set.iter().filter(|(written, _)| *written == plain(key)).map(|(_, value)| *value);
            let first = found.next();
            let is_json = |value: &Located<String>| value.at.file.as_ref() == JSON;
            let rest = found.filter(|value| first.is_some_and(|first| is_json(first) == is_json(value)));
            first.into_iter().chain(rest).flat_map(|value| names(&value.value)).collect()
        };
        Self { active: list("spring.profiles.active"), default: list("spring.profiles.default"), json }
    }

    /// What the JSON says of a key, as a placeholder names it.
    pub(super) fn get(&self, key: &str) -> Option<String> {
        self.json.iter().find(|(written, _)| written == key).map(|(_, value)| value.value.clone())
    }
}

/// The names of a list with commas.
pub(super) fn names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// A key without what Spring passes over: case, dashes, dots between words, and the number of an item.
fn plain(key: &str) -> String {
    let base = key.split('[').next().unwrap_or(key).trim_end_matches('.');
    let base = base
        .rsplit_once('.')
        .filter(|(_, item)| item.bytes().all(|byte| byte.is_ascii_digit()))
        .map_or(base, |(list, _)| list);
    base.replace(['-', '.', '_'], "").to_ascii_lowercase()
}

fn elsewhere(key: &str, at: &Location) -> Problem {
    let help = if key == "spring.profiles.include" {
        "name those profiles with --spring-profiles or in SPRING_PROFILES_ACTIVE"
    } else {
        "unset it here, and give what Flyway needs with FLYWAY_* variables or --set"
    };
    Problem::blocking(at.clone(), format!("`{key}` is set in the environment, and trueup does not follow it"), help)
}

/// What the JSON sets. Its text is in no message: it may hold passwords.
fn read(text: &str, problems: &mut Vec<Problem>) -> Vec<(String, Located<String>)> {
    let mut entries = Vec::new();
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(fields)) => fields.iter().for_each(|(key, value)| flatten(key.clone(), value, &mut entries)),
        Ok(_) => problems.push(Problem::blocking(
            Location::whole(JSON),
            "the variable holds no JSON object".to_owned(),
            "write settings as {\"spring\": {\"flyway\": {…}}}, or unset it",
        )),
        Err(error) => {
            let at = Location::new(
                JSON,
                u32::try_from(error.line()).unwrap_or(1),
                u32::try_from(error.column()).unwrap_or(1),
            );
            let what = if error.is_eof() { "it ends too early" } else { "it is not as JSON has to be" };
            problems.push(Problem::blocking(
                at,
                format!("the variable cannot be read: {what}"),
                "correct it, or unset it",
            ));
        }
    }
    entries
}

/// Keys joined with dots, items as `key[0]`, as Spring does it; null and an empty object say nothing, an empty list is set.
fn flatten(key: String, value: &Value, entries: &mut Vec<(String, Located<String>)>) {
    let text = match value {
        Value::Null => return,
        Value::Object(fields) => {
            return fields.iter().for_each(|(own, value)| flatten(format!("{key}.{own}"), value, entries));
        }
        Value::Array(items) if !items.is_empty() => {
            return items.iter().enumerate().for_each(|(at, item)| flatten(format!("{key}[{at}]"), item, entries));
        }
        Value::Array(_) => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    entries.push((key, Located::new(text, Location::whole(JSON))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> (SpringOutside, Vec<String>) {
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut problems = Vec::new();
        let outside = SpringOutside::of(&variables, &mut problems);
        assert!(problems.iter().all(|problem| problem.blocking));
        (outside, problems.iter().map(|problem| format!("{}: {}", problem.at, problem.message)).collect())
    }

    #[test]
    fn json_is_flat_settings() {
        let text = r#"{"spring": {"flyway": {"locations": ["a", "b"], "out-of-order": true, "connect-retries": 3, "table": null}}, "spring.flyway.schemas": "x"}"#;
        let (outside, problems) = of(&[(JSON, text)]);
        let entries: Vec<_> = outside.json.iter().map(|(key, value)| (key.as_str(), value.value.as_str())).collect();
        assert_eq!(problems, [""; 0]);
        let mut expected = vec![
            ("spring.flyway.locations[0]", "a"),
            ("spring.flyway.locations[1]", "b"),
            ("spring.flyway.out-of-order", "true"),
            ("spring.flyway.connect-retries", "3"),
            ("spring.flyway.schemas", "x"),
        ];
        expected.sort_unstable();
        let mut entries = entries;
        entries.sort_unstable();
        assert_eq!(entries, expected);
    }

    #[test]
    fn an_empty_list_in_the_json_is_set_and_an_empty_variable_says_nothing() {
        let (outside, problems) = of(&[(JSON, r#"{"a": {"b": [], "c": {}, "d": null, "e": ""}}"#)]);
        let entries: Vec<_> = outside.json.iter().map(|(key, value)| (key.as_str(), value.value.as_str())).collect();
        assert_eq!((entries, problems), (vec![("a.b", ""), ("a.e", "")], Vec::new()));
        let (outside, problems) = of(&[(JSON, "")]);
        assert_eq!((outside.json, problems), (Vec::new(), Vec::new()));
    }

    #[test]
    fn the_json_outranks_the_variables() {
        let both = [("SPRING_PROFILES_ACTIVE", "a, b"), (JSON, r#"{"spring.profiles.active": ["c", "d"]}"#)];
        assert_eq!(of(&both).0.active, ["c", "d"]);
        assert_eq!(of(&both[..1]).0.active, ["a", "b"]);
        assert_eq!(of(&[("SPRING_PROFILES_ACTIVE_0_", "a"), ("SPRING_PROFILES_ACTIVE_1", "b")]).0.active, ["a", "b"]);
        let (outside, problems) = of(&[("SPRING_PROFILES_DEFAULT", "local")]);
        assert_eq!((outside.default, outside.active, problems), (vec!["local".to_owned()], Vec::new(), Vec::new()));
    }

    #[test]
    fn what_leads_elsewhere_is_refused_by_name() {
        for (name, key) in [
            ("SPRING_CONFIG_LOCATION", "spring.config.location"),
            ("SPRING_CONFIG_ADDITIONAL_LOCATION", "spring.config.additional-location"),
            ("SPRING_CONFIG_ADDITIONALLOCATION", "spring.config.additional-location"),
            ("SPRING_CONFIG_NAME", "spring.config.name"),
            ("SPRING_CONFIG_IMPORT", "spring.config.import"),
            ("SPRING_PROFILES_INCLUDE", "spring.profiles.include"),
        ] {
            let said = format!("{name}:1:1: `{key}` is set in the environment, and trueup does not follow it");
            assert_eq!(of(&[(name, "x")]).1, [said]);
            assert_eq!(of(&[(name, " ")]).1, [""; 0], "an empty variable says nothing");
        }
        let (_, problems) = of(&[(JSON, r#"{"spring": {"config": {"additionalLocation": "file:x"}}}"#)]);
        assert!(
            problems[0].starts_with("SPRING_APPLICATION_JSON:1:1: `spring.config.additional-location`"),
            "{problems:?}"
        );
    }

    #[test]
    fn what_is_no_json_is_refused_and_not_shown() {
        for text in ["[1]", "\"secret\"", "{\"a\": secret}", "{\"a\": \"secret", " "] {
            let (outside, problems) = of(&[(JSON, text)]);
            assert_eq!((outside.json.len(), problems.len()), (0, 1), "{text}");
            assert!(problems[0].starts_with(JSON) && !problems[0].contains("secret"), "{problems:?}");
        }
    }
}
