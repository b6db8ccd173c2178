//! Settings about the connection, which may hold passwords.

use std::collections::BTreeMap;

use trueup_model::location::{Located, Location};
use trueup_model::secret::Secret;

/// A value of a connection's setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectionValue {
    /// What was set.
    Known(Secret),
    /// It refers to this variable, which has no value. Wrong only for who connects with it.
    Unresolved(String),
}

/// Settings about the connection, by Flyway's key: `url`, `user`, `password`, `driver`, `connectRetries`,
/// `connectRetriesInterval`, and `jdbcProperties.NAME`. The later of two values of a key wins, so files, environment
/// variables and command line are read in this order.
///
/// Nothing in this crate looks at the values: whoever connects does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionSettings(BTreeMap<String, Located<ConnectionValue>>);

impl ConnectionSettings {
    /// Sets a key.
    pub fn set(&mut self, key: impl Into<String>, value: impl Into<String>, at: Location) {
        self.0.insert(key.into(), Located::new(ConnectionValue::Known(Secret::new(value)), at));
    }

    /// Sets a key to what refers to a variable without a value.
    pub fn set_unresolved(&mut self, key: impl Into<String>, variable: impl Into<String>, at: Location) {
        self.0.insert(key.into(), Located::new(ConnectionValue::Unresolved(variable.into()), at));
    }

    /// What a key was last set to.
    pub fn get(&self, key: &str) -> Option<&Located<ConnectionValue>> {
        self.0.get(key)
    }

    /// All keys, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Located<ConnectionValue>)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }
}
