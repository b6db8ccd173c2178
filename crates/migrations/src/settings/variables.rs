//! `FLYWAY_*` environment variables.

use trueup_model::location::{Located, Location};

use super::{Settings, keys};
use crate::problem::Problem;

/// Reads Flyway's environment variables (`FLYWAY_OUT_OF_ORDER`, `FLYWAY_PLACEHOLDERS_NAME`, …) into the settings; other
/// variables are left alone. Their place is `environment:1:1` with the variable's name for a file. Gives every problem
/// found: a `FLYWAY_*` that means nothing is a notice.
pub fn read_variables(settings: &mut Settings, variables: &[(String, String)]) -> Vec<Problem> {
    let ours = variables.iter().filter_map(|(name, value)| Some((name, name.strip_prefix("FLYWAY_")?, value)));
    let mut problems = Vec::new();
    for (name, key, value) in ours {
        let at = Location::whole(name.as_str());
        let value = Located::new(value.clone(), at.clone());
        let result = match (key.strip_prefix("PLACEHOLDERS_"), key.strip_prefix("JDBC_PROPERTIES_")) {
            (Some(placeholder), _) => settings.set(&format!("placeholders.{}", placeholder.to_lowercase()), value),
            (_, Some(property)) => settings.set(&format!("jdbcProperties.{property}"), value),
            _ => match keys::canonical(&key.replace('_', "")) {
                Some(known) => settings.set(known, value),
                None => Err(Problem::notice(
                    at,
                    format!("the environment variable `{name}` is none of Flyway's: it has no effect"),
                    "correct its name, or remove it",
                )),
            },
        };
        problems.extend(result.err());
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_flyways_and_unknown_ones_are_said() {
        let variables = [
            ("FLYWAY_OUT_OF_ORDER", "true"),
            ("FLYWAY_PLACEHOLDERS_Db_Name", "x"),
            ("FLYWAY_POSTGRESQL_TRANSACTIONAL_LOCK", "false"),
            ("FLYWAY_PASSWORD", "secret"),
            ("FLYWAY_NOPE", "1"),
            ("FLYWAY_MIXED", "perhaps"),
            ("PATH", "/bin"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut settings = Settings::default();
        let problems = read_variables(&mut settings, &variables);
        assert!(settings.out_of_order.value);
        assert_eq!(settings.placeholders["db_name"].value, "x");
        assert_eq!(settings.runner["postgresql.transactional.lock"].value, "false");
        assert!(!format!("{settings:?}").contains("secret"));
        let said: Vec<_> = problems.iter().map(|problem| (problem.at.file.as_ref(), problem.blocking)).collect();
        assert_eq!(said, [("FLYWAY_NOPE", false), ("FLYWAY_MIXED", true)]);
    }
}
