//! What is set outside of files for one environment and for all, and which of it wins.
//!
//! Flyway's order, as its command line 12.4.0 has it: what `[environments.NAME.flyway]` sets outranks what variables and
//! the command line set for all environments; of an environment's connection and schemas it is the other way round.

use trueup_migrations::problem::Problem;
use trueup_migrations::settings::{Overrides, Settings, read_variables};
use trueup_model::location::{Located, Location};

use super::outside::Outside;

/// A key as Flyway spells it, and what it is set to.
pub(super) type Set = (String, Located<String>);

/// `environments.NAME.KEY` taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OfEnvironment<'k> {
    pub(super) name: &'k str,
    pub(super) key: &'k str,
    /// Whether it stands in the environment's own section of Flyway's settings: `environments.NAME.flyway.KEY`.
    own: bool,
}

/// Takes the key of an environment apart; `None` for other keys.
pub(super) fn environments(key: &str) -> Option<OfEnvironment<'_>> {
    let (name, key) = key.strip_prefix("environments.")?.split_once('.')?;
    let own = key.strip_prefix("flyway.");
    Some(OfEnvironment { name, key: own.unwrap_or(key), own: own.is_some() })
}

/// Flyway's variables in small letters: `flyway_outOfOrder`, `environments_NAME_url`, each `_` a dot.
pub(super) fn small(variables: &[(String, String)]) -> Vec<Set> {
    let of_flyway = |name: &str| name.starts_with("flyway_") || name.starts_with("environments_");
    let set = |(name, value): &(String, String)| {
        (name.replace('_', "."), Located::new(value.clone(), Location::whole(name.as_str())))
    };
    variables.iter().filter(|(name, _)| of_flyway(name)).map(set).collect()
}

/// Settings of one source, by what they are for.
#[derive(Debug, Default)]
struct Layers {
    /// For all environments.
    common: Vec<Set>,
    /// The chosen environment's connection and schemas.
    environment: Vec<Set>,
    /// What the chosen environment sets of Flyway's settings.
    own: Vec<Set>,
}

impl Layers {
    fn of(settings: &[Set], chosen: &str) -> Self {
        let mut layers = Self::default();
        for (key, value) in settings {
            let (layer, key) = match environments(key) {
                Some(of) if of.name != chosen => continue,
                Some(of) if of.own => (&mut layers.own, of.key),
                Some(of) => (&mut layers.environment, of.key),
                None => (&mut layers.common, key.strip_prefix("flyway.").unwrap_or(key)),
            };
            layer.push((key.to_owned(), value.clone()));
        }
        layers
    }
}

/// Sets what variables and the command line say over what files said. `overrides` is what the chosen environment sets for
/// itself in them, `with_toml` whether they are TOML, and `as_flyway` whether Flyway's command line was typed.
pub(super) fn set(
    settings: &mut Settings,
    outside: &Outside,
    overrides: Overrides,
    (with_toml, as_flyway): (bool, bool),
) -> Vec<Problem> {
    let in_files = settings.runner.get("environment").map(|name| name.value.clone());
    let chosen = outside.environment.as_ref().map(|name| name.value.clone()).or(in_files);
    let chosen = chosen.as_deref().unwrap_or("default");
    let mut problems = Vec::new();
    let small = if with_toml { Layers::of(&outside.small, chosen) } else { Layers::default() };
    if !with_toml {
        problems.extend(outside.small.iter().map(|(_, value)| {
            let message = format!("the variable `{}` is not read beside a flyway.conf", value.at.file);
            Problem::notice(value.at.clone(), message, "name it in capitals, or write a flyway.toml")
        }));
    }
    problems.extend(twice(&small, &outside.variables));
    let mut all =
        |sets: Vec<Set>| problems.extend(sets.into_iter().filter_map(|(key, value)| settings.set(&key, value).err()));
    all(outside.environment.iter().map(|name| ("environment".to_owned(), name.clone())).collect());
    all(small.environment);
    problems.extend(read_variables(settings, &outside.variables));
    let mut all =
        |sets: Vec<Set>| problems.extend(sets.into_iter().filter_map(|(key, value)| settings.set(&key, value).err()));
    all(small.common);
    let typed = Layers::of(&outside.settings, chosen);
    if as_flyway {
        all(typed.common);
        all(typed.environment);
        all(overrides);
        all(small.own);
        all(typed.own);
        return problems;
    }
    all(overrides);
    all(small.own);
    // Ours wins whatever it names, the later of two.
    for (key, value) in &outside.settings {
        let key = match environments(key) {
            Some(of) if of.name == chosen => of.key,
            Some(_) => continue,
            None => key,
        };
        problems.extend(settings.set(key, value.clone()).err());
    }
    problems
}

