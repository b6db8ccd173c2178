//! What decides which files of settings are read at all, and thus is not itself read from files.

use std::path::{Path, PathBuf};

use trueup_migrations::problem::Problem;
use trueup_model::location::{Located, Location};

use super::layers::{self, Set};
use crate::args::DatabaseArgs;
use crate::runner::error::RunnerError;

/// Settings from outside of files.
#[derive(Debug, Default)]
pub(super) struct Outside {
    /// `configFiles`: those of the variable, then those of the command line.
    pub(super) config_files: Vec<Located<String>>,
    /// `environment`: the command line's, or a variable's.
    pub(super) environment: Option<Located<String>>,
    working_directory: Option<Located<String>>,
    /// Variables without those above.
    pub(super) variables: Vec<(String, String)>,
    /// Variables in small letters, by the keys that they have in TOML.
    pub(super) small: Vec<Set>,
    /// The command line's settings without those above, by Flyway's key.
    pub(super) settings: Vec<Set>,
    /// What changes nothing and should be known.
    pub(super) notices: Vec<Problem>,
}

/// Variables that choose what is read, and that Flyway has not.
const OURS: [&str; 2] = ["FLYWAY_ENVIRONMENT", "FLYWAY_WORKING_DIRECTORY"];

impl Outside {
    /// Sorts what the environment and the command line say.
    ///
    /// # Errors
    /// A `--set` without a `=`.
    pub(super) fn of(arguments: &DatabaseArgs, variables: &[(String, String)]) -> Result<Self, RunnerError> {
        let mut outside = Self::default();
        for (name, value) in variables {
            let located = || Located::new(value.clone(), Location::whole(name.as_str()));
            match name.as_str() {
                name if arguments.flyway.is_some() && OURS.contains(&name) => outside.notices.push(Problem::notice(
                    Location::whole(name),
                    format!("the environment variable `{name}` is none of Flyway's: it has no effect"),
                    "give -environment or -workingDirectory, or use `trueup` by its own name",
                )),
                "FLYWAY_CONFIG_FILES" => outside.config(&located()),
                "FLYWAY_ENVIRONMENT" => outside.environment = given(located()),
                "FLYWAY_WORKING_DIRECTORY" => outside.working_directory = given(located()),
                _ => outside.variables.push((name.clone(), value.clone())),
            }
        }
        outside.small = layers::small(variables);
        let chosen = outside.small.iter().rposition(|(key, _)| key == "flyway.environment");
        if let Some((_, name)) = chosen.map(|at| outside.small.remove(at)) {
            outside.environment = given(name).or(outside.environment);
        }
        for (key, value) in arguments.flyway.iter().flatten() {
            let value = Located::new(value.expose().to_owned(), Location::whole(format!("-{key}").as_str()));
            outside.set(key, value);
        }
        let mut problems = Vec::new();
        for pair in &arguments.set {
            let at = Location::whole("--set");
            match pair.split_once('=') {
                Some((key, value)) => {
                    outside.set(key.strip_prefix("flyway.").unwrap_or(key), Located::new(value.to_owned(), at));
                }
                None => problems.push(Problem::blocking(at, "no `=` in --set", "write --set KEY=VALUE")),
            }
        }
        if problems.is_empty() { Ok(outside) } else { Err(RunnerError::Problems(problems)) }
    }

    fn set(&mut self, key: &str, value: Located<String>) {
        match key {
            "configFiles" => self.config(&value),
            "environment" => self.environment = given(value),
            "workingDirectory" => self.working_directory = given(value),
            _ => self.settings.push((key.to_owned(), value)),
        }
    }

    fn config(&mut self, value: &Located<String>) {
        let files = value.value.split(',').map(str::trim).filter(|file| !file.is_empty());
        self.config_files.extend(files.map(|file| Located::new(file.to_owned(), value.at.clone())));
    }

    /// The folder that relative paths are relative to.
    ///
    /// # Errors
    /// It is not there.
    pub(super) fn folder(&self, here: &Path) -> Result<PathBuf, RunnerError> {
        let Some(named) = &self.working_directory else { return Ok(here.to_owned()) };
        let folder = here.join(&named.value);
        if folder.is_dir() {
            return Ok(folder);
        }
        Err(RunnerError::Problems(vec![Problem::blocking(
            named.at.clone(),
            format!("the working directory {} is no folder", named.value),
            "make it, or correct `workingDirectory`",
        )]))
    }

    /// Whether something of the environment that is chosen is said outside of files.
    pub(super) fn has_environment(&self) -> bool {
        let Some(chosen) = &self.environment else { return false };
        let mut all = self.settings.iter().chain(&self.small);
        all.any(|(key, _)| layers::environments(key).is_some_and(|of| of.name == chosen.value))
    }
}

fn given(value: Located<String>) -> Option<Located<String>> {
    Some(value).filter(|value| !value.value.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use trueup_model::secret::Secret;

    use super::*;

    #[test]
    fn what_chooses_files_is_told_from_settings() {
        let variables = [("FLYWAY_CONFIG_FILES", "a.toml, b.toml"), ("FLYWAY_ENVIRONMENT", "x"), ("FLYWAY_TABLE", "t")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let typed = [("configFiles", "c.toml"), ("environment", "ci"), ("environments.ci.url", "u"), ("mixed", "true")];
        let typed = typed.map(|(key, value)| (key.to_owned(), Secret::new(value)));
        let arguments = DatabaseArgs { flyway: Some(typed.to_vec()), ..DatabaseArgs::default() };
        let outside = Outside::of(&arguments, &variables).unwrap();
        let files: Vec<_> = outside.config_files.iter().map(|file| file.value.as_str()).collect();
        assert_eq!(files, ["a.toml", "b.toml", "c.toml"]);
        assert_eq!(outside.environment.as_ref().unwrap().value, "ci");
        assert!(outside.has_environment());
        assert_eq!(outside.variables, [("FLYWAY_TABLE".to_owned(), "t".to_owned())]);
        assert_eq!(outside.settings.len(), 2);
        assert_eq!(outside.notices[0].at.file.as_ref(), "FLYWAY_ENVIRONMENT", "Flyway has none of that name");
        let ours = Outside::of(&DatabaseArgs::default(), &variables).unwrap();
        assert_eq!((ours.environment.unwrap().value.as_str(), ours.notices.len()), ("x", 0));
        let small = ("flyway_environment".to_owned(), "small".to_owned());
        let ours = Outside::of(&DatabaseArgs::default(), &[small, variables[1].clone()]).unwrap();
        assert_eq!((ours.environment.unwrap().value.as_str(), ours.small.len()), ("small", 0));
        let arguments = DatabaseArgs { set: vec!["nothing".into()], ..DatabaseArgs::default() };
        assert_eq!(message(Outside::of(&arguments, &[]).map(|_| ())), "no `=` in --set");
        let arguments = DatabaseArgs { set: vec!["workingDirectory=nowhere".into()], ..DatabaseArgs::default() };
        let folder = Outside::of(&arguments, &[]).unwrap().folder(Path::new("/"));
        assert_eq!(message(folder.map(|_| ())), "the working directory nowhere is no folder");
    }

    fn message(result: Result<(), RunnerError>) -> String {
        match result {
            Err(RunnerError::Problems(problems)) => problems[0].message.clone(),
            other => panic!("{other:?}"),
        }
    }
}
