//! Ways to a database, through the binary: several servers, tries, and passwords from a file.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use trueup_testkit::{Psql, Server, skipped};

fn server() -> Option<Server> {
    let server = Server::start_with_tcp(15).ok();
    if server.is_none() {
        skipped("there is no PostgreSQL 15 on this machine");
    }
    server
}

/// `trueup info` on a URL, from an empty folder that is also the home.
fn info(folder: &Path, url: &str, variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    let foreign = |name: &str| name.starts_with("FLYWAY_") || name.starts_with("PG");
    for (name, _) in std::env::vars_os().filter(|(name, _)| foreign(&name.to_string_lossy())) {
        command.env_remove(name);
    }
    command.current_dir(folder).env("HOME", folder).envs(variables.iter().copied());
    said(&command.args(["info", "--location", ".", "--url", url]).output().unwrap())
}

fn said(output: &Output) -> (i32, String) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn the_first_server_that_will_do() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let port = server.port();
    let both =
        |parameters: &str| format!("jdbc:postgresql://127.0.0.1:1,127.0.0.1:{port}/postgres?user=postgres{parameters}");
    let (code, text) = info(folder.path(), &both(""), &[]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = info(folder.path(), &both("&targetServerType=primary"), &[]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = info(folder.path(), &both("&targetServerType=secondary"), &[]);
    let expected = format!(
        "none of 2 servers will do 127.0.0.1:1: the connection to PostgreSQL failed: Connection refused (os error 111) 127.0.0.1:{port}: it is not a standby"
    );
    assert_eq!((code, text.contains(&expected)), (1, true), "{text}");
    let (code, text) = info(folder.path(), &both("&targetServerType=preferSecondary"), &[]);
    assert_eq!(code, 0, "{text}");
    let (code, text) = info(folder.path(), &both("&sslmode=require"), &[]);
    assert!(code == 1 && text.contains("the server offers no TLS"), "{text}");
}

#[test]
fn what_does_not_answer_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let url = "jdbc:postgresql://127.0.0.1:1/postgres?user=postgres";
    let variables = [("FLYWAY_CONNECT_RETRIES", "2"), ("FLYWAY_CONNECT_RETRIES_INTERVAL", "1")];
    let start = std::time::Instant::now();
    let (code, text) = info(folder.path(), url, &variables);
    assert_eq!((code, text.matches("trying again in 1 s").count()), (1, 2), "{text}");
    assert!((2..20).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[test]
fn passwords_come_from_a_file_that_others_cannot_read() {
    let Some(server) = server() else { return };
    let conninfo = server.conninfo("postgres");
    let psql = |sql: &str| Psql::new(&conninfo).run(sql).unwrap();
    psql("CREATE ROLE somebody LOGIN PASSWORD 'pw:1'");
    let hba = psql("SHOW hba_file");
    std::fs::write(&hba, "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n").unwrap();
    psql("SELECT pg_reload_conf()");
    while psql("SELECT count(*) FROM pg_hba_file_rules") != "2" {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let folder = tempfile::tempdir().unwrap();
    let url = format!("postgres://somebody@127.0.0.1:{}/postgres", server.port());
    // The postmaster takes new rules when it gets to it.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let (code, text) = info(folder.path(), &url, &[]);
        if code == 1 {
            assert!(text.contains("asks for a password and none was given"), "{text}");
            break;
        }
        assert!(std::time::Instant::now() < deadline, "{text}");
    }
    let file = folder.path().join(".pgpass");
    std::fs::write(&file, "*:*:other:somebody:wrong\n127.0.0.1:*:postgres:somebody:pw\\:1\n").unwrap();
    let mode = |mode| std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o600);
    assert_eq!(info(folder.path(), &url, &[]).0, 0);
    mode(0o644);
    let (code, text) = info(folder.path(), &url, &[]);
    assert!(code == 1 && text.contains("others can read it; chmod 0600 it"), "{text}");
    let elsewhere = folder.path().join("elsewhere");
    std::fs::rename(&file, &elsewhere).unwrap();
    std::fs::set_permissions(&elsewhere, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(info(folder.path(), &url, &[("PGPASSFILE", elsewhere.to_str().unwrap())]).0, 0);
    let wrong = info(folder.path(), &url, &[("PGPASSWORD", "wrong"), ("FLYWAY_CONNECT_RETRIES", "3")]);
    assert!(wrong.0 == 1 && !wrong.1.contains("trying again"), "a wrong password is not tried again: {}", wrong.1);
}
