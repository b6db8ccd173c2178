//! Options of the commands that work on a database: Flyway's verbs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use trueup_model::secret::Secret;

use super::{REPORT, secret};

const DATABASE: &str = "The database";
const FILES: &str = "The migrations";
const LOCKS: &str = "Locks on tables";

/// What follows the options of `trueup migrate`, `info` and `validate`.
pub(super) const RUN_EXAMPLES: &str = "\
Examples:
  export FLYWAY_PASSWORD=...
  trueup info --url jdbc:postgresql://localhost/app --user app
  trueup -C services/svc-orders migrate --url jdbc:postgresql://localhost/app --user app
  trueup migrate --url 'postgres:///app?host=/run/postgresql' --location db/migration
  trueup validate --set ignoreMigrationPatterns='*:pending' --format json
  trueup migrate --lock-timeout 2s --lock-retries 10 --report run.json
  trueup migrate --plan                         what would run, and what of it is a hazard
  trueup migrate --dry-run=pending.sql          the SQL, for psql; nothing is executed
  trueup migrate --cherry-pick 7,refresh_totals only these

The password comes from FLYWAY_PASSWORD, PGPASSWORD or .pgpass, never from the command line.
Without --url and --user, FLYWAY_URL and FLYWAY_USER are used. Flyway's settings come from
spring.flyway.* in application.yml or .properties and those of the active profiles, from
flyway.toml and flyway.user.toml or else flyway.conf, from files that `configFiles` names, from
FLYWAY_* variables, and from --set; later ones win. What is not supported is refused, never left
out.

A server on another machine must have TLS, unless the URL says sslmode=disable;
sslmode=verify-full also checks who answers.

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
  trueup baseline --dry-run                     the SQL, for psql; nothing is executed

A history that has this baseline already is left alone; one with migrations, or with another
baseline, is refused. `trueup migrate --help` tells where URL, user, password and settings come
from.";

/// What follows the options of `trueup repair`.
pub(super) const REPAIR_EXAMPLES: &str = "\
Examples:
  trueup repair --url jdbc:postgresql://localhost/app --user app
  trueup repair --set ignoreMigrationPatterns='*:missing,*:future'
                                                leave rows without files as they are
  trueup repair --cherry-pick 7,8               only the rows of these migrations
  trueup repair --dry-run                       the SQL, for psql; nothing is executed

`trueup validate` tells beforehand what does not fit. `trueup migrate --help` tells where URL,
user, password and settings come from.";

/// What follows the options of `trueup clean`.
pub(super) const CLEAN_EXAMPLES: &str = "\
Examples:
  trueup clean --set cleanDisabled=false        the data is gone afterwards
  trueup clean --set cleanDisabled=false --set schemas=app,audit
  trueup clean --set cleanDisabled=false --dry-run
                                                what would be dropped; nothing is

Without `schemas` or `defaultSchema` it is the schema in which new tables would be created.
`trueup migrate --help` tells where URL, user, password and settings come from.";

/// What follows the options of `trueup undo`.
pub(super) const UNDO_EXAMPLES: &str = "\
Examples:
  trueup undo                                   the version that was applied last
  trueup undo --target 3                        every version down to 3, 3 included
  trueup undo --cherry-pick 7,5                 these, in this order
  trueup undo --plan                            what would run, and what of it is a hazard
  trueup undo --dry-run=undo.sql                the SQL, for psql; nothing is executed

A version without an undo script is refused before anything runs, with the name of the file to
write. Repeatable migrations are left as they are. `trueup migrate --help` tells where URL,
user, password and settings come from.";

/// Options of `trueup migrate`.
#[derive(Debug, Default, Args)]
pub struct MigrateArgs {
    /// How long statements wait for locks.
    #[command(flatten)]
    pub locks: LockArgs,
    /// Run only these, in this order: versions, and descriptions of repeatables; may be given with commas between them
    ///
    /// What is applied already is passed over. A version below the highest applied one needs outOfOrder=true, and so does
    /// every version that a pick leaves behind.
    #[arg(long, value_name = "MIGRATIONS", value_delimiter = ',', help_heading = FILES)]
    pub cherry_pick: Vec<String>,
    /// What would run.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Write what came of the run to a file, as JSON, whatever that is
    #[arg(long, value_name = "FILE", conflicts_with_all = ["plan", "dry_run"], help_heading = REPORT)]
    pub report: Option<PathBuf>,
    /// The SQL of it.
    #[command(flatten)]
    pub dry: DryArgs,
    /// What all of them have.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Asking for what would run.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct PlanArgs {
    /// Show what would run, in order, and what of it is a hazard for the tables that the database has; execute nothing
    ///
    /// Data that is lost, statements that fail on data, locks that others wait for, names that programs use. The history is
    /// read, without its lock.
    #[arg(long, conflicts_with = "dry_run", help_heading = REPORT)]
    pub plan: bool,
}

