//! What `flyway` says about itself.

/// The version of Flyway whose command line this one follows.
pub(super) const FOLLOWS: &str = "12.4.0";

/// The first line of every run for people.
pub(super) fn banner() -> String {
    format!("trueup {} in the place of Flyway {FOLLOWS}", env!("CARGO_PKG_VERSION"))
}

const SHORT: &str = "\
Usage
    flyway [options] [command]
    flyway help

Commands, several of which run one after the other
    migrate                  Apply the pending migrations
    clean                    Drop all objects in the configured schemas
    info                     Show applied, current and pending migrations
    validate                 Compare the applied migrations with the files
    baseline                 Start a history at the baselineVersion
    repair                   Repair the schema history table
    undo                     Undo the last version with its undo script
    testConnection           Connect to the database, and no more
    list-engines             Name the databases that are supported
    version, -v, --version   Print the version
    help, -?, -h, --help     Print this

Options, as -key=value
    url, user, password      The database: jdbc:postgresql://host:port/database
    locations                Where migrations are: filesystem:folder, several with commas
    configFiles              Files with settings";

const FLAGS: &str = "
Flags
    -X                       Say more: statements that failed, round trips
    -q                       Errors and warnings only
    -outputType=json         One document for programs
    -outputFile=FILE         Write what is said to a file too

Example
    flyway -url=jdbc:postgresql://localhost/app -user=app -locations=filesystem:sql migrate

Settings come from flyway.toml or flyway.conf, from FLYWAY_* variables and from these options; later ones win.
What trueup does not support is refused, never left out. `trueup --help` shows trueup's own commands.
";

/// The further settings, in groups.
const SETTINGS: &str = "
    schemas, defaultSchema, createSchemas, table, tablespace, initSql
    callbackLocations, failOnMissingLocations, sqlMigrationPrefix, repeatableSqlMigrationPrefix,
    baselineMigrationPrefix, undoSqlMigrationPrefix, sqlMigrationSeparator, sqlMigrationSuffixes,
    encoding, detectEncoding, validateMigrationNaming
    placeholders.NAME, placeholderReplacement, placeholderPrefix, placeholderSuffix, placeholderSeparator
    target, outOfOrder, group, mixed, executeInTransaction, skipExecutingMigrations, installedBy,
    validateOnMigrate, ignoreMigrationPatterns, cleanDisabled
    baselineVersion, baselineDescription, baselineOnMigrate
    lockRetryCount, connectRetries, connectRetriesInterval, environment, workingDirectory
    infoOfState, infoSinceVersion, infoUntilVersion";

/// The text of `help`; without `all` the one for a command line without a command.
pub(super) fn text(all: bool) -> String {
    format!("{SHORT}{}\n{FLAGS}", if all { SETTINGS } else { "\n    (all of them: flyway help)" })
}
