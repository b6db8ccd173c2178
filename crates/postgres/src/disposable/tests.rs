//! Against real servers of this machine's PostgreSQL: start, isolation, hostile SQL, damage, killed owners.

use super::*;
use std::path::{Path, PathBuf};
use std::time::Instant;
use tokio_postgres::Client;

/// Set in the child processes of these tests: the cache directory to use.
const CHILD_CACHE: &str = "TRUEUP_TEST_CACHE";

/// Binaries of another major to run all these tests with.
const BINARIES: &str = "TRUEUP_TEST_PG_BIN";

fn choice(cache: &Path) -> Choice {
    Choice {
        scratch_url: None,
        pg_bin: std::env::var_os(BINARIES).map(PathBuf::from),
        prefer_major: None,
        bundled: None,
        only_bundled: false,
        cache_dir: cache.to_owned(),
        deadline: Duration::from_secs(60),
    }
}

/// A cache for all tests, so that the template is made once.
fn shared_cache() -> PathBuf {
    let binaries = std::env::var(BINARIES).unwrap_or_default();
    let key = blake3::hash(binaries.as_bytes()).to_hex();
    std::env::temp_dir().join(format!("trueup-test-cache-{}-{}", nix::unistd::geteuid(), &key[..8]))
}

async fn scratch() -> Scratch {
    super::start(choice(&shared_cache())).await.unwrap()
}

async fn owner(database: &Database) -> Client {
    sql::connect(&database.owner_config()).await.unwrap()
}

/// Runs `text`, which has to fail, and gives back the SQLSTATE.
async fn sqlstate(client: &Client, text: &str) -> String {
    let error = client.batch_execute(text).await.expect_err(text);
    error.code().map(|code| code.code().to_owned()).unwrap_or_else(|| error.to_string())
}

