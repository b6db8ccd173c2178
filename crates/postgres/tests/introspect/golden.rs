//! Real migrations, replayed by plain psql.

use std::collections::BTreeMap;
use std::process::Command;

use testkit::{Corpus, Psql, Server, client_tool, corpora, shared_corpora, skipped};
use trueup_model::canonical::Canonical;
use trueup_testkit as testkit;

use crate::flat::beyond_known;
use crate::scene::{OWNER, database, inside, server};

/// Replays a corpus into a new database; its connection string, or psql's complaint.
fn replay(server: &Server, corpus: &Corpus) -> std::io::Result<String> {
    let conninfo = database(server, OWNER);
    let work = tempfile::tempdir()?;
    Psql::new(&conninfo).run(&corpus.script(work.path())?)?;
    Ok(conninfo)
}

/// A dump without what changes from release to release: comments, `\restrict`, the settings at its head.
fn comparable(dump: &str) -> Vec<&str> {
    let noise = |line: &&str| {
        !line.is_empty() && !line.starts_with("--") && !line.starts_with('\\') && !line.starts_with("SET ")
    };
    dump.lines().map(str::trim_end).filter(noise).collect()
}

#[test]
fn psql_makes_the_golden_schemas() {
    let Some(root) = shared_corpora() else { return skipped("the corpora are not beside the clone") };
    let Some(server) = server(15) else { return };
    let pg_dump = client_tool("pg_dump").expect("pg_dump beside psql");
    for corpus in corpora(&root).expect("corpora") {
        let conninfo = replay(server, &corpus).expect("a replay");
        let dump =
            Command::new(&pg_dump).args(["--schema-only", "--no-owner", "-d", &conninfo]).output().expect("pg_dump");
        let dump = String::from_utf8(dump.stdout).expect("UTF-8");
        let golden = std::fs::read_to_string(&corpus.golden).expect("the golden");
        assert!(comparable(&golden).len() > 100, "{}: an empty golden proves nothing", corpus.name);
        similar(&corpus.name, &comparable(&golden), &comparable(&dump));
    }
}

/// Equal, or the first line that is not.
fn similar(name: &str, golden: &[&str], dump: &[&str]) {
    let first = golden.iter().zip(dump).position(|(a, b)| a != b);
    if let Some(at) = first {
        panic!("{name}: line {at}: golden {:?}, dump {:?}", golden[at], dump[at]);
    }
    assert_eq!(golden.len(), dump.len(), "{name}");
}

#[tokio::test]
async fn corpora_differ_between_majors_only_as_listed() {
    let Some(root) = shared_corpora() else { return skipped("the corpora are not beside the clone") };
    let mut fifteen: BTreeMap<String, Canonical> = BTreeMap::new();
    for major in [15, 13, 14, 16, 17, 18] {
        let Some(server) = server(major) else { continue };
        for corpus in corpora(&root).expect("corpora") {
            if major == 13 && corpus.name.starts_with("mulighetsrommet") {
                skipped("mulighetsrommet-api does not replay on PostgreSQL 13: 23 of its files need 14");
                continue;
            }
            let conninfo =
                replay(server, &corpus).unwrap_or_else(|failure| panic!("{} on {major}: {failure}", corpus.name));
            let here = inside(&conninfo).await.canonical;
            assert_eq!(here.unknowns, []);
            match fifteen.get(&corpus.name) {
                Some(there) => {
                    let (known, unknown) = beyond_known(there, &here);
                    println!("{major} {}: {known:?}", corpus.name);
                    assert_eq!(unknown, Vec::<String>::new(), "{} on {major}", corpus.name);
                }
                None => drop(fifteen.insert(corpus.name.clone(), here)),
            }
        }
    }
}
