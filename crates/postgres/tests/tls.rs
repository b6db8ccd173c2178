//! TLS against real servers, with certificates that are made for the tests.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

#[path = "tls/certificates.rs"]
mod certificates;
#[path = "tls/proxy.rs"]
mod proxy;
#[path = "tls/secure.rs"]
mod secure;

use std::time::{Duration, Instant};

use certificates::Certificates;
use secure::Secure;
use trueup_postgres::session::{
    ChannelBinding, ClientCertificate, Endpoint, Protection, Roots, Secret, Session, SessionError, SslMode, Tls,
};

const MODES: [SslMode; 6] =
    [SslMode::Disable, SslMode::Allow, SslMode::Prefer, SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull];

/// What came of connecting: the protection, or a part of the message.
async fn came(endpoint: &Endpoint) -> String {
    match Session::connect(endpoint).await {
        Ok(mut session) => {
            let asked = "SELECT COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false)";
            let encrypted = session.query(asked).await.unwrap().rows[0][0].as_deref() == Some("t");
            assert_eq!(encrypted, session.protection() != Protection::None, "the server sees it alike");
            format!("{:?}", session.protection())
        }
        Err(error) => error.to_string(),
    }
}

/// Every mode, with and without root certificates, against certificates of every kind.
#[tokio::test]
async fn every_mode_means_what_libpq_means() {
    let Some(certificates) = Certificates::made() else { return };
    let trusted = "is not signed by one that is trusted";
    // For each server's certificate: what verify-ca and verify-full say.
    let expected = [
        ("good", "Authority", "Host"),
        ("other-host", "Authority", "is for another host"),
        ("expired", "has expired", "has expired"),
        ("stranger", trusted, trusted),
        ("itself", trusted, trusted),
    ];
    for (name, authority, full) in expected {
        let Some(server) = Secure::start(certificates, name, "hostssl all all 127.0.0.1/32 trust") else { return };
        for mode in MODES {
            let without = came(&server.endpoint(Tls { mode: Some(mode), ..Tls::OFF })).await;
            let with = came(&server.endpoint(certificates.trusting(mode))).await;
            let (expected_without, expected_with) = match mode {
                SslMode::Disable => ("no encryption", "no encryption"),
                // The server insists, so the second try is over TLS.
                SslMode::Allow | SslMode::Prefer => ("Encrypted", "Encrypted"),
                SslMode::Require => ("Encrypted", authority),
                SslMode::VerifyCa => ("there are no root certificates", authority),
                // No test certificate is signed by anybody that the system trusts.
                SslMode::VerifyFull => ("", full),
            };
            assert!(without.contains(expected_without), "{name} {mode:?} without roots: {without}");
            assert!(mode != SslMode::VerifyFull || !["Host", "Encrypted"].contains(&without.as_str()), "{without}");
            assert!(with.contains(expected_with), "{name} {mode:?}: {with}");
        }
    }
}

#[tokio::test]
async fn hosts_are_checked_by_name_and_by_address() {
    let Some(certificates) = Certificates::made() else { return };
    let Some(server) = Secure::start(certificates, "name-only", "host all all 127.0.0.1/32 trust") else { return };
    let tls = certificates.trusting(SslMode::VerifyFull);
    let by_address = came(&server.endpoint(tls.clone())).await;
    assert!(by_address.contains("the certificate of 127.0.0.1 is for another host"), "{by_address}");
    let by_name = Endpoint { host: trueup_postgres::session::Host::Tcp("localhost".into()), ..server.endpoint(tls) };
    assert_eq!(came(&by_name).await, "Host");
    // A certificate that signed itself is trusted when it is named.
    let Some(server) = Secure::start(certificates, "itself", "host all all 127.0.0.1/32 trust") else { return };
    let named = |mode| Tls { mode: Some(mode), roots: Some(Roots::File(certificates.path("itself.crt"))), ..Tls::OFF };
    assert_eq!(came(&server.endpoint(named(SslMode::VerifyCa))).await, "Authority");
    assert_eq!(came(&server.endpoint(named(SslMode::VerifyFull))).await, "Host");
    let system = Tls { mode: Some(SslMode::VerifyCa), roots: Some(Roots::System), ..Tls::OFF };
    let refused = came(&server.endpoint(system)).await;
    assert!(refused.contains("needs sslmode=verify-full"), "{refused}");
    let nothing = Tls { mode: Some(SslMode::VerifyCa), roots: Some(Roots::File("/no/such".into())), ..Tls::OFF };
    let refused = came(&server.endpoint(nothing)).await;
    assert!(refused.contains("/no/such: No such file"), "{refused}");
}

#[tokio::test]
async fn a_server_without_tls() {
    let Some(server) = Secure::plain("host all all 127.0.0.1/32 trust") else { return };
    for (mode, expected) in [
        (Some(SslMode::Disable), "None"),
        (Some(SslMode::Allow), "None"),
        (Some(SslMode::Prefer), "None"),
        (None, "None"),
        (Some(SslMode::Require), "the server offers no TLS"),
        (Some(SslMode::VerifyFull), "the server offers no TLS"),
    ] {
        let came = came(&server.endpoint(Tls { mode, ..Tls::OFF })).await;
        assert!(came.contains(expected), "{mode:?}: {came}");
    }
    // hostnossl refuses what comes over TLS, and prefer then does without.
    let Some(certificates) = Certificates::made() else { return };
    let Some(server) = Secure::start(certificates, "good", "hostnossl all all 127.0.0.1/32 trust") else { return };
    assert_eq!(came(&server.endpoint(Tls { mode: Some(SslMode::Prefer), ..Tls::OFF })).await, "None");
    assert!(came(&server.endpoint(Tls { mode: Some(SslMode::Require), ..Tls::OFF })).await.contains("pg_hba.conf"));
}

