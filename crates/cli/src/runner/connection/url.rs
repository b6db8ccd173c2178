//! URLs taken apart: the Java driver's and libpq's.

use trueup_model::secret::Secret;

use super::super::error::RunnerError;

/// Whose rules a URL, and the names of its parameters, follow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `jdbc:postgresql:`, the Java driver's.
    Jdbc,
    /// `postgres:` and variables, libpq's.
    #[default]
    Libpq,
}

/// A URL taken apart. What it does not say is `None`.
#[derive(Debug, Default)]
pub(super) struct Url {
    /// Whose rules it follows.
    pub(super) dialect: Dialect,
    /// Hosts and ports, in order.
    pub(super) hosts: Vec<(Option<String>, Option<u16>)>,
    /// Who logs in.
    pub(super) user: Option<String>,
    /// With what.
    pub(super) password: Option<Secret>,
    /// Where.
    pub(super) database: Option<String>,
    /// Names and values behind the `?`.
    pub(super) parameters: Vec<(String, Secret)>,
    /// What the user should know about it.
    pub(super) notice: Option<String>,
}

const KNOWN: &str = "write jdbc:postgresql://host:port/database, or postgres://host:port/database";

/// Takes a URL apart.
///
/// # Errors
/// It is of another kind, or malformed. No message has anything of the URL but names of parameters.
pub(super) fn take_apart(url: &str) -> Result<Url, RunnerError> {
    let (url, notice) = without_wrapper(url)?;
    let (dialect, rest) = match url.strip_prefix("jdbc:postgresql:") {
        Some(rest) => (Dialect::Jdbc, rest),
        None => {
            let rest = url.strip_prefix("postgres:").or_else(|| url.strip_prefix("postgresql:"));
            let rest = rest.filter(|rest| rest.starts_with("//"));
            (Dialect::Libpq, rest.ok_or_else(|| RunnerError::usage("the URL is none that trueup knows", KNOWN))?)
        }
    };
    let mut parts = Url { dialect, notice, ..Url::default() };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        // The Java driver's short form, for this machine.
        None => ("", rest.strip_prefix('/').unwrap_or(rest)),
    };
    parts.database = decoded(database, dialect)?;
    let (login, places) = authority.rsplit_once('@').map_or((None, authority), |(login, hosts)| (Some(login), hosts));
    if let Some(login) = login {
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        parts.user = decoded(user, Dialect::Libpq)?;
        parts.password = decoded(password, Dialect::Libpq)?.map(Secret::new);
    }
    parts.hosts = places.split(',').map(host_and_port).collect::<Result<_, _>>()?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value, dialect)?.unwrap_or_default();
        match name {
            "user" => parts.user = Some(value),
            "password" => parts.password = Some(Secret::new(value)),
            _ => parts.parameters.push((name.to_owned(), Secret::new(value))),
        }
    }
    Ok(parts)
}

/// Drivers that stand around the Java driver: some only watch, others connect in ways of their own.
fn without_wrapper(url: &str) -> Result<(String, Option<String>), RunnerError> {
    for watcher in ["p6spy", "otel"] {
        if let Some(rest) = url.strip_prefix("jdbc:").and_then(|rest| rest.strip_prefix(watcher)) {
            let notice = format!("the URL names the driver {watcher}, which only watches: trueup connects without it");
            return Ok((format!("jdbc{rest}"), Some(notice)));
        }
    }
    let refuse = |message: &str, help: &str| Err(RunnerError::usage(message, help));
    if url.starts_with("jdbc:aws-wrapper:") {
        return refuse(
            "the URL names Amazon's wrapper driver, whose failover and logins trueup has not",
            "write jdbc:postgresql://… with a user and a password",
        );
    }
    if url.starts_with("jdbc-secretsmanager:") {
        return refuse(
            "the URL's password is in AWS Secrets Manager, which trueup does not ask",
            "write jdbc:postgresql://…, and set FLYWAY_PASSWORD to the secret",
        );
    }
    if url.starts_with("jdbc:tc:") {
        return refuse("the URL starts a container through Testcontainers, which trueup does not", KNOWN);
    }
    Ok((url.to_owned(), None))
}

fn host_and_port(place: &str) -> Result<(Option<String>, Option<u16>), RunnerError> {
    let in_brackets = place.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match in_brackets {
        Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
        None => place.split_once(':').unwrap_or((place, "")),
    };
    Ok((decoded(host, Dialect::Libpq)?, if port.is_empty() { None } else { Some(number(port)?) }))
}

/// A port.
pub(super) fn number(port: &str) -> Result<u16, RunnerError> {
    let number = port.parse().ok().filter(|port| *port > 0);
    number.ok_or_else(|| RunnerError::usage("the URL's port is no number from 1 to 65535", "correct it"))
}

/// Percent signs decoded, and `+` where it means a blank; nothing for the empty text.
fn decoded(text: &str, dialect: Dialect) -> Result<Option<String>, RunnerError> {
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
        match byte {
            b'%' => {
                let digits = rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
                bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
                rest = &rest[2..];
            }
            b'+' if dialect == Dialect::Jdbc => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| wrong())?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_ports_and_names() {
        let url = take_apart("jdbc:postgresql://one:1,[::1]:2,three/a%20b+c?x=1&y=p+q").unwrap();
        let host = |name: &str, port| (Some(name.to_owned()), port);
        assert_eq!(url.hosts, [host("one", Some(1)), host("::1", Some(2)), host("three", None)]);
        assert_eq!(url.database.as_deref(), Some("a b c"));
        assert_eq!(url.parameters[1], ("y".to_owned(), Secret::new("p q")));
        let url = take_apart("postgresql://me:p%40ss+w@%2Frun%2Fpostgresql/a+b?x=p+q").unwrap();
        assert_eq!(url.hosts, [host("/run/postgresql", None)]);
        assert_eq!((url.user.as_deref(), url.password), (Some("me"), Some(Secret::new("p@ss+w"))));
        assert_eq!(url.database.as_deref(), Some("a+b"), "libpq has no blanks behind +");
        for short in ["jdbc:postgresql:app", "jdbc:postgresql:/app"] {
            let url = take_apart(short).unwrap();
            assert_eq!((url.hosts, url.database.as_deref()), (vec![(None, None)], Some("app")));
        }
    }

    #[test]
    fn drivers_around_the_driver() {
        let url = take_apart("jdbc:p6spy:postgresql://h/a").unwrap();
        assert_eq!(url.hosts, [(Some("h".to_owned()), None)]);
        assert!(url.notice.unwrap().contains("p6spy"));
        for (url, word) in [
            ("jdbc:aws-wrapper:postgresql://h/a", "Amazon"),
            ("jdbc-secretsmanager:postgresql://h/a", "Secrets Manager"),
            ("jdbc:tc:postgresql:15:///a", "Testcontainers"),
            ("jdbc:mysql://h/hunter2", "none that trueup knows"),
            ("postgres:x", "none that trueup knows"),
            ("postgres://h:0/a", "port"),
            ("postgres://h/%zz", "%"),
            ("postgres://h/%+1", "%"),
        ] {
            let error = take_apart(url).unwrap_err().to_string();
            assert!(error.contains(word) && !error.contains("hunter2"), "{url}: {error}");
        }
    }
}
