//! A schema with one object of every kind.

use testkit::Psql;
use trueup_testkit as testkit;

use crate::scene::{OWNER, database, inside, server};

/// Makes one of everything.
pub(crate) const STORY: &str = include_str!("story.sql");

#[tokio::test]
async fn story_is_read_completely() {
    let Some(server) = server(15) else { return };
    let conninfo = database(server, OWNER);
    Psql::new(&conninfo).run(STORY).expect("the story");
    let introspected = inside(&conninfo).await;
    insta::assert_json_snapshot!(introspected.canonical);
}
