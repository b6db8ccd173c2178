//! How long it takes: `cargo test -p trueup-postgres --release --test introspect speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use testkit::Psql;
use trueup_postgres::introspect::introspect;
use trueup_testkit as testkit;

use crate::scene::{connect, database, options, server};

/// Ten columns, three constraints, two indexes and a comment a table.
fn tables(count: usize) -> String {
    let mut script = String::from("BEGIN;");
    for number in 0..count {
        let parent = if number > 0 { format!("REFERENCES t{}", number - 1) } else { String::new() };
        script.push_str(&format!(
            "CREATE TABLE t{number} (id bigserial PRIMARY KEY, name varchar(100) NOT NULL DEFAULT 'x', email text UNIQUE, \
             amount numeric(10, 2) CHECK (amount > 0), created timestamptz DEFAULT now(), parent bigint {parent}, a int, b int, c jsonb, d uuid);\n\
             CREATE INDEX ON t{number} (name, created DESC); CREATE INDEX ON t{number} (lower(email)) WHERE a > 0;\n\
             COMMENT ON TABLE t{number} IS 'table {number}';\n"
        ));
        if number % 500 == 499 {
            script.push_str("COMMIT; BEGIN;");
        }
    }
    script + "COMMIT;"
}

/// The best of several, each over a connection of its own: no cache of the session is warm.
async fn best(conninfo: &str, expected: usize) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..7 {
        let client = connect(conninfo).await;
        let start = Instant::now();
        let seen = introspect(&client, &options()).await.expect("an answer");
        best = best.min(start.elapsed());
        assert_eq!(seen.canonical.tables.len(), expected);
    }
    best
}

#[tokio::test]
#[ignore = "a measurement, and not one for a busy machine"]
async fn speed() {
    let Some(server) = server(15) else { return };
    for count in [0, 20, 2_000, 10_000] {
        let conninfo = database(server, "postgres");
        Psql::new(&conninfo).run(&tables(count)).expect("tables");
        println!("{count} tables: {:?}", best(&conninfo, count).await);
    }
}
