//! The throw-away server starts, answers, and leaves nothing behind.

use std::path::PathBuf;

use trueup_testkit::{MAJORS, Psql, Server, ServerError, skipped};

/// Every major that is on this machine.
#[test]
fn each_major_answers_and_is_gone_when_dropped() {
    for major in MAJORS {
        let server = match Server::start(major) {
            Ok(server) => server,
            Err(ServerError::Missing(major)) => {
                skipped(&format!("PostgreSQL {major} is not on this machine"));
                continue;
            }
            Err(failure) => panic!("PostgreSQL {major}: {failure:?}"),
        };
        let psql = Psql::new(server.database().expect("a database"));
        let answer =
            psql.run("SHOW server_version_num; SHOW data_directory; SHOW listen_addresses").expect("an answer");
        let mut lines = answer.lines();
        assert!(lines.next().expect("a version").starts_with(&major.to_string()));
        let data = PathBuf::from(lines.next().expect("a directory"));
        assert_eq!(lines.next(), None, "it listens on no address");
        assert!(psql.run("SELECT 1/0").is_err(), "a failing script is a failure");
        drop(server);
        assert!(!data.exists() && !data.parent().is_some_and(std::path::Path::exists), "{}", data.display());
    }
}
