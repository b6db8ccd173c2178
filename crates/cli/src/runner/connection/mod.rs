//! Which servers, who, and with what: from the command line, Flyway's settings, the URL and libpq's variables.

mod names;
mod parameters;
mod passfile;
mod servers;
mod url;

use std::path::{Path, PathBuf};
use std::time::Duration;

use trueup_migrations::settings::{ConnectionSettings, ConnectionValue, Settings};
use trueup_model::location::Location;
use trueup_model::secret::Secret;
use trueup_postgres::session::{Host, Servers, SslMode};

use super::error::RunnerError;
use crate::args::DatabaseArgs;
use parameters::Parameters;
use passfile::Passfile;
use url::{Dialect, Url, take_apart};

/// Where to connect to.
#[derive(Debug)]
pub struct Connection {
    /// Where and who.
    pub servers: Servers,
    /// What the user should know about it.
    pub notices: Vec<String>,
}

/// Decides from the command line, then from Flyway's settings (variables outrank files), then from the URL, then from
/// libpq's variables and files.
///
/// # Errors
/// No URL, one that cannot be used, a password where others can read it, or a parameter that trueup does not follow.
pub fn choose(
    arguments: &DatabaseArgs,
    variables: &[(String, String)],
    settings: &Settings,
) -> Result<Connection, RunnerError> {
    let given = given(arguments, &settings.connection)?;
    let variables = Variables(variables);
    let mut url = url(&given, &variables)?;
    let mut parameters = Parameters::default();
    let mut notices: Vec<String> = url.notice.take().into_iter().collect();
    from_settings(&mut parameters, &given)?;
    from_url(&mut parameters, &mut url)?;
    from_driver_properties(&mut parameters, &given)?;
    from_variables(&mut parameters, &variables, url.dialect)?;
    if let Some(service) = ["service", "servicefile"].into_iter().find(|name| parameters.text(name).is_some()) {
        return Err(parameters.wrong(service, "trueup reads no service files: write what it says into the URL"));
    }
    let home = variables.get("HOME").map(PathBuf::from);
    let user = parameters.text("user").map(str::to_owned).or_else(|| variables.get("USER"));
    let user = user.ok_or_else(|| RunnerError::usage("no user is named", "give --user, or set FLYWAY_USER"))?;
    let mut servers = servers::of(&parameters, &url.hosts, &user, url.dialect, home.as_deref())?;
    let zone = parameters.text("timezone").map(str::to_owned).or_else(|| variables.get("TZ"));
    let zone = ("TimeZone".to_owned(), time_zone(zone));
    servers.endpoints.iter_mut().for_each(|endpoint| endpoint.options.push(zone.clone()));
    notices.extend(give_passwords(&mut servers, &parameters, home.as_deref()));
    patience(&mut servers, &given)?;
    notices.extend(in_the_clear(&servers));
    Ok(Connection { servers, notices })
}

/// Environment variables that have a value.
struct Variables<'v>(&'v [(String, String)]);

impl Variables<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    }
}

/// The settings, outranked by the command line.
fn given(arguments: &DatabaseArgs, settings: &ConnectionSettings) -> Result<ConnectionSettings, RunnerError> {
    let mut given = settings.clone();
    if let Some(url) = &arguments.url {
        let parts = take_apart(url.expose())?;
        let secrets = ["password", "sslpassword"];
        let shows = parts.parameters.iter().any(|(name, _)| secrets.contains(&name.as_str()));
        if parts.password.is_some() || shows {
            return Err(RunnerError::usage(
                "the URL on the command line holds a password, which everybody on this machine can read",
                "take it out, and set FLYWAY_PASSWORD or PGPASSWORD",
            ));
        }
        given.set("url", url.expose(), Location::whole("--url"));
    }
    if let Some(user) = &arguments.user {
        given.set("user", user, Location::whole("--user"));
    }
    Ok(given)
}

/// A setting, when it is not empty.
fn known<'g>(given: &'g ConnectionSettings, key: &str) -> Result<Option<&'g Secret>, RunnerError> {
    match given.get(key).map(|set| (&set.value, &set.at)) {
        None => Ok(None),
        Some((ConnectionValue::Known(secret), _)) => Ok(Some(secret).filter(|secret| !secret.expose().is_empty())),
        Some((ConnectionValue::Unresolved(variable), at)) => Err(RunnerError::usage(
            format!("{at}: `{key}` refers to `${{{variable}}}`, which has no value"),
            "set it, or give the value in another way",
        )),
    }
}

/// The URL; without one, a database that libpq's variable names.
fn url(given: &ConnectionSettings, variables: &Variables<'_>) -> Result<Url, RunnerError> {
    match known(given, "url")? {
        Some(url) => take_apart(url.expose()),
        None if variables.get("PGDATABASE").is_some() => Ok(Url::default()),
        None => Err(RunnerError::usage(
            "no database is named",
            "give --url, or set FLYWAY_URL (jdbc:postgresql://host/database) or PGDATABASE",
        )),
    }
}

