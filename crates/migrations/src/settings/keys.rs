//! Flyway's keys: which there are, what form their values have, and what becomes of them.

use trueup_model::location::{Located, Location};

use super::{Setting, Settings};
use crate::encoding::Encoding;
use crate::location::LocationSpec;
use crate::problem::Problem;

/// What becomes of a key.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Sets a field.
    Field(fn(&mut Settings, Located<String>) -> Result<(), String>),
    /// For the runner: `true` or `false`.
    RunnerFlag,
    /// For the runner: a whole number.
    RunnerNumber,
    /// For the runner: any text.
    RunnerText,
    /// About connecting; its value may be a secret.
    Connection,
    /// Has no meaning on PostgreSQL, or none for SQL migrations.
    Meaningless(&'static str),
    /// Changes what migrations do in a way trueup has not.
    Unsupported(&'static str),
}

macro_rules! field {
    ($parse:expr, $field:ident) => {
        Kind::Field(|settings, value| {
            settings.$field = Setting::set($parse(&value)?, value.at);
            Ok(())
        })
    };
}

const PAID: &str = "belongs to Flyway's paid editions";
const JAVA: &str = "names Java classes, which trueup does not run";
const OTHER_DATABASE: &str = "concerns another database than PostgreSQL";
const SECRETS: &str = "reads secrets from a store that trueup does not ask";

/// Every key trueup knows, as Flyway spells it.
const KEYS: &[(&str, Kind)] = &[
    ("locations", field!(locations, locations)),
    ("callbackLocations", field!(locations, callback_locations)),
    ("failOnMissingLocations", field!(flag, fail_on_missing_locations)),
    ("schemas", field!(list, schemas)),
    ("defaultSchema", field!(optional, default_schema)),
    ("createSchemas", field!(flag, create_schemas)),
    ("table", field!(text, table)),
    ("initSql", field!(optional, init_sql)),
    ("placeholderReplacement", field!(flag, placeholder_replacement)),
    ("placeholderPrefix", field!(not_empty, placeholder_prefix)),
    ("placeholderSuffix", field!(not_empty, placeholder_suffix)),
    ("placeholderSeparator", field!(not_empty, placeholder_separator)),
    ("sqlMigrationPrefix", field!(text, sql_migration_prefix)),
    ("repeatableSqlMigrationPrefix", field!(text, repeatable_sql_migration_prefix)),
    ("baselineMigrationPrefix", field!(text, baseline_migration_prefix)),
    ("undoSqlMigrationPrefix", field!(not_empty, undo_sql_migration_prefix)),
    ("sqlMigrationSeparator", field!(not_empty, sql_migration_separator)),
    ("sqlMigrationSuffixes", field!(list, sql_migration_suffixes)),
    ("encoding", field!(encoding, encoding)),
    ("detectEncoding", field!(flag, detect_encoding)),
    ("validateMigrationNaming", field!(flag, validate_migration_naming)),
    ("outOfOrder", field!(flag, out_of_order)),
    ("mixed", field!(flag, mixed)),
    ("group", field!(flag, group)),
    ("executeInTransaction", field!(flag, execute_in_transaction)),
    ("target", field!(text, target)),
    ("baselineVersion", field!(text, baseline_version)),
    ("baselineDescription", field!(text, baseline_description)),
    ("baselineOnMigrate", field!(flag, baseline_on_migrate)),
    ("skipExecutingMigrations", field!(flag, skip_executing_migrations)),
    ("tablespace", Kind::RunnerText),
    ("installedBy", Kind::RunnerText),
    ("validateOnMigrate", Kind::RunnerFlag),
    ("cleanDisabled", Kind::RunnerFlag),
    ("ignoreMigrationPatterns", Kind::RunnerText),
    ("lockRetryCount", Kind::RunnerNumber),
    ("outputQueryResults", Kind::RunnerFlag),
    ("batch", Kind::RunnerFlag),
    ("stream", Kind::RunnerFlag),
    ("postgresql.transactional.lock", Kind::RunnerFlag),
    ("workingDirectory", Kind::RunnerText),
    ("environment", Kind::RunnerText),
    ("reportEnabled", Kind::RunnerFlag),
    ("reportFilename", Kind::RunnerText),
    ("loggers", Kind::RunnerText),
    ("color", Kind::RunnerText),
    ("url", Kind::Connection),
    ("user", Kind::Connection),
    ("password", Kind::Connection),
    ("connectRetries", Kind::Connection),
    ("connectRetriesInterval", Kind::Connection),
    ("jdbcProperties", Kind::Connection),
    ("driver", Kind::Connection),
    ("configFileEncoding", Kind::Meaningless("is not used: settings are read as UTF-8")),
    ("configFiles", Kind::Unsupported("names further files of settings, which is followed outside of files only")),
    ("scriptPlaceholderPrefix", Kind::Meaningless("concerns script migrations, which trueup does not run")),
    ("scriptPlaceholderSuffix", Kind::Meaningless("concerns script migrations, which trueup does not run")),
    ("jarDirs", Kind::Meaningless(JAVA)),
    ("resolvers", Kind::Unsupported(JAVA)),
    ("callbacks", Kind::Unsupported(JAVA)),
    ("javaMigrationClassProvider", Kind::Unsupported(JAVA)),
    ("skipDefaultResolvers", Kind::Unsupported("switches SQL migrations off, which trueup does not follow")),
    ("skipDefaultCallbacks", Kind::Unsupported("switches SQL callbacks off, which trueup does not follow")),
    ("cherryPick", Kind::RunnerText),
    ("errorOverrides", Kind::Unsupported(PAID)),
    ("dryRunOutput", Kind::RunnerText),
    ("licenseKey", Kind::Meaningless(PAID)),
    ("email", Kind::Meaningless(PAID)),
    ("token", Kind::Meaningless(PAID)),
    ("edition", Kind::Meaningless(PAID)),
    ("kerberosConfigFile", Kind::Meaningless(OTHER_DATABASE)),
    ("cleanOnValidationError", Kind::Meaningless("was removed from Flyway")),
    ("communityDBSupportEnabled", Kind::Meaningless(OTHER_DATABASE)),
];

/// Groups of keys, by what they start with.
const NAMESPACES: &[(&str, Kind)] = &[
    ("jdbcProperties.", Kind::Connection),
    ("oracle.", Kind::Meaningless(OTHER_DATABASE)),
    ("sqlserver.", Kind::Meaningless(OTHER_DATABASE)),
    ("plugins.", Kind::Meaningless(PAID)),
    ("check.", Kind::Meaningless(PAID)),
    ("vault.", Kind::Meaningless(SECRETS)),
    ("conjur.", Kind::Meaningless(SECRETS)),
    ("dapr.", Kind::Meaningless(SECRETS)),
    ("gcsm.", Kind::Meaningless(SECRETS)),
    ("clean.", Kind::Meaningless(PAID)),
];

/// Flyway's spelling of a key that was written in another: any case, with or without `-`, `_` and `.`.
pub(super) fn canonical(relaxed: &str) -> Option<&'static str> {
    let flat = |key: &str| key.replace(['-', '_', '.'], "").to_ascii_lowercase();
    let wanted = flat(relaxed);
    KEYS.iter().map(|(key, _)| *key).find(|key| flat(key) == wanted)
}

