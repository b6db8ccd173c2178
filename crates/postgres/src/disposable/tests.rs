//! Against real servers of this machine's PostgreSQL.

use super::*;

fn choice(cache: &std::path::Path) -> Choice {
    Choice {
        scratch_url: None,
        pg_bin: None,
        prefer_major: None,
        cache_dir: cache.to_owned(),
        deadline: Duration::from_secs(30),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_start_to_stop() {
    let cache = tempfile::tempdir().unwrap();
    for round in 0..4 {
        let start = std::time::Instant::now();
        let scratch = super::start(choice(cache.path())).await.unwrap();
        let database = scratch.database().await.unwrap();
        let client = sql::connect(&database.owner_config()).await.unwrap();
        let row = client.query_one("SELECT current_user::text", &[]).await.unwrap();
        println!("round {round}: {:?} {}", start.elapsed(), scratch.engine());
        assert_eq!(row.get::<_, &str>(0), "trueup_owner_1");
        database.drop().await.unwrap();
        let stop = std::time::Instant::now();
        scratch.stop().await.unwrap();
        println!("stop {:?}", stop.elapsed());
    }
}