fn packs(cache: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(cache.join("templates")).unwrap();
    files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|it| it == "pack")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_start_is_quick_and_a_stop_leaves_nothing() {
    drop(scratch().await);
    let mut times = Vec::new();
    for _ in 0..5 {
        let start = Instant::now();
        let scratch = scratch().await;
        let Inner::Native(native) = &scratch.inner else { panic!("not native") };
        let dir = native.directory().to_owned();
        let started = start.elapsed();
        let database = scratch.database().await.unwrap();
        owner(&database).await.batch_execute("SELECT 1").await.unwrap();
        times.push((started, start.elapsed()));
        scratch.stop().await.unwrap();
        assert!(!dir.exists());
    }
    println!("start to first answer, and to the first answer in a database: {times:?}");
    assert!(times.iter().min().unwrap().0 < Duration::from_secs(2), "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_is_nobody_special_and_the_database_is_empty() {
    let scratch = scratch().await;
    let database = scratch.database().await.unwrap();
    let client = owner(&database).await;
    let sql = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls,
        (SELECT count(*) FROM pg_auth_members WHERE member = r.oid), (SELECT count(*) FROM pg_class WHERE oid >= 16384),
        (SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()) = current_user,
        pg_encoding_to_char((SELECT encoding FROM pg_database WHERE datname = current_database()))::text
        FROM pg_roles r WHERE rolname = current_user";
    let row = client.query_one(sql, &[]).await.unwrap();
    assert!(!row.get::<_, bool>(0));
    assert_eq!((row.get::<_, i64>(1), row.get::<_, i64>(2)), (0, 0));
    assert!(row.get::<_, bool>(3));
    assert_eq!(row.get::<_, String>(4), "UTF8");
    client.batch_execute("CREATE TABLE public.t (a int); CREATE SCHEMA s").await.unwrap();
    assert_eq!(scratch.engine().kind, EngineKind::Native);
    assert!(scratch.engine().version.starts_with(&scratch.engine().major.to_string()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_server_says_where_its_extensions_are() {
    let scratch = scratch().await;
    assert!(scratch.share_dir().unwrap().join("extension/plpgsql.control").is_file(), "{:?}", scratch.share_dir());
    let own = scratch.isolated().await.unwrap();
    assert_eq!(own.share_dir(), scratch.share_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_sql_fails_with_a_clear_error() {
    let scratch = scratch().await;
    let (database, other) = (scratch.database().await.unwrap(), scratch.database().await.unwrap());
    let client = owner(&database).await;
    for (denied, text) in [
        ("42501", "COPY (SELECT 1) TO PROGRAM 'id'"),
        ("42501", "COPY (SELECT 1) TO '/tmp/trueup-hostile'"),
        ("42501", "CREATE TEMP TABLE t (a text); COPY t FROM '/etc/passwd'"),
        ("42501", "SELECT pg_read_file('/etc/passwd')"),
        ("42501", "SELECT pg_read_file('postgresql.conf')"),
        ("42501", "SELECT pg_read_binary_file('/proc/self/environ')"),
        ("42501", "SELECT pg_ls_dir('/')"),
        ("42501", "SELECT pg_stat_file('/etc/passwd')"),
        ("42501", "SELECT lo_import('/etc/passwd')"),
        ("42501", "SELECT lo_export(lo_create(0), '/tmp/trueup-hostile')"),
        ("42501", "CREATE EXTENSION file_fdw"),
        ("42501", "CREATE EXTENSION dblink"),
        ("42501", "CREATE EXTENSION postgres_fdw"),
        ("42501", "LOAD 'auto_explain'"),
        ("42501", "ALTER SYSTEM SET listen_addresses = '*'"),
        ("42501", "SET temp_file_limit = -1"),
        ("42501", "SET log_min_messages = debug5"),
        ("42501", "CREATE ROLE another"),
        ("42501", "CREATE DATABASE another"),
        ("42501", "SET ROLE postgres"),
        ("42501", "SET SESSION AUTHORIZATION postgres"),
        ("42501", "ALTER ROLE postgres PASSWORD 'x'"),
        ("42501", "ALTER ROLE current_user SUPERUSER"),
        ("42501", "GRANT postgres TO current_user"),
        ("42501", "GRANT pg_monitor TO current_user"),
        ("42501", "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/lib/x86_64-linux-gnu/libc.so.6', 'system'"),
        ("42501", "CREATE TABLESPACE t LOCATION '/tmp'"),
        ("42501", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'"),
        ("42501", "SELECT rolpassword FROM pg_authid"),
        ("42501", "CREATE SUBSCRIPTION s CONNECTION 'host=/tmp' PUBLICATION p"),
    ] {
        assert_eq!(sqlstate(&client, text).await, denied, "{text}");
    }
    for pg_role in ["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"] {
        let state = sqlstate(&client, &format!("GRANT {pg_role} TO current_user")).await;
        assert!(["42501", "42704"].contains(&state.as_str()), "{pg_role}: {state}");
    }
    for dbname in [other.name(), "postgres", "template1"] {
        let mut elsewhere = database.owner_config();
        let error = sql::connect(elsewhere.dbname(dbname)).await.expect_err(dbname);
        assert_eq!(error.code().unwrap().code(), "42501", "{dbname}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_the_password_of_the_run() {
    let scratch = scratch().await;
    let database = scratch.database().await.unwrap();
    let pack = pack::Pack::read(&packs(&shared_cache())[0]).unwrap();
    for (user, password) in [("postgres", ""), ("postgres", &pack.description.password), (database.name(), "")] {
        let mut config = database.superuser_config();
        let refused = sql::connect(config.user(user).password(password)).await;
        assert!(refused.is_err(), "{user} with `{password}`");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_superusers_search_path_is_not_the_owners_to_set() {
    let scratch = scratch().await;
    let database = scratch.database().await.unwrap();
    let set = format!("ALTER DATABASE {} SET search_path = evil, pg_catalog", database.name());
    owner(&database).await.batch_execute(&format!("CREATE SCHEMA evil; {set}")).await.unwrap();
    let superuser = sql::connect(&database.superuser_config()).await.unwrap();
    let row = superuser.query_one("SELECT current_setting('search_path')", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "pg_catalog");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_servers_environment_holds_nothing_of_ours() {
    let scratch = scratch().await;
    let Inner::Native(native) = &scratch.inner else { panic!("not native") };
    let pid = std::fs::read_to_string(native.directory().join("data/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap().trim().to_owned();
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else {
        println!("SKIPPED: no /proc to read another process's environment from");
        return;
    };
    let mut names: Vec<_> =
        environment.split(|byte| *byte == 0).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    names.retain(|it| !it.is_empty());
    let known = ["LC_ALL=", "TZ=", "PATH=", "PWD=", "SHLVL=", "_=", "OLDPWD=", "PG_GRANDPARENT_PID="];
    assert!(names.iter().all(|it| known.iter().any(|known| it.starts_with(known))), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_ends_with_its_database_and_harms_no_other() {
    let scratch = scratch().await;
    let (database, other) = (scratch.database().await.unwrap(), scratch.database().await.unwrap());
    let client = owner(&database).await;
    let endless = "SET statement_timeout = 0; DO $$ BEGIN LOOP END LOOP; END $$";
    let looping = tokio::spawn(async move { client.batch_execute(endless).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    database.drop().await.unwrap();
    assert!(looping.await.unwrap().is_err());
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    owner(&other).await.batch_execute("CREATE TABLE still_here (a int)").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_and_disk_have_an_end() {
    let scratch = scratch().await;
    let (database, other) = (scratch.database().await.unwrap(), scratch.database().await.unwrap());
    let client = owner(&database).await;
    let bomb = "SELECT array_agg(repeat(repeat(g::text, 1000), 200000)) FROM generate_series(1, 20) g";
    let start = Instant::now();
    assert_eq!(sqlstate(&client, bomb).await, "53200");
    println!("out of memory after {:?}", start.elapsed());
    owner(&other).await.batch_execute("SELECT 1").await.unwrap();
    let flood = "CREATE TABLE t AS SELECT repeat(g::text, 200) FROM generate_series(1, 100000000) g";
    assert!(client.batch_execute(flood).await.is_err());
    println!("out of disk after {:?}", start.elapsed());
    let mut reason = String::new();
    for _ in 0..8 {
        // The ones created ahead come first.
        reason = scratch.database().await.err().map_or(reason, |error| error.to_string());
    }
    assert!(reason.contains("databases grew"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn services_do_not_see_each_other_however_many_there_are() {
    let scratch = scratch().await;
    let start = Instant::now();
    for number in 0..native::RETIRED + 8 {
        let database = scratch.database().await.unwrap();
        let client = owner(&database).await;
        let row = client.query_one("SELECT to_regclass('public.leftover') IS NULL", &[]).await.unwrap();
        assert!(row.get::<_, bool>(0), "database {number}");
        client.batch_execute("CREATE TABLE public.leftover (a int)").await.unwrap();
        database.drop().await.unwrap();
    }
    println!("{} databases, one after the other: {:?}", native::RETIRED + 8, start.elapsed());
    let database = scratch.database().await.unwrap();
    let superuser = sql::connect(&database.superuser_config()).await.unwrap();
    let row = superuser.query_one("SELECT count(*) FROM pg_database WHERE datname LIKE 'trueup%'", &[]).await.unwrap();
    let most = i64::try_from(native::RETIRED + 2 + scratch.parallelism()).unwrap();
    assert!(row.get::<_, i64>(0) <= most, "dropped databases are not kept for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isolated_server_lets_its_owner_create_roles_but_not_rise() {
    let scratch = scratch().await;
    let isolated = scratch.isolated().await.unwrap();
    let database = isolated.database().await.unwrap();
    let client = owner(&database).await;
    client.batch_execute("CREATE ROLE app; CREATE TABLE t (a int); GRANT SELECT ON t TO app").await.unwrap();
    for pg_role in ["pg_execute_server_program", "pg_read_server_files", "pg_write_server_files"] {
        let state = sqlstate(&client, &format!("GRANT {pg_role} TO current_user")).await;
        assert!(["42501", "42704"].contains(&state.as_str()), "{pg_role}: {state}");
    }
    for text in ["CREATE ROLE root SUPERUSER", "ALTER ROLE postgres PASSWORD 'x'", "COPY (SELECT 1) TO PROGRAM 'id'"] {
        assert_eq!(sqlstate(&client, text).await, "42501", "{text}");
    }
    let outside = scratch.database().await.unwrap();
    let row =
        owner(&outside).await.query_one("SELECT count(*) FROM pg_roles WHERE rolname = 'app'", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn extensions_are_created_first_or_reported_precisely() {
    let scratch = scratch().await;
    let database = scratch.database().await.unwrap();
    database.create_extension("earthdistance").await.unwrap();
    database.create_extension("pg_stat_statements").await.unwrap();
    let missing = database.create_extension("semver").await.unwrap_err();
    assert!(matches!(missing, ExtensionError::ExtensionMissing { .. }), "{missing}");
    let denied = database.create_extension("file_fdw").await.unwrap_err();
    assert!(matches!(denied, ExtensionError::NotAllowed { .. }), "{denied}");
    let client = owner(&database).await;
    client.batch_execute("CREATE OPERATOR public.<-> (leftarg=int, rightarg=int, function=int4pl)").await.unwrap();
    let late = database.create_extension("btree_gist").await.unwrap_err();
    assert!(matches!(late, ExtensionError::NotEmpty { .. }), "{late}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_template_is_made_again() {
    let cache = tempfile::tempdir().unwrap();
    drop(super::start(choice(cache.path())).await.unwrap());
    let pack = packs(cache.path()).remove(0);
    let whole = std::fs::read(&pack).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0xff;
    for damage in [None, Some(&whole[..whole.len() / 2]), Some(&[][..]), Some(&flipped[..])] {
        match damage {
            Some(bytes) => std::fs::write(&pack, bytes).unwrap(),
            None => std::fs::remove_file(&pack).unwrap(),
        }
        let scratch = super::start(choice(cache.path())).await.unwrap();
        scratch.database().await.unwrap();
        assert!(pack::Pack::read(&pack).is_some());
    }
}

/// The body of the child processes below; alone it does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Some(cache) = std::env::var_os(CHILD_CACHE) else { return };
    let scratch = super::start(choice(Path::new(&cache))).await.unwrap();
    let database = scratch.database().await.unwrap();
    owner(&database).await.batch_execute("CREATE TABLE t (a int)").await.unwrap();
    let Inner::Native(native) = &scratch.inner else { panic!("not native") };
    println!("\nDIRECTORY {}", native.directory().display());
    if std::env::var_os("TRUEUP_TEST_WAIT").is_some() {
        tokio::time::sleep(Duration::from_secs(120)).await;
    }
}

fn spawn_child(cache: &Path, wait: bool, uid: Option<u32>) -> std::process::Child {
    use std::os::unix::process::CommandExt;
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command.args(["disposable::tests::child", "--exact", "--nocapture"]).env(CHILD_CACHE, cache);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    if wait {
        command.env("TRUEUP_TEST_WAIT", "1");
    }
    if let Some(uid) = uid {
        command.uid(uid).gid(uid);
    }
    command.spawn().unwrap()
}

fn assert_success(child: std::process::Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn ten_processes_at_once_share_an_empty_cache() {
    let cache = tempfile::tempdir().unwrap();
    let children: Vec<_> = (0..10).map(|_| spawn_child(cache.path(), false, None)).collect();
    children.into_iter().for_each(assert_success);
    assert_eq!(packs(cache.path()).len(), 1);
}

#[test]
fn it_runs_as_a_normal_user() {
    if !nix::unistd::geteuid().is_root() {
        println!("SKIPPED: not root, so all the other tests have shown it already");
        return;
    }
    let cache = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(cache.path(), Some(65534), Some(65534)).unwrap();
    // The test binary may lie where that user cannot go.
    let exe = std::env::current_exe().unwrap();
    let copy = cache.path().join("tests");
    std::fs::copy(&exe, &copy).unwrap();
    let mut command = std::process::Command::new(&copy);
    std::os::unix::process::CommandExt::uid(&mut command, 65534);
    command.args(["disposable::tests::child", "--exact", "--nocapture"]).env(CHILD_CACHE, cache.path().join("c"));
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("DIRECTORY"), "{text}");
}

/// Starts a child and waits for its server; then kills the child the hard way.
fn killed_child(cache: &Path) -> PathBuf {
    use std::io::{BufRead, BufReader};
    let mut child = spawn_child(cache, true, None);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let dir = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("DIRECTORY ").map(PathBuf::from));
    child.kill().unwrap();
    child.wait().unwrap();
    dir.expect("the child starts a server")
}

fn wait_until_gone(path: &Path) {
    let start = Instant::now();
    while path.exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "{} is still there", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_killed_owner_takes_server_and_directory_along() {
    let dir = killed_child(&shared_cache());
    wait_until_gone(&dir);
}

/// As above, but the guard is killed too: then the next run sweeps.
#[test]
fn what_a_killed_run_and_guard_leave_is_swept() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    use std::io::{BufRead, BufReader};
    let mut child = spawn_child(&shared_cache(), true, None);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let dir = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("DIRECTORY ").map(PathBuf::from)).unwrap();
    let guards = guards_of(&dir);
    if guards.is_empty() {
        println!("SKIPPED: no /proc to find the guard in");
        child.kill().unwrap();
        child.wait().unwrap();
        return;
    }
    for guard in guards {
        kill(Pid::from_raw(guard), Signal::SIGKILL).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let pid: i32 =
        std::fs::read_to_string(dir.join("data/postmaster.pid")).unwrap().lines().next().unwrap().parse().unwrap();
    assert!(Path::new(&format!("/proc/{pid}")).exists(), "the server should have been orphaned");
    sweep::sweep(user::uid_of(user::server_user().unwrap()));
    assert!(!dir.exists());
    assert!(!Path::new(&format!("/proc/{pid}/cwd")).exists());
}

/// The shells that guard the server in `dir`: they have its path among their arguments.
fn guards_of(dir: &Path) -> Vec<i32> {
    let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = processes.flatten().filter_map(|it| it.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| {
        let text = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        text.contains("trueup-guard") && text.contains(&dir.display().to_string())
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_use_is_not_swept() {
    let scratch = scratch().await;
    sweep::sweep(user::uid_of(user::server_user().unwrap()));
    let database = scratch.database().await.unwrap();
    owner(&database).await.batch_execute("SELECT 1").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_hold_while_another_process_has_the_lock() {
    let cache = tempfile::tempdir().unwrap();
    drop(super::start(choice(cache.path())).await.unwrap());
    let pack = packs(cache.path()).remove(0);
    std::fs::remove_file(&pack).unwrap();
    let lock = std::fs::File::create(pack.with_extension("lock")).unwrap();
    fs4::fs_std::FileExt::lock_exclusive(&lock).unwrap();
    let start = Instant::now();
    let error =
        super::start(Choice { deadline: Duration::from_millis(300), ..choice(cache.path()) }).await.unwrap_err();
    assert!(matches!(error, StartError::Deadline { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn binaries_that_do_not_run_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["initdb", "postgres"] {
        std::fs::write(dir.path().join(name), "#!/bin/sh\nexit 3\n").unwrap();
    }
    let error = super::start(Choice { pg_bin: Some(dir.path().to_owned()), ..choice(dir.path()) }).await.unwrap_err();
    assert!(error.to_string().contains(&dir.path().display().to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_the_user_gave_is_left_as_it_was() {
    // Another scratch server stands for the user's; its database owner may create roles, its superuser all.
    let theirs = scratch().await;
    let host = theirs.database().await.unwrap();
    let config = host.superuser_config();
    let tokio_postgres::config::Host::Unix(socket) = &config.get_hosts()[0] else { panic!("not a socket") };
    let password = String::from_utf8(config.get_password().unwrap().to_vec()).unwrap();
    let url = format!("host={} user=postgres password={password} dbname={}", socket.display(), host.name());
    let scratch =
        super::start(Choice { scratch_url: Some(Secret::new(url)), ..choice(&shared_cache()) }).await.unwrap();
    assert_eq!(scratch.engine().kind, EngineKind::Url);
    assert!(scratch.isolated().await.is_err());
    let superuser = sql::connect(&config).await.unwrap();
    // Every server but ours has it. A copy of the session's own database: in template1 sits the session that creates.
    let born = format!("CREATE DATABASE template0 TEMPLATE {} IS_TEMPLATE true", host.name());
    superuser.batch_execute(&born).await.unwrap();
    let ours = "SELECT (SELECT count(*) FROM pg_database WHERE datname LIKE 'trueup\\_scratch%')
        + (SELECT count(*) FROM pg_roles WHERE rolname ~ '^trueup_owner_[0-9a-f]{8}$')";
    let database = scratch.database().await.unwrap();
    let client = owner(&database).await;
    assert_eq!(sqlstate(&client, "COPY (SELECT 1) TO PROGRAM 'id'").await, "42501");
    assert_eq!(superuser.query_one(ours, &[]).await.unwrap().get::<_, i64>(0), 2);
    database.drop().await.unwrap();
    assert_eq!(superuser.query_one(ours, &[]).await.unwrap().get::<_, i64>(0), 0);
    // One of a run that was killed long ago.
    superuser.batch_execute("CREATE ROLE trueup_owner_00000001").await.unwrap();
    superuser
        .batch_execute("CREATE DATABASE trueup_scratch_1_00000001 OWNER trueup_owner_00000001 TEMPLATE template0")
        .await
        .unwrap();
    let again = Choice { scratch_url: None, ..choice(&shared_cache()) };
    let url = Secret::new(format!("host={} user=postgres password={password} dbname=postgres", socket.display()));
    super::start(Choice { scratch_url: Some(url), ..again }).await.unwrap();
    assert_eq!(superuser.query_one(ours, &[]).await.unwrap().get::<_, i64>(0), 0);
}

/// An executable that runs the engine on [`BUNDLED_SUBCOMMAND`]: `cargo build --release -p trueup-embedded --example engine`.
const ENGINE: &str = "TRUEUP_TEST_ENGINE";

#[tokio::test(flavor = "multi_thread")]
async fn the_bundled_engine_gives_a_fresh_database_each_time() {
    let Some(executable) = std::env::var_os(ENGINE).map(PathBuf::from) else {
        println!("SKIPPED: {ENGINE} names no executable with the bundled engine");
        return;
    };
    let start = Instant::now();
    let only = Choice { bundled: Some(executable), only_bundled: true, ..choice(&shared_cache()) };
    let scratch = super::start(Choice { deadline: Duration::from_secs(120), ..only }).await.unwrap();
    println!("bundled: {} after {:?}", scratch.engine(), start.elapsed());
    assert_eq!(scratch.engine().kind, EngineKind::Bundled);
    for extensions in [vec![], vec!["pg_trgm".to_owned()], vec!["pg_trgm".to_owned()]] {
        let start = Instant::now();
        let database = scratch.database_offering(&extensions).await.unwrap();
        let launched = start.elapsed();
        if !extensions.is_empty() {
            database.create_extension("pg_trgm").await.unwrap();
            let missing = database.create_extension("postgis").await.unwrap_err();
            assert!(matches!(missing, ExtensionError::ExtensionMissing { .. }), "{missing}");
        }
        let client = owner(&database).await;
        let row = client.query_one("SELECT current_user::text, to_regclass('public.t') IS NULL", &[]).await.unwrap();
        println!("engine launched after {launched:?}, answers after {:?}", start.elapsed());
        assert_eq!((row.get::<_, &str>(0), row.get::<_, bool>(1)), ("trueup_owner_1", true));
        client.batch_execute("CREATE TABLE public.t (a int)").await.unwrap();
        for text in [
            "COPY (SELECT 1) TO PROGRAM 'id'",
            "RESET ROLE; COPY (SELECT 1) TO PROGRAM 'id'",
            "RESET ROLE; SELECT pg_read_file('/etc/passwd')",
            "RESET ROLE; SELECT pg_read_file('/proc/self/environ')",
        ] {
            assert!(client.batch_execute(text).await.is_err(), "{text}");
        }
        let endless = tokio::spawn(async move { client.batch_execute("DO $$ BEGIN LOOP END LOOP; END $$").await });
        tokio::time::sleep(Duration::from_millis(50)).await;
        database.drop().await.unwrap();
        assert!(endless.await.unwrap().is_err());
    }
}
