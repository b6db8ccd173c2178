//! Sessions against a real server.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests fail by panicking and say what they measured")]
#![allow(clippy::single_range_in_vec_init, reason = "statements are lists of ranges")]

mod support;

use std::time::{Duration, Instant};

use support::{run, server};
use trueup_postgres::session::{Endpoint, NOTICES_KEPT, Secret, Session, SessionError, TransactionStatus, Window};

#[tokio::test]
async fn outcomes_carry_tags_rows_notices_and_status() {
    let mut session = server().database().await.connect().await;
    let outcome = session
        .query("BEGIN; CREATE TABLE t (a int); INSERT INTO t VALUES (1),(NULL); SELECT a FROM t; DO $$BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END$$")
        .await
        .unwrap();
    assert_eq!(outcome.tags, ["BEGIN", "CREATE TABLE", "INSERT 0 2", "SELECT 2", "DO"]);
    assert_eq!(outcome.rows, [vec![Some("1".to_owned())], vec![None]]);
    assert_eq!(outcome.notices.iter().map(|n| n.message.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(outcome.status, TransactionStatus::InTransaction);
    let failed = session.query("SELECT nope FROM t").await.unwrap();
    let error = failed.error.unwrap();
    assert_eq!((error.sqlstate.as_str(), error.position), ("42703", Some(8)));
    assert_eq!(failed.status, TransactionStatus::Failed);
    assert_eq!(session.query("ROLLBACK").await.unwrap().status, TransactionStatus::Idle);
    assert_eq!(session.query("").await.unwrap().tags, [""]);
}

#[tokio::test]
async fn constraint_errors_name_their_objects() {
    let mut session = server().database().await.connect().await;
    run(&mut session, "CREATE TABLE t (a int CONSTRAINT positive CHECK (a > 0))").await;
    let error = session.query("INSERT INTO t VALUES (-1)").await.unwrap().error.unwrap();
    assert_eq!(
        (error.schema.as_deref(), error.table.as_deref(), error.constraint.as_deref()),
        (Some("public"), Some("t"), Some("positive"))
    );
    assert!(error.detail.unwrap().contains("(-1)"));
}

#[tokio::test]
async fn the_server_reports_settings_and_its_process() {
    let mut session = server().database().await.connect().await;
    assert_eq!(session.parameter("server_encoding"), Some("UTF8"));
    assert_eq!(session.parameter("is_superuser"), Some("off"));
    run(&mut session, "SET application_name = 'other'").await;
    assert_eq!(session.parameter("application_name"), Some("other"));
    let pid = session.query("SELECT pg_backend_pid()").await.unwrap().rows[0][0].clone();
    assert_eq!(pid, Some(session.pid().to_string()));
}

/// Both socket buffers fill: the server writes 64 MB that nobody asked to keep while we write 64 MB.
#[tokio::test]
async fn full_buffers_in_both_directions_do_not_block() {
    let mut session = server().database().await.connect().await;
    session.set_window(Window { messages: 64, bytes: 64 << 20 });
    session.set_deadline(Some(tokio::time::Instant::now() + Duration::from_secs(60)));
    let text = format!("SELECT repeat('x', 1000000) -- {}", "y".repeat(1_000_000));
    for _ in 0..30 {
        session.send_simple(&text).unwrap();
    }
    for _ in 0..30 {
        assert_eq!(session.next_outcome().await.unwrap().tags, ["SELECT 1"]);
    }
    let counters = session.counters();
    assert!(counters.bytes_sent > 30_000_000 && counters.bytes_received > 30_000_000);
    assert_eq!((counters.messages, counters.round_trips), (30, 1));
}

#[tokio::test]
async fn the_window_is_bounded() {
    let mut session = server().database().await.connect().await;
    session.set_window(Window { messages: 3, bytes: 1 << 20 });
    for _ in 0..3 {
        session.send_simple("SELECT 1").unwrap();
    }
    assert!(!session.has_room());
    assert!(matches!(session.send_simple("SELECT 1"), Err(SessionError::WindowFull)));
    session.next_outcome().await.unwrap();
    assert!(session.has_room());
}

/// A million notices, 300 MB of rows and a 100 MB error: none of it is kept.
#[tokio::test]
async fn hostile_output_does_not_eat_memory() {
    let mut session = server().database().await.connect().await;
    let before = resident();
    let sql = "DO $$BEGIN FOR i IN 1..1000000 LOOP RAISE NOTICE 'n%', i; END LOOP; END$$";
    session.send_simple(sql).unwrap();
    let outcome = session.next_outcome().await.unwrap();
    assert_eq!((outcome.notice_count, outcome.notices.len()), (1_000_000, NOTICES_KEPT));
    session.send_simple("SELECT repeat('x', 100000000) FROM generate_series(1,3)").unwrap();
    assert_eq!(session.next_outcome().await.unwrap().tags, ["SELECT 3"]);
    session.send_simple("DO $$BEGIN RAISE EXCEPTION '%', repeat('x', 100000000); END$$").unwrap();
    let error = session.next_outcome().await.unwrap().error.unwrap();
    assert_eq!(error.sqlstate, "P0001");
    assert!(error.message.len() <= 64 * 1024);
    assert!(resident() - before.min(resident()) < 80 << 20, "{} bytes more", resident() - before);
    run(&mut session, "SELECT 1").await;
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number of pages") * 4096
}

#[tokio::test]
async fn copy_out_is_drained_and_unexpected_copy_in_refused() {
    let mut session = server().database().await.connect().await;
    run(&mut session, "CREATE TABLE t (a int)").await;
    assert_eq!(session.query("COPY (SELECT generate_series(1,100000)) TO STDOUT").await.unwrap().tags, ["COPY 100000"]);
    let outcome = session.query("COPY t FROM STDIN").await.unwrap();
    assert!(outcome.unexpected_copy && outcome.error.is_some());
    assert_eq!(session.query("SELECT count(*) FROM t").await.unwrap().rows[0][0].as_deref(), Some("0"));
}

#[tokio::test]
async fn announced_copy_data_streams_without_waiting() {
    let mut session = server().database().await.connect().await;
    run(&mut session, "CREATE TABLE t (a int)").await;
    session.send_copy(&["COPY t FROM STDIN"]).unwrap();
    session.send_copy_data(b"1\n2\n").unwrap();
    session.send_copy_data(b"3\n").unwrap();
    session.finish_copy();
    session.send_for_rows("SELECT sum(a) FROM t").unwrap();
    assert_eq!(session.next_outcome().await.unwrap().tags, ["COPY 3"]);
    assert_eq!(session.next_outcome().await.unwrap().rows[0][0].as_deref(), Some("6"));
}

#[tokio::test]
async fn data_for_a_copy_that_fails_is_ignored() {
    let mut session = server().database().await.connect().await;
    session.send_copy(&["COPY nowhere FROM STDIN"]).unwrap();
    session.send_copy_data(b"1\n").unwrap();
    session.finish_copy();
    session.send_for_rows("SELECT 7").unwrap();
    assert_eq!(session.next_outcome().await.unwrap().error.unwrap().sqlstate, "42P01");
    assert_eq!(session.next_outcome().await.unwrap().rows[0][0].as_deref(), Some("7"));
}

/// What is queued then is more than the window, and nothing in flight would ever make room.
#[tokio::test]
async fn there_is_room_behind_a_copy_that_failed_early() {
    let mut session = server().database().await.connect().await;
    session.send_copy(&["COPY nowhere FROM STDIN"]).unwrap();
    let line = "1234567\n".repeat(1 << 17);
    for _ in 0..64 {
        session.send_copy_data(line.as_bytes()).unwrap();
    }
    assert_eq!(session.next_outcome().await.unwrap().error.unwrap().sqlstate, "42P01");
    assert!(!session.has_room_for_bytes(), "the outcome came behind the data: this tests nothing");
    assert_eq!(session.query("SELECT 7").await.unwrap().rows[0][0].as_deref(), Some("7"));
}

#[tokio::test]
async fn deadlines_end_waits_and_cancel_drains() {
    let mut session = server().database().await.connect().await;
    let start = Instant::now();
    session.set_deadline(Some(tokio::time::Instant::now() + Duration::from_millis(100)));
    session.send_simple("SELECT pg_sleep(1000)").unwrap();
    session.send_simple("SELECT pg_sleep(1000)").unwrap();
    assert!(matches!(session.next_outcome().await, Err(SessionError::Deadline)));
    let outcomes = session.cancel(Duration::from_secs(5)).await.unwrap();
    let states = outcomes.iter().map(|o| o.error.as_ref().unwrap().sqlstate.clone()).collect::<Vec<_>>();
    assert_eq!(states, ["57014", "57014"]);
    assert!(start.elapsed() < Duration::from_secs(5));
    run(&mut session, "SELECT 1").await;
}

#[tokio::test]
async fn a_killed_backend_is_told_with_its_last_words() {
    let mut session = server().database().await.connect().await;
    let error = session.query("SELECT pg_terminate_backend(pg_backend_pid())").await.unwrap_err();
    let SessionError::Closed(Some(last)) = error else { panic!("{error}") };
    assert_eq!(last.sqlstate, "57P01");
}

#[tokio::test]
async fn a_nul_byte_is_refused_where_it_stands() {
    let mut session = server().database().await.connect().await;
    assert!(matches!(session.send_simple("SELECT\0 1"), Err(SessionError::Nul(6))));
    run(&mut session, "SELECT 1").await;
}

#[tokio::test]
async fn tcp_with_scram_md5_and_a_wrong_password() {
    let port = 20_000 + (std::process::id() % 20_000) as u16;
    let server = server();
    // The server listens on no TCP port by default; a second one does.
    let tcp = support::Server::start(port);
    let mut admin = Session::connect(&tcp.superuser("postgres")).await.unwrap();
    run(&mut admin, "CREATE ROLE scram LOGIN PASSWORD 'pässword'").await;
    run(&mut admin, "SET password_encryption='md5'; CREATE ROLE md5 LOGIN PASSWORD 'pw'").await;
    for (user, password) in [("scram", "pässword"), ("md5", "pw")] {
        let mut endpoint = Endpoint::tcp("127.0.0.1", port, user, "postgres");
        assert!(matches!(Session::connect(&endpoint).await, Err(SessionError::PasswordNeeded)));
        endpoint.password = Some(Secret::new(password));
        let mut session = Session::connect(&endpoint).await.unwrap();
        assert_eq!(session.query("SELECT current_user").await.unwrap().rows[0][0].as_deref(), Some(user));
        endpoint.password = Some(Secret::new("wrong"));
        let refused = Session::connect(&endpoint).await.err().unwrap();
        assert!(matches!(&refused, SessionError::Refused(error) if error.sqlstate == "28P01"), "{refused}");
        assert!(!format!("{endpoint:?}").contains("wrong"));
    }
    let missing = Endpoint { dbname: "no_such".to_owned(), ..server.superuser("postgres") };
    assert!(matches!(Session::connect(&missing).await, Err(SessionError::Refused(_))));
}
