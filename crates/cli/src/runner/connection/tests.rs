use trueup_postgres::session::{Endpoint, Roots, Target};

use super::*;

fn all(url: Option<&str>, variables: &[(&str, &str)]) -> Result<Connection, String> {
    let arguments = DatabaseArgs { url: url.map(Secret::new), user: Some("u".into()), ..DatabaseArgs::default() };
    let variables: Vec<_> = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let mut settings = Settings::default();
    trueup_migrations::settings::read_variables(&mut settings, &variables);
    choose(&arguments, &variables, &settings).map_err(|error| error.to_string())
}

fn only(url: &str, variables: &[(&str, &str)]) -> Endpoint {
    let mut endpoints = all(Some(url), variables).unwrap().servers.endpoints;
    assert_eq!(endpoints.len(), 1);
    endpoints.remove(0)
}

#[test]
fn both_kinds_of_url() {
    for url in ["jdbc:postgresql://127.0.0.1:5433/a%20b", "postgres://127.0.0.1:5433/a%20b?sslmode=disable"] {
        let endpoint = only(url, &[("PGPASSWORD", "p")]);
        assert_eq!((endpoint.host, endpoint.port), (Host::Tcp("127.0.0.1".into()), 5433), "{url}");
        assert_eq!((endpoint.user.as_str(), endpoint.dbname.as_str()), ("u", "a b"));
        assert_eq!(endpoint.password, Some(Secret::new("p")));
    }
    let socket = only("postgres:///app?host=/run/postgresql", &[]);
    assert_eq!((socket.host, socket.port), (Host::Socket("/run/postgresql".into()), 5432));
    let six = only("jdbc:postgresql://[::1]:1/app?currentSchema=s", &[]);
    assert_eq!((six.host, six.port), (Host::Tcp("::1".into()), 1));
    assert_eq!(six.options[0], ("search_path".to_owned(), "s".to_owned()));
}

#[test]
fn several_hosts_and_libpqs_variables() {
    let servers = all(Some("jdbc:postgresql://a:1,b/app?targetServerType=preferSecondary"), &[]).unwrap().servers;
    let places: Vec<_> = servers.endpoints.iter().map(Endpoint::place).collect();
    assert_eq!((places, servers.target), (vec!["a:1".into(), "b:5432".into()], Target::PreferStandby));
    let variables = [("PGHOST", "/run,db"), ("PGPORT", "1,2"), ("PGDATABASE", "d"), ("PGTZ", "Asia/Tokyo")];
    let servers = all(None, &variables).unwrap().servers;
    let places: Vec<_> = servers.endpoints.iter().map(Endpoint::place).collect();
    assert_eq!(places, ["/run:1", "db:2"]);
    assert_eq!(servers.endpoints[1].options, [("TimeZone".to_owned(), "Asia/Tokyo".to_owned())]);
    assert!(all(None, &[("PGHOST", "db")]).unwrap_err().contains("no database is named"));
    assert!(all(None, &[("PGDATABASE", "d"), ("PGHOSTADDR", "1.2.3.4")]).unwrap_err().contains("PGHOSTADDR"));
    assert!(all(Some("postgres:///d?service=x"), &[]).unwrap_err().contains("service"));
}

