//! `spring.flyway.*`, from `.properties` or from YAML that another crate has flattened.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use trueup_model::location::Located;

use super::{Environment, Setting, Settings, keys};
use crate::problem::Problem;
use crate::properties;

/// Reads an `application*.properties` into the settings.
pub fn read_spring_properties(
    settings: &mut Settings,
    text: &str,
    file: &Arc<str>,
    environment: Environment<'_>,
) -> Vec<Problem> {
    let entries: Vec<_> =
        properties::parse(text, file).into_iter().map(|property| (property.key, property.value)).collect();
    read_spring(settings, &entries, environment)
}

/// Reads flattened Spring settings (`spring.flyway.locations[0]`, `spring.flyway.out-of-order`, …); other keys are
/// left alone. Later entries win. Gives every problem found.
pub fn read_spring(
    settings: &mut Settings,
    entries: &[(String, Located<String>)],
    environment: Environment<'_>,
) -> Vec<Problem> {
    let all: BTreeMap<&str, &str> = entries.iter().map(|(key, value)| (key.as_str(), value.value.as_str())).collect();
    let lookup = |name: &str| environment(name).or_else(|| all.get(name).map(|value| (*value).to_owned()));
    let mut problems = Vec::new();
    for (key, value) in joined(entries) {
        let resolved = match resolve(&value.value, &lookup, 0) {
            Ok(text) => Located::new(text, value.at),
            Err(name) => {
                // Only who connects needs to know.
                if let Some(key) = connection(&key) {
                    settings.connection.set_unresolved(key, name, value.at);
                    continue;
                }
                problems.push(Problem::blocking(
                    value.at,
                    format!("`spring.flyway.{key}` refers to `${{{name}}}`, which has no value and no default"),
                    format!("give it a default, as in `${{{name}:value}}`"),
                ));
                continue;
            }
        };
        problems.extend(apply(settings, &key, resolved).err());
    }
    problems
}

fn apply(settings: &mut Settings, key: &str, value: Located<String>) -> Result<(), Problem> {
    match (key, special(key)) {
        (_, Some("enabled")) => {
            let enabled = !value.value.trim().eq_ignore_ascii_case("false");
            settings.enabled = Setting::set(enabled, value.at);
            Ok(())
        }
        (_, Some(flyway)) => settings.set(flyway, value),
        (key, None) => match (placeholder(key), connection(key)) {
            (Some(name), _) => settings.set(&format!("placeholders.{name}"), value),
            (None, Some(known)) => settings.set(&known, value),
            (None, None) => settings.set(keys::canonical(key).unwrap_or(key), value),
        },
    }
}

/// Whether `spring.flyway.KEY` sets anything, in any of its spellings.
pub fn knows_spring_key(key: &str) -> bool {
    special(key).is_some() || keys::canonical(key).is_some() || placeholder(key).is_some() || connection(key).is_some()
}

/// Keys that Spring spells in words of its own.
fn special(key: &str) -> Option<&'static str> {
    match key.replace(['-', '_'], "").to_ascii_lowercase().as_str() {
        "enabled" => Some("enabled"),
        "initsqls" => Some("initSql"),
        "postgresql.transactionallock" => Some("postgresql.transactional.lock"),
        "driverclassname" => Some("driver"),
        _ => None,
    }
}

fn placeholder(key: &str) -> Option<&str> {
    let rest = key.strip_prefix("placeholders")?;
    let bracketed = rest.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
    bracketed.or_else(|| {
        let name = rest.strip_prefix('.')?;
        Some(name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name))
    })
}

/// Flyway's spelling of a key about connecting.
fn connection(key: &str) -> Option<String> {
    let known = special(key).or_else(|| keys::canonical(key));
    match key.replace('-', "").split_once('.') {
        Some((group, property)) if group.eq_ignore_ascii_case("jdbcProperties") => {
            Some(format!("jdbcProperties.{property}"))
        }
        _ => known.filter(|known| keys::is_connection(known)).map(str::to_owned),
    }
}

/// The keys under `spring.flyway.`, without it; lists joined with commas (`initSqls` with `;`).
fn joined(entries: &[(String, Located<String>)]) -> Vec<(String, Located<String>)> {
    let mut out: Vec<(String, Located<String>)> = Vec::new();
    // By one spelling: what a later entry says in another one replaces what is there, and is not put behind it.
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (key, value) in entries {
        let Some(key) = key.strip_prefix("spring.flyway.") else { continue };
        let (base, index) = list_index(key);
        let known = special(base).or_else(|| keys::canonical(base)).unwrap_or(base);
        match places.get(known) {
            Some(&at) if index.is_some_and(|index| index > 0) => {
                let list = &mut out[at].1.value;
                list.push_str(if special(base) == Some("initSql") { ";\n" } else { "," });
                list.push_str(&value.value);
            }
            Some(&at) => out[at].1 = value.clone(),
            None => {
                places.insert(known, out.len());
                out.push((base.to_owned(), value.clone()));
            }
        }
    }
    out
}

