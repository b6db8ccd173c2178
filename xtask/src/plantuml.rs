//! Gets Debian's PlantUML and Graphviz for the tests of the portal's diagrams.

use trueup_testkit::SKIPPED;

use crate::machine::{has, install};

/// Gets them when they are not there yet. Without a network the tests with PlantUML are skipped, and say so.
pub(crate) fn fetch() {
    if let Err(why) = install(&[("plantuml", has("plantuml")), ("graphviz", has("dot"))]) {
        eprintln!("{SKIPPED}PlantUML or Graphviz is missing: {why}");
    }
}
