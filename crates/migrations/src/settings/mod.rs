//! The settings under which a service's migrations run, each with where it came from.

mod conf;
mod connection;
mod keys;
mod spring;
mod toml;
mod variables;

use std::collections::BTreeMap;

use trueup_model::location::{Located, Location};

pub use self::conf::{ScriptConfig, read_conf, read_script_config};
pub use self::connection::{ConnectionSettings, ConnectionValue};
pub use self::keys::Kind;
pub use self::spring::{knows_spring_key, read_spring, read_spring_properties, resolve_spring};
pub use self::toml::{Chosen, Overrides, read_toml, read_toml_files};
pub use self::variables::read_variables;
use crate::encoding::Encoding;
use crate::location::LocationSpec;
use crate::name::Naming;
use crate::placeholders::Placeholders;
use crate::problem::Problem;

/// How a reader looks up environment variables; `|_| None` for a run that must not depend on them.
pub type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A value and where it was set; no place means Flyway's default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// Where somebody set it.
    pub at: Option<Location>,
}

impl<T> Setting<T> {
    /// Flyway's default.
    pub fn default_of(value: T) -> Self {
        Self { value, at: None }
    }

    /// A value that somebody set.
    pub fn set(value: T, at: Location) -> Self {
        Self { value, at: Some(at) }
    }

    /// Whether somebody set it.
    pub fn is_set(&self) -> bool {
        self.at.is_some()
    }
}

/// Everything that decides which migrations there are and what they do. Defaults are Flyway's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Folder of the service, relative to the project root, with `/`; empty for the root itself.
    pub base: String,
    /// Whether the application runs Flyway at all (`spring.flyway.enabled`).
    pub enabled: Setting<bool>,
    /// Where migrations lie.
    pub locations: Setting<Vec<LocationSpec>>,
    /// Where SQL callbacks lie; empty means where migrations lie.
    pub callback_locations: Setting<Vec<LocationSpec>>,
    /// Whether a location that does not exist is an error.
    pub fail_on_missing_locations: Setting<bool>,
    /// Schemas that Flyway manages.
    pub schemas: Setting<Vec<String>>,
    /// The schema with the history, and first in the search path.
    pub default_schema: Setting<Option<String>>,
    /// Whether missing schemas are created.
    pub create_schemas: Setting<bool>,
    /// Name of the history table.
    pub table: Setting<String>,
    /// SQL that each new connection runs first.
    pub init_sql: Setting<Option<String>>,
    /// The user's placeholders, by key as written.
    pub placeholders: BTreeMap<String, Located<String>>,
    /// Whether placeholders are replaced.
    pub placeholder_replacement: Setting<bool>,
    /// `${`
    pub placeholder_prefix: Setting<String>,
    /// `}`
    pub placeholder_suffix: Setting<String>,
    /// `:`
    pub placeholder_separator: Setting<String>,
    /// `V`
    pub sql_migration_prefix: Setting<String>,
    /// `R`
    pub repeatable_sql_migration_prefix: Setting<String>,
    /// `B`
    pub baseline_migration_prefix: Setting<String>,
    /// What starts the name of an undo migration.
    pub undo_sql_migration_prefix: Setting<String>,
    /// `__`
    pub sql_migration_separator: Setting<String>,
    /// `.sql`
    pub sql_migration_suffixes: Setting<Vec<String>>,
    /// Encoding of scripts.
    pub encoding: Setting<Encoding>,
    /// Whether each script's encoding is guessed.
    pub detect_encoding: Setting<bool>,
    /// Whether files with names that Flyway refuses are an error rather than passed over.
    pub validate_migration_naming: Setting<bool>,
    /// Whether a version below the highest applied one still runs.
    pub out_of_order: Setting<bool>,
    /// Whether a file may mix transactional and other statements.
    pub mixed: Setting<bool>,
    /// Whether all pending migrations run in one transaction.
    pub group: Setting<bool>,
    /// Whether scripts run in a transaction when nothing forbids it.
    pub execute_in_transaction: Setting<bool>,
    /// Up to which version.
    pub target: Setting<String>,
    /// The version of a baseline.
    pub baseline_version: Setting<String>,
    /// The description of a baseline.
    pub baseline_description: Setting<String>,
    /// Whether a database that is not empty gets a baseline by itself.
    pub baseline_on_migrate: Setting<bool>,
    /// Whether files are recorded and not run.
    pub skip_executing_migrations: Setting<bool>,
    /// What only the runner needs, by Flyway's key; checked for form, never a secret.
    pub runner: BTreeMap<&'static str, Located<String>>,
    /// Where and how to connect.
    pub connection: ConnectionSettings,
}

