//! `flyway.conf`, and the `.conf` beside a script.

use std::sync::Arc;

use trueup_model::location::Located;

use super::{Environment, Settings};
use crate::encoding::Encoding;
use crate::problem::Problem;
use crate::properties;

/// Reads `flyway.conf` into the settings: `flyway.key=value`, `${VARIABLE}` from the environment, empty when unset.
/// Gives every problem found.
pub fn read_conf(settings: &mut Settings, text: &str, file: &Arc<str>, environment: Environment<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for property in properties::parse(text, file) {
        let value = Located::new(expand(&property.value.value, environment), property.value.at);
        let result = match property.key.strip_prefix("flyway.") {
            Some(key) => settings.set(key, value),
            None => Err(Problem::blocking(
                value.at,
                format!("Unknown configuration property: {}", property.key),
                "keys of this file start with `flyway.`",
            )),
        };
        problems.extend(result.err());
    }
    problems
}

fn expand(value: &str, environment: Environment<'_>) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { break };
        out.push_str(before);
        out.push_str(&environment(name).unwrap_or_default());
        rest = tail;
    }
    out + rest
}

/// What `<script>.conf` says about one script.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScriptConfig {
    /// Whether the script runs in a transaction, whatever its statements need.
    pub execute_in_transaction: Option<bool>,
    /// The script's own encoding.
    pub encoding: Option<Encoding>,
    /// Whether placeholders are replaced in it.
    pub placeholder_replacement: Option<bool>,
}

/// Reads the `.conf` beside a script.
///
/// # Errors
/// Every key that is unknown or not supported, and every value of the wrong form.
pub fn read_script_config(text: &str, file: &Arc<str>) -> Result<ScriptConfig, Vec<Problem>> {
    let mut config = ScriptConfig::default();
    let problems: Vec<Problem> = properties::parse(text, file)
        .into_iter()
        .filter_map(|property| set_script_key(&mut config, &property).err())
        .collect();
    if problems.is_empty() { Ok(config) } else { Err(problems) }
}

fn set_script_key(config: &mut ScriptConfig, property: &properties::Property) -> Result<(), Problem> {
    let (value, at) = (property.value.value.trim(), &property.value.at);
    let flag = || match value.to_ascii_lowercase().as_str() {
        "true" => Ok(Some(true)),
        "false" => Ok(Some(false)),
        _ => Err(Problem::blocking(
            at.clone(),
            format!("`{}` must be true or false, not `{value}`", property.key),
            "correct the value",
        )),
    };
    match property.key.as_str() {
        "executeInTransaction" => config.execute_in_transaction = flag()?,
        "placeholderReplacement" => config.placeholder_replacement = flag()?,
        "encoding" => {
            let encoding = Encoding::from_name(value).ok_or_else(|| {
                Problem::blocking(
                    at.clone(),
                    format!("encoding `{value}` is not supported"),
                    "UTF-8, ISO-8859-1, US-ASCII and UTF-16 are supported",
                )
            })?;
            config.encoding = Some(encoding);
        }
        "shouldExecute" => {
            return Err(Problem::blocking(
                at.clone(),
                "`shouldExecute` belongs to Flyway's paid editions",
                "remove it; Flyway without a licence stops at it too",
            ));
        }
        key => {
            return Err(Problem::blocking(
                at.clone(),
                format!("Unknown configuration property: {key}. Please check your script config files"),
                "a script's configuration knows executeInTransaction, encoding and placeholderReplacement",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Settings, Vec<Problem>) {
        let mut settings = Settings::default();
        let problems = read_conf(&mut settings, text, &Arc::from("flyway.conf"), &|name| {
            (name == "WHERE").then(|| "sql".to_owned())
        });
        (settings, problems)
    }

    #[test]
    fn values_know_their_place() {
        let (settings, problems) = read(
            "flyway.locations=filesystem:${WHERE}/a, filesystem:b${NOPE}\nflyway.outOfOrder = TRUE\nflyway.placeholders.My.Key=v\nflyway.schemas=a,b\nflyway.postgresql.transactional.lock=false\nflyway.password=secret\n",
        );
        assert_eq!(problems, []);
        let paths: Vec<_> = settings.locations.value.iter().map(|l| l.path.as_str()).collect();
        assert_eq!(paths, ["sql/a", "b"]);
        assert!(settings.out_of_order.value);
        assert_eq!(settings.out_of_order.at.as_ref().map(|at| at.line), Some(2));
        assert_eq!(settings.placeholders["My.Key"].value, "v");
        assert_eq!(settings.history_schema(), Some("a"));
        assert_eq!(settings.runner["postgresql.transactional.lock"].value, "false");
        let password = &settings.connection.get("password").unwrap().value;
        assert!(matches!(password, super::super::ConnectionValue::Known(secret) if secret.expose() == "secret"));
        assert!(!format!("{settings:?}").contains("secret"));
    }

    #[test]
    fn nothing_unknown_or_unsupported_is_ignored() {
        let (_, problems) = read(
            "flyway.outOforder=true\nflyway.vault.url=x\nflyway.callbacks=a.B\nother=1\nflyway.mixed=maybe\nflyway.locations=s3:x\nflyway.encoding=EBCDIC\nflyway.lockRetryCount=x\n",
        );
        let found: Vec<_> = problems.iter().map(|p| (p.at.line, p.blocking)).collect();
        assert_eq!(found, [(1, true), (2, false), (3, true), (4, true), (5, true), (6, true), (7, true), (8, true)]);
        assert!(problems[0].help.contains("`outOfOrder`"));
    }

    #[test]
    fn script_config() {
        let file = Arc::from("V1__a.sql.conf");
        let config =
            read_script_config("executeInTransaction=FALSE\nencoding=ISO-8859-1\nplaceholderReplacement=true", &file)
                .expect("valid");
        assert_eq!(
            config,
            ScriptConfig {
                execute_in_transaction: Some(false),
                encoding: Some(Encoding::Latin1),
                placeholder_replacement: Some(true)
            }
        );
        let problems = read_script_config("a=b\nshouldExecute=x\nexecuteInTransaction=1", &file).expect_err("invalid");
        assert_eq!(problems.len(), 3);
        assert_eq!(problems[0].message, "Unknown configuration property: a. Please check your script config files");
    }
}
