//! Which server, who, and with what: URL, user and password from the command line and the environment.

use std::net::IpAddr;
use std::time::Duration;

use trueup_migrations::settings::{ConnectionSettings, ConnectionValue, Settings};
use trueup_model::location::Location;
use trueup_model::secret::Secret;
use trueup_postgres::session::{Endpoint, Host};

use super::error::RunnerError;
use crate::args::DatabaseArgs;

/// A server to connect to.
#[derive(Debug)]
pub struct Connection {
    /// Where and who.
    pub endpoint: Endpoint,
    /// What the user should know about it.
    pub notices: Vec<String>,
}

/// A URL taken apart.
#[derive(Debug, Default)]
struct Parts {
    host: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    password: Option<Secret>,
    database: Option<String>,
    /// Names and values behind the `?`.
    parameters: Vec<(String, String)>,
}

/// Decides from the command line, then from Flyway's settings (variables outrank files), then from libpq's variables.
///
/// # Errors
/// No URL, one that cannot be used, a password where others can read it, or a connection that would need TLS.
pub fn choose(
    arguments: &DatabaseArgs,
    variables: &[(String, String)],
    settings: &Settings,
) -> Result<Connection, RunnerError> {
    let given = given(arguments, &settings.connection)?;
    let variable = |name: &str| {
        let found = variables.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    refuse_unread(&given)?;
    let url = known(&given, "url")?.ok_or_else(|| {
        RunnerError::usage("no database is named", "give --url, or set FLYWAY_URL: jdbc:postgresql://host/database")
    })?;
    let mut parts = take_apart(url.expose())?;
    let user = known(&given, "user")?.map(|user| user.expose().to_owned()).or_else(|| parts.user.take());
    let user = user.or_else(|| variable("PGUSER")).or_else(|| variable("USER"));
    let user = user.ok_or_else(|| RunnerError::usage("no user is named", "give --user, or set FLYWAY_USER"))?;
    let password = known(&given, "password")?.cloned().or_else(|| parts.password.take());
    let password = password.or_else(|| variable("PGPASSWORD").map(Secret::new));
    let mut connection = endpoint(&parts, user)?;
    connection.endpoint.password = password;
    connection.endpoint.options.push(("TimeZone".to_owned(), time_zone(variable("TZ"))));
    Ok(connection)
}

/// The settings, outranked by the command line.
fn given(arguments: &DatabaseArgs, settings: &ConnectionSettings) -> Result<ConnectionSettings, RunnerError> {
    let mut given = settings.clone();
    if let Some(url) = &arguments.url {
        if take_apart(url.expose())?.password.is_some() {
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

/// Leaving a setting out in silence could mean another database, or another way to it.
fn refuse_unread(given: &ConnectionSettings) -> Result<(), RunnerError> {
    // There is one driver.
    match given.iter().find(|(key, _)| !matches!(*key, "url" | "user" | "password" | "driver")) {
        None => Ok(()),
        Some((key, set)) => Err(RunnerError::usage(
            format!("{}: `{key}` is not supported by this version of trueup", set.at),
            "remove it; trueup does not leave it out in silence",
        )),
    }
}

fn take_apart(url: &str) -> Result<Parts, RunnerError> {
    let jdbc = url.strip_prefix("jdbc:postgresql:");
    let rest = match jdbc {
        Some(rest) => rest.strip_prefix("//"),
        None => url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://")),
    };
    let rest = rest.ok_or_else(|| {
        RunnerError::usage(
            "the URL is none that trueup knows",
            "write jdbc:postgresql://host:port/database, or postgres://host:port/database",
        )
    })?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let mut parts = Parts { database: decoded(database)?, ..Parts::default() };
    let (login, place) = authority.rsplit_once('@').map_or((None, authority), |(login, place)| (Some(login), place));
    if let Some(login) = login {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        parts.user = decoded(user)?;
        parts.password = decoded(password)?.map(Secret::new);
    }
    host_and_port(&mut parts, place)?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value)?.unwrap_or_default();
        match name {
            "user" => parts.user = Some(value),
            "password" => parts.password = Some(Secret::new(value)),
            _ => parts.parameters.push((name.to_owned(), value)),
        }
    }
    Ok(parts)
}

fn host_and_port(parts: &mut Parts, place: &str) -> Result<(), RunnerError> {
    if place.contains(',') {
        return Err(RunnerError::usage(
            "a URL with several hosts is not supported by this version of trueup",
            "name the one to migrate",
        ));
    }
    let in_brackets = place.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match in_brackets {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    parts.host = decoded(host)?;
    if !port.is_empty() {
        let number = port.parse().ok().filter(|port| *port > 0);
        parts.port = Some(
            number.ok_or_else(|| RunnerError::usage("the URL's port is no number from 1 to 65535", "correct it"))?,
        );
    }
    Ok(())
}

/// Percent signs decoded; nothing for the empty text.
fn decoded(text: &str) -> Result<Option<String>, RunnerError> {
    let wrong = || {
        RunnerError::usage(
            "the URL has a % that is not followed by two hexadecimal digits, or is no UTF-8",
            "write %25 for a %",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        rest = &rest[2..];
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn endpoint(parts: &Parts, user: String) -> Result<Connection, RunnerError> {
    let host = parts.host.clone().unwrap_or_else(|| "localhost".to_owned());
    let database = parts.database.clone().unwrap_or_else(|| user.clone());
    let mut endpoint = Endpoint::tcp(host, parts.port.unwrap_or(5432), user, database);
    let mut mode = None;
    for (name, value) in &parts.parameters {
        match name.as_str() {
            "host" if value.starts_with('/') => endpoint.host = Host::Socket(value.into()),
            "sslmode" => mode = Some(value.as_str()),
            "ssl" if value == "false" => {}
            "currentSchema" => endpoint.options.push(("search_path".to_owned(), value.clone())),
            "ApplicationName" | "application_name" => endpoint.application_name.clone_from(value),
            "connectTimeout" | "connect_timeout" => endpoint.connect_timeout = seconds(name, value)?,
            _ => {
                return Err(RunnerError::usage(
                    format!("the URL's parameter `{name}` is not supported by this version of trueup"),
                    "take it out if it is not needed; trueup does not leave it out in silence",
                ));
            }
        }
    }
    let notices = in_the_clear(&endpoint.host, mode)?;
    Ok(Connection { endpoint, notices })
}

fn seconds(name: &str, value: &str) -> Result<Duration, RunnerError> {
    let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
    let wrong = || RunnerError::usage(format!("the URL's `{name}` is no number of seconds"), "correct it");
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

/// There is no TLS yet: what leaves the machine goes in the clear only when somebody says so.
fn in_the_clear(host: &Host, mode: Option<&str>) -> Result<Vec<String>, RunnerError> {
    let name = match host {
        Host::Socket(_) => return Ok(Vec::new()),
        Host::Tcp(name) => name,
    };
    let local = name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    match mode {
        Some("disable") if local => Ok(Vec::new()),
        Some("disable") => {
            Ok(vec![format!("{name}: sslmode=disable, so password and data go over the network in the clear")])
        }
        None | Some("allow" | "prefer") if local => Ok(Vec::new()),
        _ => Err(RunnerError::usage(
            format!("the connection to {name} would need TLS, which this version of trueup does not speak"),
            "use Flyway for this database, or a tunnel that ends on this machine; sslmode=disable connects in the clear",
        )),
    }
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
mod tests {
    use super::*;

    fn chosen(url: Option<&str>, variables: &[(&str, &str)]) -> Result<Connection, String> {
        let arguments = DatabaseArgs { url: url.map(Secret::new), user: Some("u".into()), ..DatabaseArgs::default() };
        let variables: Vec<_> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let mut settings = Settings::default();
        trueup_migrations::settings::read_variables(&mut settings, &variables);
        choose(&arguments, &variables, &settings).map_err(|error| error.to_string())
    }

    #[test]
    fn both_kinds_of_url() {
        for url in ["jdbc:postgresql://127.0.0.1:5433/a%20b", "postgres://127.0.0.1:5433/a%20b?sslmode=disable"] {
            let endpoint = chosen(Some(url), &[("PGPASSWORD", "p")]).unwrap().endpoint;
            assert_eq!((endpoint.host, endpoint.port), (Host::Tcp("127.0.0.1".into()), 5433), "{url}");
            assert_eq!((endpoint.user.as_str(), endpoint.dbname.as_str()), ("u", "a b"));
            assert_eq!(endpoint.password, Some(Secret::new("p")));
        }
        let socket = chosen(Some("postgres:///app?host=/run/postgresql"), &[]).unwrap().endpoint;
        assert_eq!((socket.host, socket.port), (Host::Socket("/run/postgresql".into()), 5432));
        let six = chosen(Some("jdbc:postgresql://[::1]:1/app?currentSchema=s"), &[]).unwrap().endpoint;
        assert_eq!((six.host, six.port), (Host::Tcp("::1".into()), 1));
        assert_eq!(six.options[0], ("search_path".to_owned(), "s".to_owned()));
    }

    #[test]
    fn nothing_leaves_the_machine_in_the_clear_unasked() {
        for url in [
            "jdbc:postgresql://db.example/app",
            "jdbc:postgresql://db.example/app?sslmode=require",
            "jdbc:postgresql://10.0.0.1/app?sslmode=prefer",
            "jdbc:postgresql://localhost/app?sslmode=verify-full",
            "postgres://localhost.example/app",
        ] {
            assert!(chosen(Some(url), &[]).unwrap_err().contains("TLS"), "{url}");
        }
        let asked = chosen(Some("jdbc:postgresql://db.example/app?sslmode=disable"), &[]).unwrap();
        assert!(asked.notices[0].contains("in the clear"));
    }

    #[test]
    fn a_password_on_the_command_line_is_refused_and_one_in_the_environment_is_not_shown() {
        for url in ["postgres://u:hunter2@localhost/app", "jdbc:postgresql://localhost/app?password=hunter2"] {
            let error = chosen(Some(url), &[]).unwrap_err();
            assert!(error.contains("holds a password") && !error.contains("hunter2"), "{error}");
            let from_environment = chosen(None, &[("FLYWAY_URL", url)]).unwrap();
            assert_eq!(from_environment.endpoint.password, Some(Secret::new("hunter2")));
            assert!(!format!("{from_environment:?}").contains("hunter2"));
        }
    }

    #[test]
    fn what_is_not_supported_is_named() {
        let says = |url: &str, what: &str| {
            let error = chosen(Some(url), &[]).unwrap_err();
            assert!(error.contains(what), "{url}: {error}");
        };
        says("jdbc:postgresql://a,b/app", "several hosts");
        says("jdbc:postgresql://localhost/app?targetServerType=primary", "targetServerType");
        says("jdbc:mysql://localhost/app", "none that trueup knows");
        says("jdbc:postgresql://localhost:0/app", "port");
        says("jdbc:postgresql://localhost/a%zz", "%");
        assert!(chosen(None, &[]).unwrap_err().contains("no database is named"));
        let mut settings = Settings::default();
        let at = Location::new("flyway.conf", 3, 1);
        settings.connection.set("url", "postgres://localhost/a", at.clone());
        settings.connection.set("user", "somebody", at.clone());
        let arguments = DatabaseArgs::default();
        assert_eq!(choose(&arguments, &[], &settings).unwrap().endpoint.user, "somebody");
        settings.connection.set_unresolved("password", "NOPE", at.clone());
        let error = choose(&arguments, &[], &settings).unwrap_err().to_string();
        assert_eq!(error, "flyway.conf:3:1: `password` refers to `${NOPE}`, which has no value");
        settings.connection.set("password", "x", at.clone());
        settings.connection.set("connectRetries", "1", at);
        let error = choose(&arguments, &[], &settings).unwrap_err().to_string();
        assert!(error.contains("flyway.conf:3:1: `connectRetries`"), "{error}");
    }
}