impl Default for Settings {
    fn default() -> Self {
        let text = |value: &str| Setting::default_of(value.to_owned());
        let flag = Setting::default_of;
        Self {
            base: String::new(),
            enabled: flag(true),
            locations: Setting::default_of(Vec::new()),
            callback_locations: Setting::default_of(Vec::new()),
            fail_on_missing_locations: flag(false),
            schemas: Setting::default_of(Vec::new()),
            default_schema: Setting::default_of(None),
            create_schemas: flag(true),
            table: text("flyway_schema_history"),
            init_sql: Setting::default_of(None),
            placeholders: BTreeMap::new(),
            placeholder_replacement: flag(true),
            placeholder_prefix: text("${"),
            placeholder_suffix: text("}"),
            placeholder_separator: text(":"),
            sql_migration_prefix: text("V"),
            repeatable_sql_migration_prefix: text("R"),
            baseline_migration_prefix: text("B"),
            undo_sql_migration_prefix: text("U"),
            sql_migration_separator: text("__"),
            sql_migration_suffixes: Setting::default_of(vec![".sql".to_owned()]),
            encoding: Setting::default_of(Encoding::Utf8),
            detect_encoding: flag(false),
            validate_migration_naming: flag(false),
            out_of_order: flag(false),
            mixed: flag(false),
            group: flag(false),
            execute_in_transaction: flag(true),
            target: text("latest"),
            baseline_version: text("1"),
            baseline_description: text("<< Flyway Baseline >>"),
            baseline_on_migrate: flag(false),
            skip_executing_migrations: flag(false),
            runner: BTreeMap::new(),
            connection: ConnectionSettings::default(),
        }
    }
}

impl Settings {
    /// How files are named.
    pub fn naming(&self) -> Naming {
        Naming {
            versioned: self.sql_migration_prefix.value.clone(),
            repeatable: self.repeatable_sql_migration_prefix.value.clone(),
            baseline: self.baseline_migration_prefix.value.clone(),
            undo: self.undo_sql_migration_prefix.value.clone(),
            separator: self.sql_migration_separator.value.clone(),
            suffixes: self.sql_migration_suffixes.value.clone(),
        }
    }

    /// The user's placeholders, and those built-in ones that settings alone decide. A run adds `user`, `database`,
    /// `timestamp` and `workingDirectory`, a script its `filename`.
    pub fn replacements(&self) -> Placeholders {
        let mut placeholders = Placeholders::new(
            &self.placeholder_prefix.value,
            &self.placeholder_suffix.value,
            &self.placeholder_separator.value,
        );
        for (key, value) in &self.placeholders {
            placeholders.insert(key, &*value.value);
        }
        placeholders.set_built_in("table", &*self.table.value);
        let environment = self.runner.get("environment").map_or("default", |name| name.value.as_str());
        placeholders.set_built_in("environment", environment);
        if let Some(schema) = self.history_schema() {
            placeholders.set_built_in("defaultSchema", schema);
        }
        placeholders
    }

    /// The schema that settings name for the history: `defaultSchema`, else the first of `schemas`.
    pub fn history_schema(&self) -> Option<&str> {
        self.default_schema.value.as_deref().or_else(|| self.schemas.value.first().map(String::as_str))
    }

    /// Sets one of Flyway's keys, written without `flyway.`, as in `outOfOrder` or `placeholders.name`.
    ///
    /// # Errors
    /// An unknown key, a value of the wrong form, or something trueup does not support.
    pub fn set(&mut self, key: &str, value: Located<String>) -> Result<(), Problem> {
        keys::apply(self, key, value)
    }
}
