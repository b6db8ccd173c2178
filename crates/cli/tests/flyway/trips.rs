//! Round trips, counted on the wire: what `--verbose` says must be what the network sees.

use std::time::Duration;

use trueup_testkit::Link;

use crate::scene::{Scene, server};

/// Long enough that all that is sent at once is seen as one flight.
const DELAY: Duration = Duration::from_millis(40);

/// The kinds of the messages that began each flight: a query for each wait, and the goodbye. How the connection came
/// about is left out: its messages have no kind.
fn kinds(link: &Link) -> String {
    link.take_flights().into_iter().filter(|flight| flight.kind != 0).map(|flight| char::from(flight.kind)).collect()
}

/// Runs `trueup VERB --verbose` over the link, and gives what it printed.
fn verbose(scene: &Scene, verb: &str) -> String {
    let output = scene
        .for_people(verb, scene.folder.path())
        .args(["--location", ".", "--verbose"])
        .env("PGPASSWORD", "")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn what_is_said_of_round_trips_is_what_the_network_sees() {
    let Some(server) = server() else { return };
    let files: Vec<_> = (1..=30)
        .map(|n| (format!("V{n}__t.sql"), format!("create table t{n}();\ncreate index on t{n}((1));")))
        .collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let link = Link::start(server.port(), DELAY).unwrap();
    let scene = Scene::new(server, &files).reached_through(&link);

    let fresh = verbose(&scene, "migrate");
    let flights = kinds(&link);
    // The goodbye begins with a query that gives up the lock.
    let waits = flights.len() - 1;
    assert!(fresh.contains("30 migrations applied"), "{fresh}");
    assert!(flights.chars().all(|kind| kind == 'Q'), "{flights}");
    // Thirty scripts are sixty messages, which may all be under way at once; the rest makes the history's table.
    assert!(waits <= 5, "{flights}");
    assert!(fresh.contains(&format!("round trips after connecting: {waits}\n")), "{flights}: {fresh}");

    let nothing = verbose(&scene, "migrate");
    assert!(nothing.contains("nothing to apply"), "{nothing}");
    assert!(nothing.contains("round trips after connecting: 2\n"), "{nothing}");
    assert_eq!((kinds(&link).as_str(), link.connections()), ("QQX", 2), "one connection for each of two runs");
}
