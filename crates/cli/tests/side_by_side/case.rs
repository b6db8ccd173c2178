//! A case, and how it is played.

use trueup_testkit::{SIDE_BY_SIDE, Server};

use crate::parts::{flyway, server};
use crate::recorded;
use crate::stage::{Party, Stage, Step};

/// One of the 61.
pub(crate) struct Case {
    pub(crate) number: u8,
    /// What it is about.
    pub(crate) title: &'static str,
    /// Where ours differs on purpose, and why; empty where it does not.
    pub(crate) differs: &'static str,
    pub(crate) play: fn(&mut Stage),
}

impl Case {
    /// Plays it in both orders beside Flyway, or once against what was recorded.
    pub(crate) fn run(&self) {
        let Some(server) = server() else { return };
        let how = if flyway().is_some() {
            self.live(server);
            "live"
        } else {
            self.recorded(server);
            "recorded"
        };
        say(&format!("{SIDE_BY_SIDE}{} {how}", self.number));
    }

    fn live(&self, server: &Server) {
        let first = self.played(server, Party::Flyway, Party::Ours);
        let second = self.played(server, Party::Ours, Party::Flyway);
        compare(&first.log, &second.log, "Flyway first", "ours first");
        if !first.apart {
            assert_eq!(first.dump(), second.dump(), "dumps: Flyway first, ours first");
        }
        recorded::keep(self.number, &first.log, &second.log);
    }

    fn recorded(&self, server: &Server) {
        let played = self.played(server, Party::Ours, Party::Ours);
        compare(&recorded::read(self.number), &played.log, "Flyway, recorded", "ours");
    }

    fn played(&self, server: &Server, a: Party, b: Party) -> Stage {
        let mut stage = Stage::new(server, a, b);
        (self.play)(&mut stage);
        stage
    }
}

/// Fails at the first step after which something else was seen.
fn compare(first: &[Step], second: &[Step], of_first: &str, of_second: &str) {
    for (one, other) in first.iter().zip(second) {
        let what = one.what.clone();
        assert_eq!(one.what, other.what, "the steps of a case do not depend on who plays");
        if !one.apart && !other.apart {
            let (one, other) = (one.seen.join("\n"), other.seen.join("\n"));
            assert_eq!(one, other, "after `{what}`: {of_first}, then {of_second}");
        }
    }
    assert_eq!(first.len(), second.len(), "the steps of a case do not depend on who plays");
}

/// To the real standard error: `cargo test` swallows what a passing test prints.
fn say(line: &str) {
    use std::io::Write;
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}
