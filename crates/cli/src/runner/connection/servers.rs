//! From parameters to servers: hosts and ports, TLS, times, and which of several servers is wanted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use trueup_postgres::session::{
    ChannelBinding, ClientCertificate, Endpoint, Host, Roots, Servers, SslMode, Target, Tcp, Tls,
};

use super::super::error::RunnerError;
use super::parameters::Parameters;
use super::url::{self, Dialect};

/// The port of PostgreSQL.
const PORT: u16 = 5432;

/// The folder of libpq's files in the user's home.
const LIBPQ: &str = ".postgresql";

/// Everything but passwords.
pub(super) fn of(
    parameters: &Parameters,
    hosts: &[(Option<String>, Option<u16>)],
    user: &str,
    dialect: Dialect,
    home: Option<&Path>,
) -> Result<Servers, RunnerError> {
    let database = parameters.text("dbname").unwrap_or(user);
    let tls = tls(parameters, dialect, home)?;
    let tcp = tcp(parameters)?;
    let endpoints = places(parameters, hosts)?.into_iter().map(|(host, port)| {
        let mut endpoint = match host {
            Host::Socket(folder) => Endpoint::socket(folder, port, user, database),
            Host::Tcp(name) => Endpoint::tcp(name, port, user, database),
        };
        endpoint.tls = tls.clone();
        endpoint.tcp = tcp;
        common(&mut endpoint, parameters)?;
        Ok(endpoint)
    });
    let endpoints = endpoints.collect::<Result<Vec<_>, RunnerError>>()?;
    let target = parameters.word("target_session_attrs", target, TARGETS)?.unwrap_or_default();
    let first = endpoints.first().cloned().ok_or_else(|| RunnerError::usage("no host is named", "name one"))?;
    Ok(Servers { endpoints, target, ..Servers::from(first) })
}

fn common(endpoint: &mut Endpoint, parameters: &Parameters) -> Result<(), RunnerError> {
    let application = parameters.text("application_name").or_else(|| parameters.text("fallback_application_name"));
    if let Some(name) = application {
        name.clone_into(&mut endpoint.application_name);
    }
    for timeout in ["connect_timeout", "login_timeout"] {
        if let Some(time) = parameters.seconds(timeout)? {
            endpoint.connect_timeout = time;
        }
    }
    endpoint.silence = parameters.seconds("socket_timeout")?;
    for (name, option) in [("options", "options"), ("search_path", "search_path")] {
        if let Some(value) = parameters.text(name) {
            endpoint.options.push((option.to_owned(), value.to_owned()));
        }
    }
    Ok(())
}

/// Hosts and ports: as parameters name them, else as the URL does, else this machine.
fn places(parameters: &Parameters, hosts: &[(Option<String>, Option<u16>)]) -> Result<Vec<(Host, u16)>, RunnerError> {
    let named = hosts.iter().any(|(host, _)| host.is_some());
    let names: Vec<Option<&str>> = match parameters.text("host") {
        Some(text) if !named => text.split(',').map(|name| Some(name).filter(|name| !name.is_empty())).collect(),
        _ => hosts.iter().map(|(host, _)| host.as_deref()).collect(),
    };
    let names = if names.is_empty() { vec![None] } else { names };
    let ports: Vec<Option<u16>> = match parameters.text("port") {
        None => Vec::new(),
        Some(text) => {
            let number = |port: &str| if port.is_empty() { Ok(None) } else { url::number(port).map(Some) };
            text.split(',').map(number).collect::<Result<_, _>>()?
        }
    };
    if ports.len() > 1 && ports.len() != names.len() {
        return Err(parameters.wrong("port", "give one port, or one for each host"));
    }
    let place = |(position, name): (usize, &Option<&str>)| {
        let own = hosts.get(position).and_then(|(_, port)| *port);
        let listed = if ports.len() == 1 { ports.first() } else { ports.get(position) };
        let host = match name {
            Some(folder) if folder.starts_with('/') => Host::Socket(PathBuf::from(folder)),
            Some(name) => Host::Tcp((*name).to_owned()),
            None => Host::Tcp("localhost".to_owned()),
        };
        (host, own.or_else(|| listed.copied().flatten()).unwrap_or(PORT))
    };
    Ok(names.iter().enumerate().map(place).collect())
}

