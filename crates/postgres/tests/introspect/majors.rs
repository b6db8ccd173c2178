//! The same schema on every major.

use testkit::{Psql, Server};
use trueup_model::canonical::Canonical;
use trueup_testkit as testkit;

use crate::flat::beyond_known;
use crate::scene::{OWNER, database, inside, server};
use crate::story::STORY;

async fn story_on(server: &Server) -> Canonical {
    let conninfo = database(server, OWNER);
    // btree_gist is trusted from 13 on: the owner may create it.
    Psql::new(&conninfo).run(STORY).expect("the story");
    inside(&conninfo).await.canonical
}

#[tokio::test]
async fn story_differs_between_majors_only_as_listed() {
    let Some(fifteen) = server(15) else { return };
    let fifteen = story_on(fifteen).await;
    for major in [13, 14, 16, 17, 18] {
        let Some(server) = server(major) else { continue };
        let other = story_on(server).await;
        let (known, unknown) = beyond_known(&fifteen, &other);
        println!("{major}: {known:?}");
        assert_eq!(unknown, Vec::<String>::new(), "{major}");
    }
}
