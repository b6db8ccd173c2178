//! What decides which files of settings are read at all, and thus is not itself read from files.

use std::path::{Path, PathBuf};

use trueup_migrations::problem::Problem;
use trueup_model::location::{Located, Location};

use crate::args::DatabaseArgs;
use crate::runner::error::RunnerError;

/// Settings from outside of files.
#[derive(Debug)]
pub(super) struct Outside {
    /// `configFiles`: those of the variable, then those of the command line.
    pub(super) config_files: Vec<Located<String>>,
    /// `environment`: the command line's, or the variable's.
    pub(super) environment: Option<Located<String>>,
    working_directory: Option<Located<String>>,
    /// Variables without those above.
    pub(super) variables: Vec<(String, String)>,
    /// The command line's settings without those above, by Flyway's key.
    pub(super) settings: Vec<(String, Located<String>)>,
}

impl Outside {
    /// Sorts what the environment and the command line say.
    ///
    /// # Errors
    /// A `--set` without a `=`.
    pub(super) fn of(arguments: &DatabaseArgs, variables: &[(String, String)]) -> Result<Self, RunnerError> {
        let mut outside = Self {
            config_files: Vec::new(),
            environment: None,
            working_directory: None,
            variables: Vec::new(),
            settings: Vec::new(),
        };
        for (name, value) in variables {
            let located = || Located::new(value.clone(), Location::whole(name.as_str()));
            match name.as_str() {
                "FLYWAY_CONFIG_FILES" => outside.config(&located()),
                "FLYWAY_ENVIRONMENT" => outside.environment = given(located()),
                "FLYWAY_WORKING_DIRECTORY" => outside.working_directory = given(located()),
                _ => outside.variables.push((name.clone(), value.clone())),
            }
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

    /// Whether the command line says something of the environment that it chooses.
    pub(super) fn has_environment(&self) -> bool {
        let chosen = self.environment.as_ref().map(|name| name.value.as_str());
        self.settings.iter().any(|(key, _)| environments(key).is_some_and(|(name, _)| Some(name) == chosen))
    }
}

fn given(value: Located<String>) -> Option<Located<String>> {
    Some(value).filter(|value| !value.value.trim().is_empty())
}

/// `environments.NAME.KEY` taken apart; `environments.NAME.flyway.KEY` is the same KEY.
pub(super) fn environments(key: &str) -> Option<(&str, &str)> {
    let (name, key) = key.strip_prefix("environments.")?.split_once('.')?;
    Some((name, key.strip_prefix("flyway.").unwrap_or(key)))
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
        assert_eq!(environments("environments.ci.flyway.table"), Some(("ci", "table")));
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
