//! Options of the commands that work on a database: Flyway's verbs.

use clap::{Args, ValueEnum};
use trueup_model::secret::Secret;

use super::{REPORT, secret};

const DATABASE: &str = "The database";
const FILES: &str = "The migrations";

/// What follows the options of `trueup migrate`, `info` and `validate`.
pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  export FLYWAY_PASSWORD=...
  trueup info --url jdbc:postgresql://localhost/app --user app
  trueup -C services/svc-orders migrate --url jdbc:postgresql://localhost/app --user app
  trueup migrate --url 'postgres:///app?host=/run/postgresql' --location db/migration
  trueup validate --set ignoreMigrationPatterns='*:pending' --format json

The password comes from FLYWAY_PASSWORD or PGPASSWORD, never from the command line. Without --url and
--user, FLYWAY_URL and FLYWAY_USER are used. Flyway's settings come from flyway.toml or flyway.conf, from
spring.flyway.* in the main application.yml or .properties, from FLYWAY_* variables, and from --set; later
ones win. What is not supported is refused, never left out.

This version speaks no TLS: it connects to a socket or to this machine; elsewhere only with
sslmode=disable in the URL.

Exit codes:
  0    it is done, or the migrations fit
  1    a migration failed, the migrations do not fit, or the run failed
  2    the command line cannot be understood
  130  interrupted";

/// What follows the options of `trueup baseline`.
pub(super) const BASELINE_EXAMPLES: &str = "\
Examples:
  trueup baseline --url jdbc:postgresql://localhost/app --user app
  trueup baseline --set baselineVersion=42 --set baselineDescription='as of spring'

A history that has this baseline already is left alone; one with migrations, or with another baseline, is
refused. `trueup migrate --help` tells where URL, user, password and settings come from.";

/// What follows the options of `trueup repair`.
pub(super) const REPAIR_EXAMPLES: &str = "\
Examples:
  trueup repair --url jdbc:postgresql://localhost/app --user app
  trueup repair --set ignoreMigrationPatterns='*:missing,*:future'
                                                leave rows without files as they are

`trueup validate` tells beforehand what does not fit. `trueup migrate --help` tells where URL, user, password
and settings come from.";

/// What follows the options of `trueup clean`.
pub(super) const CLEAN_EXAMPLES: &str = "\
Examples:
  trueup clean --set cleanDisabled=false        the data is gone afterwards
  trueup clean --set cleanDisabled=false --set schemas=app,audit

Without `schemas` or `defaultSchema` it is the schema in which new tables would be created. `trueup migrate
--help` tells where URL, user, password and settings come from.";

/// What follows the options of `trueup undo`.
pub(super) const UNDO_EXAMPLES: &str = "\
Examples:
  trueup undo                                   the version that was applied last
  trueup undo --target 3                        every version from the last one down to 3, 3 included

A version without an undo script is refused before anything runs, with the name of the file to write.
Repeatable migrations are left as they are. `trueup migrate --help` tells where URL, user, password and
settings come from.";

/// Options of `trueup undo`.
#[derive(Debug, Default, Args)]
pub struct UndoArgs {
    /// The last version to undo; without it only the one that was applied last
    #[arg(long, value_name = "VERSION", help_heading = FILES)]
    pub target: Option<String>,
    /// What all of them have.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Options of the commands that work on a database.
#[derive(Debug, Default, Args)]
pub struct DatabaseArgs {
    /// The database: jdbc:postgresql://host:port/name or postgres://host:port/name [default: FLYWAY_URL]
    #[arg(long, value_name = "URL", value_parser = secret, help_heading = DATABASE)]
    pub url: Option<Secret>,
    /// The role that logs in [default: FLYWAY_USER, the URL's, PGUSER, USER]
    #[arg(long, value_name = "NAME", help_heading = DATABASE)]
    pub user: Option<String>,
    /// A folder with migrations, or a location as Flyway writes it; may be given several times
    #[arg(long, value_name = "LOCATION", help_heading = FILES)]
    pub location: Vec<String>,
    /// One of Flyway's settings, such as outOfOrder=true or placeholders.name=value; may be given several times
    #[arg(long, value_name = "KEY=VALUE", help_heading = FILES)]
    pub set: Vec<String>,
    /// How to show the result
    #[arg(long, value_enum, default_value_t = RunFormat::Human, help_heading = REPORT)]
    pub format: RunFormat,
    /// Say how often the run waited for the server
    #[arg(long, help_heading = REPORT)]
    pub verbose: bool,
}

/// The formats of a run's result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    /// For people
    #[default]
    Human,
    /// For programs
    Json,
}