/// Asking for the SQL of a run.
#[derive(Clone, Debug, Default, Args)]
pub struct DryArgs {
    /// Write down the SQL that would be sent, as a script for psql, and execute nothing; without a file, print it
    ///
    /// The history is read, without its lock. Flyway's setting dryRunOutput does the same.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true, default_missing_value = "-",
        help_heading = REPORT)]
    pub dry_run: Option<PathBuf>,
}

/// How long statements wait for locks on tables.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct LockArgs {
    /// The longest time that a statement waits for a lock: 500ms, 2s, 1min; without a unit, milliseconds
    ///
    /// It is set once, as lock_timeout; a script may set its own.
    #[arg(long, value_name = "TIME", value_parser = milliseconds, help_heading = LOCKS)]
    pub lock_timeout: Option<u64>,
    /// How often a script is tried again that did not get a lock in time; each pause is longer than the one before
    ///
    /// Of a script that runs outside of a transaction, only the statement is tried again.
    #[arg(long, value_name = "NUMBER", default_value_t = 0, help_heading = LOCKS)]
    pub lock_retries: u32,
}

/// The largest `lock_timeout`, in milliseconds.
const LONGEST_TIMEOUT: u64 = i32::MAX as u64;

fn milliseconds(text: &str) -> Result<u64, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim() {
        "" | "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        _ => return Err("give a whole number and ms, s or min, as in 500ms, 2s, 1min".to_owned()),
    };
    let time = number.parse().ok().and_then(|number: u64| number.checked_mul(factor));
    time.filter(|time| *time <= LONGEST_TIMEOUT)
        .ok_or_else(|| format!("give a number from 0 (wait for ever) to {LONGEST_TIMEOUT} milliseconds"))
}

/// Options of `trueup undo`.
#[derive(Debug, Default, Args)]
pub struct UndoArgs {
    /// The last version to undo; without it only the one that was applied last
    #[arg(long, value_name = "VERSION", help_heading = FILES)]
    pub target: Option<String>,
    /// Undo only these versions, in this order; may be given with commas between them
    ///
    /// What is undone already is passed over. A version below one that stays applied needs outOfOrder=true.
    #[arg(long, value_name = "VERSIONS", value_delimiter = ',', conflicts_with = "target", help_heading = FILES)]
    pub cherry_pick: Vec<String>,
    /// How long statements wait for locks.
    #[command(flatten)]
    pub locks: LockArgs,
    /// What would run.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// The SQL of it.
    #[command(flatten)]
    pub dry: DryArgs,
    /// What all of them have.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Options of `trueup repair`.
#[derive(Debug, Default, Args)]
pub struct RepairArgs {
    /// Repair only what the history has of these: versions, and descriptions of repeatables; may be given with commas
    /// between them
    #[arg(long, value_name = "MIGRATIONS", value_delimiter = ',', help_heading = FILES)]
    pub cherry_pick: Vec<String>,
    /// The SQL of it.
    #[command(flatten)]
    pub dry: DryArgs,
    /// What all of them have.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// Options of `trueup baseline` and `trueup clean`.
#[derive(Debug, Default, Args)]
pub struct ChangeArgs {
    /// The SQL of it.
    #[command(flatten)]
    pub dry: DryArgs,
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
    /// Spring's profiles, as in SPRING_PROFILES_ACTIVE, with commas between them; the last one wins
    #[arg(long, value_name = "NAMES", value_delimiter = ',', help_heading = FILES)]
    pub spring_profiles: Vec<String>,
    /// One of Flyway's settings, such as outOfOrder=true or placeholders.name=value; may be given several times
    #[arg(long, value_name = "KEY=VALUE", help_heading = FILES)]
    pub set: Vec<String>,
    /// How to show the result
    #[arg(long, value_enum, default_value_t = RunFormat::Human, help_heading = REPORT)]
    pub format: RunFormat,
    /// Say how often the run waited for the server
    #[arg(long, help_heading = REPORT)]
    pub verbose: bool,
    /// Settings of Flyway's own command line, by key, when that is what was typed.
    #[arg(skip)]
    pub flyway: Option<Vec<(String, Secret)>>,
}

/// What is typed behind `trueup flyway`.
#[derive(Debug, Args)]
pub struct FlywayArgs {
    /// Flyway's options and commands: `trueup flyway help` shows them
    #[arg(value_name = "ARGUMENT", value_parser = secret, trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<Secret>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        assert_eq!((milliseconds("500"), milliseconds("500ms"), milliseconds("0")), (Ok(500), Ok(500), Ok(0)));
        assert_eq!((milliseconds("2s"), milliseconds("3 min")), (Ok(2000), Ok(180_000)));
        for wrong in ["", "s", "1h", "-1", "1.5s", "99999999999", "18446744073709551615min"] {
            assert!(milliseconds(wrong).is_err(), "{wrong}");
        }
    }
}
