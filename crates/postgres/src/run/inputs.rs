//! What a run is given, and what it refuses because it cannot do it yet.

use trueup_migrations::history::{IgnorePattern, Picks, Policy, Target};
use trueup_migrations::migration::MigrationSet;
use trueup_migrations::problem::Problem;
use trueup_migrations::settings::Settings;
use trueup_model::location::{Located, Location};

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Applies what is pending.
    Migrate,
    /// Shows files and rows.
    Info,
    /// Says whether they fit.
    Validate,
    /// Starts a history on a database that has something in it.
    Baseline,
    /// Puts the history in order.
    Repair,
    /// Drops everything in the schemas.
    Clean,
    /// Takes applied versions back.
    Undo,
}

impl Command {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Migrate => "migrate",
            Self::Info => "info",
            Self::Validate => "validate",
            Self::Baseline => "baseline",
            Self::Repair => "repair",
            Self::Clean => "clean",
            Self::Undo => "undo",
        }
    }
}

/// Everything a run needs beside a connection.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// The files.
    pub set: MigrationSet,
    /// Flyway's settings.
    pub settings: Settings,
    /// What decides about states.
    pub policy: Policy,
    /// `cherryPick`
    pub picks: Picks,
    /// Whether migrate validates first.
    pub validate_on_migrate: bool,
    /// `installedBy`
    pub installed_by: Option<String>,
    /// `tablespace` of the history's table.
    pub tablespace: Option<String>,
    /// `cleanDisabled`
    pub clean_disabled: bool,
    /// Seconds to wait for the lock; `None` for ever.
    pub lock_seconds: Option<u64>,
    /// `lock_timeout` of the session, in milliseconds; none leaves it as it is.
    pub lock_timeout: Option<u64>,
    /// How often a script is tried again that did not get its locks in time.
    pub lock_retries: u32,
    /// `${flyway:workingDirectory}`
    pub working_directory: String,
}

/// Seconds that Flyway tries for the lock, once a second.
const LOCK_RETRIES: i64 = 50;

impl Inputs {
    /// Puts together what a command needs.
    ///
    /// # Errors
    /// Settings of the wrong form, and every setting that would change what the command does and that is not supported
    /// yet.
    pub fn new(set: MigrationSet, settings: Settings, working_directory: String) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let policy = policy(&settings, &mut problems);
        let text = |key: &str| settings.runner.get(key).map(|value| value.value.trim().to_owned());
        let retries = text("lockRetryCount").and_then(|count| count.parse().ok()).unwrap_or(LOCK_RETRIES);
        let inputs = Self {
            policy,
            picks: text("cherryPick").map_or_else(Picks::default, |picks| Picks::parse(&picks)),
            validate_on_migrate: text("validateOnMigrate").is_none_or(|flag| flag.eq_ignore_ascii_case("true")),
            installed_by: text("installedBy").filter(|name| !name.is_empty()),
            tablespace: text("tablespace").filter(|name| !name.is_empty()),
            clean_disabled: text("cleanDisabled").is_none_or(|flag| flag.eq_ignore_ascii_case("true")),
            lock_seconds: u64::try_from(retries).ok(),
            lock_timeout: None,
            lock_retries: 0,
            working_directory,
            set,
            settings,
        };
        problems.extend(inputs.unsupported_settings());
        if problems.is_empty() { Ok(inputs) } else { Err(problems) }
    }

    fn unsupported_settings(&self) -> Vec<Problem> {
        let settings = &self.settings;
        let mut problems = Vec::new();
        let mut refuse = |key: &str, at: Option<&Location>| {
            problems.push(Problem::blocking(
                at.cloned().unwrap_or_else(|| Location::whole("settings")),
                format!("setting `{key}` is not supported by this version of trueup"),
                "remove it, or use Flyway for this database; trueup does not guess what it would change",
            ));
        };
        let runner = |key: &str| settings.runner.get(key).filter(|value| !value.value.trim().is_empty());
        for key in ["workingDirectory", "reportFilename"] {
            runner(key).iter().for_each(|value| refuse(key, Some(&value.at)));
        }
        if let Some(value) = runner("reportEnabled").filter(|value| value.value.trim().eq_ignore_ascii_case("true")) {
            refuse("reportEnabled", Some(&value.at));
        }
        problems
    }
}

fn policy(settings: &Settings, problems: &mut Vec<Problem>) -> Policy {
    let mut refuse = |at: Location, error: String| {
        problems.push(Problem::blocking(at, error, "correct the value; nothing was run"));
    };
    let at = |at: Option<&Location>| at.cloned().unwrap_or_else(|| Location::whole("settings"));
    let target = Target::parse(&settings.target.value).unwrap_or_else(|error| {
        refuse(at(settings.target.at.as_ref()), error.to_string());
        Target::Latest
    });
    let patterns = |value: &Located<String>| match IgnorePattern::parse_list(&value.value) {
        Ok(patterns) => patterns,
        Err(error) => {
            refuse(value.at.clone(), error.to_string());
            Vec::new()
        }
    };
    let ignore = settings.runner.get("ignoreMigrationPatterns").map_or(vec![IgnorePattern::FUTURE], patterns);
    Policy { out_of_order: settings.out_of_order.value, target, ignore }
}