fn from_settings(parameters: &mut Parameters, given: &ConnectionSettings) -> Result<(), RunnerError> {
    for name in ["user", "password"] {
        if let Some(value) = known(given, name)? {
            parameters.put(name, value.clone(), name);
        }
    }
    Ok(())
}

fn from_url(parameters: &mut Parameters, url: &mut Url) -> Result<(), RunnerError> {
    const WHENCE: &str = "the URL";
    for (name, value) in [("user", url.user.take().map(Secret::new)), ("password", url.password.take())] {
        if let Some(value) = value {
            parameters.put(name, value, WHENCE);
        }
    }
    if let Some(database) = url.database.take() {
        parameters.put("dbname", Secret::new(database), WHENCE);
    }
    url.parameters.iter().try_for_each(|(name, value)| parameters.offer(name, value, url.dialect, WHENCE))
}

/// `jdbcProperties.NAME`, which the URL outranks, as in the Java driver.
fn from_driver_properties(parameters: &mut Parameters, given: &ConnectionSettings) -> Result<(), RunnerError> {
    for (key, set) in given.iter() {
        let Some(name) = key.strip_prefix("jdbcProperties.") else { continue };
        if let Some(value) = known(given, key)? {
            parameters.offer(name, value, Dialect::Jdbc, &set.at.to_string())?;
        }
    }
    Ok(())
}

fn from_variables(parameters: &mut Parameters, variables: &Variables<'_>, dialect: Dialect) -> Result<(), RunnerError> {
    for (variable, name) in names::VARIABLES {
        if let Some(value) = variables.get(variable) {
            parameters.put(name, Secret::new(value), variable);
        }
    }
    if dialect == Dialect::Jdbc {
        return Ok(());
    }
    for (variable, fine) in names::UNSUPPORTED {
        if variables.get(variable).is_some_and(|value| !fine.contains(&value.as_str())) {
            return Err(RunnerError::usage(
                format!("{variable} is set, and trueup does not follow it"),
                "unset it if it is not needed; trueup does not leave it out in silence",
            ));
        }
    }
    Ok(())
}

/// One password for all, or for each what a file says; gives what the user should know.
fn give_passwords(servers: &mut Servers, parameters: &Parameters, home: Option<&Path>) -> Option<String> {
    if let Some(password) = parameters.secret("password") {
        servers.endpoints.iter_mut().for_each(|endpoint| endpoint.password = Some(password.clone()));
        return None;
    }
    let path = parameters.text("passfile").map(PathBuf::from).or_else(|| passfile::usual(home))?;
    match Passfile::read(&path) {
        Ok(file) => {
            let file = file?;
            servers.endpoints.iter_mut().for_each(|endpoint| endpoint.password = file.password(endpoint));
            None
        }
        Err(notice) => Some(notice),
    }
}

/// `connectRetries` and `connectRetriesInterval`; what else there is about connecting has been looked at.
fn patience(servers: &mut Servers, given: &ConnectionSettings) -> Result<(), RunnerError> {
    let number = |key: &str| {
        let Some(text) = known(given, key)? else { return Ok(None) };
        let wrong = || RunnerError::usage(format!("`{key}` is no whole number from 0"), "correct it");
        text.expose().trim().parse::<u32>().map(Some).map_err(|_| wrong())
    };
    servers.retries = number("connectRetries")?.unwrap_or(0);
    if let Some(seconds) = number("connectRetriesInterval")? {
        servers.longest_wait = Duration::from_secs(u64::from(seconds));
    }
    Ok(())
}

/// Somebody said that nothing is to be protected on the network.
fn in_the_clear(servers: &Servers) -> Vec<String> {
    let open = servers.endpoints.iter().filter(|endpoint| {
        let mode = endpoint.tls.mode;
        !endpoint.host.is_local() && matches!(mode, Some(SslMode::Disable | SslMode::Allow | SslMode::Prefer))
    });
    open.filter_map(|endpoint| match (&endpoint.host, endpoint.tls.mode) {
        (Host::Tcp(name), Some(SslMode::Disable)) => {
            Some(format!("{name}: sslmode=disable, so password and data go over the network in the clear"))
        }
        (Host::Tcp(name), _) => Some(format!(
            "{name}: sslmode allows a connection without TLS: anybody between could ask for that; use verify-full"
        )),
        (Host::Socket(_), _) => None,
    })
    .collect()
}

/// The zone in which `installed_on` is written, as the Java driver does it: the client's.
fn time_zone(variable: Option<String>) -> String {
    let named = variable.map(|zone| zone.trim_start_matches(':').to_owned());
    let linked = || {
        let target = std::fs::read_link("/etc/localtime").ok()?;
        target.to_str()?.split_once("zoneinfo/").map(|(_, zone)| zone.to_owned())
    };
    let plain = |zone: &String| {
        !zone.is_empty() && zone.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '+' | '-'))
    };
    named.or_else(linked).filter(plain).unwrap_or_else(|| "UTC".to_owned())
}

#[cfg(test)]
mod tests;