#[tokio::test]
async fn a_statement_is_cancelled_over_tls() {
    let Some(certificates) = Certificates::made() else { return };
    let Some(server) = Secure::start(certificates, "good", "hostssl all all 127.0.0.1/32 trust") else { return };
    let mut session = Session::connect(&server.endpoint(certificates.trusting(SslMode::VerifyFull))).await.unwrap();
    session.send_simple("SELECT pg_sleep(60)").unwrap();
    let start = Instant::now();
    let outcomes = session.cancel(Duration::from_secs(20)).await.unwrap();
    assert_eq!(outcomes[0].error.as_ref().unwrap().sqlstate, "57014");
    assert!(start.elapsed() < Duration::from_secs(20));
    // Much in both directions: TLS records do not get in the way of the pipeline.
    session.send_for_rows("SELECT repeat('x', 60000) FROM generate_series(1, 200)").unwrap();
    session.send_simple(&format!("SELECT '{}'", "y".repeat(8 << 20))).unwrap();
    assert_eq!(session.next_outcome().await.unwrap().error, None);
    assert_eq!(session.next_outcome().await.unwrap().error, None);
}

#[tokio::test]
async fn clients_show_certificates() {
    let Some(certificates) = Certificates::made() else { return };
    let Some(server) = Secure::start(certificates, "good", "hostssl all all 127.0.0.1/32 cert") else { return };
    let showing = |key: &str, password: Option<&str>| Tls {
        client: Some(ClientCertificate {
            certificate: certificates.path("client.crt"),
            key: certificates.path(key),
            password: password.map(Secret::new),
        }),
        ..certificates.trusting(SslMode::VerifyFull)
    };
    for (key, password) in [
        ("client.key", None),
        ("client.pk8", None),
        ("encrypted.key", Some("opensesame")),
        ("encrypted.pk8", Some("opensesame")),
    ] {
        assert_eq!(came(&server.endpoint(showing(key, password))).await, "Host", "{key}");
    }
    for (key, password, expected) in [
        ("encrypted.key", None, "this key is encrypted: give sslpassword"),
        ("encrypted.pk8", Some("wrong"), "cannot be decrypted"),
        ("good.key", None, "cannot be shown to the server"),
        ("open.key", None, "others can read this private key"),
        ("none.key", None, "no private key"),
        ("absent.key", None, "No such file"),
    ] {
        let came = came(&server.endpoint(showing(key, password))).await;
        assert!(came.contains(expected), "{key}: {came}");
    }
    let none = came(&server.endpoint(certificates.trusting(SslMode::VerifyFull))).await;
    assert!(none.contains("certificate"), "{none}");
}

#[tokio::test]
async fn logins_are_bound_to_their_connection() {
    let Some(certificates) = Certificates::made() else { return };
    let hba = "host all trusted 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256";
    let Some(server) = Secure::start(certificates, "good", hba) else { return };
    server.psql("CREATE ROLE scram LOGIN PASSWORD 'pw'; CREATE ROLE trusted LOGIN;");
    let bound = |user: &str, mode, channel_binding| Endpoint {
        user: user.to_owned(),
        password: Some(Secret::new("pw")),
        ..server.endpoint(Tls { channel_binding, ..certificates.trusting(mode) })
    };
    let (require, prefer, disable) = (ChannelBinding::Require, ChannelBinding::Prefer, ChannelBinding::Disable);
    for binding in [require, prefer, disable] {
        assert_eq!(came(&bound("scram", SslMode::VerifyFull, binding)).await, "Host");
    }
    let unbound = came(&bound("trusted", SslMode::VerifyFull, require)).await;
    assert_eq!(unbound, "channel_binding=require, and the server let us in without it");
    let clear = came(&bound("scram", SslMode::Disable, require)).await;
    assert_eq!(clear, "channel_binding=require, and the server, or the connection, offers none");
    // Somebody in the middle with a certificate of their own, in both directions over TLS: without checks of the
    // certificate only the binding notices.
    let proxy = proxy::start(certificates, server.port()).await;
    let through = |binding| {
        let mut endpoint = bound("scram", SslMode::Require, binding);
        endpoint.tls.roots = None;
        endpoint.port = proxy;
        endpoint
    };
    assert_eq!(came(&through(disable)).await, "Encrypted", "the proxy itself works");
    for binding in [prefer, require] {
        let refused = came(&through(binding)).await;
        assert!(refused.contains("SCRAM channel binding check failed"), "{refused}");
    }
}

#[tokio::test]
async fn the_first_byte_may_be_of_tls() {
    let Some(certificates) = Certificates::made() else { return };
    let Some(server) = Secure::start_major(17, certificates, "good", "host all all 127.0.0.1/32 trust") else {
        return;
    };
    let direct = Tls { direct: true, ..certificates.trusting(SslMode::VerifyFull) };
    assert_eq!(came(&server.endpoint(direct.clone())).await, "Host");
    let Some(older) = Secure::start(certificates, "good", "host all all 127.0.0.1/32 trust") else { return };
    assert!(matches!(Session::connect(&older.endpoint(direct)).await, Err(SessionError::Tls(_))));
}