/// Whether a key is about connecting.
pub(super) fn is_connection(key: &str) -> bool {
    KEYS.iter().any(|(known, kind)| *known == key && matches!(kind, Kind::Connection))
        || key.starts_with("jdbcProperties.")
}

/// Sets one key.
pub(super) fn apply(settings: &mut Settings, key: &str, value: Located<String>) -> Result<(), Problem> {
    if let Some(name) = key.strip_prefix("placeholders.").filter(|name| !name.is_empty()) {
        // Whatever the case of its letters, it is one placeholder.
        settings.placeholders.retain(|known, _| known.to_lowercase() != name.to_lowercase());
        settings.placeholders.insert(name.to_owned(), value);
        return Ok(());
    }
    let known = KEYS.iter().find(|(known, _)| *known == key);
    let group = || NAMESPACES.iter().find(|(prefix, _)| key.starts_with(prefix));
    let Some(&(known, kind)) = known.or_else(group) else { return Err(unknown(key, value.at)) };
    let at = value.at.clone();
    let malformed = |message: String| {
        Problem::blocking(
            at.clone(),
            format!("setting `{key}`: {message}"),
            "correct the value; until then the service is unknown",
        )
    };
    match kind {
        Kind::Field(set) => set(settings, value).map_err(malformed)?,
        Kind::RunnerFlag => {
            flag(&value).map_err(malformed)?;
            settings.runner.insert(known, value);
        }
        Kind::RunnerNumber => {
            value
                .value
                .trim()
                .parse::<i64>()
                .map_err(|_| malformed(format!("`{}` is no whole number", value.value)))?;
            settings.runner.insert(known, value);
        }
        Kind::RunnerText => {
            settings.runner.insert(known, value);
        }
        Kind::Connection => settings.connection.set(key, value.value, value.at),
        Kind::Meaningless(why) => {
            return Err(Problem::notice(
                at,
                format!("setting `{key}` {why}: it has no effect here"),
                "nothing is lost; remove it if it serves nobody else",
            ));
        }
        Kind::Unsupported(why) => {
            return Err(Problem::blocking(
                at,
                format!("setting `{key}` {why}"),
                "remove it, or name what it does in `[replay] before` of trueup.toml",
            ));
        }
    }
    Ok(())
}

fn unknown(key: &str, at: Location) -> Problem {
    let near = canonical(key).map(|known| format!("; did you mean `{known}`?")).unwrap_or_default();
    Problem::blocking(
        at,
        format!("Unknown configuration property: flyway.{key}"),
        format!("Flyway refuses to start with it{near}"),
    )
}

fn flag(value: &Located<String>) -> Result<bool, String> {
    match value.value.trim() {
        text if text.eq_ignore_ascii_case("true") => Ok(true),
        text if text.eq_ignore_ascii_case("false") => Ok(false),
        text => Err(format!("`{text}` is neither true nor false")),
    }
}

fn text(value: &Located<String>) -> Result<String, String> {
    Ok(value.value.clone())
}

fn not_empty(value: &Located<String>) -> Result<String, String> {
    if value.value.is_empty() { Err("must not be empty".into()) } else { Ok(value.value.clone()) }
}

fn optional(value: &Located<String>) -> Result<Option<String>, String> {
    Ok(Some(value.value.clone()).filter(|text| !text.is_empty()))
}

/// Comma-separated, blanks around the entries dropped.
fn list(value: &Located<String>) -> Result<Vec<String>, String> {
    Ok(value.value.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(str::to_owned).collect())
}

fn locations(value: &Located<String>) -> Result<Vec<LocationSpec>, String> {
    list(value)?
        .iter()
        .map(|entry| LocationSpec::parse(entry, Some(value.at.clone())).map_err(|error| error.to_string()))
        .collect()
}

fn encoding(value: &Located<String>) -> Result<Encoding, String> {
    Encoding::from_name(value.value.trim()).ok_or_else(|| {
        format!("encoding `{}` is not supported; UTF-8, ISO-8859-1, US-ASCII and UTF-16 are", value.value)
    })
}
