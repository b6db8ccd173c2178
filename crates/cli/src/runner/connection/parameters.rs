//! The parameters of a connection, from wherever they come, by one name each.

use std::collections::BTreeMap;
use std::time::Duration;

use trueup_model::secret::Secret;

use super::super::error::RunnerError;
use super::names::{Fate, fate};
use super::url::Dialect;

/// Names as [`Fate::Used`] has them, with their values and where each was set. The first to set one wins.
#[derive(Debug, Default)]
pub(super) struct Parameters(BTreeMap<&'static str, (Secret, String)>);

impl Parameters {
    /// Takes one in, unless it is set. `whence` says where it stands, for people.
    ///
    /// # Errors
    /// Nobody knows it, or trueup does not do what it asks for.
    pub(super) fn offer(
        &mut self,
        name: &str,
        value: &Secret,
        dialect: Dialect,
        whence: &str,
    ) -> Result<(), RunnerError> {
        match fate(name, dialect) {
            Some(Fate::Used(used)) => self.put(used, value.clone(), whence),
            Some(Fate::Tuning) => {}
            Some(Fate::Only(values)) if values.contains(&value.expose()) => {}
            Some(Fate::Only(values)) => {
                let values: Vec<_> = values.iter().filter(|value| !value.is_empty()).copied().collect();
                return Err(RunnerError::usage(
                    format!("{whence}: `{name}` has a value that trueup does not support"),
                    format!("supported: {}", values.join(", ")),
                ));
            }
            None => {
                return Err(RunnerError::usage(
                    format!("{whence}: the parameter `{name}` is not supported by this version of trueup"),
                    "take it out if it is not needed; trueup does not leave it out in silence",
                ));
            }
        }
        Ok(())
    }

    /// Sets one unless it is set.
    pub(super) fn put(&mut self, name: &'static str, value: Secret, whence: &str) {
        self.0.entry(name).or_insert_with(|| (value, whence.to_owned()));
    }

    /// A value, when it is not empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|(value, _)| value.expose()).filter(|value| !value.is_empty())
    }

    /// A secret value, when it is not empty.
    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.0.get(name).map(|(value, _)| value.clone()).filter(|value| !value.expose().is_empty())
    }

    /// A value that has to be one of some words.
    pub(super) fn word<T>(
        &self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        expected: &str,
    ) -> Result<Option<T>, RunnerError> {
        self.text(name)
            .map(|text| parse(text).ok_or_else(|| self.wrong(name, &format!("expected {expected}"))))
            .transpose()
    }

    /// Whether something is on.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, RunnerError> {
        let parse = |text: &str| match text {
            "1" | "true" | "on" | "yes" => Some(true),
            "0" | "false" | "off" | "no" => Some(false),
            _ => None,
        };
        self.word(name, parse, "true or false")
    }

    /// A whole number that is not negative.
    pub(super) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, RunnerError> {
        self.word(name, |text| text.parse().ok(), "a whole number")
    }

    /// Seconds, when they are more than none.
    pub(super) fn seconds(&self, name: &str) -> Result<Option<Duration>, RunnerError> {
        Ok(self.number::<u32>(name)?.filter(|seconds| *seconds > 0).map(|seconds| Duration::from_secs(seconds.into())))
    }

    /// What is wrong with a value, which is not shown.
    pub(super) fn wrong(&self, name: &str, expected: &str) -> RunnerError {
        let whence = self.0.get(name).map_or("", |(_, whence)| whence.as_str());
        RunnerError::usage(format!("{whence}: `{name}` cannot be understood"), expected.to_owned())
    }
}