/// One setting, in two spellings of its variable.
fn twice(small: &Layers, variables: &[(String, String)]) -> Vec<Problem> {
    let flat = |name: &str| name.replace('_', "").to_lowercase();
    let pairs = small.common.iter().filter_map(|(_, value)| {
        let name: &str = &value.at.file;
        let (other, _) =
            variables.iter().find(|(other, _)| other.starts_with("FLYWAY_") && flat(other) == flat(name))?;
        let message = format!("`{name}` and `{other}` are both set: `{name}` counts, as with Flyway");
        Some(Problem::notice(value.at.clone(), message, format!("remove `{other}`")))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use trueup_model::secret::Secret;

    use super::*;
    use crate::args::DatabaseArgs;

    /// The history's table and schemas; how many notices there are.
    fn decided(
        variables: &[(&str, &str)],
        typed: &[(&str, &str)],
        set_by_ours: &[&str],
        with_toml: bool,
    ) -> (String, String, usize) {
        let as_flyway = set_by_ours.is_empty();
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let typed = typed.iter().map(|(key, value)| ((*key).to_owned(), Secret::new(*value))).collect();
        let set_by_ours = set_by_ours.iter().map(|pair| (*pair).to_owned()).collect();
        let arguments =
            DatabaseArgs { flyway: as_flyway.then_some(typed), set: set_by_ours, ..DatabaseArgs::default() };
        let outside = Outside::of(&arguments, &variables).unwrap();
        let own = Located::new("of_environment".to_owned(), Location::whole("flyway.toml"));
        let overrides = vec![("table".to_owned(), own)];
        let mut settings = Settings::default();
        let problems = set(&mut settings, &outside, overrides, (with_toml, as_flyway));
        assert!(problems.iter().all(|problem| !problem.blocking), "{problems:#?}");
        (settings.table.value, settings.schemas.value.join(","), problems.len())
    }

    fn expected(table: &str, schemas: &str, notices: usize) -> (String, String, usize) {
        (table.to_owned(), schemas.to_owned(), notices)
    }

    #[test]
    fn an_environment_outranks_what_is_set_for_all_but_for_connection_and_schemas() {
        let dev = ("environment", "dev");
        let of = |variables: &[(&str, &str)], typed: &[(&str, &str)]| decided(variables, typed, &[], true);
        assert_eq!(of(&[("FLYWAY_TABLE", "x")], &[dev, ("table", "x")]), expected("of_environment", "", 0));
        let small = ("environments_dev_flyway_table", "small");
        assert_eq!(of(&[small, ("flyway_table", "x")], &[dev]), expected("small", "", 0));
        assert_eq!(of(&[small], &[dev, ("environments.dev.flyway.table", "typed")]), expected("typed", "", 0));
        let schemas = ("environments_dev_schemas", "small");
        assert_eq!(of(&[schemas], &[dev]), expected("of_environment", "small", 0));
        assert_eq!(of(&[schemas, ("FLYWAY_SCHEMAS", "large")], &[dev]), expected("of_environment", "large", 0));
        assert_eq!(of(&[schemas], &[dev, ("schemas", "all")]), expected("of_environment", "all", 0));
        let typed = ("environments.dev.schemas", "typed");
        assert_eq!(of(&[], &[dev, typed, ("schemas", "all")]), expected("of_environment", "typed", 0));
        assert_eq!(of(&[("environments_other_schemas", "x")], &[dev]), expected("of_environment", "", 0));
    }

    #[test]
    fn what_is_set_by_our_own_name_wins() {
        assert_eq!(decided(&[("FLYWAY_TABLE", "x")], &[], &["table=ours"], true), expected("ours", "", 0));
    }

    #[test]
    fn small_letters_belong_to_toml_and_outrank_capitals() {
        let both = [("flyway_schemas", "small"), ("FLYWAY_SCHEMAS", "large")];
        assert_eq!(decided(&both, &[], &[], true), expected("of_environment", "small", 1));
        assert_eq!(decided(&both, &[], &[], false), expected("of_environment", "large", 1));
    }

    #[test]
    fn keys_of_environments_are_taken_apart() {
        let of = |key, own| Some(OfEnvironment { name: "ci", key, own });
        assert_eq!(environments("environments.ci.flyway.table"), of("table", true));
        assert_eq!(environments("environments.ci.url"), of("url", false));
        assert_eq!(environments("table"), None);
    }
}