#[test]
fn tls_is_what_both_drivers_mean_by_it() {
    let mode = |url: &str, variables: &[(&str, &str)]| only(url, variables).tls.mode;
    assert_eq!(mode("postgres://h/d", &[]), None);
    assert_eq!(mode("postgres://h/d", &[("PGSSLMODE", "require")]), Some(SslMode::Require));
    assert_eq!(mode("jdbc:postgresql://h/d?ssl=true", &[]), Some(SslMode::VerifyFull));
    assert_eq!(mode("jdbc:postgresql://h/d?ssl=true&sslmode=verify-ca", &[]), Some(SslMode::VerifyCa));
    let unchecked = "jdbc:postgresql://h/d?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory";
    assert_eq!(mode(unchecked, &[]), Some(SslMode::Require));
    let system = only("postgres://h/d?sslmode=verify-full&sslrootcert=system&sslnegotiation=direct", &[]).tls;
    assert!(system.direct && system.roots == Some(Roots::System));
    for (url, word) in [
        ("postgres://h/d?sslmode=on", "sslmode"),
        ("postgres://h/d?sslcert=c", "sslcert"),
        ("postgres://h/d?sslmode=prefer&sslnegotiation=direct", "sslnegotiation"),
        ("jdbc:postgresql://h/d?sslfactory=com.acme.Mine", "sslfactory"),
        ("jdbc:postgresql://h/d?gssEncMode=require", "gssEncMode"),
        ("jdbc:postgresql://h/d?nonsense=1", "nonsense"),
    ] {
        assert!(all(Some(url), &[]).unwrap_err().contains(word), "{url}");
    }
    assert!(all(Some("postgres://h/d?sslmode=disable"), &[]).unwrap().notices[0].contains("in the clear"));
    assert!(all(Some("postgres://h/d?sslmode=prefer"), &[]).unwrap().notices[0].contains("without TLS"));
}

#[test]
fn a_password_on_the_command_line_is_refused_and_one_in_the_environment_is_not_shown() {
    for url in ["postgres://u:hunter2@localhost/app", "jdbc:postgresql://localhost/app?password=hunter2"] {
        let error = all(Some(url), &[]).unwrap_err();
        assert!(error.contains("holds a password") && !error.contains("hunter2"), "{error}");
        let from_environment = all(None, &[("FLYWAY_URL", url)]).unwrap();
        assert_eq!(from_environment.servers.endpoints[0].password, Some(Secret::new("hunter2")));
        assert!(!format!("{from_environment:?}").contains("hunter2"));
    }
}

#[test]
fn the_driver_s_properties_and_patience_come_from_settings() {
    let mut settings = Settings::default();
    let at = Location::new("flyway.conf", 3, 1);
    settings.connection.set("url", "jdbc:postgresql://localhost/a?sslmode=disable", at.clone());
    settings.connection.set("user", "somebody", at.clone());
    settings.connection.set("jdbcProperties.sslmode", "require", at.clone());
    settings.connection.set("jdbcProperties.connectTimeout", "7", at.clone());
    settings.connection.set("connectRetries", "3", at.clone());
    settings.connection.set("connectRetriesInterval", "5", at.clone());
    let arguments = DatabaseArgs::default();
    let servers = choose(&arguments, &[], &settings).unwrap().servers;
    let endpoint = &servers.endpoints[0];
    assert_eq!((endpoint.user.as_str(), endpoint.tls.mode), ("somebody", Some(SslMode::Disable)));
    assert_eq!((servers.retries, servers.longest_wait), (3, Duration::from_secs(5)));
    assert_eq!(endpoint.connect_timeout, Duration::from_secs(7));
    settings.connection.set("jdbcProperties.accessToken", "hunter2", at.clone());
    let error = choose(&arguments, &[], &settings).unwrap_err().to_string();
    assert!(error.contains("flyway.conf:3:1") && error.contains("accessToken") && !error.contains("hunter2"));
    settings.connection.set_unresolved("password", "NOPE", at);
    let error = choose(&arguments, &[], &settings).unwrap_err().to_string();
    assert_eq!(error, "flyway.conf:3:1: `password` refers to `${NOPE}`, which has no value");
}

#[test]
fn what_is_not_supported_is_named() {
    let says = |url: &str, what: &str| {
        let error = all(Some(url), &[]).unwrap_err();
        assert!(error.contains(what), "{url}: {error}");
    };
    says("jdbc:mysql://localhost/app", "none that trueup knows");
    says("jdbc:postgresql://localhost:0/app", "port");
    says("jdbc:postgresql://localhost/a%zz", "%");
    assert!(all(None, &[]).unwrap_err().contains("no database is named"));
}