/// `locations[2]` is entry 2 of `locations`.
fn list_index(key: &str) -> (&str, Option<usize>) {
    let split = key.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
    match split.and_then(|(base, index)| Some((base, index.parse().ok()?))) {
        Some((base, index)) => (base, Some(index)),
        None => (key, None),
    }
}

/// Resolves `${name}` and `${name:default}` in a value of Spring's.
///
/// # Errors
/// The name that has neither value nor default.
pub fn resolve_spring(value: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    resolve(value, lookup, 0)
}

/// Resolves `${name}` and `${name:default}`; the error is the name without a value.
fn resolve(value: &str, lookup: &dyn Fn(&str) -> Option<String>, depth: usize) -> Result<String, String> {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.find("${") {
        let Some(end) = closing(&rest[start + 2..]) else { break };
        let inner = &rest[start + 2..start + 2 + end];
        let (name, default) = inner.split_once(':').map_or((inner, None), |(name, default)| (name, Some(default)));
        let found = lookup(name).or_else(|| default.map(str::to_owned)).ok_or_else(|| name.to_owned())?;
        out.push_str(&rest[..start]);
        // A value that refers to itself stops at this depth, unresolved: then it has no value.
        if depth >= 8 || out.len() + found.len() > (1 << 20) {
            return Err(name.to_owned());
        }
        out.push_str(&resolve(&found, lookup, depth + 1)?);
        rest = &rest[start + 2 + end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

/// The `}` that closes a placeholder, inner ones skipped.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use trueup_model::secret::Secret;

    use super::super::ConnectionValue;
    use super::*;

    fn read(text: &str) -> (Settings, Vec<Problem>) {
        let mut settings = Settings::default();
        let problems = read_spring_properties(&mut settings, text, &Arc::from("application.properties"), &|_| None);
        (settings, problems)
    }

    #[test]
    fn relaxed_keys_lists_and_placeholders() {
        let (settings, problems) = read(
            "server.port=1\nspring.flyway.locations[0]=classpath:db/migration/{vendor}\nspring.flyway.locations[1]=classpath:x\nspring.flyway.out-of-order=true\nspring.flyway.baselineVersion=7\nspring.flyway.placeholders.my-key=${DB_NAME:shop}_x\nspring.flyway.placeholders[a.b]=1\nspring.flyway.password=${SECRET}\nspring.flyway.connect-retries=3\nspring.flyway.jdbc-properties.sslmode=require\nspring.flyway.init-sqls[0]=select 1\nspring.flyway.init-sqls[1]=select 2\nspring.flyway.postgresql.transactional-lock=false\nspring.flyway.default-schema=${app.schema}\napp.schema=web\n",
        );
        assert_eq!(problems, []);
        let paths: Vec<_> = settings.locations.value.iter().map(|l| l.path.as_str()).collect();
        assert_eq!(paths, ["db/migration/postgresql", "x"]);
        assert!(settings.out_of_order.value);
        assert_eq!(settings.baseline_version.value, "7");
        assert_eq!(settings.placeholders["my-key"].value, "shop_x");
        assert_eq!(settings.placeholders["a.b"].value, "1");
        assert_eq!(settings.init_sql.value.as_deref(), Some("select 1;\nselect 2"));
        assert_eq!(settings.runner["postgresql.transactional.lock"].value, "false");
        assert_eq!(settings.default_schema.value.as_deref(), Some("web"));
        assert_eq!(settings.default_schema.at.as_ref().map(|at| at.line), Some(14));
        let connection: Vec<_> = settings.connection.iter().map(|(key, set)| (key, set.value.clone())).collect();
        let known = |text: &str| ConnectionValue::Known(Secret::new(text));
        assert_eq!(
            connection,
            [
                ("connectRetries", known("3")),
                ("jdbcProperties.sslmode", known("require")),
                ("password", ConnectionValue::Unresolved("SECRET".into())),
            ]
        );
    }

    #[test]
    fn what_cannot_be_known_is_said() {
        let (_, problems) =
            read("spring.flyway.schemas=${SCHEMA}\nspring.flyway.nonsense=1\nspring.flyway.table=${a}\na=${a}\n");
        assert_eq!(
            problems.iter().map(|p| (p.at.line, p.blocking)).collect::<Vec<_>>(),
            [(1, true), (2, true), (3, true)]
        );
        assert!(problems[0].message.contains("${SCHEMA}"));
    }

    #[test]
    fn the_last_entry_counts_however_the_key_is_spelled() {
        let (settings, problems) = read(
            "spring.flyway.out-of-order=true\nspring.flyway.outoforder=true\nspring.flyway.out-of-order=false\n\
             spring.flyway.init-sqls[0]=a\nspring.flyway.init-sqls[1]=b\nspring.flyway.initSqls[0]=c\n\
             spring.flyway.init_sqls[1]=d\n",
        );
        assert_eq!(problems, []);
        assert!(!settings.out_of_order.value);
        assert_eq!(settings.init_sql.value.as_deref(), Some("c;\nd"));
    }
}