const TARGETS: &str = "any, read-write, read-only, primary, standby or prefer-standby";

/// libpq's names, and the Java driver's.
fn target(text: &str) -> Option<Target> {
    Some(match text {
        "any" => Target::Any,
        "read-write" => Target::ReadWrite,
        "read-only" => Target::ReadOnly,
        "primary" | "master" => Target::Primary,
        "standby" | "secondary" | "slave" => Target::Standby,
        "prefer-standby" | "preferSecondary" | "preferSlave" => Target::PreferStandby,
        "preferPrimary" => Target::PreferReadWrite,
        _ => return None,
    })
}

fn tcp(parameters: &Parameters) -> Result<Tcp, RunnerError> {
    let mut tcp = Tcp::default();
    if let Some(keepalive) = parameters.flag("keepalives")? {
        tcp.keepalive = keepalive;
    }
    tcp.idle = parameters.seconds("keepalives_idle")?;
    tcp.interval = parameters.seconds("keepalives_interval")?;
    tcp.retries = parameters.number::<u32>("keepalives_count")?.filter(|count| *count > 0);
    let milliseconds = parameters.number::<u64>("tcp_user_timeout")?.filter(|time| *time > 0);
    tcp.user_timeout = milliseconds.map(Duration::from_millis);
    Ok(tcp)
}

const MODES: &str = "disable, allow, prefer, require, verify-ca or verify-full";

fn tls(parameters: &Parameters, dialect: Dialect, home: Option<&Path>) -> Result<Tls, RunnerError> {
    let factory = parameters.text("sslfactory").map(|class| class.rsplit('.').next().unwrap_or(class));
    let unchecked = factory == Some("NonValidatingFactory");
    let system = factory == Some("DefaultJavaSSLFactory");
    if !unchecked && !system && !matches!(factory, None | Some("LibPQFactory")) {
        return Err(parameters.wrong("sslfactory", "trueup runs no Java: use sslmode and sslrootcert"));
    }
    let mode = match parameters.word("sslmode", SslMode::parse, MODES)? {
        Some(mode) => Some(mode),
        // The Java driver's `ssl=true` checks everything.
        None => parameters.flag("ssl")?.map(|on| if on { SslMode::VerifyFull } else { SslMode::Disable }),
    };
    let mode = if unchecked { mode.filter(|mode| *mode == SslMode::Disable).or(Some(SslMode::Require)) } else { mode };
    let file = |name: &str| home.map(|home| home.join(LIBPQ).join(name)).filter(|path| path.is_file());
    let roots = match parameters.text("sslrootcert") {
        _ if unchecked => None,
        Some("system") => Some(Roots::System),
        Some(path) => Some(Roots::File(PathBuf::from(path))),
        None if system => Some(Roots::System),
        None => file("root.crt").map(Roots::File),
    };
    let certificate = parameters.text("sslcert").map(PathBuf::from).or_else(|| file("postgresql.crt"));
    let usual_key = if dialect == Dialect::Jdbc {
        ["postgresql.pk8", "postgresql.key"]
    } else {
        ["postgresql.key", "postgresql.pk8"]
    };
    let key = parameters.text("sslkey").map(PathBuf::from).or_else(|| usual_key.iter().find_map(|name| file(name)));
    let client = match (certificate, key) {
        (Some(certificate), Some(key)) => {
            Some(ClientCertificate { certificate, key, password: parameters.secret("sslpassword") })
        }
        (Some(_), None) if parameters.text("sslcert").is_some() => {
            return Err(parameters.wrong("sslcert", "give sslkey too: the private key of that certificate"));
        }
        _ => None,
    };
    let binding = parameters.word("channel_binding", ChannelBinding::parse, "disable, prefer or require")?;
    let direct = |text: &str| match text {
        "direct" => Some(true),
        "postgres" => Some(false),
        _ => None,
    };
    let direct = parameters.word("sslnegotiation", direct, "postgres or direct")?.unwrap_or(false);
    if direct && mode.is_some_and(|mode| mode < SslMode::Require) {
        return Err(parameters.wrong("sslnegotiation", "direct needs sslmode=require or better"));
    }
    let mode = if direct { mode.or(Some(SslMode::Require)) } else { mode };
    Ok(Tls { mode, roots, client, channel_binding: binding.unwrap_or_default(), direct })
}
